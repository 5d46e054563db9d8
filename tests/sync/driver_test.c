#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#include <signal.h>

#include "base/compiler.h"
#include "base/file.h"
#include "base/now.h"
#include "net/script_server.h"
#include "sync/driver.h"
#include "sync/fake_engine.h"
#include "support/texts.h"

/* ---- the stage ---------------------------------------------------------------------------------- */

struct stage {
    uv_loop_t loop;
    struct sync engine;
    struct sync_driver *driver;
    struct script_server *server;
    int port;
    bool is_closed;

    bool saves_at_once;
    bool applies_on_command;
    int applies_on_change; /* so often */
    int changes, saves, commands, finished;
    uint64_t revision;
    enum sync_command command;
    double value;
};

static const struct queue_op an_operation;

static void on_command(void *ctx, enum sync_command command, double value)
{
    struct stage *s = ctx;
    s->commands++;
    s->command = command;
    s->value = value;
    if (s->applies_on_command)
        sync_driver_apply(s->driver, &an_operation);
}

static void look_at_journal(struct stage *s)
{
    if (sync_revision(&s->engine) == s->revision)
        return;
    s->saves++;
    s->revision = sync_revision(&s->engine);
    if (s->saves_at_once)
        sync_driver_saved(s->driver, s->revision);
}

static void on_change(void *ctx)
{
    struct stage *s = ctx;
    s->changes++;
    uv_stop(&s->loop); /* a turn that only ran timers does not go on to wait */
    look_at_journal(s);
    if (s->applies_on_change > 0) {
        s->applies_on_change--;
        sync_driver_apply(s->driver, &an_operation);
    }
}

static void note_closed(void *ctx)
{
    *(bool *)ctx = true;
}

static void on_finished(void *ctx)
{
    struct stage *s = ctx;
    s->finished++;
    sync_driver_destroy(s->driver, note_closed, &s->is_closed);
    s->driver = NULL;
}

static const struct sync_driver_callbacks callbacks = { on_command, on_change, on_finished };

static void open_stage(struct stage *s, void (*serve)(struct script_peer *peer),
                       struct sync_driver_params p)
{
    char endpoint[64];
    *s = (struct stage){ 0 };
    assert_int_equal(uv_loop_init(&s->loop), 0);
    if (serve)
        s->server = script_server_start(serve, s, NULL);
    s->port = serve ? s->server->port : script_unused_port();
    snprintf(endpoint, sizeof(endpoint), "http://127.0.0.1:%d/v1/", s->port);
    p.loop = &s->loop;
    p.engine = &s->engine;
    p.endpoint = endpoint;
    p.project_id = "bar";
    p.callbacks = &callbacks;
    p.ctx = s;
    assert_int_equal(sync_driver_create(&s->driver, &p), 0);
}

/* Also shows that nothing of the driver is left in the loop. */
static void close_stage(struct stage *s)
{
    if (s->driver)
        sync_driver_destroy(s->driver, note_closed, &s->is_closed);
    while (uv_run(&s->loop, UV_RUN_DEFAULT) != 0) /* once more when it was told to stop before */
        ;
    assert_true(s->is_closed);
    assert_int_equal(uv_loop_close(&s->loop), 0);
    if (s->server)
        script_server_stop(s->server);
    fake_finish(&s->engine);
}

static void wait_for(struct stage *s, const int *count, int wanted)
{
    while (*count < wanted)
        uv_run(&s->loop, UV_RUN_ONCE);
}

/* What was told is acted upon in the loop. */
static void turn(struct stage *s)
{
    wait_for(s, &s->changes, s->changes + 1);
}

/* The engine wants it from now on; any word of ours makes the driver look. */
static void want(struct stage *s, struct sync_action a)
{
    fake_want(&s->engine, a);
    sync_driver_playback(s->driver, &(struct sync_playback){ 0 });
}

/* ---- servers ------------------------------------------------------------------------------------ */

/* Says back what the request was: as the answer, or as the first text; then each text. */
static void serve_mirror(struct script_peer *peer)
{
    struct script_request *r = malloc(sizeof(*r));
    char upgrade[32], text[512];
    while (script_read_request(peer, r)) {
        if (!script_header(r, "Upgrade", upgrade, sizeof(upgrade))) {
            char *all = xasprintf("%s%s", r->text, r->body);
            script_answer(peer, 200, "", all);
            free(all);
            continue;
        }
        script_accept_socket(peer, r);
        script_send_text(peer, r->text);
        while (script_read_frame(peer, text, sizeof(text)) == SCRIPT_TEXT)
            script_send_text(peer, text);
        break;
    }
    free(r);
}

static void serve_limits(struct script_peer *peer)
{
    static const struct {
        const char *path, *headers;
    } known[] = {
        { "/said", "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nX-RateLimit-Reset: 784111800\r\n" },
        { "/over", "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nX-RateLimit-Reset: 784111700\r\n" },
        { "/far", "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nX-RateLimit-Reset: 884111700\r\n" },
        { "/undated", "X-RateLimit-Reset: 784111800\r\n" },
        { "/unsaid", "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n" },
    };
    struct script_request *r = malloc(sizeof(*r));
    while (script_read_request(peer, r)) {
        for (size_t i = 0; i < ARRAY_LEN(known); i++) {
            if (strstr(r->text, known[i].path))
                script_answer(peer, 429, known[i].headers, "{}");
        }
    }
    free(r);
}

#define ERROR(code, type) "{\"message\":\"no\",\"code\":" code ",\"type\":\"" type "\"}"
#define PAGE              "<html><body>nginx</body></html>"

static const struct {
    const char *path;
    int status;
    const char *body;
} answers[] = {
    { "/a", 200, "{\"$id\":\"q\"}" },
    { "/b", 200, PAGE },
    { "/c", 201, "{}" },
    { "/d", 400, ERROR("400", "document_invalid_structure") },
    { "/e", 401, ERROR("401", "general_unauthorized_scope") },
    { "/f", 403, ERROR("403", "user_blocked") },
    { "/g", 403, PAGE },
    { "/h", 404, ERROR("404", "collection_not_found") },
    { "/i", 404, "Not Found" },
    { "/j", 408, ERROR("408", "database_timeout") },
    { "/k", 409, ERROR("409", "document_update_conflict") },
    { "/l", 413, "" },
    { "/m", 429, ERROR("429", "general_rate_limit_exceeded") },
    { "/n", 500, ERROR("500", "general_unknown") },
    { "/o", 503, PAGE },
};

static void serve_answers(struct script_peer *peer)
{
    struct script_request *r = malloc(sizeof(*r));
    while (script_read_request(peer, r)) {
        for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
            char line[32];
            snprintf(line, sizeof(line), "PATCH /v1%s HTTP", answers[i].path);
            if (strncmp(r->text, line, strlen(line)) == 0)
                script_answer(peer, answers[i].status, "", answers[i].body);
        }
    }
    free(r);
}

static void serve_refusal(struct script_peer *peer)
{
    struct script_request *r = malloc(sizeof(*r));
    if (script_read_request(peer, r))
        script_answer(peer, 403, "", "{}");
    free(r);
}

static void serve_silence(struct script_peer *peer)
{
    script_wait_end(peer);
}

/* ---- requests ----------------------------------------------------------------------------------- */

static void request_is_what_the_engine_wants(void **state)
{
    struct stage s;
    open_stage(&s, serve_mirror,
               (struct sync_driver_params){ .session = "c2VjcmV0", .user_agent = "a jukebox" });
    want(&s, (struct sync_action){ .kind = SYNC_HTTP,
                                   .id = 7,
                                   .method = "PATCH",
                                   .path = "/databases/d/x?queries%5B0%5D=a",
                                   .guard = "2025-10-11T12:34:56.789+00:00",
                                   .body = "{\"data\":{}}",
                                   .timeout_ms = 60000 });
    wait_for(&s, &s.engine.answers, 1);
    assert_int_equal(s.engine.id, 7);
    assert_int_equal(s.engine.status, 200);
    const char *all = s.engine.body;
    assert_contains(all, "PATCH /v1/databases/d/x?queries%5B0%5D=a HTTP/1.1\r\n");
    assert_contains(all, "\r\nX-Appwrite-Project: bar\r\n");
    assert_contains(all, "\r\nX-Appwrite-Session: c2VjcmV0\r\n");
    assert_contains(all, "\r\nX-Appwrite-Response-Format: 1.8.0\r\n");
    assert_contains(all, "\r\nX-Appwrite-Timestamp: 2025-10-11T12:34:56.789+00:00\r\n");
    assert_contains(all, "\r\nContent-Type: application/json\r\n");
    assert_contains(all, "\r\nUser-Agent: a jukebox\r\n");
    assert_contains(all, "\r\n\r\n{\"data\":{}}");
    close_stage(&s);
}

static void after_a_move_requests_go_the_new_way_with_the_new_session(void **state)
{
    struct stage s;
    char endpoint[64];
    open_stage(&s, serve_mirror, (struct sync_driver_params){ .session = "b2xk" });
    snprintf(endpoint, sizeof(endpoint), "http://127.0.0.1:%d/v2", s.port);
    assert_int_equal(sync_driver_move(s.driver, "nowhere", "bmV3"), -EINVAL);
    assert_int_equal(s.engine.moves, 0);
    want(&s, (struct sync_action){ .kind = SYNC_HTTP, .id = 7, .method = "GET", .path = "/a" });
    wait_for(&s, &s.engine.answers, 1);
    assert_contains(s.engine.body, "GET /v1/a HTTP/1.1\r\n");
    assert_contains(s.engine.body, "\r\nX-Appwrite-Session: b2xk\r\n");
    assert_int_equal(sync_driver_move(s.driver, endpoint, "bmV3"), 0);
    assert_int_equal(s.engine.moves, 1); /* what was held is asked again */
    want(&s, (struct sync_action){ .kind = SYNC_HTTP, .id = 8, .method = "GET", .path = "/b" });
    wait_for(&s, &s.engine.answers, 2);
    assert_contains(s.engine.body, "GET /v2/b HTTP/1.1\r\n");
    assert_contains(s.engine.body, "\r\nX-Appwrite-Session: bmV3\r\n");
    close_stage(&s);
}

static void request_carries_nothing_else(void **state)
{
    struct stage s;
    open_stage(&s, serve_mirror, (struct sync_driver_params){ 0 });
    want(&s, (struct sync_action){ .kind = SYNC_HTTP, .id = 8, .method = "GET", .path = "/ping" });
    wait_for(&s, &s.engine.answers, 1);
    assert_contains(s.engine.body, "GET /v1/ping HTTP/1.1\r\n");
    assert_lacks(s.engine.body, "\r\nX-Appwrite-Session");
    assert_lacks(s.engine.body, "\r\nX-Appwrite-Timestamp");
    assert_lacks(s.engine.body, "\r\nContent-Type");
    assert_lacks(s.engine.body, "\r\nOrigin");
    assert_int_equal(s.engine.retry_after_s, -1);
    close_stage(&s);
}

static void limit_is_read_by_the_clock_of_the_server(void **state)
{
    static const struct {
        const char *path;
        int64_t retry_after_s;
    } cases[] = {
        { "/said", 23 }, { "/over", 0 }, { "/far", 3600 }, { "/undated", -1 }, { "/unsaid", -1 }
    };
    struct stage s;
    open_stage(&s, serve_limits, (struct sync_driver_params){ 0 });
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        want(&s, (struct sync_action){
                     .kind = SYNC_HTTP, .id = 1, .method = "GET", .path = cases[i].path });
        wait_for(&s, &s.engine.answers, (int)i + 1);
        assert_int_equal(s.engine.status, 429);
        assert_int_equal(s.engine.retry_after_s, cases[i].retry_after_s);
    }
    close_stage(&s);
}

/* What it means is for the engine to say. */
static void whatever_the_server_answers_reaches_the_engine_as_it_is(void **state)
{
    struct stage s;
    open_stage(&s, serve_answers, (struct sync_driver_params){ .session = "c2VjcmV0" });
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        want(&s, (struct sync_action){ .kind = SYNC_HTTP,
                                       .id = i + 1,
                                       .method = "PATCH",
                                       .path = answers[i].path,
                                       .body = "{}" });
        wait_for(&s, &s.engine.answers, (int)i + 1);
        assert_int_equal(s.engine.id, i + 1);
        assert_int_equal(s.engine.status, answers[i].status);
        assert_string_equal(s.engine.body, answers[i].body);
        assert_int_equal(s.engine.retry_after_s, -1);
    }
    close_stage(&s);
}

static void no_answer_is_told(void **state)
{
    struct stage s;
    open_stage(&s, NULL, (struct sync_driver_params){ 0 });
    want(&s, (struct sync_action){ .kind = SYNC_HTTP, .id = 9, .method = "GET", .path = "/" });
    wait_for(&s, &s.engine.answers, 1);
    assert_int_equal(s.engine.id, 9);
    assert_int_equal(s.engine.status, 0);
    close_stage(&s);
}

/* ---- sockets ------------------------------------------------------------------------------------ */

static void socket_carries_texts_both_ways(void **state)
{
    struct stage s;
    open_stage(&s, serve_mirror, (struct sync_driver_params){ .session = "c2VjcmV0" });
    want(&s, (struct sync_action){
                 .kind = SYNC_SOCKET_OPEN, .id = 3, .path = "/realtime?project=bar&channels=a" });
    wait_for(&s, &s.engine.texts, 1);
    assert_int_equal(s.engine.opened, 1);
    assert_int_equal(s.engine.id, 3);
    assert_contains(s.engine.text, "GET /v1/realtime?project=bar&channels=a HTTP/1.1\r\n");
    assert_contains(s.engine.text, "\r\nX-Appwrite-Session: c2VjcmV0\r\n");
    assert_contains(s.engine.text, "\r\nX-Appwrite-Project: bar\r\n");
    assert_lacks(s.engine.text, "\r\nOrigin");
    want(&s, (struct sync_action){ .kind = SYNC_SOCKET_SEND, .id = 99, .text = "of no socket" });
    want(&s, (struct sync_action){ .kind = SYNC_SOCKET_SEND, .id = 3, .text = "ping" });
    wait_for(&s, &s.engine.texts, 2);
    assert_string_equal(s.engine.text, "ping");
    assert_int_equal(s.engine.texts, 2);
    close_stage(&s);
    assert_int_equal(s.engine.gone, 0);
}

static void closed_socket_is_silent_and_can_be_opened_anew(void **state)
{
    struct stage s;
    open_stage(&s, serve_mirror, (struct sync_driver_params){ 0 });
    want(&s, (struct sync_action){ .kind = SYNC_SOCKET_OPEN, .id = 3, .path = "/realtime" });
    wait_for(&s, &s.engine.texts, 1);
    want(&s, (struct sync_action){ .kind = SYNC_SOCKET_CLOSE, .id = 3 });
    want(&s, (struct sync_action){ .kind = SYNC_SOCKET_OPEN, .id = 4, .path = "/realtime" });
    wait_for(&s, &s.engine.texts, 2);
    assert_int_equal(s.engine.id, 4);
    assert_int_equal(s.engine.gone, 0);
    close_stage(&s);
}

static void refused_socket_is_gone_with_its_status(void **state)
{
    struct stage s;
    open_stage(&s, serve_refusal, (struct sync_driver_params){ 0 });
    for (int i = 1; i <= 2; i++) {
        want(&s, (struct sync_action){
                     .kind = SYNC_SOCKET_OPEN, .id = (uint64_t)i, .path = "/realtime" });
        wait_for(&s, &s.engine.gone, i);
        assert_int_equal(s.engine.id, i);
        assert_int_equal(s.engine.status, 403);
        assert_int_equal(s.engine.opened, 0);
    }
    want(&s, (struct sync_action){ .kind = SYNC_SOCKET_CLOSE, .id = 2 }); /* it is gone already */
    close_stage(&s);
    assert_int_equal(s.engine.gone, 2);
}

/* ---- the owner's part --------------------------------------------------------------------------- */

static void time_moves_on_at_the_deadline(void **state)
{
    struct stage s;
    open_stage(&s, NULL, (struct sync_driver_params){ 0 });
    wait_for(&s, &s.engine.times, 1); /* it begins by itself */
    int64_t deadline_ns = now_mono_ns() + MS(3);
    s.engine.deadline_ns = deadline_ns;
    sync_driver_playback(s.driver, &(struct sync_playback){ 0 });
    while (s.engine.deadline_ns)
        uv_run(&s.loop, UV_RUN_ONCE);
    assert_true(s.engine.time_ns >= deadline_ns);
    assert_true(s.changes > 0);
    close_stage(&s);
}

static void operation_is_saved_and_that_is_told(void **state)
{
    struct stage s;
    open_stage(&s, NULL, (struct sync_driver_params){ 0 });
    struct queue_op refused = { .kind = OP_END };
    assert_int_equal(sync_driver_apply(s.driver, &refused), -EPERM);
    turn(&s);
    assert_int_equal(s.saves, 0);
    assert_int_equal(sync_driver_apply(s.driver, &an_operation), 0);
    assert_int_equal(s.saves, 0); /* its owner is in the middle of something */
    turn(&s);
    assert_int_equal(s.saves, 1);
    assert_int_equal(s.revision, 1);
    assert_int_equal(s.engine.saved, 0);
    sync_driver_saved(s.driver, 1);
    assert_int_equal(s.engine.saved, 1);
    s.saves_at_once = true;
    assert_int_equal(sync_driver_apply(s.driver, &an_operation), 0);
    turn(&s);
    assert_int_equal(s.engine.saved, 2);
    close_stage(&s);
}

static void command_comes_with_its_value(void **state)
{
    struct stage s;
    open_stage(&s, NULL, (struct sync_driver_params){ 0 });
    want(&s, (struct sync_action){ .kind = SYNC_COMMAND, .command = SYNC_VOLUME, .value = 40 });
    turn(&s);
    assert_int_equal(s.commands, 1);
    assert_int_equal(s.command, SYNC_VOLUME);
    assert_true(s.value == 40);
    close_stage(&s);
}

/* What a callback tells the engine is acted upon before the driver rests. */
static void callbacks_may_tell_more(void **state)
{
    struct stage s;
    open_stage(&s, NULL, (struct sync_driver_params){ 0 });
    s.applies_on_command = true;
    s.applies_on_change = 2;
    want(&s, (struct sync_action){ .kind = SYNC_COMMAND, .command = SYNC_PLAY });
    turn(&s);
    assert_int_equal(s.engine.applied, 3);
    assert_int_equal(s.saves, 3);
    close_stage(&s);
}

static void endless_actions_leave_the_loop_its_turns(void **state)
{
    struct stage s;
    open_stage(&s, NULL, (struct sync_driver_params){ 0 });
    s.engine.is_endless = true;
    sync_driver_playback(s.driver, &(struct sync_playback){ 0 });
    turn(&s);
    int first = s.commands;
    assert_in_range(first, 1, 1000);
    wait_for(&s, &s.commands, 2 * first); /* and it goes on */
    close_stage(&s);
}

static void hops_are_measured(void **state)
{
    struct stage s;
    open_stage(&s, serve_mirror, (struct sync_driver_params){ 0 });
    s.saves_at_once = true;
    sync_driver_apply(s.driver, &an_operation);
    turn(&s);
    assert_int_equal(sync_driver_latency(s.driver, SYNC_HOP_SAVED)->count, 1);
    assert_int_equal(sync_driver_latency(s.driver, SYNC_HOP_SERVER)->count, 0);
    s.engine.pending = 0;
    sync_driver_playback(s.driver, &(struct sync_playback){ 0 });
    turn(&s);
    assert_int_equal(sync_driver_latency(s.driver, SYNC_HOP_SERVER)->count, 1);
    want(&s, (struct sync_action){ .kind = SYNC_SOCKET_OPEN, .id = 3, .path = "/realtime" });
    wait_for(&s, &s.engine.texts, 1); /* it changes nothing that is shown */
    assert_int_equal(sync_driver_latency(s.driver, SYNC_HOP_VIEW)->count, 0);
    assert_true(sync_driver_take_arrival(s.driver) == NO_TIME);
    int64_t before_ns = now_mono_ns();
    s.engine.sees_texts = true;
    want(&s, (struct sync_action){ .kind = SYNC_SOCKET_SEND, .id = 3, .text = "event" });
    wait_for(&s, &s.engine.texts, 2);
    const struct histogram *view = sync_driver_latency(s.driver, SYNC_HOP_VIEW);
    assert_int_equal(view->count, 1);
    assert_true(view->max_ns > 0);
    int64_t came_ns = sync_driver_take_arrival(s.driver);
    assert_true(came_ns >= before_ns && came_ns <= now_mono_ns());
    assert_true(sync_driver_take_arrival(s.driver) == NO_TIME);
    close_stage(&s);
}

/* ---- ends --------------------------------------------------------------------------------------- */

static void finishes_when_the_engine_has(void **state)
{
    struct stage s;
    open_stage(&s, NULL, (struct sync_driver_params){ 0 });
    sync_driver_finish(s.driver, 3600 * 1000);
    assert_int_equal(s.engine.finishes, 1);
    uv_run(&s.loop, UV_RUN_NOWAIT);
    assert_int_equal(s.finished, 0);
    s.engine.is_finished = true;
    sync_driver_playback(s.driver, &(struct sync_playback){ 0 });
    assert_int_equal(s.finished, 0); /* from the loop only */
    wait_for(&s, &s.finished, 1);
    close_stage(&s);
    assert_int_equal(s.finished, 1);
}

static void finishes_when_its_time_is_over(void **state)
{
    struct stage s;
    open_stage(&s, NULL, (struct sync_driver_params){ 0 });
    sync_driver_finish(s.driver, 5);
    wait_for(&s, &s.finished, 1);
    close_stage(&s);
}

static void ends_in_the_middle_of_everything(void **state)
{
    struct stage s;
    open_stage(&s, serve_silence, (struct sync_driver_params){ 0 });
    want(&s, (struct sync_action){ .kind = SYNC_HTTP, .id = 1, .method = "GET", .path = "/" });
    want(&s, (struct sync_action){ .kind = SYNC_SOCKET_OPEN, .id = 2, .path = "/realtime" });
    uv_run(&s.loop, UV_RUN_NOWAIT);
    close_stage(&s);
    assert_int_equal(s.engine.answers + s.engine.gone, 0);
}

static void bad_address_is_refused(void **state)
{
    uv_loop_t loop;
    struct sync_driver *d = NULL;
    uv_loop_init(&loop);
    struct sync_driver_params p = { .loop = &loop, .endpoint = "ws://host/v1", .project_id = "p" };
    assert_int_equal(sync_driver_create(&d, &p), -EINVAL);
    p.endpoint = "http://host/v1";
    p.ca_file = "/nowhere/authority.pem";
    assert_int_equal(sync_driver_create(&d, &p), -ENOENT);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&loop), 0);
}

/* With everything logged that can be: a refused socket, an answered request, and one that fails. */
static void secrets_are_not_logged(void **state)
{
    char path[] = "/tmp/djamms-driver-log-XXXXXX", *text = NULL;
    size_t len = 0;
    int file = mkstemp(path), before = dup(STDERR_FILENO);
    setenv("DJAMMS_LOG", "trace", 1);
    struct log log = log_open("sync");
    dup2(file, STDERR_FILENO);
    struct stage s;
    open_stage(&s, serve_refusal, (struct sync_driver_params){ .session = "SECRET", .log = &log });
    want(&s,
         (struct sync_action){ .kind = SYNC_SOCKET_OPEN, .id = 1, .path = "/realtime?jwt=SECRET" });
    wait_for(&s, &s.engine.gone, 1);
    want(&s, (struct sync_action){
                 .kind = SYNC_HTTP, .id = 2, .method = "GET", .path = "/account?jwt=SECRET" });
    wait_for(&s, &s.engine.answers, 1);
    want(&s, (struct sync_action){
                 .kind = SYNC_HTTP, .id = 3, .method = "GET", .path = "/a b?jwt=SECRET" });
    wait_for(&s, &s.engine.answers, 2);
    close_stage(&s);
    dup2(before, STDERR_FILENO);
    unsetenv("DJAMMS_LOG");
    close(before);
    close(file);
    assert_int_equal(file_read(path, 1 << 20, &text, &len), 0);
    unlink(path);
    assert_contains(text, "realtime: the server refused the upgrade: 403");
    assert_contains(text, "GET 127.0.0.1");
    assert_lacks(text, "SECRET");
    free(text);
}

static int no_pipe_signal(void **state)
{
    signal(SIGPIPE, SIG_IGN);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_is_what_the_engine_wants),
        cmocka_unit_test(after_a_move_requests_go_the_new_way_with_the_new_session),
        cmocka_unit_test(request_carries_nothing_else),
        cmocka_unit_test(limit_is_read_by_the_clock_of_the_server),
        cmocka_unit_test(whatever_the_server_answers_reaches_the_engine_as_it_is),
        cmocka_unit_test(no_answer_is_told),
        cmocka_unit_test(socket_carries_texts_both_ways),
        cmocka_unit_test(closed_socket_is_silent_and_can_be_opened_anew),
        cmocka_unit_test(refused_socket_is_gone_with_its_status),
        cmocka_unit_test(time_moves_on_at_the_deadline),
        cmocka_unit_test(operation_is_saved_and_that_is_told),
        cmocka_unit_test(command_comes_with_its_value),
        cmocka_unit_test(callbacks_may_tell_more),
        cmocka_unit_test(endless_actions_leave_the_loop_its_turns),
        cmocka_unit_test(hops_are_measured),
        cmocka_unit_test(finishes_when_the_engine_has),
        cmocka_unit_test(finishes_when_its_time_is_over),
        cmocka_unit_test(ends_in_the_middle_of_everything),
        cmocka_unit_test(bad_address_is_refused),
        cmocka_unit_test(secrets_are_not_logged),
    };
    return cmocka_run_group_tests(tests, no_pipe_signal, NULL);
}
