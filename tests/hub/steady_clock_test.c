#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "base/now.h"
#include "hub/steady_clock.h"

#define START_MS  ((int64_t)1760000000000)
#define MINUTE_MS ((int64_t)60000)
#define YEAR_MS   ((int64_t)365 * 86400000)

/* Both clocks of a box, as a test sets them. */
struct box {
    int64_t wall_ms, mono_ns;
};

static int64_t wall_of(void *ctx)
{
    return ((struct box *)ctx)->wall_ms;
}

static int64_t mono_of(void *ctx)
{
    return ((struct box *)ctx)->mono_ns;
}

static struct steady_clock start(struct box *b, int64_t floor_ms)
{
    struct steady_clock c;
    struct steady_clock_source source = { .wall_ms = wall_of, .mono_ns = mono_of, .ctx = b };
    steady_clock_init(&c, &source, floor_ms);
    return c;
}

/* One after another; a second passes before each. */
static void a_clock_that_is_set_back_goes_on_and_one_that_is_set_forward_is_followed(void **state)
{
    static const struct {
        int64_t set_ms;   /* the wall clock, by so much */
        int64_t ahead_ms; /* of START_MS and what has passed */
        int64_t step_ms;
    } cases[] = {
        { 0, 0, 0 },
        { MINUTE_MS - 1, MINUTE_MS - 1, 0 }, /* put right, not set */
        { -10 * YEAR_MS, MINUTE_MS - 1, 0 },
        { 10 * YEAR_MS, MINUTE_MS - 1, 0 },
        { MINUTE_MS, 2 * MINUTE_MS - 1, MINUTE_MS },
        { 10 * YEAR_MS, 10 * YEAR_MS + 2 * MINUTE_MS - 1, 10 * YEAR_MS },
        { -50 * YEAR_MS, 10 * YEAR_MS + 2 * MINUTE_MS - 1, 0 },
    };
    struct box b = { .wall_ms = START_MS };
    struct steady_clock c = start(&b, 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t step_ms, passed_ms = (int64_t)(i + 1) * 1000;
        b.mono_ns += SECONDS(1);
        b.wall_ms += 1000 + cases[i].set_ms;
        int64_t now_ms = steady_clock_ms(&c, &step_ms);
        if (now_ms != START_MS + passed_ms + cases[i].ahead_ms || step_ms != cases[i].step_ms)
            fail_msg("case %zu: %lld ms ahead, a step of %lld", i,
                     (long long)(now_ms - START_MS - passed_ms), (long long)step_ms);
    }
}

/* The floor is what the disk has seen. */
static void a_box_that_boots_in_1970_begins_where_it_was(void **state)
{
    struct box b = { .wall_ms = 12000 };
    struct steady_clock c = start(&b, START_MS);
    assert_int_equal(steady_clock_ms(&c, NULL), START_MS);
    b.wall_ms = START_MS + YEAR_MS; /* then it hears what time it is */
    int64_t step_ms;
    assert_int_equal(steady_clock_ms(&c, &step_ms), START_MS + YEAR_MS);
    assert_int_equal(step_ms, YEAR_MS);
}

/* Asked however often, parts of a millisecond are not lost. */
static void time_passes_at_its_pace_while_the_clock_jumps(void **state)
{
    uint64_t random = 7;
    struct box b = { .wall_ms = START_MS };
    struct steady_clock c = start(&b, 0);
    int64_t last_set_ms = START_MS, set_at_ns = 0; /* forward */
    for (int i = 0; i < 200000; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        b.mono_ns += (int64_t)(random >> 40) % 1500000;
        if (i % 100 == 0)
            b.wall_ms = START_MS + (int64_t)(random >> 20) % (20 * YEAR_MS) - 10 * YEAR_MS;
        int64_t want_ms = last_set_ms + (b.mono_ns - set_at_ns) / NS_PER_MS;
        if (b.wall_ms > want_ms) {
            want_ms = last_set_ms = b.wall_ms;
            set_at_ns = b.mono_ns;
        }
        assert_int_equal(steady_clock_ms(&c, NULL), want_ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_that_is_set_back_goes_on_and_one_that_is_set_forward_is_followed),
        cmocka_unit_test(a_box_that_boots_in_1970_begins_where_it_was),
        cmocka_unit_test(time_passes_at_its_pace_while_the_clock_jumps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
