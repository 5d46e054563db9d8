#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "output/kms_mode.h"

#define PREFERRED  .is_preferred = true
#define INTERLACED .is_interlaced = true

static const struct kms_mode tv_4k[] = {
    { 3840, 2160, 30000, PREFERRED },
    { 3840, 2160, 60000 },
    { 1920, 1080, 60000, INTERLACED },
    { 1920, 1080, 50000 },
    { 1920, 1080, 59940 },
    { 1920, 1080, 60000 },
    { 1920, 1080, 120000 },
    { 1280, 720, 60000 },
};
static const struct kms_mode projector[] = {
    { 1920, 1080, 60000 },
    { 1280, 800, 59910, PREFERRED },
    { 1024, 768, 60000 },
};
static const struct kms_mode odd_4k[] = { { 3840, 2160, 60000, PREFERRED },
                                          { 1280, 720, 60000 },
                                          { 1600, 900, 50000 },
                                          { 1600, 900, 60000 } };
static const struct kms_mode only_4k[] = { { 4096, 2160, 60000, PREFERRED },
                                           { 3840, 2160, 60000 } };
static const struct kms_mode old_tv[] = { { 1920, 1080, 60000, INTERLACED, PREFERRED },
                                          { 1280, 720, 50000 },
                                          { 720, 576, 50000 } };
static const struct kms_mode silent[] = { { 1440, 900, 60000 }, { 1920, 1080, 60000 } };

#define OF(display) display, (int)ARRAY_LEN(display)

static const struct {
    const char *what;
    const struct kms_mode *modes;
    int count;
    struct kms_wish wish;
    int want;
} cases[] = {
    { "a 4K set shows 1080p60", OF(tv_4k), { 0 }, 5 },
    { "what a smaller display prefers stays", OF(projector), { 0 }, 1 },
    { "4K without 1080p: the largest below, near 60 Hz", OF(odd_4k), { 0 }, 3 },
    { "nothing below 4K: the smallest", OF(only_4k), { 0 }, 1 },
    { "an interlaced preference is none", OF(old_tv), { 0 }, 1 },
    { "no preference: the kernel's first", OF(silent), { 0 }, 0 },
    { "a pinned size at 60 Hz", OF(tv_4k), { 3840, 2160, 0 }, 1 },
    { "a pinned size and rate", OF(tv_4k), { 1920, 1080, 50000 }, 3 },
    { "59.94 is not 60", OF(tv_4k), { 1920, 1080, 59940 }, 4 },
    { "the nearest rate where it is not there", OF(tv_4k), { 3840, 2160, 24000 }, 0 },
    { "interlaced where nothing else is pinned", OF(old_tv), { 1920, 1080, 0 }, 0 },
    { "a size that is not there", OF(projector), { 3840, 2160, 0 }, -1 },
};

static void modes_are_chosen_as_they_should(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int got = kms_mode_choose(cases[i].modes, cases[i].count, &cases[i].wish);
        if (got != cases[i].want)
            print_error("%s: mode %d, not %d\n", cases[i].what, got, cases[i].want);
        assert_int_equal(got, cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(modes_are_chosen_as_they_should) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
