#include "source/supply.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "source/supply_internal.h"

#define SAMPLE_NS SECONDS(1)
#define LIVE_MS   (25 * 3600 * 1000) /* who fetches it knows for how long */

uint64_t supply_random(struct supply *s)
{
    uint64_t z = s->random += 0x9e3779b97f4a7c15u; /* splitmix64 */
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

struct supply *supply_create(uint64_t seed, int64_t now_ns)
{
    struct supply *s = xcalloc(1, sizeof(*s));
    s->random = seed;
    s->now_ns = now_ns;
    s->is_up = true;
    s->full_ns = s->spaced_ns = NO_TIME;
    for (size_t i = 0; i < ARRAY_LEN(s->breaker_ns); i++)
        s->breaker_ns[i] = NO_TIME;
    for (size_t i = 0; i < ARRAY_LEN(s->asked_ns); i++)
        s->asked_ns[i] = NO_TIME;
    return s;
}

static void entry_destroy(struct entry *e)
{
    free(e->key);
    free(e);
}

static void texts_free(struct supply_action *a)
{
    free((char *)a->key);
    free((char *)a->class);
    *a = (struct supply_action){ .id = 0 };
}

void supply_destroy(struct supply *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->count; i++)
        entry_destroy(s->entry[i]);
    for (size_t i = s->action_first; i < s->action_count; i++)
        texts_free(&s->action[i]);
    texts_free(&s->given);
    free(s->action);
    free(s->entry);
    free(s);
}

/* ---- entries -------------------------------------------------------------------------------------------- */

static struct entry *find(const struct supply *s, const char *key)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->entry[i]->key, key) == 0)
            return s->entry[i];
    return NULL;
}

static struct entry *find_action(const struct supply *s, uint64_t id)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->entry[i]->action == id)
            return s->entry[i];
    return NULL;
}

static struct entry *add(struct supply *s, const char *key)
{
    if (s->count == s->cap) {
        s->cap = s->cap ? 2 * s->cap : 16;
        s->entry = xrealloc(s->entry, s->cap * sizeof(*s->entry));
    }
    struct entry *e = s->entry[s->count++] = xcalloc(1, sizeof(*e));
    e->key = xstrdup(key);
    e->needed_ns = e->until_ns = NO_TIME;
    return e;
}

void entry_set_state(struct entry *e, enum supply_state state)
{
    e->state = state;
    if (state != SUPPLY_WAITING && state != SUPPLY_FAILED)
        e->until_ns = NO_TIME;
    if (state == SUPPLY_READY) {
        e->again = e->anew = e->blocked = e->offline = 0;
        e->class[0] = '\0';
    }
}

bool entry_works(const struct entry *e)
{
    return e->state == SUPPLY_RESOLVING || e->state == SUPPLY_FETCHING;
}

const char *supply_state_name(enum supply_state state)
{
    static const char *const names[] = { "new",   "resolving", "fetching", "checking",
                                         "ready", "waiting",   "failed" };
    return names[state];
}

bool supply_status(const struct supply *s, const char *key, struct supply_status *out)
{
    const struct entry *e = find(s, key);
    if (!e)
        return false;
    *out = (struct supply_status){
        .state = e->state,
        .may_play = e->state == SUPPLY_READY || e->is_started,
        .until_ns = e->until_ns,
    };
    memcpy(out->class, e->class, sizeof(out->class));
    return true;
}

size_t supply_use(const struct supply *s, const char **key, size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i < s->count && n < max; i++)
        key[n++] = s->entry[i]->key;
    return n;
}

uint64_t supply_bandwidth(const struct supply *s)
{
    return s->bandwidth;
}

/* ---- actions -------------------------------------------------------------------------------------------- */

struct supply_action *supply_put(struct supply *s, enum supply_action_kind kind,
                                 const struct entry *e, const char *class)
{
    if (s->action_first == s->action_count)
        s->action_first = s->action_count = 0;
    if (s->action_count == s->action_cap) {
        s->action_cap = s->action_cap ? 2 * s->action_cap : 16;
        s->action = xrealloc(s->action, s->action_cap * sizeof(*s->action));
    }
    struct supply_action *a = &s->action[s->action_count++];
    *a = (struct supply_action){
        .kind = kind,
        .key = xstrdup(e ? e->key : ""),
        .class = xstrdup(class),
        .until_ns = NO_TIME,
    };
    return a;
}

struct supply_action *supply_ask(struct supply *s, enum supply_action_kind kind, struct entry *e)
{
    assert(!e->action);
    struct supply_action *a = supply_put(s, kind, e, "");
    a->id = e->action = ++s->next_id;
    e->doing = kind;
    e->is_cancelling = e->has_lagged = false;
    return a;
}

bool supply_next_action(struct supply *s, struct supply_action *out)
{
    texts_free(&s->given);
    if (s->action_first == s->action_count)
        return false;
    s->given = *out = s->action[s->action_first++];
    return true;
}

/* ---- the queue ------------------------------------------------------------------------------------------ */

static void describe(struct entry *e, const struct supply_wanted *w, size_t place)
{
    e->is_queued = true;
    e->place = place;
    e->is_request = w->is_request;
    e->is_playing = w->is_playing;
    e->is_metered = w->is_metered;
    e->wants_name = w->wants_name;
    e->is_spare = w->is_spare;
    e->source = w->source < SUPPLY_SOURCES ? w->source : 0;
    if (w->duration_s > 0)
        e->duration_s = w->duration_s;
    e->needed_ns = w->needed_ns;
    e->was_played |= w->is_playing && e->is_started;
}

/* What stood before the one that plays now was overtaken; but only of what was to come soon it was the turn. */
static void note_overtaken(struct supply *s, const struct supply_wanted *at, size_t count)
{
    const struct entry *now = count && at[0].is_playing ? find(s, at[0].key) : NULL;
    int ahead = AHEAD;
    if (!now || now->is_playing || !now->is_queued)
        return;
    for (size_t i = 0; i < s->count; i++) {
        struct entry *e = s->entry[i];
        bool was_soon = entry_is_in_reach(e, &ahead);
        if (was_soon && e->is_queued && !e->is_playing && e->place < now->place)
            e->is_overdue = true;
    }
}

static int by_place(const void *a, const void *b)
{
    const struct entry *x = *(struct entry *const *)a, *y = *(struct entry *const *)b;
    if (x->is_queued != y->is_queued)
        return x->is_queued ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

/* What came of a live stream is of no use when it was played, or when its turn is no longer near. */
static void drop_streams(struct supply *s)
{
    for (size_t i = 0; i < s->count; i++) {
        struct entry *e = s->entry[i];
        bool is_near = e->is_queued && e->needed_ns != NO_TIME &&
                       e->needed_ns - s->now_ns <= LIVE_OFF_NS && !e->was_played;
        if (!e->is_live || e->is_playing || is_near)
            continue;
        if (e->state == SUPPLY_FETCHING) {
            entry_cancel(s, e);
        } else if (e->state == SUPPLY_READY) {
            entry_set_state(e, SUPPLY_NEW);
            e->is_started = false;
            supply_put(s, SUPPLY_DROP, e, "");
        }
        e->was_played = e->was_played && e->action;
    }
}

/* Entries that left the queue are forgotten, unless an answer is still to come. */
static void forget(struct supply *s)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->count; i++) {
        struct entry *e = s->entry[i];
        if (e->is_queued || e->action)
            s->entry[kept++] = e;
        else
            entry_destroy(e);
    }
    s->count = kept;
    if (kept)
        qsort(s->entry, kept, sizeof(*s->entry), by_place);
}

/* Time since the last call, for those who are late while it is nobody's fault but theirs. */
static void advance(struct supply *s, int64_t now_ns)
{
    int64_t before_ns = s->now_ns;
    s->now_ns = max_i64(s->now_ns, now_ns);
    for (size_t i = 0; i < s->count; i++) {
        struct entry *e = s->entry[i];
        int64_t since_ns = e->is_overdue             ? before_ns
                           : e->needed_ns == NO_TIME ? s->now_ns
                                                     : max_i64(before_ns, e->needed_ns);
        if (since_ns < s->now_ns && s->is_up && !e->is_playing && e->state != SUPPLY_READY)
            e->overdue_ns += s->now_ns - since_ns;
    }
}

void supply_queue(struct supply *s, const struct supply_wanted *at, size_t count, int64_t now_ns)
{
    advance(s, now_ns);
    count = count < SUPPLY_WANTED_MAX ? count : SUPPLY_WANTED_MAX;
    note_overtaken(s, at, count);
    for (size_t i = 0; i < s->count; i++)
        s->entry[i]->is_queued = s->entry[i]->is_playing = false;
    for (size_t i = 0; i < count; i++) {
        struct entry *e = find(s, at[i].key);
        if (e && e->is_queued) { /* once more, further behind */
            e->is_request |= at[i].is_request;
            continue;
        }
        describe(e ? e : add(s, at[i].key), &at[i], i);
    }
    for (size_t i = 0; i < s->count; i++) {
        struct entry *e = s->entry[i];
        if (e->is_playing || !e->is_queued) {
            e->is_overdue = false;
            e->overdue_ns = 0;
        }
    }
    drop_streams(s);
    forget(s);
    supply_decide(s);
}

/* ---- answers -------------------------------------------------------------------------------------------- */

static void looked(struct supply *s, struct entry *e, const struct supply_result *r)
{
    switch (r->outcome) {
    case SUPPLY_OK:
        entry_set_state(e, SUPPLY_READY);
        supply_put(s, SUPPLY_HAVE, e, "");
        break;
    case SUPPLY_REFUSED:
        memcpy(e->class, r->failure.class, sizeof(e->class));
        entry_set_state(e, SUPPLY_FAILED);
        e->until_ns = s->now_ns + SECONDS(clamp_i64(r->failure.refused_s, 1, INT32_MAX));
        supply_put(s, SUPPLY_FAIL, e, e->class);
        break;
    default: e->is_absent = true; break;
    }
}

/* What cannot be had at all is said long before its turn; anything else is found out again when it is near. */
static void named(struct supply *s, struct entry *e, const struct supply_result *r)
{
    e->was_named = r->outcome != SUPPLY_CANCELLED;
    e->is_live |= r->outcome == SUPPLY_OK && r->is_live;
    if (r->outcome == SUPPLY_OK && r->duration_s > 0)
        e->duration_s = r->duration_s;
    if (r->outcome == SUPPLY_FAILURE && r->failure.fate == SUPPLY_PERMANENT)
        entry_fail(s, e, &r->failure);
}

/* Its download is taken by itself until the fetch begins; somebody more urgent may have come meanwhile. */
static void resolved(struct supply *s, struct entry *e, const struct supply_result *r)
{
    e->bytes = r->bytes;
    e->can_grow = r->can_grow;
    e->is_live = r->is_live;
    if (r->duration_s > 0)
        e->duration_s = r->duration_s;
    if (!e->is_queued || !entry_is_due(s, e) || supply_yields(s, e)) {
        entry_set_state(e, SUPPLY_NEW);
        return;
    }
    entry_set_state(e, SUPPLY_FETCHING);
    e->has_progress = false;
    e->is_started = false;
    e->done = 0;
    e->in_hand_s = 0;
    e->limit = 0;
    e->began_ns = s->now_ns;
    struct supply_action *a = supply_ask(s, SUPPLY_FETCH, e);
    a->bytes = e->bytes ? e->bytes : GUESS_BYTES;
    a->discards = e->discards || e->is_live;
    a->timeout_ms =
        e->is_live ? LIVE_MS : (int)clamp_i64((int64_t)(e->duration_s * 5000), 600000, 6 * 3600000);
    e->discards = false;
}

static void published(struct supply *s, struct entry *e)
{
    entry_set_state(e, SUPPLY_READY);
    e->is_started = false;
    s->has_evicted = false;
    supply_put(s, SUPPLY_HAVE, e, "");
}

/* A live stream is over: what came of it plays to its end. */
static void streamed(struct supply *s, struct entry *e)
{
    entry_set_state(e, SUPPLY_READY);
    if (!e->is_started)
        supply_put(s, SUPPLY_START, e, "");
    e->is_started = true;
}

static void succeeded(struct supply *s, struct entry *e, const struct supply_result *r)
{
    switch (e->doing) {
    case SUPPLY_RESOLVE: resolved(s, e, r); break;
    case SUPPLY_FETCH:
        if (e->is_live) {
            streamed(s, e);
            break;
        }
        entry_set_state(e, SUPPLY_CHECKING);
        supply_ask(s, SUPPLY_CHECK, e)->timeout_ms =
            (int)clamp_i64((int64_t)(e->duration_s * 2000), 60000, 3600000);
        break;
    case SUPPLY_CHECK: supply_ask(s, SUPPLY_PUBLISH, e)->timeout_ms = 300000; break;
    case SUPPLY_PUBLISH: published(s, e); break;
    default: break;
    }
}

static void evicted(struct supply *s, bool has_room)
{
    s->evicting = 0;
    s->has_evicted = true;
    if (has_room)
        return;
    s->has_evicted = false;
    s->full_ns = s->now_ns + FULL_NS;
    supply_put(s, SUPPLY_TELL, NULL, "DISK");
}

void supply_done(struct supply *s, uint64_t id, const struct supply_result *r, int64_t now_ns)
{
    advance(s, now_ns);
    struct entry *e = id ? find_action(s, id) : NULL;
    if (id && id == s->evicting) {
        evicted(s, r->outcome == SUPPLY_OK);
    } else if (e) {
        e->action = 0;
        if (e->is_live && e->doing == SUPPLY_FETCH && r->outcome != SUPPLY_OK)
            supply_put(s, SUPPLY_DROP, e, "");
        if (e->doing == SUPPLY_LOOK)
            looked(s, e, r);
        else if (e->doing == SUPPLY_NAME)
            named(s, e, r);
        else if (r->outcome == SUPPLY_OK)
            succeeded(s, e, r);
        else if (r->outcome == SUPPLY_FAILURE)
            entry_fail(s, e, &r->failure);
        else if (e->has_lagged && e->is_queued)
            entry_lag(s, e);
        else
            entry_set_state(e, SUPPLY_NEW);
        if (e->state == SUPPLY_NEW || e->state == SUPPLY_WAITING || e->state == SUPPLY_FAILED)
            e->is_started = false;
        drop_streams(s);
        forget(s);
    }
    supply_decide(s);
}

void supply_progress(struct supply *s, uint64_t id, uint64_t bytes, double in_hand_s,
                     int64_t now_ns)
{
    advance(s, now_ns);
    struct entry *e = id ? find_action(s, id) : NULL;
    if (e && e->state == SUPPLY_FETCHING) {
        if (!e->has_progress) {
            e->has_progress = true;
            e->began_ns = e->seen_ns = s->now_ns;
            e->began_bytes = e->seen_bytes = bytes;
        }
        e->done = bytes;
        e->in_hand_s = in_hand_s;
        e->heard_ns = s->now_ns;
        int64_t went_ns = s->now_ns - e->seen_ns;
        if (went_ns >= SAMPLE_NS && bytes >= e->seen_bytes) {
            double rate = (double)(bytes - e->seen_bytes) * 1e9 / (double)went_ns;
            /* One that is held back, or comes as it plays, says nothing of the line. */
            if (!e->limit && !e->is_live)
                s->bandwidth =
                    (uint64_t)(s->bandwidth ? ((double)s->bandwidth * 3 + rate) / 4 : rate);
            e->seen_ns = s->now_ns;
            e->seen_bytes = bytes;
        }
    }
    supply_decide(s);
}

/* ---- the world ------------------------------------------------------------------------------------------ */

void supply_lost(struct supply *s, const char *key, int64_t now_ns)
{
    advance(s, now_ns);
    struct entry *e = find(s, key);
    if (e && e->state == SUPPLY_READY) {
        entry_set_state(e, SUPPLY_NEW);
        e->is_absent = false;
    }
    supply_decide(s);
}

void supply_retry(struct supply *s, const char *key, int64_t now_ns)
{
    advance(s, now_ns);
    for (size_t i = 0; i < s->count; i++) {
        struct entry *e = s->entry[i];
        if ((key && strcmp(e->key, key) != 0) || e->action ||
            (e->state != SUPPLY_WAITING && e->state != SUPPLY_FAILED))
            continue;
        entry_set_state(e, SUPPLY_NEW);
        e->class[0] = '\0';
        e->again = e->anew = e->blocked = e->offline = 0;
        e->overdue_ns = 0;
        e->is_absent = false;
    }
    supply_decide(s);
}

void supply_network(struct supply *s, bool is_up, int64_t now_ns)
{
    advance(s, now_ns);
    for (size_t i = 0; is_up && !s->is_up && i < s->count; i++) {
        struct entry *e = s->entry[i];
        if (e->state == SUPPLY_WAITING && e->offline) {
            e->offline = 0;
            e->until_ns = s->now_ns;
        }
    }
    s->is_up = is_up;
    supply_decide(s);
}

void supply_breaker(struct supply *s, unsigned source, int64_t until_ns, int64_t now_ns)
{
    advance(s, now_ns);
    if (source <= SUPPLY_SOURCES)
        s->breaker_ns[source] = until_ns;
    supply_decide(s);
}

void supply_room(struct supply *s, int64_t now_ns)
{
    advance(s, now_ns);
    s->full_ns = NO_TIME;
    s->has_evicted = false;
    supply_decide(s);
}

void supply_time(struct supply *s, int64_t now_ns)
{
    advance(s, now_ns);
    supply_decide(s);
}

int64_t supply_deadline_ns(const struct supply *s)
{
    return supply_next_change_ns(s);
}
