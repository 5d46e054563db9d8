/* The rules of the jukebox while all goes well, by name, in a house with fake decks and a fake stage. */
#include "player/jukebox_bench.h"

/* ---- start and order -------------------------------------------------------------------------- */

static void the_first_orders_are_out_before_any_deck_lives(void **state)
{
    struct fake_house *h = house_of("a b", &looping);
    assert_false(h->deck[0].is_alive);
    assert_string_equal(h->order[0].path, "/m/a.mp4");
    assert_string_equal(h->order[1].path, "/m/b.mp4");
    uint64_t load = h->order[0].load;
    assert_true(house_run_until_playing(h, 3000));
    assert_int_equal(h->plan.now.load, load); /* not ordered again when the deck appeared */
    end(h);
}

static void tracks_follow_in_order_without_a_gap_and_loop(void **state)
{
    struct fake_house *h = playing_house_of("a b c", &looping);
    house_run(h, 45000);
    const char *want[] = { "a.mp4", "b.mp4", "c.mp4", "a.mp4", "b.mp4" };
    for (size_t i = 0; i < ARRAY_LEN(want); i++)
        assert_string_equal(house_name(h, h->heard[i]), want[i]);
    assert_int_equal(h->stood_ns, 0);
    end(h);
}

static void the_only_track_of_a_loop_follows_itself_without_a_gap(void **state)
{
    struct fake_house *h = playing_house_of("a", &looping);
    uint64_t load = h->plan.now.load;
    house_run(h, 12000);
    assert_on_air(h, "a.mp4");
    assert_true(h->plan.now.load > load);
    assert_int_equal(h->stood_ns, 0);
    end(h);
}

static void short_tracks_follow_one_another(void **state)
{
    struct fake_house *h = playing_house_of("short a", &looping);
    house_run(h, 3000);
    assert_on_air(h, "a.mp4");
    assert_int_equal(jukebox_queue(h->jukebox)->list[QUEUE_MAIN].count, 2);
    end(h);
}

static void what_plays_is_marked_active_and_the_idle_deck_is_not(void **state)
{
    struct fake_house *h = playing_house_of("a b", &looping);
    assert_int_equal(h->order[h->plan.now.deck].flags, ORDER_ACTIVE);
    assert_int_equal(h->order[1 - h->plan.now.deck].flags, 0);
    end(h);
}

static void one_update_carries_end_and_start(void **state)
{
    struct fake_house *h = playing_house_of("a b", &looping);
    while (strcmp(house_now(h), "a.mp4") == 0) {
        uint64_t before = jukebox_revision(h->jukebox);
        house_tick(h);
        if (jukebox_revision(h->jukebox) != before)
            assert_non_null(jukebox_queue(h->jukebox)->now);
    }
    assert_on_air(h, "b.mp4");
    assert_int_equal(h->played_count, 1);
    assert_int_equal(h->played[0].how, PLAYED_ENDED);
    assert_true(h->played[0].played_s > 9.5 && h->played[0].played_s < 10.1);
    end(h);
}

/* ---- the next --------------------------------------------------------------------------------- */

static void a_request_takes_the_place_of_the_loaded_next(void **state)
{
    struct fake_house *h = playing_house_of("a b", &looping);
    assert_string_equal(house_name(h, h->plan.next.entry), "b.mp4");
    house_request(h, "/m/c.mp4");
    assert_int_equal(h->plan.next.load, 0); /* not ready yet: never named */
    assert_string_equal(h->order[1 - h->plan.now.deck].path, "/m/c.mp4");
    house_run(h, 500);
    assert_string_equal(house_name(h, h->plan.next.entry), "c.mp4");
    house_run(h, 10000);
    assert_on_air(h, "c.mp4");
    assert_int_equal(h->stood_ns, 0);
    house_run(h, 10000);
    assert_int_equal(h->played_count, 2);
    assert_false(h->played[0].is_request);
    assert_true(h->played[1].is_request);
    end(h);
}

static void every_change_of_the_queue_reorders_the_idle_deck(void **state)
{
    struct fake_house *h = playing_house_of("a b c d", &looping);
    house_apply(h, OP_REMOVE, entry(h, QUEUE_MAIN, 1));
    assert_string_equal(h->order[1 - h->plan.now.deck].path, "/m/c.mp4");
    house_apply(h, OP_PROMOTE, entry(h, QUEUE_MAIN, 2));
    assert_string_equal(h->order[1 - h->plan.now.deck].path, "/m/d.mp4");
    house_run(h, 500);
    house_apply(h, OP_SHUFFLE, 0);
    assert_string_equal(h->order[1 - h->plan.now.deck].path, main_at(h, 1)->source);
    assert_int_equal(h->stood_ns, 0);
    end(h);
}

static void in_the_last_second_the_loaded_next_stays(void **state)
{
    struct fake_house *h = playing_house_of("a b", &looping);
    while (house_air(h).media_ns < MS(9200))
        house_tick(h);
    uint64_t next = h->plan.next.load;
    house_request(h, "/m/slow.mp4");
    assert_int_equal(h->plan.next.load, next);
    house_run(h, 1500);
    assert_on_air(h, "b.mp4");
    assert_int_equal(h->stood_ns, 0);
    house_run(h, 10000);
    assert_on_air(h, "slow.mp4"); /* the request is not lost: it follows */
    end(h);
}

static void the_kept_next_that_was_removed_is_cut_off(void **state)
{
    struct fake_house *h = playing_house_of("a b c", &looping);
    while (house_air(h).media_ns < MS(9500))
        house_tick(h);
    house_apply(h, OP_REMOVE, entry(h, QUEUE_MAIN, 1));
    house_run(h, 2000);
    assert_on_air(h, "c.mp4");
    end(h);
}

/* ---- skip ------------------------------------------------------------------------------------- */

static void skip_is_a_cut_in_the_same_turn_when_the_next_is_ready(void **state)
{
    struct fake_house *h = playing_house_of("a b c", &looping);
    uint64_t next = h->plan.next.load;
    assert_int_equal(house_apply(h, OP_SKIP, 0), 0);
    assert_int_equal(h->plan.now.load, next);
    assert_int_equal(h->plan.now.start, START_NOW);
    house_run(h, 200);
    assert_on_air(h, "b.mp4");
    assert_int_equal(h->played[0].how, PLAYED_SKIPPED);
    assert_string_equal(main_at(h, 2)->source, "/m/a.mp4");
    end(h);
}

static void skip_to_what_is_not_ready_keeps_the_old_playing_until_it_is(void **state)
{
    struct fake_house *h = playing_house_of("a slow b", &looping);
    house_apply(h, OP_REMOVE, entry(h, QUEUE_MAIN, 1));
    house_add(h, "/m/slow.mp4");
    house_apply(h, OP_PROMOTE, entry(h, QUEUE_MAIN, 2)); /* ordered just now */
    uint64_t old = h->plan.now.load;
    house_apply(h, OP_SKIP, 0);
    assert_string_equal(house_now(h), "slow.mp4");
    assert_int_equal(h->plan.now.load, old);
    assert_int_equal(jukebox_state(h->jukebox), JUKEBOX_PLAYING);
    house_run(h, 1200);
    assert_on_air(h, "slow.mp4");
    assert_int_equal(h->stood_ns, 0);
    end(h);
}

static void quick_skips_advance_one_entry_each_and_never_stop(void **state)
{
    struct fake_house *h = playing_house_of("a b c d", &looping);
    const char *want[] = { "b.mp4", "c.mp4", "d.mp4", "a.mp4", "b.mp4", "c.mp4", "d.mp4" };
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        house_apply(h, OP_SKIP, 0);
        assert_string_equal(house_now(h), want[i]);
    }
    assert_true(house_run_until_playing(h, 1500));
    assert_on_air(h, "d.mp4");
    assert_int_equal(h->stood_ns, 0);
    end(h);
}

static void a_skip_while_the_stage_passes_on_skips_one_track_only(void **state)
{
    struct fake_house *h = playing_house_of("a b c", &looping);
    while (h->clock.ended_load != h->plan.now.load) /* mixed to its end, not heard to it yet */
        house_tick(h);
    assert_string_equal(house_on_air(h), "a.mp4");
    house_apply(h, OP_SKIP, 0);
    house_run(h, 400);
    assert_on_air(h, "c.mp4"); /* b had begun */
    end(h);
}

static void skip_of_the_last_without_loop_is_idle(void **state)
{
    struct fake_house *h = playing_house_of("a", &once);
    house_apply(h, OP_SKIP, 0);
    assert_int_equal(h->plan.now.load, 0);
    assert_int_equal(jukebox_state(h->jukebox), JUKEBOX_IDLE);
    assert_int_equal(h->order[0].load, 0);
    house_run(h, 500);
    assert_int_equal(house_air(h).load, 0);
    end(h);
}

static void skip_with_nothing_playing_does_nothing(void **state)
{
    struct fake_house *h = house_of("", &looping);
    assert_int_equal(house_apply(h, OP_SKIP, 0), 1);
    end(h);
}

/* ---- other changes of what plays -------------------------------------------------------------- */

static void play_now_cuts_to_the_entry(void **state)
{
    struct fake_house *h = playing_house_of("a b c d", &looping);
    house_apply(h, OP_PLAY_NOW, entry(h, QUEUE_MAIN, 2));
    assert_string_equal(house_now(h), "c.mp4");
    house_run(h, 500);
    assert_on_air(h, "c.mp4");
    assert_int_equal(h->stood_ns, 0);
    end(h);
}

static void removing_what_plays_goes_on_with_the_next(void **state)
{
    struct fake_house *h = playing_house_of("a b c", &looping);
    house_apply(h, OP_REMOVE, entry(h, QUEUE_MAIN, 0));
    house_run(h, 300);
    assert_on_air(h, "b.mp4");
    assert_int_equal(jukebox_queue(h->jukebox)->list[QUEUE_MAIN].count, 2);
    assert_int_equal(h->played[0].how, PLAYED_REMOVED);
    end(h);
}

static void after_clear_the_playing_track_plays_to_its_end(void **state)
{
    struct fake_house *h = playing_house_of("a b", &looping);
    struct queue_op op = { .kind = OP_CLEAR, .all_lists = true };
    assert_int_equal(jukebox_apply(h->jukebox, &op), 0);
    house_run(h, 8000);
    assert_string_equal(house_on_air(h), "a.mp4");
    house_run(h, 2500);
    assert_int_equal(jukebox_state(h->jukebox), JUKEBOX_IDLE);
    assert_int_equal(h->plan.now.load, 0);
    end(h);
}

static void an_empty_queue_says_so_until_there_is_a_song(void **state)
{
    struct fake_house *h = house_of("", &looping);
    assert_int_equal(h->plan.now.load, 0);
    assert_string_equal(
        jukebox_scene(h->jukebox)->idle_text,
        "The queue is empty. Staff can add songs at the box with its command “add”.");
    house_add(h, "/m/a.mp4");
    assert_true(house_run_until_playing(h, 1000));
    assert_string_equal(jukebox_scene(h->jukebox)->idle_text, "");
    end(h);
}

static void exit_at_end_quits_when_nothing_is_left_and_not_before_anything_was_there(void **state)
{
    struct jukebox_settings s = { .autostarts = true, .exits_at_end = true };
    struct fake_house *h = house_of("", &s);
    house_run(h, 1000);
    assert_false(h->has_quit);
    house_add(h, "/m/a.mp4");
    house_add(h, "/m/b.mp4");
    house_run(h, 19000);
    assert_false(h->has_quit);
    house_run(h, 3000);
    assert_true(h->has_quit);
    assert_int_equal(h->plan.now.load, 0);
    assert_true(jukebox_played_any(h->jukebox));
    end(h);
}

static void quit_empties_the_plan_and_keeps_the_queue(void **state)
{
    struct fake_house *h = playing_house_of("a b", &looping);
    house_run(h, 2000);
    jukebox_quit(h->jukebox);
    house_brain_turn(h);
    assert_true(h->has_quit);
    assert_int_equal(h->plan.now.load, 0);
    assert_non_null(jukebox_queue(h->jukebox)->now);
    assert_true(h->position.position_ns > SECONDS(2));
    end(h);
}

/* ---- seek, pause, volume ---------------------------------------------------------------------- */

static void seek_cuts_to_the_position_and_the_next_is_loaded_again(void **state)
{
    struct fake_house *h = playing_house_of("a b", &looping);
    uint32_t deck = h->plan.now.deck;
    assert_int_equal(jukebox_seek(h->jukebox, SECONDS(5)), 0);
    house_brain_turn(h);
    assert_int_equal(h->order[1 - deck].start_ns, SECONDS(5));
    assert_int_equal(jukebox_position_ns(h->jukebox), SECONDS(5));
    house_run(h, 400);
    assert_int_equal(h->plan.now.deck, 1 - deck);
    assert_true(house_air(h).media_ns > SECONDS(5) && house_air(h).media_ns < SECONDS(6));
    house_run(h, 400);
    assert_string_equal(house_name(h, h->plan.next.entry), "b.mp4");
    assert_int_equal(h->played_count, 0); /* it is the same turn */
    assert_int_equal(h->stood_ns, 0);
    end(h);
}

static void a_new_seek_replaces_the_one_under_way(void **state)
{
    struct fake_house *h = playing_house_of("a b", &looping);
    for (int i = 1; i <= 5; i++) {
        jukebox_seek_by(h->jukebox, SECONDS(1));
        house_brain_turn(h);
    }
    house_run(h, 300);
    assert_true(house_air(h).media_ns > SECONDS(5) && house_air(h).media_ns < SECONDS(6));
    assert_on_air(h, "a.mp4");
    end(h);
}

static void seeks_are_clamped_to_the_track(void **state)
{
    static const struct {
        int64_t to_ns, want_ns;
    } cases[] = {
        { SECONDS(-3), 0 },        { SECONDS(4), SECONDS(4) }, { SECONDS(9.5), SECONDS(9) },
        { INT64_MAX, SECONDS(9) }, { INT64_MIN, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fake_house *h = playing_house_of("a b", &looping);
        jukebox_seek(h->jukebox, cases[i].to_ns);
        assert_int_equal(jukebox_position_ns(h->jukebox), cases[i].want_ns);
        end(h);
    }
}

static void a_seek_to_a_place_that_fails_leaves_the_track_playing(void **state)
{
    struct fake_house *h = playing_house_of("cut b", &looping); /* says 64 s, has 4 */
    jukebox_seek(h->jukebox, SECONDS(30));
    house_run(h, 500);
    assert_on_air(h, "cut.mp4");
    assert_string_equal(main_at(h, 0)->unplayable, "");
    assert_int_equal(jukebox_scene(h->jukebox)->notice, NOTICE_INFO);
    house_run(h, 4000);
    assert_on_air(h, "b.mp4");
    end(h);
}

static void nothing_to_seek_in_is_an_answer(void **state)
{
    struct fake_house *h = house_of("", &looping);
    assert_true(jukebox_seek(h->jukebox, 0) < 0);
    end(h);
}

static void pause_stops_the_position_and_resume_goes_on_there(void **state)
{
    struct fake_house *h = playing_house_of("a b", &looping);
    jukebox_set_paused(h->jukebox, true);
    house_run(h, 300);
    int64_t at = house_air(h).media_ns;
    house_run(h, 5000);
    assert_int_equal(house_air(h).media_ns, at);
    assert_int_equal(jukebox_state(h->jukebox), JUKEBOX_PAUSED);
    assert_int_equal(h->kills, 0);
    jukebox_set_paused(h->jukebox, false);
    house_run(h, 1000);
    assert_true(house_air(h).media_ns > at + MS(800));
    end(h);
}

static void seek_and_skip_work_while_paused(void **state)
{
    struct fake_house *h = playing_house_of("a b c", &looping);
    jukebox_set_paused(h->jukebox, true);
    house_run(h, 300);
    for (int i = 0; i < 4; i++) {
        jukebox_seek_by(h->jukebox, SECONDS(1));
        house_run(h, 1500);
    }
    assert_true(house_air(h).media_ns > SECONDS(4));
    house_apply(h, OP_SKIP, 0);
    house_run(h, 400);
    assert_on_air(h, "b.mp4");
    assert_int_equal(h->plan.is_paused, 1);
    end(h);
}

static void inputs_do_what_they_say(void **state)
{
    static const struct {
        struct input_event e;
        uint32_t volume, is_paused, is_muted;
    } cases[] = {
        { { INPUT_NONE, 0, 0 }, 75, 0, 0 },
        { { INPUT_PAUSE_TOGGLE, 0, 0 }, 75, 1, 0 },
        { { INPUT_VOLUME_STEP, 5, 0 }, 80, 0, 0 },
        { { INPUT_VOLUME_STEP, -100, 0 }, 0, 0, 0 },
        { { INPUT_VOLUME_STEP, INT32_MAX, 0 }, 100, 0, 0 },
        { { INPUT_MUTE_TOGGLE, 0, 0 }, 75, 0, 1 },
        { { 4711, 1, 0 }, 75, 0, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fake_house *h = playing_house_of("a b", &looping);
        jukebox_input(h->jukebox, &cases[i].e);
        house_brain_turn(h);
        assert_int_equal(h->plan.volume, cases[i].volume);
        assert_int_equal(h->plan.is_paused, cases[i].is_paused);
        assert_int_equal(h->plan.is_muted, cases[i].is_muted);
        end(h);
    }
}

static void input_skip_restart_and_seek(void **state)
{
    struct fake_house *h = playing_house_of("a b", &looping);
    jukebox_input(h->jukebox, &(struct input_event){ .action = INPUT_SEEK_STEP, .value = 4 });
    assert_true(jukebox_position_ns(h->jukebox) > SECONDS(4));
    jukebox_input(h->jukebox, &(struct input_event){ .action = INPUT_RESTART });
    assert_int_equal(jukebox_position_ns(h->jukebox), 0);
    jukebox_input(h->jukebox, &(struct input_event){ .action = INPUT_SKIP });
    assert_string_equal(house_now(h), "b.mp4");
    end(h);
}

static void a_key_at_a_window_ends_it_only_when_it_was_started_to_end(void **state)
{
    const struct jukebox_settings ends = { .autostarts = true, .exits_at_end = true };
    const struct jukebox_settings ends_or_loops = { .autostarts = true,
                                                    .exits_at_end = true,
                                                    .loops = true };
    const struct {
        const struct jukebox_settings *settings;
        bool has_quit;
    } cases[] = {
        { &looping, false }, { &once, false }, { &ends, true }, { &ends_or_loops, true }
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fake_house *h = playing_house_of("a b", cases[i].settings);
        jukebox_input(h->jukebox, &(struct input_event){ .action = INPUT_QUIT });
        house_run(h, 100);
        assert_int_equal(h->has_quit, cases[i].has_quit);
        assert_int_equal(jukebox_state(h->jukebox),
                         cases[i].has_quit ? JUKEBOX_IDLE : JUKEBOX_PLAYING);
        house_close(h);
        free(h);
    }
}

/* ---- what is shown ---------------------------------------------------------------------------- */

static void the_scene_shows_now_the_next_three_and_how_many_more(void **state)
{
    struct fake_house *h = playing_house_of("a b c d short", &looping);
    house_request(h, "/m/slow.mp4");
    const struct scene *s = jukebox_scene(h->jukebox);
    assert_string_equal(s->now.title, "a");
    assert_int_equal(s->next_count, 3);
    assert_string_equal(s->next[0].title, "slow");
    assert_int_equal(s->next[0].is_request, 1);
    assert_string_equal(s->next[2].title, "c");
    assert_int_equal(s->more_count, 2);
    assert_int_equal(s->duration_ns, SECONDS(10));
    end(h);
}

static void the_only_track_is_not_shown_as_its_own_next(void **state)
{
    struct fake_house *h = playing_house_of("a", &looping);
    assert_int_equal(jukebox_scene(h->jukebox)->next_count, 0);
    assert_int_equal(jukebox_scene(h->jukebox)->more_count, 0);
    end(h);
}

static void it_waits_until_the_first_track_is_ready(void **state)
{
    struct fake_house *h = house_of("slow", &looping);
    house_run(h, 200);
    assert_int_equal(jukebox_state(h->jukebox), JUKEBOX_WAITING);
    assert_true(house_run_until_playing(h, 2000));
    end(h);
}

static void the_queue_learns_durations_from_the_files(void **state)
{
    struct fake_house *h = playing_house_of("a b", &looping);
    assert_true(main_at(h, 0)->duration_s == 10 && main_at(h, 1)->duration_s == 10);
    end(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_orders_are_out_before_any_deck_lives),
        cmocka_unit_test(tracks_follow_in_order_without_a_gap_and_loop),
        cmocka_unit_test(the_only_track_of_a_loop_follows_itself_without_a_gap),
        cmocka_unit_test(short_tracks_follow_one_another),
        cmocka_unit_test(what_plays_is_marked_active_and_the_idle_deck_is_not),
        cmocka_unit_test(one_update_carries_end_and_start),
        cmocka_unit_test(a_request_takes_the_place_of_the_loaded_next),
        cmocka_unit_test(every_change_of_the_queue_reorders_the_idle_deck),
        cmocka_unit_test(in_the_last_second_the_loaded_next_stays),
        cmocka_unit_test(the_kept_next_that_was_removed_is_cut_off),
        cmocka_unit_test(skip_is_a_cut_in_the_same_turn_when_the_next_is_ready),
        cmocka_unit_test(skip_to_what_is_not_ready_keeps_the_old_playing_until_it_is),
        cmocka_unit_test(quick_skips_advance_one_entry_each_and_never_stop),
        cmocka_unit_test(a_skip_while_the_stage_passes_on_skips_one_track_only),
        cmocka_unit_test(skip_of_the_last_without_loop_is_idle),
        cmocka_unit_test(skip_with_nothing_playing_does_nothing),
        cmocka_unit_test(play_now_cuts_to_the_entry),
        cmocka_unit_test(removing_what_plays_goes_on_with_the_next),
        cmocka_unit_test(after_clear_the_playing_track_plays_to_its_end),
        cmocka_unit_test(an_empty_queue_says_so_until_there_is_a_song),
        cmocka_unit_test(exit_at_end_quits_when_nothing_is_left_and_not_before_anything_was_there),
        cmocka_unit_test(quit_empties_the_plan_and_keeps_the_queue),
        cmocka_unit_test(seek_cuts_to_the_position_and_the_next_is_loaded_again),
        cmocka_unit_test(a_new_seek_replaces_the_one_under_way),
        cmocka_unit_test(seeks_are_clamped_to_the_track),
        cmocka_unit_test(a_seek_to_a_place_that_fails_leaves_the_track_playing),
        cmocka_unit_test(nothing_to_seek_in_is_an_answer),
        cmocka_unit_test(pause_stops_the_position_and_resume_goes_on_there),
        cmocka_unit_test(seek_and_skip_work_while_paused),
        cmocka_unit_test(inputs_do_what_they_say),
        cmocka_unit_test(input_skip_restart_and_seek),
        cmocka_unit_test(a_key_at_a_window_ends_it_only_when_it_was_started_to_end),
        cmocka_unit_test(the_scene_shows_now_the_next_three_and_how_many_more),
        cmocka_unit_test(the_only_track_is_not_shown_as_its_own_next),
        cmocka_unit_test(it_waits_until_the_first_track_is_ready),
        cmocka_unit_test(the_queue_learns_durations_from_the_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
