/* Realtime: dial, wait for `connected`, live with ping and watchdog, back off for ever; and the pace of polling. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/backoff.h"
#include "sync/query_text.h"
#include "sync/sync_internal.h"

#define DIAL_NS     SECONDS(12)
#define HELLO_NS    SECONDS(10)
#define PING_NS     SECONDS(20)
#define WATCHDOG_NS SECONDS(50)
#define STEADY_NS   SECONDS(60)
#define REFUSED_NS  SECONDS(300)
#define CROWDED_NS  SECONDS(60)
/* What tells that the network is back came at a random moment itself: little more is needed to spread many boxes. */
#define HURRY_NS MS(250)

static const struct backoff_policy again = {
    .first_ms = 1000, .max_ms = 30000, .factor = 2, .jitter_percent = 100
};

static int64_t wait_ns(struct sync *s)
{
    struct link *l = &s->link;
    int64_t wait = MS(backoff_ms(&again, l->attempts, (uint32_t)sync_random(s)));
    l->attempts += l->attempts < 30;
    return wait;
}

static void down(struct sync *s, int64_t wait)
{
    struct link *l = &s->link;
    if (l->state == LINK_LIVE) {
        if (s->now_ns - l->live_ns >= STEADY_NS)
            l->attempts = 0;
        task_wake(s, s->has_document ? TASK_FETCH : TASK_LOOKUP,
                  s->now_ns + sync_jitter(s, SECONDS(1)));
    }
    if (l->socket) {
        l->closing = l->socket;
        l->wants_close = true;
    }
    l->state = LINK_DOWN;
    l->socket = 0;
    l->wants_open = l->wants_ping = false;
    l->due_ns = s->now_ns + (wait ? wait : wait_ns(s));
    l->reconcile_ns = min_i64(l->reconcile_ns, s->now_ns + link_poll_ns(s));
}

void link_start(struct sync *s)
{
    s->link.state = LINK_DOWN;
    s->link.due_ns = s->now_ns;
    s->link.reconcile_ns = s->now_ns + SECONDS(5);
}

void link_hurry(struct sync *s)
{
    s->link.attempts = 0;
    if (s->link.state == LINK_DOWN)
        s->link.due_ns = min_i64(s->link.due_ns, s->now_ns + sync_jitter(s, HURRY_NS));
}

int64_t link_poll_ns(const struct sync *s)
{
    if (s->link.state == LINK_LIVE)
        return SECONDS(60);
    if (s->report.playback.is_playing || s->full_view.now)
        return SECONDS(5);
    return s->full_view.list[QUEUE_REQUESTS].count ? SECONDS(15) : SECONDS(60);
}

/* The net below realtime: it runs always, for a healthy socket proves nothing. */
static void poll(struct sync *s)
{
    int64_t pace = link_poll_ns(s);
    s->link.reconcile_ns = s->now_ns + pace - sync_jitter(s, pace / 10);
    task_wake(s, s->has_document ? TASK_FETCH : TASK_LOOKUP, s->now_ns);
    task_wake(s, TASK_REQUESTS, s->now_ns);
    task_wake(s, TASK_COMMANDS, s->now_ns);
}

void link_time(struct sync *s)
{
    struct link *l = &s->link;
    if (s->is_finishing)
        return;
    if (s->now_ns >= l->reconcile_ns)
        poll(s);
    if (l->state == LINK_LIVE && s->now_ns >= l->ping_ns) {
        l->wants_ping = true;
        l->ping_ns = s->now_ns + PING_NS;
    }
    if (s->now_ns < l->due_ns)
        return;
    if (l->state == LINK_DOWN) {
        l->state = LINK_DIAL;
        l->wants_open = true;
        l->due_ns = s->now_ns + DIAL_NS;
    } else {
        down(s, 0); /* nothing came for too long */
    }
}

int64_t link_deadline(const struct sync *s)
{
    const struct link *l = &s->link;
    if (s->is_finishing)
        return INT64_MAX;
    int64_t at = min_i64(l->due_ns, l->reconcile_ns);
    return l->state == LINK_LIVE ? min_i64(at, l->ping_ns) : at;
}

static char *socket_path(const struct sync *s)
{
    static const char *const collections[] = { "queues", "requests", "players", "player_commands" };
    struct buf b;
    buf_init(&b, 4096);
    (void)!buf_printf(&b, "/realtime?project=");
    query_escape(&b, s->project_id);
    for (size_t i = 0; i < ARRAY_LEN(collections); i++) {
        (void)!buf_printf(&b, "&channels%%5B%%5D=databases.");
        query_escape(&b, s->database_id);
        (void)!buf_printf(&b, ".collections.%s.documents", collections[i]);
    }
    return b.data;
}

bool link_action(struct sync *s, struct sync_action *out)
{
    struct link *l = &s->link;
    if (l->wants_close) {
        l->wants_close = false;
        *out = (struct sync_action){ .kind = SYNC_SOCKET_CLOSE, .id = l->closing };
        return true;
    }
    if (l->wants_open) {
        l->wants_open = false;
        l->socket = s->next_id++;
        free(s->action_text);
        s->action_text = socket_path(s);
        *out = (struct sync_action){ .kind = SYNC_SOCKET_OPEN,
                                     .id = l->socket,
                                     .path = s->action_text };
        return true;
    }
    if (l->wants_ping) {
        l->wants_ping = false;
        *out = (struct sync_action){ .kind = SYNC_SOCKET_SEND,
                                     .id = l->socket,
                                     .text = "{\"type\":\"ping\"}" };
        return true;
    }
    return false;
}

void sync_socket_open(struct sync *s, uint64_t action, int64_t now_ns)
{
    sync_time(s, now_ns);
    if (action != s->link.socket || s->link.state != LINK_DIAL)
        return;
    s->link.state = LINK_UPGRADED;
    s->link.due_ns = now_ns + HELLO_NS;
}

void sync_socket_gone(struct sync *s, uint64_t action, int status, int64_t now_ns)
{
    sync_time(s, now_ns);
    if (!action || action != s->link.socket)
        return;
    s->link.socket = 0; /* nothing to close */
    if (s->link.state == LINK_LIVE)
        s->reconnects++;
    if (status == 401 || status == 403)
        task_wake(s, TASK_ACCOUNT, now_ns);
    down(s, status == 401 || status == 403 || status == 404 ? REFUSED_NS
            : status == 429                                 ? CROWDED_NS
                                                            : 0);
}

/* Subscribed first; now what was missed is read. */
static void live(struct sync *s, const struct message *data)
{
    struct link *l = &s->link;
    l->state = LINK_LIVE;
    l->live_ns = s->now_ns;
    l->ping_ns = s->now_ns + PING_NS;
    poll(s);
    bool is_guest = s->has_session && data && !message_object(data, "user");
    if (is_guest)
        task_wake(s, TASK_ACCOUNT, s->now_ns);
}

static void on_error(struct sync *s, const struct message *data)
{
    int64_t code = data ? message_i64(data, "code", 0) : 0;
    if (code == 1003)
        return; /* stays open */
    if (code == 1008 || code == 401 || code == 403)
        task_wake(s, TASK_ACCOUNT, s->now_ns);
    down(s, code == 1008 || code == 401 || code == 403 ? REFUSED_NS
            : code == 1013                             ? CROWDED_NS
                                                       : 0);
}

/* The last word of events[0]. */
static bool is_action(const struct message *data, const char *action)
{
    const char *name = message_str_at(data, "events", 0);
    const char *dot = name ? strrchr(name, '.') : NULL;
    return dot && strcmp(dot + 1, action) == 0;
}

static void on_document(struct sync *s, const char *collection, const struct message *d,
                        bool is_delete, bool is_new)
{
    if (strcmp(message_str(d, "venueId", ""), s->venue_id) != 0)
        return;
    if (strcmp(collection, "queues") == 0 && is_delete) {
        if (strcmp(message_str(d, "$id", ""), s->base.id) == 0)
            document_gone(s);
    } else if (strcmp(collection, "queues") == 0) {
        document_seen(s, d, false);
    } else if (strcmp(collection, "requests") == 0 && !is_delete) {
        requests_seen(s, d);
        requests_settle(s);
    } else if (strcmp(collection, "player_commands") == 0 && is_new) {
        commands_seen(s, d, true);
    } else if (strcmp(collection, "players") == 0) {
        bool is_other = strcmp(message_str(d, "deviceId", ""), s->device_id) != 0;
        bool is_free = is_delete || strcmp(message_str(d, "status", ""), "offline") == 0;
        if (is_other ? state_is_master(s) || is_free : false)
            role_check(s);
    }
}

static void on_event(struct sync *s, const struct message *data)
{
    const struct message *d = data ? message_object(data, "payload") : NULL;
    if (!d)
        return;
    s->events++;
    report_server_time(s, message_str(data, "timestamp", NULL), true);
    const char *collection = message_str(d, "$collectionId", message_str(d, "$tableId", ""));
    on_document(s, collection, d, is_action(data, "delete"),
                is_action(data, "create") || is_action(data, "upsert"));
}

void sync_socket_text(struct sync *s, uint64_t action, const char *text, size_t len, int64_t now_ns)
{
    sync_time(s, now_ns);
    struct link *l = &s->link;
    if (!action || action != l->socket || (l->state != LINK_UPGRADED && l->state != LINK_LIVE))
        return;
    if (l->state == LINK_LIVE)
        l->due_ns = now_ns + WATCHDOG_NS;
    struct message *m = message_parse(text, len, NULL, 0);
    if (!m)
        return;
    const char *type = message_str(m, "type", "");
    const struct message *data = message_object(m, "data");
    if (strcmp(type, "connected") == 0 && l->state == LINK_UPGRADED) {
        l->due_ns = now_ns + WATCHDOG_NS;
        live(s, data);
    } else if (strcmp(type, "event") == 0 && l->state == LINK_LIVE) {
        on_event(s, data);
    } else if (strcmp(type, "error") == 0) {
        on_error(s, data);
    }
    message_destroy(m);
}
