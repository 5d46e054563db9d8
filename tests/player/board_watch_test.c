/* What of a board's health is news. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "player/board_watch.h"

#define U   BOARD_UNDERVOLTAGE
#define C   BOARD_CAPPED
#define T   BOARD_THROTTLED
#define ALL (U | C | T | BOARD_HOT)

#define LOOKS_MAX 5

static const struct {
    const char *what;
    struct {
        struct board board;
        unsigned news;
    } look[LOOKS_MAX];
    size_t count;
    uint64_t undervoltages, throttlings;
} cases[] = {
    { "what was before the first look is no news",
      { { { "", 50000, ALL, 0, U | T }, 0 }, { { "", 50000, ALL, 0, U | T }, 0 } },
      2,
      0,
      0 },
    { "power that is weak at the first look",
      { { { "", 50000, ALL, U, U }, NEWS_POWER_WEAK },
        { { "", 50000, ALL, U, U }, 0 },
        { { "", 50000, ALL, 0, U }, NEWS_POWER_GOOD },
        { { "", 50000, ALL, 0, U }, 0 },
        { { "", 50000, ALL, U, U }, NEWS_POWER_WEAK } },
      5,
      2,
      0 },
    { "weak only between two looks",
      { { { "", 50000, ALL, 0, 0 }, 0 },
        { { "", 50000, ALL, 0, U }, NEWS_POWER_WEAK },
        { { "", 50000, ALL, 0, U }, 0 } },
      3,
      1,
      0 },
    { "the firmware forgets, and it comes again",
      { { { "", 50000, ALL, 0, 0 }, 0 },
        { { "", 50000, ALL, 0, U }, NEWS_POWER_WEAK },
        { { "", 50000, ALL, 0, 0 }, 0 },
        { { "", 50000, ALL, 0, U }, NEWS_POWER_WEAK } },
      4,
      2,
      0 },
    { "what cannot be read once is neither over nor new",
      { { { "", 50000, ALL, 0, U }, 0 },
        { { "", 50000, 0, 0, 0 }, 0 },
        { { "", 50000, ALL, 0, U }, 0 },
        { { "", 50000, ALL, C, U | C }, NEWS_SLOW },
        { { "", BOARD_UNKNOWN, 0, 0, 0 }, 0 } },
      5,
      0,
      1 },
    { "what is known late is no news but for what is so then",
      { { { "", 50000, 0, 0, 0 }, 0 }, { { "", 50000, ALL, U, U | T }, NEWS_POWER_WEAK } },
      2,
      1,
      0 },
    { "slowed down in two ways is one time",
      { { { "", 50000, ALL, C, C }, NEWS_SLOW },
        { { "", 50000, ALL, C | T, C | T }, 0 },
        { { "", 50000, ALL, T, C | T }, 0 },
        { { "", 50000, ALL, 0, C | T }, NEWS_FAST } },
      4,
      0,
      1 },
    { "a board that only has a temperature, with some degrees between too hot and well again",
      { { { "", 79999 }, 0 },
        { { "", 80000 }, NEWS_SLOW },
        { { "", 75000 }, 0 },
        { { "", 74999 }, NEWS_FAST },
        { { "", 79999 }, 0 } },
      5,
      0,
      0 },
    { "a board that says whether it is slowed down may be hot",
      { { { "", 90000, ALL, 0, 0 }, 0 } },
      1,
      0,
      0 },
    { "a board that says nothing", { { { "", BOARD_UNKNOWN }, 0 } }, 1, 0, 0 },
};

static void what_changes_is_news_once_and_counted(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct board_watch w = { .has_looked = false };
        for (size_t k = 0; k < cases[i].count; k++) {
            unsigned news = board_watch_take(&w, &cases[i].look[k].board);
            if (news != cases[i].look[k].news)
                fail_msg("%s: look %zu: %x", cases[i].what, k, news);
        }
        assert_int_equal(w.undervoltages, cases[i].undervoltages);
        assert_int_equal(w.throttlings, cases[i].throttlings);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_changes_is_news_once_and_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
