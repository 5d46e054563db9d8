#include "media/support.h"

#include "media/pts_repair.h"

enum { STEPS = 6 };

/* Times in ms; pictures of 40 ms. */
#define NONE INT64_MIN
static const struct {
    const char *name;
    int64_t start;
    int count;
    int64_t in[STEPS], out[STEPS];
} cases[] = {
    { "an even film stays", 0, 4, { 0, 40, 80, 120 }, { 0, 40, 80, 120 } },
    { "so does an uneven one", 0, 4, { 0, 40, 400, 440 }, { 0, 40, 400, 440 } },
    { "a pause below the leap stays", 0, 3, { 0, 9000, 9040 }, { 0, 9000, 9040 } },
    { "no times at all: one after the other", 0, 3, { NONE, NONE, NONE }, { 0, 40, 80 } },
    { "a missing one is filled in", 0, 4, { 0, NONE, 80, 120 }, { 0, 40, 80, 120 } },
    { "a doubled one moves a little, the next is right",
      0,
      4,
      { 0, 40, 40, 80 },
      { 0, 40, 50, 80 } },
    { "backwards moves a little", 0, 4, { 0, 80, 40, 120 }, { 0, 80, 90, 120 } },
    { "a leap forward goes on from where it was",
      0,
      4,
      { 0, 40, 20000, 20040 },
      { 0, 40, 80, 120 } },
    { "a leap back goes on from where it was",
      0,
      4,
      { 30000, 30040, 100, 140 },
      { 0, 40, 80, 120 } },
    { "two leaps", 0, 5, { 0, 50000, 50040, 100, 140 }, { 0, 40, 80, 120, 160 } },
    { "a file that does not begin at 0 is moved there", 0, 2, { 3600000, 3600040 }, { 0, 40 } },
    { "the key frame before a late start stays",
      60000,
      3,
      { 45000, 45040, 45080 },
      { 45000, 45040, 45080 } },
    { "a start that landed far behind is moved", 60000, 2, { 95000, 95040 }, { 60000, 60040 } },
    { "a little before 0 stays", 0, 2, { -80, -40 }, { -80, -40 } },
};

static void picture_times_are_repaired(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct pts_repair r;
        pts_repair_init(&r, MS(cases[i].start));
        for (int s = 0; s < cases[i].count; s++) {
            int64_t in = cases[i].in[s] == NONE ? NO_TIME : MS(cases[i].in[s]);
            int64_t out = pts_repair_next(&r, in, MS(40));
            if (out != MS(cases[i].out[s]))
                fail_msg("%s: picture %d is at %lld ms", cases[i].name, s,
                         (long long)(out / MS(1)));
        }
    }
}

static void what_was_left_out_on_purpose_is_no_leap(void **state)
{
    struct pts_repair r;
    pts_repair_init(&r, 0);
    assert_int_equal(pts_repair_next(&r, 0, MS(40)), 0);
    pts_repair_pass(&r, SECONDS(25));
    assert_int_equal(pts_repair_next(&r, SECONDS(25), MS(40)), SECONDS(25));
    pts_repair_pass(&r, SECONDS(3)); /* nothing to go back for */
    assert_int_equal(pts_repair_next(&r, NO_TIME, MS(40)), SECONDS(25) + MS(40));
}

static void times_that_are_no_times_do_not_overflow(void **state)
{
    static const int64_t wild[] = {
        INT64_MAX,         INT64_MIN, INT64_MAX / 2,        -(INT64_MAX / 2), 0,
        INT64_MAX / 4 - 1, 7,         -(INT64_MAX / 4) + 1, INT64_MAX
    };
    struct pts_repair r;
    pts_repair_init(&r, 0);
    int64_t last = INT64_MIN;
    for (size_t i = 0; i < ARRAY_LEN(wild); i++) {
        int64_t at = pts_repair_next(&r, wild[i], MS(40));
        assert_true(at > last);
        assert_true(at < SECONDS(100));
        last = at;
    }
}

static void durations_are_always_sane(void **state)
{
    static const struct {
        int64_t packet_ns, num, den, want_ns;
    } table[] = {
        { MS(20), 25, 1, MS(20) }, /* the packet knows best */
        { 0, 50, 1, MS(20) },      /* else the rate */
        { 0, 30000, 1001, 33366666 },
        { NO_TIME, 25, 1, MS(40) },
        { 0, 0, 0, MS(40) }, /* 0 pictures a second */
        { 0, 0, 1, MS(40) },
        { 0, 25, 0, MS(40) },
        { 0, -25, 1, MS(40) },
        { 0, 1, 3600, MS(40) },    /* one an hour */
        { 0, 1000000, 1, MS(40) }, /* a million a second */
        { SECONDS(3600), 25, 1, MS(40) },
        { -5, 50, 1, MS(20) },
        { INT64_MAX, INT64_MAX, INT64_MAX, MS(40) },
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        assert_int_equal(picture_duration(table[i].packet_ns, table[i].num, table[i].den),
                         table[i].want_ns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(picture_times_are_repaired),
        cmocka_unit_test(what_was_left_out_on_purpose_is_no_leap),
        cmocka_unit_test(times_that_are_no_times_do_not_overflow),
        cmocka_unit_test(durations_are_always_sane),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
