#include "sync/driver.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/now.h"
#include "net/http_client.h"
#include "net/ws_client.h"
#include "sync/endpoint.h"
#include "sync/hop_timer.h"

#define URL_MAX_BYTES  ((size_t)16 * 1024)
#define HEADERS_MAX    5
#define ACTIONS_A_TURN 256  /* the rest waits for the next turn of the loop */
#define WAIT_MAX_S     3600 /* that a server may ask for */
#define FAR_NS         SECONDS(3600)

struct sync_driver {
    uv_loop_t *loop;
    struct sync *engine;
    const struct sync_driver_callbacks *callbacks;
    void *ctx;
    const struct log *log;
    struct sync_endpoint endpoint;
    /* "Name: value", the same in each request. The session is a secret. */
    char *project_header, *session_header;

    struct http_client *http;
    struct ws_client *ws;
    struct call *calls;
    struct channel *channels;
    uv_timer_t deadline, end;
    struct hop_timer hops;
    int64_t arrived_ns; /* of the first event that changed the view and was not taken; NO_TIME */

    char last_why[200]; /* the socket was gone */

    bool is_pumping;
    bool is_again; /* a callback told the engine something meanwhile */
    bool is_finishing, is_finished, is_closing;
    int parts; /* not let go of yet by the loop */
    void (*closed)(void *ctx);
    void *closed_ctx;
};

/* A request of the engine under way. */
struct call {
    struct call *next;
    struct sync_driver *driver;
    uint64_t id;
};

/* A socket of the engine. */
struct channel {
    struct channel *next;
    struct sync_driver *driver;
    struct ws_socket *socket;
    uint64_t id;
    bool was_open;
};

static void pump(struct sync_driver *d);

/* ---- requests ----------------------------------------------------------------------------------- */

/* From two times of the server, so that no clock of ours is compared with it; -1: it does not say. */
static int64_t retry_after_s(const struct http_reply *r)
{
    if (r->limit_reset_s < 0 || r->date_s < 0)
        return -1;
    return clamp_i64(r->limit_reset_s - r->date_s, 0, WAIT_MAX_S);
}

static void on_reply(void *ctx, const struct http_reply *r)
{
    struct call *c = ctx, **at = &c->driver->calls;
    struct sync_driver *d = c->driver;
    uint64_t id = c->id;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    free(c);
    sync_http_done(d->engine, id, r->status, r->body, r->len, retry_after_s(r), now_mono_ns());
    pump(d);
}

static size_t common_headers(const struct sync_driver *d, const char **out)
{
    size_t n = 0;
    out[n++] = d->project_header;
    if (d->session_header)
        out[n++] = d->session_header;
    out[n++] = "X-Appwrite-Response-Format: 1.8.0";
    return n;
}

static void start_call(struct sync_driver *d, const struct sync_action *a)
{
    const char *header[HEADERS_MAX];
    size_t count = common_headers(d, header);
    char *url = xasprintf("%s%s", d->endpoint.http, a->path);
    char *guard = a->guard ? xasprintf("X-Appwrite-Timestamp: %s", a->guard) : NULL;
    if (guard)
        header[count++] = guard;
    if (a->body)
        header[count++] = "Content-Type: application/json";
    assert(count <= HEADERS_MAX);
    struct call *c = xcalloc(1, sizeof(*c));
    *c = (struct call){ .next = d->calls, .driver = d, .id = a->id };
    d->calls = c;
    http_client_start(d->http,
                      &(struct http_request_params){ .method = a->method,
                                                     .url = url,
                                                     .header = header,
                                                     .header_count = count,
                                                     .body = a->body,
                                                     .timeout_ms = a->timeout_ms },
                      on_reply, c);
    free(url);
    free(guard);
}

/* ---- sockets ------------------------------------------------------------------------------------ */

static void close_channel(struct channel *c)
{
    struct channel **at = &c->driver->channels;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    ws_socket_close(c->socket);
    free(c);
}

static void on_open(void *ctx)
{
    struct channel *c = ctx;
    struct sync_driver *d = c->driver;
    c->was_open = true;
    sync_socket_open(d->engine, c->id, now_mono_ns());
    pump(d);
}

static void on_text(void *ctx, const char *text, size_t len, int64_t came_ns)
{
    struct channel *c = ctx;
    struct sync_driver *d = c->driver;
    uint64_t before = sync_view_revision(d->engine);
    sync_socket_text(d->engine, c->id, text, len, now_mono_ns());
    bool is_seen = sync_view_revision(d->engine) != before;
    if (is_seen && d->arrived_ns == NO_TIME)
        d->arrived_ns = came_ns;
    pump(d);
    if (is_seen)
        hop_timer_view(&d->hops, came_ns, now_mono_ns());
}

static void on_gone(void *ctx, int status, const char *why)
{
    struct channel *c = ctx;
    struct sync_driver *d = c->driver;
    uint64_t id = c->id;
    /* An outage of days says one thing once. */
    if (c->was_open || strcmp(why, d->last_why) != 0)
        log_info(d->log, "realtime: %s", why);
    snprintf(d->last_why, sizeof(d->last_why), "%s", why);
    close_channel(c);
    sync_socket_gone(d->engine, id, status, now_mono_ns());
    pump(d);
}

static const struct ws_callbacks channel_callbacks = { on_open, on_text, on_gone };

static struct channel *find_channel(const struct sync_driver *d, uint64_t id)
{
    struct channel *c = d->channels;
    while (c && c->id != id)
        c = c->next;
    return c;
}

static void open_channel(struct sync_driver *d, const struct sync_action *a)
{
    const char *header[HEADERS_MAX];
    size_t count = common_headers(d, header);
    char *url = xasprintf("%s%s", d->endpoint.socket, a->path);
    struct channel *c = xcalloc(1, sizeof(*c));
    *c = (struct channel){ .next = d->channels, .driver = d, .id = a->id };
    d->channels = c;
    c->socket = ws_client_open(d->ws, &(struct ws_open_params){ .url = url,
                                                                .header = header,
                                                                .header_count = count,
                                                                .callbacks = &channel_callbacks,
                                                                .ctx = c });
    free(url);
}

/* ---- actions ------------------------------------------------------------------------------------ */

static void act(struct sync_driver *d, const struct sync_action *a)
{
    struct channel *c;
    switch (a->kind) {
    case SYNC_HTTP: start_call(d, a); break;
    case SYNC_SOCKET_OPEN: open_channel(d, a); break;
    case SYNC_SOCKET_SEND:
        if ((c = find_channel(d, a->id)))
            ws_socket_send(c->socket, a->text, strlen(a->text));
        break;
    case SYNC_SOCKET_CLOSE:
        if ((c = find_channel(d, a->id)))
            close_channel(c);
        break;
    case SYNC_SAVE: hop_timer_asked(&d->hops, a->revision); break; /* on_change() follows */
    case SYNC_COMMAND: d->callbacks->on_command(d->ctx, a->command, a->value); break;
    }
}

static void on_deadline(uv_timer_t *timer)
{
    struct sync_driver *d = timer->data;
    sync_time(d->engine, now_mono_ns());
    pump(d);
}

/* At least 1 ms on: a timer that is due at once runs again before the loop looks at anything else. */
static void set_deadline(struct sync_driver *d, bool is_more)
{
    int64_t now_ns = now_mono_ns(), at_ns = sync_deadline_ns(d->engine);
    int64_t wait_ns = is_more ? 0 : clamp_i64(at_ns, now_ns, now_ns + FAR_NS) - now_ns;
    uv_update_time(d->loop);
    uv_timer_start(&d->deadline, on_deadline, (uint64_t)(wait_ns / NS_PER_MS + 1), 0);
}

static void on_end(uv_timer_t *timer)
{
    struct sync_driver *d = timer->data;
    d->is_finished = true;
    d->callbacks->on_finished(d->ctx);
}

static void look_for_end(struct sync_driver *d)
{
    if (!d->is_finishing || d->is_finished || !sync_is_finished(d->engine))
        return;
    d->is_finished = true;
    uv_timer_start(&d->end, on_end, 0, 0);
}

/* Does what the engine wants. A callback that tells it more is heard by the call that runs already. */
static void pump(struct sync_driver *d)
{
    struct sync_action a;
    struct sync_status status;
    int left = ACTIONS_A_TURN;
    if (d->is_pumping) {
        d->is_again = true;
        return;
    }
    d->is_pumping = true;
    do {
        d->is_again = false;
        for (; left > 0 && sync_next_action(d->engine, &a); left--)
            act(d, &a);
        sync_status(d->engine, &status);
        hop_timer_pending(&d->hops, status.pending, now_mono_ns());
        d->callbacks->on_change(d->ctx);
        left--;
    } while (d->is_again && left > 0);
    d->is_pumping = false;
    set_deadline(d, left <= 0);
    look_for_end(d);
}

/* ---- what the owner tells ----------------------------------------------------------------------- */

/* Soon, from the loop: the owner first goes on with what it was doing. */
static void pump_soon(struct sync_driver *d)
{
    if (d->is_pumping)
        d->is_again = true;
    else
        uv_timer_start(&d->deadline, on_deadline, 0, 0);
}

int sync_driver_apply(struct sync_driver *d, const struct queue_op *op)
{
    struct sync_status before, after;
    int64_t now_ns = now_mono_ns();
    sync_status(d->engine, &before);
    int ret = sync_apply(d->engine, op, now_ns);
    sync_status(d->engine, &after);
    if (after.pending > before.pending)
        hop_timer_begin(&d->hops, after.pending, now_ns);
    pump_soon(d);
    return ret;
}

void sync_driver_playback(struct sync_driver *d, const struct sync_playback *p)
{
    sync_playback(d->engine, p, now_mono_ns());
    pump_soon(d);
}

void sync_driver_saved(struct sync_driver *d, uint64_t revision)
{
    int64_t now_ns = now_mono_ns();
    hop_timer_saved(&d->hops, revision, now_ns);
    sync_saved(d->engine, revision, now_ns);
    pump(d);
}

void sync_driver_finish(struct sync_driver *d, int max_ms)
{
    assert(!d->is_finishing);
    d->is_finishing = true;
    uv_timer_start(&d->end, on_end, (uint64_t)max_ms, 0);
    sync_finish(d->engine, now_mono_ns());
    pump(d);
}

int64_t sync_driver_take_arrival(struct sync_driver *d)
{
    int64_t arrived_ns = d->arrived_ns;
    d->arrived_ns = NO_TIME;
    return arrived_ns;
}

const struct histogram *sync_driver_latency(const struct sync_driver *d, enum sync_hop hop)
{
    assert(hop < SYNC_HOPS);
    return hop == SYNC_HOP_SAVED    ? &d->hops.to_disk
           : hop == SYNC_HOP_SERVER ? &d->hops.to_server
                                    : &d->hops.to_view;
}

/* ---- its life ----------------------------------------------------------------------------------- */

static void let_go(struct sync_driver *d)
{
    if (--d->parts > 0)
        return;
    if (d->closed)
        d->closed(d->closed_ctx);
    free(d->project_header);
    free(d->session_header);
    free(d);
}

static void on_part_closed(void *driver)
{
    let_go(driver);
}

static void on_timer_closed(uv_handle_t *handle)
{
    let_go(handle->data);
}

static bool set_way(struct sync_driver *d, const char *endpoint, const char *session)
{
    struct sync_endpoint parsed;
    if (!sync_endpoint_parse(endpoint, &parsed)) {
        log_err(d->log, "the backend's address is none: http(s)://host[:port]/v1 is wanted");
        return false;
    }
    d->endpoint = parsed;
    free(d->session_header);
    d->session_header = session ? xasprintf("X-Appwrite-Session: %s", session) : NULL;
    return true;
}

int sync_driver_move(struct sync_driver *d, const char *endpoint, const char *session)
{
    if (!set_way(d, endpoint, session))
        return -EINVAL;
    sync_moved(d->engine, now_mono_ns());
    pump_soon(d);
    return 0;
}

static int open_clients(struct sync_driver *d, const struct sync_driver_params *p)
{
    int ret = ws_client_create(&d->ws, &(struct ws_client_params){ .loop = p->loop,
                                                                   .ca_file = p->ca_file,
                                                                   .pinned_file = p->pinned_file,
                                                                   .log = p->log });
    if (ret < 0)
        return ret;
    d->parts++;
    ret = http_client_create(&d->http, &(struct http_client_params){ .loop = p->loop,
                                                                     .user_agent = p->user_agent,
                                                                     .ca_file = p->ca_file,
                                                                     .pinned_file = p->pinned_file,
                                                                     .log = p->log });
    if (ret < 0)
        log_err(p->log, "no HTTP client: %s", strerror(-ret));
    else
        d->parts++;
    return ret;
}

int sync_driver_create(struct sync_driver **out, const struct sync_driver_params *p)
{
    struct sync_driver *d = xcalloc(1, sizeof(*d));
    d->loop = p->loop;
    d->engine = p->engine;
    d->callbacks = p->callbacks;
    d->ctx = p->ctx;
    d->log = p->log;
    d->arrived_ns = NO_TIME;
    if (!set_way(d, p->endpoint, p->session)) {
        free(d);
        return -EINVAL;
    }
    d->project_header = xasprintf("X-Appwrite-Project: %s", p->project_id);
    uv_timer_init(p->loop, &d->deadline);
    uv_timer_init(p->loop, &d->end);
    d->deadline.data = d->end.data = d;
    d->parts = 2;
    int ret = open_clients(d, p);
    if (ret < 0) {
        sync_driver_destroy(d, NULL, NULL);
        return ret;
    }
    uv_timer_start(&d->deadline, on_deadline, 0, 0);
    *out = d;
    return 0;
}

void sync_driver_destroy(struct sync_driver *d, void (*closed)(void *ctx), void *ctx)
{
    assert(!d->is_closing && !d->is_pumping);
    d->is_closing = true;
    d->closed = closed;
    d->closed_ctx = ctx;
    while (d->channels)
        close_channel(d->channels); /* NOLINT(clang-analyzer-unix.Malloc) */
    for (struct call *c; (c = d->calls); free(c))
        d->calls = c->next;
    uv_close((uv_handle_t *)&d->deadline, on_timer_closed);
    uv_close((uv_handle_t *)&d->end, on_timer_closed);
    if (d->ws)
        ws_client_destroy(d->ws, on_part_closed, d);
    if (d->http)
        http_client_destroy(d->http, on_part_closed, d);
}
