#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "hub/datetime.h"

static void all_forms_come_out_as_one(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        { "2025-10-16T06:05:33.410Z", "2025-10-16T06:05:33.410+00:00" },
        { "2025-10-16T06:05:33.410+00:00", "2025-10-16T06:05:33.410+00:00" },
        { "2025-10-16T06:05:33Z", "2025-10-16T06:05:33.000+00:00" },
        { "2025-10-16 06:05:33.4", "2025-10-16T06:05:33.400+00:00" },
        { "2025-10-16T06:05:33.4109999Z", "2025-10-16T06:05:33.410+00:00" },
        { "2025-10-16T06:05", "2025-10-16T06:05:00.000+00:00" },
        { "2025-10-16", "2025-10-16T00:00:00.000+00:00" },
        { "2025-10-16T06:05:33+10:30", "2025-10-15T19:35:33.000+00:00" },
        { "2025-12-31T23:30:00-0100", "2026-01-01T00:30:00.000+00:00" },
        { "2025-10-16T06:05:33+02", "2025-10-16T04:05:33.000+00:00" },
        { "2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000+00:00" },
        { "2000-02-29T00:00:00Z", "2000-02-29T00:00:00.000+00:00" },
        { "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000+00:00" },
        { "1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999+00:00" },
        { "0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000+00:00" },
        { "9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999+00:00" },
        { "", NULL },
        { "now", NULL },
        { "1760594733410", NULL },
        { "2025-13-01T00:00:00Z", NULL },
        { "2025-00-01", NULL },
        { "2025-02-29", NULL },
        { "1900-02-29", NULL },
        { "2025-04-31", NULL },
        { "2025-10-16T24:00:00Z", NULL },
        { "2025-10-16T06:60:00Z", NULL },
        { "2025-10-16T06:05:60Z", NULL },
        { "2025-10-16T06:05:33.Z", NULL },
        { "2025-10-16T06:05:33ZZ", NULL },
        { "2025-10-16T06:05:33+0", NULL },
        { "2025-10-16T06:05:33+10:3", NULL },
        { "2025-10-16T", NULL },
        { " 2025-10-16", NULL },
        { "2025-10-16 ", NULL },
        { "25-10-16", NULL },
        { "0000-01-01T00:00:00+01:00", NULL },
        { "9999-12-31T23:59:59-01:00", NULL },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t ms = 42;
        char text[DATETIME_TEXT_MAX] = "none";
        if (datetime_parse(cases[i].text, &ms))
            datetime_text(ms, text);
        else
            assert_int_equal(ms, 42);
        if (strcmp(text, cases[i].want ? cases[i].want : "none") != 0)
            fail_msg("\"%s\": %s", cases[i].text, text);
    }
}

static void known_moments_have_known_numbers(void **state)
{
    int64_t ms;
    assert_true(datetime_parse("2025-10-11T12:34:56.789+00:00", &ms));
    assert_int_equal(ms, 1760186096789);
    assert_true(datetime_parse("1969-12-31T00:00:00Z", &ms));
    assert_int_equal(ms, -86400000);
}

static void every_day_of_four_centuries_is_read_as_it_was_written(void **state)
{
    char text[DATETIME_TEXT_MAX], before[DATETIME_TEXT_MAX] = "";
    for (int64_t day = -200000; day < 200000; day++) {
        int64_t ms = day * 86400000 + 12345678, back;
        datetime_text(ms, text);
        assert_true(strcmp(before, text) < 0); /* the texts are in the order of time */
        assert_true(datetime_parse(text, &back));
        assert_int_equal(back, ms);
        memcpy(before, text, sizeof(before));
    }
}

static void times_beyond_the_calendar_become_its_ends(void **state)
{
    char text[DATETIME_TEXT_MAX];
    datetime_text(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999+00:00");
    datetime_text(INT64_MIN, text);
    assert_string_equal(text, "0000-01-01T00:00:00.000+00:00");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_forms_come_out_as_one),
        cmocka_unit_test(known_moments_have_known_numbers),
        cmocka_unit_test(every_day_of_four_centuries_is_read_as_it_was_written),
        cmocka_unit_test(times_beyond_the_calendar_become_its_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
