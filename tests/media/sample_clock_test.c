#include "media/support.h"

#include "media/sample_clock.h"

enum { STEPS = 5, BLOCK = 4800 /* 100 ms */ };
#define NONE INT64_MIN

/* Blocks of 100 ms; times in ms, silence and skip in samples. */
static const struct {
    const char *name;
    int64_t base;
    int count;
    struct {
        int64_t pts, silence, skip;
    } step[STEPS];
} cases[] = {
    { "even sound goes straight through", 0, 3, { { 0, 0, 0 }, { 100, 0, 0 }, { 200, 0, 0 } } },
    { "rounding in the container is no gap",
      0,
      4,
      { { 0, 0, 0 }, { 101, 0, 0 }, { 199, 0, 0 }, { 314, 0, 0 } } },
    { "blocks without a time follow", 0, 3, { { NONE, 0, 0 }, { NONE, 0, 0 }, { 200, 0, 0 } } },
    { "a gap becomes silence", 0, 3, { { 0, 0, 0 }, { 350, 12000, 0 }, { 450, 0, 0 } } },
    { "an overlap is dropped", 0, 3, { { 0, 0, 0 }, { 50, 0, 2400 }, { 150, 0, 0 } } },
    { "a block that was there is dropped whole",
      0,
      3,
      { { 0, 0, 0 }, { 0, 0, BLOCK }, { 100, 0, 0 } } },
    { "sound that begins late is exact", 0, 2, { { 7, 336, 0 }, { 107, 0, 0 } } },
    { "sound that begins early is exact", 0, 2, { { -7, 0, 336 }, { 93, 0, 0 } } },
    { "a start in the middle is exact",
      1000,
      4,
      { { 750, 0, BLOCK }, { 850, 0, BLOCK }, { 950, 0, 2400 }, { 1050, 0, 0 } } },
    { "from far before the start all is dropped",
      60000,
      2,
      { { 10, 0, BLOCK }, { 59950, 0, 2400 } } },
    { "a leap forward goes on without silence",
      0,
      3,
      { { 0, 0, 0 }, { 20000, 0, 0 }, { 20100, 0, 0 } } },
    { "a leap back goes on, nothing dropped",
      0,
      3,
      { { 200000, 0, 0 }, { 200100, 0, 0 }, { 5, 0, 0 } } },
    { "sound may begin long after the pictures",
      0,
      2,
      { { 30000, 30 * SAMPLE_RATE, 0 }, { 30100, 0, 0 } } },
    { "after a leap gaps count again",
      0,
      3,
      { { 0, 0, 0 }, { 20000, 0, 0 }, { 20350, 12000, 0 } } },
};

static void sound_is_placed_without_holes_or_overlaps(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sample_clock c;
        int64_t written = 0;
        sample_clock_init(&c, MS(cases[i].base));
        for (int s = 0; s < cases[i].count; s++) {
            int64_t pts = cases[i].step[s].pts;
            struct sample_place p = sample_clock_place(&c, pts == NONE ? NO_TIME : MS(pts), BLOCK);
            if (p.silence != cases[i].step[s].silence || p.skip != cases[i].step[s].skip)
                fail_msg("%s: block %d: %lld silent, %lld skipped", cases[i].name, s,
                         (long long)p.silence, (long long)p.skip);
            written += p.silence + BLOCK - p.skip;
        }
        assert_int_equal(c.count, written);
        assert_int_equal(sample_clock_end_ns(&c),
                         MS(cases[i].base) + written * NS_PER_S / SAMPLE_RATE);
    }
}

static void wild_times_change_nothing(void **state)
{
    static const int64_t wild[] = { INT64_MAX, INT64_MIN, INT64_MAX / 2, -(INT64_MAX / 2) };
    struct sample_clock c;
    sample_clock_init(&c, 0);
    for (size_t i = 0; i < ARRAY_LEN(wild); i++) {
        struct sample_place p = sample_clock_place(&c, wild[i], BLOCK);
        assert_int_equal(p.silence, 0);
        assert_int_equal(p.skip, 0);
    }
}

static void a_long_film_does_not_drift(void **state)
{
    struct sample_clock c;
    sample_clock_init(&c, 0);
    /* Blocks of 1024 at 44.1 kHz come out as 1114 or 1115; three hours of them. */
    int64_t in = 0, out = 0;
    for (int i = 0; i < 465000; i++) {
        int64_t end = (in + 1024) * SAMPLE_RATE / 44100;
        struct sample_place p = sample_clock_place(&c, in * NS_PER_S / 44100, end - out);
        assert_true(p.silence == 0 && p.skip == 0);
        in += 1024;
        out = end;
    }
    assert_int_equal(c.count, in * SAMPLE_RATE / 44100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_is_placed_without_holes_or_overlaps),
        cmocka_unit_test(wild_times_change_nothing),
        cmocka_unit_test(a_long_film_does_not_drift),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
