/* Bad files, dying processes and restarts of the brain, by name, in a house with fake decks and a fake
 * stage. */
#include "player/jukebox_bench.h"

/* Why the main track of that file is marked; "": it is not. */
static const char *mark_of(const struct fake_house *h, const char *path)
{
    const struct track_list *list = &jukebox_queue(h->jukebox)->list[QUEUE_MAIN];
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->at[i]->source, path) == 0)
            return list->at[i]->unplayable;
    return "it is not in the queue";
}

/* ---- bad files -------------------------------------------------------------------------------- */

static void a_file_that_cannot_be_opened_is_marked_explained_and_passed_over(void **state)
{
    struct fake_house *h = playing_house_of("a bad b", &looping);
    const struct scene *s = jukebox_scene(h->jukebox);
    assert_int_equal(s->notice, NOTICE_PROBLEM);
    assert_string_equal(s->notice_title, "Cannot play: bad");
    assert_string_equal(s->notice_text, "There is no such file.");
    assert_string_equal(main_at(h, 1)->unplayable, "There is no such file.");
    house_run(h, 30000);
    for (size_t i = 0; i < h->heard_count; i++)
        assert_string_not_equal(house_name(h, h->heard[i]), "bad.mp4");
    assert_int_equal(h->stood_ns, 0);
    end(h);
}

static void a_bad_first_file_costs_no_time(void **state)
{
    struct fake_house *h = house_of("bad a", &looping);
    assert_true(house_run_until_playing(h, 600));
    assert_on_air(h, "a.mp4");
    end(h);
}

static void a_bad_track_stays_for_staff_to_see_also_where_played_ones_leave(void **state)
{
    struct fake_house *h = house_of("bad a b", &once);
    assert_true(house_run_until_playing(h, 3000));
    house_run(h, 11000);
    assert_on_air(h, "b.mp4");
    assert_int_equal(jukebox_queue(h->jukebox)->list[QUEUE_MAIN].count, 2);
    assert_string_equal(mark_of(h, "/m/bad.mp4"), "There is no such file.");
    end(h);
}

static void a_bad_request_leaves_and_is_in_the_history(void **state)
{
    struct fake_house *h = playing_house_of("a b", &looping);
    house_request(h, "/m/bad.mp4");
    house_apply(h, OP_SKIP, 0);
    house_run(h, 1000);
    assert_on_air(h, "b.mp4");
    assert_int_equal(h->played[1].how, PLAYED_FAILED);
    end(h);
}

static void when_all_fail_it_says_so_and_goes_on_with_new_entries(void **state)
{
    struct fake_house *h = house_of("bad bad2", &looping);
    house_run(h, 1000);
    assert_int_equal(jukebox_state(h->jukebox), JUKEBOX_IDLE);
    assert_non_null(strstr(jukebox_scene(h->jukebox)->notice_title, "Nothing"));
    assert_non_null(strstr(jukebox_scene(h->jukebox)->idle_text, "None of the 2 songs"));
    house_add(h, "/m/a.mp4");
    assert_true(house_run_until_playing(h, 1000));
    assert_on_air(h, "a.mp4");
    end(h);
}

static void adding_the_same_file_again_lifts_the_mark(void **state)
{
    struct fake_file repaired[] = { { "/m/bad.mp4", FILE_BAD, 100, 10000 }, { NULL } };
    struct fake_house *h = calloc(1, sizeof(*h));
    house_open(h, repaired, &looping);
    house_add(h, "/m/bad.mp4");
    house_run(h, 1000);
    assert_int_equal(jukebox_state(h->jukebox), JUKEBOX_IDLE);
    repaired[0].kind = FILE_OK;
    house_add(h, "/m/bad.mp4");
    assert_string_equal(main_at(h, 0)->unplayable, "");
    assert_string_equal(main_at(h, 1)->unplayable, "");
    assert_true(house_run_until_playing(h, 1000));
    end(h);
}

/* ---- files that others know -------------------------------------------------------------------- */

/* Knows a.mp4 as the file of "song-a", and that bad.mp4 is away. */
static char *find_source(void *ctx, const struct track *t, const char *source, char *why,
                         size_t why_size)
{
    if (strcmp(t->video_id, "song-a") == 0)
        return strdup("/m/a.mp4");
    if (*source && strcmp(source, "/m/bad.mp4") != 0)
        return strdup(source);
    snprintf(why, why_size, "%s", *source ? "It is away." : "Nobody knows it.");
    return NULL;
}

static const struct jukebox_settings knowing = { .autostarts = true,
                                                 .loops = true,
                                                 .find_source = find_source };

static void add_song(struct fake_house *h, const char *video_id)
{
    struct track *t = track_create();
    track_set(&t->video_id, video_id);
    track_set(&t->title, video_id);
    struct queue_op op = { .kind = OP_ADD, .track = t, .seed = ++h->seed };
    assert_int_equal(jukebox_apply(h->jukebox, &op), 0);
    track_destroy(t);
}

static void a_song_without_a_file_plays_the_one_that_others_know(void **state)
{
    struct fake_house *h = house_of("b", &knowing);
    add_song(h, "song-a");
    add_song(h, "song-x");
    assert_true(house_run_until_playing(h, 1000));
    assert_on_air(h, "b.mp4");
    house_apply(h, OP_SKIP, 0);
    assert_true(house_run_until_playing(h, 1000));
    assert_string_equal(jukebox_queue(h->jukebox)->now->video_id, "song-a");
    assert_string_equal(h->order[h->plan.now.deck].path, "/m/a.mp4");
    assert_string_equal(main_at(h, 1)->unplayable, "Nobody knows it.");
    end(h);
}

static void a_file_that_is_away_is_marked_until_the_mark_is_taken_off(void **state)
{
    struct fake_house *h = playing_house_of("a bad", &knowing);
    house_run(h, 500);
    assert_string_equal(main_at(h, 1)->unplayable, "It is away.");
    struct queue_op op = { .kind = OP_MARK_UNPLAYABLE,
                           .entry = entry_ref_of(main_at(h, 1)),
                           .reason = "" };
    assert_int_equal(jukebox_apply(h->jukebox, &op), 0);
    assert_string_equal(main_at(h, 1)->unplayable, "");
    end(h);
}

static void a_restart_of_the_brain_keeps_marks(void **state)
{
    struct fake_house *h = playing_house_of("a bad b", &looping);
    house_save(h);
    house_kill_brain(h);
    house_start_brain(h);
    assert_string_equal(main_at(h, 1)->unplayable, "There is no such file.");
    end(h);
}

static void a_file_that_breaks_off_is_played_as_far_as_it_goes(void **state)
{
    struct fake_house *h = playing_house_of("cut b", &looping);
    house_run(h, 2500);
    assert_on_air(h, "cut.mp4");
    house_run(h, 1500);
    assert_on_air(h, "b.mp4");
    assert_string_equal(main_at(h, 1)->unplayable, "");
    assert_int_equal(h->stood_ns, 0);
    end(h);
}

static void a_file_of_which_less_than_a_second_can_be_played_is_marked(void **state)
{
    struct fake_house *h = house_of("stub a", &looping);
    assert_true(house_run_until_playing(h, 3000));
    house_run(h, 1000);
    assert_on_air(h, "a.mp4");
    assert_string_equal(main_at(h, 1)->unplayable, "The file breaks off.");
    end(h);
}

static void a_file_that_breaks_off_and_ends_between_two_turns_is_marked(void **state)
{
    struct fake_house *h = house_of("stub a", &looping);
    h->deck[0].is_slow = h->deck[1].is_slow = true;
    house_run(h, 600);
    assert_string_equal(house_now(h), "stub.mp4");
    assert_int_equal(h->played_count, 0);
    h->is_brain_slow = true;
    h->deck[0].is_slow = h->deck[1].is_slow = false;
    house_run(h, 2000);
    h->is_brain_slow = false;
    house_run(h, 1000);
    assert_string_equal(main_at(h, 1)->unplayable, "The file breaks off.");
    assert_int_equal(h->played_count, 1);
    assert_int_equal(h->played[0].how, PLAYED_FAILED);
    end(h);
}

static void files_that_end_at_once_are_marked_and_not_looped_on(void **state)
{
    static const struct {
        const char *names;
        const char *paths[2];
        int64_t within_ms;
    } cases[] = {
        { "empty", { "/m/empty.mp4" }, 3000 },
        { "empty empty2", { "/m/empty.mp4", "/m/empty2.mp4" }, 4000 },
        { "empty a b", { "/m/empty.mp4" }, 65000 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fake_house *h = house_of(cases[i].names, &looping);
        house_run(h, cases[i].within_ms);
        for (size_t n = 0; n < 2 && cases[i].paths[n]; n++)
            assert_string_equal(mark_of(h, cases[i].paths[n]), "It ends at once, each time.");
        assert_string_equal(mark_of(h, "/m/a.mp4"), i == 2 ? "" : "it is not in the queue");
        end(h);
    }
}

static void a_whole_round_that_gives_nothing_is_marked(void **state)
{
    static struct fake_file many[13];
    static char path[12][32];
    struct fake_house *h = calloc(1, sizeof(*h));
    for (size_t i = 0; i < ARRAY_LEN(path); i++) {
        snprintf(path[i], sizeof(path[i]), "/m/%zu.mp4", i);
        many[i] = (struct fake_file){ path[i], FILE_EMPTY, 100, 40 };
    }
    house_open(h, many, &looping);
    for (size_t i = 0; i < ARRAY_LEN(path); i++)
        house_add(h, path[i]);
    house_run(h, 12000);
    assert_int_equal(jukebox_state(h->jukebox), JUKEBOX_IDLE);
    assert_non_null(strstr(jukebox_scene(h->jukebox)->notice_title, "Nothing"));
    end(h);
}

static void a_very_short_track_is_no_fault(void **state)
{
    static const char *const names[] = { "short", "short empty", "short a" };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct fake_house *h = playing_house_of(names[i], &looping);
        house_run(h, 40000);
        assert_string_equal(mark_of(h, "/m/short.mp4"), "");
        assert_int_equal(jukebox_state(h->jukebox), JUKEBOX_PLAYING);
        end(h);
    }
}

static void a_deck_that_hangs_while_opening_is_ended_and_the_track_marked_the_third_time(
    void **state)
{
    struct fake_house *h = house_of("hang a", &looping);
    assert_true(house_run_until_playing(h, 3000)); /* skipped within 3 s */
    assert_on_air(h, "a.mp4");
    assert_int_equal(h->kills, 1);
    assert_string_equal(mark_of(h, "/m/hang.mp4"), "");
    h->stood_ns = 0;
    house_run(h, 25000); /* tried again before it would follow, each time */
    assert_int_equal(h->kills, 3);
    assert_int_equal(h->stood_ns, 0);
    assert_string_equal(mark_of(h, "/m/hang.mp4"), "It took too long to open.");
    assert_on_air(h, "a.mp4");
    end(h);
}

static void a_track_that_hangs_alone_is_marked_the_third_time(void **state)
{
    struct fake_house *h = house_of("hang", &looping);
    house_run(h, 6000);
    assert_string_equal(mark_of(h, "/m/hang.mp4"), "");
    house_run(h, 5000);
    assert_int_equal(h->kills, 3);
    assert_string_equal(mark_of(h, "/m/hang.mp4"), "It took too long to open.");
    end(h);
}

static void a_next_that_hangs_is_passed_over_while_the_music_goes_on(void **state)
{
    struct fake_house *h = playing_house_of("a hang b", &looping);
    house_run(h, 12000);
    assert_on_air(h, "b.mp4");
    assert_int_equal(h->stood_ns, 0);
    assert_string_equal(mark_of(h, "/m/hang.mp4"), "");
    house_run(h, 20000);
    assert_int_equal(h->stood_ns, 0);
    assert_string_equal(mark_of(h, "/m/hang.mp4"), "It took too long to open.");
    end(h);
}

static void a_file_that_opens_late_for_a_while_is_played_later(void **state)
{
    static const char *const names[] = { "sleepy", "sleepy a", "a sleepy b" };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct fake_house *h = house_of(names[i], &looping);
        while (strcmp(house_on_air(h), "sleepy.mp4") != 0 && h->now_ns < SECONDS(150))
            house_tick(h);
        assert_on_air(h, "sleepy.mp4");
        assert_int_equal(h->kills, 2);
        assert_string_equal(mark_of(h, "/m/sleepy.mp4"), "");
        end(h);
    }
}

static void what_was_heard_meanwhile_makes_up_for_opening_late(void **state)
{
    struct fake_house *h = playing_house_of("a sleepy", &looping);
    house_run(h, 150000);
    assert_true(h->kills > 4);
    assert_string_equal(mark_of(h, "/m/sleepy.mp4"), "");
    assert_int_equal(h->stood_ns, 0);
    end(h);
}

static void a_request_that_opens_late_keeps_its_place_while_another_plays(void **state)
{
    struct fake_house *h = house_of("", &looping);
    house_run(h, 1000);
    house_request(h, "/m/sleepy.mp4");
    house_request(h, "/m/b.mp4");
    assert_true(house_run_until_playing(h, 3000));
    assert_on_air(h, "b.mp4");
    const struct track_list *requests = &jukebox_queue(h->jukebox)->list[QUEUE_REQUESTS];
    assert_string_equal(requests->at[1]->source, "/m/sleepy.mp4");
    house_run(h, 12000);
    assert_on_air(h, "sleepy.mp4");
    end(h);
}

static void a_next_may_take_long_to_open_while_another_plays(void **state)
{
    struct fake_house *h = playing_house_of("a far", &looping);
    house_run(h, 11000);
    assert_on_air(h, "far.mp4");
    assert_int_equal(h->kills, 0);
    assert_int_equal(h->stood_ns, 0);
    end(h);
}

static void files_that_break_decks_are_marked_after_three_deaths(void **state)
{
    static const struct {
        const char *names, *path;
    } cases[] = { { "a crash b", "/m/crash.mp4" }, { "a mute b", "/m/mute.mp4" } };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fake_house *h = playing_house_of(cases[i].names, &looping);
        house_run(h, 14000);
        assert_string_equal(house_on_air(h), "b.mp4");
        assert_true(h->stood_ns < SECONDS(3));
        assert_string_equal(mark_of(h, cases[i].path), "The decoder crashed on it three times.");
        end(h);
    }
}

static void notices_expire(void **state)
{
    struct fake_house *h = playing_house_of("a", &looping);
    static const struct {
        enum scene_notice kind;
        int64_t ms;
    } cases[] = { { NOTICE_INFO, 5000 }, { NOTICE_PROBLEM, 12000 } };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        jukebox_notice(h->jukebox, cases[i].kind, "T", "text");
        house_run(h, cases[i].ms - 100);
        assert_int_equal(jukebox_scene(h->jukebox)->notice, cases[i].kind);
        house_run(h, 200);
        assert_int_equal(jukebox_scene(h->jukebox)->notice, NOTICE_NONE);
    }
    end(h);
}

/* ---- deaths ----------------------------------------------------------------------------------- */

static void the_deck_that_plays_may_die(void **state)
{
    struct fake_house *h = playing_house_of("a b", &looping);
    house_run(h, 3000);
    int64_t before = house_air(h).media_ns;
    uint32_t deck = h->plan.now.deck;
    house_kill_deck(h, deck);
    house_run(h, 1000);
    assert_on_air(h, "a.mp4");
    assert_int_equal(h->plan.now.deck, 1 - deck);
    assert_int_equal(h->plan.now.start, START_JOIN);
    int64_t moved = house_air(h).media_ns - before;
    assert_true(moved > MS(900) && moved < MS(1100)); /* the rings lasted: nothing heard */
    assert_int_equal(h->stood_ns, 0);
    house_run(h, 7000);
    assert_on_air(h, "b.mp4");
    assert_int_equal(h->stood_ns, 0);
    end(h);
}

static void the_deck_that_holds_the_next_may_die(void **state)
{
    struct fake_house *h = playing_house_of("a b", &looping);
    uint32_t deck = h->plan.next.deck;
    house_kill_deck(h, deck);
    house_tick(h);
    assert_int_equal(h->plan.next.load, 0);
    uint64_t load = h->order[deck].load; /* the new process finds it */
    house_run(h, 1500);
    assert_int_equal(h->plan.next.load, load);
    house_run(h, 9000);
    assert_on_air(h, "b.mp4");
    assert_int_equal(h->stood_ns, 0);
    end(h);
}

static void a_deck_that_was_back_before_anyone_looked_is_noticed(void **state)
{
    struct fake_house *h = playing_house_of("a b", &looping);
    house_run(h, 2000);
    uint32_t deck = h->plan.now.deck;
    deck_start(&h->deck[deck]);
    deck_start(&h->deck[deck]); /* another process, alive */
    house_run(h, 1500);
    assert_on_air(h, "a.mp4");
    assert_int_equal(h->plan.now.deck, 1 - deck);
    assert_true(h->stood_ns < SECONDS(1));
    end(h);
}

static void both_decks_may_die(void **state)
{
    struct fake_house *h = playing_house_of("a b", &looping);
    house_run(h, 3000);
    int64_t before = house_air(h).media_ns;
    house_kill_deck(h, 0);
    house_kill_deck(h, 1);
    house_run(h, 2000);
    assert_on_air(h, "a.mp4");
    assert_true(house_air(h).media_ns > before + MS(1000));
    house_run(h, 7000);
    assert_on_air(h, "b.mp4");
    end(h);
}

/* The rings run out before a deck is ready, at a position just behind what its own ring reaches. */
static void a_join_that_cannot_be_taken_is_loaded_again_where_the_sound_stands(void **state)
{
    struct fake_house *h = playing_house_of("late b", &looping);
    house_run(h, 1000);
    house_kill_deck(h, 0);
    house_kill_deck(h, 1);
    house_run(h, 6000);
    assert_on_air(h, "late.mp4");
    assert_true(house_air(h).is_moving);
    end(h);
}

static void the_stage_may_die_and_the_position_stands_meanwhile(void **state)
{
    struct fake_house *h = playing_house_of("a b", &looping);
    house_run(h, 3000);
    int64_t before = house_air(h).media_ns;
    unsigned plans = h->plans;
    house_kill_stage(h);
    house_run(h, 300);
    assert_int_equal(jukebox_state(h->jukebox), JUKEBOX_WAITING);
    assert_true(jukebox_position_ns(h->jukebox) < before + MS(100));
    assert_int_equal(h->plans, plans);
    house_run(h, 1200);
    assert_on_air(h, "a.mp4");
    assert_int_equal(h->plans, plans);
    house_run(h, 8000);
    assert_on_air(h, "b.mp4");
    end(h);
}

static void a_decoder_that_stops_giving_samples_is_ended(void **state)
{
    struct fake_house *h = playing_house_of("a b", &looping);
    h->deck[h->plan.now.deck].is_hung = true;
    house_run(h, 7000);
    assert_int_equal(h->kills, 1);
    assert_on_air(h, "a.mp4");
    assert_true(house_air(h).is_moving);
    end(h);
}

static void a_decoder_that_is_slow_is_waited_for(void **state)
{
    struct fake_house *h = playing_house_of("a b", &looping);
    struct fake_deck *deck = &h->deck[h->plan.now.deck];
    deck->is_slow = true;
    house_run(h, 12000);
    assert_int_equal(h->kills, 0);
    deck->is_slow = false;
    house_run(h, 500);
    assert_on_air(h, "a.mp4");
    assert_true(house_air(h).is_moving);
    deck->is_hung = true;
    house_run(h, 7000);
    assert_int_equal(h->kills, 1);
    end(h);
}

/* ---- the board's decoders ---------------------------------------------------------------------- */

static void fail_hardware(struct fake_house *h, uint32_t deck, bool is_lost)
{
    h->deck[deck].state.hardware = is_lost ? DECK_HARDWARE_H264 : DECK_SOFTWARE;
    h->deck[deck].state.hardware_fault = DECK_HARDWARE_H264;
}

static void what_the_boards_decoder_fails_goes_on_in_software(void **state)
{
    struct fake_house *h = playing_house_of("a b", &looping);
    house_run(h, 2000);
    uint32_t deck = h->plan.now.deck;
    int64_t before = jukebox_position_ns(h->jukebox);
    uint64_t load = h->plan.now.load;
    fail_hardware(h, deck, true);
    house_run(h, 50); /* the deck is heard until the other one is ready */
    assert_int_equal(h->kills, 0);
    assert_int_equal(house_air(h).load, load);
    house_run(h, 1000);
    assert_int_equal(h->kills, 1);
    assert_on_air(h, "a.mp4");
    assert_int_equal(h->plan.now.deck, 1 - deck);
    assert_int_equal(h->order[1 - deck].no_hardware, DECK_HARDWARE_H264);
    assert_true(jukebox_position_ns(h->jukebox) > before);
    assert_int_equal(h->stood_ns, 0);
    assert_string_equal(main_at(h, 0)->unplayable, "");
    house_run(h, 9000); /* what follows is tried again */
    assert_on_air(h, "b.mp4");
    assert_int_equal(h->order[h->plan.now.deck].no_hardware, 0);
    house_run(h, 10000);
    assert_on_air(h, "a.mp4");
    assert_int_equal(h->order[h->plan.now.deck].no_hardware, DECK_HARDWARE_H264);
    assert_int_equal(h->kills, 1);
    end(h);
}

static void what_is_to_follow_is_loaded_again_in_software(void **state)
{
    struct fake_house *h = playing_house_of("a b", &looping);
    house_run(h, 2000);
    uint32_t deck = 1 - h->plan.now.deck;
    uint64_t load = h->plan.next.load;
    assert_true(load != 0);
    fail_hardware(h, deck, true);
    house_run(h, 1000);
    assert_int_equal(h->kills, 1);
    assert_true(h->plan.next.load > load);
    assert_int_equal(h->order[deck].no_hardware, DECK_HARDWARE_H264);
    house_run(h, 8000);
    assert_on_air(h, "b.mp4");
    assert_int_equal(h->stood_ns, 0);
    end(h);
}

static void a_decoder_that_could_not_be_opened_is_only_remembered(void **state)
{
    struct fake_house *h = playing_house_of("a b", &looping);
    house_run(h, 2000);
    uint64_t load = h->plan.now.load;
    fail_hardware(h, h->plan.now.deck, false);
    house_run(h, 1000);
    assert_int_equal(h->kills, 0);
    assert_int_equal(h->plan.now.load, load);
    assert_int_equal(jukebox_hardware_faults(h->jukebox)->count, 1);
    end(h);
}

/* Whether the hardware is given up when it has failed three songs, of which software says `fault`. */
static bool given_up_after(uint32_t fault, const char *songs)
{
    struct fake_house *h = playing_house_of(songs, &looping);
    uint64_t known = 0;
    int failed = 0;
    for (int ms = 0; ms < 60000; ms += 50) {
        uint32_t deck = h->plan.now.deck;
        if (h->plan.now.load != known && failed < 3 && !h->order[deck].no_hardware) {
            fail_hardware(h, deck, true);
            failed++;
        }
        known = h->plan.now.load;
        for (uint32_t d = 0; d < DECKS; d++)
            if (h->order[d].no_hardware && h->deck[d].state.load == h->order[d].load)
                h->deck[d].state.hardware_fault |= fault;
        house_run(h, 50);
    }
    assert_int_equal(failed, 3);
    assert_int_equal(jukebox_hardware_faults(h->jukebox)->count, 3);
    uint32_t given_up = hardware_faults_given_up(jukebox_hardware_faults(h->jukebox));
    end(h);
    return given_up == DECK_HARDWARE_H264;
}

static void three_songs_that_software_plays_are_the_boards_fault(void **state)
{
    assert_true(given_up_after(0, "a b c"));
}

static void songs_that_software_fails_too_say_nothing_of_the_board(void **state)
{
    assert_false(given_up_after(DECK_SOFTWARE_FAULT, "a b c"));
}

/* After an upgrade one deck has died and the other has not. */
static void decks_of_two_versions_do_not_forget_what_was_learned(void **state)
{
    struct fake_house *h = playing_house_of("a b", &looping);
    h->deck[0].system = "61.3";
    h->deck[1].system = "61.19";
    house_run(h, 2000);
    fail_hardware(h, h->plan.now.deck, true);
    house_run(h, 3000);
    assert_int_equal(jukebox_hardware_faults(h->jukebox)->count, 1);
    h->deck[0].system = "61.20";
    house_run(h, 200); /* that is another system */
    assert_int_equal(jukebox_hardware_faults(h->jukebox)->count, 0);
    end(h);
}

/* On a slow board: it cannot catch up with the sound, which is more than pictures. */
static void the_sound_goes_on_while_software_is_too_slow(void **state)
{
    struct fake_house *h = playing_house_of("a far b", &looping);
    house_run(h, 10500);
    assert_on_air(h, "far.mp4");
    h->stood_ns = 0;
    fail_hardware(h, h->plan.now.deck, true);
    house_run(h, 8500);
    assert_on_air(h, "far.mp4");
    assert_int_equal(h->stood_ns, 0);
    house_run(h, 6000);
    assert_on_air(h, "b.mp4");
    assert_string_equal(main_at(h, 2)->unplayable, "");
    assert_string_equal(main_at(h, 1)->unplayable, "");
    end(h);
}

/* Two deaths at its beginning were its own; a third one would be too many. */
static void a_song_is_not_blamed_for_the_boards_decoder(void **state)
{
    struct fake_house *h = playing_house_of("a", &looping);
    for (int i = 0; i < 2; i++) {
        house_kill_deck(h, h->plan.now.deck);
        house_run(h, 250);
    }
    assert_on_air(h, "a.mp4");
    fail_hardware(h, h->plan.now.deck, true);
    house_run(h, 1000);
    assert_int_equal(h->kills, 1);
    assert_on_air(h, "a.mp4");
    assert_string_equal(main_at(h, 0)->unplayable, "");
    end(h);
}

/* ---- restarts of the brain -------------------------------------------------------------------- */

static void the_brain_may_die_and_nothing_is_heard(void **state)
{
    struct fake_house *h = playing_house_of("a b c", &looping);
    house_run(h, 3000);
    house_save(h);
    struct plan before = h->plan;
    house_kill_brain(h);
    house_run(h, 500);
    house_start_brain(h);
    assert_int_equal(h->plan.now.load, before.now.load);
    assert_int_equal(h->plan.next.load, before.next.load);
    assert_true(jukebox_position_ns(h->jukebox) > SECONDS(3));
    house_run(h, 8000);
    assert_on_air(h, "b.mp4");
    house_run(h, 10000);
    assert_on_air(h, "c.mp4");
    assert_int_equal(h->stood_ns, 0);
    end(h);
}

static void the_queue_follows_what_the_stage_did_without_a_brain(void **state)
{
    struct fake_house *h = playing_house_of("a b c", &looping);
    house_save(h);
    house_kill_brain(h);
    house_run(h, 12000);
    house_start_brain(h);
    assert_on_air(h, "b.mp4");
    assert_string_equal(main_at(h, 2)->source, "/m/a.mp4");
    assert_int_equal(h->played[0].how, PLAYED_ENDED);
    house_run(h, 10000);
    assert_on_air(h, "c.mp4");
    assert_int_equal(h->stood_ns, 0);
    end(h);
}

static void a_skip_that_was_saved_survives_although_the_old_track_still_plays(void **state)
{
    struct fake_house *h = playing_house_of("a b slow", &looping);
    house_apply(h, OP_PLAY_NOW, entry(h, QUEUE_MAIN, 2)); /* not loaded: a plays on */
    assert_string_equal(house_on_air(h), "a.mp4");
    house_save(h);
    house_kill_brain(h);
    house_start_brain(h);
    assert_string_equal(house_now(h), "slow.mp4");
    house_run(h, 1500);
    assert_on_air(h, "slow.mp4");
    assert_int_equal(h->stood_ns, 0);
    end(h);
}

static void a_seek_after_a_skip_survives_although_neither_reached_the_stage(void **state)
{
    struct fake_house *h = playing_house_of("a b", &looping);
    struct plan before = h->plan; /* b is loaded from its beginning */
    house_apply(h, OP_SKIP, 0);
    assert_int_equal(jukebox_seek(h->jukebox, SECONDS(5)), 0);
    jukebox_save_position(h->jukebox, &h->position);
    house_save(h);
    house_kill_brain(h);
    h->plan = before;
    house_start_brain(h);
    house_run(h, 500);
    assert_on_air(h, "b.mp4");
    assert_in_range(house_air(h).media_ns, SECONDS(5), SECONDS(6));
    end(h);
}

static void a_skip_that_was_not_saved_but_is_heard_stays(void **state)
{
    struct fake_house *h = playing_house_of("a b c", &looping);
    house_save(h);
    house_apply(h, OP_SKIP, 0);
    house_run(h, 300);
    house_kill_brain(h);
    house_start_brain(h);
    assert_on_air(h, "b.mp4");
    assert_string_equal(main_at(h, 2)->source, "/m/a.mp4");
    end(h);
}

static void a_load_that_was_played_is_not_taken_for_the_next(void **state)
{
    struct fake_house *h = playing_house_of("a b", &looping);
    uint64_t played = h->plan.now.load;
    house_apply(h, OP_SKIP, 0); /* the deck of a is not ordered anew before the stage has left it */
    assert_int_equal(h->order[0].load, played);
    house_save(h);
    house_kill_brain(h);
    house_run(h, 200);
    house_start_brain(h);
    assert_on_air(h, "b.mp4");
    assert_int_not_equal(h->order[0].load, played);
    house_run(h, 1000);
    assert_on_air(h, "b.mp4");
    end(h);
}

static void pause_volume_and_mute_survive(void **state)
{
    struct fake_house *h = playing_house_of("a b", &looping);
    jukebox_set_paused(h->jukebox, true);
    jukebox_set_volume(h->jukebox, 33);
    jukebox_set_muted(h->jukebox, true);
    house_brain_turn(h);
    house_save(h);
    house_kill_brain(h);
    house_start_brain(h);
    assert_true(h->plan.is_paused && h->plan.is_muted && h->plan.volume == 33);
    house_power_cut(h);
    assert_true(h->plan.is_paused && h->plan.is_muted && h->plan.volume == 33);
    end(h);
}

static bool decks_paint_text(const struct fake_house *h)
{
    for (int d = 0; d < DECKS; d++) {
        if (h->order[d].load && !(h->order[d].flags & ORDER_TEXT))
            return false;
    }
    return true;
}

static void subtitles_are_off_until_wanted_and_survive(void **state)
{
    struct fake_house *h = playing_house_of("a b", &looping);
    house_run(h, 1000);
    assert_false(jukebox_scene(h->jukebox)->shows_text);
    assert_false(decks_paint_text(h));
    uint64_t load = h->plan.now.load;
    jukebox_set_text(h->jukebox, true);
    house_brain_turn(h);
    assert_true(jukebox_scene(h->jukebox)->shows_text && decks_paint_text(h));
    house_save(h);
    house_kill_brain(h);
    house_start_brain(h);
    house_run(h, 500);
    assert_true(jukebox_scene(h->jukebox)->shows_text && decks_paint_text(h));
    assert_int_equal(h->plan.now.load, load); /* it played on */
    house_apply(h, OP_SKIP, 0);
    house_run(h, 2000);
    assert_int_not_equal(h->plan.now.load, load);
    assert_true(decks_paint_text(h));
    house_power_cut(h);
    house_run(h, 2000);
    assert_true(jukebox_scene(h->jukebox)->shows_text && decks_paint_text(h));
    jukebox_set_text(h->jukebox, false);
    house_brain_turn(h);
    assert_false(decks_paint_text(h));
    end(h);
}

static void deck_and_brain_may_die_together(void **state)
{
    struct fake_house *h = playing_house_of("a b", &looping);
    house_run(h, 2000);
    house_save(h);
    house_kill_brain(h);
    house_kill_deck(h, h->plan.now.deck);
    house_run(h, 600); /* the deck is back, another process, before the brain is */
    house_start_brain(h);
    house_run(h, 1500);
    assert_on_air(h, "a.mp4");
    assert_true(house_air(h).is_moving);
    end(h);
}

static void after_a_power_cut_the_track_goes_on_where_it_was(void **state)
{
    struct fake_house *h = playing_house_of("a b c", &looping);
    house_apply(h, OP_SKIP, 0);
    house_run(h, 5000);
    int64_t before = house_air(h).media_ns;
    house_save(h);
    house_power_cut(h);
    assert_int_equal(h->order[0].load > 0, 1);
    assert_true(house_run_until_playing(h, 2000));
    assert_on_air(h, "b.mp4");
    int64_t now = house_air(h).media_ns;
    assert_true(now > before - MS(2100) && now < before + MS(500));
    assert_int_equal(h->plan.is_paused, 0);
    end(h);
}

static void without_autostart_it_waits_paused_when_the_power_comes(void **state)
{
    struct jukebox_settings s = { .loops = true };
    struct fake_house *h = house_of("a b", &s);
    house_run(h, 500);
    assert_int_equal(jukebox_state(h->jukebox), JUKEBOX_PAUSED);
    jukebox_set_paused(h->jukebox, false);
    assert_true(house_run_until_playing(h, 500));
    house_save(h);
    house_power_cut(h);
    house_run(h, 1000);
    assert_int_equal(jukebox_state(h->jukebox), JUKEBOX_PAUSED);
    assert_string_equal(house_now(h), "a.mp4");
    jukebox_set_paused(h->jukebox, false);
    assert_true(house_run_until_playing(h, 500));
    end(h);
}

static void a_saved_position_behind_the_end_starts_from_the_beginning(void **state)
{
    struct fake_house *h = playing_house_of("a b", &looping);
    house_save(h);
    h->position.position_ns = SECONDS(500);
    house_power_cut(h);
    assert_true(house_run_until_playing(h, 2000));
    assert_on_air(h, "a.mp4");
    assert_true(house_air(h).media_ns < SECONDS(1));
    assert_string_equal(main_at(h, 0)->unplayable, "");
    end(h);
}

static void a_plan_of_nonsense_in_shared_memory_does_no_harm(void **state)
{
    struct fake_house *h = playing_house_of("a b", &looping);
    house_save(h);
    house_kill_brain(h);
    h->plan.now.deck = 4711;
    h->plan.next.deck = UINT32_MAX;
    h->plan.volume = 9999;
    memset(h->order[1].path, 'x', sizeof(h->order[1].path));
    uint32_t spans = h->clock.span_count;
    h->clock.span_count = 77;
    house_start_brain(h);
    h->clock.span_count = spans;
    assert_true(house_run_until_playing(h, 5000));
    end(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_cannot_be_opened_is_marked_explained_and_passed_over),
        cmocka_unit_test(a_bad_first_file_costs_no_time),
        cmocka_unit_test(a_bad_track_stays_for_staff_to_see_also_where_played_ones_leave),
        cmocka_unit_test(a_bad_request_leaves_and_is_in_the_history),
        cmocka_unit_test(when_all_fail_it_says_so_and_goes_on_with_new_entries),
        cmocka_unit_test(adding_the_same_file_again_lifts_the_mark),
        cmocka_unit_test(a_restart_of_the_brain_keeps_marks),
        cmocka_unit_test(a_song_without_a_file_plays_the_one_that_others_know),
        cmocka_unit_test(a_file_that_is_away_is_marked_until_the_mark_is_taken_off),
        cmocka_unit_test(a_file_that_breaks_off_is_played_as_far_as_it_goes),
        cmocka_unit_test(a_file_of_which_less_than_a_second_can_be_played_is_marked),
        cmocka_unit_test(a_file_that_breaks_off_and_ends_between_two_turns_is_marked),
        cmocka_unit_test(files_that_end_at_once_are_marked_and_not_looped_on),
        cmocka_unit_test(a_whole_round_that_gives_nothing_is_marked),
        cmocka_unit_test(a_very_short_track_is_no_fault),
        cmocka_unit_test(
            a_deck_that_hangs_while_opening_is_ended_and_the_track_marked_the_third_time),
        cmocka_unit_test(a_track_that_hangs_alone_is_marked_the_third_time),
        cmocka_unit_test(a_next_that_hangs_is_passed_over_while_the_music_goes_on),
        cmocka_unit_test(a_file_that_opens_late_for_a_while_is_played_later),
        cmocka_unit_test(what_was_heard_meanwhile_makes_up_for_opening_late),
        cmocka_unit_test(a_request_that_opens_late_keeps_its_place_while_another_plays),
        cmocka_unit_test(a_next_may_take_long_to_open_while_another_plays),
        cmocka_unit_test(files_that_break_decks_are_marked_after_three_deaths),
        cmocka_unit_test(notices_expire),
        cmocka_unit_test(the_deck_that_plays_may_die),
        cmocka_unit_test(the_deck_that_holds_the_next_may_die),
        cmocka_unit_test(a_deck_that_was_back_before_anyone_looked_is_noticed),
        cmocka_unit_test(both_decks_may_die),
        cmocka_unit_test(a_join_that_cannot_be_taken_is_loaded_again_where_the_sound_stands),
        cmocka_unit_test(the_stage_may_die_and_the_position_stands_meanwhile),
        cmocka_unit_test(a_decoder_that_stops_giving_samples_is_ended),
        cmocka_unit_test(a_decoder_that_is_slow_is_waited_for),
        cmocka_unit_test(what_the_boards_decoder_fails_goes_on_in_software),
        cmocka_unit_test(what_is_to_follow_is_loaded_again_in_software),
        cmocka_unit_test(a_decoder_that_could_not_be_opened_is_only_remembered),
        cmocka_unit_test(three_songs_that_software_plays_are_the_boards_fault),
        cmocka_unit_test(songs_that_software_fails_too_say_nothing_of_the_board),
        cmocka_unit_test(decks_of_two_versions_do_not_forget_what_was_learned),
        cmocka_unit_test(the_sound_goes_on_while_software_is_too_slow),
        cmocka_unit_test(a_song_is_not_blamed_for_the_boards_decoder),
        cmocka_unit_test(the_brain_may_die_and_nothing_is_heard),
        cmocka_unit_test(the_queue_follows_what_the_stage_did_without_a_brain),
        cmocka_unit_test(a_skip_that_was_saved_survives_although_the_old_track_still_plays),
        cmocka_unit_test(a_seek_after_a_skip_survives_although_neither_reached_the_stage),
        cmocka_unit_test(a_skip_that_was_not_saved_but_is_heard_stays),
        cmocka_unit_test(a_load_that_was_played_is_not_taken_for_the_next),
        cmocka_unit_test(pause_volume_and_mute_survive),
        cmocka_unit_test(subtitles_are_off_until_wanted_and_survive),
        cmocka_unit_test(deck_and_brain_may_die_together),
        cmocka_unit_test(after_a_power_cut_the_track_goes_on_where_it_was),
        cmocka_unit_test(without_autostart_it_waits_paused_when_the_power_comes),
        cmocka_unit_test(a_saved_position_behind_the_end_starts_from_the_beginning),
        cmocka_unit_test(a_plan_of_nonsense_in_shared_memory_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
