/* How the role goes from one device to another in good order. */
#include "sync/bar.h"

static struct doc *queue_doc(struct bar *b)
{
    return server_find(&b->server, "queues", VENUE);
}

static bool has_mark(struct bar *b)
{
    const char *now = doc_get(queue_doc(b), "nowPlaying");
    return now && strstr(now, "\"left\":true");
}

/* Another device has the role, and this one has heard so. */
static void open_waiting(struct bar *b, const char *now_playing)
{
    open_bar(b, "secret");
    add_queue(b);
    doc_set(queue_doc(b), "nowPlaying", now_playing);
    server_touch(&b->server, queue_doc(b), "update");
    strcpy(b->server.master, "device_2");
    b->has_realtime = true;
    go(b, 20);
    assert_int_equal(status_of(b).role, SYNC_OTHER);
}

/* The document is written by somebody else, and this one reads it. */
static void rewrite(struct bar *b)
{
    int64_t stamp_ms = queue_doc(b)->stamp_ms;
    server_touch(&b->server, queue_doc(b), "update");
    assert_true(queue_doc(b)->stamp_ms > stamp_ms);
    struct message *m = doc_message(queue_doc(b)), *data = message_create();
    message_set_object(data, "payload", m);
    message_append_str(data, "events", "x.update");
    struct message *event = message_create();
    message_set_str(event, "type", "event");
    message_set_object(event, "data", data);
    char *text = message_text(event, false);
    tell(b, text);
    free(text);
    message_destroy(event);
    settle(b);
}

#define PLAYS(left)                                                                                \
    "{\"id\":\"song0\",\"videoId\":\"aaaaaaaaaaa\",\"turn\":\"deadbeefdeadbeef-9\"" left "}"

static void who_leaves_says_so_and_gives_the_role_back(void **state)
{
    struct bar b;
    open_good_bar(&b);
    play(&b);
    go(&b, 30);
    assert_false(has_mark(&b));
    sync_finish(b.sync, b.now_ns);
    settle(&b);
    assert_true(has_mark(&b));
    assert_string_equal(b.server.master, "");
    assert_true(sync_is_finished(b.sync));
    close_bar(&b);
}

static void who_leaves_says_so_also_when_somebody_wrote_meanwhile(void **state)
{
    struct bar b;
    open_good_bar(&b);
    play(&b);
    go(&b, 30);
    server_touch(&b.server, queue_doc(&b), "update");
    sync_finish(b.sync, b.now_ns);
    settle(&b);
    go_ms(&b, 300);
    assert_true(has_mark(&b));
    assert_true(sync_is_finished(b.sync));
    close_bar(&b);
}

/* The word of it may be there before the role is free. */
static void who_waits_has_the_role_as_soon_as_the_other_has_given_it_up(void **state)
{
    struct bar b;
    open_waiting(&b, PLAYS(""));
    int asked = b.asked_role;
    doc_set(queue_doc(&b), "nowPlaying", PLAYS(",\"left\":true"));
    rewrite(&b);
    assert_int_equal(b.asked_role, asked + 1);
    assert_int_equal(status_of(&b).role, SYNC_OTHER);
    go_ms(&b, 500);
    b.server.master[0] = '\0';
    go_ms(&b, 250);
    assert_int_equal(status_of(&b).role, SYNC_MASTER);
    play(&b);
    go(&b, 5);
    assert_false(has_mark(&b));
    close_bar(&b);
}

static void where_nothing_plays_a_write_that_changes_nothing_is_the_word(void **state)
{
    struct bar b;
    open_waiting(&b, NULL);
    int asked = b.asked_role;
    doc_set(queue_doc(&b), "mainQueue", "[]"); /* staff at work */
    rewrite(&b);
    assert_int_equal(b.asked_role, asked);
    b.server.master[0] = '\0';
    rewrite(&b);
    assert_int_equal(status_of(&b).role, SYNC_MASTER);
    close_bar(&b);
}

static void who_does_not_give_it_up_is_asked_for_a_short_time_only(void **state)
{
    struct bar b;
    open_waiting(&b, PLAYS(""));
    doc_set(queue_doc(&b), "nowPlaying", PLAYS(",\"left\":true"));
    rewrite(&b);
    go(&b, 5);
    int asked = b.asked_role;
    go(&b, 15);
    assert_int_equal(b.asked_role, asked);
    close_bar(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_leaves_says_so_and_gives_the_role_back),
        cmocka_unit_test(who_leaves_says_so_also_when_somebody_wrote_meanwhile),
        cmocka_unit_test(who_waits_has_the_role_as_soon_as_the_other_has_given_it_up),
        cmocka_unit_test(where_nothing_plays_a_write_that_changes_nothing_is_the_word),
        cmocka_unit_test(who_does_not_give_it_up_is_asked_for_a_short_time_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
