/* What one write of the queue holds, and when it is made. */
#include "sync/bar.h"

static void end_first(struct bar *b)
{
    const struct track_list *list = &sync_view(b->sync)->list[QUEUE_MAIN];
    struct track *first = track_copy(list->at[0]), *second = track_copy(list->at[1]);
    struct queue_op end = { .kind = OP_END, .entry = entry_ref_of(first) };
    struct queue_op start = { .kind = OP_START, .entry = entry_ref_of(second) };
    assert_int_equal(sync_apply(b->sync, &end, b->now_ns), 0);
    settle(b);
    assert_int_equal(sync_apply(b->sync, &start, b->now_ns), 0);
    settle(b);
    track_destroy(first);
    track_destroy(second);
}

static const char *now_playing(struct bar *b)
{
    return doc_get(server_find(&b->server, "queues", VENUE), "nowPlaying");
}

/* Also when the end is on disk before the start is. */
static void an_end_and_the_start_after_it_are_one_write(void **state)
{
    struct bar b;
    open_good_bar(&b);
    add_song(&b);
    play(&b);
    go(&b, 5);
    assert_contains(now_playing(&b), "aaaaaaaaaaa");
    b.saves_late = true;
    int pushes = b.pushes;
    uint64_t before = b.revision;
    end_first(&b);
    sync_saved(b.sync, before + 1, b.now_ns);
    settle(&b);
    assert_int_equal(b.pushes, pushes);
    assert_contains(now_playing(&b), "aaaaaaaaaaa");
    sync_saved(b.sync, b.revision, b.now_ns);
    settle(&b);
    assert_int_equal(b.pushes, pushes + 1);
    assert_contains(now_playing(&b), "bbbbbbbbbbb");
    close_bar(&b);
}

static void nothing_is_told_that_a_power_cut_could_take(void **state)
{
    struct bar b;
    open_good_bar(&b);
    b.saves_late = true;
    int pushes = b.pushes;
    add_song(&b);
    go(&b, 100);
    assert_int_equal(b.pushes, pushes);
    sync_saved(b.sync, b.revision, b.now_ns);
    settle(&b);
    assert_int_equal(b.pushes, pushes + 1);
    close_bar(&b);
}

/* Else it would look like the skip of a web admin, and the song come back. */
static void a_box_that_does_not_play_takes_a_song_out_and_leaves_what_plays(void **state)
{
    struct bar b;
    open_bar(&b, "secret");
    snprintf(b.server.master, sizeof(b.server.master), "device_2");
    add_queue(&b);
    struct doc *d = server_find(&b.server, "queues", VENUE);
    doc_set(d, "nowPlaying",
            "{\"id\":\"song0\",\"videoId\":\"aaaaaaaaaaa\",\"turn\":\"deadbeefdeadbeef-9\"}");
    server_touch(&b.server, d, "update");
    go(&b, 20);
    assert_int_equal(status_of(&b).role, SYNC_OTHER);
    struct queue_op remove = { .kind = OP_REMOVE, .entry = { .id = "song0" } };
    assert_int_equal(sync_apply(b.sync, &remove, b.now_ns), 0);
    settle(&b);
    go(&b, 10);
    assert_string_equal(doc_get(d, "mainQueue"), "[]");
    assert_non_null(now_playing(&b));
    assert_contains(now_playing(&b), "deadbeefdeadbeef-9");
    assert_int_equal(status_of(&b).pending, 0);
    close_bar(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_end_and_the_start_after_it_are_one_write),
        cmocka_unit_test(nothing_is_told_that_a_power_cut_could_take),
        cmocka_unit_test(a_box_that_does_not_play_takes_a_song_out_and_leaves_what_plays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
