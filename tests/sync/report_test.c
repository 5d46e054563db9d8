/* What a box tells of itself, and what it makes of others: against the model of a backend. */
#include "sync/bar.h"

static struct doc *state_doc(struct bar *b)
{
    struct doc *only = NULL;
    for (size_t i = 0; i < b->server.count; i++)
        if (strcmp(b->server.at[i].collection, "player_state") == 0) {
            assert_null(only);
            only = &b->server.at[i];
        }
    assert_non_null(only);
    return only;
}

static void turn_up(struct bar *b, int volume)
{
    sync_playback(
        b->sync,
        &(struct sync_playback){ .is_playing = true, .duration_s = 9000, .volume = volume },
        b->now_ns);
    settle(b);
}

static void the_state_document_is_made_once_and_kept_true(void **state)
{
    struct bar b;
    open_bar(&b, "secret");
    b.server.has_state = true;
    add_queue(&b);
    b.rule = (struct rule){ "GET", "/queues/", 500, HTML, 0, 2 }; /* its id is not known at first */
    go(&b, 90);
    play(&b);
    for (int volume = 33; volume < 36; volume++) {
        turn_up(&b, volume);
        go(&b, 12);
        assert_int_equal(atoi(doc_get(state_doc(&b), "volume")), volume);
    }
    close_bar(&b);
}

static void a_state_document_under_another_id_is_the_one_that_is_written(void **state)
{
    struct bar b;
    open_bar(&b, "secret");
    b.server.has_state = true;
    add_queue(&b);
    struct doc *d = server_add(&b.server, "player_state", "of-the-web-player");
    doc_set(d, "venueId", VENUE);
    server_touch(&b.server, d, "create");
    go(&b, 20);
    play(&b);
    turn_up(&b, 12);
    go(&b, 12);
    assert_int_equal(atoi(doc_get(state_doc(&b), "volume")), 12);
    close_bar(&b);
}

static void start_of_what_plays_is_told_by_the_clock_of_the_server(void **state)
{
    struct bar b;
    open_good_bar(&b);
    play(&b);
    sync_playback(b.sync, &(struct sync_playback){ .is_playing = true, .duration_s = 300 },
                  b.now_ns);
    settle(&b);
    go(&b, 5);
    const char *now = doc_get(server_find(&b.server, "queues", VENUE), "nowPlaying");
    assert_non_null(now);
    struct message *m = message_parse(now, strlen(now), NULL, 0);
    int64_t off_ms = message_i64(m, "startTime", 0) - b.server.clock_ms;
    assert_in_range(off_ms + 60000, 0, 120000);
    message_destroy(m);
    close_bar(&b);
}

static void a_command_sent_while_the_box_started_is_done_before_it_is_stale(void **state)
{
    struct bar b;
    open_bar(&b, "secret");
    add_queue(&b);
    struct doc *d = server_add(&b.server, "player_commands", "command1");
    doc_set(d, "venueId", VENUE);
    doc_set(d, "command", "queue_clear");
    server_touch(&b.server, d, "create");
    go(&b, 10);
    assert_non_null(doc_get(d, "executedBy"));
    assert_int_equal(songs(&b), 0);
    close_bar(&b);
}

static const char *executed_by(struct bar *b)
{
    struct doc *d = server_add(&b->server, "player_commands", "command1");
    doc_set(d, "venueId", VENUE);
    doc_set(d, "command", "play");
    server_touch(&b->server, d, "create");
    go(b, 70);
    return doc_get(d, "executedBy");
}

/* By the registry's answer, by the lease, or, where nothing has players, by the device's name. */
static void a_command_is_acknowledged_by_the_player_s_document(void **state)
{
    static const struct {
        struct rule rule;
        bool has_function;
        const char *by;
    } cases[] = {
        { { "POST", "/functions/", 201,
            "{\"status\":\"completed\",\"responseStatusCode\":200,\"responseBody\":\"{"
            "\\\"success\\\":"
            "true,\\\"isMaster\\\":true,\\\"playerId\\\":\\\"68e5doc\\\"}\"}",
            0, 1 },
          true,
          "68e5doc" },
        { { 0 }, false, "lease-" },
        { { "GET", "/players/", 404, ERROR("collection_not_found"), 0, 0 }, false, "device_1" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bar b;
        open_bar(&b, "secret");
        add_queue(&b);
        b.rule = cases[i].rule;
        b.server.has_function = cases[i].has_function;
        strcpy(b.server.master, "device_1"); /* the heartbeats after it say no more than that */
        go(&b, 20);
        assert_contains(executed_by(&b), cases[i].by);
        close_bar(&b);
    }
}

/* Somebody else's turn stands in the document: this box has the role, so it goes on with that. */
static void a_foreign_turn_is_taken_up_at_once_by_the_one_who_sounds(void **state)
{
    struct bar b;
    open_good_bar(&b);
    add_song(&b);
    play(&b);
    go(&b, 10);
    struct doc *d = server_find(&b.server, "queues", VENUE);
    doc_set(d, "nowPlaying",
            "{\"id\":\"5f3759df5f3759df5f37\",\"videoId\":\"bbbbbbbbbbb\",\"turn\":"
            "\"deadbeefdeadbeef-9\"}");
    server_touch(&b.server, d, "update");
    go(&b, 66); /* it is read at the next poll */
    assert_string_equal(sync_view(b.sync)->now->id, "5f3759df5f3759df5f37");
    struct queue_op skip = { .kind = OP_SKIP, .entry = entry_ref_of(sync_view(b.sync)->now) };
    assert_int_equal(sync_apply(b.sync, &skip, b.now_ns), 0);
    settle(&b);
    go(&b, 4);
    assert_int_equal(status_of(&b).pending, 0); /* pushed, and not only at the next heartbeat */
    assert_null(strstr(doc_get(d, "nowPlaying") ? doc_get(d, "nowPlaying") : "", "deadbeef"));
    close_bar(&b);
}

/* The song ended while the box was starting again and had not heard yet whether it still is the master. */
static void a_song_that_followed_before_the_role_was_known_was_skipped_to_by_nobody(void **state)
{
    struct bar b;
    open_good_bar(&b);
    add_song(&b);
    play(&b);
    go(&b, 10);
    uint64_t revision;
    char *journal = sync_journal(b.sync, &revision);
    sync_destroy(b.sync);
    b.sync = create_sync("secret", journal, b.now_ns);
    free(journal);
    const struct queue *view = sync_view(b.sync);
    struct queue_op end = { .kind = OP_END, .entry = entry_ref_of(view->now) };
    assert_int_equal(sync_apply(b.sync, &end, b.now_ns), 0);
    view = sync_view(b.sync);
    struct queue_op start = { .kind = OP_START,
                              .entry = entry_ref_of(view->list[QUEUE_MAIN].at[0]) };
    assert_int_equal(sync_apply(b.sync, &start, b.now_ns), 0);
    for (int s = 0; s < 90; s++) {
        settle(&b);
        assert_false(sync_take_skip(b.sync));
        go(&b, 1);
    }
    assert_string_equal(sync_view(b.sync)->now->id, "5f3759df5f3759df5f37");
    assert_string_equal(sync_view(b.sync)->list[QUEUE_MAIN].at[1]->id, "song0");
    close_bar(&b);
}

static void the_registry_is_asked_by_its_name_then_by_the_id_it_is_deployed_under(void **state)
{
    struct bar b;
    open_bar(&b, "secret");
    add_queue(&b);
    b.rule = (struct rule){ "POST", "/functions/player-registry/",
                            404,    ERROR("function_not_found"),
                            0,      0 };
    go(&b, 60);
    assert_int_equal(b.ruled, 1);
    assert_int_equal(b.asked_lease, 0);
    assert_string_equal(b.server.master, "device_1");
    assert_string_equal(status_of(&b).problem, "");
    close_bar(&b);
}

static void a_venue_where_nothing_decides_who_plays_is_said_to_be_so(void **state)
{
    struct bar b;
    open_bar(&b, "secret");
    add_queue(&b);
    b.server.has_function = false;
    b.rule = (struct rule){ "GET", "/players/", 401, ERROR("user_unauthorized"), 0, 0 };
    go(&b, 30);
    assert_int_equal(status_of(&b).role, SYNC_MASTER);
    assert_contains(status_of(&b).problem, "which box of the venue plays");
    b.rule = (struct rule){ 0 };
    go(&b, 150);
    assert_string_equal(status_of(&b).problem, "");
    close_bar(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_state_document_is_made_once_and_kept_true),
        cmocka_unit_test(a_state_document_under_another_id_is_the_one_that_is_written),
        cmocka_unit_test(start_of_what_plays_is_told_by_the_clock_of_the_server),
        cmocka_unit_test(a_command_sent_while_the_box_started_is_done_before_it_is_stale),
        cmocka_unit_test(a_command_is_acknowledged_by_the_player_s_document),
        cmocka_unit_test(a_foreign_turn_is_taken_up_at_once_by_the_one_who_sounds),
        cmocka_unit_test(a_song_that_followed_before_the_role_was_known_was_skipped_to_by_nobody),
        cmocka_unit_test(the_registry_is_asked_by_its_name_then_by_the_id_it_is_deployed_under),
        cmocka_unit_test(a_venue_where_nothing_decides_who_plays_is_said_to_be_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
