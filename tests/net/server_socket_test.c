/* WebSockets of the server as a client on the wire sees them; and the same over TLS with a real
 * client. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>
#include <curl/curl.h>

#include "net/server_bench.h"

#define FAN_OUT 200

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    bench_open(b, (struct server_params){ .frame_max = 2000, .socket_queue_max = 64 * 1024 });
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    bench_close(*state);
    free(*state);
    return 0;
}

static void wait_closed(struct bench *b, int count)
{
    for (int i = 0; i < BENCH_TURNS && b->closed < count; i++)
        server_turn(b->server, 20);
    assert_int_equal(b->closed, count);
}

/* ---- opening --------------------------------------------------------------------------------- */

static void the_handshake_is_that_of_the_rfc(void **state)
{
    struct bench *b = *state;
    char text[1024] = "";
    int fd = client_connect(b);
    assert_true(client_say(b, fd, CLIENT_HANDSHAKE("x=%20")));
    assert_true(client_read(b, fd, text, sizeof(text), "welcome x=%20"));
    assert_memory_equal(text, "HTTP/1.1 101 Switching Protocols\r\n", 34);
    assert_non_null(strstr(text, "\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    assert_null(strstr(text, "Extensions")); /* offered, not taken */
    close(fd);
    wait_closed(b, 1);
}

static void an_upgrade_may_be_refused(void **state)
{
    struct bench *b = *state;
    char text[1024];
    b->refuses_upgrade = 403;
    client_ask(b, CLIENT_HANDSHAKE("x"), text, sizeof(text));
    assert_memory_equal(text, "HTTP/1.1 403 Forbidden\r\n", 24);
    assert_int_equal(b->opened, 0);
}

static void what_follows_the_handshake_at_once_is_read(void **state)
{
    struct bench *b = *state;
    char text[1024] = "";
    int fd = client_connect(b);
    assert_true(client_say(b, fd, CLIENT_HANDSHAKE("x")));
    assert_true(client_text(b, fd, "early"));
    assert_true(client_read(b, fd, text, sizeof(text), "early"));
    close(fd);
}

/* ---- messages -------------------------------------------------------------------------------- */

static void fragments_are_joined_and_pings_answered(void **state)
{
    struct bench *b = *state;
    char text[4096];
    int fd = client_open(b);
    assert_true(client_frame(b, fd, 0x01, "hel", 3));
    assert_true(client_frame(b, fd, 0x89, "are you", 7));
    assert_true(client_frame(b, fd, 0x80, "lo", 2));
    assert_int_equal(client_read_frame(b, fd, text, sizeof(text)), 0x8A);
    assert_string_equal(text, "are you");
    assert_int_equal(client_read_frame(b, fd, text, sizeof(text)), 0x81);
    assert_string_equal(text, "hello");
    close(fd);
}

static void what_is_wrong_ends_the_socket_with_its_code(void **state)
{
    static const struct {
        int first;
        size_t len;
        const char *payload;
        int code;
    } cases[] = {
        { 0x82, 1, "x", 1003 },        /* binary */
        { 0x81, 1, "\xFF", 1007 },     /* not UTF-8 */
        { 0x81, 2001, NULL, 1009 },    /* too long */
        { 0xC1, 1, "x", 1002 },        /* an extension nobody agreed on */
        { 0x80, 1, "x", 1002 },        /* nothing to continue */
        { 0x88, 2, "\x03\xE9", 1001 }, /* closed by the client: its own code comes back */
        { 0x88, 2, "\x03\xED", 1002 }, /* 1005 must not be sent */
    };
    struct bench *b = *state;
    char filler[2001];
    memset(filler, 'x', sizeof(filler));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char byte;
        int fd = client_open(b);
        assert_true(client_frame(b, fd, cases[i].first,
                                 cases[i].payload ? cases[i].payload : filler, cases[i].len));
        assert_int_equal(client_read_close(b, fd), cases[i].code);
        assert_false(client_read_bytes(b, fd, &byte, 1)); /* and the connection ends */
        close(fd);
        wait_closed(b, (int)i + 1);
    }
    assert_string_equal(b->said, "");
}

static void the_owner_closes_with_code_and_reason(void **state)
{
    struct bench *b = *state;
    char text[256];
    int fd = client_open(b);
    assert_true(client_text(b, fd, "bye"));
    assert_true(client_text(b, fd, "unheard"));
    assert_int_equal(client_read_frame(b, fd, text, sizeof(text)), 0x88);
    assert_memory_equal(text,
                        "\x03\xF0"
                        "as you wish",
                        14);
    assert_int_equal(b->closed, 0); /* until the client has said so, too, */
    assert_true(client_frame(b, fd, 0x88, "\x03\xF0", 2));
    assert_false(client_read_bytes(b, fd, text, 1));
    close(fd);
    wait_closed(b, 1);
    assert_string_equal(b->said, "bye ");
    fd = client_open(b);
    assert_true(client_text(b, fd, "bye"));
    assert_int_equal(client_read_close(b, fd), 1008);
    bench_pass(b, SECONDS(6)); /* or does not say so */
    wait_closed(b, 2);
    close(fd);
}

static void a_long_reason_is_cut_between_characters(void **state)
{
    struct bench *b = *state;
    char text[256], reason[300] = "x";
    while (strlen(reason) < 200)
        strcat(reason, "\xC3\xA9");
    int fd = client_open(b);
    server_socket_close(b->socket[0], 4000, reason);
    assert_int_equal(client_read_frame(b, fd, text, sizeof(text)), 0x88);
    assert_int_equal(strlen(text + 2), 123);
    server_socket_close(b->socket[0], 4001, "again"); /* nothing */
    close(fd);
}

/* ---- many ------------------------------------------------------------------------------------ */

static void hundreds_of_sockets_get_everything_in_order(void **state)
{
    struct bench *b = *state;
    static int fd[FAN_OUT];
    char text[256], want[64];
    for (int i = 0; i < FAN_OUT; i++)
        fd[i] = client_open(b);
    for (int n = 0; n < 50; n++) {
        int len = snprintf(want, sizeof(want), "event %d", n);
        for (int i = 0; i < FAN_OUT; i++)
            server_socket_send(b->socket[i], want, (size_t)len);
        if (n % 7 == 0)
            server_turn(b->server, 0);
    }
    for (int i = 0; i < FAN_OUT; i++)
        for (int n = 0; n < 50; n++) {
            snprintf(want, sizeof(want), "event %d", n);
            assert_int_equal(client_read_frame(b, fd[i], text, sizeof(text)), 0x81);
            assert_string_equal(text, want);
        }
    for (int i = 0; i < FAN_OUT; i++)
        close(fd[i]);
    wait_closed(b, FAN_OUT);
}

static void texts_that_end_alike_are_not_confused(void **state)
{
    static const char *const texts[] = { "abcdef", "def", "xdef", "abcdef", "", "f" };
    struct bench *b = *state;
    char text[256], long_text[201];
    int fd = client_open(b);
    memset(long_text, 'a',
           200); /* a longer head: its last byte is the first of a text one byte longer */
    long_text[200] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        server_socket_send(b->socket[0], texts[i], strlen(texts[i]));
    server_socket_send(b->socket[0], long_text, 200);
    server_socket_send(b->socket[0], long_text, 199);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        assert_int_equal(client_read_frame(b, fd, text, sizeof(text)), 0x81);
        assert_string_equal(text, texts[i]);
    }
    for (int len = 200; len >= 199; len--) {
        assert_int_equal(client_read_frame(b, fd, text, sizeof(text)), 0x81);
        assert_int_equal(strlen(text), len);
    }
    close(fd);
}

static void a_socket_that_does_not_read_is_closed_and_no_other(void **state)
{
    struct bench *b = *state;
    char text[2048], filler[1001] = "";
    memset(filler, 'x', 1000);
    int slow = client_open(b), quick = client_open(b);
    for (int n = 0; n < 20000 && b->closed == 0; n++) {
        server_socket_send(b->socket[0], filler, 1000);
        server_socket_send(b->socket[1], filler, 1000);
        assert_int_equal(client_read_frame(b, quick, text, sizeof(text)), 0x81);
    }
    assert_int_equal(b->closed, 1);
    assert_true(client_text(b, quick, "still here"));
    assert_int_equal(client_read_frame(b, quick, text, sizeof(text)), 0x81);
    assert_string_equal(text, "still here");
    close(slow);
    close(quick);
}

static void a_flood_of_pings_by_one_who_does_not_read_is_bounded(void **state)
{
    struct bench *b = *state;
    char payload[125];
    memset(payload, 'p', sizeof(payload));
    int fd = client_open(b);
    for (int i = 0; i < 200000 && client_frame(b, fd, 0x89, payload, sizeof(payload)); i++)
        if (i % 64 == 0)
            server_turn(b->server, 0);
    wait_closed(b, 1);
    close(fd);
}

static void silent_sockets_are_pinged_then_ended(void **state)
{
    struct bench *b = *state;
    char text[256];
    int answers = client_open(b), silent = client_open(b);
    bench_pass(b, SECONDS(46));
    assert_int_equal(client_read_frame(b, answers, text, sizeof(text)), 0x89);
    assert_int_equal(client_read_frame(b, silent, text, sizeof(text)), 0x89);
    assert_true(client_frame(b, answers, 0x8A, "", 0));
    bench_pass(b, 0);
    bench_pass(b, SECONDS(45));
    wait_closed(b, 1);
    assert_true(client_text(b, answers, "here"));
    assert_int_equal(client_read_frame(b, answers, text, sizeof(text)), 0x81);
    close(answers);
    close(silent);
}

/* ---- turns ----------------------------------------------------------------------------------- */

static void a_failing_turn_drops_texts_and_sends_the_talker_away(void **state)
{
    struct bench *b = *state;
    char text[256];
    int talker = client_open(b), listener = client_open(b), fresh = client_connect(b);
    b->fails = true;
    assert_true(client_text(b, talker, "do it"));
    assert_true(client_say(b, fresh, CLIENT_HANDSHAKE("x")));
    server_socket_send(b->socket[1], "it was done", 11);
    for (int i = 0; i < BENCH_TURNS && (b->opened < 3 || !b->said[0]); i++)
        server_turn(b->server, 20);
    b->fails = false;
    assert_int_equal(client_read_close(b, talker), 1011);
    assert_true(client_text(b, listener, "hello"));
    assert_int_equal(client_read_frame(b, listener, text, sizeof(text)), 0x81);
    assert_string_equal(text, "hello"); /* and not "it was done" */
    text[0] = '\0';
    assert_true(client_read(b, fresh, text, sizeof(text), NULL));
    assert_memory_equal(text, "HTTP/1.1 503 ", 13);
    assert_null(strstr(text, "welcome"));
    assert_non_null(strstr(text, "\r\n\r\ndisk full"));
    close(talker);
    close(listener);
    close(fresh);
    wait_closed(b, 3);
}

static void the_end_of_the_server_closes_all(void **state)
{
    struct bench *b = *state;
    int fd[3];
    for (int i = 0; i < 3; i++)
        fd[i] = client_open(b);
    server_destroy(b->server);
    b->server = NULL;
    assert_int_equal(b->closed, 3);
    for (int i = 0; i < 3; i++) {
        unsigned char frame[4];
        assert_int_equal(recv(fd[i], frame, sizeof(frame), 0), 4);
        assert_memory_equal(frame, "\x88\x0C\x03\xE9", 4);
        close(fd[i]);
    }
}

/* ---- TLS ------------------------------------------------------------------------------------- */

static const char certificate[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBmjCCAUGgAwIBAgIUPjicP1sG5zEMExy3IC6G964Nk88wCgYIKoZIzj0EAwIw\n"
    "FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMzAxNTczM1oYDzIxMjYxMDMw\n"
    "MDE1NzMzWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO\n"
    "PQMBBwNCAARDz1fnRgChDoE8f1tXS/oHuzGMZh5HsucCze4A+/akvhhaIsjk4V+c\n"
    "b3+RFnmTykfR63uGW6hBBP5iKRFv2YUvo28wbTAdBgNVHQ4EFgQUATcvTjqH8F1b\n"
    "Srp7SdyTHM5P1xYwHwYDVR0jBBgwFoAUATcvTjqH8F1bSrp7SdyTHM5P1xYwDwYD\n"
    "VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI\n"
    "zj0EAwIDRwAwRAIgQfer+mDojRABJ4bIjLxb13NKmk5fZgHbSUWiBIIG4rsCIDEZ\n"
    "DzAaGlEbM6qozhR9zjH7quDQQs73aPnB9nnB/tdl\n"
    "-----END CERTIFICATE-----\n";
static const char key[] = "-----BEGIN PRIVATE KEY-----\n"
                          "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg8XzwSnjt+ocHomBe\n"
                          "ctXIR3xRsT7+VhfdilPyClaRH5+hRANCAARDz1fnRgChDoE8f1tXS/oHuzGMZh5H\n"
                          "sucCze4A+/akvhhaIsjk4V+cb3+RFnmTykfR63uGW6hBBP5iKRFv2YUv\n"
                          "-----END PRIVATE KEY-----\n";
static void write_file(char *path, const char *text)
{
    int fd = mkstemp(path);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

/* Counts what is as it was sent. */
static size_t on_body(char *data, size_t size, size_t count, void *ctx)
{
    for (size_t i = 0; i < size * count; i++)
        *(size_t *)ctx += data[i] == 'x';
    return size * count;
}

/* Until all transfers are done, the server taking turns in between. */
static void transfer(struct bench *b, CURLM *multi)
{
    int running = 1;
    for (int i = 0; i < BENCH_TURNS && running; i++) {
        assert_int_equal(curl_multi_perform(multi, &running), CURLM_OK);
        server_turn(b->server, 2);
    }
    assert_int_equal(running, 0);
}

static void a_real_client_is_served_over_tls(void **state)
{
    struct bench b;
    char cert_file[] = "/tmp/djamms-cert-XXXXXX", key_file[] = "/tmp/djamms-key-XXXXXX", url[64];
    write_file(cert_file, certificate);
    write_file(key_file, key);
    bench_open(&b, (struct server_params){ .certificate = cert_file, .key = key_file });
    snprintf(url, sizeof(url), "https://127.0.0.1:%d/large", server_port(b.server));
    CURLM *multi = curl_multi_init();
    CURL *easy[4];
    static char body[300000];
    size_t got[4] = { 0 };
    memset(body, 'b', sizeof(body));
    for (int i = 0; i < 4; i++) {
        easy[i] = curl_easy_init();
        curl_easy_setopt(easy[i], CURLOPT_URL, url);
        curl_easy_setopt(easy[i], CURLOPT_SSL_VERIFYPEER, 0L); /* the certificate is its own */
        curl_easy_setopt(easy[i], CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
        curl_easy_setopt(easy[i], CURLOPT_POSTFIELDS, body);
        curl_easy_setopt(easy[i], CURLOPT_POSTFIELDSIZE, (long)sizeof(body));
        curl_easy_setopt(easy[i], CURLOPT_WRITEFUNCTION, on_body);
        curl_easy_setopt(easy[i], CURLOPT_WRITEDATA, &got[i]);
        curl_multi_add_handle(multi, easy[i]);
    }
    /* A plain client on the TLS port is no reason to stop. */
    int plain = client_connect(&b);
    assert_true(client_say(&b, plain, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    transfer(&b, multi);
    for (int i = 0; i < 4; i++) {
        long status = 0, version = 0;
        curl_easy_getinfo(easy[i], CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(easy[i], CURLINFO_HTTP_VERSION, &version);
        assert_int_equal(status, 200);
        assert_int_equal(version, CURL_HTTP_VERSION_1_1);
        assert_int_equal(got[i], 1 << 20);
        curl_multi_remove_handle(multi, easy[i]);
        curl_easy_cleanup(easy[i]);
    }
    assert_int_equal(b.asked, 4);
    curl_multi_cleanup(multi);
    close(plain);
    bench_close(&b);
    unlink(cert_file);
    unlink(key_file);
}

static void a_certificate_that_cannot_be_used_is_an_error(void **state)
{
    struct bench b = { 0 };
    char file[] = "/tmp/djamms-cert-XXXXXX";
    write_file(file, "no certificate");
    b.params = (struct server_params){
        .address = "127.0.0.1", .callbacks = &bench_callbacks, .ctx = &b, .certificate = file
    };
    assert_int_equal(server_create(&b.server, &b.params), -EINVAL); /* and not plain HTTP */
    b.params.key = file;
    assert_int_equal(server_create(&b.server, &b.params), -EINVAL);
    unlink(file);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_handshake_is_that_of_the_rfc),
        TEST(an_upgrade_may_be_refused),
        TEST(what_follows_the_handshake_at_once_is_read),
        TEST(fragments_are_joined_and_pings_answered),
        TEST(what_is_wrong_ends_the_socket_with_its_code),
        TEST(the_owner_closes_with_code_and_reason),
        TEST(a_long_reason_is_cut_between_characters),
        TEST(hundreds_of_sockets_get_everything_in_order),
        TEST(texts_that_end_alike_are_not_confused),
        TEST(a_socket_that_does_not_read_is_closed_and_no_other),
        TEST(a_flood_of_pings_by_one_who_does_not_read_is_bounded),
        TEST(silent_sockets_are_pinged_then_ended),
        TEST(a_failing_turn_drops_texts_and_sends_the_talker_away),
        TEST(the_end_of_the_server_closes_all),
        cmocka_unit_test(a_real_client_is_served_over_tls),
        cmocka_unit_test(a_certificate_that_cannot_be_used_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
