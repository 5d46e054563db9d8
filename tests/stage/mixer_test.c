/* The mixer's rules: what is heard, to the sample, and what the play clock says of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <cmocka.h>

#include "stage/mixer.h"
#include "stage/fake_deck.h"

enum { BLOCK = 480 };

struct desk {
    struct fake_house house;
    struct mixer *mixer;
    int64_t blocks;
    float out[BLOCK * 2];
};

static const struct plan_part none;

static int setup(void **state)
{
    struct desk *d = calloc(1, sizeof(*d));
    fake_house_init(&d->house);
    d->mixer = mixer_create(d->house.control, d->house.deck, 0, 0);
    *state = d;
    return 0;
}

static int teardown(void **state)
{
    struct desk *d = *state;
    mixer_destroy(d->mixer);
    fake_house_finish(&d->house);
    free(d);
    return 0;
}

/* Block n is heard 30 ms after it is asked for; block 0 at 1 s. */
static int64_t heard_ns(int64_t block)
{
    return SECONDS(1) + block * MS(10);
}

static void fill(struct desk *d)
{
    mixer_fill(d->mixer, d->out, BLOCK, heard_ns(d->blocks++));
}

static struct play_position position_at(struct desk *d, int64_t mono_ns)
{
    struct play_clock c;
    mixer_clock(d->mixer, &c);
    return play_clock_at(&c, mono_ns);
}

static void assert_sample(float got, uint64_t load, uint64_t n)
{
    if (fabsf(got - fake_sample(load, n)) > 2e-6f)
        fail_msg("sample %g, wanted %g (load %d, number %d)", (double)got,
                 (double)fake_sample(load, n), (int)load, (int)n);
}

static void test_without_a_plan_there_is_silence_and_time_goes_on(void **state)
{
    struct desk *d = *state;
    fill(d);
    for (int i = 0; i < BLOCK * 2; i++)
        assert_true(d->out[i] == 0);
    assert_int_equal(position_at(d, heard_ns(0)).load, 0);
}

static void test_a_track_plays_from_its_first_sample(void **state)
{
    struct desk *d = *state;
    fake_deck_load(&d->house, 0, 1, 0, 48000, 10, DECK_READY);
    fake_plan(&d->house, fake_part(0, 1, START_NOW), none, false);
    fill(d);
    fill(d);
    fill(d); /* the gain has risen by now */
    for (int i = 0; i < BLOCK; i++)
        assert_sample(d->out[2 * i], 1, (uint64_t)(2 * BLOCK + i));
    struct play_position at = position_at(d, heard_ns(2));
    assert_int_equal(at.load, 1);
    assert_int_equal(at.entry, 100);
    assert_true(at.is_moving);
    assert_int_equal(at.media_ns, MS(20));
}

static void test_the_next_track_follows_to_the_sample_without_fade(void **state)
{
    struct desk *d = *state;
    fake_deck_load(&d->house, 0, 1, 0, 1000, 1, DECK_DONE);
    fake_deck_load(&d->house, 1, 2, 0, 48000, 1, DECK_READY);
    fake_plan(&d->house, fake_part(0, 1, START_NOW), fake_part(1, 2, START_AT_END), false);
    fill(d);
    fill(d);
    fill(d); /* holds the joint at 1000 - 960 = 40 */
    for (int i = 0; i < 40; i++)
        assert_sample(d->out[2 * i], 1, (uint64_t)(960 + i));
    for (int i = 40; i < BLOCK; i++)
        assert_sample(d->out[2 * i], 2, (uint64_t)(i - 40));
    struct play_clock c;
    mixer_clock(d->mixer, &c);
    assert_int_equal(c.ended_load, 1);
    assert_int_equal(c.underruns, 0);
    assert_int_equal(play_clock_at(&c, heard_ns(2)).load, 1);
    struct play_position at = play_clock_at(&c, heard_ns(2) + MS(5));
    assert_int_equal(at.load, 2);
    assert_in_range(at.media_ns, MS(4), MS(5));
}

static void test_the_show_goes_on_when_the_brain_is_silent_after_the_joint(void **state)
{
    struct desk *d = *state;
    fake_deck_load(&d->house, 0, 1, 0, 100, 1, DECK_DONE);
    fake_deck_load(&d->house, 1, 2, 0, 48000, 1, DECK_READY);
    fake_plan(&d->house, fake_part(0, 1, START_NOW), fake_part(1, 2, START_AT_END), false);
    fill(d);
    /* The brain repeats its old plan: the mixer is past it already. */
    fake_plan(&d->house, fake_part(0, 1, START_NOW), fake_part(1, 2, START_AT_END), false);
    fill(d);
    assert_int_equal(position_at(d, heard_ns(1)).load, 2);
}

static void test_a_plan_made_before_the_joint_was_known_does_not_bring_the_old_track_back(
    void **state)
{
    struct desk *d = *state;
    fake_deck_load(&d->house, 0, 1, 0, 100, 1, DECK_DONE);
    fake_deck_load(&d->house, 1, 2, 0, 48000, 1, DECK_READY);
    fake_plan(&d->house, fake_part(0, 1, START_NOW), fake_part(1, 2, START_AT_END), false);
    fill(d);
    /* A seek in the old track begins: nothing follows it in the plan until its load is ready. */
    fake_plan(&d->house, fake_part(0, 1, START_NOW), none, false);
    fill(d);
    assert_int_equal(position_at(d, heard_ns(1)).load, 2);
}

static void test_a_cut_waits_until_the_deck_is_ready_and_the_old_track_plays_on(void **state)
{
    struct desk *d = *state;
    fake_deck_load(&d->house, 0, 1, 0, 48000, 1, DECK_READY);
    fake_plan(&d->house, fake_part(0, 1, START_NOW), none, false);
    fill(d);
    fake_deck_load(&d->house, 1, 2, 0, 0, 0, DECK_OPENING);
    fake_plan(&d->house, fake_part(1, 2, START_NOW), none, false);
    fill(d);
    assert_int_equal(position_at(d, heard_ns(1)).load, 1);
    assert_true(d->out[2 * BLOCK - 2] != 0);
    fake_deck_load(&d->house, 1, 2, 0, 48000, 1, DECK_READY);
    mixer_follow(d->mixer); /* not waiting for the next block */
    struct play_clock c;
    mixer_clock(d->mixer, &c);
    assert_int_equal(c.span[c.span_count - 1].load, 2);
    assert_true(c.span[c.span_count - 1].cut_ns > 0);
    fill(d);
    assert_int_equal(position_at(d, heard_ns(2)).load, 2);
}

static void test_a_cut_fades_without_a_step(void **state)
{
    struct desk *d = *state;
    fake_deck_load(&d->house, 0, 30, 0, 48000, 1, DECK_READY);
    fake_plan(&d->house, fake_part(0, 30, START_NOW), none, false);
    for (int i = 0; i < 4; i++)
        fill(d);
    float last = d->out[2 * BLOCK - 2];
    fake_deck_load(&d->house, 1, 90, 0, 48000, 1, DECK_READY);
    fake_plan(&d->house, fake_part(1, 90, START_NOW), none, false);
    fill(d);
    for (int i = 0; i < BLOCK; i++) { /* 0.3 to 0.9 over 240 frames: steps of 0.0025 */
        assert_true(fabsf(d->out[2 * i] - last) < 0.005f);
        last = d->out[2 * i];
    }
    assert_true(fabsf(last - 0.9f) < 0.01f);
}

static void test_pause_fades_and_the_position_stands(void **state)
{
    struct desk *d = *state;
    fake_deck_load(&d->house, 0, 1, 0, 48000, 1, DECK_READY);
    fake_plan(&d->house, fake_part(0, 1, START_NOW), none, false);
    fill(d);
    fill(d);
    fake_plan(&d->house, fake_part(0, 1, START_NOW), none, true);
    fill(d); /* fades over 10 ms */
    fill(d);
    fill(d);
    for (int i = 0; i < BLOCK * 2; i++)
        assert_true(d->out[i] == 0);
    struct play_position a = position_at(d, heard_ns(4)), b = position_at(d, heard_ns(4) + MS(9));
    assert_false(a.is_moving);
    assert_int_equal(a.media_ns, b.media_ns);
    fake_plan(&d->house, fake_part(0, 1, START_NOW), none, false);
    fill(d);
    fill(d);
    /* Not a sample was lost: the fade out consumed one block, so block 6 is samples 3 to 4 blocks in. */
    assert_sample(d->out[2 * BLOCK - 2], 1, 5 * BLOCK - 1);
    assert_true(position_at(d, heard_ns(6)).is_moving);
}

static void test_an_underrun_stands_still_and_goes_on_with_the_next_sample(void **state)
{
    struct desk *d = *state;
    struct deck_state s = fake_deck_load(&d->house, 0, 1, 0, 600, 1, DECK_READY);
    fake_plan(&d->house, fake_part(0, 1, START_NOW), none, false);
    fill(d);
    fill(d);
    fill(d);
    struct play_clock c;
    mixer_clock(d->mixer, &c);
    assert_int_equal(c.underruns, 1);
    assert_false(play_clock_at(&c, heard_ns(2)).is_moving);
    fake_deck_samples(&d->house, 0, 1, s.first_sample, 4800);
    fill(d);
    assert_sample(d->out[2 * BLOCK - 2], 1, 600 + BLOCK - 1);
    mixer_clock(d->mixer, &c);
    assert_int_equal(c.underruns, 1);
}

static void test_join_goes_on_at_the_position_the_track_had(void **state)
{
    struct desk *d = *state;
    fake_deck_load(&d->house, 0, 1, 0, 4800, 1, DECK_READY);
    fake_plan(&d->house, fake_part(0, 1, START_NOW), none, false);
    for (int i = 0; i < 5; i++)
        fill(d); /* 2400 samples: 50 ms */
    /* The same track on the other deck, decoded from 20 ms on. */
    fake_deck_load(&d->house, 1, 7, MS(20), 48000, 1, DECK_READY);
    fake_plan(&d->house, fake_part(1, 7, START_JOIN), none, false);
    fill(d);
    /* 50 ms is 1440 samples into the new load; the fade between the two is over by the end. */
    assert_sample(d->out[2 * BLOCK - 2], 7, 1440 + BLOCK - 1);
    struct play_position at = position_at(d, heard_ns(5));
    assert_int_equal(at.load, 7);
    assert_in_range(at.media_ns, MS(50) - 25000, MS(50) + 25000);
    /* What is seen goes on without a jump: it is not a cut for the eye. */
    struct play_clock c;
    mixer_clock(d->mixer, &c);
    assert_int_equal(c.span[c.span_count - 1].cut_ns, 0);
}

static void test_a_restarted_stage_goes_on_where_it_was_heard_last(void **state)
{
    struct desk *d = *state;
    fake_deck_load(&d->house, 0, 1, 0, 48000, 1, DECK_READY);
    fake_plan(&d->house, fake_part(0, 1, START_NOW), none, false);
    for (int i = 0; i < 50; i++)
        fill(d);
    mixer_destroy(d->mixer);
    d->mixer = mixer_create(d->house.control, d->house.deck, 0, heard_ns(30));
    struct play_position at = position_at(d, heard_ns(60));
    assert_int_equal(at.load, 1);
    assert_in_range(at.media_ns, MS(300) - 30000, MS(300) + 30000);
    d->blocks = 100;
    fill(d);
    assert_sample(d->out[2 * BLOCK - 2], 1, 300 * 48 + BLOCK - 1);
}

/* Its pictures stood, its sound went on until it was killed: that is not played again. */
static void test_after_a_stage_that_hung_the_song_goes_on_where_its_sound_was(void **state)
{
    struct desk *d = *state;
    fake_deck_load(&d->house, 0, 1, 0, 48000, 1, DECK_READY);
    fake_plan(&d->house, fake_part(0, 1, START_NOW), none, false);
    for (int i = 0; i < 80; i++)
        fill(d);
    mixer_destroy(d->mixer);
    d->mixer = mixer_create(d->house.control, d->house.deck, 0, heard_ns(5));
    struct play_position at = position_at(d, heard_ns(90));
    assert_int_equal(at.load, 1);
    assert_in_range(at.media_ns, MS(790 - 250) - 30000, MS(790 - 250) + 30000);
}

static void test_taken_samples_are_given_back_to_the_deck(void **state)
{
    struct desk *d = *state;
    fake_deck_load(&d->house, 0, 1, 0, 48000, 1, DECK_READY);
    fake_plan(&d->house, fake_part(0, 1, START_NOW), none, false);
    uint32_t rings = doorbell_rings(&d->house.control->deck_bell[0]);
    for (int i = 0; i < 12; i++)
        fill(d);
    assert_int_equal(atomic_load(&d->house.deck[0].ring->sample_tail), 12 * BLOCK);
    assert_true(doorbell_rings(&d->house.control->deck_bell[0]) > rings);
}

static void test_volume_is_a_cube_and_mute_is_silence_that_moves(void **state)
{
    struct desk *d = *state;
    fake_deck_load(&d->house, 0, 50, 0, 48000, 1, DECK_READY);
    struct plan p = { .serial = 5, .now = fake_part(0, 50, START_NOW), .volume = 50 };
    plan_store(&d->house.control->plan, &p);
    for (int i = 0; i < 3; i++)
        fill(d);
    assert_true(fabsf(d->out[0] - 0.125f * fake_sample(50, 960)) < 1e-4f);
    p.is_muted = 1;
    p.serial = 6;
    plan_store(&d->house.control->plan, &p);
    for (int i = 0; i < 3; i++)
        fill(d);
    assert_true(d->out[0] == 0);
    assert_true(position_at(d, heard_ns(5)).is_moving);
    assert_int_equal(position_at(d, heard_ns(5)).media_ns, MS(50));
}

static void test_an_emptied_plan_is_silence(void **state)
{
    struct desk *d = *state;
    fake_deck_load(&d->house, 0, 1, 0, 48000, 1, DECK_READY);
    fake_plan(&d->house, fake_part(0, 1, START_NOW), none, false);
    fill(d);
    fake_plan(&d->house, none, none, false);
    fill(d);
    fill(d);
    assert_true(d->out[0] == 0 && d->out[BLOCK] == 0);
    assert_int_equal(position_at(d, heard_ns(2)).load, 0);
}

static void test_hostile_deck_numbers_are_not_used(void **state)
{
    struct desk *d = *state;
    fake_plan(&d->house, (struct plan_part){ .entry = 1, .load = 1, .deck = 4000000000u }, none,
              false);
    fill(d);
    struct deck_state s = fake_deck_load(&d->house, 0, 2, 0, 10, 1, DECK_READY);
    s.first_sample = UINT64_MAX - 5;
    deck_state_store(&d->house.control->deck[0], &s);
    fake_plan(&d->house, fake_part(0, 2, START_NOW), none, false);
    fill(d);
    fill(d);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_without_a_plan_there_is_silence_and_time_goes_on),
        T(test_a_track_plays_from_its_first_sample),
        T(test_the_next_track_follows_to_the_sample_without_fade),
        T(test_the_show_goes_on_when_the_brain_is_silent_after_the_joint),
        T(test_a_plan_made_before_the_joint_was_known_does_not_bring_the_old_track_back),
        T(test_a_cut_waits_until_the_deck_is_ready_and_the_old_track_plays_on),
        T(test_a_cut_fades_without_a_step),
        T(test_pause_fades_and_the_position_stands),
        T(test_an_underrun_stands_still_and_goes_on_with_the_next_sample),
        T(test_join_goes_on_at_the_position_the_track_had),
        T(test_a_restarted_stage_goes_on_where_it_was_heard_last),
        T(test_after_a_stage_that_hung_the_song_goes_on_where_its_sound_was),
        T(test_taken_samples_are_given_back_to_the_deck),
        T(test_volume_is_a_cube_and_mute_is_silence_that_moves),
        T(test_an_emptied_plan_is_silence),
        T(test_hostile_deck_numbers_are_not_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
