/* Which picture is seen at which time, across pauses, joints and cuts; and what an output does about it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "stage/fake_deck.h"
#include "stage/picker.h"

static int setup(void **state)
{
    struct fake_house *h = calloc(1, sizeof(*h));
    fake_house_init(h);
    *state = h;
    return 0;
}

static int teardown(void **state)
{
    fake_house_finish(*state);
    free(*state);
    return 0;
}

/* Device frame 0 is heard at 1 s; mixed ahead by `ahead_ms`. */
static struct play_clock clock_of(const struct play_span *spans, uint32_t count, int64_t ahead_ms)
{
    struct play_clock c = { .mono_ns = SECONDS(1),
                            .until_frame = ahead_ms * 48,
                            .span_count = count };
    memcpy(c.span, spans, count * sizeof(*spans));
    return c;
}

static void test_the_newest_picture_due_is_seen(void **state)
{
    struct fake_house *h = *state;
    struct deck_state s = fake_deck_load(h, 0, 1, 0, 0, 10, DECK_READY);
    struct play_clock c = clock_of(&(struct play_span){ .load = 1, .is_moving = 1 }, 1, 10000);
    static const struct {
        int64_t at_ms;
        uint64_t due;
        int64_t after_ms;
    } cases[] = {
        { 0, 0, 40 },    { 39, 0, 40 },  { 40, 1, 80 },   { 41, 1, 80 },
        { 359, 8, 360 }, { 360, 9, -1 }, { 5000, 9, -1 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct pick p = pick_pictures(h->deck, &c, SECONDS(1) + MS(cases[i].at_ms));
        assert_int_equal(p.due.number, s.first_frame + cases[i].due);
        if (cases[i].after_ms < 0)
            assert_true(p.wish.after.load == 0 && p.is_hungry);
        else
            assert_int_equal(p.wish.after_ns, SECONDS(1) + MS(cases[i].after_ms));
    }
}

static void test_text_over_a_late_picture_is_of_its_time_and_over_one_that_stands_of_now(
    void **state)
{
    static const struct {
        bool is_hungry;
        int64_t heard_ms, text_ms;
    } cases[] = {
        { true, 1000, 1000 },  { true, 1039, 1039 },  { true, 1041, 1000 },
        { true, 2030, 1000 },  { true, 2041, 2041 },  { true, 60000, 60000 },
        { false, 1041, 1041 }, { false, 2030, 2030 }, { true, 900, 900 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct pick p = { .is_hungry = cases[i].is_hungry,
                          .due = { .load = 1, .pts_ns = SECONDS(1), .duration_ns = MS(40) } };
        assert_int_equal(pick_text_ns(&p, MS(cases[i].heard_ms)), MS(cases[i].text_ms));
    }
}

static void test_time_stands_still_where_the_mixing_ends(void **state)
{
    struct fake_house *h = *state;
    fake_deck_load(h, 0, 1, 0, 0, 10, DECK_READY);
    struct play_clock c = clock_of(&(struct play_span){ .load = 1, .is_moving = 1 }, 1, 100);
    assert_int_equal(pick_pictures(h->deck, &c, SECONDS(1) + MS(90)).due_ns, SECONDS(1) + MS(80));
    struct pick p = pick_pictures(h->deck, &c, SECONDS(9));
    assert_int_equal(p.due.number, 2);
    assert_int_equal(p.due_ns,
                     NO_TIME); /* the sound device is not there or hangs: no output is late */
}

static void test_a_pause_shows_its_picture_and_wants_no_other(void **state)
{
    struct fake_house *h = *state;
    fake_deck_load(h, 0, 1, 0, 0, 10, DECK_READY);
    struct play_clock c = clock_of(&(struct play_span){ .load = 1, .media0_ns = MS(90) }, 1, 1000);
    struct pick p = pick_pictures(h->deck, &c, SECONDS(3));
    assert_int_equal(p.due.number, 2);
    assert_int_equal(p.wish.after.load, 0);
    assert_false(p.is_hungry);
}

static const struct play_span joint[] = {
    { .load = 1, .deck = 0, .is_moving = 1, .media0_ns = 0 },
    { .load = 2, .deck = 1, .is_moving = 1, .frame0 = 9600 }, /* at 200 ms */
};

static void test_at_a_joint_the_first_picture_of_the_next_track_follows(void **state)
{
    struct fake_house *h = *state;
    fake_deck_load(h, 0, 1, 0, 0, 5, DECK_DONE);
    fake_deck_load(h, 1, 2, 0, 0, 5, DECK_READY);
    struct play_clock c = clock_of(joint, 2, 230);
    struct pick p = pick_pictures(h->deck, &c, SECONDS(1) + MS(170));
    assert_int_equal(p.due.load, 1);
    assert_int_equal(p.due.number, 4);
    assert_int_equal(p.after.load, 2);
    assert_int_equal(p.after_deck, 1);
    assert_int_equal(p.wish.after_ns, SECONDS(1) + MS(200));
    p = pick_pictures(h->deck, &c, SECONDS(1) + MS(200));
    assert_int_equal(p.due.load, 2);
    assert_int_equal(p.wish.after_ns, SECONDS(1) + MS(240));
}

static void test_a_picture_after_the_joint_gives_way_to_the_next_track(void **state)
{
    struct fake_house *h = *state;
    fake_deck_load(h, 0, 1, 0, 0, 10, DECK_DONE); /* longer than its sound: 400 ms */
    fake_deck_load(h, 1, 2, 0, 0, 5, DECK_READY);
    struct play_clock c = clock_of(joint, 2, 230);
    struct pick p = pick_pictures(h->deck, &c, SECONDS(1) + MS(165));
    assert_int_equal(p.after.load, 2);
    assert_int_equal(p.wish.after_ns, SECONDS(1) + MS(200));
}

static void test_a_cut_is_seen_at_once_though_its_sound_is_still_in_the_device(void **state)
{
    struct fake_house *h = *state;
    fake_deck_load(h, 0, 1, 0, 0, 10, DECK_READY);
    fake_deck_load(h, 1, 2, 0, 0, 10, DECK_READY);
    struct play_span spans[] = { joint[0], joint[1] };
    spans[1].cut_ns = SECONDS(1) + MS(165);
    struct play_clock c = clock_of(spans, 2, 230);
    struct pick p = pick_pictures(h->deck, &c, SECONDS(1) + MS(165));
    assert_int_equal(p.due.load, 2);
    assert_int_equal(p.due.pts_ns, 0);
    assert_in_range(p.due_ns, SECONDS(1) + MS(165), SECONDS(1) + MS(165) + 1);
}

/* Shows a load of 40 ms pictures from a cut on, whose sound is heard `lead_ms` later; checks each interval. */
static void walk_from_cut(struct fake_house *h, int64_t lead_ms, int64_t hold_ms, int caught_up_at)
{
    struct play_span cut = { .load = 1, .is_moving = 1 };
    cut.cut_ns = SECONDS(1) - MS(lead_ms);
    struct play_clock c = clock_of(&cut, 1, 100000);
    struct pick p = pick_pictures(h->deck, &c, cut.cut_ns);
    int64_t shown_ns = cut.cut_ns;
    for (int i = 1; i < 60; i++) {
        int64_t held_ns = p.wish.after_ns - shown_ns - (i == 1 ? MS(hold_ms) : 0);
        assert_in_range(held_ns, MS(40) - 10, MS(40) * 10 / 9 + 10);
        if (i > caught_up_at)
            assert_int_equal(p.wish.after_ns, SECONDS(1) + i * MS(40));
        shown_ns = p.wish.after_ns;
        uint64_t expected = p.after.number;
        p = pick_pictures(h->deck, &c, shown_ns);
        assert_int_equal(p.due.number, expected);
        assert_in_range(p.due_ns, shown_ns - 1, shown_ns + 1);
    }
}

static void test_after_a_cut_no_picture_stands_until_the_sound_has_caught_up(void **state)
{
    struct fake_house *h = *state;
    fake_deck_load(h, 0, 1, 0, 0, 64, DECK_READY);
    walk_from_cut(h, 0, 0, 0);
    walk_from_cut(h, 30, 0, 7);
    walk_from_cut(h, 64, 0, 15);
    walk_from_cut(h, 100, 0, 23);
    walk_from_cut(h, 250, 150, 23); /* never ahead of the sound by more than 100 ms */
}

static void test_a_load_whose_first_picture_comes_late_shows_it_early(void **state)
{
    struct fake_house *h = *state;
    fake_deck_load(h, 0, 1, MS(80), 0, 3, DECK_READY);
    struct play_clock c = clock_of(&(struct play_span){ .load = 1, .is_moving = 1 }, 1, 1000);
    assert_int_equal(pick_pictures(h->deck, &c, SECONDS(1)).due.pts_ns, MS(80));
}

static void test_pictures_of_another_load_are_passed_over(void **state)
{
    struct fake_house *h = *state;
    fake_deck_load(h, 0, 1, 0, 0, 3, DECK_READY);
    struct deck_state s = fake_deck_load(h, 0, 2, 0, 0, 3, DECK_READY);
    struct play_clock c = clock_of(&(struct play_span){ .load = 2, .is_moving = 1 }, 1, 1000);
    struct pick p = pick_pictures(h->deck, &c, SECONDS(1));
    assert_int_equal(p.due.load, 2);
    assert_int_equal(p.due.number, s.first_frame);
    c.span[0].load = 1; /* its deck has moved on: nothing to show */
    p = pick_pictures(h->deck, &c, SECONDS(1));
    assert_true(p.due.load == 0 && p.is_playing && p.is_hungry);
}

static void test_a_hostile_clock_names_no_picture(void **state)
{
    struct fake_house *h = *state;
    struct play_clock c = clock_of(joint, 2, 230);
    c.span_count = 4000000000u;
    assert_int_equal(pick_pictures(h->deck, &c, SECONDS(1)).due.load, 0);
    c.span_count = 1;
    c.span[0].deck = 77;
    assert_int_equal(pick_pictures(h->deck, &c, SECONDS(1)).due.load, 0);
}

/* ---- screen_decide ------------------------------------------------------------------------------ */

#define A                                                                                          \
    {                                                                                              \
        .load = 1, .number = 5, .overlay = 1                                                       \
    }
#define B                                                                                          \
    {                                                                                              \
        .load = 1, .number = 6, .overlay = 1                                                       \
    }
#define B_REDRESSED                                                                                \
    {                                                                                              \
        .load = 1, .number = 6, .overlay = 2                                                       \
    }

static const struct {
    const char *name;
    struct screen_view shown, drawn;
    struct screen_wish wish;
    bool is_exposed, has_vsync;
    int64_t now_ms;
    enum screen_step step;
    int64_t wake_ms; /* -1: never */
} decisions[] = {
    { "nothing shown yet", { 0 }, { 0 }, { A, B, MS(100) }, false, false, 50, SCREEN_SHOW, -1 },
    { "due, next one far away", A, A, { A, B, MS(100) }, false, false, 50, SCREEN_REST, 88 },
    { "time to prepare", A, A, { A, B, MS(100) }, false, false, 89, SCREEN_PREPARE, -1 },
    { "prepared, waits for its time", A, B, { A, B, MS(100) }, false, false, 90, SCREEN_REST, 100 },
    { "its time has come", A, B, { A, B, MS(100) }, false, false, 100, SCREEN_ADVANCE, -1 },
    { "its time has come, not prepared",
      A,
      A,
      { A, B, MS(100) },
      false,
      false,
      101,
      SCREEN_ADVANCE,
      -1 },
    { "nothing follows",
      A,
      A,
      { .due = A, .after_ns = INT64_MAX },
      false,
      false,
      50,
      SCREEN_REST,
      -1 },
    { "another overlay while nothing follows",
      B,
      B,
      { .due = B_REDRESSED, .after_ns = INT64_MAX },
      false,
      false,
      50,
      SCREEN_SHOW,
      -1 },
    { "window lost its content", A, A, { A, B, MS(100) }, true, false, 50, SCREEN_SHOW, -1 },
    { "a cut while the next one was prepared",
      A,
      B,
      { { .load = 2 }, { .load = 2, .number = 1 }, MS(100) },
      false,
      false,
      50,
      SCREEN_SHOW,
      -1 },
    { "vsync: handed over half an interval ahead",
      A,
      B,
      { A, B, MS(100) },
      false,
      true,
      92,
      SCREEN_ADVANCE,
      -1 },
    { "vsync: not earlier", A, B, { A, B, MS(100) }, false, true, 90, SCREEN_REST, 91 },
};

static void test_screen_decisions(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(decisions); i++) {
        struct screen s = {
            .shown = decisions[i].shown,
            .drawn = decisions[i].drawn,
            .is_exposed = decisions[i].is_exposed,
            .draw_ns = MS(10),
            .info = { .has_vsync = decisions[i].has_vsync, .refresh_mhz = 60000 },
        };
        int64_t wake_ns;
        enum screen_step step =
            screen_decide(&s, &decisions[i].wish, MS(decisions[i].now_ms), &wake_ns);
        int64_t wake_ms = wake_ns == INT64_MAX ? -1 : wake_ns / NS_PER_MS;
        if (step != decisions[i].step || wake_ms != decisions[i].wake_ms)
            fail_msg("%s: step %d, wake %lld ms", decisions[i].name, (int)step, (long long)wake_ms);
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_the_newest_picture_due_is_seen),
        cmocka_unit_test(
            test_text_over_a_late_picture_is_of_its_time_and_over_one_that_stands_of_now),
        T(test_time_stands_still_where_the_mixing_ends),
        T(test_a_pause_shows_its_picture_and_wants_no_other),
        T(test_at_a_joint_the_first_picture_of_the_next_track_follows),
        T(test_a_picture_after_the_joint_gives_way_to_the_next_track),
        T(test_a_cut_is_seen_at_once_though_its_sound_is_still_in_the_device),
        T(test_after_a_cut_no_picture_stands_until_the_sound_has_caught_up),
        T(test_a_load_whose_first_picture_comes_late_shows_it_early),
        T(test_pictures_of_another_load_are_passed_over),
        T(test_a_hostile_clock_names_no_picture),
        cmocka_unit_test(test_screen_decisions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
