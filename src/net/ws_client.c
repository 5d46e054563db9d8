#include "net/ws_client.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "net/header_line.h"
#include "net/url.h"
#include "net/ws_thread.h"

#define MESSAGE_MAX        ((size_t)4 * 1024 * 1024)
#define CONNECT_TIMEOUT_MS 10000
#define PATH_MAX_BYTES     2000 /* the library cuts longer ones */
#define HEADERS_MAX        ((size_t)8 * 1024)
#define SOON_MS            1 /* not 0: such a timer, started again, keeps the loop from everything else */
#define GRACE_MS           3000 /* for the thread to end */

struct ws_client {
    const struct log *log;
    uv_loop_t *loop;
    uv_async_t mail_came;
    uv_timer_t grace;
    struct ws_thread *thread; /* NULL: it ended, or was left alone */
    struct ws_socket *sockets;
    uint64_t last_id;
    size_t handles; /* of the loop, not let go of yet */
    bool is_closing;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

struct ws_socket {
    struct ws_socket *next;
    struct ws_client *client;
    uint64_t id;
    const struct ws_callbacks *callbacks;
    void *ctx;
    uv_timer_t timer; /* until it is open */
    const char *why;  /* what to say when the timer runs */
    bool is_open, is_gone;
};

/* ---- sockets ------------------------------------------------------------------------------------ */

static void let_go(struct ws_client *c)
{
    if (--c->handles > 0)
        return;
    if (c->closed)
        c->closed(c->closed_ctx);
    free(c);
}

static void on_socket_closed(uv_handle_t *handle)
{
    struct ws_socket *s = handle->data;
    let_go(s->client);
    free(s);
}

static struct ws_socket *find_socket(const struct ws_client *c, uint64_t id)
{
    struct ws_socket *s = c->sockets;
    while (s && s->id != id)
        s = s->next;
    return s;
}

static void post(struct ws_client *c, enum ws_mail_kind kind, uint64_t id, const void *text,
                 size_t len)
{
    if (c->thread)
        ws_thread_post(c->thread, ws_mail_create(kind, id, text, len));
}

static void set_gone(struct ws_socket *s, int status, const char *why)
{
    if (s->is_gone)
        return;
    s->is_gone = true;
    uv_timer_stop(&s->timer);
    s->callbacks->on_gone(s->ctx, status, why);
}

static void on_timer(uv_timer_t *timer)
{
    struct ws_socket *s = timer->data;
    post(s->client, WS_CLOSE, s->id, NULL, 0);
    set_gone(s, 0, s->why);
}

/* NULL, or why it cannot be dialled. */
static const char *write_dial(const struct ws_open_params *p, struct buf *out)
{
    struct url url;
    if (!url_parse(p->url, &url) || !url.is_websocket || strlen(url.path) > PATH_MAX_BYTES ||
        strlen(url.host) > 100)
        return "this is no address of a WebSocket server";
    int ret = buf_append(out, p->url, strlen(p->url) + 1);
    for (size_t i = 0; i < p->header_count && ret == 0; i++) {
        if (!header_line_check(p->header[i], NULL))
            return "a header of the request is malformed";
        ret = buf_append(out, p->header[i], strlen(p->header[i]) + 1);
    }
    return ret < 0 ? "the headers of the request are too long" : NULL;
}

struct ws_socket *ws_client_open(struct ws_client *c, const struct ws_open_params *p)
{
    assert(!c->is_closing);
    struct ws_socket *s = xcalloc(1, sizeof(*s)), **end = &c->sockets;
    *s = (struct ws_socket){
        .client = c, .id = ++c->last_id, .callbacks = p->callbacks, .ctx = p->ctx
    };
    while (*end)
        end = &(*end)->next;
    *end = s;
    uv_timer_init(c->loop, &s->timer);
    s->timer.data = s;
    c->handles++;
    struct buf text;
    buf_init(&text, HEADERS_MAX);
    s->why = c->thread ? write_dial(p, &text) : "the thread of the connections ended";
    if (s->why) {
        uv_timer_start(&s->timer, on_timer, SOON_MS, 0);
    } else {
        s->why = "no answer in time";
        int timeout_ms = p->connect_timeout_ms ? p->connect_timeout_ms : CONNECT_TIMEOUT_MS;
        uv_timer_start(&s->timer, on_timer, (uint64_t)timeout_ms, 0);
        post(c, WS_DIAL, s->id, text.data, text.len);
    }
    buf_finish(&text);
    return s;
}

void ws_socket_send(struct ws_socket *s, const char *text, size_t len)
{
    if (s->is_open && !s->is_gone)
        post(s->client, WS_SEND, s->id, text, len);
}

void ws_socket_close(struct ws_socket *s)
{
    struct ws_client *c = s->client;
    struct ws_socket **at = &c->sockets;
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    if (!s->is_gone && !c->is_closing)
        post(c, WS_CLOSE, s->id, NULL, 0);
    uv_close((uv_handle_t *)&s->timer, on_socket_closed);
}

/* ---- mail of the thread ------------------------------------------------------------------------- */

static void on_handle_closed(uv_handle_t *handle)
{
    let_go(handle->data);
}

static void close_handles(struct ws_client *c)
{
    uv_close((uv_handle_t *)&c->mail_came, on_handle_closed);
    uv_close((uv_handle_t *)&c->grace, on_handle_closed);
}

/* The thread ended, by request or because the library gave up. */
static void on_ended(struct ws_client *c)
{
    ws_thread_join(c->thread);
    c->thread = NULL;
    if (c->is_closing) {
        close_handles(c);
        return;
    }
    log_err(c->log, "the thread of the connections ended by itself");
    for (struct ws_socket *s = c->sockets; s; s = s->next) { /* one by one, from the loop */
        s->why = "the thread of the connections ended";
        if (!s->is_gone)
            uv_timer_start(&s->timer, on_timer, SOON_MS, 0);
    }
}

static void handle_mail(struct ws_client *c, const struct ws_mail *mail)
{
    if (mail->kind == WS_ENDED) {
        on_ended(c);
        return;
    }
    struct ws_socket *s = find_socket(c, mail->id);
    if (!s || s->is_gone)
        return;
    if (mail->kind == WS_OPENED) {
        s->is_open = true;
        uv_timer_stop(&s->timer);
        s->callbacks->on_open(s->ctx);
    } else if (mail->kind == WS_TEXT) {
        s->callbacks->on_text(s->ctx, mail->text, mail->len, mail->came_ns);
    } else if (mail->kind == WS_GONE) {
        set_gone(s, mail->status, mail->text);
    }
}

static void on_mail_came(uv_async_t *async)
{
    struct ws_client *c = async->data;
    if (!c->thread)
        return;
    struct ws_mail *mail = ws_thread_take(c->thread);
    for (struct ws_mail *next; mail; mail = next) {
        next = mail->next;
        handle_mail(c, mail);
        free(mail);
    }
}

/* On the thread. */
static void wake_loop(void *ctx)
{
    struct ws_client *c = ctx;
    uv_async_send(&c->mail_came);
}

/* ---- its life ----------------------------------------------------------------------------------- */

static void on_grace_over(uv_timer_t *timer)
{
    struct ws_client *c = timer->data;
    ws_thread_abandon(c->thread);
    c->thread = NULL;
    close_handles(c);
}

static void free_at_once(uv_handle_t *handle)
{
    free(handle->data);
}

int ws_client_create(struct ws_client **out, const struct ws_client_params *p)
{
    if (p->ca_file && access(p->ca_file, R_OK) < 0) {
        int ret = -errno;
        log_err(p->log, "%s: the authority's certificate cannot be read: %s", p->ca_file,
                strerror(-ret));
        return ret;
    }
    struct ws_client *c = xcalloc(1, sizeof(*c));
    c->log = p->log;
    c->loop = p->loop;
    int ret = uv_async_init(p->loop, &c->mail_came, on_mail_came);
    if (ret < 0) {
        log_err(p->log, "no WebSocket client: %s", uv_strerror(ret));
        free(c);
        return ret;
    }
    c->mail_came.data = c;
    ret = ws_thread_create(&c->thread,
                           &(struct ws_thread_params){
                               .ca_file = p->ca_file,
                               .pinned_file = p->pinned_file,
                               .message_max = p->message_max ? p->message_max : MESSAGE_MAX,
                               .on_mail = wake_loop,
                               .ctx = c,
                           });
    if (ret < 0) {
        log_err(p->log, "no WebSocket client: %s", strerror(-ret));
        uv_close((uv_handle_t *)&c->mail_came, free_at_once);
        return ret;
    }
    uv_timer_init(p->loop, &c->grace);
    c->grace.data = c;
    c->handles = 2;
    *out = c;
    return 0;
}

void ws_client_destroy(struct ws_client *c, void (*closed)(void *ctx), void *ctx)
{
    assert(!c->is_closing);
    c->is_closing = true;
    c->closed = closed;
    c->closed_ctx = ctx;
    while (c->sockets)
        ws_socket_close(c->sockets);
    if (c->thread) {
        ws_thread_stop(c->thread);
        uv_timer_start(&c->grace, on_grace_over, GRACE_MS, 0);
    } else {
        close_handles(c);
    }
}
