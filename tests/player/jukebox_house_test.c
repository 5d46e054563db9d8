/* While nothing of the queue can be played the house plays songs of its own, which give way to the queue. */
#include "player/jukebox_bench.h"

static struct {
    char coming[16], growing[16]; /* letters of songs that are not here yet, or not whole */
    const char *songs;            /* of the house: letters, in their order */
    size_t next;
    unsigned asked;
    bool was_stuck;     /* at the last time */
    unsigned told;      /* operations others were told of */
    const char *bad[3]; /* whole names of songs of the house instead; NULL: none */
} room;

static bool names(const char *letters, const char *source)
{
    return strlen(source) == 8 && strchr(letters, source[3]); /* "/m/X.mp4" */
}

static bool is_coming(void *ctx, const struct track *t, const char *source)
{
    return names(room.coming, source);
}

static bool is_growing(void *ctx, const struct track *t, const char *source)
{
    return names(room.growing, source);
}

static char *find_source(void *ctx, const struct track *t, const char *source, char *why,
                         size_t why_size)
{
    return strdup(source);
}

static struct track *house_song(void *ctx, bool is_stuck)
{
    char path[64];
    room.asked++;
    room.was_stuck = is_stuck;
    if (!*room.songs)
        return NULL;
    char letter = room.songs[room.next++ % strlen(room.songs)];
    if (letter >= '0' && letter <= '2')
        snprintf(path, sizeof(path), "/m/%s.mp4", room.bad[letter - '0']);
    else
        snprintf(path, sizeof(path), "/m/%c.mp4", letter);
    struct track *t = track_create();
    track_from_path(t, path);
    return t;
}

static void on_op(void *ctx, const struct queue_op *op)
{
    room.told++;
}

static const struct jukebox_settings housed = {
    .autostarts = true,
    .on_op = on_op,
    .find_source = find_source,
    .is_coming = is_coming,
    .is_growing = is_growing,
    .house_song = house_song,
};

static int fresh_room(void **state)
{
    memset(&room, 0, sizeof(room));
    room.songs = "cd";
    return 0;
}

/* The queue was there before the house could play anything of its own. */
static struct fake_house *stuck_house_of(const char *names)
{
    const char *songs = room.songs;
    room.songs = "";
    struct fake_house *h = house_of(names, &housed);
    room.songs = songs;
    return h;
}

static size_t rows_of(const struct fake_house *h, enum played_how how)
{
    size_t n = 0;
    for (size_t i = 0; i < h->played_count; i++)
        n += h->played[i].how == how;
    return n;
}

static void an_empty_queue_is_filled_song_after_song(void **state)
{
    struct fake_house *h = house_of("", &housed);
    assert_true(house_run_until_playing(h, 1000));
    assert_on_air(h, "c.mp4");
    assert_true(jukebox_plays_house(h->jukebox));
    assert_int_equal(jukebox_state(h->jukebox), JUKEBOX_PLAYING);
    assert_false(room.was_stuck);
    assert_int_equal(jukebox_scene(h->jukebox)->notice, NOTICE_NONE);
    house_run(h, 10400);
    assert_on_air(h, "d.mp4");
    house_run(h, 10500);
    assert_on_air(h, "c.mp4");
    assert_int_equal(h->played_count, 2);
    assert_int_equal(room.asked, 3);
    assert_int_equal(room.told, 0); /* it is no business of the queue's */
    end(h);
}

static void it_gives_way_at_once_to_what_can_be_played(void **state)
{
    struct fake_house *h = house_of("", &housed);
    assert_true(house_run_until_playing(h, 1000));
    house_run(h, 1000);
    h->stood_ns = 0;
    house_add(h, "/m/a.mp4");
    house_run(h, 400);
    assert_on_air(h, "a.mp4");
    assert_false(jukebox_plays_house(h->jukebox));
    assert_int_equal(h->stood_ns, 0); /* it went on until then */
    assert_int_equal(rows_of(h, PLAYED_SKIPPED), 1);
    house_run(h, 10000);
    assert_on_air(h, "d.mp4");
    assert_int_equal(jukebox_queue(h->jukebox)->list[QUEUE_MAIN].count, 0);
    end(h);
}

static void it_plays_while_songs_are_on_their_way_and_says_why(void **state)
{
    snprintf(room.coming, sizeof(room.coming), "ab");
    struct fake_house *h = stuck_house_of("a b");
    jukebox_set_trouble(h->jukebox, "There is no internet.", "Look at the cable.");
    assert_true(house_run_until_playing(h, 1000));
    assert_on_air(h, "c.mp4");
    assert_true(room.was_stuck);
    const struct scene *s = jukebox_scene(h->jukebox);
    assert_non_null(strstr(s->notice_title, "Music of the house"));
    house_run(h, 10000);
    assert_string_equal(jukebox_scene(h->jukebox)->notice_text, "There is no internet.");
    assert_int_equal(s->next_count, 2);
    snprintf(room.coming, sizeof(room.coming), "a");
    house_run(h, 400);
    assert_on_air(h, "b.mp4");
    end(h);
}

static void with_nothing_at_all_the_screens_say_why_and_what_helps(void **state)
{
    room.songs = "";
    struct fake_house *h = house_of("", &housed);
    house_run(h, 1000);
    const struct scene *s = jukebox_scene(h->jukebox);
    assert_non_null(strstr(s->idle_text, "The queue is empty."));
    assert_string_equal(s->idle_help, "");
    snprintf(room.coming, sizeof(room.coming), "a");
    house_add(h, "/m/a.mp4");
    jukebox_set_trouble(h->jukebox, "There is no internet.", "Look at the cable.");
    house_run(h, 1000);
    assert_true(room.was_stuck);
    s = jukebox_scene(h->jukebox);
    assert_string_equal(s->idle_text, "There is no internet.");
    assert_non_null(strstr(s->idle_help, "Look at the cable. Songs in a folder of this box"));
    end(h);
}

static void it_plays_when_all_of_the_queue_is_bad(void **state)
{
    struct fake_house *h = stuck_house_of("bad bad2");
    assert_true(house_run_until_playing(h, 2000));
    assert_on_air(h, "c.mp4");
    char why[192];
    jukebox_why_idle(h->jukebox, why, sizeof(why));
    assert_non_null(strstr(why, "None of the 2 songs"));
    house_run(h, 30000);
    assert_int_equal(jukebox_state(h->jukebox), JUKEBOX_PLAYING);
    end(h);
}

static void a_bad_song_of_the_house_is_passed_over(void **state)
{
    static const char *const kinds[] = { "bad", "crash", "empty", "hang" };
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        fresh_room(state);
        room.songs = "0d";
        room.bad[0] = kinds[i];
        struct fake_house *h = house_of("", &housed);
        assert_true(house_run_until_playing(h, 1000) || i >= 1);
        house_run(h, 3000);
        assert_on_air(h, "d.mp4");
        house_close(h);
        free(h);
    }
}

static void where_all_of_the_house_are_bad_they_are_tried_now_and_then(void **state)
{
    room.songs = "012";
    room.bad[0] = "bad";
    room.bad[1] = "bad2";
    room.bad[2] = "nowhere";
    struct fake_house *h = house_of("", &housed);
    house_run(h, 60000);
    assert_in_range(room.asked, 8, 40);
    room.songs = "d";
    house_run(h, 6000);
    assert_on_air(h, "d.mp4");
    house_run(h, 9500);
    assert_on_air(h, "d.mp4");
    house_close(h);
    free(h);
}

static void a_person_skips_to_another_one(void **state)
{
    struct fake_house *h = house_of("", &housed);
    assert_true(house_run_until_playing(h, 1000));
    for (int i = 0; i < 6; i++) { /* however fast */
        assert_int_equal(house_apply(h, OP_SKIP, 0), 0);
        house_run(h, 300);
        assert_on_air(h, i % 2 ? "c.mp4" : "d.mp4");
    }
    assert_int_equal(room.told, 0);
    end(h);
}

static void changes_of_the_queue_far_away_do_not_touch_it(void **state)
{
    snprintf(room.coming, sizeof(room.coming), "a");
    struct fake_house *h = house_of("", &housed);
    assert_true(house_run_until_playing(h, 1000));
    struct queue theirs;
    queue_init(&theirs);
    struct track *t = track_create();
    track_from_path(t, "/m/a.mp4");
    assert_int_equal(queue_apply(&theirs, &(struct queue_op){ .kind = OP_ADD, .track = t }), 0);
    track_destroy(t);
    uint64_t load = h->plan.now.load;
    jukebox_adopt(h->jukebox, &theirs);
    queue_finish(&theirs);
    house_run(h, 1000);
    assert_int_equal(h->plan.now.load, load);
    assert_on_air(h, "c.mp4");
    assert_int_equal(jukebox_queue(h->jukebox)->list[QUEUE_MAIN].count, 1);
    room.coming[0] = '\0';
    house_run(h, 400);
    assert_on_air(h, "a.mp4");
    end(h);
}

static void a_box_that_is_away_is_silent(void **state)
{
    struct fake_house *h = house_of("", &housed);
    assert_true(house_run_until_playing(h, 1000));
    jukebox_set_away(h->jukebox, true);
    house_run(h, 1000);
    assert_null(jukebox_queue(h->jukebox)->now);
    assert_int_equal(jukebox_state(h->jukebox), JUKEBOX_IDLE);
    jukebox_set_away(h->jukebox, false);
    assert_true(house_run_until_playing(h, 1000));
    assert_on_air(h, "d.mp4");
    house_close(h);
    free(h);
}

static void the_brain_may_die(void **state)
{
    struct fake_house *h = house_of("", &housed);
    assert_true(house_run_until_playing(h, 1000));
    house_run(h, 2500);
    house_save(h);
    uint64_t load = h->plan.now.load;
    house_kill_brain(h);
    for (int i = 0; i < 20; i++)
        house_tick(h);
    house_start_brain(h);
    house_run(h, 500);
    assert_int_equal(h->plan.now.load, load);
    assert_on_air(h, "c.mp4");
    assert_true(jukebox_plays_house(h->jukebox));
    house_run(h, 8000);
    assert_on_air(h, "d.mp4");
    end(h);
}

static void a_player_that_ends_with_its_queue_ends(void **state)
{
    struct jukebox_settings settings = housed;
    settings.exits_at_end = true;
    struct fake_house *h = house_of("a", &settings);
    house_run(h, 12000);
    assert_true(h->has_quit);
    assert_int_equal(room.asked, 0);
    house_close(h);
    free(h);
}

/* The deck of what plays gives no more, for the file has no more yet. */
static void dry_up(struct fake_house *h, bool is_dry)
{
    h->deck[h->plan.now.deck].is_hung = is_dry;
}

static void what_has_run_dry_is_finished_when_it_is_whole(void **state)
{
    for (int has_other = 0; has_other < 2; has_other++) {
        fresh_room(state);
        snprintf(room.growing, sizeof(room.growing), "a");
        struct fake_house *h = stuck_house_of(has_other ? "a b" : "a");
        assert_true(house_run_until_playing(h, 1000));
        house_run(h, 500);
        h->stood_ns = 0;
        uint32_t deck = h->plan.now.deck;
        dry_up(h, true);
        house_run(h, 5500);
        assert_on_air(h, has_other ? "b.mp4" : "c.mp4");
        assert_in_range(h->stood_ns, SECONDS(1), SECONDS(2) + MS(500));
        assert_int_equal(h->kills, 0); /* the deck did nothing wrong */
        assert_string_equal(main_at(h, has_other)->source, "/m/a.mp4");
        assert_string_equal(main_at(h, has_other)->unplayable, "");
        h->deck[deck].is_hung = false;
        house_run(h, 12000);
        assert_string_not_equal(house_on_air(h), "a.mp4");
        room.growing[0] = '\0';
        house_run(h, 2000);
        assert_on_air(h, "a.mp4");
        house_close(h);
        free(h);
    }
}

static void what_has_run_dry_goes_on_where_there_is_nothing_else(void **state)
{
    room.songs = "";
    snprintf(room.growing, sizeof(room.growing), "a");
    struct fake_house *h = playing_house_of("a", &housed);
    dry_up(h, true);
    house_run(h, 8000);
    assert_int_equal(h->kills, 0);
    dry_up(h, false);
    house_run(h, 500);
    assert_on_air(h, "a.mp4");
    house_run(h, 3000);
    assert_int_equal(jukebox_state(h->jukebox), JUKEBOX_PLAYING);
    end(h);
}

static void what_opens_late_does_not_hold_up_the_music(void **state)
{
    struct fake_house *h = stuck_house_of("sleepy");
    house_run(h, 3500);
    assert_on_air(h, "c.mp4");
    assert_string_equal(main_at(h, 0)->unplayable, "");
    house_run(h, 50000);
    bool has_played = false;
    for (size_t i = 0; i < h->played_count; i++)
        has_played |= strcmp(h->played[i].title, "sleepy") == 0 && h->played[i].how == PLAYED_ENDED;
    assert_true(has_played); /* the third time */
    assert_int_equal(jukebox_state(h->jukebox), JUKEBOX_PLAYING);
    house_close(h);
    free(h);
}

#define TEST(f) cmocka_unit_test_setup(f, fresh_room)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_empty_queue_is_filled_song_after_song),
        TEST(it_gives_way_at_once_to_what_can_be_played),
        TEST(it_plays_while_songs_are_on_their_way_and_says_why),
        TEST(with_nothing_at_all_the_screens_say_why_and_what_helps),
        TEST(it_plays_when_all_of_the_queue_is_bad),
        TEST(a_bad_song_of_the_house_is_passed_over),
        TEST(where_all_of_the_house_are_bad_they_are_tried_now_and_then),
        TEST(a_person_skips_to_another_one),
        TEST(changes_of_the_queue_far_away_do_not_touch_it),
        TEST(a_box_that_is_away_is_silent),
        TEST(the_brain_may_die),
        TEST(a_player_that_ends_with_its_queue_ends),
        TEST(what_has_run_dry_is_finished_when_it_is_whole),
        TEST(what_has_run_dry_goes_on_where_there_is_nothing_else),
        TEST(what_opens_late_does_not_hold_up_the_music),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
