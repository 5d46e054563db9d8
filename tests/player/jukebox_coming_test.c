/* Songs that are on their way do not hold up the show: what is here plays, and they play once they are here. */
#include "player/jukebox_bench.h"

#include <errno.h>

/* Which files are not here yet, which still grow, and which are none of the house: letters of their names. */
struct way {
    char coming[16], growing[16], foreign[16];
};

static struct way way; /* of the test that runs */

static bool names(const char *letters, const char *source)
{
    return strlen(source) == 8 && strchr(letters, source[3]); /* "/m/X.mp4" */
}

static bool is_coming(void *ctx, const struct track *t, const char *source)
{
    return names(way.coming, source);
}

static bool may_open(void *ctx, const struct track *t)
{
    return !names(way.foreign, t->source);
}

static bool is_growing(void *ctx, const struct track *t, const char *source)
{
    return names(way.growing, source);
}

static char *find_source(void *ctx, const struct track *t, const char *source, char *why,
                         size_t why_size)
{
    if (*source && !is_coming(ctx, t, source))
        return strdup(source);
    snprintf(why, why_size, *source ? "It was asked for too early." : "It is not ours.");
    return NULL;
}

/* Knows the names of c.mp4. */
static bool name_song(void *ctx, const struct track *t, struct song_name *out)
{
    *out = (struct song_name){ "Song", "Band", 123 };
    return names("c", t->source) && track_has_stand_in(t);
}

static int names_told; /* of the test that runs */

static void count_names(void *ctx, const struct queue_op *op)
{
    names_told += op->kind == OP_NAME;
}

static const struct jukebox_settings fetching = {
    .autostarts = true,
    .loops = true,
    .may_open = may_open,
    .find_source = find_source,
    .is_coming = is_coming,
    .is_growing = is_growing,
    .name_song = name_song,
    .on_op = count_names,
};
static const struct jukebox_settings fetching_once = {
    .autostarts = true,
    .exits_at_end = true,
    .find_source = find_source,
    .is_coming = is_coming,
};

static int fresh_way(void **state)
{
    way = (struct way){ "", "", "" };
    return 0;
}

static void what_is_here_plays_first_and_the_other_when_it_is_here(void **state)
{
    snprintf(way.coming, sizeof(way.coming), "a");
    struct fake_house *h = house_of("a b c", &fetching);
    assert_true(house_run_until_playing(h, 1000));
    assert_on_air(h, "b.mp4");
    way.coming[0] = '\0';
    house_run(h, 10000);
    assert_on_air(h, "a.mp4");
    assert_string_equal(main_at(h, 0)->unplayable, "");
    house_run(h, 10000);
    assert_on_air(h, "c.mp4");
    end(h);
}

static void a_file_that_is_none_of_the_house_is_passed_over_and_marked(void **state)
{
    snprintf(way.foreign, sizeof(way.foreign), "b");
    struct fake_house *h = playing_house_of("a b c", &fetching);
    house_run(h, 10000);
    assert_on_air(h, "c.mp4");
    assert_string_equal(main_at(h, 2)->source, "/m/b.mp4");
    assert_string_equal(main_at(h, 2)->unplayable, "It is not ours.");
    end(h);
}

static void a_song_of_the_house_is_not_played_from_the_file_another_names_for_it(void **state)
{
    snprintf(way.foreign, sizeof(way.foreign), "b");
    struct fake_house *h = playing_house_of("a", &fetching);
    struct track *t = track_create(), *foreign = track_create();
    track_set(&t->video_id, "song");
    track_set(&t->title, "Song");
    track_set(&foreign->video_id, "song");
    track_set(&foreign->source, "/m/b.mp4");
    (void)jukebox_apply(h->jukebox, &(struct queue_op){ .kind = OP_ADD, .track = t, .seed = 1 });
    (void)jukebox_apply(h->jukebox,
                        &(struct queue_op){ .kind = OP_ADD, .track = foreign, .seed = 2 });
    assert_string_equal(jukebox_source(h->jukebox, t), "");
    way.foreign[0] = '\0';
    assert_string_equal(jukebox_source(h->jukebox, t), "/m/b.mp4");
    track_destroy(t);
    track_destroy(foreign);
    end(h);
}

static void with_nothing_else_it_is_awaited_and_plays_at_once(void **state)
{
    snprintf(way.coming, sizeof(way.coming), "a");
    struct fake_house *h = house_of("a", &fetching);
    house_run(h, 2000);
    assert_null(jukebox_queue(h->jukebox)->now);
    assert_true(jukebox_awaits(h->jukebox));
    assert_int_equal(jukebox_state(h->jukebox), JUKEBOX_WAITING);
    assert_non_null(strstr(jukebox_scene(h->jukebox)->notice_title, "on its way"));
    assert_non_null(strstr(jukebox_scene(h->jukebox)->idle_text, "being fetched"));
    jukebox_set_trouble(h->jukebox, "There is no internet.", "Look at the cable.");
    house_run(h, 100);
    assert_string_equal(jukebox_scene(h->jukebox)->idle_text, "There is no internet.");
    assert_non_null(strstr(jukebox_scene(h->jukebox)->notice_text, "no internet"));
    assert_string_equal(jukebox_advice(h->jukebox), "Look at the cable.");
    way.coming[0] = '\0';
    assert_true(house_run_until_playing(h, 1000));
    assert_on_air(h, "a.mp4");
    end(h);
}

static void the_player_does_not_end_while_a_song_is_awaited(void **state)
{
    snprintf(way.coming, sizeof(way.coming), "b");
    struct fake_house *h = house_of("a b", &fetching_once);
    house_run(h, 15000);
    assert_false(h->has_quit);
    way.coming[0] = '\0';
    assert_true(house_run_until_playing(h, 1000));
    assert_on_air(h, "b.mp4");
    house_run(h, 12000);
    assert_true(h->has_quit);
    house_close(h);
    free(h);
}

static void the_only_song_that_is_here_repeats_meanwhile(void **state)
{
    snprintf(way.coming, sizeof(way.coming), "bc");
    struct fake_house *h = playing_house_of("a b c", &fetching);
    house_run(h, 25000);
    assert_on_air(h, "a.mp4");
    assert_int_equal(h->stood_ns, 0);
    end(h);
}

static void to_play_one_now_that_comes_makes_it_the_next(void **state)
{
    snprintf(way.coming, sizeof(way.coming), "c");
    struct fake_house *h = playing_house_of("a b c", &fetching);
    assert_int_equal(house_apply(h, OP_PLAY_NOW, entry(h, QUEUE_MAIN, 2)), 0);
    house_run(h, 500);
    assert_on_air(h, "a.mp4");
    assert_string_equal(main_at(h, 1)->source, "/m/c.mp4");
    way.coming[0] = '\0';
    house_run(h, 10000);
    assert_on_air(h, "c.mp4");
    end(h);
}

static void a_song_of_the_last_evening_that_is_gone_gives_way(void **state)
{
    struct fake_house *h = playing_house_of("a b", &fetching);
    house_save(h);
    snprintf(way.coming, sizeof(way.coming), "a");
    house_power_cut(h);
    assert_true(house_run_until_playing(h, 3000));
    assert_on_air(h, "b.mp4");
    assert_string_equal(main_at(h, 1)->source, "/m/a.mp4");
    assert_string_equal(main_at(h, 1)->unplayable, "");
    way.coming[0] = '\0';
    house_run(h, 10000);
    assert_on_air(h, "a.mp4");
    end(h);
}

static void a_request_that_gives_way_stays_the_first(void **state)
{
    struct fake_house *h = playing_house_of("a", &fetching);
    house_request(h, "/m/b.mp4");
    house_apply(h, OP_SKIP, 0);
    assert_true(house_run_until_playing(h, 1000));
    assert_on_air(h, "b.mp4");
    house_save(h);
    snprintf(way.coming, sizeof(way.coming), "b");
    house_power_cut(h);
    assert_true(house_run_until_playing(h, 3000));
    assert_on_air(h, "a.mp4");
    assert_int_equal(jukebox_queue(h->jukebox)->list[QUEUE_REQUESTS].count, 1);
    way.coming[0] = '\0';
    house_run(h, 10000);
    assert_on_air(h, "b.mp4");
    end(h);
}

static void a_song_that_cannot_be_had_is_marked_before_its_turn(void **state)
{
    snprintf(way.coming, sizeof(way.coming), "b");
    struct fake_house *h = playing_house_of("a b", &fetching);
    struct entry_ref ref = entry_ref_of(main_at(h, 1));
    assert_int_equal(jukebox_give_up(h->jukebox, ref, "It is gone.", false), 0);
    house_run(h, 100);
    assert_string_equal(main_at(h, 1)->unplayable, "It is gone.");
    assert_non_null(strstr(jukebox_scene(h->jukebox)->notice_text, "It is gone."));
    assert_int_equal(jukebox_give_up(h->jukebox, entry_ref_of(main_at(h, 1)), "Gone.", true), 0);
    assert_int_equal(jukebox_queue(h->jukebox)->list[QUEUE_MAIN].count, 1);
    assert_int_equal(jukebox_give_up(h->jukebox, (struct entry_ref){ .id = "none" }, "", true),
                     -ENOENT);
    end(h);
}

static void a_deck_is_told_that_the_file_grows_and_when_it_is_whole(void **state)
{
    snprintf(way.growing, sizeof(way.growing), "a");
    struct fake_house *h = playing_house_of("a b", &fetching);
    assert_true(h->order[h->plan.now.deck].flags & ORDER_GROWING);
    uint64_t load = h->order[h->plan.now.deck].load;
    way.growing[0] = '\0';
    house_run(h, 100);
    assert_false(h->order[h->plan.now.deck].flags & ORDER_GROWING);
    assert_int_equal(h->order[h->plan.now.deck].load, load);
    end(h);
}

static void what_a_guest_far_away_names_besides_the_song_is_not_opened(void **state)
{
    struct fake_house *h = playing_house_of("a", &fetching);
    struct track *t = track_create();
    track_set(&t->video_id, "song");
    track_set(&t->source, "/m/b.mp4");
    track_set(&t->payment_id, "pay-1");
    t->is_request = true;
    struct queue_op op = { .kind = OP_ADD, .track = t, .seed = ++h->seed };
    assert_int_equal(jukebox_apply(h->jukebox, &op), 0);
    const struct track *own = jukebox_queue(h->jukebox)->list[QUEUE_REQUESTS].at[0];
    assert_string_equal(jukebox_source(h->jukebox, own), "");
    track_set(&t->payment_id, NULL);
    track_set(&t->video_id, "at the box");
    track_set(&t->requester_id, TRACK_BOX_REQUESTER);
    op.seed = ++h->seed;
    assert_int_equal(jukebox_apply(h->jukebox, &op), 0);
    const struct track *staffs = jukebox_queue(h->jukebox)->list[QUEUE_REQUESTS].at[1];
    assert_string_equal(jukebox_source(h->jukebox, staffs), "/m/b.mp4");
    track_set(&t->requester_id, NULL);
    track_set(&t->video_id, "song");
    track_set(&t->source, "/m/c.mp4");
    t->is_request = false;
    op.seed = ++h->seed;
    assert_int_equal(jukebox_apply(h->jukebox, &op), 0);
    assert_string_equal(jukebox_source(h->jukebox, own), "/m/c.mp4");
    track_destroy(t);
    end(h);
}

static void a_song_gets_its_names_and_keeps_them_when_the_queue_comes_from_elsewhere(void **state)
{
    struct fake_house *h = playing_house_of("c b", &fetching);
    struct queue theirs;
    queue_copy(&theirs, jukebox_queue(h->jukebox));
    track_list_name(&theirs.list[QUEUE_MAIN], theirs.list[QUEUE_MAIN].at[0], "", "");
    track_set(&theirs.now->title, "");
    theirs.list[QUEUE_MAIN].at[0]->duration_s = 0;
    names_told = 0;
    for (int i = 0; i < 2; i++) {
        jukebox_adopt(h->jukebox, &theirs);
        assert_int_equal(names_told, i + 1); /* once for all entries of the song: others are told */
        jukebox_name_songs(h->jukebox);
        assert_int_equal(names_told, i + 1);
        const struct queue *q = jukebox_queue(h->jukebox);
        assert_string_equal(main_at(h, 0)->title, "Song");
        assert_string_equal(main_at(h, 0)->artist, "Band");
        assert_string_equal(q->now->title, "Song");
        assert_string_equal(main_at(h, 1)->title, "b");
        size_t chars = 2;
        for (size_t k = 0; k < q->list[QUEUE_MAIN].count; k++)
            chars += track_json_chars(q->list[QUEUE_MAIN].at[k]) + 1;
        assert_int_equal(track_list_json_chars(&q->list[QUEUE_MAIN]), chars);
    }
    jukebox_set_away(h->jukebox, true);
    jukebox_adopt(h->jukebox, &theirs);
    assert_string_equal(main_at(h, 0)->title, "Song");
    assert_int_equal(names_told, 2); /* that is for the one that plays */
    queue_finish(&theirs);
    end(h);
}

#define TEST(f) cmocka_unit_test_setup(f, fresh_way)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_here_plays_first_and_the_other_when_it_is_here),
        TEST(a_file_that_is_none_of_the_house_is_passed_over_and_marked),
        TEST(a_song_of_the_house_is_not_played_from_the_file_another_names_for_it),
        TEST(with_nothing_else_it_is_awaited_and_plays_at_once),
        TEST(the_player_does_not_end_while_a_song_is_awaited),
        TEST(the_only_song_that_is_here_repeats_meanwhile),
        TEST(to_play_one_now_that_comes_makes_it_the_next),
        TEST(a_song_of_the_last_evening_that_is_gone_gives_way),
        TEST(a_request_that_gives_way_stays_the_first),
        TEST(a_song_that_cannot_be_had_is_marked_before_its_turn),
        TEST(a_deck_is_told_that_the_file_grows_and_when_it_is_whole),
        TEST(a_song_gets_its_names_and_keeps_them_when_the_queue_comes_from_elsewhere),
        TEST(what_a_guest_far_away_names_besides_the_song_is_not_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
