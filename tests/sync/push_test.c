/* What one write of the queue holds, and when it is made. */
#include "sync/bar.h"

static void end_first(struct bar *b)
{
    const struct track_list *list = &sync_view(b->sync)->list[QUEUE_MAIN];
    struct track *first = track_copy(list->at[0]), *second = track_copy(list->at[1]);
    struct queue_op end = { .kind = OP_END, .entry = entry_ref_of(first) };
    struct queue_op start = { .kind = OP_START, .entry = entry_ref_of(second) };
    assert_int_equal(sync_apply(b->sync, &end, 0, b->now_ns), 0);
    settle(b);
    assert_int_equal(sync_apply(b->sync, &start, 0, b->now_ns), 0);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_end_and_the_start_after_it_are_one_write),
        cmocka_unit_test(nothing_is_told_that_a_power_cut_could_take),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
