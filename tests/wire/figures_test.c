/* The hourly figures: of a status, as a line, and over a time. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "wire/figures.h"
#include "wire/message.h"

static const char status_text[] =
    "{\"outputs\":[{\"late\":3},{\"late\":4}],\"underruns\":2,\"sound\":{\"xruns\":3},\"played\":{"
    "\"songs\":14,"
    "\"requests\":"
    "5,\"failed\":1},\"health\":{\"temperature_c\":61.34,\"undervoltages\":null,\"throttlings\":1,"
    "\"state_free\":12345678901,\"cache_free\":null}}";

static const char line[] =
    "figures: songs=14 requests=5 failed=1 late=7 underruns=2 xruns=3 throttlings=1 "
    "hottest_c=61.3 state_free_mb=12346";

static void figures_of_a_status_are_a_line_and_come_back_from_it(void **state)
{
    struct message *status = message_parse(status_text, strlen(status_text), NULL, 0);
    struct figures f, back;
    char text[FIGURES_TEXT_MAX];
    figures_of(&f, status);
    assert_string_equal(figures_text(&f, text, sizeof(text)), line);
    assert_true(figures_parse(&back, text));
    assert_true(back.at[FIGURE_LATE] == 7 && back.at[FIGURE_HOTTEST_C] == 61.3);
    assert_true(isnan(back.at[FIGURE_UNDERVOLTAGES]) && isnan(back.at[FIGURE_CACHE_FREE_MB]));
    message_destroy(status);
}

static void other_lines_are_none_and_strange_words_are_passed_over(void **state)
{
    struct figures f;
    assert_false(figures_parse(&f, "the figures: late=3"));
    assert_true(
        figures_parse(&f, "figures: late=x  songs=2 newer=5 =7 requests underruns= failed=1e1"));
    assert_true(isnan(f.at[FIGURE_LATE]) && isnan(f.at[FIGURE_UNDERRUNS]));
    assert_true(f.at[FIGURE_SONGS] == 2 && f.at[FIGURE_FAILED] == 10);
    assert_true(figures_parse(&f, "figures:"));
    assert_true(isnan(f.at[FIGURE_SONGS]));
}

static const struct {
    const char *lines[5];
    bool from_start;
    enum figure figure;
    double sum;
} times[] = {
    { { "late=10", "late=12", "late=12", "late=20" }, false, FIGURE_LATE, 10 },
    { { "late=10", "late=12" }, true, FIGURE_LATE, 12 },
    { { "late=10" }, false, FIGURE_LATE, 0 },
    { { "late=10", "late=4", "late=5" }, false, FIGURE_LATE, 5 }, /* it began anew */
    { { "late=10", "songs=1", "late=11" }, false, FIGURE_LATE, 1 },
    { { "songs=1" }, true, FIGURE_LATE, NAN },
    { { "hottest_c=50", "hottest_c=71.5", "hottest_c=60" }, false, FIGURE_HOTTEST_C, 71.5 },
    { { "hottest_c=-5" }, true, FIGURE_HOTTEST_C, -5 },
    { { "state_free_mb=9", "state_free_mb=7" }, true, FIGURE_STATE_FREE_MB, 7 },
    { { NULL }, true, FIGURE_HOTTEST_C, NAN },
};

static void counters_grow_over_restarts_the_hottest_and_the_last_stay(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        struct figures_sum s;
        figures_sum_init(&s, times[i].from_start);
        for (size_t k = 0; k < 5 && times[i].lines[k]; k++) {
            char text[64];
            struct figures f;
            snprintf(text, sizeof(text), "figures: %s", times[i].lines[k]);
            assert_true(figures_parse(&f, text));
            figures_sum_add(&s, &f);
        }
        double sum = s.sum.at[times[i].figure];
        if (isnan(times[i].sum) ? !isnan(sum) : sum != times[i].sum)
            fail_msg("%zu: %g", i, sum);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_of_a_status_are_a_line_and_come_back_from_it),
        cmocka_unit_test(other_lines_are_none_and_strange_words_are_passed_over),
        cmocka_unit_test(counters_grow_over_restarts_the_hottest_and_the_last_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
