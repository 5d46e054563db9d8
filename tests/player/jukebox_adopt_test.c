/* What others far away do with the queue: it is adopted, and the music follows. And what the jukebox does with it
 * is told, so that a second queue fed with the same operations stays the same. */
#include "player/jukebox_bench.h"

#include <errno.h>

#include "wire/message.h"
#include "wire/track_json.h"

static struct queue theirs_of(const struct fake_house *h)
{
    struct queue q;
    queue_copy(&q, jukebox_queue(h->jukebox));
    return q;
}

static void adopt(struct fake_house *h, struct queue *theirs)
{
    jukebox_adopt(h->jukebox, theirs);
    queue_finish(theirs);
    house_run(h, 1500);
}

static void what_plays_goes_on_when_the_lists_change(void **state)
{
    struct fake_house *h = playing_house_of("a b c", &looping);
    struct queue q = theirs_of(h);
    assert_int_equal(
        queue_apply(&q, &(struct queue_op){ .kind = OP_REMOVE,
                                            .entry = entry_ref_of(q.list[QUEUE_MAIN].at[1]) }),
        0);
    uint64_t load = h->plan.now.load;
    adopt(h, &q);
    assert_int_equal(h->plan.now.load, load);
    assert_on_air(h, "a.mp4");
    assert_int_equal(jukebox_queue(h->jukebox)->list[QUEUE_MAIN].count, 2);
    assert_string_equal(house_name(h, h->plan.next.entry), "c.mp4");
    assert_int_equal(h->stood_ns, 0);
    end(h);
}

static void nothing_playing_there_is_a_skip_here(void **state)
{
    struct fake_house *h = playing_house_of("a b c", &looping);
    struct queue q = theirs_of(h);
    assert_int_equal(
        queue_apply(&q, &(struct queue_op){ .kind = OP_SKIP, .entry = entry_ref_of(q.now) }), 0);
    assert_null(q.now);
    adopt(h, &q);
    assert_on_air(h, "b.mp4");
    assert_int_equal(h->played[0].how, PLAYED_SKIPPED);
    end(h);
}

static void another_track_there_is_played_here(void **state)
{
    struct fake_house *h = playing_house_of("a b c", &looping);
    struct queue q = theirs_of(h);
    assert_int_equal(
        queue_apply(&q, &(struct queue_op){ .kind = OP_START,
                                            .entry = entry_ref_of(q.list[QUEUE_MAIN].at[2]) }),
        0);
    adopt(h, &q);
    assert_on_air(h, "c.mp4");
    assert_int_equal(h->played_count, 1);
    end(h);
}

/* Also over restarts, though what was changed last was not saved. */
static void the_revision_of_the_queue_grows_with_its_changes_and_with_nothing_else(void **state)
{
    struct fake_house *h = playing_house_of("a b c", &looping);
    uint64_t before = jukebox_queue_revision(h->jukebox), now;
    jukebox_set_volume(h->jukebox, 12);
    jukebox_set_muted(h->jukebox, true);
    jukebox_set_paused(h->jukebox, true);
    jukebox_set_paused(h->jukebox, false);
    house_run(h, 500);
    assert_true(jukebox_queue_revision(h->jukebox) == before);
    house_add(h, "/m/d.mp4");
    assert_true((now = jukebox_queue_revision(h->jukebox)) > before);
    before = now;
    struct queue q = theirs_of(h);
    queue_apply(&q, &(struct queue_op){ .kind = OP_CLEAR, .list = QUEUE_REQUESTS });
    adopt(h, &q);
    assert_true((now = jukebox_queue_revision(h->jukebox)) > before);
    before = now;
    jukebox_apply(h->jukebox, &(struct queue_op){ .kind = OP_SKIP });
    assert_true((now = jukebox_queue_revision(h->jukebox)) > before);
    house_run(h, 1500);
    house_save(h);
    for (int i = 0; i < 3; i++) {
        before = jukebox_queue_revision(h->jukebox);
        house_kill_brain(h);
        house_start_brain(h);
        assert_true((now = jukebox_queue_revision(h->jukebox)) > before);
        assert_true(jukebox_revision(h->jukebox) > 0); /* it is to be saved */
        house_save(h);
        house_run(h, 1500);
        house_add(h, "/m/e.mp4"); /* and this is lost */
    }
    end(h);
}

static void a_queue_that_was_emptied_there_lets_the_track_play_out(void **state)
{
    struct fake_house *h = playing_house_of("a b", &looping);
    struct queue q = theirs_of(h);
    assert_int_equal(queue_apply(&q, &(struct queue_op){ .kind = OP_CLEAR, .all_lists = true }), 0);
    adopt(h, &q);
    assert_on_air(h, "a.mp4");
    house_run(h, 11000);
    assert_int_equal(jukebox_state(h->jukebox), JUKEBOX_IDLE);
    end(h);
}

/* ---- another player has the venue --------------------------------------------------------------------- */

static void while_another_has_the_music_nothing_plays_here_and_the_screens_say_so(void **state)
{
    struct fake_house *h = playing_house_of("a b c", &looping);
    jukebox_set_away(h->jukebox, true);
    house_run(h, 1500);
    assert_int_equal(jukebox_state(h->jukebox), JUKEBOX_IDLE);
    assert_true(h->plan.now.load == 0);
    assert_string_equal(jukebox_scene(h->jukebox)->notice_title, "Another player has this venue");
    assert_int_equal(jukebox_scene(h->jukebox)->now.entry, 0);
    assert_int_equal(h->played_count, 0);
    end(h);
}

static void the_card_of_a_box_that_waits_names_the_one_that_has_the_music(void **state)
{
    struct fake_house *h = playing_house_of("a b c", &looping);
    const struct scene *s = jukebox_scene(h->jukebox);
    jukebox_set_away(h->jukebox, true);
    house_run(h, 100);
    assert_null(strstr(s->notice_text, "device_1")); /* nobody has said which */
    assert_non_null(strstr(s->notice_text, "comes from there"));
    jukebox_set_master(h->jukebox, "device_1_bar");
    house_run(h, 100);
    assert_string_equal(s->notice_text, "The music comes from device_1_bar. This one goes on when "
                                        "that is gone.");
    jukebox_set_away(h->jukebox, false);
    house_run(h, 1500);
    assert_int_equal(s->notice, NOTICE_NONE);
    end(h);
}

static void what_the_other_starts_is_not_started_here(void **state)
{
    struct fake_house *h = playing_house_of("a b c", &looping);
    jukebox_set_away(h->jukebox, true);
    struct queue q = theirs_of(h);
    assert_int_equal(
        queue_apply(&q, &(struct queue_op){ .kind = OP_SKIP, .entry = entry_ref_of(q.now) }), 0);
    adopt(h, &q);
    assert_true(h->plan.now.load == 0);
    assert_int_equal(jukebox_apply(h->jukebox, &(struct queue_op){ .kind = OP_SKIP }), -EPERM);
    assert_null(jukebox_queue(h->jukebox)->now);
    jukebox_set_away(h->jukebox, false);
    house_run(h, 1500);
    assert_on_air(h, "b.mp4");
    end(h);
}

static void when_the_other_is_gone_its_song_goes_on_here(void **state)
{
    struct fake_house *h = playing_house_of("a b c", &looping);
    jukebox_set_away(h->jukebox, true);
    struct queue q = theirs_of(h);
    assert_int_equal(
        queue_apply(&q, &(struct queue_op){ .kind = OP_START,
                                            .entry = entry_ref_of(q.list[QUEUE_MAIN].at[2]) }),
        0);
    adopt(h, &q);
    assert_true(h->plan.now.load == 0);
    jukebox_set_away(h->jukebox, false);
    house_run(h, 1500);
    assert_on_air(h, "c.mp4");
    end(h);
}

static void a_guest_s_song_without_a_file_is_played_from_that_of_the_same_song(void **state)
{
    struct fake_house *h = playing_house_of("a b c", &looping);
    struct queue q = theirs_of(h);
    struct track *t = track_create();
    track_set(&t->id, "5f3759df5f3759df5f37");
    track_set(&t->video_id, q.list[QUEUE_MAIN].at[2]->video_id);
    track_set(&t->title, "asked for");
    t->is_request = true;
    assert_int_equal(queue_apply(&q, &(struct queue_op){ .kind = OP_ADD, .track = t }), 0);
    track_destroy(t);
    adopt(h, &q);
    assert_int_equal(jukebox_apply(h->jukebox, &(struct queue_op){ .kind = OP_SKIP }), 0);
    house_run(h, 1500);
    assert_string_equal(jukebox_order(h->jukebox, h->plan.now.deck)->path, "/m/c.mp4");
    assert_string_equal(jukebox_queue(h->jukebox)->now->title, "asked for");
    end(h);
}

/* ---- operations are told ------------------------------------------------------------------------------ */

static void mirror(void *ctx, const struct queue_op *op)
{
    (void)queue_apply(ctx, op); /* as the jukebox's own: it may have nothing to do */
}

/* Two of the same song, which nothing tells apart and for which there is no file: a web page may write that. */
static void songs_that_nothing_tells_apart_are_passed_over_all_at_once(void **state)
{
    struct fake_house *h = playing_house_of("a", &looping);
    struct queue q = theirs_of(h);
    assert_int_equal(queue_apply(&q, &(struct queue_op){ .kind = OP_CLEAR, .all_lists = true }), 0);
    for (int i = 0; i < 4; i++) {
        struct track *t = track_create();
        track_set(&t->id, i % 2 ? "unique()" : "");
        track_set(&t->video_id, "X");
        track_set(&t->title, "Z");
        track_list_append(&q.list[i < 3 ? QUEUE_MAIN : QUEUE_REQUESTS], t);
    }
    adopt(h, &q);
    const struct queue *own = jukebox_queue(h->jukebox);
    for (size_t i = 0; i < 3; i++)
        assert_string_not_equal(own->list[QUEUE_MAIN].at[i]->unplayable, "");
    assert_string_not_equal(own->list[QUEUE_REQUESTS].at[0]->unplayable, "");
    assert_on_air(h, "a.mp4"); /* plays to its end */
    end(h);
}

static char *text_of(const struct queue *q)
{
    struct message *m = queue_to_message(q);
    char *text = message_text(m, false);
    message_destroy(m);
    return text;
}

static void assert_mirrored(const struct fake_house *h, const struct queue *q)
{
    char *ours = text_of(jukebox_queue(h->jukebox)), *told = text_of(q);
    assert_string_equal(ours, told);
    free(ours);
    free(told);
}

static void a_second_queue_fed_with_the_operations_stays_the_same(void **state)
{
    struct queue q;
    queue_init(&q);
    q.loops = true;
    struct jukebox_settings settings = looping;
    settings.on_op = mirror;
    settings.ctx = &q;
    struct fake_house *h = playing_house_of("a bad b c", &settings);
    house_request(h, "/m/d.mp4");
    assert_int_equal(q.list[QUEUE_REQUESTS].count, 1);
    house_run(h, 12000); /* a ends, d starts */
    assert_on_air(h, "d.mp4");
    house_apply(h, OP_SKIP, jukebox_plan(h->jukebox)->now.entry);
    house_run(h, 3000); /* bad is marked, b starts */
    assert_on_air(h, "b.mp4");
    house_apply(h, OP_REMOVE, jukebox_plan(h->jukebox)->now.entry);
    house_apply(h, OP_SHUFFLE, 0);
    house_run(h, 1000);
    assert_int_equal(q.list[QUEUE_MAIN].count, 3);
    assert_non_null(q.now);
    for (size_t i = 0; i < q.list[QUEUE_MAIN].count; i++) /* told by the decks, not by operations */
        q.list[QUEUE_MAIN].at[i]->duration_s =
            jukebox_queue(h->jukebox)->list[QUEUE_MAIN].at[i]->duration_s;
    q.now->duration_s = jukebox_queue(h->jukebox)->now->duration_s;
    assert_mirrored(h, &q);
    end(h);
    queue_finish(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_plays_goes_on_when_the_lists_change),
        cmocka_unit_test(nothing_playing_there_is_a_skip_here),
        cmocka_unit_test(another_track_there_is_played_here),
        cmocka_unit_test(a_queue_that_was_emptied_there_lets_the_track_play_out),
        cmocka_unit_test(the_revision_of_the_queue_grows_with_its_changes_and_with_nothing_else),
        cmocka_unit_test(while_another_has_the_music_nothing_plays_here_and_the_screens_say_so),
        cmocka_unit_test(the_card_of_a_box_that_waits_names_the_one_that_has_the_music),
        cmocka_unit_test(what_the_other_starts_is_not_started_here),
        cmocka_unit_test(when_the_other_is_gone_its_song_goes_on_here),
        cmocka_unit_test(a_guest_s_song_without_a_file_is_played_from_that_of_the_same_song),
        cmocka_unit_test(songs_that_nothing_tells_apart_are_passed_over_all_at_once),
        cmocka_unit_test(a_second_queue_fed_with_the_operations_stays_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
