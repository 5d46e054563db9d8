/* Bytes to requests: what is understood, what is refused, wherever the bytes are cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/server_request.h"

#define H "Host: a\r\n"

static int status_of(const struct server_refusal *no)
{
    return no ? no->status : 200;
}

/* Feeds a request in pieces of `step` bytes, as a connection does; the status of the refusal, 200,
 * or 0 when more would have to come. `*used`: bytes taken. */
static int read_request(struct server_request *r, const char *data, size_t len, size_t step,
                        size_t *used)
{
    size_t seen = 0, head_len = 0, have = 0;
    const struct server_refusal *no = NULL;
    while (!no && head_len == 0 && have < len) {
        have = have + step < len ? have + step : len;
        no = server_head_find(data, have, &seen, &head_len);
    }
    if (no || head_len == 0)
        return no ? no->status : 0;
    *used = head_len;
    no = server_request_parse(r, data, head_len, 1000);
    while (!no && !r->is_whole && *used < len) {
        size_t n = 0, left = len - *used;
        no = server_request_take(r, data + *used, left < step ? left : step, &n);
        *used += n;
    }
    return no ? no->status : r->is_whole ? 200 : 0;
}

static const struct {
    const char *name, *text;
    int status; /* 0: waits for more */
} cases[] = {
    { "simple", "GET / HTTP/1.1\r\n" H "\r\n", 200 },
    { "no host needed in 1.0", "GET / HTTP/1.0\r\n\r\n", 200 },
    { "absolute form", "GET http://a/x?y HTTP/1.1\r\n" H "\r\n", 200 },
    { "all options", "OPTIONS * HTTP/1.1\r\n" H "\r\n", 200 },
    { "own method", "BREW / HTTP/1.1\r\n" H "\r\n", 200 },
    { "unfinished", "GET / HTTP/1.1\r\n" H, 0 },
    { "bare line feeds", "GET / HTTP/1.1\n" H "\n", 400 },
    { "bare return", "GET / HTTP/1.1\r\nA: b\rc\r\n" H "\r\n", 400 },
    { "no version", "GET /\r\n" H "\r\n", 400 },
    { "two blanks", "GET  / HTTP/1.1\r\n" H "\r\n", 400 },
    { "blank in path", "GET /a b HTTP/1.1\r\n" H "\r\n", 400 },
    { "tls hello", "\x16\x03\x01\x02", 400 },
    { "nothing like it", "hello there, how are you doing today my friend", 400 },
    { "endless method", "GETGETGETGETGETGETGETGETGETGETGETGET", 400 },
    { "old http", "GET / HTTP/0.9\r\n" H "\r\n", 505 },
    { "http/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505 },
    { "relative path", "GET index.html HTTP/1.1\r\n" H "\r\n", 400 },
    { "star for get", "GET * HTTP/1.1\r\n" H "\r\n", 400 },
    { "connect", "CONNECT a:443 HTTP/1.1\r\n" H "\r\n", 400 },
    { "up", "GET /a/../b HTTP/1.1\r\n" H "\r\n", 400 },
    { "up, escaped", "GET /a/%2e%2E%2fb HTTP/1.1\r\n" H "\r\n", 400 },
    { "up at the end", "GET /a/.. HTTP/1.1\r\n" H "\r\n", 400 },
    { "dots in a name", "GET /a..b/...c HTTP/1.1\r\n" H "\r\n", 200 },
    { "nul in path", "GET /a%00b HTTP/1.1\r\n" H "\r\n", 400 },
    { "line feed in path", "GET /a%0ab HTTP/1.1\r\n" H "\r\n", 400 },
    { "bad escape", "GET /a%2 HTTP/1.1\r\n" H "\r\n", 400 },
    { "no hex", "GET /a%zz HTTP/1.1\r\n" H "\r\n", 400 },
    { "no host", "GET / HTTP/1.1\r\n\r\n", 400 },
    { "two hosts", "GET / HTTP/1.1\r\n" H H "\r\n", 400 },
    { "blank before colon", "GET / HTTP/1.1\r\n" H "A : b\r\n\r\n", 400 },
    { "no colon", "GET / HTTP/1.1\r\n" H "A\r\n\r\n", 400 },
    { "no name", "GET / HTTP/1.1\r\n" H ": a\r\n\r\n", 400 },
    { "folded", "GET / HTTP/1.1\r\n" H "A: b\r\n c\r\n\r\n", 400 },
    { "control in value", "GET / HTTP/1.1\r\n" H "A: \x01\r\n\r\n", 400 },
    { "both lengths",
      "POST / HTTP/1.1\r\n" H "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
    { "length twice", "POST / HTTP/1.1\r\n" H "Content-Length: 1\r\nContent-Length: 1\r\n\r\na",
      400 },
    { "length list", "POST / HTTP/1.1\r\n" H "Content-Length: 1, 1\r\n\r\na", 400 },
    { "length signed", "POST / HTTP/1.1\r\n" H "Content-Length: +1\r\n\r\na", 400 },
    { "length negative", "POST / HTTP/1.1\r\n" H "Content-Length: -1\r\n\r\na", 400 },
    { "length empty", "POST / HTTP/1.1\r\n" H "Content-Length:\r\n\r\na", 400 },
    { "length largest", "POST / HTTP/1.1\r\n" H "Content-Length: 1001\r\n\r\n", 413 },
    { "length beyond 64 bits",
      "POST / HTTP/1.1\r\n" H "Content-Length: 99999999999999999999\r\n\r\n", 413 },
    { "body short", "POST / HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nab", 0 },
    { "other coding", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n", 501 },
    { "coding twice",
      "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n", 400 },
    { "chunked in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400 },
    { "other expectation", "POST / HTTP/1.1\r\n" H "Expect: tea\r\nContent-Length: 1\r\n\r\n",
      417 },
    { "extension and trailer",
      "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n2;a=b\r\nab\r\n0\r\nT: x\r\n\r\n",
      200 },
    { "chunk without size", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n\r\n", 400 },
    { "chunk too short", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
      400 },
    { "chunk size signed", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n-1\r\n",
      400 },
    { "chunk line feed", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n1\na\r\n",
      400 },
    { "chunk too large", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3e9\r\n", 413 },
    { "chunk beyond 64 bits",
      "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n10000000000000001\r\n", 413 },
    { "chunks unfinished",
      "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n", 0 },
};

static void what_is_no_request_is_refused_however_it_is_cut(void **state)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (size_t step = 1; step < 400; step = step == 1 ? 3 : step * 5) {
            struct server_request r = { 0 };
            size_t used;
            int status = read_request(&r, cases[i].text, strlen(cases[i].text), step, &used);
            if (status != cases[i].status)
                fail_msg("%s, in pieces of %zu: %d, not %d", cases[i].name, step, status,
                         cases[i].status);
            server_request_finish(&r);
        }
}

static void nul_in_a_field_is_refused(void **state)
{
    static const char text[] = "GET / HTTP/1.1\r\n" H "A: b\0c\r\n\r\n";
    struct server_request r = { 0 };
    size_t used;
    assert_int_equal(read_request(&r, text, sizeof(text) - 1, 7, &used), 400);
    server_request_finish(&r);
}

static void floods_of_fields_end_with_431(void **state)
{
    struct buf b;
    struct server_request r = { 0 };
    size_t used;
    buf_init(&b, 100000);
    assert_int_equal(buf_printf(&b, "GET / HTTP/1.1\r\n" H), 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(buf_printf(&b, "A%d: b\r\n", i), 0);
    assert_int_equal(buf_append(&b, "\r\n", 2), 0);
    assert_int_equal(read_request(&r, b.data, b.len, 100, &used), 431); /* one too many */
    server_request_finish(&r);

    buf_consume(&b, b.len);
    assert_int_equal(buf_printf(&b, "GET / HTTP/1.1\r\nA: "), 0);
    while (b.len < SERVER_HEAD_MAX)
        assert_int_equal(buf_append(&b, "a", 1), 0);
    assert_int_equal(read_request(&r, b.data, b.len, 100, &used), 431);

    buf_consume(&b, b.len);
    assert_int_equal(buf_printf(&b, "GET /"), 0);
    while (b.len < SERVER_HEAD_MAX)
        assert_int_equal(buf_append(&b, "a", 1), 0);
    assert_int_equal(read_request(&r, b.data, b.len, 100, &used), 414);
    buf_finish(&b);
}

static void a_request_is_taken_to_pieces(void **state)
{
    static const char text[] = "DELETE /v1/a%20b%2Fc/%C3%A9?q=%22a+b%22&x=/../ HTTP/1.1\r\n" H
                               "x-AppWrite-Key: \t k e y \t\r\nEmpty:\r\nX-Appwrite-Key: second\r\n"
                               "Connection: foo, Close\r\nContent-Length: 3\r\n\r\na\0bGET";
    struct server_request r = { 0 };
    size_t used;
    assert_int_equal(read_request(&r, text, sizeof(text) - 1, 5, &used), 200);
    assert_int_equal(used, sizeof(text) - 1 - 3); /* the next request is not touched */
    assert_int_equal(r.method, HTTP_DELETE);
    assert_string_equal(r.path, "/v1/a b/c/\xC3\xA9");
    assert_string_equal(r.query, "q=%22a+b%22&x=/../");
    assert_string_equal(server_request_field(&r, "X-APPWRITE-KEY"), "k e y");
    assert_string_equal(server_request_field(&r, "empty"), "");
    assert_null(server_request_field(&r, "x-appwrite"));
    assert_false(r.keeps_alive);
    assert_int_equal(r.body.len, 3);
    assert_memory_equal(r.body.data, "a\0b", 4);
    server_request_finish(&r);
}

static void chunks_become_one_body(void **state)
{
    static const char text[] = "PUT / HTTP/1.1\r\n" H "Transfer-Encoding: Chunked\r\n\r\n"
                               "3\r\nabc\r\n00A;x=\"y\"\r\n0123456789\r\n0\r\n\r\n";
    for (size_t step = 1; step < sizeof(text); step++) {
        struct server_request r = { 0 };
        size_t used;
        assert_int_equal(read_request(&r, text, sizeof(text) - 1, step, &used), 200);
        assert_int_equal(used, sizeof(text) - 1);
        assert_string_equal(r.body.data, "abc0123456789");
        server_request_finish(&r);
    }
}

static void chunk_extensions_are_bounded(void **state)
{
    static const char head[] = "PUT / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n";
    static const char chunk[] = "1;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nx\r\n";
    struct server_request r = { 0 };
    const struct server_refusal *no = server_request_parse(&r, head, strlen(head), 1000);
    for (size_t i = 0; !no && i < 999; i++) {
        size_t used;
        no = server_request_take(&r, chunk, strlen(chunk), &used);
    }
    assert_int_equal(status_of(no), 431);
    server_request_finish(&r);
}

static void connection_wishes_are_understood(void **state)
{
    static const struct {
        const char *text;
        bool keeps_alive, wants_socket, awaits_continue;
    } wishes[] = {
        { "GET / HTTP/1.1\r\n" H "\r\n", true, false, false },
        { "GET / HTTP/1.0\r\n\r\n", false, false, false },
        { "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true, false, false },
        { "GET / HTTP/1.1\r\n" H "Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\r\n",
          true, true, false },
        { "POST / HTTP/1.1\r\n" H "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", true, false,
          false },
        { "GET / HTTP/1.1\r\n" H "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", true, false,
          false },
        { "GET / HTTP/1.1\r\n" H "Upgrade: websocket\r\n\r\n", true, false, false },
        { "PUT / HTTP/1.1\r\n" H "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\n", true, false,
          true },
        { "PUT / HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 0\r\n\r\n", true, false,
          false },
    };
    for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
        struct server_request r = { 0 };
        assert_null(server_request_parse(&r, wishes[i].text, strlen(wishes[i].text), 1000));
        assert_int_equal(r.keeps_alive, wishes[i].keeps_alive);
        assert_int_equal(r.wants_socket, wishes[i].wants_socket);
        assert_int_equal(r.awaits_continue, wishes[i].awaits_continue);
        server_request_finish(&r);
    }
}

/* Whatever the bytes, it ends in a status and touches no memory that is not its own (sanitizers
 * watch). */
static void random_damage_is_survived(void **state)
{
    static const char good[] =
        "POST /a%41?b HTTP/1.1\r\n" H "A: b\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5;x\r\nabcde\r\n0\r\nT: u\r\n\r\n";
    uint32_t random = 1;
    for (int round = 0; round < 20000; round++) {
        char text[sizeof(good)];
        memcpy(text, good, sizeof(good));
        for (int i = 0; i < 3; i++) {
            random = random * 1664525u + 1013904223u;
            text[(random >> 16) % (sizeof(good) - 1)] = (char)(random >> 8);
        }
        struct server_request r = { 0 };
        size_t used;
        int status = read_request(&r, text, sizeof(text) - 1, 1 + random % 90, &used);
        assert_true(status == 0 || (status >= 200 && status < 600));
        server_request_finish(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_request_is_refused_however_it_is_cut),
        cmocka_unit_test(nul_in_a_field_is_refused),
        cmocka_unit_test(floods_of_fields_end_with_431),
        cmocka_unit_test(a_request_is_taken_to_pieces),
        cmocka_unit_test(chunks_become_one_body),
        cmocka_unit_test(chunk_extensions_are_bounded),
        cmocka_unit_test(connection_wishes_are_understood),
        cmocka_unit_test(random_damage_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
