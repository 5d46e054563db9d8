/* The device clock takes out a driver's jitter, follows drift, and starts anew after a jump. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "shm/control.h"
#include "stage/device_clock.h"

enum { BLOCK = 480 };

/* Feeds `blocks` observations of a device running `ppm` fast with jitter; returns the largest error of the
 * clock against the true time over the last quarter. */
static int64_t worst_error_ns(int blocks, int ppm, int64_t jitter_ns, unsigned seed)
{
    struct device_clock c = { 0 };
    int64_t worst = 0;
    for (int i = 0; i < blocks; i++) {
        int64_t truth = SECONDS(5) + (int64_t)i * MS(10) * (1000000 - ppm) / 1000000;
        seed = seed * 1664525u + 1013904223u;
        int64_t noise = (int64_t)(seed >> 8) % (2 * jitter_ns + 1) - jitter_ns;
        device_clock_observe(&c, (int64_t)i * BLOCK, truth + noise);
        if (i >= blocks * 3 / 4)
            worst = max_i64(worst, llabs(c.mono_ns - truth));
    }
    return worst;
}

static void test_jitter_of_5_ms_moves_the_clock_by_less_than_a_third_of_it(void **state)
{
    for (unsigned seed = 1; seed < 20; seed++)
        assert_true(worst_error_ns(2000, 0, MS(5), seed) < MS(5) / 3);
}

static void test_drift_of_500_ppm_is_followed_within_half_a_millisecond(void **state)
{
    assert_true(worst_error_ns(4000, 500, 1, 1) < MS(1) / 2);
    assert_true(worst_error_ns(4000, -500, 1, 1) < MS(1) / 2);
}

static void test_a_jump_is_taken_at_once(void **state)
{
    struct device_clock c = { 0 };
    device_clock_observe(&c, 0, SECONDS(1));
    device_clock_observe(&c, BLOCK, SECONDS(3));
    assert_int_equal(c.mono_ns, SECONDS(3));
    assert_int_equal(c.frame, BLOCK);
}

/* The sound waited that long, and the picture with it. */
static void test_a_device_that_ran_dry_for_40_ms_is_followed_at_once(void **state)
{
    struct device_clock c = { 0 };
    device_clock_observe(&c, 0, SECONDS(1));
    device_clock_observe(&c, BLOCK, SECONDS(1) + MS(10) + MS(40));
    assert_int_equal(c.mono_ns, SECONDS(1) + MS(50));
}

static void test_a_small_error_is_slewed_not_jumped(void **state)
{
    struct device_clock c = { 0 };
    device_clock_observe(&c, 0, SECONDS(1));
    device_clock_observe(&c, BLOCK, SECONDS(1) + MS(10) + MS(16));
    assert_int_equal(c.mono_ns, SECONDS(1) + MS(10) + MS(16) / 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jitter_of_5_ms_moves_the_clock_by_less_than_a_third_of_it),
        cmocka_unit_test(test_drift_of_500_ppm_is_followed_within_half_a_millisecond),
        cmocka_unit_test(test_a_jump_is_taken_at_once),
        cmocka_unit_test(test_a_device_that_ran_dry_for_40_ms_is_followed_at_once),
        cmocka_unit_test(test_a_small_error_is_slewed_not_jumped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
