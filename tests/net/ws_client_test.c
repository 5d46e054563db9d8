#include "net/ws_stage.h"

/* ---- servers ------------------------------------------------------------------------------------ */

static bool accept_socket(struct script_peer *peer)
{
    struct script_request *r = malloc(sizeof(*r));
    bool ok = script_read_request(peer, r) && script_accept_socket(peer, r);
    free(r);
    return ok;
}

static void serve_echo(struct script_peer *peer)
{
    char *text = malloc(TEXT_MAX);
    if (accept_socket(peer)) {
        while (script_read_frame(peer, text, TEXT_MAX) == SCRIPT_TEXT)
            script_send_text(peer, text);
    }
    free(text);
}

/* Says first what the request was. */
static void serve_mirror(struct script_peer *peer)
{
    struct script_request *r = malloc(sizeof(*r));
    if (script_read_request(peer, r) && script_accept_socket(peer, r)) {
        script_send_text(peer, r->text);
        script_wait_end(peer);
    }
    free(r);
}

static void serve_silence(struct script_peer *peer)
{
    script_wait_end(peer);
}

/* ---- the upgrade -------------------------------------------------------------------------------- */

static void upgrade_carries_what_was_given_and_nothing_else(void **state)
{
    struct stage s;
    open_stage(&s, serve_mirror, NULL, (struct ws_client_params){ 0 });
    char session[7000] = "X-Appwrite-Session: ";
    memset(session + strlen(session), 'x', 6500);
    const char *header[] = { "X-Appwrite-Project: bar", session };
    dial_at(&s, "127.0.0.1", s.server->port,
            (struct ws_open_params){ .header = header, .header_count = 2 });
    wait_for(&s, &s.texts, 1);
    assert_contains(s.text.data,
                    "GET /v1/realtime?project=bar&channels%5B%5D=a.b&jwt=SECRET HTTP/1.1\r\n");
    assert_contains(s.text.data, "\r\nX-Appwrite-Project: bar\r\n");
    assert_contains(s.text.data, session);
    char host[40];
    snprintf(host, sizeof(host), "\r\nHost: 127.0.0.1:%d\r\n", s.server->port);
    assert_contains(s.text.data, host);
    assert_lacks(s.text.data, "\r\nOrigin");
    assert_lacks(s.text.data, "\r\nSec-WebSocket-Protocol");
    assert_lacks(s.text.data, "\r\nSec-WebSocket-Extensions");
    close_stage(&s);
    assert_int_equal(s.gone, 0);
}

static void proxy_of_the_environment_is_not_taken(void **state)
{
    struct stage s;
    char proxy[64];
    snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%d", script_unused_port());
    setenv("http_proxy", proxy, 1);
    open_stage(&s, serve_mirror, NULL, (struct ws_client_params){ 0 });
    unsetenv("http_proxy");
    dial(&s);
    wait_for(&s, &s.texts, 1);
    close_stage(&s);
    assert_int_equal(s.gone, 0);
}

static void long_address_arrives_whole(void **state)
{
    struct stage s;
    open_stage(&s, serve_mirror, NULL, (struct ws_client_params){ 0 });
    char path[2001], url[2200];
    memset(path, 'x', sizeof(path));
    path[0] = '/';
    path[2000] = '\0';
    snprintf(url, sizeof(url), "ws://127.0.0.1:%d%s", s.server->port, path);
    dial_at(&s, "", 0, (struct ws_open_params){ .url = url });
    wait_for(&s, &s.texts, 1);
    assert_contains(s.text.data, path);
    assert_contains(s.text.data, "x HTTP/1.1\r\n");
    close_stage(&s);
}

static void serve_refusal(struct script_peer *peer)
{
    struct script_request *r = malloc(sizeof(*r));
    if (script_read_request(peer, r)) {
        const char *which = strstr(r->text, "say=");
        script_answer(peer, atoi(which + 4), "Location: /v1/other\r\n", "<html>no</html>");
    }
    free(r);
}

static void refused_upgrade_says_its_status(void **state)
{
    static const int statuses[] = { 200, 301, 302, 400, 401, 403, 404, 429, 500, 503 };
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        struct stage s;
        open_stage(&s, serve_refusal, NULL, (struct ws_client_params){ 0 });
        char url[100];
        snprintf(url, sizeof(url), "ws://127.0.0.1:%d/?say=%d", s.server->port, statuses[i]);
        dial_at(&s, "", 0, (struct ws_open_params){ .url = url });
        wait_for(&s, &s.gone, 1);
        assert_int_equal(s.status, statuses[i]);
        assert_contains(s.why, "refused the upgrade");
        assert_int_equal(s.server->accepted, 1); /* no redirect is followed */
        assert_int_equal(s.opened, 0);
        close_stage(&s);
        assert_int_equal(s.gone, 1);
    }
}

static void serve_wrong_accept(struct script_peer *peer)
{
    struct script_request *r = malloc(sizeof(*r));
    if (script_read_request(peer, r)) {
        script_say(peer, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                         "Connection: Upgrade\r\nSec-WebSocket-Accept: bm90aGluZw==\r\n\r\n");
        script_wait_end(peer);
    }
    free(r);
}

static void serve_noise(struct script_peer *peer)
{
    struct script_request *r = malloc(sizeof(*r));
    if (script_read_request(peer, r))
        script_say(peer, "\001\002\003 what\r\n\r\n");
    free(r);
}

static void serve_nothing(struct script_peer *peer)
{
    struct script_request *r = malloc(sizeof(*r));
    script_read_request(peer, r);
    free(r);
}

static void broken_upgrade_is_gone_without_a_status(void **state)
{
    static void (*const servers[])(struct script_peer *) = { serve_wrong_accept, serve_noise,
                                                             serve_nothing };
    for (size_t i = 0; i < ARRAY_LEN(servers); i++) {
        struct stage s;
        open_stage(&s, servers[i], NULL, (struct ws_client_params){ 0 });
        dial(&s);
        wait_for(&s, &s.gone, 1);
        assert_int_equal(s.status, 0);
        assert_int_equal(s.opened, 0);
        assert_lacks(s.why, "SECRET");
        assert_true(strlen(s.why) > 10);
        close_stage(&s);
    }
}

static void nothing_listening_is_gone(void **state)
{
    static const char *const hosts[] = { "127.0.0.1", "name.invalid" };
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        struct stage s;
        open_stage(&s, NULL, NULL, (struct ws_client_params){ 0 });
        dial_at(&s, hosts[i], script_unused_port(), (struct ws_open_params){ 0 });
        assert_int_equal(s.gone, 0);
        wait_for(&s, &s.gone, 1);
        assert_int_equal(s.status, 0);
        assert_lacks(s.why, "SECRET");
        close_stage(&s);
        assert_int_equal(s.gone, 1);
    }
}

static void silent_server_is_gone_by_the_deadline(void **state)
{
    struct stage s;
    open_stage(&s, serve_silence, NULL, (struct ws_client_params){ 0 });
    dial_at(&s, "127.0.0.1", s.server->port, (struct ws_open_params){ .connect_timeout_ms = 20 });
    wait_for(&s, &s.gone, 1);
    assert_int_equal(s.status, 0);
    assert_string_equal(s.why, "no answer in time");
    close_stage(&s);
}

static void what_cannot_be_dialled_says_so_later(void **state)
{
    char long_url[2100] = "ws://host/";
    memset(long_url + strlen(long_url), 'x', 2000);
    char long_header[9000] = "A: ";
    memset(long_header + strlen(long_header), 'x', 8900);
    static const char no_address[] = "this is no address of a WebSocket server";
    static const char malformed[] = "a header of the request is malformed";
    const struct {
        const char *url, *header, *why;
    } cases[] = {
        { "http://host/SECRET", "A: b", no_address },
        { "ws://user:SECRET@host/", "A: b", no_address },
        { "ws://host/a SECRET", "A: b", no_address },
        { long_url, "A: b", no_address },
        { "ws://host/", "A: b\r\nSECRET", malformed },
        { "ws://host/", "SECRET", malformed },
        { "ws://host/", long_header, "the headers of the request are too long" },
    };
    struct stage s;
    open_stage(&s, NULL, NULL, (struct ws_client_params){ 0 });
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        dial_at(&s, "", 0,
                (struct ws_open_params){
                    .url = cases[i].url, .header = &cases[i].header, .header_count = 1 });
        assert_int_equal(s.gone, (int)i);
        wait_for(&s, &s.gone, (int)i + 1);
        assert_int_equal(s.status, 0);
        assert_string_equal(s.why, cases[i].why);
    }
    close_stage(&s);
}

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
        open_stage(&s, serve_mirror, certificate.server,
                   (struct ws_client_params){ .ca_file = cases[i].ca_file });
        dial_at(&s, cases[i].host, s.server->port, (struct ws_open_params){ 0 });
        wait_for(&s, cases[i].is_trusted ? &s.texts : &s.gone, 1);
        assert_int_equal(s.opened, cases[i].is_trusted);
        assert_int_equal(s.status, 0);
        close_stage(&s);
    }
    certificate_finish(&certificate);
}

static void a_pinned_certificate_is_trusted_whatever_it_says_and_no_other_is(void **state)
{
    struct certificate valid, old, future, other;
    certificate_init(&valid);
    certificate_init_dated(&old, -20, -10);
    certificate_init_dated(&future, 10, 20);
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
        open_stage(&s, serve_mirror, cases[i].of_server->server,
                   (struct ws_client_params){ .pinned_file = cases[i].pinned_file,
                                              .ca_file = cases[i].ca_file });
        dial_at(&s, i % 2 ? "localhost" : "127.0.0.1", s.server->port,
                (struct ws_open_params){ 0 });
        wait_for(&s, cases[i].is_trusted ? &s.texts : &s.gone, 1);
        assert_int_equal(s.opened, cases[i].is_trusted);
        if (!cases[i].is_trusted)
            assert_contains(s.why, "another certificate");
        close_stage(&s);
    }
    certificate_finish(&valid);
    certificate_finish(&old);
    certificate_finish(&future);
    certificate_finish(&other);
}

static void unreadable_authority_is_an_error(void **state)
{
    uv_loop_t loop;
    struct ws_client *c = NULL;
    uv_loop_init(&loop);
    struct ws_client_params p = { .loop = &loop, .ca_file = "/nowhere/authority.pem" };
    assert_int_equal(ws_client_create(&c, &p), -ENOENT);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&loop), 0);
}

/* ---- messages ----------------------------------------------------------------------------------- */

static void texts_come_back_in_order(void **state)
{
    struct stage s;
    open_stage(&s, serve_echo, NULL, (struct ws_client_params){ 0 });
    dial(&s);
    ws_socket_send(s.socket, "too early", 9); /* nothing */
    wait_for(&s, &s.opened, 1);
    for (int i = 0; i < 100; i++) {
        char text[20];
        snprintf(text, sizeof(text), "%d", i);
        ws_socket_send(s.socket, text, strlen(text));
    }
    for (int i = 0; i < 100; i++) {
        char text[20];
        while (s.texts <= i) /* callbacks of one turn come together: only the last is kept */
            uv_run(&s.loop, UV_RUN_ONCE);
        snprintf(text, sizeof(text), "%d", s.texts - 1);
        assert_string_equal(s.text.data, text);
    }
    char *long_text = malloc(100001);
    memset(long_text, 'y', 100000);
    long_text[100000] = '\0';
    ws_socket_send(s.socket, long_text, 100000);
    wait_for(&s, &s.texts, 101);
    assert_string_equal(s.text.data, long_text);
    free(long_text);
    close_stage(&s);
}

static void serve_pieces(struct script_peer *peer)
{
    if (!accept_socket(peer))
        return;
    char *half = malloc(300000);
    memset(half, 'z', 300000);
    script_send_frame(peer, SCRIPT_TEXT, false, "one ", 4);
    script_send_frame(peer, SCRIPT_CONTINUATION, false, "", 0);
    script_send_frame(peer, SCRIPT_CONTINUATION, true, "two", 3);
    script_send_frame(peer, SCRIPT_BINARY, false, "\0\1\2", 3);
    script_send_frame(peer, SCRIPT_CONTINUATION, true, "\3", 1);
    script_send_frame(peer, SCRIPT_TEXT, true, "three", 5);
    script_send_frame(peer, SCRIPT_TEXT, false, half, 300000);
    script_send_frame(peer, SCRIPT_CONTINUATION, true, half, 300000);
    free(half);
    script_wait_end(peer);
}

static void pieces_become_whole_texts(void **state)
{
    struct stage s;
    open_stage(&s, serve_pieces, NULL, (struct ws_client_params){ 0 });
    dial(&s);
    wait_for(&s, &s.texts, 3); /* the binary one is none */
    assert_int_equal(s.text.len, 600000);
    assert_int_equal(strspn(s.text.data, "z"), 600000);
    close_stage(&s);
}

static void serve_small_then_long(struct script_peer *peer)
{
    if (!accept_socket(peer))
        return;
    char text[17] = "0123456789abcdef";
    script_send_frame(peer, SCRIPT_TEXT, true, text, 16);
    script_send_frame(peer, SCRIPT_TEXT, false, text, 16);
    script_send_frame(peer, SCRIPT_CONTINUATION, true, text, 1);
    script_wait_end(peer);
}

static void too_long_message_ends_the_connection(void **state)
{
    struct stage s;
    open_stage(&s, serve_small_then_long, NULL, (struct ws_client_params){ .message_max = 16 });
    dial(&s);
    wait_for(&s, &s.gone, 1);
    assert_int_equal(s.texts, 1);
    assert_string_equal(s.why, "a message is longer than 16 bytes");
    close_stage(&s);
}

struct gate {
    pthread_mutex_t lock;
    pthread_cond_t opened;
    bool is_open;
};

static void gate_open(struct gate *g)
{
    pthread_mutex_lock(&g->lock);
    g->is_open = true;
    pthread_cond_broadcast(&g->opened);
    pthread_mutex_unlock(&g->lock);
}

static void gate_wait(struct gate *g)
{
    pthread_mutex_lock(&g->lock);
    while (!g->is_open)
        pthread_cond_wait(&g->opened, &g->lock);
    pthread_mutex_unlock(&g->lock);
}

static void serve_but_not_read(struct script_peer *peer)
{
    if (accept_socket(peer))
        gate_wait(peer->server->ctx);
}

static void send_more(uv_timer_t *timer)
{
    static const char text[50000];
    struct stage *s = timer->data;
    if (s->socket)
        ws_socket_send(s->socket, text, sizeof(text));
}

/* However fast it is sent: the thread is given time to take it, or not. */
static void peer_that_does_not_read_is_gone(void **state)
{
    for (uint64_t pause_ms = 0; pause_ms <= 2; pause_ms++) {
        struct gate gate = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false };
        struct stage s;
        uv_timer_t timer;
        open_stage(&s, NULL, NULL, (struct ws_client_params){ 0 });
        s.server = script_server_start(serve_but_not_read, &gate, NULL);
        dial(&s);
        wait_for(&s, &s.opened, 1);
        uv_timer_init(&s.loop, &timer);
        timer.data = &s;
        if (pause_ms)
            uv_timer_start(&timer, send_more, pause_ms, pause_ms);
        while (!s.gone) {
            if (!pause_ms)
                send_more(&timer);
            uv_run(&s.loop, pause_ms ? UV_RUN_ONCE : UV_RUN_NOWAIT);
        }
        assert_string_equal(s.why, "it does not take what is sent");
        uv_close((uv_handle_t *)&timer, NULL);
        gate_open(&gate);
        close_stage(&s);
    }
}

/* ---- ends --------------------------------------------------------------------------------------- */

static void serve_close_frame(struct script_peer *peer)
{
    if (!accept_socket(peer))
        return;
    script_send_text(peer, "last");
    script_send_frame(peer, SCRIPT_CLOSE, true, "\x03\xf0no channel", 12); /* 1008 */
    script_wait_end(peer);
}

static void count_timers(uv_handle_t *handle, void *count)
{
    *(int *)count += handle->type == UV_TIMER && uv_is_active(handle);
}

static void open_socket_has_no_deadline(void **state)
{
    struct stage s;
    int timers = 0;
    open_stage(&s, serve_echo, NULL, (struct ws_client_params){ 0 });
    dial(&s);
    uv_walk(&s.loop, count_timers, &timers);
    assert_int_equal(timers, 1);
    wait_for(&s, &s.opened, 1);
    timers = 0;
    uv_walk(&s.loop, count_timers, &timers);
    assert_int_equal(timers, 0);
    close_stage(&s);
}

static void close_of_the_server_is_told_with_its_reason(void **state)
{
    struct stage s;
    open_stage(&s, serve_close_frame, NULL, (struct ws_client_params){ 0 });
    dial(&s);
    wait_for(&s, &s.gone, 1);
    assert_int_equal(s.texts, 1);
    assert_int_equal(s.status, 0);
    assert_string_equal(s.why, "the server closed it: 1008 no channel");
    close_stage(&s);
    assert_int_equal(s.gone, 1);
}

static void serve_cut(struct script_peer *peer)
{
    if (accept_socket(peer))
        script_send_text(peer, "last");
}

static void cut_connection_is_gone_once(void **state)
{
    struct stage s;
    open_stage(&s, serve_cut, NULL, (struct ws_client_params){ 0 });
    for (int i = 1; i <= 3; i++) { /* and it can be dialled again */
        s.opened = 0;
        dial(&s);
        wait_for(&s, &s.gone, i);
        assert_int_equal(s.texts, i);
    }
    close_stage(&s);
    assert_int_equal(s.gone, 3);
}

struct farewell {
    struct gate over;
    char text[200];
    int opcode;
};

static void serve_farewell(struct script_peer *peer)
{
    struct farewell *f = peer->server->ctx;
    char text[200];
    if (accept_socket(peer)) {
        script_read_frame(peer, f->text, sizeof(f->text));
        f->opcode = script_read_frame(peer, text, sizeof(text));
    }
    gate_open(&f->over);
}

static void close_sends_what_waits_and_a_close_frame(void **state)
{
    struct farewell f = { .over = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false } };
    struct stage s;
    open_stage(&s, NULL, NULL, (struct ws_client_params){ 0 });
    s.server = script_server_start(serve_farewell, &f, NULL);
    dial(&s);
    wait_for(&s, &s.opened, 1);
    ws_socket_send(s.socket, "bye", 3);
    ws_socket_close(s.socket);
    gate_wait(&f.over);
    assert_string_equal(f.text, "bye");
    assert_int_equal(f.opcode, SCRIPT_CLOSE);
    close_stage(&s);
    assert_int_equal(s.gone, 0);
}

static void socket_closed_while_dialling_is_silent(void **state)
{
    struct stage s;
    open_stage(&s, serve_echo, NULL, (struct ws_client_params){ 0 });
    dial(&s);
    ws_socket_close(s.socket);
    s.first_text = "still there";
    dial(&s);
    wait_for(&s, &s.texts, 1);
    assert_int_equal(s.opened, 1);
    assert_int_equal(s.gone, 0);
    close_stage(&s);
}

static void callback_may_destroy_the_client(void **state)
{
    struct stage s;
    open_stage(&s, serve_pieces, NULL, (struct ws_client_params){ 0 });
    s.is_destroying = true;
    dial(&s);
    wait_for(&s, &s.texts, 1);
    close_stage(&s);
    assert_int_equal(s.texts, 1);
    assert_int_equal(s.gone, 0);
}

static void client_can_be_destroyed_while_dialling(void **state)
{
    struct stage s;
    open_stage(&s, serve_silence, NULL, (struct ws_client_params){ 0 });
    dial(&s);
    dial(&s);
    close_stage(&s);
    assert_int_equal(s.gone, 0);
}

static int no_pipe_signal(void **state)
{
    signal(SIGPIPE, SIG_IGN);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(upgrade_carries_what_was_given_and_nothing_else),
        cmocka_unit_test(proxy_of_the_environment_is_not_taken),
        cmocka_unit_test(long_address_arrives_whole),
        cmocka_unit_test(refused_upgrade_says_its_status),
        cmocka_unit_test(broken_upgrade_is_gone_without_a_status),
        cmocka_unit_test(nothing_listening_is_gone),
        cmocka_unit_test(silent_server_is_gone_by_the_deadline),
        cmocka_unit_test(what_cannot_be_dialled_says_so_later),
        cmocka_unit_test(certificate_is_verified),
        cmocka_unit_test(a_pinned_certificate_is_trusted_whatever_it_says_and_no_other_is),
        cmocka_unit_test(unreadable_authority_is_an_error),
        cmocka_unit_test(texts_come_back_in_order),
        cmocka_unit_test(pieces_become_whole_texts),
        cmocka_unit_test(too_long_message_ends_the_connection),
        cmocka_unit_test(peer_that_does_not_read_is_gone),
        cmocka_unit_test(open_socket_has_no_deadline),
        cmocka_unit_test(close_of_the_server_is_told_with_its_reason),
        cmocka_unit_test(cut_connection_is_gone_once),
        cmocka_unit_test(close_sends_what_waits_and_a_close_frame),
        cmocka_unit_test(socket_closed_while_dialling_is_silent),
        cmocka_unit_test(callback_may_destroy_the_client),
        cmocka_unit_test(client_can_be_destroyed_while_dialling),
    };
    return cmocka_run_group_tests(tests, no_pipe_signal, NULL);
}
