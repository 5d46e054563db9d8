#include "net/http_stage.h"

/* ---- servers ------------------------------------------------------------------------------------ */

/* Answers each request with what it was. */
static void serve_mirror(struct script_peer *peer)
{
    struct script_request *r = malloc(sizeof(*r));
    while (script_read_request(peer, r)) {
        char *all = xasprintf("%s%s", r->text, r->body);
        script_answer(peer, 200, "", all);
        free(all);
    }
    free(r);
}

static void serve_paths(struct script_peer *peer)
{
    static const struct {
        const char *path, *answer;
    } known[] = {
        { "/limited", "HTTP/1.1 429 Slow\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                      "X-RateLimit-Reset: 784111800\r\nContent-Length: 4\r\n\r\nwait" },
        { "/undated", "HTTP/1.1 200 OK\r\nDate: some day\r\nX-RateLimit-Reset: soon\r\n"
                      "Content-Length: 2\r\n\r\nok" },
        { "/unsaid", "HTTP/1.1 200 OK\r\nX-RateLimit-Reset: 784111800 or so\r\n"
                     "Content-Length: 2\r\n\r\nok" },
        { "/empty", "HTTP/1.1 204 Nothing\r\n\r\n" },
        { "/moved", "HTTP/1.1 302 There\r\nLocation: /empty\r\nContent-Length: 0\r\n\r\n" },
        { "/cookie", "HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n" },
        { "/cookies", "HTTP/1.1 200 OK\r\nSet-Cookie: seat_old=3; path=/\r\n"
                      "set-cookie: seat=7%3D; path=/; HttpOnly\r\nSet-Cookie: seat=8\r\n"
                      "Content-Length: 0\r\n\r\n" },
        { "/short", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort" },
        { "/noise", "\001\002\003\r\n\r\n" },
        { "/long", "HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n0123456789abcdefg" },
        { "/chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "10\r\n0123456789abcdef\r\n1\r\ng\r\n0\r\n\r\n" },
        { "/fits", "HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n0123456789abcdef" },
    };
    struct script_request *r = malloc(sizeof(*r));
    while (script_read_request(peer, r)) {
        const char *path = strchr(r->text, ' ') + 1;
        size_t len = strcspn(path, " "), i = 0;
        while (i < ARRAY_LEN(known) &&
               (strlen(known[i].path) != len || strncmp(known[i].path, path, len) != 0))
            i++;
        if (i == ARRAY_LEN(known) || !script_say(peer, known[i].answer))
            break;
        if (strncmp(path, "/short", 6) == 0 || strncmp(path, "/noise", 6) == 0)
            break;
    }
    free(r);
}

static void serve_silence(struct script_peer *peer)
{
    script_wait_end(peer);
}

/* Answers the first request, then closes the connection when the second has come. */
static void serve_one(struct script_peer *peer)
{
    struct script_request *r = malloc(sizeof(*r));
    if (script_read_request(peer, r) && script_answer(peer, 200, "", "one"))
        script_read_request(peer, r);
    free(r);
}

/* ---- requests ----------------------------------------------------------------------------------- */

static void request_carries_what_was_given_and_nothing_else(void **state)
{
    struct stage s;
    open_stage(&s, serve_mirror, NULL, NULL);
    static const struct {
        const char *method, *body, *head, *end;
    } cases[] = {
        { "GET", NULL, "GET /v1/x?y=%20z HTTP/1.1\r\n", "\r\n\r\n" },
        { "POST", "{\"a\":1}", "POST /v1/x?y=%20z HTTP/1.1\r\n", "\r\n\r\n{\"a\":1}" },
        { "PATCH", "{\"b\":2}", "PATCH /v1/x?y=%20z HTTP/1.1\r\n", "\r\n\r\n{\"b\":2}" },
        { "PUT", "{}", "PUT /v1/x?y=%20z HTTP/1.1\r\n", "\r\n\r\n{}" },
        { "POST", NULL, "POST /v1/x?y=%20z HTTP/1.1\r\n", "\r\n\r\n" },
        { "DELETE", NULL, "DELETE /v1/x?y=%20z HTTP/1.1\r\n", "\r\n\r\n" },
    };
    const char *header[] = { "X-Appwrite-Project: bar", "X-Appwrite-Session: c2VjcmV0" };
    const char *typed[] = { "Content-Type: application/json" };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct answer *a = ask(&s, "/v1/x?y=%20z",
                               (struct http_request_params){ .method = cases[i].method,
                                                             .body = cases[i].body,
                                                             .header = header,
                                                             .header_count = 2 });
        assert_int_equal(a->status, 200);
        assert_memory_equal(a->body, cases[i].head, strlen(cases[i].head));
        assert_string_equal(a->body + a->len - strlen(cases[i].end), cases[i].end);
        assert_contains(a->body, "\r\nX-Appwrite-Project: bar\r\n");
        assert_contains(a->body, "\r\nX-Appwrite-Session: c2VjcmV0\r\n");
        assert_contains(a->body, "\r\nUser-Agent: a jukebox\r\n");
        assert_lacks(a->body, "\r\nOrigin");
        assert_lacks(a->body, "\r\nContent-Type");
    }
    struct answer *a =
        ask(&s, "/",
            (struct http_request_params){
                .method = "POST", .body = "{}", .header = typed, .header_count = 1 });
    assert_contains(a->body, "\r\nContent-Type: application/json\r\n");
    close_stage(&s);
}

static void long_body_is_sent_without_asking_first(void **state)
{
    struct stage s;
    open_stage(&s, serve_mirror, NULL, NULL);
    size_t len = 1500000;
    char *body = malloc(len + 1);
    memset(body, 'x', len);
    body[len] = '\0';
    struct answer *a =
        ask(&s, "/", (struct http_request_params){ .method = "PATCH", .body = body });
    assert_int_equal(a->status, 200);
    assert_lacks(a->body, "\r\nExpect");
    assert_string_equal(a->body + a->len - len, body);
    free(body);
    close_stage(&s);
}

static void answer_carries_status_date_and_limit(void **state)
{
    struct stage s;
    open_stage(&s, serve_paths, NULL, NULL);
    struct answer *a = ask(&s, "/limited", (struct http_request_params){ 0 });
    assert_int_equal(a->status, 429);
    assert_string_equal(a->body, "wait");
    assert_string_equal(a->error, "");
    assert_int_equal(a->date_s, 784111777);
    assert_int_equal(a->limit_reset_s, 784111800);
    a = ask(&s, "/undated", (struct http_request_params){ 0 });
    assert_int_equal(a->status, 200);
    assert_int_equal(a->date_s, -1);
    assert_int_equal(a->limit_reset_s, -1);
    a = ask(&s, "/unsaid", (struct http_request_params){ 0 });
    assert_int_equal(a->limit_reset_s, -1);
    a = ask(&s, "/empty", (struct http_request_params){ .method = "DELETE" });
    assert_int_equal(a->status, 204);
    assert_string_equal(a->body, "");
    assert_int_equal(a->date_s, -1);
    close_stage(&s);
}

static void proxy_of_the_environment_is_not_taken(void **state)
{
    struct stage s;
    open_stage(&s, serve_mirror, NULL, NULL);
    char proxy[64];
    snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%d", script_unused_port());
    setenv("http_proxy", proxy, 1);
    assert_int_equal(ask(&s, "/", (struct http_request_params){ 0 })->status, 200);
    unsetenv("http_proxy");
    close_stage(&s);
}

static void redirect_is_an_answer(void **state)
{
    struct stage s;
    open_stage(&s, serve_paths, NULL, NULL);
    struct answer *moved = ask(&s, "/moved", (struct http_request_params){ 0 });
    assert_int_equal(moved->status, 302);
    assert_string_equal(moved->location, "/empty");
    close_stage(&s);
}

static void cookie_is_not_kept(void **state)
{
    struct stage s, mirror;
    open_stage(&s, serve_paths, NULL, NULL);
    open_stage(&mirror, serve_mirror, NULL, NULL);
    ask(&s, "/cookie", (struct http_request_params){ 0 });
    start_at(&s, "127.0.0.1", mirror.server->port, "/", (struct http_request_params){ 0 },
             &s.answer);
    wait_answers(&s, &s.answer, 2);
    assert_contains(s.answer.body, "GET / ");
    assert_lacks(s.answer.body, "\r\nCookie");
    close_stage(&s);
    close_stage(&mirror);
}

static void a_cookie_that_is_asked_for_is_given_decoded(void **state)
{
    static const struct {
        const char *path, *name, *value;
    } cases[] = {
        { "/cookies", "seat", "7=" }, { "/cookies", "seat_old", "3" }, { "/cookies", "sea", "" },
        { "/cookies", NULL, "" },     { "/cookie", "a", "b" },         { "/empty", "a", "" },
    };
    struct stage s;
    open_stage(&s, serve_paths, NULL, NULL);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct answer *a =
            ask(&s, cases[i].path, (struct http_request_params){ .cookie = cases[i].name });
        assert_string_equal(a->cookie, cases[i].value);
    }
    close_stage(&s);
}

static void too_long_answer_is_no_answer(void **state)
{
    struct stage s;
    struct http_client_params p = { .answer_max = 16 };
    open_stage(&s, serve_paths, &p, NULL);
    static const char *const paths[] = { "/long", "/chunks" };
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        struct answer *a = ask(&s, paths[i], (struct http_request_params){ 0 });
        assert_int_equal(a->status, 0);
        assert_string_equal(a->error, "the answer is longer than 16 bytes");
        assert_string_equal(a->body, "");
    }
    assert_int_equal(ask(&s, "/fits", (struct http_request_params){ 0 })->len, 16);
    close_stage(&s);
}

static void broken_answer_is_no_answer(void **state)
{
    struct stage s;
    open_stage(&s, serve_paths, NULL, NULL);
    static const char *const paths[] = { "/short", "/noise", "/unknown" };
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        struct answer *a = ask(&s, paths[i], (struct http_request_params){ 0 });
        assert_int_equal(a->status, 0);
        assert_string_equal(a->body, "");
        assert_true(strlen(a->error) > 10);
    }
    close_stage(&s);
}

static void nothing_listening_is_no_answer(void **state)
{
    struct stage s;
    open_stage(&s, NULL, NULL, NULL);
    start_at(&s, "127.0.0.1", script_unused_port(), "/?jwt=SECRET",
             (struct http_request_params){ 0 }, &s.answer);
    wait_answers(&s, &s.answer, 1);
    assert_int_equal(s.answer.status, 0);
    assert_true(strlen(s.answer.error) > 10);
    assert_lacks(s.answer.error, "SECRET");
    close_stage(&s);
}

static void silent_server_ends_by_the_deadline(void **state)
{
    struct stage s;
    open_stage(&s, serve_silence, NULL, NULL);
    struct answer *a = ask(&s, "/", (struct http_request_params){ .timeout_ms = 20 });
    assert_int_equal(a->status, 0);
    assert_contains(a->error, "timed out");
    close_stage(&s);
}

static void what_cannot_be_sent_says_so_later(void **state)
{
    static const char no_address[] = "this is no address of a server";
    static const char malformed[] = "a header of the request is malformed";
    static const struct {
        const char *url, *header, *error;
    } cases[] = {
        { "", "A: b", no_address },
        { "ftp://host/SECRET", "A: b", no_address },
        { "ws://host/SECRET", "A: b", no_address },
        { "http://host:99999/SECRET", "A: b", no_address },
        { "http://user:SECRET@host/", "A: b", no_address },
        { "http://host/a SECRET", "A: b", no_address },
        { "http://host/", "A: SECRET\r\nB: c", malformed },
        { "http://host/", "SECRET", malformed },
        { "http://host/", ": SECRET", malformed },
    };
    struct stage s;
    open_stage(&s, NULL, NULL, NULL);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct http_request_params p = {
            .method = "GET", .url = cases[i].url, .header = &cases[i].header, .header_count = 1
        };
        http_client_start(s.client, &p, keep_answer, &s.answer);
        assert_int_equal(s.answer.count, (int)i);
        wait_answers(&s, &s.answer, (int)i + 1);
        assert_int_equal(s.answer.status, 0);
        assert_string_equal(s.answer.error, cases[i].error);
    }
    struct http_request_params p = { .method = "GET", .url = "nowhere" };
    s.answer.count = 0;
    for (int i = 0; i < 200; i++)
        http_client_start(s.client, &p, keep_answer, &s.answer);
    wait_answers(&s, &s.answer, 200);
    close_stage(&s);
}

static void requests_at_once_are_bounded(void **state)
{
    struct stage s;
    open_stage(&s, serve_silence, NULL, NULL);
    struct answer held = { 0 };
    for (int i = 0; i < 64; i++)
        start(&s, "/", (struct http_request_params){ .method = "GET" }, &held);
    struct answer *a = ask(&s, "/", (struct http_request_params){ 0 });
    assert_int_equal(a->status, 0);
    assert_string_equal(a->error, "too many requests at once");
    assert_int_equal(held.count, 0);
    close_stage(&s);
    assert_int_equal(held.count, 0);
}

/* ---- connections -------------------------------------------------------------------------------- */

static void connection_is_kept(void **state)
{
    struct stage s;
    open_stage(&s, serve_mirror, NULL, NULL);
    for (int i = 0; i < 3; i++)
        assert_int_equal(ask(&s, "/", (struct http_request_params){ 0 })->status, 200);
    assert_int_equal(s.server->accepted, 1);
    close_stage(&s);
}

/* A kept connection that ends before the answer is replaced at once. */
static void stale_connection_costs_nothing(void **state)
{
    struct stage s;
    open_stage(&s, serve_one, NULL, NULL);
    for (int i = 0; i < 3; i++)
        assert_int_equal(ask(&s, "/", (struct http_request_params){ 0 })->status, 200);
    assert_int_equal(s.server->accepted, 3);
    close_stage(&s);
}

static void serve_hold_path(struct script_peer *peer)
{
    struct script_request *r = malloc(sizeof(*r));
    while (script_read_request(peer, r)) {
        if (strstr(r->text, "/hold"))
            script_wait_end(peer);
        else
            script_answer(peer, 200, "", "ok");
    }
    free(r);
}

/* After a request without an answer the other kept connections are not trusted, until one answers. */
static void kept_connections_are_not_trusted_after_a_failure(void **state)
{
    struct stage s;
    open_stage(&s, serve_hold_path, NULL, NULL);
    struct answer other = { 0 };
    start(&s, "/a", (struct http_request_params){ 0 }, &s.answer);
    start(&s, "/b", (struct http_request_params){ 0 }, &other);
    wait_answers(&s, &s.answer, 1);
    wait_answers(&s, &other, 1);
    assert_int_equal(s.server->accepted, 2); /* both are kept */
    /* One of them gives no answer and is gone; the other is left, and is not taken. */
    assert_int_equal(ask(&s, "/hold", (struct http_request_params){ .timeout_ms = 20 })->status, 0);
    assert_int_equal(s.server->accepted, 2);
    assert_int_equal(ask(&s, "/c", (struct http_request_params){ 0 })->status, 200);
    assert_int_equal(s.server->accepted, 3);
    assert_int_equal(ask(&s, "/d", (struct http_request_params){ 0 })->status, 200);
    assert_int_equal(s.server->accepted, 3);
    free(other.body);
    close_stage(&s);
}

/* ---- TLS ---------------------------------------------------------------------------------------- */

static void certificate_is_verified(void **state)
{
    struct certificate certificate;
    certificate_init(&certificate);
    const struct {
        const char *ca_file, *host;
        bool is_trusted;
    } cases[] = {
        { certificate.file, "localhost", true },
        { certificate.file, "127.0.0.1", false }, /* not its name */
        { NULL, "localhost", false },             /* unknown authority */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct stage s;
        struct http_client_params p = { .ca_file = cases[i].ca_file };
        open_stage(&s, serve_mirror, &p, certificate.server);
        start_at(&s, cases[i].host, s.server->port, "/", (struct http_request_params){ 0 },
                 &s.answer);
        wait_answers(&s, &s.answer, 1);
        assert_int_equal(s.answer.status, cases[i].is_trusted ? 200 : 0);
        if (!cases[i].is_trusted)
            assert_contains(s.answer.error, "certificate");
        close_stage(&s);
    }
    certificate_finish(&certificate);
}

static void a_pinned_certificate_is_trusted_whatever_it_says_and_no_other_is(void **state)
{
    struct certificate valid, old, future, other;
    certificate_init(&valid);
    certificate_init_dated(&old, -20, -10);
    certificate_init_dated(&future, 10, 20); /* what a box without a clock battery thinks */
    certificate_init(&other);
    const struct {
        const struct certificate *of_server;
        const char *pinned_file, *ca_file;
        bool is_trusted;
    } cases[] = {
        { &valid, valid.file, NULL, true },        { &old, old.file, NULL, true },
        { &future, future.file, NULL, true },      { &valid, other.file, NULL, false },
        { &valid, "/nowhere", NULL, false },       { &valid, "/dev/null", NULL, false },
        { &valid, other.file, valid.file, false },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct stage s;
        struct http_client_params p = { .pinned_file = cases[i].pinned_file,
                                        .ca_file = cases[i].ca_file };
        open_stage(&s, serve_mirror, &p, cases[i].of_server->server);
        for (int k = 0; k < 2; k++) { /* also on a connection that was kept */
            start_at(&s, i % 2 ? "localhost" : "127.0.0.1", s.server->port, "/",
                     (struct http_request_params){ 0 }, &s.answer);
            wait_answers(&s, &s.answer, k + 1);
            assert_int_equal(s.answer.status, cases[i].is_trusted ? 200 : 0);
        }
        close_stage(&s);
    }
    certificate_finish(&valid);
    certificate_finish(&old);
    certificate_finish(&future);
    certificate_finish(&other);
}

/* ---- ends --------------------------------------------------------------------------------------- */

static void cancelled_request_is_silent(void **state)
{
    struct stage s;
    open_stage(&s, serve_hold_path, NULL, NULL);
    struct answer cancelled = { 0 };
    struct http_request *early = start(&s, "/a", (struct http_request_params){ 0 }, &cancelled);
    struct http_request *late = start(&s, "/hold", (struct http_request_params){ 0 }, &cancelled);
    http_request_cancel(early);
    assert_int_equal(ask(&s, "/b", (struct http_request_params){ 0 })->status, 200);
    http_request_cancel(late);
    assert_int_equal(ask(&s, "/c", (struct http_request_params){ 0 })->status, 200);
    struct http_request *refused = start(&s, "/ ", (struct http_request_params){ 0 }, &cancelled);
    http_request_cancel(refused);
    assert_int_equal(ask(&s, "/d", (struct http_request_params){ 0 })->status, 200);
    assert_int_equal(cancelled.count, 0);
    close_stage(&s);
}

struct chain {
    struct stage *stage;
    struct http_request *other;
    struct answer other_answer;
    int calls;
};

/* Both are refused and so end in the same turn: the one that comes first cancels the other, and goes on. */
static void cancel_other(void *ctx, const struct http_reply *r)
{
    struct chain *c = ctx;
    c->calls++;
    http_request_cancel(c->other);
    start(c->stage, "/next", (struct http_request_params){ 0 }, &c->stage->answer);
}

static void callback_may_cancel_and_start(void **state)
{
    struct stage s;
    open_stage(&s, serve_mirror, NULL, NULL);
    struct chain c = { .stage = &s };
    struct http_request_params p = { .method = "GET", .url = "nowhere" };
    http_client_start(s.client, &p, cancel_other, &c);
    c.other = http_client_start(s.client, &p, keep_answer, &c.other_answer);
    wait_answers(&s, &s.answer, 1);
    assert_int_equal(c.calls, 1);
    assert_int_equal(c.other_answer.count, 0);
    close_stage(&s);
}

/* Starts what is refused again, for ever. */
static void insist(void *ctx, const struct http_reply *r)
{
    struct chain *c = ctx;
    struct http_request_params p = { .method = "GET", .url = "nowhere" };
    c->calls++;
    http_client_start(c->stage->client, &p, insist, c);
}

static void refusals_without_end_leave_the_loop_its_turns(void **state)
{
    struct stage s;
    open_stage(&s, serve_mirror, NULL, NULL);
    struct chain c = { .stage = &s };
    insist(&c, NULL);
    assert_int_equal(ask(&s, "/", (struct http_request_params){ 0 })->status, 200);
    while (c.calls < 5)
        uv_run(&s.loop, UV_RUN_ONCE);
    close_stage(&s);
}

static void destroy_client(void *ctx, const struct http_reply *r)
{
    struct chain *c = ctx;
    assert_int_equal(r->status, 200);
    http_client_destroy(c->stage->client, note_closed, &c->stage->is_closed);
    c->stage->client = NULL;
}

static void callback_may_destroy_the_client(void **state)
{
    struct stage s;
    open_stage(&s, serve_hold_path, NULL, NULL);
    struct chain c = { .stage = &s };
    struct answer never = { 0 };
    start(&s, "/hold", (struct http_request_params){ 0 }, &never);
    char url[100];
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/", s.server->port);
    struct http_request_params p = { .method = "GET", .url = url };
    http_client_start(s.client, &p, destroy_client, &c);
    close_stage(&s);
    assert_int_equal(never.count, 0);
}

static int no_pipe_signal(void **state)
{
    signal(SIGPIPE, SIG_IGN);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_carries_what_was_given_and_nothing_else),
        cmocka_unit_test(long_body_is_sent_without_asking_first),
        cmocka_unit_test(answer_carries_status_date_and_limit),
        cmocka_unit_test(proxy_of_the_environment_is_not_taken),
        cmocka_unit_test(redirect_is_an_answer),
        cmocka_unit_test(cookie_is_not_kept),
        cmocka_unit_test(a_cookie_that_is_asked_for_is_given_decoded),
        cmocka_unit_test(too_long_answer_is_no_answer),
        cmocka_unit_test(broken_answer_is_no_answer),
        cmocka_unit_test(nothing_listening_is_no_answer),
        cmocka_unit_test(silent_server_ends_by_the_deadline),
        cmocka_unit_test(what_cannot_be_sent_says_so_later),
        cmocka_unit_test(requests_at_once_are_bounded),
        cmocka_unit_test(connection_is_kept),
        cmocka_unit_test(stale_connection_costs_nothing),
        cmocka_unit_test(kept_connections_are_not_trusted_after_a_failure),
        cmocka_unit_test(certificate_is_verified),
        cmocka_unit_test(a_pinned_certificate_is_trusted_whatever_it_says_and_no_other_is),
        cmocka_unit_test(cancelled_request_is_silent),
        cmocka_unit_test(callback_may_cancel_and_start),
        cmocka_unit_test(refusals_without_end_leave_the_loop_its_turns),
        cmocka_unit_test(callback_may_destroy_the_client),
    };
    return cmocka_run_group_tests(tests, no_pipe_signal, NULL);
}
