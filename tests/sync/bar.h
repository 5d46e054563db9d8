/* One player and the model of a backend, which answers at once or as a rule says; time is a number. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "sync/sim_server.h"
#include "sync/sync.h"
#include "support/texts.h"

#define HTML        "<html><body>nginx</body></html>"
#define OTHER_JSON  "{\"portal\":\"please sign in\"}"
#define ERROR(type) "{\"message\":\"no\",\"code\":0,\"type\":\"" type "\"}"

/* What the server says instead to requests of that method and path. */
struct rule {
    const char *method, *part; /* of the path */
    int status;                /* 0: the network fails */
    const char *body;
    int64_t retry_after_s; /* 0: not said */
    int times;             /* 0: always */
};

/* What the other end of a socket does not do any more. */
enum bar_silence { ANSWERS, NO_PONG, NO_HELLO, NO_UPGRADE };

#define BAR_ORDERS_MAX 128
struct bar_order {
    enum sync_command command;
    double value;
};

struct bar {
    struct sync *sync;
    struct server server;
    int64_t now_ns;
    struct rule rule; /* no method: none */
    int ruled;        /* requests it was the answer to */
    int64_t ruled_ns[4];
    int asked_account, asked_role, asked_lease, made_queues, extended, dials;
    int refuses_dial; /* with that status */
    bool has_realtime;
    enum bar_silence silence; /* of has_realtime */
    bool knows_nobody;        /* whoever connects is a guest */
    uint64_t socket;          /* of has_realtime; 0: none is open */
    char dialled[1024];       /* the last one's path */
    int pings, closes;
    struct bar_order order[BAR_ORDERS_MAX]; /* for the jukebox */
    int order_count;
    int reads; /* of the queue */
    bool is_signed_out;
    bool saves_late;   /* nothing is on disk until the test says so */
    uint64_t revision; /* to be saved */
    int pushes;
    /* Answers instead of the model's server; NULL, or false: not this one. */
    bool (*serve)(struct bar *b, const struct sync_action *a, struct reply *out);
};

static inline void on_write(void *ctx, const struct doc *d, const char *action)
{
}

static inline bool is_ruled(const struct bar *b, const struct sync_action *a)
{
    const struct rule *r = &b->rule;
    return r->method && (!r->times || b->ruled < r->times) && strcmp(a->method, r->method) == 0 &&
           strstr(a->path, r->part);
}

static inline void count(struct bar *b, const struct sync_action *a)
{
    b->asked_account += strcmp(a->path, "/account") == 0;
    b->asked_role += strncmp(a->path, "/functions/", 11) == 0;
    b->asked_lease += strstr(a->path, "/players/") != NULL;
    b->pushes += strcmp(a->method, "PATCH") == 0 && strstr(a->path, "/queues/");
    b->made_queues += strcmp(a->method, "POST") == 0 && strstr(a->path, "/queues/");
    b->reads += strcmp(a->method, "GET") == 0 && strstr(a->path, "/queues/");
    b->extended += strcmp(a->path, "/account/sessions/current") == 0;
}

static inline void answer(struct bar *b, const struct sync_action *a)
{
    int64_t retry_after_s = -1;
    uint64_t id = a->id;
    struct reply r = { 0 };
    count(b, a);
    if (is_ruled(b, a)) {
        if (b->ruled < (int)ARRAY_LEN(b->ruled_ns))
            b->ruled_ns[b->ruled] = b->now_ns;
        b->ruled++;
        r = (struct reply){ b->rule.status, xstrdup(b->rule.body) };
        retry_after_s = b->rule.retry_after_s ? b->rule.retry_after_s : -1;
    } else if (b->serve && b->serve(b, a, &r)) {
        retry_after_s = -1;
    } else if (b->is_signed_out && strcmp(a->path, "/account") == 0) {
        r = (struct reply){ 401, xstrdup(ERROR("general_unauthorized_scope")) };
    } else {
        bool was_ruled = b->rule.times && b->ruled == b->rule.times &&
                         strcmp(a->method, b->rule.method) == 0 && strstr(a->path, b->rule.part);
        if (was_ruled) /* the time of the first try after it */
            b->ruled_ns[b->ruled++] = b->now_ns;
        r = server_http(&b->server, a->method, a->path, a->guard, a->body);
    }
    sync_http_done(b->sync, id, r.status, r.body, r.body ? strlen(r.body) : 0, retry_after_s,
                   b->now_ns);
    free(r.body);
}

static inline void tell(struct bar *b, const char *text)
{
    sync_socket_text(b->sync, b->socket, text, strlen(text), b->now_ns);
}

/* An event of what was done to `d`. */
static inline void tell_of(struct bar *b, const struct doc *d, const char *action)
{
    struct message *data = message_create(), *event = message_create();
    char *name =
        xasprintf("databases.d.collections.%s.documents.%s.%s", d->collection, d->id, action);
    char now[STAMP_SIZE];
    stamp_format(b->server.clock_ms, now);
    message_append_str(data, "events", name);
    message_set_str(data, "timestamp", now);
    message_set_object(data, "payload", doc_message(d));
    message_set_str(event, "type", "event");
    message_set_object(event, "data", data);
    char *text = message_text(event, false);
    tell(b, text);
    free(text);
    free(name);
    message_destroy(event);
}

static inline void dial(struct bar *b, const struct sync_action *a)
{
    b->dials++;
    snprintf(b->dialled, sizeof(b->dialled), "%s", a->path);
    if (!b->has_realtime) {
        sync_socket_gone(b->sync, a->id, b->refuses_dial, b->now_ns);
        return;
    }
    b->socket = a->id;
    if (b->silence == NO_UPGRADE)
        return;
    sync_socket_open(b->sync, a->id, b->now_ns);
    if (b->silence != NO_HELLO)
        tell(b, b->knows_nobody ? "{\"type\":\"connected\",\"data\":{\"user\":null}}"
                                : "{\"type\":\"connected\",\"data\":{\"user\":{\"$id\":\"u\"}}}");
}

/* The other end is gone. */
static inline void hang_up(struct bar *b)
{
    uint64_t socket = b->socket;
    b->socket = 0;
    sync_socket_gone(b->sync, socket, 0, b->now_ns);
}

static inline void note_order(struct bar *b, const struct sync_action *a)
{
    assert_true(b->order_count < BAR_ORDERS_MAX);
    b->order[b->order_count++] = (struct bar_order){ a->command, a->value };
}

static inline void settle(struct bar *b)
{
    struct sync_action a;
    for (int n = 0; sync_next_action(b->sync, &a); n++) {
        assert_true(n < 5000); /* it rests at some time */
        if (a.kind == SYNC_HTTP) {
            answer(b, &a);
        } else if (a.kind == SYNC_SAVE) {
            b->revision = a.revision;
            if (!b->saves_late)
                sync_saved(b->sync, a.revision, b->now_ns);
        } else if (a.kind == SYNC_SOCKET_OPEN) {
            dial(b, &a);
        } else if (a.kind == SYNC_SOCKET_SEND) {
            b->pings++;
            if (b->silence == ANSWERS)
                tell(b, "{\"type\":\"pong\"}");
        } else if (a.kind == SYNC_SOCKET_CLOSE) {
            b->closes++;
            b->socket = b->socket == a.id ? 0 : b->socket;
        } else if (a.kind == SYNC_COMMAND) {
            note_order(b, &a);
        }
    }
}

static inline void go_ms(struct bar *b, int64_t ms)
{
    int64_t end_ns = b->now_ns + MS(ms);
    for (int64_t at; (at = sync_deadline_ns(b->sync)) <= end_ns;) {
        b->now_ns = at > b->now_ns ? at : b->now_ns;
        sync_time(b->sync, b->now_ns);
        settle(b);
    }
    b->now_ns = end_ns;
    sync_time(b->sync, b->now_ns);
    settle(b);
}

static inline void go(struct bar *b, int64_t s)
{
    go_ms(b, s * 1000);
}

static inline struct sync *create_sync(const char *session, const char *journal, int64_t now_ns)
{
    struct sync_params p = { .project_id = "p",
                             .database_id = "d",
                             .venue_id = VENUE,
                             .device_id = "device_1",
                             .user_agent = "test",
                             .registry_id = "player-registry",
                             .session = session,
                             .seed = 7 };
    return sync_create(&p, journal, journal ? strlen(journal) : 0, now_ns);
}

static inline void open_bar(struct bar *b, const char *session)
{
    *b = (struct bar){ .now_ns = SECONDS(1000), .refuses_dial = 0 };
    b->server = (struct server){ .clock_ms = 1760000000000, .on_write = on_write };
    b->server.has_function = true;
    b->sync = create_sync(session, NULL, b->now_ns);
}

static inline void add_queue(struct bar *b)
{
    struct doc *d = server_add(&b->server, "queues", VENUE);
    doc_set(d, "venueId", VENUE);
    doc_set(d, "priorityQueue", "[]");
    doc_set(d, "mainQueue", "[{\"id\":\"song0\",\"videoId\":\"aaaaaaaaaaa\"}]");
    server_touch(&b->server, d, "create");
}

/* With a queue, and the server has said whose session it is. */
static inline void open_good_bar(struct bar *b)
{
    open_bar(b, "secret");
    add_queue(b);
    go(b, 20);
    sync_moved(b->sync, b->now_ns);
    go(b, 1);
    assert_int_equal(b->asked_account, 1);
    b->asked_account = 0;
}

static inline void close_bar(struct bar *b)
{
    sync_destroy(b->sync);
    server_finish(&b->server);
}

static inline size_t songs(const struct bar *b)
{
    return sync_view(b->sync)->list[QUEUE_MAIN].count;
}

static inline void add_song(struct bar *b)
{
    struct track *t = track_create();
    track_set(&t->id, "5f3759df5f3759df5f37");
    track_set(&t->video_id, "bbbbbbbbbbb");
    struct queue_op op = { .kind = OP_ADD, .track = t };
    assert_int_equal(sync_apply(b->sync, &op, b->now_ns), 0);
    track_destroy(t);
    settle(b);
}

static inline struct sync_status status_of(const struct bar *b)
{
    struct sync_status status;
    sync_status(b->sync, &status);
    return status;
}

static inline void play(struct bar *b)
{
    struct queue_op start = { .kind = OP_START,
                              .entry = entry_ref_of(sync_view(b->sync)->list[QUEUE_MAIN].at[0]) };
    assert_int_equal(sync_apply(b->sync, &start, b->now_ns), 0);
    sync_playback(b->sync,
                  &(struct sync_playback){ .is_playing = true, .duration_s = 9000, .volume = 70 },
                  b->now_ns);
    settle(b);
}
