#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "config/screen_mode.h"

static void modes_are_read_as_they_are_written(void **state)
{
    static const struct {
        const char *text;
        struct screen_mode want;
    } cases[] = {
        { "auto", { 0, 0, 0 } },
        { "Auto", { 0, 0, 0 } },
        { "1920x1080", { 1920, 1080, 0 } },
        { "1920X1080@50", { 1920, 1080, 50000 } },
        { "3840x2160@59.94", { 3840, 2160, 59940 } },
        { "1280x720@23.976", { 1280, 720, 23976 } },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct screen_mode m = { 1, 1, 1 };
        assert_true(screen_mode_parse(cases[i].text, &m));
        assert_int_equal(m.width, cases[i].want.width);
        assert_int_equal(m.height, cases[i].want.height);
        assert_int_equal(m.refresh_mhz, cases[i].want.refresh_mhz);
    }
}

static void anything_else_is_refused_and_leaves_the_automatic_one(void **state)
{
    static const char *const bad[] = { "",
                                       "1920",
                                       "1920x",
                                       "x1080",
                                       "1920x1080@",
                                       "1920x1080@x",
                                       "1920x1080@0",
                                       "1920x1080@60.",
                                       "1920x1080 ",
                                       "1920x1080@60Hz",
                                       "1920x1080@60.1234",
                                       "-1920x1080",
                                       "9999x1080",
                                       "1920x99999999999999999999",
                                       "automatic" };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct screen_mode m = { 1, 1, 1 };
        assert_false(screen_mode_parse(bad[i], &m));
        assert_int_equal(m.width, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(modes_are_read_as_they_are_written),
        cmocka_unit_test(anything_else_is_refused_and_leaves_the_automatic_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
