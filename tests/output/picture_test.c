#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "output/picture.h"

static const struct {
    const char *name;
    struct frame_desc f;
    int w, h;
    struct rect want;
} cases[] = {
    { "same shape",
      { .width = 1920, .height = 1080, .sar_num = 1, .sar_den = 1 },
      1280,
      720,
      { 0, 0, 1280, 720 } },
    { "same size",
      { .width = 640, .height = 480, .sar_num = 1, .sar_den = 1 },
      640,
      480,
      { 0, 0, 640, 480 } },
    { "4:3 on 16:9 has bars at the sides",
      { .width = 640, .height = 480, .sar_num = 1, .sar_den = 1 },
      1280,
      720,
      { 160, 0, 960, 720 } },
    { "wide film has bars above and below",
      { .width = 1920, .height = 800, .sar_num = 1, .sar_den = 1 },
      1920,
      1080,
      { 0, 140, 1920, 800 } },
    { "wide pixels",
      { .width = 720, .height = 576, .sar_num = 64, .sar_den = 45 },
      1920,
      1080,
      { 0, 0, 1920, 1080 } },
    { "narrow pixels",
      { .width = 1440, .height = 480, .sar_num = 1, .sar_den = 2 },
      720,
      480,
      { 0, 0, 720, 480 } },
    { "on its side",
      { .width = 1920, .height = 1080, .sar_num = 1, .sar_den = 1, .rotation = 90 },
      1280,
      720,
      { 437, 0, 405, 720 } },
    { "upside down keeps its shape",
      { .width = 640, .height = 480, .sar_num = 1, .sar_den = 1, .rotation = 180 },
      1280,
      720,
      { 160, 0, 960, 720 } },
    { "on its other side, wide pixels",
      { .width = 360, .height = 576, .sar_num = 2, .sar_den = 1, .rotation = 270 },
      576,
      720,
      { 0, 0, 576, 720 } },
    { "very wide keeps a row",
      { .width = 16384, .height = 1, .sar_num = 1, .sar_den = 1 },
      320,
      240,
      { 0, 119, 320, 1 } },
    { "largest ratios do not overflow",
      { .width = 16384, .height = 16384, .sar_num = UINT32_MAX, .sar_den = UINT32_MAX },
      16384,
      8192,
      { 4096, 0, 8192, 8192 } },
    { "no shape", { .width = 0, .height = 10, .sar_num = 1, .sar_den = 1 }, 320, 240, { 0 } },
    { "no aspect", { .width = 10, .height = 10, .sar_num = 0, .sar_den = 1 }, 320, 240, { 0 } },
};

static void picture_is_as_large_as_its_shape_allows(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rect got = picture_fit(&cases[i].f, cases[i].w, cases[i].h);
        if (got.x != cases[i].want.x || got.y != cases[i].want.y || got.w != cases[i].want.w ||
            got.h != cases[i].want.h)
            fail_msg("%s: %d,%d %dx%d", cases[i].name, got.x, got.y, got.w, got.h);
    }
}

static void picture_never_leaves_the_output(void **state)
{
    for (uint32_t w = 1; w < 200; w += 7) {
        for (uint32_t h = 1; h < 200; h += 5) {
            for (uint32_t turn = 0; turn < 360; turn += 90) {
                struct frame_desc f = {
                    .width = w, .height = h, .sar_num = 3, .sar_den = 2, .rotation = turn
                };
                struct rect r = picture_fit(&f, 133, 77);
                assert_true(r.w >= 1 && r.h >= 1 && r.x >= 0 && r.y >= 0);
                assert_true(r.x + r.w <= 133 && r.y + r.h <= 77);
                assert_true(r.w == 133 || r.h == 77);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(picture_is_as_large_as_its_shape_allows),
        cmocka_unit_test(picture_never_leaves_the_output),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
