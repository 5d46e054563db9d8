/* The documents of `requests`: queued -> playing -> completed or cancelled, by $id. Every queued one is in the queue
 * or is put back there; none is played twice. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "sync/query_text.h"
#include "sync/sync_internal.h"
#include "wire/track_json.h"

#define NEAR_MS     60000 /* between a document's timestamp and the track's requestedAt */
#define SAME_MS     2000
#define GRACE_NS    SECONDS(10)  /* a kiosk writes the queue and the document one after the other */
#define TAKEN_NS    SECONDS(120) /* by then a device that lost the role knows it */
#define LIST_LIMIT  100
#define ENTRIES_MAX 512

static const char *const status_names[] = { "queued", "playing", "completed", "cancelled" };

static bool is_open(const struct request *r)
{
    return r->status == REQUEST_QUEUED || r->status == REQUEST_PLAYING;
}

/* ---- the table ---------------------------------------------------------------------------------------------- */

static void read_song(struct request *r, const struct message *m)
{
    const char *text = message_str(m, "song", "");
    struct message *song = message_parse(text, strlen(text), NULL, 0);
    r->track = track_from_message(song ? song : message_object(m, "song"));
    message_destroy(song);
    if (!r->track)
        return;
    const char *at = message_str(m, "timestamp", "");
    track_set(&r->track->id, r->id);
    track_set(&r->track->requested_at, at);
    track_set(&r->track->requester_id, message_str(m, "requesterId", ""));
    track_set(&r->track->payment_id, message_str(m, "paymentId", ""));
    track_set(&r->track->source, NULL); /* a guest names a song, no file of ours and no address */
    r->track->is_request = true;
    if (!stamp_parse(at, &r->timestamp_ms))
        r->timestamp_ms = INT64_MIN;
}

static struct request *find(struct requests *t, const char *id)
{
    for (size_t i = 0; i < t->count; i++) {
        if (strcmp(t->at[i].id, id) == 0)
            return &t->at[i];
    }
    return NULL;
}

static struct request *add(struct requests *t)
{
    if (t->count == REQUESTS_MAX) { /* the oldest that is over goes, else the oldest */
        size_t i = 0;
        while (i < t->count && is_open(&t->at[i]))
            i++;
        i = i < t->count ? i : 0;
        track_destroy(t->at[i].track);
        memmove(t->at + i, t->at + i + 1, (t->count - i - 1) * sizeof(t->at[0]));
        t->count--;
    }
    t->at[t->count] = (struct request){ .missing_ns = NO_TIME, .stamp_ms = INT64_MIN };
    return &t->at[t->count++];
}

static int status_of(const struct message *m)
{
    const char *name = message_str(m, "status", "queued");
    for (size_t i = 0; i < ARRAY_LEN(status_names); i++) {
        if (strcmp(name, status_names[i]) == 0)
            return (int)i;
    }
    return -1;
}

void requests_seen(struct sync *s, const struct message *m)
{
    const char *id = message_str(m, "$id", ""), *stamp = message_str(m, "$updatedAt", "");
    int64_t stamp_ms;
    int status = status_of(m);
    if (!*id || strlen(id) >= REQUEST_ID_SIZE || status < 0 || !stamp_parse(stamp, &stamp_ms) ||
        strlen(stamp) >= STAMP_SIZE)
        return;
    struct request *r = find(&s->requests, id);
    if (r && stamp_ms <= r->stamp_ms)
        return;
    if (!r) {
        struct request fresh = { .missing_ns = NO_TIME };
        memcpy(fresh.id, id, strlen(id) + 1);
        read_song(&fresh, m);
        if (!fresh.track || !*fresh.track->video_id) { /* a song that is no JSON */
            track_destroy(fresh.track);
            return;
        }
        r = add(&s->requests);
        *r = fresh;
    }
    memcpy(r->updated_at, stamp, strlen(stamp) + 1);
    r->stamp_ms = stamp_ms;
    if (r->status != REQUEST_PLAYING)
        r->playing_ns = s->now_ns;
    r->status = (enum request_status)status;
}

void requests_finish(struct sync *s)
{
    for (size_t i = 0; i < s->requests.count; i++)
        track_destroy(s->requests.at[i].track);
    s->requests.count = 0;
}

/* ---- matching ----------------------------------------------------------------------------------------------- */

/* How well `t` fits the document; 0: it is another request. */
static int fit(const struct request *r, const struct track *t)
{
    const struct track *own = r->track;
    int64_t at_ms = 0;
    if (strcmp(t->id, r->id) == 0)
        return 1000;
    if (strcmp(t->video_id, own->video_id) != 0)
        return 0;
    if (*t->payment_id && *own->payment_id)
        return strcmp(t->payment_id, own->payment_id) == 0 ? 500 : 0;
    if (*t->requester_id && *own->requester_id && strcmp(t->requester_id, own->requester_id) != 0)
        return 0;
    if (r->timestamp_ms == INT64_MIN || !stamp_parse(t->requested_at, &at_ms))
        return 1;
    int64_t apart = llabs(at_ms - r->timestamp_ms);
    return apart > NEAR_MS    ? 0
           : apart <= SAME_MS ? 300 - (int)(apart / 10)
                              : 90 - (int)(apart / 1000);
}

int64_t requests_taken_until(struct sync *s, const struct track *t)
{
    for (size_t i = 0; i < s->requests.count; i++) {
        const struct request *r = &s->requests.at[i];
        if (r->status == REQUEST_PLAYING && s->now_ns < r->playing_ns + TAKEN_NS && fit(r, t) &&
            !ledger_of_document(&s->ledger, r->id))
            return r->playing_ns + TAKEN_NS;
    }
    return NO_TIME;
}

#define FIT_SURE    100 /* the very same, not only one like it */
#define FIT_CERTAIN 500 /* by id or payment */

struct entries {
    const struct track *at[ENTRIES_MAX];
    bool is_matched[ENTRIES_MAX];
    size_t count;
};

static void gather(const struct sync *s, struct entries *e)
{
    const struct track_list *list = &s->full_view.list[QUEUE_REQUESTS];
    e->count = 0;
    struct entry_place place;
    const struct track *now = s->full_view.now;
    if (now && now->is_request && !queue_playing(&s->full_view, &place))
        e->at[e->count++] = now;
    for (size_t i = 0; i < list->count && e->count < ENTRIES_MAX; i++)
        e->at[e->count++] = list->at[i];
    memset(e->is_matched, 0, e->count * sizeof(e->is_matched[0]));
}

static int best_entry(const struct entries *e, const struct request *r, size_t *out)
{
    int best = 0;
    for (size_t i = 0; i < e->count; i++) {
        int n = e->is_matched[i] ? 0 : fit(r, e->at[i]);
        if (n > best) {
            best = n;
            *out = i;
        }
    }
    return best;
}

/* What was played or taken out finds its document, if that came later. */
static void bind_record(struct sync *s, struct ledger_record *rec, const struct entries *e)
{
    struct request *best = NULL;
    int best_fit = 1; /* the song alone is no proof */
    for (size_t i = 0; i < s->requests.count; i++) {
        struct request *r = &s->requests.at[i];
        size_t place;
        int n = fit(r, rec->track);
        if (n <= best_fit || !is_open(r) || ledger_of_document(&s->ledger, r->id))
            continue;
        if (rec->fate == FATE_PLAYING || n >= best_entry(e, r, &place)) {
            best = r;
            best_fit = n;
        }
    }
    if (!best)
        return;
    memcpy(rec->document, best->id, sizeof(rec->document));
    rec->is_told = false;
    state_dirty(s);
}

static enum request_status status_of_fate(enum fate fate)
{
    return fate == FATE_PLAYING     ? REQUEST_PLAYING
           : fate == FATE_COMPLETED ? REQUEST_COMPLETED
                                    : REQUEST_CANCELLED;
}

/* true: the document is behind what happened. */
static bool is_to_tell(struct sync *s, struct ledger_record *rec)
{
    const struct request *r =
        rec->document[0] && !rec->is_told ? find(&s->requests, rec->document) : NULL;
    if (!r)
        return false;
    enum request_status wanted = status_of_fate(rec->fate);
    if (rec->fate == FATE_PLAYING && !state_may_write_now(s))
        return false;
    if (r->status == wanted || !is_open(r)) {
        rec->is_told = rec->fate != FATE_PLAYING;
        return false;
    }
    return true;
}

/* ---- settling ----------------------------------------------------------------------------------------------- */

static void put_back(struct sync *s, const struct request *r)
{
    struct queue_op op = {
        .kind = OP_ADD, .track = r->track, .list = QUEUE_REQUESTS, .seed = sync_random(s)
    };
    state_apply(s, &op);
}

/* In no queue: after a while it is put back, or was played by a device that could not say so any more. */
static bool settle_missing(struct sync *s, struct request *r)
{
    if (r->missing_ns == NO_TIME)
        r->missing_ns = s->now_ns;
    if (s->now_ns - r->missing_ns < GRACE_NS) {
        s->requests.grace_ns = min_i64(s->requests.grace_ns, r->missing_ns + GRACE_NS);
        return false;
    }
    r->missing_ns = NO_TIME;
    if (r->status == REQUEST_QUEUED) {
        put_back(s, r);
    } else {
        struct ledger_record *rec = ledger_note(&s->ledger, r->track, FATE_COMPLETED, NULL);
        memcpy(rec->document, r->id, sizeof(rec->document));
        rec->is_told = false;
        state_dirty(s);
    }
    return true;
}

/* Each document finds its entry; the best fits first come from the order of the documents, oldest first. */
static void match(struct sync *s, struct entries *e)
{
    for (size_t i = 0; i < s->requests.count; i++) {
        struct request *r = &s->requests.at[i];
        size_t place;
        r->is_matched = !is_open(r);
        const struct ledger_record *rec = ledger_of_document(&s->ledger, r->id);
        if (rec && rec->fate != FATE_PLAYING)
            r->is_matched = true;
        else if (is_open(r) && best_entry(e, r, &place) > 0)
            r->is_matched = e->is_matched[place] = true;
        if (r->is_matched || rec)
            r->missing_ns = NO_TIME;
        r->is_matched |= rec != NULL;
    }
}

/* An entry that is the very same as one of a document that has its entry, or is over: somebody's old copy. */
static const struct track *find_surplus(const struct sync *s, const struct entries *e)
{
    for (size_t i = 0; i < e->count; i++) {
        bool plays = s->full_view.now && track_is_same_entry(s->full_view.now, e->at[i]);
        for (size_t k = 0; k < s->requests.count && !e->is_matched[i] && !plays; k++) {
            if (fit(&s->requests.at[k], e->at[i]) >= FIT_SURE)
                return e->at[i];
        }
    }
    return NULL;
}

static void remove_surplus(struct sync *s, const struct track *t)
{
    struct track *named = track_copy(t);
    struct queue_op op = { .kind = OP_REMOVE, .entry = entry_ref_of(named) };
    s->surplus = named;
    state_apply(s, &op);
    s->surplus = NULL;
    track_destroy(named);
}

static bool is_over(struct sync *s, const struct track *t)
{
    bool is_over = ledger_is_over(&s->ledger, t);
    for (size_t i = 0; i < s->requests.count; i++)
        is_over |= !is_open(&s->requests.at[i]) && fit(&s->requests.at[i], t) >= FIT_CERTAIN;
    return is_over;
}

void requests_drop_over(struct sync *s)
{
    const struct track_list *list = &s->full_view.list[QUEUE_REQUESTS];
    if (!state_may_write_now(s))
        return;
    for (size_t i = list->count; i-- > 0;) {
        if (i < list->count && is_over(s, list->at[i])) /* it may have grown shorter by more */
            remove_surplus(s, list->at[i]);
    }
}

/* One change to the queue at most: state_apply() settles again. */
static void settle_queue(struct sync *s, struct entries *e)
{
    match(s, e);
    const struct track *surplus = find_surplus(s, e);
    if (surplus) {
        remove_surplus(s, surplus);
        return;
    }
    for (size_t i = 0; i < s->requests.count; i++) {
        if (!s->requests.at[i].is_matched && settle_missing(s, &s->requests.at[i]))
            return;
    }
}

void requests_settle(struct sync *s)
{
    struct entries e;
    if (!s->requests.count)
        return;
    s->requests.grace_ns = INT64_MAX;
    gather(s, &e);
    for (size_t i = 0; i < s->ledger.count; i++) {
        struct ledger_record *rec = &s->ledger.at[i];
        if (rec->track->is_request && !rec->document[0])
            bind_record(s, rec, &e);
    }
    for (size_t i = 0; i < s->ledger.count; i++) {
        if (is_to_tell(s, &s->ledger.at[i]))
            task_wake(s, TASK_REQUEST_WRITE, s->now_ns);
    }
    if (state_may_write_now(s) && s->requests.is_known && s->has_document)
        settle_queue(s, &e);
}

int64_t requests_deadline(const struct sync *s)
{
    return s->requests.count ? s->requests.grace_ns : INT64_MAX;
}

/* ---- reading and writing -------------------------------------------------------------------------------------- */

static bool list_compose(struct sync *s, struct call *out)
{
    struct query_text q;
    query_documents(&q, s->database_id, "requests");
    query_equal(&q, "venueId", s->venue_id);
    if (s->requests.phase == 0) {
        query_any_of(&q, "status", "queued", "playing");
        query_order(&q, "orderAsc", "timestamp");
    } else {
        query_order(&q, "orderDesc", "$updatedAt");
    }
    query_limit(&q, LIST_LIMIT);
    out->method = "GET";
    out->path = query_take(&q);
    return true;
}

static void list_done(struct sync *s, const struct answer *a)
{
    struct requests *t = &s->requests;
    if (a->outcome == OUTCOME_ABSENT && task_goes_without(s, TASK_REQUESTS, a)) {
        t->is_known = true;
        state_withhold(s);
        return;
    }
    if (a->outcome != OUTCOME_OK || !a->body) {
        task_trouble(s, TASK_REQUESTS, a);
        return;
    }
    size_t n = message_count(a->body, "documents");
    for (size_t i = 0; i < n; i++) {
        const struct message *d = message_object_at(a->body, "documents", i);
        if (d)
            requests_seen(s, d);
    }
    t->is_known |= t->phase == 1;
    t->phase = !t->phase;
    if (t->phase == 1)
        task_set(s, TASK_REQUESTS, s->now_ns);
    requests_settle(s);
    state_withhold(s);
}

const struct task_kind sync_task_requests = { "requests", list_compose, list_done, false };

static bool write_compose(struct sync *s, struct call *out)
{
    struct ledger_record *rec = NULL;
    for (size_t i = 0; i < s->ledger.count && !rec; i++) {
        if (is_to_tell(s, &s->ledger.at[i]))
            rec = &s->ledger.at[i];
    }
    if (!rec || s->saved_revision < s->revision) /* what is told is on disk first */
        return rec ? (task_wake(s, TASK_REQUEST_WRITE, s->now_ns + MS(100)), false) : false;
    const struct request *r = find(&s->requests, rec->document);
    enum request_status status = status_of_fate(rec->fate);
    char stamp[STAMP_SIZE];
    struct message *data = message_create(), *body = message_create();
    message_set_str(data, "status", status_names[status]);
    bool is_over = status != REQUEST_PLAYING && report_updated_at(s, stamp);
    if (is_over)
        message_set_str(data, status == REQUEST_COMPLETED ? "completedAt" : "cancelledAt", stamp);
    if (status == REQUEST_CANCELLED)
        message_set_str(data, "cancelReason", rec->reason);
    message_set_object(body, "data", data);
    out->method = "PATCH";
    out->path = document_path(s->database_id, "requests", rec->document);
    out->guard = xstrdup(r->updated_at);
    out->body = message_text(body, false);
    message_destroy(body);
    memcpy(s->requests.writing, rec->document, sizeof(s->requests.writing));
    s->requests.wrote = status;
    return true;
}

static void write_done(struct sync *s, const struct answer *a)
{
    struct ledger_record *rec = ledger_of_document(&s->ledger, s->requests.writing);
    switch (a->outcome) {
    case OUTCOME_OK:
        if (a->body)
            requests_seen(s, a->body);
        break;
    case OUTCOME_CONFLICT:
        task_set(s, TASK_REQUESTS, s->now_ns);
        task_set(s, TASK_REQUEST_WRITE, s->now_ns + MS(200) + sync_jitter(s, MS(300)));
        return;
    case OUTCOME_MISSING:
    case OUTCOME_ABSENT:
    case OUTCOME_REFUSED:
        if (rec) {
            rec->is_told = true;
            state_dirty(s);
        }
        break;
    default: task_trouble(s, TASK_REQUEST_WRITE, a); return;
    }
    requests_settle(s);
}

const struct task_kind sync_task_request_write = { "request write", write_compose, write_done,
                                                   true };
