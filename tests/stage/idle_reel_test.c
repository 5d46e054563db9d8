/* The picture of a house in which nothing plays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "stage/idle_reel.h"

static int brightest_change(const struct idle_reel *a, const struct idle_reel *b)
{
    int most = 0;
    for (int y = 0; y < IDLE_HEIGHT; y++)
        for (int x = 0; x < IDLE_WIDTH; x++) {
            int d = abs(a->luma[y][x] - b->luma[y][x]);
            most = d > most ? d : most;
        }
    return most;
}

static void it_is_nowhere_black_at_any_time(void **state)
{
    struct idle_reel *r = calloc(1, sizeof(*r));
    for (uint64_t n = 1; n < 40000; n += 397) {
        struct picture p = idle_reel_picture(r, n);
        assert_true(picture_is_drawable(&p));
        int lowest = 255, highest = 0;
        for (int y = 0; y < IDLE_HEIGHT; y++)
            for (int x = 0; x < IDLE_WIDTH; x++) {
                lowest = r->luma[y][x] < lowest ? r->luma[y][x] : lowest;
                highest = r->luma[y][x] > highest ? r->luma[y][x] : highest;
            }
        assert_in_range(lowest, 40, 235); /* black is 16 */
        assert_in_range(highest, lowest + 20, 235);
    }
    free(r);
}

static void it_moves_all_the_time_and_never_fast(void **state)
{
    struct idle_reel *a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b));
    for (uint64_t n = 1; n < 40000; n += 397) {
        idle_reel_picture(a, n);
        idle_reel_picture(b, n + 1);
        assert_in_range(brightest_change(a, b), 0, 3);
        idle_reel_picture(b, n + 25); /* two seconds on */
        assert_in_range(brightest_change(a, b), 2, 60);
    }
    free(a);
    free(b);
}

static void a_picture_is_due_until_the_next_one_is(void **state)
{
    int64_t now_ns = SECONDS(100) + 12345, next_ns = idle_reel_next_ns(now_ns);
    assert_true(next_ns > now_ns && next_ns - now_ns <= MS(100));
    assert_int_equal(idle_reel_number(next_ns - 1), idle_reel_number(now_ns));
    assert_int_equal(idle_reel_number(next_ns), idle_reel_number(now_ns) + 1);
    assert_true(idle_reel_number(0) > 0);
}

/* A box that ran for years: the hours are many, the steps as small. */
static void after_years_it_is_as_smooth(void **state)
{
    struct idle_reel *a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b));
    uint64_t n = idle_reel_number(SECONDS(10 * 365 * (int64_t)86400));
    idle_reel_picture(a, n);
    idle_reel_picture(b, n + 1);
    assert_in_range(brightest_change(a, b), 0, 3);
    assert_memory_not_equal(a->luma, b->luma, sizeof(a->luma));
    free(a);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_nowhere_black_at_any_time),
        cmocka_unit_test(it_moves_all_the_time_and_never_fast),
        cmocka_unit_test(a_picture_is_due_until_the_next_one_is),
        cmocka_unit_test(after_years_it_is_as_smooth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
