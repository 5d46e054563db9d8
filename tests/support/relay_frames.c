#include "relay_frames.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void bytes_append(struct bytes *b, const void *data, size_t len)
{
    if (b->len + len + 1 > b->cap) {
        b->cap = (b->len + len + 1) * 2;
        b->data = realloc(b->data, b->cap);
        if (!b->data) {
            fprintf(stderr, "relay: out of memory\n");
            abort();
        }
    }
    memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = '\0';
}

static void bytes_prepend(struct bytes *b, const void *data, size_t len)
{
    bytes_append(b, data, len); /* makes room */
    memmove(b->data + len, b->data, b->len - len);
    memcpy(b->data, data, len);
}

static void bytes_consume(struct bytes *b, size_t len)
{
    memmove(b->data, b->data + len, b->len - len);
    b->len -= len;
}

void bytes_finish(struct bytes *b)
{
    free(b->data);
    *b = (struct bytes){ 0 };
}

/* ---- requests ----------------------------------------------------------------------------------- */

/* The value of a header in a NUL-terminated head, or NULL. */
static const char *find_header(const char *head, const char *name)
{
    size_t len = strlen(name);
    for (const char *p = strstr(head, "\r\n"); p; p = strstr(p + 2, "\r\n")) {
        if (strncasecmp(p + 2, name, len) == 0 && p[2 + len] == ':')
            return p + 3 + len + strspn(p + 3 + len, " ");
    }
    return NULL;
}

static void end_head(struct request_framer *f, const struct request_sink *sink)
{
    const char *length = find_header(f->head.data, "Content-Length");
    const char *upgrade = find_header(f->head.data, "Upgrade");
    f->is_swallowed = sink->on_request(sink->ctx);
    f->body_left = length ? strtoull(length, NULL, 10) : 0;
    if (!f->is_swallowed) {
        sink->pass(sink->ctx, f->head.data, f->head.len);
        f->is_websocket = upgrade && strncasecmp(upgrade, "websocket", 9) == 0;
        f->is_raw = f->is_websocket || find_header(f->head.data, "Transfer-Encoding");
    }
    f->head.len = 0;
}

/* How many bytes of `data` belong to the head that is being read. */
static size_t take_head(struct request_framer *f, const char *data, size_t len,
                        const struct request_sink *sink)
{
    for (size_t i = 0; i < len; i++) {
        bytes_append(&f->head, data + i, 1);
        if (f->head.len >= 4 && memcmp(f->head.data + f->head.len - 4, "\r\n\r\n", 4) == 0) {
            end_head(f, sink);
            return i + 1;
        }
        if (f->head.len >= FRAMES_HEAD_MAX) {
            sink->pass(sink->ctx, f->head.data, f->head.len);
            f->head.len = 0;
            f->is_raw = true;
            return i + 1;
        }
    }
    return len;
}

void request_framer_take(struct request_framer *f, const char *data, size_t len,
                         const struct request_sink *sink)
{
    while (len > 0) {
        size_t used = len;
        if (f->is_raw) {
            sink->pass(sink->ctx, data, len);
        } else if (f->body_left > 0) {
            used = len < f->body_left ? len : (size_t)f->body_left;
            f->body_left -= used;
            if (!f->is_swallowed)
                sink->pass(sink->ctx, data, used);
        } else {
            used = take_head(f, data, len, sink);
        }
        data += used;
        len -= used;
    }
}

/* ---- messages ----------------------------------------------------------------------------------- */

/* Bytes of the frame at the start of `b`; 0: not known yet. */
static uint64_t frame_size(const struct bytes *b)
{
    const unsigned char *p = (const unsigned char *)b->data;
    if (b->len < 2)
        return 0;
    uint64_t len = p[1] & 0x7f;
    size_t extra = len == 126 ? 2 : len == 127 ? 8 : 0;
    if (b->len < 2 + extra)
        return 0;
    if (extra)
        len = 0;
    for (size_t i = 0; i < extra; i++)
        len = len << 8 | p[2 + i];
    return len > FRAMES_MESSAGE_MAX ? UINT64_MAX : 2 + extra + len + (p[1] & 0x80 ? 4 : 0);
}

/* A text while another one is held. */
static void give_after_held(struct message_framer *f, const char *data, size_t len,
                            const struct message_sink *sink)
{
    if (f->is_reversing)
        bytes_prepend(&f->held, data, len);
    else
        sink->pass(sink->ctx, data, len);
    if (--f->held_for > 0)
        return;
    sink->pass(sink->ctx, f->held.data, f->held.len);
    f->held.len = 0;
}

static void give_frame(struct message_framer *f, size_t len, const struct message_sink *sink)
{
    const char *data = f->in.data;
    bool is_whole_text = (unsigned char)data[0] == 0x81;
    size_t span = 1;
    if (is_whole_text && f->held.len) {
        give_after_held(f, data, len, sink);
        return;
    }
    enum fate fate = is_whole_text ? sink->choose(sink->ctx, &span) : FATE_PASS;
    if (fate >= FATE_SWAP && span > (fate == FATE_REVERSE)) {
        bytes_append(&f->held, data, len);
        f->is_reversing = fate == FATE_REVERSE;
        f->held_for = fate == FATE_REVERSE ? span - 1 : span;
        return;
    }
    for (int i = 0; i < (fate == FATE_DROP ? 0 : fate == FATE_DOUBLE ? 2 : 1); i++)
        sink->pass(sink->ctx, data, len);
}

/* Passes the answer to the upgrade on; false: it is not all there. */
static bool pass_answer(struct message_framer *f, const struct message_sink *sink)
{
    const char *end = strstr(f->in.data, "\r\n\r\n");
    if (!end) {
        f->is_raw = f->in.len > FRAMES_HEAD_MAX;
        return false;
    }
    size_t len = (size_t)(end - f->in.data) + 4;
    f->is_raw = strncmp(f->in.data, "HTTP/1.1 101", 12) != 0;
    f->is_answered = true;
    sink->pass(sink->ctx, f->in.data, len);
    bytes_consume(&f->in, len);
    return true;
}

void message_framer_take(struct message_framer *f, const char *data, size_t len,
                         const struct message_sink *sink)
{
    bytes_append(&f->in, data, len);
    if (!f->is_raw && !f->is_answered && !pass_answer(f, sink) && !f->is_raw)
        return;
    while (!f->is_raw) {
        uint64_t size = frame_size(&f->in);
        f->is_raw = size == UINT64_MAX;
        if (f->is_raw || size == 0 || size > f->in.len)
            break;
        give_frame(f, (size_t)size, sink);
        bytes_consume(&f->in, (size_t)size);
    }
    if (f->is_raw && f->in.len) {
        sink->pass(sink->ctx, f->in.data, f->in.len);
        f->in.len = 0;
    }
}
