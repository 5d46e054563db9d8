#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "output/audio_clock.h"
#include "output/audio_driver.h"

#define BLOCK 512

static void frames_last_as_long_as_they_do(void **state)
{
    assert_int_equal(audio_frames_ns(0), 0);
    assert_int_equal(audio_frames_ns(3), 62500);
    assert_int_equal(audio_frames_ns(48000), NS_PER_S);
    assert_int_equal(audio_frames_ns(1), 20833);
    assert_int_equal(audio_frames_ns(-48000), -NS_PER_S);
    int64_t year = (int64_t)48000 * 86400 * 365;
    assert_int_equal(audio_frames_ns(year), (int64_t)86400 * 365 * NS_PER_S);
}

static void first_report_is_believed(void **state)
{
    struct audio_clock c = { 0 };
    assert_int_equal(audio_clock_block(&c, SECONDS(77), BLOCK), SECONDS(77));
}

static void jitter_of_wake_ups_is_smoothed(void **state)
{
    struct audio_clock c = { 0 };
    uint32_t random = 1;
    int64_t before = 0, worst_step = 0;
    for (int k = 0; k < 2000; k++) {
        random = random * 1664525u + 1013904223u;
        int64_t jitter = (int64_t)(random >> 8) % MS(6) - MS(3);
        int64_t truth = SECONDS(5) + audio_frames_ns((int64_t)k * BLOCK);
        int64_t heard = audio_clock_block(&c, truth + jitter, BLOCK);
        if (k > 100) {
            assert_true(heard - truth < MS(1) && truth - heard < MS(1));
            int64_t step = heard - before - audio_frames_ns(BLOCK);
            worst_step = max_i64(worst_step, step < 0 ? -step : step);
        }
        before = heard;
    }
    assert_true(worst_step < MS(3) / 20);
}

static void a_device_that_runs_fast_is_followed(void **state)
{
    struct audio_clock c = { 0 };
    int64_t block_ns = audio_frames_ns(BLOCK) - audio_frames_ns(BLOCK) / 2000; /* 500 ppm */
    int64_t truth = SECONDS(1), heard = 0;
    for (int k = 0; k < 10000; k++, truth += block_ns)
        heard = audio_clock_block(&c, truth, BLOCK);
    truth -= block_ns;
    assert_true(heard - truth < MS(1) / 4 && truth - heard < MS(1) / 4);
}

static void an_underrun_is_taken_at_once(void **state)
{
    struct audio_clock c = { 0 };
    audio_clock_block(&c, SECONDS(1), BLOCK);
    assert_int_equal(audio_clock_block(&c, SECONDS(2), BLOCK), SECONDS(2));
    assert_int_equal(audio_clock_block(&c, SECONDS(2) + audio_frames_ns(BLOCK), BLOCK),
                     SECONDS(2) + audio_frames_ns(BLOCK));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_last_as_long_as_they_do),
        cmocka_unit_test(first_report_is_believed),
        cmocka_unit_test(jitter_of_wake_ups_is_smoothed),
        cmocka_unit_test(a_device_that_runs_fast_is_followed),
        cmocka_unit_test(an_underrun_is_taken_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
