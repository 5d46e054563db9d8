#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "net/server_internal.h"

#define KEY_LEN    ((size_t)24) /* 16 bytes in base64 */
#define REASON_MAX (FRAME_CONTROL_MAX - 2)

static const struct server_refusal bad_version = { 426,
                                                   "Only version 13 of WebSocket is spoken here." };
static const struct server_refusal bad_handshake = { 400, "The WebSocket handshake is malformed." };

/* ---- opening --------------------------------------------------------------------------------- */

static const struct server_refusal *check_handshake(const struct server_request *r)
{
    static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *version = server_request_field(r, "Sec-WebSocket-Version");
    const char *key = server_request_field(r, "Sec-WebSocket-Key");
    if (!version || strcmp(version, "13") != 0)
        return &bad_version;
    if (!r->is_whole || !key || strlen(key) != KEY_LEN || strspn(key, base64) != KEY_LEN - 2 ||
        strcmp(key + KEY_LEN - 2, "==") != 0)
        return &bad_handshake;
    return NULL;
}

static void push_upgrade(struct conn *c, const char *key)
{
    char text[64], accept[32];
    unsigned char digest[20];
    int len = snprintf(text, sizeof(text), "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
    lws_SHA1((unsigned char *)text, (size_t)len, digest);
    lws_b64_encode_string((char *)digest, sizeof(digest), accept, sizeof(accept));
    const struct http_header header[] = {
        { "Upgrade", "websocket" },
        { "Connection", "Upgrade" },
        { "Sec-WebSocket-Accept", accept },
    };
    struct http_answer a = { .status = 101, .header = header, .header_count = ARRAY_LEN(header) };
    struct out_piece piece = { .kind = OUT_UPGRADE, .ends = true };
    piece.message = answer_render(&a, &piece);
    conn_push(c, piece);
}

void socket_upgrade(struct conn *c)
{
    struct server *s = c->server;
    struct exchange *x = c->exchange;
    const struct server_refusal *no = check_handshake(&x->request);
    if (no) {
        conn_refuse(c, no);
        return;
    }
    void *user = NULL;
    int status = s->params.callbacks->on_upgrade(s->params.ctx, x, &user);
    if (status != 0) {
        conn_refuse(c, &(struct server_refusal){ status, http_reason(status) });
        return;
    }
    push_upgrade(c, server_request_field(&x->request, "Sec-WebSocket-Key"));
    c->socket = xcalloc(1, sizeof(*c->socket));
    c->socket->conn = c;
    c->socket->user = user;
    frame_reader_init(&c->socket->frames, s->params.frame_max);
    conn_become_socket(c);
    s->params.callbacks->on_open(s->params.ctx, c->socket, user);
}

void socket_destroy(struct server_socket *s)
{
    if (!s)
        return;
    const struct server *server = s->conn->server;
    server->params.callbacks->on_closed(server->params.ctx, s, s->user);
    frame_reader_finish(&s->frames);
    free(s);
}

/* ---- sending --------------------------------------------------------------------------------- */

static struct out_message *frame_create(enum frame_opcode opcode, const char *payload, size_t len)
{
    unsigned char head[FRAME_HEAD_MAX];
    size_t head_len = frame_head_write(head, opcode, len);
    struct out_message *m = out_message_create(head_len + len);
    if (!m)
        return NULL;
    memcpy(m->data, head, head_len);
    if (len > 0)
        memcpy(m->data + head_len, payload, len);
    return m;
}

static void push_frame(struct conn *c, struct out_piece piece)
{
    conn_push(c, piece);
    if (c->out.bytes <= c->server->params.socket_queue_max || c->is_doomed)
        return;
    log_info(c->server->log, "%s: does not read, %zu bytes dropped", c->peer, c->out.bytes);
    conn_doom(c);
}

static void push_control(struct conn *c, enum frame_opcode opcode, const void *payload, size_t len)
{
    push_frame(
        c, (struct out_piece){ .message = frame_create(opcode, payload, len), .kind = OUT_OWN });
}

void socket_ping(struct conn *c)
{
    push_control(c, FRAME_PING, NULL, 0);
}

/* The frame of a text, shared with an equal one of this turn. */
static struct out_message *text_frame(struct server *s, const char *text, size_t len)
{
    unsigned char head[FRAME_HEAD_MAX];
    size_t head_len = frame_head_write(head, FRAME_TEXT, len);
    for (size_t i = 0; i < SERVER_RECENT; i++) {
        struct out_message *m = s->recent[i]; /* its length tells that of its head */
        if (m && m->len == head_len + len && memcmp(m->data + head_len, text, len) == 0)
            return out_message_ref(m);
    }
    struct out_message *m = frame_create(FRAME_TEXT, text, len);
    if (!m)
        return NULL;
    out_message_unref(s->recent[s->recent_at]);
    s->recent[s->recent_at] = out_message_ref(m);
    s->recent_at = (s->recent_at + 1) % SERVER_RECENT;
    return m;
}

void socket_forget_recent(struct server *s)
{
    for (size_t i = 0; i < SERVER_RECENT; i++) {
        out_message_unref(s->recent[i]);
        s->recent[i] = NULL;
    }
}

void server_socket_send(struct server_socket *s, const char *text, size_t len)
{
    struct conn *c = s->conn;
    if (c->state != CONN_SOCKET || s->has_closed || c->is_doomed)
        return;
    push_frame(c,
               (struct out_piece){ .message = text_frame(c->server, text, len), .kind = OUT_TEXT });
}

void server_socket_close(struct server_socket *s, int code, const char *reason)
{
    struct conn *c = s->conn;
    if (c->state != CONN_SOCKET || s->has_closed)
        return;
    char payload[FRAME_CONTROL_MAX];
    size_t len = reason ? strlen(reason) : 0;
    if (len > REASON_MAX)
        len = REASON_MAX;
    while (len > 0 && reason[len] != '\0' && ((unsigned char)reason[len] & 0xC0) == 0x80)
        len--; /* not within a character */
    payload[0] = (char)(code >> 8);
    payload[1] = (char)code;
    if (len > 0)
        memcpy(payload + 2, reason, len);
    s->has_closed = true;
    c->since_ns = server_now_ns(c->server);
    push_control(c, FRAME_CLOSE, payload, len + 2);
}

/* ---- coming in ------------------------------------------------------------------------------- */

static void answer_close(struct server_socket *s)
{
    struct conn *c = s->conn;
    if (!s->has_closed && s->frames.close_code == 1005) {
        s->has_closed = true;
        push_control(c, FRAME_CLOSE, NULL, 0);
    } else {
        server_socket_close(s, s->frames.close_code, s->frames.why);
    }
    conn_end(c);
}

size_t socket_take(struct conn *c, const char *data, size_t len)
{
    struct server_socket *s = c->socket;
    const struct server *server = c->server;
    size_t used;
    switch (frame_reader_take(&s->frames, data, len, &used)) {
    case FRAMES_TEXT:
        if (s->has_closed)
            break;
        s->has_talked = true;
        conn_touch(c);
        server->params.callbacks->on_text(server->params.ctx, s, s->user, s->frames.text.data,
                                          s->frames.text.len);
        break;
    case FRAMES_PING:
        if (!s->has_closed)
            push_control(c, FRAME_PONG, s->frames.control, s->frames.control_len);
        break;
    case FRAMES_CLOSE:
    case FRAMES_BROKEN: answer_close(s); break;
    case FRAMES_PONG:
    case FRAMES_MORE: break;
    }
    return used;
}
