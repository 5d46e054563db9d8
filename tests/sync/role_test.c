/* Which device has the role: how it is held, lost, taken, and handed over in good order. */
#include <errno.h>

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
    tell_of(b, queue_doc(b), "update");
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

/* ---- held and lost ------------------------------------------------------------------------------ */

static void the_master_says_every_25_s_that_it_is_there(void **state)
{
    struct bar b;
    open_good_bar(&b);
    play(&b);
    int asked = b.asked_role;
    go(&b, 250);
    assert_in_range(b.asked_role - asked, 10, 11);
    close_bar(&b);
}

/* The registry's outer answer is "completed" in any case. */
static void who_hears_that_another_has_the_role_stops_and_writes_nothing_of_its_own(void **state)
{
    struct bar b;
    open_good_bar(&b);
    add_song(&b);
    play(&b);
    go(&b, 10);
    const char *now = doc_get(queue_doc(&b), "nowPlaying");
    assert_contains(now, "aaaaaaaaaaa");
    strcpy(b.server.master, "device_2"); /* the heartbeat finds no role of ours */
    go(&b, 26);
    assert_int_equal(status_of(&b).role, SYNC_OTHER);
    assert_string_equal(status_of(&b).master_device, "device_2");
    struct queue_op skip = { .kind = OP_SKIP, .entry = { .id = "song0" } };
    assert_int_equal(sync_apply(b.sync, &skip, b.now_ns), -EPERM);
    b.server.master[0] = '\0';
    go(&b, 26);
    assert_int_equal(status_of(&b).role, SYNC_MASTER);
    assert_string_equal(status_of(&b).master_device, "");
    close_bar(&b);
}

/* Whatever the registry says that is no answer, this box goes on. */
static void an_answer_of_the_registry_that_is_none_takes_the_role_from_nobody(void **state)
{
    static const char *const bodies[] = {
        "{\"status\":\"failed\",\"responseStatusCode\":500,\"responseBody\":\"\"}",
        "{\"status\":\"completed\",\"responseStatusCode\":200,\"responseBody\":\"\"}",
        "{\"status\":\"completed\",\"responseStatusCode\":200,\"responseBody\":\"<html>\"}",
        ("{\"status\":\"completed\",\"responseStatusCode\":503,\"responseBody\":\"{"
         "\\\"success\\\":false,\\\"reason\\\":\\\"MASTER_ACTIVE\\\"}\"}"),
        "{\"status\":\"waiting\"}",
        "{}",
        OTHER_JSON,
    };
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct bar b;
        open_good_bar(&b);
        play(&b);
        b.rule = (struct rule){ "POST", "/functions/", 201, bodies[i], 0, 0 };
        go(&b, 600);
        if (status_of(&b).role != SYNC_MASTER || !sync_view(b.sync)->now)
            fail_msg("after %s: role %d", bodies[i], status_of(&b).role);
        close_bar(&b);
    }
}

/* Another box may have taken the role after 120 s of silence. */
static void a_master_unheard_for_100_s_plays_on_and_writes_nothing_until_it_is_heard(void **state)
{
    struct bar b;
    open_good_bar(&b);
    add_song(&b);
    play(&b);
    go(&b, 10);
    b.rule = (struct rule){ "POST", "/functions/", 0, NULL, 0, 0 };
    go(&b, 130);
    int pushes = b.pushes;
    struct queue_op skip = { .kind = OP_SKIP, .entry = { .id = "song0" } };
    assert_int_equal(sync_apply(b.sync, &skip, b.now_ns), 0);
    settle(&b);
    go(&b, 60);
    assert_int_equal(status_of(&b).role, SYNC_MASTER);
    assert_int_equal(status_of(&b).pending, 1);
    assert_int_equal(b.pushes, pushes);
    b.rule = (struct rule){ 0 };
    go(&b, 6);
    assert_int_equal(status_of(&b).pending, 0);
    assert_int_equal(b.pushes, pushes + 1);
    close_bar(&b);
}

/* ---- the lease ---------------------------------------------------------------------------------- */

static struct doc *lease_doc(struct bar *b)
{
    for (size_t i = 0; i < b->server.count; i++) {
        if (strcmp(b->server.at[i].collection, "players") == 0)
            return &b->server.at[i];
    }
    fail_msg("there is no lease");
    return NULL;
}

/* Written by another device: ours does not overwrite what it has not seen. */
static void take_lease(struct bar *b)
{
    doc_set(lease_doc(b), "deviceId", "device_2");
    server_touch(&b->server, lease_doc(b), "update");
}

/* Of a venue without the function; the other device was faster at its last renewal. */
static void open_lease(struct bar *b)
{
    open_bar(b, "secret");
    add_queue(b);
    b->server.has_function = false;
    go(b, 30);
    assert_int_equal(status_of(b).role, SYNC_MASTER);
    assert_string_equal(doc_get(lease_doc(b), "deviceId"), "device_1");
    take_lease(b);
    go(b, 26);
    assert_int_equal(status_of(b).role, SYNC_OTHER);
    assert_string_equal(doc_get(lease_doc(b), "deviceId"), "device_2");
}

static void a_lease_is_renewed_every_25_s(void **state)
{
    struct bar b;
    open_bar(&b, "secret");
    add_queue(&b);
    b.server.has_function = false;
    go(&b, 30);
    int asked = b.asked_lease;
    go(&b, 250);
    assert_in_range(b.asked_lease - asked, 10, 11);
    close_bar(&b);
}

static void a_lease_that_nobody_renews_is_taken_after_120_s(void **state)
{
    struct bar b;
    open_lease(&b);
    go(&b, 119 - 26);
    assert_int_equal(status_of(&b).role, SYNC_OTHER);
    go(&b, 1 + 26 + 26);
    assert_int_equal(status_of(&b).role, SYNC_MASTER);
    assert_string_equal(doc_get(lease_doc(&b), "deviceId"), "device_1");
    close_bar(&b);
}

static void a_lease_that_is_renewed_is_left_to_its_holder(void **state)
{
    struct bar b;
    open_lease(&b);
    for (int n = 0; n < 24; n++) {
        server_touch(&b.server, lease_doc(&b), "update");
        go(&b, 25);
        assert_int_equal(status_of(&b).role, SYNC_OTHER);
    }
    close_bar(&b);
}

static void a_lease_that_was_given_up_is_free(void **state)
{
    struct bar b;
    open_lease(&b);
    doc_set(lease_doc(&b), "status", "offline");
    server_touch(&b.server, lease_doc(&b), "update");
    go(&b, 26);
    assert_int_equal(status_of(&b).role, SYNC_MASTER);
    sync_finish(b.sync, b.now_ns);
    settle(&b);
    assert_string_equal(doc_get(lease_doc(&b), "status"), "offline");
    assert_true(sync_is_finished(b.sync));
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
        cmocka_unit_test(the_master_says_every_25_s_that_it_is_there),
        cmocka_unit_test(who_hears_that_another_has_the_role_stops_and_writes_nothing_of_its_own),
        cmocka_unit_test(an_answer_of_the_registry_that_is_none_takes_the_role_from_nobody),
        cmocka_unit_test(a_master_unheard_for_100_s_plays_on_and_writes_nothing_until_it_is_heard),
        cmocka_unit_test(a_lease_is_renewed_every_25_s),
        cmocka_unit_test(a_lease_that_nobody_renews_is_taken_after_120_s),
        cmocka_unit_test(a_lease_that_is_renewed_is_left_to_its_holder),
        cmocka_unit_test(a_lease_that_was_given_up_is_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
