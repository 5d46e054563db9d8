#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "sync/stamp.h"

static void test_times_of_all_writers_are_read(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
        bool is_read;
    } cases[] = {
        { "1970-01-01T00:00:00.000+00:00", 0, true },
        { "2025-10-16T06:05:33.410Z", 1760594733410, true },
        { "2025-10-16T06:05:33.410+00:00", 1760594733410, true },
        { "2025-10-16T08:05:33.41+02:00", 1760594733410, true },
        { "2025-10-16T01:35:33.4109-0430", 1760594733410, true },
        { "2025-10-16 06:05:33", 1760594733000, true },
        { "2024-02-29T23:59:59.999Z", 1709251199999, true },
        { "1969-12-31T23:59:59.999Z", -1, true },
        { "2025-13-16T06:05:33Z", 0, false },
        { "2025-10-16", 0, false },
        { "2025-10-16T06:05:33+", 0, false },
        { "2025-10-16T06:05:33Zjunk", 0, false },
        { "", 0, false },
        { NULL, 0, false },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t ms = 0;
        assert_int_equal(stamp_parse(cases[i].text, &ms), cases[i].is_read);
        if (cases[i].is_read)
            assert_int_equal(ms, cases[i].ms);
    }
}

static void test_what_is_written_is_read_back(void **state)
{
    static const int64_t times[] = {
        0, -1, 1760594733410, 951782400000, 253402300799999, -62135596800000
    };
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        char text[STAMP_SIZE];
        int64_t ms = 1;
        stamp_format(times[i], text);
        assert_true(stamp_parse(text, &ms));
        assert_int_equal(ms, times[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times_of_all_writers_are_read),
        cmocka_unit_test(test_what_is_written_is_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
