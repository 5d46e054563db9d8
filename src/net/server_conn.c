#include <assert.h>
#include <errno.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "net/server_internal.h"

#define IN_MAX  ((size_t)256 * 1024) /* never reached: reading stops at IN_HIGH plus one read */
#define IN_HIGH ((size_t)64 * 1024)
#define PIPELINE_MAX                                                                               \
    ((size_t)256 * 1024) /* bytes of answers waiting; above it no further request is begun */
#define WRITE_MAX   ((size_t)32 * 1024)
#define SMALL_INPUT ((size_t)16 * 1024) /* connections that hold less are not asked to make room */

#define REQUEST_NS SECONDS(30)
#define IDLE_NS    SECONDS(65)
#define STALL_NS   SECONDS(120)
#define PING_NS    SECONDS(45)
#define SILENCE_NS SECONDS(90)
#define CLOSE_NS   SECONDS(5) /* for the other side's close frame */
#define LINGER_NS  SECONDS(2)
#define BODY_RATE  512 /* bytes/s */

static const struct server_refusal too_many = { 503, "There are too many connections." };
static const struct server_refusal too_much = { 503, "There is too much to take in." };

struct conn *conn_create(struct server *s, const char *peer)
{
    struct conn *c = xcalloc(1, sizeof(*c));
    c->server = s;
    c->is_surplus = (int)s->all.count >= s->params.connections_max;
    c->since_ns = c->heard_ns = c->drained_ns = server_now_ns(s);
    snprintf(c->peer, sizeof(c->peer), "%s", peer);
    buf_init(&c->in, IN_MAX);
    lws_dll2_add_tail(&c->all, &s->all);
    return c;
}

static void count_input(struct conn *c)
{
    size_t held = c->in.cap + c->late.cap;
    if (c->exchange)
        held += c->exchange->request.body.cap;
    if (c->socket)
        held += c->socket->frames.text.cap;
    c->server->input_bytes += held - c->counted;
    c->counted = held;
}

static void drop_exchange(struct conn *c)
{
    if (!c->exchange)
        return;
    server_request_finish(&c->exchange->request);
    free(c->exchange);
    c->exchange = NULL;
    count_input(c);
}

void conn_destroy(struct conn *c)
{
    struct server *s = c->server;
    bool asks = c->state == CONN_ASKS;
    lws_dll2_remove(&c->all);
    lws_dll2_remove(&c->touched);
    lws_dll2_remove(&c->ready);
    c->state = CONN_LINGERS;
    c->is_doomed = true;
    if (asks && s->params.callbacks->on_gone)
        s->params.callbacks->on_gone(s->params.ctx, c->exchange);
    drop_exchange(c);
    socket_destroy(c->socket);
    c->socket = NULL;
    /* The owner may have sent to it from within those callbacks. */
    lws_dll2_remove(&c->touched);
    buf_finish(&c->in);
    buf_finish(&c->late);
    count_input(c);
    out_finish(&c->out);
    free(c);
}

void conn_touch(struct conn *c)
{
    if (lws_dll2_is_detached(&c->touched))
        lws_dll2_add_tail(&c->touched, &c->server->touched);
}

void conn_doom(struct conn *c)
{
    c->is_doomed = true;
    conn_touch(c);
}

void conn_push(struct conn *c, struct out_piece piece)
{
    if (!piece.message) {
        log_err(c->server->log, "%s: no memory for an answer", c->peer);
        conn_doom(c);
        return;
    }
    out_push(&c->out, piece);
    conn_touch(c);
}

static void set_state(struct conn *c, enum conn_state state)
{
    c->state = state;
    c->since_ns = server_now_ns(c->server);
}

void conn_become_socket(struct conn *c)
{
    drop_exchange(c);
    set_state(c, CONN_SOCKET);
}

void conn_end(struct conn *c)
{
    set_state(c, CONN_ENDS);
    conn_touch(c);
}

void conn_refuse(struct conn *c, const struct server_refusal *why)
{
    static const struct http_header how[] = { { "Sec-WebSocket-Version", "13" },
                                              { "Upgrade", "websocket" } };
    struct out_piece piece = {
        .kind = OUT_OWN,
        .ends = true,
        .has_no_body = c->exchange && c->exchange->request.method == HTTP_HEAD,
    };
    struct http_answer a = {
        .status = why->status,
        .content_type = "text/plain; charset=utf-8",
        .body = why->text,
        .len = strlen(why->text),
        .header = how,
        .header_count = why->status == 426 ? ARRAY_LEN(how) : 0,
    };
    const struct server_callbacks *callbacks = c->server->params.callbacks;
    if (callbacks->on_refusal && why->status != 426) /* which says how to upgrade */
        callbacks->on_refusal(c->server->params.ctx, c->exchange, &a);
    log_debug(c->server->log, "%s: refused with %d: %s", c->peer, why->status, why->text);
    piece.message = answer_render(&a, &piece);
    drop_exchange(c);
    set_state(c, CONN_ENDS);
    conn_push(c, piece);
}

/* ---- coming in ------------------------------------------------------------------------------- */

static void send_continue(struct conn *c)
{
    struct out_piece piece = { .kind = OUT_OWN };
    piece.message = answer_render(&(struct http_answer){ .status = 100 }, &piece);
    conn_push(c, piece);
}

static void ask_owner(struct conn *c)
{
    set_state(c, CONN_ASKS);
    c->server->params.callbacks->on_request(c->server->params.ctx, c->exchange);
}

static void begin_request(struct conn *c, const char *head, size_t len)
{
    struct exchange *x = xcalloc(1, sizeof(*x));
    x->conn = c;
    c->exchange = x;
    c->head_seen = 0;
    const struct server_refusal *no =
        server_request_parse(&x->request, head, len, c->server->params.body_max);
    if (!no && c->is_surplus)
        no = &too_many;
    if (no) {
        conn_refuse(c, no);
    } else if (x->request.wants_socket) {
        socket_upgrade(c);
    } else if (x->request.is_whole) {
        ask_owner(c);
    } else {
        set_state(c, CONN_BODY);
        if (x->request.awaits_continue)
            send_continue(c);
    }
}

static bool take_head(struct conn *c, const char *data, size_t len, size_t *used)
{
    if (c->out.bytes > PIPELINE_MAX)
        return false;
    if (c->late.max)
        return late_take(c, data, len, used);
    while (c->head_seen == 0 && *used < len && (data[*used] == '\r' || data[*used] == '\n'))
        (*used)++; /* empty lines before a request are allowed */
    if (*used == len)
        return false;
    if (!c->has_begun) {
        c->has_begun = true;
        c->since_ns = server_now_ns(c->server);
    }
    size_t head_len;
    const struct server_refusal *no =
        server_head_find(data + *used, len - *used, &c->head_seen, &head_len);
    if (no && no->status == 414) {
        late_begin(c, data + *used, no);
        return late_take(c, data, len, used);
    }
    if (no) {
        if (no->status == 431)
            late_read(c, data + *used, len - *used);
        conn_refuse(c, no);
        return true;
    }
    if (head_len == 0)
        return false;
    begin_request(c, data + *used, head_len);
    *used += head_len;
    return true;
}

static bool take_body(struct conn *c, const char *data, size_t len, size_t *used)
{
    if (len == 0)
        return false;
    struct server_request *r = &c->exchange->request;
    const struct server_refusal *no = server_request_take(r, data, len, used);
    if (no)
        conn_refuse(c, no);
    else if (r->is_whole)
        ask_owner(c);
    return true;
}

/* One step with the bytes at hand. False: no further one is possible now. */
static bool take_step(struct conn *c, const char *data, size_t len, size_t *used)
{
    switch (c->state) {
    case CONN_HEAD: return take_head(c, data, len, used);
    case CONN_BODY: return take_body(c, data, len, used);
    case CONN_ASKS: return false;
    case CONN_SOCKET: *used = socket_take(c, data, len); return *used > 0;
    case CONN_ENDS:
    case CONN_LINGERS: *used = len; return false;
    }
    return false;
}

static size_t conn_advance(struct conn *c, const char *data, size_t len)
{
    size_t at = 0;
    for (bool moves = true; moves && !c->is_doomed;) {
        size_t used = 0;
        moves = take_step(c, data + at, len - at, &used);
        at += used;
    }
    return at;
}

/* All connections together hold no more than a bounded number of bytes: the one that asks for more
 * gives way. */
static void bound_input(struct conn *c)
{
    struct server *s = c->server;
    count_input(c);
    bool is_full = c->in.len >= IN_HIGH;
    if (is_full != c->is_rx_off) {
        c->is_rx_off = is_full;
        lws_rx_flow_control(c->wsi, !is_full);
    }
    if (s->input_bytes <= 2 * s->params.body_max || c->counted <= SMALL_INPUT)
        return;
    if (c->state == CONN_BODY || c->state == CONN_HEAD)
        conn_refuse(c, &too_much);
    else if (c->state == CONN_SOCKET)
        server_socket_close(c->socket, 1013, "too much to take in");
}

static void advance_kept(struct conn *c)
{
    if (c->in.len > 0)
        buf_consume(&c->in, conn_advance(c, c->in.data, c->in.len));
    if (c->in.len == 0)
        buf_finish(&c->in);
}

void conn_resume(struct conn *c)
{
    lws_dll2_remove(&c->ready);
    advance_kept(c);
    bound_input(c);
}

void conn_take(struct conn *c, const char *data, size_t len)
{
    if (c->is_doomed)
        return;
    c->heard_ns = server_now_ns(c->server);
    c->is_pinged = false;
    bool is_next = c->in.len == 0; /* then most of it need not be copied */
    size_t used = is_next ? conn_advance(c, data, len) : 0;
    if (used < len && buf_append(&c->in, data + used, len - used) < 0)
        conn_doom(c);
    if (!is_next)
        advance_kept(c);
    bound_input(c);
}

/* ---- going out ------------------------------------------------------------------------------- */

static struct out_message *render_instead(void *ctx, struct out_piece *piece)
{
    return answer_render(ctx, piece);
}

void conn_settle(struct conn *c, const struct http_answer *instead)
{
    if (!instead) {
        out_release(&c->out);
    } else if (out_fail(&c->out, render_instead, (void *)instead)) {
        set_state(c, CONN_ENDS);
    } else if (c->socket && c->socket->has_talked) {
        server_socket_close(c->socket, 1011, "could not be done now");
        out_release(&c->out);
    }
    if (c->socket)
        c->socket->has_talked = false;
}

static void all_was_sent(struct conn *c)
{
    if (c->state == CONN_ENDS) {
        set_state(c, CONN_LINGERS);
        if (!c->server->is_tls)
            shutdown(lws_get_socket_fd(c->wsi), SHUT_WR);
    } else if (c->state == CONN_HEAD && c->in.len > 0 && lws_dll2_is_detached(&c->ready)) {
        lws_dll2_add_tail(&c->ready, &c->server->ready);
    }
}

void conn_flush(struct conn *c)
{
    char *data;
    size_t len = 0;
    while (!c->is_doomed && !lws_partial_buffered(c->wsi) &&
           (len = out_front(&c->out, &data)) > 0) {
        if (len > WRITE_MAX)
            len = WRITE_MAX;
        if (lws_write(c->wsi, (unsigned char *)data, len, LWS_WRITE_RAW) < 0) {
            conn_doom(c);
            return;
        }
        out_consume(&c->out, len);
        c->written += len;
    }
    if (!c->is_doomed && out_is_empty(&c->out) && !lws_partial_buffered(c->wsi))
        all_was_sent(c);
}

/* ---- deadlines ------------------------------------------------------------------------------- */

/* Whether something waits to be taken by the other side; notes when it last took some. */
static bool waits_to_send(struct conn *c, int64_t now_ns)
{
    if (out_is_empty(&c->out) && !lws_partial_buffered(c->wsi)) {
        c->drained_ns = now_ns;
        return false;
    }
    int unsent = 0;
    if (ioctl(lws_get_socket_fd(c->wsi), SIOCOUTQ, &unsent) < 0)
        unsent = 0;
    if (unsent != c->unsent || c->written != c->written_before)
        c->drained_ns = now_ns;
    c->unsent = unsent;
    c->written_before = c->written;
    return true;
}

static bool is_late(struct conn *c, int64_t now_ns)
{
    int64_t waited = now_ns - c->since_ns;
    switch (c->state) {
    case CONN_HEAD: return waited > (c->was_served && !c->has_begun ? IDLE_NS : REQUEST_NS);
    case CONN_BODY:
        return waited >
               REQUEST_NS + (int64_t)c->exchange->request.body.len * (NS_PER_S / BODY_RATE);
    case CONN_ASKS: return false;
    case CONN_SOCKET:
        return c->socket->has_closed ? waited > CLOSE_NS : now_ns - c->heard_ns > SILENCE_NS;
    case CONN_ENDS: return waited > STALL_NS;
    case CONN_LINGERS: return waited > LINGER_NS;
    }
    return false;
}

void conn_check(struct conn *c, int64_t now_ns)
{
    if (waits_to_send(c, now_ns)) {
        if (now_ns - c->drained_ns > STALL_NS) {
            log_info(c->server->log, "%s: does not read, %zu bytes dropped", c->peer, c->out.bytes);
            conn_doom(c);
        }
        if (c->state == CONN_SOCKET)
            c->heard_ns = max_i64(c->heard_ns, c->drained_ns);
        return;
    }
    if (is_late(c, now_ns)) {
        log_debug(c->server->log, "%s: too slow or silent, ended", c->peer);
        conn_doom(c);
    } else if (c->state == CONN_SOCKET && !c->is_pinged && now_ns - c->heard_ns > PING_NS) {
        c->is_pinged = true;
        socket_ping(c);
    }
}

/* ---- the owner's side ------------------------------------------------------------------------ */

void exchange_answer(struct exchange *x, const struct http_answer *a)
{
    struct conn *c = x->conn;
    assert(c->state == CONN_ASKS && c->exchange == x);
    struct out_piece piece = {
        .kind = a->stands ? OUT_OWN : OUT_ANSWER,
        .has_no_body = x->request.method == HTTP_HEAD,
        .ends = !x->request.keeps_alive,
    };
    piece.message = answer_render(a, &piece);
    drop_exchange(c);
    set_state(c, piece.ends ? CONN_ENDS : CONN_HEAD);
    c->was_served = true;
    c->has_begun = false;
    conn_push(c, piece); /* when it was sent, the next request may be begun */
}

enum http_method exchange_method(const struct exchange *x)
{
    return x->request.method;
}

const char *exchange_path(const struct exchange *x)
{
    return x->request.path;
}

const char *exchange_query(const struct exchange *x)
{
    return x->request.query;
}

const char *exchange_header(struct exchange *x, const char *name)
{
    return server_request_field(&x->request, name);
}

const char *exchange_body(const struct exchange *x, size_t *len)
{
    if (len)
        *len = x->request.body.len;
    return x->request.body.data ? x->request.body.data : "";
}

const char *exchange_peer(const struct exchange *x)
{
    return x->conn->peer;
}
