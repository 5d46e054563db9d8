/* The simulation's world: players with their engines and a simple jukebox, a bad network, crashes. Time is a number. */
#pragma once

#include "support/simulation.h"
#include "sync/sim_clock.h"
#include "sync/sim_server.h"
#include "sync/sim_songs.h"
#include "sync/sync_internal.h"
#include "wire/track_json.h"

#define PLAYERS_MAX 5
#define ASKED_MAX   48
#define REMOVED_MAX 16
#define CLAIM_NS    SECONDS(100) /* so long another box waits for one that has said that it plays */
#define TELLING_NS                                                                                 \
    SECONDS(5) /* from when it hears the server again, within which a box tells what it has to */

/* MODEST leaves the role to others, RESTLESS is always due, HASTY promises what is not on disk,
 * CLOCKED tells the time of its box, SILENT not what became of requests, DUMB not what
 * became of the queue either. */
enum broken {
    WHOLE,
    LOSES,
    PLAYS_TWICE,
    TWO_MASTERS,
    MODEST,
    DEAF,
    UNION,
    RESTLESS,
    HASTY,
    DOUBLES,
    CLOCKED,
    SILENT,
    DUMB
};

enum what {
    TO_SERVER,
    REPLY,
    SOCKET_UP,
    SOCKET_TEXT,
    SOCKET_GONE,
    SAVED,
    RESTART,
    ACTOR,
    HOSTILE,
    KIOSK_WRITE,
    KIOSK_DOC,
    BOX_ACTOR,
    BOX_CRASH
};

struct event {
    int64_t at_ns;
    uint64_t order;
    enum what what;
    int who;
    unsigned life;
    uint64_t id;
    int status;
    int64_t read_ns; /* REPLY: requests as they were then; 0: others */
    char *path, *guard, *text;
    char method[8];
};

struct player {
    struct sync *sync;
    unsigned life;
    uint64_t socket;
    bool is_live;         /* the server knows the socket */
    int64_t cut_until_ns; /* partitioned */
    char *journal;        /* on disk */
    uint64_t written;     /* its revision, if of this life */
    char device[16];
    struct sim_clock clock;
    struct track *sounding;             /* NULL: silent */
    char last_payment[24], last_id[24]; /* of what sounded last, also before a crash */
    char turn[TURN_SIZE];               /* what sounds */
    const char *warned;       /* how it could be known to be played before; NULL: it could not */
    int64_t ends_ns, read_ns; /* read: requests were read last, as they were then */
};

/* A request of a guest, and what became of it. */
struct asked {
    char payment[24], id[40], video[16];
    bool is_acknowledged, is_excused, was_heard;
    int completions;
    char turn[TURN_SIZE]; /* that was played to its end, */
    int by;               /* by whom */
    int64_t heard_ns;     /* by then he has heard from a server that works, since; 0: not yet */
    /* The server was told that it is over, and that it is played; 0: it was not. */
    int64_t over_ns, claimed_ns;
    int claimed_by;
    int64_t ended_ns; /* heard to its end, at last */
};

struct world {
    struct simulation sim;
    uint64_t boxes, clocks; /* random numbers of their own, so that seeds mean what they meant */
    struct event *heap;
    size_t heap_count, heap_cap;
    uint64_t order;
    struct server server;
    int64_t server_down_until_ns;
    struct player player[PLAYERS_MAX];
    int player_count;
    int loss_percent; /* 0 after healing */
    bool is_quiet;    /* no more actors */
    bool has_hostile, guards_kiosk, is_long, crashes;
    int64_t hostile_until_ns;
    char *hostile_main, *hostile_priority;
    struct asked asked[ASKED_MAX];
    size_t asked_count;
    char removed[REMOVED_MAX][24];
    size_t removed_count;
    bool has_songs; /* somebody is at the boxes */
    bool has_true_clocks;
    struct sim_songs songs;
    enum broken broken;
    char *remembered; /* of a broken engine */
};

/* ---- events --------------------------------------------------------------------------------------------------- */

static bool is_before(const struct event *a, const struct event *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static struct event *post(struct world *w, int64_t in_ns, struct event e)
{
    if (w->heap_count == w->heap_cap) {
        w->heap_cap = w->heap_cap ? 2 * w->heap_cap : 64;
        w->heap = xrealloc(w->heap, w->heap_cap * sizeof(*w->heap));
    }
    e.at_ns = w->sim.now_ns + in_ns;
    e.order = w->order++;
    size_t i = w->heap_count++;
    while (i > 0 && is_before(&e, &w->heap[(i - 1) / 2])) {
        w->heap[i] = w->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    w->heap[i] = e;
    return &w->heap[i];
}

static struct event take(struct world *w)
{
    struct event first = w->heap[0], last = w->heap[--w->heap_count];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < w->heap_count; i = child) {
        if (child + 1 < w->heap_count && is_before(&w->heap[child + 1], &w->heap[child]))
            child++;
        if (!is_before(&w->heap[child], &last))
            break;
        w->heap[i] = w->heap[child];
    }
    w->heap[i] = last;
    return first;
}

static void event_finish(struct event *e)
{
    free(e->path);
    free(e->guard);
    free(e->text);
}

static bool is_cut(const struct world *w, int who)
{
    return w->sim.now_ns < w->player[who].cut_until_ns || w->sim.now_ns < w->server_down_until_ns;
}

static bool is_lost(struct world *w)
{
    return pick(&w->sim, 100) < w->loss_percent;
}

static int64_t delay(struct world *w)
{
    return w->loss_percent && pick(&w->sim, 20) == 0 ? MS(200 + pick(&w->sim, 4000))
                                                     : MS(1 + pick(&w->sim, 80));
}

static void on_write(void *ctx, const struct doc *d, const char *action)
{
    struct world *w = ctx;
    trace(&w->sim, "server %s %s/%s at %" PRId64 " now=%.60s priority=%zu", action, d->collection,
          d->id, d->stamp_ms, doc_get(d, "nowPlaying") ? doc_get(d, "nowPlaying") : "-",
          doc_get(d, "priorityQueue") ? strlen(doc_get(d, "priorityQueue")) : 0);
    for (int i = 0; i < w->player_count; i++) {
        struct player *p = &w->player[i];
        int copies = !p->is_live || is_cut(w, i) || is_lost(w)   ? 0
                     : w->loss_percent && pick(&w->sim, 20) == 0 ? 2
                                                                 : 1;
        while (copies-- > 0)
            post(w, delay(w),
                 (struct event){
                     .what = SOCKET_TEXT,
                     .who = i,
                     .life = p->life,
                     .id = p->socket,
                     .text = xasprintf(
                         "{\"type\":\"event\",\"data\":{\"events\":[\"x.%s\"],\"payload\":%s}}",
                         action, d->json) });
    }
}

/* What the box believes; 0: nothing. */
static int64_t wall_ms(struct world *w, struct player *p)
{
    if (w->has_true_clocks)
        return CLOCK_TRUE + w->sim.now_ns / NS_PER_MS;
    return sim_clock_ms(&p->clock, &w->clocks, w->sim.now_ns);
}

/* ---- what a broken engine does on its way out -------------------------------------------------------------------- */

/* One list of the body becomes the union with all that was ever written there. */
static void unite(struct world *w, struct message *data, const char *field)
{
    struct track_list ever, now;
    track_list_parse(&ever, w->remembered);
    track_list_parse(&now, message_str(data, field, "[]"));
    for (size_t i = 0; i < now.count; i++) {
        bool is_known = false;
        for (size_t k = 0; k < ever.count; k++)
            is_known |= strcmp(ever.at[k]->id, now.at[i]->id) == 0;
        if (!is_known)
            track_list_append(&ever, track_copy(now.at[i]));
    }
    free(w->remembered);
    w->remembered = track_list_text(&ever);
    message_set_str(data, field, w->remembered);
    track_list_finish(&ever);
    track_list_finish(&now);
}

/* The last song of the body's list is there once more. */
static void double_last(struct message *data)
{
    struct track_list main;
    track_list_parse(&main, message_str(data, "mainQueue", "[]"));
    if (main.count)
        track_list_append(&main, track_copy(main.at[main.count - 1]));
    char *text = track_list_text(&main);
    message_set_str(data, "mainQueue", text);
    track_list_finish(&main);
    free(text);
}

static char *spoil_body(struct world *w, struct player *p, const struct sync_action *a,
                        bool *guards)
{
    if (!a->body || !strstr(a->path, "/queues/") || w->broken == WHOLE)
        return xstrdup(a->body);
    struct message *m = message_parse(a->body, strlen(a->body), NULL, 0), *data = message_create();
    static const char *const fields[] = { "nowPlaying", "mainQueue", "priorityQueue" };
    const struct message *from = message_object(m, "data");
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        message_set_str(data, fields[i], message_str(from, fields[i], NULL));
    if (w->broken == UNION)
        unite(w, data, "mainQueue");
    if (w->broken == DOUBLES)
        double_last(data);
    if (w->broken == CLOCKED) {
        char stamp[STAMP_SIZE];
        stamp_format(wall_ms(w, p), stamp);
        message_set_str(data, "updatedAt", stamp);
    }
    if (w->broken == LOSES) { /* stores back what it remembers */
        if (!w->remembered)
            w->remembered = xstrdup(message_str(from, "priorityQueue", "[]"));
        message_set_str(data, "priorityQueue", w->remembered);
        *guards = false;
    }
    message_destroy(m);
    m = message_create();
    message_set_object(m, "data", data);
    char *text = message_text(m, false);
    message_destroy(m);
    return text;
}

static void spoil_reply(struct world *w, const char *path, struct reply *r)
{
    const char *instead = NULL;
    bool hides = w->broken == LOSES || w->broken == PLAYS_TWICE;
    if (hides && strstr(path, "/requests/"))
        instead = "{\"documents\":[]}";
    if (w->broken == TWO_MASTERS && strncmp(path, "/functions/", 11) == 0)
        instead = "{\"status\":\"completed\",\"responseStatusCode\":200,\"responseBody\":\"{"
                  "\\\"success\\\":true}\"}";
    if (w->broken == MODEST && strncmp(path, "/functions/", 11) == 0)
        instead = "{\"status\":\"completed\",\"responseStatusCode\":200,\"responseBody\":\"{"
                  "\\\"success\\\":false,\\\"reason\\\":\\\"MASTER_ACTIVE\\\"}\"}";
    if (w->broken == DEAF && strstr(path, "/queues/") && r->status == 200) { /* what it once read */
        w->remembered = w->remembered ? w->remembered : xstrdup(r->body);
        instead = w->remembered;
    }
    if (!instead)
        return;
    free(r->body);
    *r = (struct reply){ 200, xstrdup(instead) };
}

/* ---- players ------------------------------------------------------------------------------------------------------ */

static struct asked *asked_of(struct world *w, const struct track *t)
{
    for (size_t i = 0; i < w->asked_count; i++) {
        if (strcmp(w->asked[i].payment, t->payment_id) == 0)
            return &w->asked[i];
    }
    return NULL;
}

/* How this box could know that another one plays the request or that it was played: it read so, or could have read it
 * had the other one told it; what it played itself it knows. NULL: nobody can know, for whoever plays while nothing that
 * it writes gets through is, for the others, like a box that died. */
static const char *known_as_played(const struct world *w, const struct player *p,
                                   const struct asked *a)
{
    int who = (int)(p - w->player);
    bool was_played = a->turn[0] && strcmp(a->turn, p->turn) != 0;
    if (a->claimed_ns && a->claimed_by != who && a->claimed_ns <= p->read_ns &&
        w->sim.now_ns < a->claimed_ns + CLAIM_NS)
        return "it had read who plays it";
    if (!was_played)
        return NULL;
    if (a->by == who)
        return "by the same one";
    if (a->over_ns && a->over_ns <= p->read_ns)
        return "it had read that it is over";
    return a->heard_ns && w->sim.now_ns > a->heard_ns + TELLING_NS
               ? "the other one had time to tell"
               : NULL;
}

static void sound(struct world *w, struct player *p)
{
    const struct queue *q = sync_view(p->sync);
    track_destroy(p->sounding);
    p->sounding = q->now ? track_copy(q->now) : NULL;
    snprintf(p->turn, sizeof(p->turn), "%s", p->sync->playing_turn);
    snprintf(p->last_payment, sizeof(p->last_payment), "%s",
             p->sounding ? p->sounding->payment_id : "");
    snprintf(p->last_id, sizeof(p->last_id), "%s", p->sounding ? p->sounding->id : "");
    const struct asked *a = p->sounding ? asked_of(w, p->sounding) : NULL;
    p->warned = a ? known_as_played(w, p, a) : NULL;
    p->ends_ns = p->sounding ? w->sim.now_ns + SECONDS(10 + pick(&w->sim, 40)) : INT64_MAX;
    trace(&w->sim, "player %d sounds %s (%s)", (int)(p - w->player),
          p->sounding ? p->sounding->id : "-", p->sounding ? p->sounding->payment_id : "");
    struct sync_playback playback = { .is_playing = p->sounding, .duration_s = 30, .volume = 70 };
    sync_playback(p->sync, &playback, w->sim.now_ns);
}

static void completed(struct world *w, struct player *p)
{
    struct asked *a = asked_of(w, p->sounding);
    struct sim_song *song = songs_find(&w->songs, p->sounding->id);
    if (song)
        song->was_heard = true;
    if (a) {
        a->was_heard = true;
        a->ended_ns = w->sim.now_ns;
    }
    if (a && strcmp(a->turn, p->turn) != 0) {
        snprintf(a->turn, sizeof(a->turn), "%s", p->turn);
        a->by = (int)(p - w->player);
        a->heard_ns = 0;
        if (++a->completions > 1 && p->warned)
            breach(&w->sim, "%s was played twice, by player %d at last: %s", a->payment,
                   (int)(p - w->player), p->warned);
    }
    struct track *t = track_copy(p->sounding);
    struct queue_op end = { .kind = OP_END, .entry = entry_ref_of(t) };
    trace(&w->sim, "player %d ended %s (%s)", (int)(p - w->player), t->id, t->payment_id);
    sync_apply(p->sync, &end, w->sim.now_ns);
    track_destroy(t);
    track_destroy(p->sounding);
    p->sounding = NULL;
}

/* The jukebox: follows the view, starts what is next. */
static void jukebox(struct world *w, struct player *p)
{
    struct sync_status status;
    struct entry_place place;
    sync_status(p->sync, &status);
    sync_take_skip(p->sync);
    if (status.role != SYNC_MASTER) {
        if (p->sounding)
            trace(&w->sim, "player %d falls silent", (int)(p - w->player));
        track_destroy(p->sounding);
        p->sounding = NULL;
        p->ends_ns = INT64_MAX;
        return;
    }
    if (p->sounding && w->sim.now_ns >= p->ends_ns)
        completed(w, p);
    const struct queue *q = sync_view(p->sync);
    if (q->now) {
        bool is_it = p->sounding && strcmp(p->sounding->id, q->now->id) == 0 &&
                     strcmp(p->turn, p->sync->playing_turn) == 0;
        if (!is_it)
            sound(w, p);
    } else if (queue_next(q, &place)) {
        struct track *t = track_copy(queue_at(q, place));
        struct queue_op start = { .kind = OP_START, .entry = entry_ref_of(t) };
        sync_apply(p->sync, &start, w->sim.now_ns);
        track_destroy(t);
        sound(w, p);
    } else if (p->ends_ns != INT64_MAX) { /* it sounded until now */
        sound(w, p);
    }
}

/* Whether what the player saves may ever be read: nobody dies any more after healing, but who was about to. */
static bool may_crash(const struct world *w, int who)
{
    bool is_due = !w->is_quiet;
    for (size_t i = 0; i < w->heap_count && !is_due; i++) {
        const struct event *e = &w->heap[i];
        is_due = e->what == BOX_CRASH && e->who == who && e->life == w->player[who].life;
    }
    return w->crashes && is_due;
}

/* Whether a broken engine keeps it to itself. */
static bool is_unsaid(const struct world *w, const struct sync_action *a)
{
    bool is_of_requests = strstr(a->path, "/requests/"), is_of_queue = strstr(a->path, "/queues/");
    return strcmp(a->method, "PATCH") == 0 &&
           ((w->broken == SILENT && is_of_requests) ||
            (w->broken == DUMB && (is_of_requests || is_of_queue)));
}

static void act(struct world *w, int who, const struct sync_action *a)
{
    struct player *p = &w->player[who];
    struct event e = { .who = who, .life = p->life, .id = a->id };
    uint64_t revision;
    bool guards = true;
    switch (a->kind) {
    case SYNC_HTTP:
        e.what = TO_SERVER;
        snprintf(e.method, sizeof(e.method), "%s", a->method);
        e.path = xstrdup(a->path);
        e.text = spoil_body(w, p, a, &guards);
        e.guard = guards ? xstrdup(a->guard) : NULL;
        e.status = is_cut(w, who) || is_lost(w); /* lost on the way */
        if (is_unsaid(w, a))
            e.status = 1;
        post(w, delay(w), e);
        break;
    case SYNC_SAVE:
        e.what = SAVED;
        if (may_crash(w, who))
            e.text = sync_journal(p->sync, &revision);
        e.id = a->revision;
        if (w->broken == HASTY)
            songs_saved(&w->songs, who, p->life, a->revision);
        post(w, MS(1 + pick(&w->sim, 15)), e);
        break;
    case SYNC_SOCKET_OPEN:
        p->socket = a->id;
        e.what = is_cut(w, who) || is_lost(w) ? SOCKET_GONE : SOCKET_UP;
        post(w, delay(w), e);
        break;
    case SYNC_SOCKET_SEND:
        e.what = SOCKET_TEXT;
        e.text = xstrdup("{\"type\":\"pong\"}");
        if (!is_cut(w, who) && p->is_live)
            post(w, delay(w), e);
        else
            event_finish(&e);
        break;
    case SYNC_SOCKET_CLOSE: p->is_live = false; break;
    case SYNC_COMMAND: break;
    }
}

static void run_player(struct world *w, int who)
{
    struct player *p = &w->player[who];
    struct sync_action a;
    if (!p->sync)
        return;
    sync_time(p->sync, w->sim.now_ns);
    jukebox(w, p);
    while (sync_next_action(p->sync, &a))
        act(w, who, &a);
}

static void player_start(struct world *w, int who)
{
    struct player *p = &w->player[who];
    snprintf(p->device, sizeof(p->device), "device_%d", who);
    struct sync_params params = {
        .project_id = "p",
        .database_id = "d",
        .venue_id = VENUE,
        .device_id = p->device,
        .user_agent = "test",
        .registry_id = "player-registry",
        .session = "secret",
        .seed = rnd(&w->sim),
    };
    const char *journal = w->broken == PLAYS_TWICE ? NULL : p->journal;
    p->sync = sync_create(&params, journal, journal ? strlen(journal) : 0, w->sim.now_ns);
    p->life++;
    p->written = 0;
    p->ends_ns = INT64_MAX;
    trace(&w->sim, "player %d starts", who);
}

static void write_journal(struct player *p, const struct event *e)
{
    if (e->id <= p->written)
        return; /* one write at a time: the newest stays */
    p->written = e->id;
    free(p->journal);
    p->journal = xstrdup(e->text);
}

/* The write under way is on disk, though nobody has heard of it. */
static void write_at_last(struct world *w, int who)
{
    const struct event *first = NULL;
    for (size_t i = 0; i < w->heap_count; i++) {
        const struct event *e = &w->heap[i];
        if (e->what == SAVED && e->who == who && e->life == w->player[who].life &&
            (!first || e->id < first->id))
            first = e;
    }
    if (first)
        write_journal(&w->player[who], first);
}

static void player_crash(struct world *w, int who)
{
    struct player *p = &w->player[who];
    trace(&w->sim, "player %d crashes", who);
    if (w->has_songs && pick_of(&w->boxes, 2))
        write_at_last(w, who);
    sync_destroy(p->sync);
    track_destroy(p->sounding);
    p->sync = NULL;
    p->sounding = NULL;
    p->is_live = false;
    p->life++;
    post(w, SECONDS(1 + pick(&w->sim, 10)), (struct event){ .what = RESTART, .who = who });
}

/* The clock of the server steps by hours; that of a box is years off. */
static void check_time(struct world *w, const struct event *e, const char *field)
{
    char stamp[STAMP_SIZE];
    int64_t ms;
    const char *at = e->text ? strstr(e->text, field) : NULL;
    if (!at)
        return;
    snprintf(stamp, sizeof(stamp), "%.24s", at + strlen(field));
    if (stamp_parse(stamp, &ms) && ms && llabs(ms - w->server.clock_ms) > YEAR_MS)
        breach(&w->sim, "player %d goes by its own clock: %s%s", e->who, field, stamp);
}

/* A box tells what becomes of a request. */
static void note_told(struct world *w, const struct event *e)
{
    const char *id = strstr(e->path, "/requests/documents/req");
    size_t n = id && e->text ? strtoul(id + 23, NULL, 10) : ASKED_MAX;
    if (n >= w->asked_count)
        return;
    struct asked *a = &w->asked[n];
    if (strstr(e->text, "\"completed\"") && !a->over_ns)
        a->over_ns = w->sim.now_ns;
    if (strstr(e->text, "\"playing\"")) {
        a->claimed_ns = w->sim.now_ns;
        a->claimed_by = e->who;
    }
}

static void to_server(struct world *w, struct event *e)
{
    struct event answer = { .what = REPLY, .who = e->who, .life = e->life, .id = e->id };
    bool is_gone = e->status || is_cut(w, e->who);
    check_time(w, e, "\"updatedAt\":\"");
    check_time(w, e, "\"createdAt\":\"");
    check_time(w, e, "\"completedAt\":\"");
    check_time(w, e, "\"cancelledAt\":\"");
    if (!is_gone) {
        struct reply r = server_http(&w->server, e->method, e->path, e->guard, e->text);
        trace(&w->sim, "player %d %s %.70s -> %d %.29s", e->who, e->method, e->path, r.status,
              strstr(e->path, "requests/") && e->text ? e->text : "");
        if (r.status == 200)
            note_told(w, e);
        if (strncmp(e->method, "GET", 4) == 0 && strstr(e->path, "/requests/"))
            answer.read_ns = w->sim.now_ns;
        spoil_reply(w, e->path, &r);
        answer.status = r.status;
        answer.text = r.body;
        is_gone = is_lost(w); /* done, but nobody hears of it */
    }
    if (is_gone) {
        free(answer.text);
        answer.text = NULL;
        answer.status = 0;
    }
    post(w, is_gone ? SECONDS(10) : delay(w), answer);
}

static void socket_up(struct world *w, struct event *e)
{
    struct player *p = &w->player[e->who];
    p->is_live = true;
    sync_socket_open(p->sync, e->id, w->sim.now_ns);
    post(w, delay(w),
         (struct event){
             .what = SOCKET_TEXT,
             .who = e->who,
             .life = e->life,
             .id = e->id,
             .text = xstrdup("{\"type\":\"connected\",\"data\":{\"user\":{\"$id\":\"u\"}}}") });
}

static void note_heard(struct world *w, int who)
{
    for (size_t i = 0; i < w->asked_count; i++)
        if (w->asked[i].turn[0] && w->asked[i].by == who && !w->asked[i].heard_ns)
            w->asked[i].heard_ns = w->sim.now_ns;
}

static void to_player(struct world *w, struct event *e)
{
    struct player *p = &w->player[e->who];
    if (e->what == RESTART) {
        player_start(w, e->who);
        return;
    }
    if (!p->sync || e->life != p->life)
        return;
    switch (e->what) {
    case REPLY:
        if (e->status > 0 && w->is_quiet)
            note_heard(w, e->who);
        p->read_ns = e->status > 0 && e->read_ns ? e->read_ns : p->read_ns;
        sync_http_done(p->sync, e->id, e->status, e->text, e->text ? strlen(e->text) : 0, -1,
                       w->sim.now_ns);
        break;
    case SOCKET_UP: socket_up(w, e); break;
    case SOCKET_TEXT:
        if (w->broken != DEAF || strstr(e->text, "connected"))
            sync_socket_text(p->sync, e->id, e->text, strlen(e->text), w->sim.now_ns);
        break;
    case SOCKET_GONE:
        p->is_live = p->is_live && p->socket != e->id;
        sync_socket_gone(p->sync, e->id, 0, w->sim.now_ns);
        break;
    case SAVED:
        write_journal(p, e);
        songs_saved(&w->songs, e->who, e->life, e->id);
        sync_saved(p->sync, e->id, w->sim.now_ns);
        break;
    default: break;
    }
}
