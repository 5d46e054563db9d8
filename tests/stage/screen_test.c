/* What a screen counts, on an output that shows everything at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/now.h"
#include "stage/screen.h"

void video_output_info(const struct video_output *o, struct output_info *out)
{
    *out = (struct output_info){ .name = "TV", .width = 64, .height = 36 };
}

int video_output_draw(struct video_output *o, const struct picture *p,
                      const struct bitmap *const *overlay, int overlay_count)
{
    return 0;
}

int video_output_present(struct video_output *o)
{
    return 0;
}

static void present(struct screen *s, uint64_t number, int64_t due_ns)
{
    const struct frame_desc frame = { .number = number, .load = 1, .duration_ns = MS(40) };
    screen_draw(s, &(struct screen_view){ .load = 1, .number = number }, NULL, NULL, NULL);
    screen_present(s, &frame, due_ns);
}

static void what_was_due_before_the_screen_was_there_is_not_late(void **state)
{
    struct screen s;
    screen_init(&s, NULL, 0, 0);
    present(&s, 7, s.born_ns - SECONDS(3 * 3600)); /* as the jukebox was left in the night */
    assert_int_equal(s.counts.late, 0);
    assert_int_equal(s.counts.repeated, 0);
    s.born_ns -= SECONDS(9);
    present(&s, 8, now_mono_ns() - MS(400));
    assert_int_equal(s.counts.late, 1);
    assert_in_range(s.counts.repeated, 10, 100000);
    assert_int_equal(s.counts.dropped, 0);
    assert_int_equal(s.counts.presented, 2);
}

static void a_new_life_counts_on_for_the_same_output_only(void **state)
{
    struct output_row old = { .stage = 2, .presented = 10, .late = 3, .dropped = 2, .repeated = 5 };
    struct screen s;
    snprintf(old.name, sizeof(old.name), "TV");
    screen_init(&s, NULL, 0, 2);
    screen_resume(&s, &old);
    present(&s, 1, NO_TIME);
    assert_int_equal(s.counts.presented, 11);
    assert_int_equal(s.counts.late, 3);
    assert_int_equal(s.counts.dropped, 2);
    assert_int_equal(s.counts.repeated, 5);
    screen_init(&s, NULL, 0, 1); /* of another stage */
    screen_resume(&s, &old);
    assert_int_equal(s.counts.presented, 0);
    snprintf(old.name, sizeof(old.name), "hall");
    screen_init(&s, NULL, 0, 2);
    screen_resume(&s, &old);
    assert_int_equal(s.counts.presented, 0);
}

/* Two displays; the first one is away for a while. */
static void an_output_that_was_away_counts_on(void **state)
{
    struct output_row old = { .stage = 2,
                              .width = 64,
                              .height = 36,
                              .refresh_mhz = 60000,
                              .scene = 9,
                              .presented = 10,
                              .late = 3,
                              .dropped = 2,
                              .repeated = 5 };
    struct screen s;
    snprintf(old.name, sizeof(old.name), "TV");
    struct output_row left = screen_leave(&old);
    assert_false(output_is_here(&left));
    assert_int_equal(left.scene, 0); /* nobody sees one */
    screen_init(&s, NULL, 0, 2);
    screen_resume(&s, &left);
    assert_true(output_is_here(&s.counts));
    assert_int_equal(s.counts.presented, 10);
    assert_int_equal(s.counts.late, 3);
    assert_int_equal(s.counts.dropped, 2);
    assert_int_equal(s.counts.repeated, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_due_before_the_screen_was_there_is_not_late),
        cmocka_unit_test(an_output_that_was_away_counts_on),
        cmocka_unit_test(a_new_life_counts_on_for_the_same_output_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
