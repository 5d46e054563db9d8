/* What the engine makes of a server's answers: each kind by the table of errors, none asked again faster than it may be,
 * nothing lost by what a proxy says. */
#include "sync/bar.h"

static double waited_s(const struct bar *b)
{
    return (double)(b->ruled_ns[1] - b->ruled_ns[0]) / (double)NS_PER_S;
}

/* ---- a change of the queue ---------------------------------------------------------------------- */

enum { LOST = 0, TOLD = 1, KEPT = 2 };

/* Ten minutes after a person added a song. */
static const struct {
    const char *name;
    int status;
    const char *body;
    int64_t retry_after_s;
    int times; /* 0: always */
    int song;  /* LOST: taken back; TOLD: the server has it; KEPT: it is still to be told */
    int tries_min, tries_max;
    double wait_min_s, wait_max_s; /* before the second */
    bool asks_account;
    const char *problem;
} push_cases[] = {
    { "400", 400, ERROR("document_invalid_structure"), 0, 0, LOST, 1, 1, 0, 0, false, "refuses" },
    { "400 of a proxy", 400, HTML, 0, 1, TOLD, 2, 2, 0, 2, false, "" },
    { "400 of a proxy always", 400, HTML, 0, 0, KEPT, 15, 200, 0, 2, false, "" },
    { "401 no scope", 401, ERROR("general_unauthorized_scope"), 0, 0, KEPT, 2, 3, 290, 310, true,
      "does not let this box" },
    { "401 no right", 401, ERROR("user_unauthorized"), 0, 0, KEPT, 2, 3, 290, 310, true,
      "does not let this box" },
    { "403 blocked", 403, ERROR("user_blocked"), 0, 0, KEPT, 2, 3, 290, 310, true,
      "does not let this box" },
    { "403 of a proxy", 403, HTML, 0, 1, TOLD, 2, 2, 290, 310, true, "" },
    { "404 no collection", 404, ERROR("collection_not_found"), 0, 0, KEPT, 4, 6, 110, 130, false,
      "does not offer" },
    { "404 no document", 404, ERROR("document_not_found"), 0, 1, TOLD, 2, 2, 0, 2, false, "" },
    { "404 of a proxy", 404, HTML, 0, 1, TOLD, 2, 2, 110, 130, false, "" },
    { "408", 408, ERROR("database_timeout"), 0, 1, TOLD, 2, 2, 0, 2, false, "" },
    { "409 conflict", 409, ERROR("document_update_conflict"), 0, 1, TOLD, 2, 2, 0, 1, false, "" },
    { "409 locked", 409, ERROR("general_resource_locked"), 0, 1, TOLD, 2, 2, 0, 1, false, "" },
    { "410", 410, ERROR("transaction_expired"), 0, 1, TOLD, 2, 2, 0, 2, false, "" },
    { "412", 412, HTML, 0, 1, TOLD, 2, 2, 0, 2, false, "" },
    { "413", 413, HTML, 0, 0, LOST, 1, 1, 0, 0, false, "refuses" },
    { "426", 426, ERROR("general_protocol_unsupported"), 0, 0, KEPT, 4, 6, 110, 130, false,
      "does not offer" },
    { "429 until then", 429, ERROR("general_rate_limit_exceeded"), 40, 1, TOLD, 2, 2, 40, 42, false,
      "" },
    { "429 for a long time", 429, ERROR("general_rate_limit_exceeded"), 3600, 1, TOLD, 2, 2, 300,
      302, false, "" },
    { "429 without a time", 429, HTML, 0, 1, TOLD, 2, 2, 60, 62, false, "" },
    { "429 always", 429, ERROR("general_rate_limit_exceeded"), 30, 0, KEPT, 15, 21, 30, 32, false,
      "" },
    { "500", 500, ERROR("general_unknown"), 0, 1, TOLD, 2, 2, 0, 2, false, "" },
    { "503 always", 503, HTML, 0, 0, KEPT, 15, 200, 0, 2, false, "" },
    { "200 of a portal", 200, HTML, 0, 1, TOLD, 2, 2, 0, 6, false, "" },
    { "200 of a portal in JSON", 200, OTHER_JSON, 0, 1, TOLD, 2, 2, 0, 6, false, "" },
    { "no network", 0, NULL, 0, 1, TOLD, 2, 2, 0, 2, false, "" },
    { "no network at all", 0, NULL, 0, 0, KEPT, 15, 200, 0, 2, false, "" },
};

static void a_change_is_pushed_again_only_as_its_answer_allows(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(push_cases); i++) {
        struct bar b;
        open_good_bar(&b);
        assert_int_equal(songs(&b), 1);
        b.rule = (struct rule){ "PATCH",
                                "/queues/",
                                push_cases[i].status,
                                push_cases[i].body,
                                push_cases[i].retry_after_s,
                                push_cases[i].times };
        add_song(&b);
        go(&b, 600);
        const char *main = doc_get(server_find(&b.server, "queues", VENUE), "mainQueue");
        struct sync_status status = status_of(&b);
        int song = strstr(main, "bbbbbbbbbbb") ? TOLD : songs(&b) == 2 ? KEPT : LOST;
        bool is_good = song == push_cases[i].song && (song == KEPT) == (status.pending > 0) &&
                       b.ruled >= push_cases[i].tries_min && b.ruled <= push_cases[i].tries_max &&
                       (b.ruled < 2 || (waited_s(&b) >= push_cases[i].wait_min_s &&
                                        waited_s(&b) <= push_cases[i].wait_max_s)) &&
                       (b.asked_account > 0) == push_cases[i].asks_account &&
                       (*push_cases[i].problem ? strstr(status.problem, push_cases[i].problem)
                                               : status.problem) != NULL;
        if (!is_good)
            fail_msg("%s: song %d, %d tries, the second after %.1f s, account %d, \"%s\"",
                     push_cases[i].name, song, b.ruled, b.ruled > 1 ? waited_s(&b) : 0,
                     b.asked_account, status.problem);
        close_bar(&b);
    }
}

static void a_queue_that_is_refused_without_a_change_of_ours_is_not_sent_all_the_time(void **state)
{
    struct bar b;
    open_good_bar(&b);
    b.rule = (struct rule){ "PATCH", "/queues/", 400, ERROR("document_invalid_structure"), 0, 0 };
    struct doc *d = server_find(&b.server, "queues", VENUE);
    doc_set(d, "priorityQueue", "no list"); /* which the master repairs */
    server_touch(&b.server, d, "update");
    go(&b, 600);
    assert_in_range(b.ruled, 1, 4);
    assert_contains(status_of(&b).problem, "refuses the queue");
    close_bar(&b);
}

static void a_limit_on_one_write_holds_the_others(void **state)
{
    struct bar b;
    open_good_bar(&b);
    b.rule = (struct rule){ "PATCH", "/queues/", 429, ERROR("general_rate_limit_exceeded"), 50, 1 };
    add_song(&b);
    struct doc *d = server_add(&b.server, "player_commands", "command1");
    doc_set(d, "venueId", VENUE);
    doc_set(d, "command", "play");
    server_touch(&b.server, d, "create");
    go(&b, 45);
    assert_null(doc_get(d, "executedBy"));
    go(&b, 60);
    assert_non_null(doc_get(d, "executedBy"));
    close_bar(&b);
}

/* ---- reading ------------------------------------------------------------------------------------ */

/* A bar whose socket cannot be opened and which plays, so it polls every five seconds. */
static const struct {
    const char *name, *part; /* of the path of a GET */
    int status;
    const char *body;
    int64_t retry_after_s;
    int asked_min, asked_max; /* within ten minutes */
    const char *problem;
} read_cases[] = {
    { "queue 400", "/queues/", 400, ERROR("general_query_invalid"), 0, 4, 6, "does not offer" },
    { "queue 401", "/queues/", 401, ERROR("general_unauthorized_scope"), 0, 2, 4, "" },
    { "queue 403", "/queues/", 403, ERROR("user_blocked"), 0, 2, 4, "" },
    { "queue 404", "/queues/", 404, ERROR("database_not_found"), 0, 4, 6, "does not offer" },
    { "queue 404 of a proxy", "/queues/", 404, "Not Found", 0, 4, 6, "does not offer" },
    { "queue 429", "/queues/", 429, HTML, 100, 5, 8, "" },
    { "queue 500", "/queues/", 500, HTML, 0, 60, 160, "" },
    { "queue 200 of a portal", "/queues/", 200, HTML, 0, 60, 160, "" },
    { "queue 200 of a portal in JSON", "/queues/", 200, OTHER_JSON, 0, 60, 160, "" },
    { "requests 401", "/requests/", 401, ERROR("user_unauthorized"), 0, 2, 4, "" },
    { "requests 404", "/requests/", 404, ERROR("collection_not_found"), 0, 2, 4, "" },
    { "requests 429", "/requests/", 429, HTML, 100, 5, 8, "" },
    { "requests 503", "/requests/", 503, HTML, 0, 60, 160, "" },
    { "commands 400", "/player_commands/", 400, ERROR("general_query_invalid"), 0, 2, 4, "" },
    { "commands 401", "/player_commands/", 401, ERROR("user_unauthorized"), 0, 2, 4, "" },
    { "commands 404", "/player_commands/", 404, ERROR("collection_not_found"), 0, 2, 4, "" },
    { "commands 429", "/player_commands/", 429, HTML, 100, 5, 8, "" },
};

static void what_cannot_be_read_is_asked_for_at_its_pace_and_the_queue_stays(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(read_cases); i++) {
        struct bar b;
        open_good_bar(&b);
        play(&b);
        go(&b, 20);
        b.rule = (struct rule){ "GET",
                                read_cases[i].part,
                                read_cases[i].status,
                                read_cases[i].body,
                                read_cases[i].retry_after_s,
                                0 };
        go(&b, 600);
        struct sync_status status = status_of(&b);
        bool is_good = b.ruled >= read_cases[i].asked_min && b.ruled <= read_cases[i].asked_max &&
                       songs(&b) == 1 && sync_view(b.sync)->now && status.role == SYNC_MASTER &&
                       strstr(status.problem, read_cases[i].problem) != NULL;
        if (!is_good)
            fail_msg("%s: asked %d times, %zu songs, \"%s\"", read_cases[i].name, b.ruled,
                     songs(&b), status.problem);
        close_bar(&b);
    }
}

/* An empty list is also what a box sees that has lost its rights. */
static void a_missing_queue_is_made_only_by_a_box_that_is_signed_in(void **state)
{
    static const struct {
        int status;
        const char *body;
        bool is_made;
    } cases[] = {
        { 200, "{\"$id\":\"device\"}", true },
        { 401, ERROR("general_unauthorized_scope"), false },
        { 403, ERROR("user_blocked"), false },
        { 429, HTML, false },
        { 500, HTML, false },
        { 0, NULL, false },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bar b;
        open_bar(&b, "secret");
        b.rule = (struct rule){ "GET", "/account", cases[i].status, cases[i].body, 0, 0 };
        go(&b, 600);
        assert_int_equal(b.made_queues, cases[i].is_made);
        assert_true(status_of(&b).has_document == cases[i].is_made);
        if (cases[i].status == 401)
            assert_contains(status_of(&b).problem, "signed out");
        if (cases[i].status == 401 || cases[i].status == 403)
            assert_in_range(b.ruled, 2, 3);
        close_bar(&b);
    }
}

/* ---- the role ----------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    int status;
    const char *body;
    int64_t retry_after_s;
    bool asks_lease;
    int asked_min, asked_max; /* the function, within ten minutes */
} role_cases[] = {
    { "400", 400, ERROR("general_argument_invalid"), 0, false, 4, 6 },
    { "401", 401, ERROR("general_unauthorized_scope"), 0, false, 2, 4 },
    { "403", 403, ERROR("user_blocked"), 0, false, 2, 4 },
    { "404 no function", 404, ERROR("function_not_found"), 0, true, 2, 2 },
    { "404 no such route", 404, ERROR("general_route_not_found"), 0, true, 2, 2 },
    { "404 another project", 404, ERROR("project_not_found"), 0, false, 4, 6 },
    { "404 of a proxy", 404, HTML, 0, false, 4, 6 },
    { "408", 408, ERROR("function_synchronous_timeout"), 0, false, 60, 140 },
    { "429", 429, ERROR("general_rate_limit_exceeded"), 60, false, 8, 12 },
    { "500", 500, HTML, 0, false, 60, 140 },
    { "200 of a portal", 200, HTML, 0, false, 60, 140 },
    { "201, but it failed", 201, "{\"status\":\"failed\",\"responseStatusCode\":500}", 0, false, 60,
      140 },
    { "no network", 0, NULL, 0, false, 60, 140 },
};

static void a_bar_that_can_ask_nobody_for_the_role_plays_and_asks_at_its_pace(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(role_cases); i++) {
        struct bar b;
        open_bar(&b, "secret");
        add_queue(&b);
        b.rule = (struct rule){ "POST",
                                "/functions/",
                                role_cases[i].status,
                                role_cases[i].body,
                                role_cases[i].retry_after_s,
                                0 };
        go(&b, 130);
        assert_int_equal(status_of(&b).role, SYNC_MASTER);
        go(&b, 470);
        assert_int_equal(status_of(&b).role, SYNC_MASTER);
        bool is_good = b.ruled >= role_cases[i].asked_min && b.ruled <= role_cases[i].asked_max &&
                       (b.asked_lease > 0) == role_cases[i].asks_lease;
        if (!is_good)
            fail_msg("%s: asked %d times, the lease %d times", role_cases[i].name, b.ruled,
                     b.asked_lease);
        close_bar(&b);
    }
}

/* A box whose session is over does not take the role for its own; one that only may not read leases has nothing to agree
 * by. */
static void a_denied_lease_is_no_role_for_a_box_that_is_signed_out(void **state)
{
    static const struct {
        int status;
        const char *body;
        bool is_signed_out, is_pushed;
    } cases[] = {
        { 401, ERROR("user_unauthorized"), false, true },
        { 401, ERROR("user_unauthorized"), true, false },
        { 403, ERROR("user_blocked"), true, false },
        { 404, ERROR("collection_not_found"), false, true },
        { 404, ERROR("collection_not_found"), true, true },
        { 404, HTML, false, false },
        { 500, HTML, false, false },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bar b;
        open_bar(&b, "secret");
        add_queue(&b);
        b.server.has_function = false;
        b.is_signed_out = cases[i].is_signed_out;
        b.rule = (struct rule){ "GET", "/players/", cases[i].status, cases[i].body, 0, 0 };
        go(&b, 30);
        assert_int_equal(status_of(&b).role, SYNC_MASTER); /* it plays in any case */
        play(&b);
        go(&b, 30);
        if ((status_of(&b).pending == 0) != cases[i].is_pushed)
            fail_msg("%d %s, signed %s: %zu pending", cases[i].status, cases[i].body,
                     cases[i].is_signed_out ? "out" : "in", status_of(&b).pending);
        close_bar(&b);
    }
}

/* ---- the session -------------------------------------------------------------------------------- */

static void session_is_extended_each_month(void **state)
{
    static const struct {
        int status;
        const char *body;
        int64_t again_s;
        bool asks_account;
    } cases[] = {
        { 200, "{\"$id\":\"session\"}", 30 * 86400, false },
        { 400, ERROR("general_argument_invalid"), 30 * 86400, false },
        { 401, ERROR("general_unauthorized_scope"), 3600, true },
        { 403, ERROR("user_blocked"), 3600, true },
        { 404, ERROR("general_route_not_found"), 30 * 86400, false },
        { 429, ERROR("general_rate_limit_exceeded"), 3600, false },
        { 500, HTML, 3600, false },
        { 0, NULL, 3600, false },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bar b;
        open_bar(&b, "secret");
        add_queue(&b);
        b.rule =
            (struct rule){ "PATCH", "/account/sessions/current", cases[i].status, cases[i].body, 0,
                           0 };
        go(&b, 590);
        assert_int_equal(b.extended,
                         0); /* a box that restarts all the time does not ask each time */
        b.asked_account = 0;
        go(&b, 20);
        assert_int_equal(b.extended, 1);
        assert_true((b.asked_account > 0) == cases[i].asks_account);
        b.now_ns += SECONDS(cases[i].again_s - 60);
        sync_time(b.sync, b.now_ns);
        settle(&b);
        assert_int_equal(b.extended, 1);
        go(&b, 60);
        assert_int_equal(b.extended, 2);
        close_bar(&b);
    }
}

static void without_a_session_nothing_is_extended(void **state)
{
    struct bar b;
    open_bar(&b, NULL);
    add_queue(&b);
    go(&b, 20);
    b.now_ns += SECONDS(40 * 86400);
    sync_time(b.sync, b.now_ns);
    settle(&b);
    assert_int_equal(b.extended, 0);
    close_bar(&b);
}

static void what_was_denied_is_asked_again_once_the_box_is_signed_in(void **state)
{
    struct bar b;
    open_bar(&b, "secret");
    add_queue(&b);
    b.rule = (struct rule){ "GET", "/", 401, ERROR("general_unauthorized_scope"), 0, 0 };
    b.refuses_dial = 401;
    go(&b, 100);
    assert_false(status_of(&b).has_document);
    assert_contains(status_of(&b).problem, "signed out");
    int dials = b.dials;
    b.rule = (struct rule){ 0 };
    go(&b, 30);
    assert_int_equal(b.dials, dials);
    sync_moved(b.sync, b.now_ns); /* it was paired */
    settle(&b);
    go(&b, 2);
    assert_true(status_of(&b).has_document);
    assert_string_equal(status_of(&b).problem, "");
    assert_int_equal(songs(&b), 1);
    assert_int_equal(b.dials, dials + 1);
    close_bar(&b);
}

static void a_session_that_works_again_is_noticed_without_a_word(void **state)
{
    struct bar b;
    open_bar(&b, "secret");
    add_queue(&b);
    b.rule = (struct rule){ "GET", "/", 401, ERROR("user_blocked"), 0, 0 };
    go(&b, 100);
    b.rule = (struct rule){ 0 };
    go(&b, 310);
    assert_true(status_of(&b).has_document);
    assert_string_equal(status_of(&b).problem, "");
    close_bar(&b);
}

static void a_refused_socket_is_opened_again_only_as_its_answer_allows(void **state)
{
    static const struct {
        int status;
        int64_t wait_s;
    } cases[] = { { 401, 300 }, { 403, 300 }, { 404, 300 }, { 429, 60 }, { 500, 2 }, { 0, 2 } };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bar b;
        open_good_bar(&b);
        b.refuses_dial = cases[i].status;
        int dials = b.dials;
        while (b.dials == dials) /* the one that is refused so */
            go(&b, 1);
        dials = b.dials;
        go(&b, cases[i].wait_s - 2);
        assert_int_equal(b.dials, dials);
        go(&b, 40);
        assert_true(b.dials > dials);
        close_bar(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_is_pushed_again_only_as_its_answer_allows),
        cmocka_unit_test(a_queue_that_is_refused_without_a_change_of_ours_is_not_sent_all_the_time),
        cmocka_unit_test(a_limit_on_one_write_holds_the_others),
        cmocka_unit_test(what_cannot_be_read_is_asked_for_at_its_pace_and_the_queue_stays),
        cmocka_unit_test(a_missing_queue_is_made_only_by_a_box_that_is_signed_in),
        cmocka_unit_test(a_bar_that_can_ask_nobody_for_the_role_plays_and_asks_at_its_pace),
        cmocka_unit_test(a_denied_lease_is_no_role_for_a_box_that_is_signed_out),
        cmocka_unit_test(session_is_extended_each_month),
        cmocka_unit_test(without_a_session_nothing_is_extended),
        cmocka_unit_test(what_was_denied_is_asked_again_once_the_box_is_signed_in),
        cmocka_unit_test(a_session_that_works_again_is_noticed_without_a_word),
        cmocka_unit_test(a_refused_socket_is_opened_again_only_as_its_answer_allows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
