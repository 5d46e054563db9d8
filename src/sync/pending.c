#include "sync/pending.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "wire/message.h"
#include "wire/track_json.h"

#define PENDING_LONG 64 /* from here on it is compacted */

static void op_finish(struct pending_op *p)
{
    track_destroy(p->named);
    track_destroy(p->added);
    free(p->reason);
}

void pending_finish(struct pending *p)
{
    for (size_t i = 0; i < p->count; i++)
        op_finish(&p->at[i]);
    free(p->at);
    *p = (struct pending){ 0 };
}

/* A ref as a track, so that it has an owner. */
static struct track *named_of(const struct queue_op *op)
{
    struct track *t = track_create();
    track_set(&t->id, op->entry.id);
    track_set(&t->video_id, op->entry.video_id);
    track_set(&t->requested_at, op->entry.requested_at);
    return t;
}

struct pending_op *pending_append(struct pending *p, const struct queue_op *op,
                                  const struct track *named, const char *turn, uint64_t serial)
{
    if (p->count == p->cap) {
        p->cap = p->cap ? 2 * p->cap : 8;
        p->at = xrealloc(p->at, p->cap * sizeof(*p->at));
    }
    struct pending_op *own = &p->at[p->count++];
    *own = (struct pending_op){ .serial = serial, .op = *op };
    own->named = named ? track_copy(named) : named_of(op);
    own->op.entry = entry_ref_of(own->named);
    own->added = op->track ? track_copy(op->track) : NULL;
    own->op.track = own->added;
    own->reason = xstrdup(op->reason);
    own->op.reason = own->reason;
    snprintf(own->turn, sizeof(own->turn), "%s", turn ? turn : "");
    return own;
}

static void take_out(struct pending *p, size_t i)
{
    op_finish(&p->at[i]);
    memmove(p->at + i, p->at + i + 1, (p->count - i - 1) * sizeof(*p->at));
    p->count--;
}

void pending_drop_until(struct pending *p, uint64_t serial)
{
    size_t done = 0;
    while (done < p->count && p->at[done].serial <= serial)
        op_finish(&p->at[done++]);
    if (!done)
        return;
    memmove(p->at, p->at + done, (p->count - done) * sizeof(*p->at));
    p->count -= done;
}

bool pending_is_transport(enum queue_op_kind kind)
{
    return kind == OP_START || kind == OP_END || kind == OP_SKIP || kind == OP_MARK_UNPLAYABLE;
}

bool pending_may_take_out(enum queue_op_kind kind)
{
    return kind == OP_START || kind == OP_END || kind == OP_SKIP || kind == OP_REMOVE ||
           kind == OP_PLAY_NOW || kind == OP_CLEAR;
}

void pending_drop_transport(struct pending *p, bool only_unsure)
{
    for (size_t i = p->count; i-- > 0;) {
        if (pending_is_transport(p->at[i].op.kind) && (p->at[i].is_unsure || !only_unsure))
            take_out(p, i);
    }
}

void pending_drop_kind(struct pending *p, enum queue_op_kind kind, uint64_t until)
{
    for (size_t i = p->count; i-- > 0;) {
        if (p->at[i].op.kind == kind && p->at[i].serial <= until)
            take_out(p, i);
    }
}

static bool is_same_named(const struct pending_op *a, const struct pending_op *b)
{
    return strcmp(a->named->id, b->named->id) == 0 &&
           strcmp(a->named->video_id, b->named->video_id) == 0 &&
           strcmp(a->named->requested_at, b->named->requested_at) == 0;
}

/* START and END of one turn, both here: a request has left, a main track is at the tail. */
static bool fold_turn(struct pending *p, size_t start)
{
    for (size_t end = start + 1; end < p->count; end++) {
        struct pending_op *e = &p->at[end];
        if ((e->op.kind != OP_END && e->op.kind != OP_SKIP) ||
            strcmp(e->turn, p->at[start].turn) != 0)
            continue;
        e->op.kind = p->at[start].named->is_request ? OP_REMOVE : OP_MOVE;
        e->op.index = SIZE_MAX;
        e->turn[0] = '\0';
        for (size_t i = end; i-- > 0;) { /* an earlier turn of the same entry */
            bool is_move = p->at[i].op.kind == OP_MOVE && p->at[i].op.index == SIZE_MAX;
            if (i == start || (is_move && is_same_named(&p->at[i], &p->at[end]))) {
                take_out(p, i);
                end--;
            }
        }
        return true;
    }
    return false;
}

bool pending_compact(struct pending *p, uint64_t keep_until)
{
    size_t before = p->count;
    if (p->count <= PENDING_LONG)
        return false;
    for (size_t i = 0; i < p->count; i++) {
        const struct pending_op *op = &p->at[i];
        if (op->serial > keep_until && op->op.kind == OP_START && *op->turn && fold_turn(p, i))
            i = (size_t)-1; /* the list has changed: from its head again */
    }
    return p->count != before;
}

/* What plays has left its list meanwhile, or the whole list was replaced: it goes on, detached. */
static int start_gone(const struct pending_op *p, struct queue *q)
{
    if (q->now) {
        struct queue_op end = { .kind = OP_END, .entry = entry_ref_of(q->now) };
        queue_apply(q, &end);
    }
    q->now = track_copy(p->named);
    q->now->status = TRACK_PLAYING;
    return 0;
}

static int apply_start(const struct pending_op *p, struct queue *q, struct now_fields *f)
{
    if (q->now && track_is_remade(q->now) && !track_is_remade(p->named)) {
        track_destroy(
            q->now); /* a web player's copy: of which entry is a guess, and starting ends none */
        q->now = NULL;
    }
    int ret = queue_apply(q, &p->op);
    if (ret == -ENOENT && *p->named->video_id)
        ret = start_gone(p, q);
    if (ret >= 0 && strcmp(f->turn, p->turn) != 0) {
        snprintf(f->turn, sizeof(f->turn), "%s", p->turn);
        f->remaining_s = -1;
        f->start_ms = 0;
        ret = 0;
    }
    return ret;
}

int pending_apply(const struct pending_op *p, struct queue *q, struct now_fields *f)
{
    if (p->op.kind == OP_START)
        return apply_start(p, q, f);
    bool is_end = p->op.kind == OP_END || p->op.kind == OP_SKIP;
    if (is_end && *p->turn && *f->turn && strcmp(p->turn, f->turn) != 0)
        return 1; /* another playing of the same entry */
    int ret = queue_apply(q, &p->op);
    if (!q->now) {
        f->turn[0] = '\0';
        f->remaining_s = -1;
        f->start_ms = 0;
    }
    return ret;
}

/* ---- journal ------------------------------------------------------------------------------------------------ */

static const char *const kind_names[OP_KINDS] = {
    [OP_ADD] = "add",
    [OP_START] = "start",
    [OP_END] = "end",
    [OP_SKIP] = "skip",
    [OP_REMOVE] = "remove",
    [OP_MOVE] = "move",
    [OP_PROMOTE] = "promote",
    [OP_PLAY_NOW] = "play_now",
    [OP_SHUFFLE] = "shuffle",
    [OP_CLEAR] = "clear",
    [OP_MARK_UNPLAYABLE] = "mark_unplayable",
    [OP_NAME] = "name",
};

static struct message *op_to_message(const struct pending_op *p)
{
    struct message *m = message_create();
    char seed[24];
    snprintf(seed, sizeof(seed), "%" PRIx64, p->op.seed);
    message_set_i64(m, "serial", (int64_t)p->serial);
    message_set_str(m, "kind", kind_names[p->op.kind]);
    message_set_object(m, "entry", track_to_message(p->named, 0));
    if (p->added)
        message_set_object(m, "track", track_to_message(p->added, 0));
    message_set_bool(m, "atFront", p->op.at_front);
    message_set_bool(m, "allLists", p->op.all_lists);
    message_set_bool(m, "isRequests", p->op.list == QUEUE_REQUESTS);
    message_set_i64(m, "index", p->op.index > INT32_MAX ? -1 : (int64_t)p->op.index);
    message_set_str(m, "seed", seed);
    if (p->reason)
        message_set_str(m, "reason", p->reason);
    message_set_str(m, "turn", p->turn);
    message_set_bool(m, "isUnsure", p->is_unsure);
    return m;
}

struct message *pending_to_message(const struct pending *p, const char *field)
{
    struct message *m = message_create();
    message_set_array(m, field);
    for (size_t i = 0; i < p->count; i++)
        message_append_object(m, field, op_to_message(&p->at[i]));
    return m;
}

static enum queue_op_kind kind_of(const char *name)
{
    int kind = 0;
    while (kind < OP_KINDS && strcmp(kind_names[kind], name) != 0)
        kind++;
    return (enum queue_op_kind)kind;
}

static void op_from_message(struct pending *p, const struct message *m, uint64_t revision)
{
    struct queue_op op = {
        .kind = kind_of(message_str(m, "kind", "")),
        .at_front = message_bool(m, "atFront", false),
        .all_lists = message_bool(m, "allLists", false),
        .list = message_bool(m, "isRequests", false) ? QUEUE_REQUESTS : QUEUE_MAIN,
        .seed = strtoull(message_str(m, "seed", "0"), NULL, 16),
        .reason = message_str(m, "reason", NULL),
    };
    int64_t index = message_i64(m, "index", 0), serial = message_i64(m, "serial", 0);
    op.index = index < 0 ? SIZE_MAX : (size_t)index;
    struct track *named = track_from_message(message_object(m, "entry"));
    struct track *added = track_from_message(message_object(m, "track"));
    op.track = added;
    bool has_track = added || (op.kind != OP_ADD && op.kind != OP_NAME);
    if (op.kind != OP_KINDS && named && serial > 0 && has_track) {
        struct pending_op *own =
            pending_append(p, &op, named, message_str(m, "turn", ""), (uint64_t)serial);
        own->revision = revision;
        own->is_unsure = message_bool(m, "isUnsure", false);
    }
    track_destroy(named);
    track_destroy(added);
}

void pending_from_message(struct pending *p, const struct message *m, const char *field,
                          uint64_t revision)
{
    size_t n = message_count(m, field);
    for (size_t i = 0; i < n; i++) {
        const struct message *op = message_object_at(m, field, i);
        if (op)
            op_from_message(p, op, revision);
    }
}
