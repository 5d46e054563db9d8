#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/backoff.h"
#include "base/compiler.h"

static void waits_grow_to_the_maximum_and_jitter_only_shortens(void **state)
{
    static const struct {
        const char *name;
        struct backoff_policy policy;
        unsigned attempt;
        uint32_t random;
        int64_t wait_ms;
    } cases[] = {
        { "first", { 500, 60000, 2, 0 }, 0, 0, 500 },
        { "second", { 500, 60000, 2, 0 }, 1, UINT32_MAX, 1000 },
        { "seventh", { 500, 60000, 2, 0 }, 6, 0, 32000 },
        { "at the maximum", { 500, 60000, 2, 0 }, 7, 0, 60000 },
        { "for ever", { 500, 60000, 2, 0 }, UINT_MAX, 0, 60000 },
        { "first above maximum", { 500, 100, 2, 0 }, 0, 0, 100 },
        { "constant", { 500, 60000, 1, 0 }, UINT_MAX, 0, 500 },
        { "factor 0 is constant", { 500, 60000, 0, 0 }, 9, 0, 500 },
        { "from nothing", { 0, 60000, 2, 0 }, UINT_MAX, 0, 0 },
        { "no jitter drawn", { 1000, 1000, 2, 30 }, 0, 0, 1000 },
        { "half of the jitter", { 1000, 1000, 2, 30 }, 0, 0x80000000u, 850 },
        { "nearly all of the jitter", { 1000, 1000, 2, 30 }, 0, UINT32_MAX, 701 },
        { "full jitter never waits 0", { 1000, 1000, 2, 100 }, 0, UINT32_MAX, 1 },
        { "no overflow", { INT64_MAX / 4, INT64_MAX, 3, 0 }, 5, 0, INT64_MAX },
        { "days", { 1, 10000000000, 10, 50 }, 10, 0x80000000u, 7500000000 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t wait = backoff_ms(&cases[i].policy, cases[i].attempt, cases[i].random);
        if (wait != cases[i].wait_ms)
            fail_msg("%s: %lld", cases[i].name, (long long)wait);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_grow_to_the_maximum_and_jitter_only_shortens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
