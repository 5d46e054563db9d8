/* The documents of `requests`: queued -> playing -> completed or cancelled, by $id. Every queued one is in the queue
 * or is put back there; none is played twice. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "sync/sync_internal.h"
#include "wire/track_json.h"

#define NEAR_MS  60000 /* between a document's timestamp and the track's requestedAt */
#define SAME_MS  2000
#define GRACE_NS SECONDS(10)  /* a kiosk writes the queue and the document one after the other */
#define TAKEN_NS SECONDS(120) /* by then a device that lost the role knows it */

/* Each change of a long queue takes its time: many are made in several steps. */
#define STEP_MAX 8
#define STEP_NS  MS(200)

bool request_is_open(const struct request *r)
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
    r->id_hash = text_hash(r->id, strlen(r->id));
    r->video_hash = text_hash(r->track->video_id, strlen(r->track->video_id));
}

struct request *requests_find(struct requests *t, const char *id)
{
    for (size_t i = 0; i < t->count; i++) {
        if (strcmp(t->at[i].id, id) == 0)
            return &t->at[i];
    }
    return NULL;
}

static void take_out(struct requests *t, size_t i)
{
    track_destroy(t->at[i].track);
    memmove(t->at + i, t->at + i + 1, (t->count - i - 1) * sizeof(t->at[0]));
    t->count--;
}

/* Takes the track of `r`. NULL: there is no room, for all that are held are open. */
static struct request *add(struct requests *t, const struct request *r)
{
    size_t over = 0;
    if (t->count == REQUESTS_MAX) {
        while (over < t->count && request_is_open(&t->at[over]))
            over++;
        if (over == t->count) {
            t->has_more |= request_is_open(r);
            track_destroy(r->track);
            return NULL;
        }
        take_out(t, over);
    }
    if (t->count == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 32;
        t->at = xrealloc(t->at, t->cap * sizeof(t->at[0]));
    }
    t->at[t->count] = *r;
    return &t->at[t->count++];
}

static int status_of(const struct message *m)
{
    static const char *const status_names[] = { "queued", "playing", "completed", "cancelled" };
    const char *name = message_str(m, "status", "queued");
    for (size_t i = 0; i < ARRAY_LEN(status_names); i++) {
        if (strcmp(name, status_names[i]) == 0)
            return (int)i;
    }
    return -1;
}

/* A row for a document that is new here; NULL: its song is no JSON, or there is no room. */
static struct request *make(struct sync *s, const struct message *m, const char *id,
                            enum request_status status)
{
    struct request r = { .status = status,
                         .playing_ns = s->now_ns,
                         .missing_ns = NO_TIME,
                         .stamp_ms = INT64_MIN,
                         .sweep = s->requests.sweep };
    memcpy(r.id, id, strlen(id) + 1);
    read_song(&r, m);
    if (r.track && *r.track->video_id)
        return add(&s->requests, &r);
    track_destroy(r.track);
    return NULL;
}

struct request *requests_seen(struct sync *s, const struct message *m)
{
    const char *id = message_str(m, "$id", ""), *stamp = message_str(m, "$updatedAt", "");
    int64_t stamp_ms;
    int status = status_of(m);
    if (!*id || strlen(id) >= REQUEST_ID_SIZE || status < 0 || !stamp_parse(stamp, &stamp_ms) ||
        strlen(stamp) >= STAMP_SIZE)
        return NULL;
    struct request *r = requests_find(&s->requests, id);
    if (!r)
        r = make(s, m, id, (enum request_status)status);
    if (!r || stamp_ms <= r->stamp_ms)
        return r;
    memcpy(r->updated_at, stamp, strlen(stamp) + 1);
    r->stamp_ms = stamp_ms;
    if (r->status != REQUEST_PLAYING)
        r->playing_ns = s->now_ns;
    r->status = (enum request_status)status;
    return r;
}

void requests_forget_unseen(struct sync *s)
{
    struct requests *t = &s->requests;
    for (size_t i = t->count; i-- > 0;) {
        if (request_is_open(&t->at[i]) && t->at[i].sweep != t->sweep)
            take_out(t, i);
    }
    for (size_t i = 0; i < s->ledger.count; i++) { /* of these nobody waits to hear */
        struct ledger_record *rec = &s->ledger.at[i];
        if (rec->document[0] && rec->fate != FATE_PLAYING && !requests_find(t, rec->document))
            rec->is_told = true;
    }
}

void requests_finish(struct sync *s)
{
    for (size_t i = 0; i < s->requests.count; i++)
        track_destroy(s->requests.at[i].track);
    free(s->requests.at);
    s->requests = (struct requests){ 0 };
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

/* The requests in the queue; the caller frees `at`. */
struct entries {
    struct entry {
        const struct track *track;
        uint64_t id_hash, video_hash;
        bool is_matched;
    } * at;
    size_t count;
};

static struct entry entry_of(const struct track *t)
{
    return (struct entry){ .track = t,
                           .id_hash = text_hash(t->id, strlen(t->id)),
                           .video_hash = text_hash(t->video_id, strlen(t->video_id)) };
}

static void gather(const struct sync *s, struct entries *e)
{
    const struct track_list *list = &s->full_view.list[QUEUE_REQUESTS];
    struct entry_place place;
    const struct track *now = s->full_view.now;
    *e = (struct entries){ .at = xcalloc(list->count + 1, sizeof(e->at[0])) };
    if (now && now->is_request && !queue_playing(&s->full_view, &place))
        e->at[e->count++] = entry_of(now);
    for (size_t i = 0; i < list->count; i++)
        e->at[e->count++] = entry_of(list->at[i]);
}

/* As fit(); most are told apart by a number. */
static int fit_entry(const struct request *r, const struct entry *x)
{
    return r->id_hash == x->id_hash || r->video_hash == x->video_hash ? fit(r, x->track) : 0;
}

static int best_entry(const struct entries *e, const struct request *r, size_t *out)
{
    int best = 0;
    for (size_t i = 0; i < e->count; i++) {
        int n = e->at[i].is_matched ? 0 : fit_entry(r, &e->at[i]);
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
    struct entry own = entry_of(rec->track);
    for (size_t i = 0; i < s->requests.count; i++) {
        struct request *r = &s->requests.at[i];
        size_t place;
        int n = fit_entry(r, &own);
        if (n <= best_fit || !request_is_open(r) || ledger_of_document(&s->ledger, r->id))
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

bool requests_is_to_tell(struct sync *s, struct ledger_record *rec)
{
    const struct request *r =
        rec->document[0] && !rec->is_told ? requests_find(&s->requests, rec->document) : NULL;
    if (!r)
        return false;
    enum request_status wanted = request_status_of(rec->fate);
    if (rec->fate == FATE_PLAYING && !state_may_write_now(s))
        return false;
    if (r->status == wanted || !request_is_open(r)) {
        rec->is_told = rec->fate != FATE_PLAYING;
        return false;
    }
    return true;
}

/* ---- settling ----------------------------------------------------------------------------------------------- */

static int put_back(struct sync *s, const struct request *r)
{
    struct queue_op op = {
        .kind = OP_ADD, .track = r->track, .list = QUEUE_REQUESTS, .seed = sync_random(s)
    };
    return state_apply(s, &op);
}

/* In no queue, and for so long that nobody is about to put it there. */
static bool is_missing(struct sync *s, struct request *r)
{
    if (r->is_matched)
        return false;
    if (r->missing_ns == NO_TIME)
        r->missing_ns = s->now_ns;
    if (s->now_ns - r->missing_ns >= GRACE_NS)
        return true;
    s->requests.grace_ns = min_i64(s->requests.grace_ns, r->missing_ns + GRACE_NS);
    return false;
}

/* It was played by a device that could not say so any more. */
static void note_completed(struct sync *s, struct request *r)
{
    struct ledger_record *rec = ledger_note(&s->ledger, r->track, FATE_COMPLETED, NULL);
    memcpy(rec->document, r->id, sizeof(rec->document));
    rec->is_told = false;
    r->is_matched = true;
    state_dirty(s);
    task_wake(s, TASK_REQUEST_WRITE, s->now_ns);
}

/* The oldest first; for whom there is no room waits until songs have ended, and all behind it. */
static void settle_missing(struct sync *s)
{
    struct requests *t = &s->requests;
    t->lacks_room = false;
    for (size_t i = 0, done = 0; i < t->count && !t->lacks_room; i++) {
        struct request *r = &t->at[i];
        if (!is_missing(s, r))
            continue;
        if (done++ == STEP_MAX) {
            t->grace_ns = min_i64(t->grace_ns, s->now_ns + STEP_NS);
            break;
        }
        if (r->status != REQUEST_QUEUED)
            note_completed(s, r);
        else if (put_back(s, r) == -EMSGSIZE)
            t->lacks_room = true;
        if (!t->lacks_room)
            r->missing_ns = NO_TIME;
    }
}

static void match_those(struct sync *s, struct entries *e, int least_fit)
{
    for (size_t i = 0; i < s->requests.count; i++) {
        struct request *r = &s->requests.at[i];
        size_t place;
        if (!r->is_over && !r->is_matched && best_entry(e, r, &place) >= least_fit)
            r->is_matched = e->at[place].is_matched = true;
    }
}

/* Each document finds its entry: those that are named first, then the oldest documents. */
static void match(struct sync *s, struct entries *e)
{
    for (size_t i = 0; i < s->requests.count; i++) {
        struct request *r = &s->requests.at[i];
        const struct ledger_record *rec = ledger_of_document(&s->ledger, r->id);
        r->is_over = !request_is_open(r) || (rec && rec->fate != FATE_PLAYING);
        r->is_matched = false;
        if (r->is_over || rec)
            r->missing_ns = NO_TIME;
    }
    match_those(s, e, FIT_CERTAIN);
    match_those(s, e, 1);
    for (size_t i = 0; i < s->requests.count; i++) {
        struct request *r = &s->requests.at[i];
        bool is_here = r->is_over || r->is_matched;
        if (is_here)
            r->missing_ns = NO_TIME;
        r->is_matched = is_here || ledger_of_document(&s->ledger, r->id);
    }
}

/* An entry that is the very same as one of a document that has its entry, or is over: somebody's old copy. */
static const struct track *find_surplus(const struct sync *s, const struct entries *e)
{
    for (size_t i = 0; i < e->count; i++) {
        const struct entry *x = &e->at[i];
        bool plays = s->full_view.now && track_is_same_entry(s->full_view.now, x->track);
        for (size_t k = 0; k < s->requests.count && !x->is_matched && !plays; k++) {
            if (fit_entry(&s->requests.at[k], x) >= FIT_SURE)
                return x->track;
        }
    }
    return NULL;
}

static bool remove_surplus(struct sync *s, const struct track *t)
{
    struct track *named = track_copy(t);
    struct queue_op op = { .kind = OP_REMOVE, .entry = entry_ref_of(named) };
    s->surplus = named;
    bool is_gone = state_apply(s, &op) == 0;
    s->surplus = NULL;
    track_destroy(named);
    return is_gone;
}

static bool is_over(struct sync *s, const struct track *t)
{
    bool is_over = ledger_is_over(&s->ledger, t);
    for (size_t i = 0; i < s->requests.count; i++)
        is_over |=
            !request_is_open(&s->requests.at[i]) && fit(&s->requests.at[i], t) >= FIT_CERTAIN;
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

/* What has ended finds its documents, and they are told. */
static void settle_ledger(struct sync *s, const struct entries *e)
{
    for (size_t i = 0; i < s->ledger.count; i++) {
        struct ledger_record *rec = &s->ledger.at[i];
        if (rec->track->is_request && !rec->document[0])
            bind_record(s, rec, e);
    }
    for (size_t i = 0; i < s->ledger.count; i++) {
        if (requests_is_to_tell(s, &s->ledger.at[i]))
            task_wake(s, TASK_REQUEST_WRITE, s->now_ns);
    }
}

/* true: the queue has changed, so that all is to be looked at again. */
static bool settle_once(struct sync *s)
{
    struct entries e;
    bool is_changed = false;
    s->requests.grace_ns = INT64_MAX;
    gather(s, &e);
    settle_ledger(s, &e);
    if (state_may_write_now(s) && s->requests.is_known && s->has_document) {
        match(s, &e);
        const struct track *surplus = find_surplus(s, &e);
        if (surplus)
            is_changed = remove_surplus(s, surplus);
        else
            settle_missing(s);
    }
    free(e.at);
    return is_changed;
}

static void say_if_full(struct sync *s)
{
    struct requests *t = &s->requests;
    bool is_full = t->has_more || t->lacks_room;
    if (is_full != t->is_said)
        problem_set(s, TASK_REQUESTS,
                    is_full ? "More songs are asked for than the venue's queue can hold: the "
                              "others follow as songs end."
                            : NULL);
    t->is_said = is_full;
}

void requests_settle(struct sync *s)
{
    struct requests *t = &s->requests;
    int steps = 0;
    if (t->is_settling) /* what it changes leads here again */
        return;
    t->is_settling = true;
    while (t->count && settle_once(s) && ++steps < STEP_MAX)
        continue;
    if (steps == STEP_MAX)
        t->grace_ns = min_i64(t->grace_ns, s->now_ns + STEP_NS);
    say_if_full(s);
    ledger_trim(&s->ledger);
    t->is_settling = false;
}

int64_t requests_deadline(const struct sync *s)
{
    return s->requests.count ? s->requests.grace_ns : INT64_MAX;
}
