/* Boxes around what is painted: few, apart, and holding all of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "media/text_boxes.h"

enum { GAP = 10 };

static struct text_box box(uint32_t x, uint32_t y, uint32_t w, uint32_t h)
{
    return (struct text_box){ x, y, w, h, 0 };
}

static void glyphs_of_a_line_share_a_box_and_lines_far_apart_do_not(void **state)
{
    struct text_box b[TEXT_BOXES];
    uint32_t n = 0;
    for (uint32_t i = 0; i < 40; i++)
        n = text_boxes_add(b, n, box(100 + i * 20, 600, 15, 30), GAP);
    for (uint32_t i = 0; i < 40; i++)
        n = text_boxes_add(b, n, box(100 + i * 20, 20, 15, 30), GAP);
    assert_int_equal(n, 2);
    assert_int_equal(b[0].w, 39 * 20 + 15);
    assert_int_equal(b[0].h, 30);
    assert_true(text_boxes_place(b, n));
    assert_int_equal(b[0].offset, 0);
    assert_int_equal(b[1].offset, b[0].w * b[0].h * 4);
}

static void a_box_between_two_makes_one_of_them(void **state)
{
    struct text_box b[TEXT_BOXES];
    uint32_t n = text_boxes_add(b, 0, box(0, 0, 20, 20), GAP);
    n = text_boxes_add(b, n, box(60, 0, 20, 20), GAP);
    assert_int_equal(n, 2);
    n = text_boxes_add(b, n, box(25, 0, 30, 20), GAP);
    assert_int_equal(n, 1);
    assert_int_equal(b[0].w, 80);
}

static void random_boxes_are_all_inside_and_never_more_than_there_is_room_for(void **state)
{
    uint64_t seed = 42;
    for (int round = 0; round < 2000; round++) {
        struct text_box b[TEXT_BOXES], added[50];
        uint32_t n = 0;
        for (uint32_t i = 0; i < 50; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            uint32_t r = (uint32_t)(seed >> 32);
            added[i] = box(r % 1900, (r >> 11) % 1000, 1 + (r >> 5) % 90, 1 + (r >> 17) % 70);
            n = text_boxes_add(b, n, added[i], GAP);
            assert_in_range(n, 1, TEXT_BOXES);
        }
        for (uint32_t i = 0; i < 50; i++) {
            bool is_inside = false;
            for (uint32_t k = 0; k < n; k++)
                is_inside |= added[i].x >= b[k].x && added[i].y >= b[k].y &&
                             added[i].x + added[i].w <= b[k].x + b[k].w &&
                             added[i].y + added[i].h <= b[k].y + b[k].h;
            assert_true(is_inside);
        }
    }
}

static void what_covers_too_much_does_not_fit(void **state)
{
    struct text_box b[TEXT_BOXES];
    uint32_t n = text_boxes_add(b, 0, box(0, 0, 1920, 409), GAP);
    assert_true(text_boxes_place(b, n));
    n = text_boxes_add(b, n, box(0, 500, 1920, 1), GAP);
    assert_int_equal(n, 2);
    assert_false(text_boxes_place(b, n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(glyphs_of_a_line_share_a_box_and_lines_far_apart_do_not),
        cmocka_unit_test(a_box_between_two_makes_one_of_them),
        cmocka_unit_test(random_boxes_are_all_inside_and_never_more_than_there_is_room_for),
        cmocka_unit_test(what_covers_too_much_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
