/* The server as a client on the wire sees it: requests, answers, turns, bounds, deadlines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <signal.h>

#include <cmocka.h>

#include "net/server_bench.h"

#define GET(path)  "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define LAST(path) "GET " path " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    bench_open(b, (struct server_params){ .body_max = 100000, .socket_queue_max = 64 * 1024 });
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    bench_close(*state);
    free(*state);
    return 0;
}

/* ---- requests -------------------------------------------------------------------------------- */

static void every_method_with_and_without_body_reaches_the_owner(void **state)
{
    static const char *const names[] = {
        "GET", "POST", "PATCH", "PUT", "DELETE", "OPTIONS", "OTHER"
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        for (int with_body = 0; with_body < 2; with_body++) {
            char request[512], text[4096], want[256];
            snprintf(request, sizeof(request),
                     "%s /a%%20b?q=%%22+x HTTP/1.1\r\nHost: a\r\nx-custom-THING: yes\r\n"
                     "Connection: close\r\n%s",
                     names[i], with_body ? "Content-Length: 2\r\n\r\n{}" : "\r\n");
            client_ask(*state, request, text, sizeof(text));
            snprintf(want, sizeof(want), "%s [/a b] [q=%%22+x] [yes] [%s] %d 127.0.0.1", names[i],
                     with_body ? "{}" : "", with_body ? 2 : 0);
            assert_non_null(strstr(text, "HTTP/1.1 200 OK\r\n"));
            assert_non_null(strstr(text, "\r\nX-Back: yes\r\n"));
            assert_non_null(strstr(text, "\r\nDate: "));
            assert_string_equal(strstr(text, "\r\n\r\n") + 4, want);
        }
}

static void head_gets_the_length_but_no_body(void **state)
{
    char text[4096];
    client_ask(*state, "HEAD /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", text,
               sizeof(text));
    assert_non_null(strstr(text, "\r\nContent-Length: 30\r\n"));
    assert_string_equal(strstr(text, "\r\n\r\n"), "\r\n\r\n");
}

static void a_request_may_come_byte_by_byte(void **state)
{
    static const char request[] =
        "\r\nPOST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
        "Connection: close\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    struct bench *b = *state;
    char text[4096] = "";
    int fd = client_connect(b);
    for (const char *at = request; *at; at++) {
        assert_true(client_send(b, fd, at, 1));
        server_turn(b->server, 0);
        server_turn(b->server, 0);
    }
    assert_true(client_read(b, fd, text, sizeof(text), NULL));
    assert_non_null(strstr(text, "[abcde] 5 "));
    close(fd);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    struct bench *b = *state;
    char text[65536] = "", want[64];
    int fd = client_connect(b);
    for (int i = 0; i < 100; i++) {
        char request[128];
        snprintf(request, sizeof(request),
                 "PUT /%d HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx", i);
        assert_true(client_say(b, fd, request));
    }
    assert_true(client_say(b, fd, LAST("/end")));
    assert_true(client_read(b, fd, text, sizeof(text), NULL));
    const char *at = text;
    for (int i = 0; i < 100; i++) {
        snprintf(want, sizeof(want), "PUT [/%d] [] [] [x] 1 ", i);
        at = strstr(at, "PUT [");
        assert_non_null(at);
        assert_memory_equal(at++, want, strlen(want));
    }
    assert_non_null(strstr(at, "GET [/end]"));
    close(fd);
}

static void a_pipeline_of_large_answers_waits_for_its_reader(void **state)
{
    struct bench *b = *state;
    int fd = client_connect(b);
    for (int i = 0; i < 20; i++)
        assert_true(client_say(b, fd, GET("/large")));
    assert_true(client_say(b, fd, LAST("/end")));
    for (int i = 0; i < 50; i++)
        server_turn(b->server, 0);
    assert_true(b->asked < 20); /* not all in memory at once */
    size_t got = 0;
    char text[65536];
    for (int turns = 0; turns < BENCH_TURNS; turns++) {
        ssize_t n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
        if (n == 0)
            break;
        got += n > 0 ? (size_t)n : 0;
        if (n < 0)
            server_turn(b->server, 20);
    }
    assert_int_equal(b->asked, 21);
    assert_true(got > 20u << 20);
    close(fd);
}

static void a_client_may_ask_whether_to_send_its_body(void **state)
{
    struct bench *b = *state;
    char text[4096] = "";
    int fd = client_connect(b);
    assert_true(client_say(b, fd,
                           "POST /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                           "Connection: close\r\nContent-Length: 3\r\n\r\n"));
    assert_true(client_read(b, fd, text, sizeof(text), "\r\n\r\n"));
    assert_string_equal(text, "HTTP/1.1 100 Continue\r\n\r\n");
    assert_true(client_say(b, fd, "abc"));
    assert_true(client_read(b, fd, text, sizeof(text), NULL));
    assert_non_null(strstr(text, "HTTP/1.1 200 OK\r\n"));
    close(fd);
}

static void connections_end_when_the_client_wishes(void **state)
{
    static const struct {
        const char *request, *says;
    } cases[] = {
        { LAST("/"), "Connection: close" },
        { "GET / HTTP/1.0\r\n\r\n", "Connection: close" },
    };
    char text[4096];
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_non_null(
            strstr(client_ask(*state, cases[i].request, text, sizeof(text)), cases[i].says));
}

static void hostile_requests_are_refused_in_words(void **state)
{
    static const struct {
        const char *request;
        int status;
    } cases[] = {
        { "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400 },
        { "SSH-2.0-x\r\n", 400 },
        { "GET /../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
        { "GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
          400 },
        { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100001\r\n\r\n", 413 },
        { "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n186a1\r\n", 413 },
        { "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505 },
        { "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
          "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
          426 },
        { "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n\r\n",
          400 },
    };
    struct bench *b = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[4096], want[32];
        client_ask(b, cases[i].request, text, sizeof(text));
        snprintf(want, sizeof(want), "HTTP/1.1 %d ", cases[i].status);
        assert_memory_equal(text, want, strlen(want));
        assert_non_null(strstr(text, "\r\nConnection: close\r\n"));
        assert_non_null(strstr(text, "\r\nContent-Type: text/plain; charset=utf-8\r\n"));
        assert_true(strlen(strstr(text, "\r\n\r\n")) > 10);
    }
    assert_int_equal(b->asked, 0);
    assert_int_equal(b->opened, 0);
}

static void a_flood_of_fields_ends_with_431(void **state)
{
    struct bench *b = *state;
    char text[4096] = "";
    int fd = client_connect(b);
    assert_true(client_say(b, fd, "GET / HTTP/1.1\r\nHost: a\r\n"));
    for (int i = 0; i < 2000 && client_say(b, fd, "X-Flood: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n");
         i++)
        server_turn(b->server, 0);
    assert_true(client_read(b, fd, text, sizeof(text), NULL));
    assert_memory_equal(text, "HTTP/1.1 431 ", 13);
    close(fd);
}

static void a_body_beyond_the_bound_is_not_read_to_its_end(void **state)
{
    struct bench *b = *state;
    char text[4096] = "", filler[1000];
    memset(filler, 'x', sizeof(filler));
    int fd = client_connect(b);
    assert_true(
        client_say(b, fd, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n"));
    for (int i = 0; i < 300; i++)
        assert_true(client_send(b, fd, filler, sizeof(filler))); /* the answer must survive this */
    assert_true(client_read(b, fd, text, sizeof(text), NULL));
    assert_memory_equal(text, "HTTP/1.1 413 ", 13);
    close(fd);
}

static void bodies_of_all_together_are_bounded(void **state)
{
    struct bench *b = *state;
    char filler[65536], text[4096] = "";
    memset(filler, 'x', sizeof(filler));
    int fd[8];
    for (int i = 0; i < 8; i++) {
        fd[i] = client_connect(b);
        assert_true(
            client_say(b, fd[i], "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"));
        assert_true(client_send(b, fd[i], filler, sizeof(filler)));
        server_turn(b->server, 0);
        server_turn(b->server, 0);
    }
    assert_true(client_read(b, fd[7], text, sizeof(text), NULL));
    assert_memory_equal(text, "HTTP/1.1 503 ", 13);
    assert_true(
        client_send(b, fd[0], filler, 100000 - sizeof(filler))); /* who came first is served */
    text[0] = '\0';
    assert_true(client_read(b, fd[0], text, sizeof(text), "100000 127.0.0.1"));
    for (int i = 0; i < 8; i++)
        close(fd[i]);
}

/* ---- turns ----------------------------------------------------------------------------------- */

static void nothing_must_have_come(struct bench *b)
{
    char byte;
    assert_true(recv(b->watched, &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0 && errno == EAGAIN);
}

static void answers_leave_only_after_the_turn(void **state)
{
    struct bench *b = *state;
    char text[4096] = "";
    int fd = client_connect(b);
    b->watched = fd;
    b->in_turn = nothing_must_have_come;
    assert_true(client_say(b, fd, GET("/1")));
    while (b->asked == 0)
        server_turn(b->server, 20);
    b->in_turn = NULL;
    assert_true(client_read(b, fd, text, sizeof(text), "127.0.0.1"));
    close(fd);
}

static void a_failing_turn_turns_its_answers_into_the_error(void **state)
{
    struct bench *b = *state;
    char text[8192] = "";
    int fd = client_connect(b);
    b->fails = true;
    assert_true(client_say(b, fd, GET("/1") GET("/2") "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"));
    while (b->asked < 3)
        server_turn(b->server, 20);
    b->fails = false;
    assert_true(client_say(b, fd, LAST("/4")));
    assert_true(client_read(b, fd, text, sizeof(text), NULL));
    assert_null(strstr(text, "[/1]"));
    assert_null(strstr(text, "[/2]"));
    assert_non_null(strstr(text, "[/4]")); /* later turns are not touched */
    int failed = 0, bodies = 0;
    for (const char *at = text; (at = strstr(at, "HTTP/1.1 503 ")); at++)
        failed++;
    for (const char *at = text; (at = strstr(at, "disk full")); at++)
        bodies++;
    assert_int_equal(failed, 3);
    assert_int_equal(bodies, 2);
    close(fd);
}

static void the_error_of_a_failing_turn_keeps_the_lasting_headers_of_each_answer(void **state)
{
    struct bench *b = *state;
    char text[8192] = "";
    int fd = client_connect(b);
    b->fails = true;
    assert_true(client_say(b, fd,
                           "GET /1 HTTP/1.1\r\nHost: a\r\nX-Custom-Thing: one\r\n\r\n"
                           "GET /2 HTTP/1.1\r\nHost: a\r\nX-Custom-Thing: two\r\n\r\n"
                           "GET /3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
    assert_true(client_read(b, fd, text, sizeof(text), NULL));
    const char *one = strstr(text, "\r\nX-Back: one\r\n"),
               *two = strstr(text, "\r\nX-Back: two\r\n");
    assert_non_null(one);
    assert_non_null(two);
    assert_true(one < two);
    assert_non_null(strstr(two, "\r\nX-Back: none\r\n"));
    assert_null(strstr(text, "X-Secret"));
    assert_null(strstr(text, " 200 "));
    close(fd);
}

static void a_turn_that_fails_without_a_reason_answers_500(void **state)
{
    struct bench *b = *state;
    char text[4096];
    b->fails = b->is_mute = true;
    client_ask(b, LAST("/1"), text, sizeof(text));
    assert_memory_equal(text, "HTTP/1.1 500 ", 13);
}

static void an_answer_may_come_in_a_later_turn(void **state)
{
    struct bench *b = *state;
    char text[8192] = "";
    int fd = client_connect(b), other = client_connect(b);
    assert_true(client_say(b, fd, GET("/hold") LAST("/after")));
    while (b->held_count == 0)
        server_turn(b->server, 20);
    assert_true(client_say(b, other, GET("/other"))); /* nobody else waits for it */
    assert_true(client_read(b, other, text, sizeof(text), "[/other]"));
    assert_int_equal(b->asked, 2);
    bench_answer(b->held[--b->held_count], 201, "late");
    text[0] = '\0';
    assert_true(client_read(b, fd, text, sizeof(text), NULL));
    assert_non_null(strstr(text, "HTTP/1.1 201 Created\r\n"));
    assert_true(strstr(text, "late") < strstr(text, "[/after]"));
    close(fd);
    close(other);
}

static void the_owner_hears_when_a_client_goes_before_its_answer(void **state)
{
    struct bench *b = *state;
    int fd = client_connect(b);
    assert_true(client_say(b, fd, GET("/hold")));
    while (b->held_count == 0)
        server_turn(b->server, 20);
    close(fd);
    for (int i = 0; i < BENCH_TURNS && b->gone == 0; i++)
        server_turn(b->server, 20);
    assert_int_equal(b->gone, 1);
    fd = client_connect(b); /* one more, for the end of the server */
    assert_true(client_say(b, fd, GET("/hold")));
    while (b->held_count == 0)
        server_turn(b->server, 20);
    server_destroy(b->server);
    b->server = NULL;
    assert_int_equal(b->gone, 2);
    close(fd);
}

static void empty_and_bodyless_answers_are_framed(void **state)
{
    struct bench *b = *state;
    char text[4096] = "";
    int fd = client_connect(b);
    assert_true(
        client_say(b, fd, GET("/hold") "DELETE /hold HTTP/1.1\r\nHost: a\r\n\r\n" LAST("/end")));
    while (b->held_count == 0)
        server_turn(b->server, 20);
    exchange_answer(b->held[--b->held_count], &(struct http_answer){ .status = 202 });
    while (b->held_count == 0)
        server_turn(b->server, 20);
    bench_answer(b->held[--b->held_count], 204, "");
    assert_true(client_read(b, fd, text, sizeof(text), NULL));
    const char *second = strstr(text, "HTTP/1.1 204 No Content\r\n");
    assert_non_null(second);
    assert_true(strstr(text, "\r\nContent-Length: 0\r\n") < second);
    const char *length = strstr(second, "Content-Length:");
    assert_true(length > strstr(second, "HTTP/1.1 200"));
    close(fd);
}

static volatile struct server *woken;

static void on_signal(int number)
{
    server_wake((struct server *)woken);
}

static void a_signal_handler_may_end_the_waiting(void **state)
{
    struct bench *b = *state;
    woken = b->server;
    server_turn(b->server, 0);
    signal(SIGUSR1, on_signal);
    raise(SIGUSR1);
    raise(SIGUSR1);
    int turns = b->turns;
    server_turn(b->server, -1); /* would wait for ever */
    assert_int_equal(b->turns, turns + 1);
    signal(SIGUSR1, SIG_DFL);
}

/* ---- deadlines and bounds -------------------------------------------------------------------- */

static void late_requests_and_idle_connections_are_ended(void **state)
{
    static const struct {
        const char *name, *says;
        int kept_s, ended_s;
    } cases[] = {
        { "nothing said", "", 29, 31 },
        { "half a head", "GET / HTTP/1.1\r\nHost:", 29, 31 },
        { "half a body", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\na", 29, 31 },
        { "answered", GET("/"), 64, 66 },
        { "answered, then half a head", GET("/") "GET", 29, 31 },
        { "not answered", GET("/hold"), 100000, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bench *b = *state;
        char byte, text[4096] = "";
        int fd = client_connect(b);
        assert_true(client_say(b, fd, cases[i].says));
        bench_pass(b, 0);
        bench_pass(b, 0);
        if (strstr(cases[i].name, "answered") == cases[i].name)
            assert_true(client_read(b, fd, text, sizeof(text), "127.0.0.1"));
        bench_pass(b, SECONDS(cases[i].kept_s));
        if (recv(fd, &byte, 1, MSG_DONTWAIT) >= 0 || errno != EAGAIN)
            fail_msg("%s: ended too early", cases[i].name);
        if (cases[i].ended_s) {
            bench_pass(b, SECONDS(cases[i].ended_s - cases[i].kept_s));
            if (recv(fd, &byte, 1, MSG_DONTWAIT) != 0 && errno != ECONNRESET)
                fail_msg("%s: not ended", cases[i].name);
        }
        close(fd);
    }
}

static void a_slow_body_is_kept_while_it_makes_progress(void **state)
{
    struct bench *b = *state;
    char filler[1024], text[4096] = "";
    memset(filler, 'x', sizeof(filler));
    int fd = client_connect(b);
    assert_true(client_say(b, fd, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 81920\r\n\r\n"));
    for (int i = 0; i < 80; i++) { /* 1 kB/s, 80 s */
        assert_true(client_send(b, fd, filler, sizeof(filler)));
        bench_pass(b, SECONDS(1));
    }
    assert_true(client_read(b, fd, text, sizeof(text), "81920 127.0.0.1"));
    close(fd);
}

static void an_answer_that_nobody_reads_is_given_up(void **state)
{
    struct bench *b = *state;
    int fd = client_connect(b);
    assert_true(client_say(b, fd,
                           GET("/large") GET("/large") GET("/large") GET("/large") GET("/large")
                               GET("/large") GET("/large") GET("/large") GET("/hold")));
    for (int i = 0; i < 20; i++)
        bench_pass(b, SECONDS(2)); /* fills what the kernel takes */
    assert_true(b->asked < 9);
    bench_pass(b, SECONDS(100));
    bench_pass(b, SECONDS(25));
    size_t got = 0;
    char text[65536];
    ssize_t n;
    while ((n = recv(fd, text, sizeof(text), 0)) > 0)
        got += (size_t)n;
    assert_true(got < 8u << 20);
    close(fd);
}

static void connections_beyond_the_bound_are_told_so(void **state)
{
    struct bench b;
    char text[4096] = "";
    bench_open(&b, (struct server_params){ .connections_max = 3 });
    int fd[5];
    for (int i = 0; i < 5; i++) {
        fd[i] = client_connect(&b);
        server_turn(b.server, 20);
    }
    assert_true(client_say(&b, fd[3], GET("/")));
    assert_true(client_read(&b, fd[3], text, sizeof(text), NULL));
    assert_memory_equal(text, "HTTP/1.1 503 ", 13);
    text[0] = '\0';
    assert_true(client_say(&b, fd[2], GET("/")));
    assert_true(client_read(&b, fd[2], text, sizeof(text), "127.0.0.1"));
    for (int i = 0; i < 5; i++)
        close(fd[i]);
    bench_close(&b);
}

static void a_taken_port_or_a_bad_address_is_an_error(void **state)
{
    struct bench *b = *state, other = { 0 };
    other.params = b->params;
    other.params.port = server_port(b->server);
    assert_int_equal(server_create(&other.server, &other.params), -EADDRINUSE);
    other.params.port = 0;
    other.params.address = "localhost";
    assert_int_equal(server_create(&other.server, &other.params), -EINVAL);
    other.params.address = "127.0.0.1";
    other.params.certificate = other.params.key = "/nonexistent.pem";
    assert_int_equal(server_create(&other.server, &other.params), -ENOENT);
}

static void a_port_is_free_again_at_once(void **state)
{
    struct bench *b = *state;
    int fd = client_connect(b), port = server_port(b->server);
    assert_true(client_say(b, fd, GET("/")));
    while (b->asked == 0)
        server_turn(b->server, 20);
    server_destroy(b->server);
    b->params.port = port;
    assert_int_equal(server_create(&b->server, &b->params), 0);
    assert_int_equal(server_port(b->server), port);
    close(fd);
}

static void both_families_are_heard_on_the_open_address(void **state)
{
    struct bench b;
    char text[4096];
    int probe = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in6 where = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    bool has_family = probe >= 0;
    bool has_loopback = has_family && bind(probe, (struct sockaddr *)&where, sizeof(where)) == 0;
    if (has_family)
        close(probe);
    if (!has_loopback)
        print_message("this machine has no ::1: what it has is tested\n");
    if (!has_family) {
        struct server_params params = { .address = "::" };
        assert_true(server_create(&b.server, &params) < 0);
        return;
    }
    bench_open(&b, (struct server_params){ .address = "::" });
    assert_non_null(strstr(client_ask(&b, LAST("/"), text, sizeof(text)), " 127.0.0.1"));
    if (!has_loopback) {
        bench_close(&b);
        return;
    }
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    where.sin6_port = htons((uint16_t)server_port(b.server));
    assert_int_equal(connect(fd, (struct sockaddr *)&where, sizeof(where)), 0);
    text[0] = '\0';
    assert_true(client_say(&b, fd, LAST("/")));
    assert_true(client_read(&b, fd, text, sizeof(text), NULL));
    assert_non_null(strstr(text, " ::1"));
    close(fd);
    bench_close(&b);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_method_with_and_without_body_reaches_the_owner),
        TEST(head_gets_the_length_but_no_body),
        TEST(a_request_may_come_byte_by_byte),
        TEST(pipelined_requests_are_answered_in_order),
        TEST(a_pipeline_of_large_answers_waits_for_its_reader),
        TEST(a_client_may_ask_whether_to_send_its_body),
        TEST(connections_end_when_the_client_wishes),
        TEST(hostile_requests_are_refused_in_words),
        TEST(a_flood_of_fields_ends_with_431),
        TEST(a_body_beyond_the_bound_is_not_read_to_its_end),
        TEST(bodies_of_all_together_are_bounded),
        TEST(answers_leave_only_after_the_turn),
        TEST(a_failing_turn_turns_its_answers_into_the_error),
        TEST(the_error_of_a_failing_turn_keeps_the_lasting_headers_of_each_answer),
        TEST(a_turn_that_fails_without_a_reason_answers_500),
        TEST(an_answer_may_come_in_a_later_turn),
        TEST(the_owner_hears_when_a_client_goes_before_its_answer),
        TEST(empty_and_bodyless_answers_are_framed),
        TEST(a_signal_handler_may_end_the_waiting),
        TEST(late_requests_and_idle_connections_are_ended),
        TEST(a_slow_body_is_kept_while_it_makes_progress),
        TEST(an_answer_that_nobody_reads_is_given_up),
        TEST(a_taken_port_or_a_bad_address_is_an_error),
        TEST(a_port_is_free_again_at_once),
        cmocka_unit_test(connections_beyond_the_bound_are_told_so),
        cmocka_unit_test(both_families_are_heard_on_the_open_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
