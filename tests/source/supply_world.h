/* One evening of a bar: songs that can be fetched or not, a line that is slow or gone, a disk that fills, guests, and a
 * player that plays what is ready. Broken variants do, on their way, what a broken manager would. */
#pragma once

#include "base/alloc.h"
#include "source/supply.h"
#include "support/simulation.h"

#define SONGS        40
#define QUEUE_MAX    64
#define OPS_MAX      32
#define TICK_NS      SECONDS(2)
#define RATE         312000 /* bytes a second of a song */
#define TRIES_KEPT   128
#define TRIES_HOURLY 80
#define METERED_MAX  60
#define RESOLVE_S    20
#define STALL_NS     SECONDS(20)

enum broken {
    WHOLE,
    FETCHES_TWICE,
    CHECKS_NOTHING,
    LOOKS_NO_FURTHER, /* than what plays */
    STORMS,
    NEVER_SLEEPS,
    STUBBORN, /* asks for what is refused */
    GREEDY,   /* evicts what is in use */
    BROKEN_KINDS,
};

struct song {
    char key[16];
    bool is_permanent; /* nobody can have it */
    bool is_hopeless;  /* its server fails, and never says for good */
    bool is_metered, can_grow, wants_name;
    unsigned source;
    double duration_s;
    uint64_t bytes;
    int failing_percent;
    int stale; /* so many addresses are refused before one is good */

    /* On disk. */
    bool is_cached, was_checked, is_bad;
    uint64_t partial;
    int64_t refused_until_ns; /* kept by the driver */

    /* What was seen. */
    int64_t forbidden_until_ns; /* the failure said so */
    int64_t tried_ns[TRIES_KEPT];
    size_t tries;
    int64_t near_ns;    /* since when it is one of the next, or a request; NO_TIME */
    bool is_unplayable; /* the queue says so */
};

struct op {
    uint64_t id; /* 0: free */
    enum supply_action_kind kind;
    int song; /* -1: none */
    int64_t due_ns;
    bool is_copy; /* of a broken manager */
    /* Of a fetch. */
    uint64_t done, limit, fails_at;
    bool discards;
    struct supply_failure failure;
    int64_t byte_ns; /* the last one came then */
};

struct world {
    struct simulation sim;
    enum broken broken;
    bool is_healthy, is_quiet;
    struct supply *supply;
    struct song song[SONGS];
    int queue[QUEUE_MAX]; /* what plays at first, requests before the rest */
    size_t count;
    bool is_request[QUEUE_MAX];
    bool is_playing;
    int64_t ends_ns;
    struct op op[OPS_MAX];
    uint64_t bandwidth, disk;
    int64_t down_until_ns, breaker_until_ns, tick_ns, actor_ns;
    bool is_up;
    int64_t metered_ns[METERED_MAX];
    size_t metered_next;
    uint64_t waits, plays, idle_turns, tells, names;
};

static inline int song_of(const struct world *w, const char *key)
{
    for (int i = 0; i < SONGS; i++)
        if (strcmp(w->song[i].key, key) == 0)
            return i;
    return -1;
}

static inline bool is_queued(const struct world *w, int song)
{
    for (size_t i = 0; i < w->count; i++)
        if (w->queue[i] == song)
            return true;
    return false;
}

static inline size_t requests(const struct world *w)
{
    size_t n = 0;
    for (size_t i = 0; i < w->count; i++)
        n += w->is_request[i];
    return n;
}

static inline bool may_play(const struct world *w, int song)
{
    struct supply_status st;
    return supply_status(w->supply, w->song[song].key, &st) && st.may_play;
}

/* ---- the disk --------------------------------------------------------------------------------------------- */

static inline uint64_t disk_used(const struct world *w)
{
    uint64_t used = 0;
    for (int i = 0; i < SONGS; i++)
        used += w->song[i].partial + (w->song[i].is_cached ? w->song[i].bytes : 0);
    return used;
}

static inline bool is_protected(const struct world *w, int song, const char **use, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(use[i], w->song[song].key) == 0)
            return true;
    return false;
}

static inline bool evict(struct world *w, uint64_t bytes)
{
    const char *use[QUEUE_MAX + OPS_MAX];
    size_t count = supply_use(w->supply, use, ARRAY_LEN(use));
    uint64_t gone = 0;
    for (int i = 0; i < SONGS && gone < bytes; i++) {
        struct song *s = &w->song[i];
        bool stays = is_protected(w, i, use, count) && w->broken != GREEDY;
        if (stays || (!s->is_cached && !s->partial))
            continue;
        if (s->is_cached && is_queued(w, i))
            breach(&w->sim, "%s is queued and was evicted", s->key);
        gone += s->partial + (s->is_cached ? s->bytes : 0);
        s->partial = 0;
        s->is_cached = s->was_checked = false;
    }
    trace(&w->sim, "evicted %.0f MB", (double)gone / 1e6);
    return gone >= bytes;
}

/* ---- the driver ------------------------------------------------------------------------------------------- */

static inline struct op *op_add(struct world *w, const struct supply_action *a, int song,
                                int64_t in_ns)
{
    for (size_t i = 0; i < OPS_MAX; i++)
        if (!w->op[i].id) {
            w->op[i] = (struct op){ .id = a->id,
                                    .kind = a->kind,
                                    .song = song,
                                    .due_ns = in_ns == INT64_MAX ? in_ns : w->sim.now_ns + in_ns,
                                    .byte_ns = w->sim.now_ns };
            return &w->op[i];
        }
    breach(&w->sim, "too much at once");
    return &w->op[0];
}

static inline void fail_as(struct supply_failure *f, const char *class, enum supply_fate fate)
{
    *f = (struct supply_failure){ .fate = fate };
    snprintf(f->class, sizeof(f->class), "%s", class);
}

/* What goes wrong with a fetch, if anything; it is found at a byte of the file. */
static inline void doom(struct world *w, struct op *op)
{
    struct song *s = &w->song[op->song];
    op->fails_at = UINT64_MAX;
    if (s->stale > 0) {
        s->stale--;
        op->fails_at = 0;
        fail_as(&op->failure, "URL_403", SUPPLY_ANEW);
    } else if (!w->is_quiet && pick(&w->sim, 100) < s->failing_percent) {
        op->fails_at = rnd(&w->sim) % s->bytes;
        switch (pick(&w->sim, 4)) {
        case 0: fail_as(&op->failure, "URL_403", SUPPLY_ANEW); break;
        case 1:
            fail_as(&op->failure, "RANGE_416", SUPPLY_AGAIN);
            op->failure.spoils_partial = true;
            break;
        case 2: fail_as(&op->failure, "SERVER", SUPPLY_AGAIN); break;
        default:
            fail_as(&op->failure, "UNKNOWN", SUPPLY_AGAIN);
            op->failure.attempts = 3;
            op->failure.refused_s = 3600;
        }
    }
    s->is_bad = !w->is_quiet && pick(&w->sim, 100) < s->failing_percent / 2;
}

static inline void count_try(struct world *w, struct song *s)
{
    int64_t *slot = &s->tried_ns[s->tries++ % TRIES_KEPT];
    *slot = w->sim.now_ns;
    size_t lately = 0;
    for (size_t i = 0; i < TRIES_KEPT && i < s->tries; i++)
        lately += s->tried_ns[i] > w->sim.now_ns - SECONDS(3600);
    if (lately > TRIES_HOURLY)
        breach(&w->sim, "%s was tried more than %d times in an hour", s->key, TRIES_HOURLY);
    if (w->sim.now_ns < s->forbidden_until_ns)
        breach(&w->sim, "%s was tried although it failed for good", s->key);
    if (!s->is_metered)
        return;
    int64_t *oldest = &w->metered_ns[w->metered_next++ % METERED_MAX];
    if (*oldest > w->sim.now_ns - SECONDS(3600))
        breach(&w->sim, "more than %d questions to a metered source in an hour", METERED_MAX);
    *oldest = w->sim.now_ns;
}

static inline void count_works(struct world *w, int song)
{
    int of_song = 0, fetches = 0;
    for (size_t i = 0; i < OPS_MAX; i++) {
        const struct op *op = &w->op[i];
        if (!op->id || (op->kind != SUPPLY_RESOLVE && op->kind != SUPPLY_FETCH))
            continue;
        of_song += op->song == song;
        fetches += op->kind == SUPPLY_FETCH;
    }
    if (of_song > 1)
        breach(&w->sim, "%s is fetched twice at once", w->song[song].key);
    if (fetches > 2)
        breach(&w->sim, "%d downloads at once", fetches);
}

static inline void count_names(struct world *w)
{
    int names = 0;
    for (size_t i = 0; i < OPS_MAX; i++)
        names += w->op[i].id && w->op[i].kind == SUPPLY_NAME;
    w->names++;
    if (names > 1)
        breach(&w->sim, "%d songs are named at once", names);
}

static inline void begin_fetch(struct world *w, const struct supply_action *a, int song)
{
    struct song *s = &w->song[song];
    struct op *op = op_add(w, a, song, INT64_MAX);
    if (a->discards)
        s->partial = 0;
    s->was_checked = false;
    doom(w, op);
    op->done = s->partial;
    count_works(w, song);
}

static inline void cancel(struct world *w, uint64_t id)
{
    for (size_t i = 0; i < OPS_MAX; i++)
        if (w->op[i].id == id && !w->op[i].is_copy)
            w->op[i].due_ns = w->sim.now_ns + MS(200);
}

static inline void queue_remove(struct world *w, size_t at)
{
    memmove(&w->queue[at], &w->queue[at + 1], (w->count - at - 1) * sizeof(*w->queue));
    memmove(&w->is_request[at], &w->is_request[at + 1],
            (w->count - at - 1) * sizeof(*w->is_request));
    w->count--;
}

/* A request is cancelled, another entry marked. */
static inline void entry_failed(struct world *w, int song, const char *class)
{
    struct song *s = &w->song[song];
    bool is_refused = w->sim.now_ns < s->refused_until_ns || w->sim.now_ns < s->forbidden_until_ns;
    if (strcmp(class, "REMOVED") == 0 && !is_refused)
        breach(&w->sim, "%s is said to be removed, by nobody", s->key);
    s->is_unplayable = true;
    for (size_t i = 0; i < w->count; i++)
        if (w->queue[i] == song && w->is_request[i] && !(i == 0 && w->is_playing)) {
            queue_remove(w, i);
            break;
        }
}

static inline void have(struct world *w, int song)
{
    struct song *s = &w->song[song];
    s->is_unplayable = false;
    if (!s->is_cached || !s->was_checked)
        breach(&w->sim, "%s is said to be ready and is %s", s->key,
               s->is_cached ? "not checked" : "not there");
}

static inline void act(struct world *w, const struct supply_action *a)
{
    int song = song_of(w, a->key);
    trace(&w->sim, "  action %d %s %s id %" PRIu64, a->kind, a->key, a->class, a->id);
    switch (a->kind) {
    case SUPPLY_LOOK: op_add(w, a, song, MS(1 + pick(&w->sim, 50))); break;
    case SUPPLY_RESOLVE:
        count_try(w, &w->song[song]);
        op_add(w, a, song, MS(50 + pick(&w->sim, RESOLVE_S * 1000)));
        count_works(w, song);
        break;
    case SUPPLY_NAME:
        count_try(w, &w->song[song]);
        op_add(w, a, song, MS(50 + pick(&w->sim, RESOLVE_S * 1000)));
        count_names(w);
        break;
    case SUPPLY_FETCH:
        begin_fetch(w, a, song);
        if (w->broken == FETCHES_TWICE && pick(&w->sim, 4) == 0) {
            begin_fetch(w, a, song);
        }
        break;
    case SUPPLY_CHECK:
        op_add(w, a, song, w->broken == CHECKS_NOTHING ? MS(1) : MS(500 + pick(&w->sim, 4000)));
        break;
    case SUPPLY_PUBLISH: op_add(w, a, song, MS(20 + pick(&w->sim, 300))); break;
    case SUPPLY_EVICT: op_add(w, a, -1, MS(20))->done = a->bytes; break;
    case SUPPLY_CANCEL: cancel(w, a->id); break;
    case SUPPLY_LIMIT:
        for (size_t i = 0; i < OPS_MAX; i++)
            if (w->op[i].id == a->id)
                w->op[i].limit = a->limit;
        break;
    case SUPPLY_HAVE: have(w, song); break;
    case SUPPLY_FAIL: entry_failed(w, song, a->class); break;
    case SUPPLY_REFUSE:
        if (w->broken != STUBBORN)
            w->song[song].refused_until_ns = w->sim.now_ns + SECONDS(a->for_s);
        break;
    case SUPPLY_START: {
        uint64_t in_hand = 0;
        for (size_t i = 0; i < OPS_MAX; i++)
            if (w->op[i].id && w->op[i].song == song && w->op[i].kind == SUPPLY_FETCH)
                in_hand = w->op[i].done;
        if (!w->song[song].can_grow || in_hand < (uint64_t)RATE * 2)
            breach(&w->sim, "%s may start with %.0f s", w->song[song].key, (double)in_hand / RATE);
        break;
    }
    case SUPPLY_PUT_OFF: w->waits++; break;
    case SUPPLY_TELL: w->tells++; break;
    case SUPPLY_DROP: breach(&w->sim, "%s is no stream", w->song[song].key); break;
    }
}

static inline void drain(struct world *w)
{
    struct supply_action a;
    int n = 0;
    while (supply_next_action(w->supply, &a) && !w->sim.failure[0]) {
        act(w, &a);
        if (++n > 1000)
            breach(&w->sim, "actions without end");
    }
}

/* ---- what becomes of an action ---------------------------------------------------------------------------- */

static inline void resolve_ends(struct world *w, struct op *op, struct supply_result *r)
{
    struct song *s = &w->song[op->song];
    r->outcome = SUPPLY_FAILURE;
    if (!w->is_up) {
        fail_as(&r->failure, "DNS", SUPPLY_OFFLINE);
    } else if (w->sim.now_ns < w->breaker_until_ns && s->source == 1) {
        fail_as(&r->failure, "BOT_CHECK", SUPPLY_BLOCKED);
    } else if (s->is_permanent) {
        fail_as(&r->failure, "REMOVED", SUPPLY_PERMANENT);
        r->failure.refused_s = 7200;
        s->forbidden_until_ns = w->sim.now_ns + SECONDS(7200);
    } else if (s->is_hopeless) {
        fail_as(&r->failure, "SERVER", SUPPLY_AGAIN);
    } else {
        r->outcome = SUPPLY_OK;
        r->bytes = pick(&w->sim, 4) ? s->bytes : 0;
        r->duration_s = s->duration_s;
        r->can_grow = s->can_grow;
    }
}

static inline void check_ends(struct world *w, struct op *op, struct supply_result *r)
{
    struct song *s = &w->song[op->song];
    if (w->broken == CHECKS_NOTHING)
        return;
    if (s->is_bad) {
        r->outcome = SUPPLY_FAILURE;
        fail_as(&r->failure, "TRUNCATED", SUPPLY_AGAIN);
        r->failure.spoils_partial = true;
    } else {
        s->was_checked = true;
    }
}

static inline void publish_ends(struct world *w, struct op *op, struct supply_result *r)
{
    struct song *s = &w->song[op->song];
    s->is_cached = true;
    s->partial = 0;
}

static inline void look_ends(struct world *w, struct op *op, struct supply_result *r)
{
    const struct song *s = &w->song[op->song];
    if (s->is_cached)
        return;
    r->outcome = SUPPLY_ABSENT;
    if (w->sim.now_ns < s->refused_until_ns) {
        r->outcome = SUPPLY_REFUSED;
        fail_as(&r->failure, "REMOVED", SUPPLY_PERMANENT);
        r->failure.refused_s = (s->refused_until_ns - w->sim.now_ns + NS_PER_S - 1) / NS_PER_S;
    }
}

/* What a broken manager forgets when an entry is put off. */
static inline void forget_patience(struct world *w, const struct op *op,
                                   const struct supply_result *r)
{
    bool is_permanent = r->failure.fate == SUPPLY_PERMANENT;
    if (op->song < 0 || r->outcome != SUPPLY_FAILURE ||
        !(is_permanent ? w->broken == STUBBORN : w->broken == STORMS))
        return;
    supply_retry(w->supply, w->song[op->song].key, w->sim.now_ns);
}

static inline void op_ends(struct world *w, struct op *op)
{
    struct op done = *op;
    struct supply_result r = { .outcome = SUPPLY_OK };
    *op = (struct op){ .id = 0 };
    switch (done.kind) {
    case SUPPLY_LOOK: look_ends(w, &done, &r); break;
    case SUPPLY_RESOLVE: resolve_ends(w, &done, &r); break;
    case SUPPLY_NAME:
        resolve_ends(w, &done, &r);
        w->song[done.song].wants_name &= r.outcome != SUPPLY_OK;
        break;
    case SUPPLY_FETCH: r.outcome = SUPPLY_CANCELLED; break;
    case SUPPLY_CHECK: check_ends(w, &done, &r); break;
    case SUPPLY_PUBLISH: publish_ends(w, &done, &r); break;
    default: r.outcome = evict(w, done.done) ? SUPPLY_OK : SUPPLY_FAILURE; break;
    }
    trace(&w->sim, "id %" PRIu64 " ends: %d %s", done.id, r.outcome, r.failure.class);
    supply_done(w->supply, done.id, &r, w->sim.now_ns);
    drain(w);
    forget_patience(w, &done, &r);
    drain(w);
}

static inline void fetch_fails(struct world *w, struct op *op, const struct supply_failure *f)
{
    struct op done = *op;
    struct supply_result r = { .outcome = SUPPLY_FAILURE, .failure = *f };
    *op = (struct op){ .id = 0 };
    trace(&w->sim, "fetch %" PRIu64 " of %s fails: %s", done.id, w->song[done.song].key, f->class);
    supply_done(w->supply, done.id, &r, w->sim.now_ns);
    drain(w);
    forget_patience(w, &done, &r);
    drain(w);
}

static inline void fetch_tick(struct world *w, struct op *op, uint64_t share)
{
    struct song *s = &w->song[op->song];
    uint64_t rate = op->limit && op->limit < share ? op->limit : share;
    uint64_t more = rate * (TICK_NS / NS_PER_S);
    struct supply_failure f;
    if (!w->is_up)
        more = 0;
    if (more)
        op->byte_ns = w->sim.now_ns;
    if (w->sim.now_ns - op->byte_ns > STALL_NS) {
        fail_as(&f, "TIMEOUT", SUPPLY_OFFLINE);
        fetch_fails(w, op, &f);
        return;
    }
    if (op->done + more > op->fails_at) {
        f = op->failure;
        fetch_fails(w, op, &f);
        return;
    }
    more = more < s->bytes - op->done ? more : s->bytes - op->done;
    if (disk_used(w) + more > w->disk) {
        fail_as(&f, "DISK", SUPPLY_NO_ROOM);
        fetch_fails(w, op, &f);
        return;
    }
    op->done += more;
    s->partial = op->done;
    if (op->done < s->bytes) {
        supply_progress(w->supply, op->id, op->done, (double)op->done / RATE, w->sim.now_ns);
        drain(w);
        return;
    }
    struct supply_result r = { .outcome = SUPPLY_OK };
    uint64_t id = op->id;
    *op = (struct op){ .id = 0 };
    trace(&w->sim, "fetch %" PRIu64 " of %s ends", id, s->key);
    supply_done(w->supply, id, &r, w->sim.now_ns);
    drain(w);
}

static inline void tick(struct world *w)
{
    uint64_t fetches = 0;
    w->tick_ns = w->sim.now_ns + TICK_NS;
    for (size_t i = 0; i < OPS_MAX; i++)
        fetches += w->op[i].id && w->op[i].kind == SUPPLY_FETCH;
    for (size_t i = 0; i < OPS_MAX; i++)
        if (w->op[i].id && w->op[i].kind == SUPPLY_FETCH && w->op[i].due_ns == INT64_MAX)
            fetch_tick(w, &w->op[i], w->bandwidth / (fetches ? fetches : 1));
}
