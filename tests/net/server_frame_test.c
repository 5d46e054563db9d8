/* Bytes to WebSocket events: what is understood, what breaks the connection, wherever the bytes are
 * cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/server_frame.h"

#define MESSAGE_MAX 1000
#define MASK        "\x11\x22\x33\x44"

/* A client's frame: first byte, payload; masked. Returns its size. */
static size_t put_frame(char *out, int first, const char *payload, size_t len)
{
    unsigned char head[FRAME_HEAD_MAX];
    size_t n = frame_head_write(head, FRAME_TEXT, len);
    head[0] = (unsigned char)first;
    head[1] |= 0x80;
    memcpy(out, head, n);
    memcpy(out + n, MASK, 4);
    for (size_t i = 0; i < len; i++)
        out[n + 4 + i] = (char)(payload[i] ^ MASK[i & 3]);
    return n + 4 + len;
}

/* Feeds everything in pieces; returns a short history: "T(text)", "P(payload)", "O", "C1000",
 * "B1002". */
static void feed(char *history, const char *data, size_t len, size_t step)
{
    struct frame_reader f;
    frame_reader_init(&f, MESSAGE_MAX);
    history[0] = '\0';
    for (size_t at = 0, used; at < len; at += used) {
        char *end = history + strlen(history);
        size_t n = len - at < step ? len - at : step;
        switch (frame_reader_take(&f, data + at, n, &used)) {
        case FRAMES_MORE: assert_int_equal(used, n); break;
        case FRAMES_TEXT:
            sprintf(end, "T(%.*s)", (int)(f.text.len < 20 ? f.text.len : 20),
                    f.text.len ? f.text.data : "");
            break;
        case FRAMES_PING: sprintf(end, "P(%.*s)", (int)f.control_len, (char *)f.control); break;
        case FRAMES_PONG: strcat(history, "O"); break;
        case FRAMES_CLOSE:
            sprintf(end, "C%d", f.close_code);
            at = len - used;
            break;
        case FRAMES_BROKEN:
            assert_non_null(f.why);
            sprintf(end, "B%d", f.close_code);
            at = len - used;
            break;
        }
    }
    frame_reader_finish(&f);
}

struct piece {
    int first;
    const char *payload;
    size_t len;
};

#define TEXT(first, text)                                                                          \
    {                                                                                              \
        first, text, sizeof(text) - 1                                                              \
    }
#define FILL(first, length)                                                                        \
    {                                                                                              \
        first, NULL, length                                                                        \
    }

static const struct {
    const char *name;
    struct piece piece[5];
    const char *history;
} cases[] = {
    { "text", { TEXT(0x81, "hello") }, "T(hello)" },
    { "empty text", { TEXT(0x81, ""), TEXT(0x81, "a") }, "T()T(a)" },
    { "two texts", { TEXT(0x81, "a"), TEXT(0x81, "b") }, "T(a)T(b)" },
    { "fragments",
      { TEXT(0x01, "a"), TEXT(0x00, ""), TEXT(0x00, "b"), TEXT(0x80, "c") },
      "T(abc)" },
    { "ping within fragments", { TEXT(0x01, "a"), TEXT(0x89, "p"), TEXT(0x80, "b") }, "P(p)T(ab)" },
    { "code point over fragments", { TEXT(0x01, "\xC3"), TEXT(0x80, "\xA9") }, "T(\xC3\xA9)" },
    { "pong", { TEXT(0x8A, "x"), TEXT(0x81, "a") }, "OT(a)" },
    { "close",
      { TEXT(0x88, "\x03\xE8"
                   "bye") },
      "C1000" },
    { "close without code", { TEXT(0x88, "") }, "C1005" },
    { "close, own code", { TEXT(0x88, "\x0F\xA0") }, "C4000" },
    { "close, half a code", { TEXT(0x88, "\x03") }, "B1002" },
    { "close, code of a bare end", { TEXT(0x88, "\x03\xEE") }, "B1002" },
    { "close, no such code", { TEXT(0x88, "\x03\xE7") }, "B1002" },
    { "close, reason not UTF-8", { TEXT(0x88, "\x03\xE8\xFF") }, "B1007" },
    { "text not UTF-8", { TEXT(0x81, "a\xFF") }, "B1007" },
    { "half a code point", { TEXT(0x81, "\xC3") }, "B1007" },
    { "binary", { TEXT(0x82, "a") }, "B1003" },
    { "reserved bit", { TEXT(0xC1, "a") }, "B1002" },
    { "unknown opcode", { TEXT(0x83, "a") }, "B1002" },
    { "unknown control", { TEXT(0x8B, "a") }, "B1002" },
    { "ping in fragments", { TEXT(0x09, "a") }, "B1002" },
    { "long ping", { FILL(0x89, 126) }, "B1002" },
    { "nothing to continue", { TEXT(0x80, "a") }, "B1002" },
    { "text within a text", { TEXT(0x01, "a"), TEXT(0x81, "b") }, "B1002" },
    { "largest", { FILL(0x81, MESSAGE_MAX) }, "T(aaaaaaaaaaaaaaaaaaaa)" },
    { "too long", { FILL(0x81, MESSAGE_MAX + 1) }, "B1009" },
    { "too long together", { FILL(0x01, MESSAGE_MAX), TEXT(0x80, "a") }, "B1009" },
    { "largest twice",
      { FILL(0x81, MESSAGE_MAX), TEXT(0x81, "b") },
      "T(aaaaaaaaaaaaaaaaaaaa)T(b)" },
};

static void frames_become_events_however_they_are_cut(void **state)
{
    char filler[MESSAGE_MAX + 1], data[4096], history[256];
    memset(filler, 'a', sizeof(filler));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t len = 0;
        for (const struct piece *p = cases[i].piece; p->payload || p->len; p++)
            len += put_frame(data + len, p->first, p->payload ? p->payload : filler, p->len);
        for (size_t step = 1; step < 4096; step = step < 8 ? step + 1 : step * 3) {
            feed(history, data, len, step);
            if (strcmp(history, cases[i].history) != 0)
                fail_msg("%s, in pieces of %zu: %s, not %s", cases[i].name, step, history,
                         cases[i].history);
        }
    }
}

static void lengths_in_the_wrong_form_are_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *history;
    } forms[] = {
        { "\x81\x05hello", 7, "B1002" }, /* no mask */
        { "\x81\xFE\x00\x05" MASK, 8, "B1002" },
        { "\x81\xFF\x00\x00\x00\x00\x00\x00\x00\x7F" MASK, 14, "B1002" },
        { "\x81\xFF\x80\x00\x00\x00\x00\x00\x00\x01" MASK, 14, "B1002" },
        { "\x81\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF" MASK, 14, "B1009" },
        { "\x81\xFE\xFF\xFF" MASK, 8, "B1009" }, /* before any of it came */
    };
    char history[256];
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        feed(history, forms[i].bytes, forms[i].len, 3);
        assert_string_equal(history, forms[i].history);
    }
}

static void heads_are_written_in_the_shortest_form(void **state)
{
    static const struct {
        size_t len;
        const char *head;
        size_t head_len;
    } heads[] = {
        { 0, "\x81\x00", 2 },
        { 125, "\x81\x7D", 2 },
        { 126, "\x81\x7E\x00\x7E", 4 },
        { 65535, "\x81\x7E\xFF\xFF", 4 },
        { 65536, "\x81\x7F\x00\x00\x00\x00\x00\x01\x00\x00", 10 },
    };
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        unsigned char head[FRAME_HEAD_MAX];
        assert_int_equal(frame_head_write(head, FRAME_TEXT, heads[i].len), heads[i].head_len);
        assert_memory_equal(head, heads[i].head, heads[i].head_len);
    }
}

static void random_bytes_are_survived(void **state)
{
    uint32_t random = 1;
    for (int round = 0; round < 20000; round++) {
        char data[64], history[1024];
        size_t len = put_frame(data, 0x81, "hello", 5);
        len += put_frame(data + len, 0x88, "\x03\xE8", 2);
        for (int i = 0; i < 3; i++) {
            random = random * 1664525u + 1013904223u;
            data[(random >> 16) % len] = (char)(random >> 8);
        }
        feed(history, data, len, 1 + random % 19);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_become_events_however_they_are_cut),
        cmocka_unit_test(lengths_in_the_wrong_form_are_refused),
        cmocka_unit_test(heads_are_written_in_the_shortest_form),
        cmocka_unit_test(random_bytes_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
