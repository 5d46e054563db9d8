#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "output/shape.h"

#define SIDE 64

static uint32_t pixels[SIDE * SIDE];

static struct bitmap blank(int x, int y)
{
    memset(pixels, 0, sizeof(pixels));
    return (struct bitmap){ x, y, SIDE, SIDE, .stride = SIDE * 4, .pixels = (uint8_t *)pixels };
}

/* Area in pixels, of what is painted opaque white. */
static double painted(void)
{
    double sum = 0;
    for (size_t i = 0; i < ARRAY_LEN(pixels); i++)
        sum += (pixels[i] >> 24) / 255.0;
    return sum;
}

static double mask_area(const uint8_t *mask, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += mask[i] / 255.0;
    return sum;
}

static void check_near(double got, double want, double tolerance)
{
    if (got < want - tolerance || got > want + tolerance)
        fail_msg("%.3f, not %.3f", got, want);
}

static void colours_are_premultiplied_in_memory_order(void **state)
{
    struct bitmap b = blank(10, 20);
    shape_rect(&b, (struct rect){ 10, 20, 1, 1 }, 0, 0xff8000ff);
    shape_rect(&b, (struct rect){ 11, 20, 1, 1 }, 0, 0xff800080);
    static const uint8_t want[] = { 0, 128, 255, 255, 0, 64, 128, 128 };
    assert_memory_equal(b.pixels, want, sizeof(want));
}

static void paint_over_paint_is_mixed(void **state)
{
    struct bitmap b = blank(0, 0);
    shape_rect(&b, (struct rect){ 0, 0, 1, 1 }, 0, 0xffffffff);
    shape_rect(&b, (struct rect){ 0, 0, 1, 1 }, 0, 0x00000080);
    assert_int_equal(pixels[0], 0xff7f7f7f);
    shape_rect(&b, (struct rect){ 0, 0, 1, 1 }, 0, 0x00000000);
    assert_int_equal(pixels[0], 0xff7f7f7f);
}

static void what_lies_outside_the_bitmap_is_cut(void **state)
{
    static const struct {
        struct rect r;
        double area;
    } cases[] = {
        { { 90, 90, 20, 20 }, 100 },
        { { 100, 100, SIDE, SIDE }, SIDE * SIDE },
        { { 0, 0, 1000, 1000 }, SIDE * SIDE },
        { { 160, 160, 10, 10 }, 16 },
        { { 0, 0, 50, 50 }, 0 },
        { { 500, 500, 9, 9 }, 0 },
        { { 120, 120, 0, 5 }, 0 },
        { { 120, 120, -5, 5 }, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bitmap b = blank(100, 100);
        shape_rect(&b, cases[i].r, 0, 0xffffffff);
        check_near(painted(), cases[i].area, 0.01);
    }
}

static void rounded_corners_take_the_right_area(void **state)
{
    for (int radius = 1; radius <= 20; radius++) {
        struct bitmap b = blank(0, 0);
        shape_rect(&b, (struct rect){ 2, 3, 50, 40 }, radius, 0xffffffff);
        check_near(painted(), 50 * 40 - (4 - 3.14159) * radius * radius, 1.5);
        for (int i = 0; i < 50; i++) /* left is right, top is bottom */
            assert_int_equal(pixels[3 * SIDE + 2 + i], pixels[42 * SIDE + 51 - i]);
    }
    struct bitmap b = blank(0, 0);
    shape_rect(&b, (struct rect){ 0, 0, 40, 40 }, 1000, 0xffffffff);
    check_near(painted(), 3.14159 * 20 * 20, 3);
}

static void polygons_cover_their_area_to_the_fraction(void **state)
{
    static const struct {
        struct point p[4];
        size_t count;
        double area;
    } cases[] = {
        { { { 1, 1 }, { 5, 1 }, { 5, 4 }, { 1, 4 } }, 4, 12 },
        { { { 1, 4 }, { 5, 4 }, { 5, 1 }, { 1, 1 } }, 4, 12 }, /* the other way round */
        { { { 1.25f, 1.5f }, { 1.75f, 1.5f }, { 1.75f, 1.75f }, { 1.25f, 1.75f } }, 4, 0.125 },
        { { { 0, 0 }, { 40, 0 }, { 0, 30 } }, 3, 600 },
        { { { 10.3f, 2.2f }, { 50.9f, 30.1f }, { 3.4f, 41.7f } }, 3, 898.115 },
        { { { 0, 0 }, { 50, 0 }, { 50, 0.5f }, { 0, 0.5f } }, 4, 25 },
        { { { -20, -20 }, { 200, -20 }, { 200, 200 }, { -20, 200 } }, 4, SIDE * SIDE },
        { { { 5, 5 }, { 50, 50 }, { 5, 5 } }, 3, 0 },
        { { { 5, 5 } }, 1, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t mask[SIDE * SIDE] = { 0 };
        shape_polygon_add(mask, SIDE, SIDE, cases[i].p, cases[i].count);
        check_near(mask_area(mask, sizeof(mask)), cases[i].area, 0.005 * cases[i].area + 0.02);
    }
}

static void a_cut_takes_out_what_was_added(void **state)
{
    static const struct point p[] = { { 10.5f, 5 }, { 40, 20.25f }, { 12, 50 } };
    uint8_t mask[SIDE * SIDE] = { 0 };
    shape_polygon_add(mask, SIDE, SIDE, p, 3);
    double before = mask_area(mask, sizeof(mask));
    shape_polygon_add(mask, SIDE, SIDE, p, 3); /* twice the same covers no more, but at its edges */
    assert_true(mask_area(mask, sizeof(mask)) < before * 1.05);
    shape_polygon_cut(mask, SIDE, SIDE, p, 3);
    assert_true(mask_area(mask, sizeof(mask)) < before * 0.05);
}

static void icons_are_inked_and_differ_at_every_size(void **state)
{
    for (int size = 4; size <= SIDE; size++) {
        uint32_t seen[5][SIDE * SIDE];
        for (int icon = ICON_PAUSE; icon <= ICON_NOTE; icon++) {
            struct bitmap b = blank(0, 0);
            shape_icon(&b, (enum draw_icon)icon, (struct rect){ 0, 0, size, size }, 0xffffffff);
            double share = painted() / size / size;
            assert_true(share > 0.1 && share < 0.7);
            for (int y = 0; y < SIDE; y++) {
                for (int x = 0; x < SIDE; x++)
                    assert_true((x < size && y < size) || pixels[y * SIDE + x] == 0);
            }
            memcpy(seen[icon], pixels, sizeof(pixels));
            for (int other = 0; other < icon; other++)
                assert_memory_not_equal(seen[icon], seen[other], sizeof(pixels));
        }
    }
}

static void absurd_icons_do_no_harm(void **state)
{
    struct bitmap b = blank(0, 0);
    shape_icon(&b, ICON_PAUSE, (struct rect){ 0, 0, 0, 10 }, 0xffffffff);
    shape_icon(&b, ICON_PAUSE, (struct rect){ 0, 0, 100000, 100000 }, 0xffffffff);
    shape_icon(&b, (enum draw_icon)77, (struct rect){ 0, 0, 10, 10 }, 0xffffffff);
    check_near(painted(), 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(colours_are_premultiplied_in_memory_order),
        cmocka_unit_test(paint_over_paint_is_mixed),
        cmocka_unit_test(what_lies_outside_the_bitmap_is_cut),
        cmocka_unit_test(rounded_corners_take_the_right_area),
        cmocka_unit_test(polygons_cover_their_area_to_the_fraction),
        cmocka_unit_test(a_cut_takes_out_what_was_added),
        cmocka_unit_test(icons_are_inked_and_differ_at_every_size),
        cmocka_unit_test(absurd_icons_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
