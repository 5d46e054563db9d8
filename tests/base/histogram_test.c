#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "base/histogram.h"

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void empty_one_says_nothing(void **state)
{
    struct histogram h = { 0 };
    assert_int_equal(histogram_percentile_ns(&h, 50), 0);
    assert_int_equal(histogram_percentile_ns(&h, 100), 0);
}

static void single_time_is_exact_at_its_end(void **state)
{
    static const int64_t times[] = { 0,        1,          1023,        1024,
                                     16383,    16384,      16385,       MS(1),
                                     MS(20),   SECONDS(1), SECONDS(60), SECONDS(4000),
                                     INT64_MAX };
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        struct histogram h = { 0 };
        histogram_add(&h, times[i]);
        assert_int_equal(histogram_percentile_ns(&h, 0), times[i]);
        assert_int_equal(histogram_percentile_ns(&h, 50), times[i]);
        assert_int_equal(histogram_percentile_ns(&h, 100), times[i]);
    }
}

static void longest_times_share_the_last_bucket(void **state)
{
    struct histogram h = { 0 };
    histogram_add(&h, INT64_MAX);
    histogram_add(&h, SECONDS(5000));
    assert_int_equal(h.bucket[HISTOGRAM_BUCKETS - 1], 2);
}

static void negative_time_counts_as_none(void **state)
{
    struct histogram h = { 0 };
    histogram_add(&h, -5);
    assert_int_equal(h.count, 1);
    assert_int_equal(histogram_percentile_ns(&h, 50), 0);
}

/* Against the sorted times themselves, for times of every size. */
static void percentiles_are_never_too_short_and_a_sixteenth_too_long(void **state)
{
    static const double percents[] = { 0.1, 1, 25, 50, 90, 95, 99, 99.9, 100 };
    static int64_t times[4999]; /* so that ranks are no whole numbers */
    uint64_t random = 7;
    for (int shift = 0; shift <= 42; shift += 3) {
        struct histogram h = { 0 };
        for (size_t i = 0; i < ARRAY_LEN(times); i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            times[i] = (int64_t)((random >> 22) & (((uint64_t)1 << shift) - 1));
            histogram_add(&h, times[i]);
        }
        qsort(times, ARRAY_LEN(times), sizeof(times[0]), by_value);
        for (size_t i = 0; i < ARRAY_LEN(percents); i++) {
            size_t rank = (size_t)((double)ARRAY_LEN(times) * percents[i] / 100 + 0.999999);
            int64_t truth = times[rank - 1], said = histogram_percentile_ns(&h, percents[i]);
            assert_true(said >= truth);
            assert_true(said <= truth + truth / 16 + 1024);
        }
    }
}

static void full_bucket_stays_full(void **state)
{
    struct histogram h = { 0 };
    histogram_add(&h, 500);
    h.bucket[0] = UINT32_MAX;
    h.count = UINT32_MAX;
    histogram_add(&h, 500);
    assert_int_equal(h.bucket[0], UINT32_MAX);
    assert_int_equal(h.count, UINT32_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_one_says_nothing),
        cmocka_unit_test(single_time_is_exact_at_its_end),
        cmocka_unit_test(longest_times_share_the_last_bucket),
        cmocka_unit_test(negative_time_counts_as_none),
        cmocka_unit_test(percentiles_are_never_too_short_and_a_sixteenth_too_long),
        cmocka_unit_test(full_bucket_stays_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
