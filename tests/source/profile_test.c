/* The limits of boards, and that the player and its worker mean the same by them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/file.h"
#include "source/profile.h"

static const char *const names[] = { "pi3", "pi4", "pi5", "desktop" };
#define NAMES (sizeof(names) / sizeof(names[0]))

static void a_board_has_its_profile(void **state)
{
    static const enum board_kind boards[NAMES] = { BOARD_PI3, BOARD_PI4, BOARD_PI5, BOARD_OTHER };
    for (size_t i = 0; i < NAMES; i++) {
        assert_string_equal(profile_of_board(boards[i])->name, names[i]);
        assert_string_equal(profile_find(names[i])->name, names[i]);
    }
    assert_non_null(profile_find("auto")->name);
}

static void what_is_taller_than_its_limit_does_not_fit(void **state)
{
    const struct profile *p = profile_find("pi3");
    assert_true(profile_fits(p, 0)); /* not known */
    assert_true(profile_fits(p, 720));
    assert_false(profile_fits(p, 721));
    assert_true(profile_fits(profile_find("desktop"), 1080));
}

static void the_worker_has_the_same_limits(void **state)
{
    char *text = NULL, line[256] = "PROFILES = {";
    size_t len = 0, n = strlen(line);
    assert_int_equal(file_read("../../src/source/djamms-fetch.py", 1 << 20, &text, &len), 0);
    for (size_t i = 0; i < NAMES; i++) {
        const struct profile *p = profile_find(names[i]);
        n += (size_t)snprintf(line + n, sizeof(line) - n, "%s\"%s\": (%d, %d)", i ? ", " : "",
                              p->name, p->height, p->fps);
    }
    snprintf(line + n, sizeof(line) - n, "}\n");
    assert_non_null(strstr(text, line));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_board_has_its_profile),
        cmocka_unit_test(what_is_taller_than_its_limit_does_not_fit),
        cmocka_unit_test(the_worker_has_the_same_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
