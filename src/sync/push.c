/* Own operations to the server: one guarded PATCH of nowPlaying, both queues and updatedAt. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "sync/query_text.h"
#include "sync/sync_internal.h"

#define PRESENCE 1            /* no operation has that serial */
#define HELD_NS  SECONDS(300) /* after a refusal that a person must end */
#define FULL_NS  SECONDS(30)

static bool has_transport(const struct sync *s)
{
    for (size_t i = 0; i < s->pending.count; i++) {
        if (pending_is_transport(s->pending.at[i].op.kind))
            return true;
    }
    return false;
}

static bool wants_now(const struct sync *s)
{
    return s->report.now_is_dirty && state_may_write_now(s) && s->full_view.now;
}

static bool wants_repair(const struct sync *s)
{
    return s->base.is_broken && state_may_write_now(s);
}

/* A device that does not sound leaves a mark, so that the one that does knows it is not alone. */
static bool wants_presence(const struct sync *s)
{
    return s->role.is == SYNC_OTHER && *s->base.now.turn &&
           !now_fields_marked(&s->base.now, s->writer);
}

/* The one who played goes in good order and says so, where those who wait for the role hear it: the documents of
 * `players` are by the venue's rules for API keys only, so no session has events of them. With nothing that plays, the
 * write itself is the sign, for it changes nothing. */
static bool wants_farewell(const struct sync *s)
{
    return s->is_finishing && s->role.is_releasing && !s->role.has_said_farewell;
}

static bool wants_more(const struct sync *s)
{
    return wants_now(s) || wants_repair(s) || wants_presence(s) || wants_farewell(s);
}

void push_consider(struct sync *s)
{
    if (s->has_document && (s->pending.count || wants_more(s)))
        task_wake(s, TASK_PUSH, s->now_ns);
}

/* The last operation, when the journal holds all of them; else 0: a reader is not to see half a step, nor this box after
 * a power cut: an end without the start that follows it would look like somebody's skip. */
static uint64_t last_saved(const struct sync *s)
{
    const struct pending *p = &s->pending;
    bool is_saved = p->count && p->at[p->count - 1].revision <= s->saved_revision;
    return is_saved ? p->at[p->count - 1].serial : 0;
}

/* Who does not play ends nothing: with the entry taken out, nowPlaying as null would look like a skip, which brings a
 * song of the loop back to its tail. What plays is finished by the one that plays it, and not rotated. */
static void leave_playing(const struct sync *s, struct queue *q, struct now_fields *f)
{
    if (s->role.is != SYNC_OTHER || q->now || !s->base.queue.now)
        return;
    q->now = track_copy(s->base.queue.now);
    *f = s->base.now;
}

/* false: the server's document says all of it already. */
static bool make_queue(struct sync *s, uint64_t until, struct queue *q, struct now_fields *f)
{
    queue_copy(q, &s->base.queue);
    *f = s->base.now;
    for (size_t i = 0; i < s->pending.count && s->pending.at[i].serial <= until; i++)
        pending_apply(&s->pending.at[i], q, f);
    leave_playing(s, q, f);
    bool is_same = queue_same(q, &s->base.queue) && queue_same_names(q, &s->base.queue) &&
                   strcmp(f->turn, s->base.now.turn) == 0;
    return !is_same || wants_more(s);
}

/* What a server would refuse is not sent: the operations wait, and the queue goes on here, until it is shorter. */
static void lacks_room(struct sync *s)
{
    problem_set(s, TASK_PUSH,
                "The venue's queue is too long for what has changed here: this box goes on with "
                "it, and tells the server when it is shorter.");
    task_hold(s, TASK_PUSH, FULL_NS);
}

/* Until it is known who plays, nobody's song is ended. */
static bool ends_too_soon(const struct sync *s, const struct queue *q)
{
    return s->base.queue.now && !q->now && !state_may_write_now(s);
}

static bool compose(struct sync *s, struct call *out)
{
    if (!s->has_document)
        return false;
    if (s->push_is_unknown) {
        task_wake(s, TASK_FETCH, s->now_ns);
        return false;
    }
    if (has_transport(s) && !state_may_write_now(s))
        return false; /* the role's answer wakes this */
    uint64_t until = last_saved(s);
    bool is_farewell = wants_farewell(s);
    if (!until && !is_farewell && (s->pending.count || !wants_more(s)))
        return false; /* once it is saved this is woken */
    struct queue q;
    struct now_fields f;
    if (!make_queue(s, until, &q, &f)) {
        pending_drop_until(&s->pending, until);
        state_dirty(s);
        queue_finish(&q);
        return false;
    }
    if (ends_too_soon(s, &q)) { /* likewise */
        queue_finish(&q);
        return false;
    }
    if (state_may_write_now(s)) {
        report_fill_now(s, &f);
        f.has_left = s->is_finishing;
    }
    if (until || wants_presence(s))
        now_fields_mark(&f, s->writer, until ? until : PRESENCE);
    char stamp[STAMP_SIZE];
    struct message *data = queue_document_data(&q, &f, report_updated_at(s, stamp) ? stamp : NULL);
    if (!queue_document_fits(data)) {
        lacks_room(s);
        message_destroy(data);
        queue_finish(&q);
        return false;
    }
    struct message *body = message_create();
    message_set_object(body, "data", data);
    out->method = "PATCH";
    out->path = document_path(s->database_id, "queues", s->base.id);
    out->guard = xstrdup(s->base.updated_at);
    out->body = message_text(body, false);
    message_destroy(body);
    queue_finish(&s->push_queue);
    s->push_queue = q;
    s->push_serial = until;
    s->report.now_is_dirty = false;
    s->role.has_said_farewell |= is_farewell;
    return true;
}

/* What is played is not taken back: it would be played again, and refused again. */
static void refused(struct sync *s)
{
    size_t before = s->pending.count;
    pending_drop_kind(&s->pending, OP_ADD, s->push_serial);
    for (int kind = 0; kind < OP_KINDS && s->pending.count == before; kind++) {
        if (!pending_is_transport((enum queue_op_kind)kind))
            pending_drop_kind(&s->pending, (enum queue_op_kind)kind, s->push_serial);
    }
    /* Nothing of ours is to blame: it would be the same again. */
    bool is_same = s->pending.count == before;
    problem_set(s, TASK_PUSH,
                is_same ? "The server refuses the queue as it is."
                        : "The server refuses a change of the queue; it was taken back.");
    state_dirty(s);
    state_changed(s);
    task_hold(s, TASK_PUSH, is_same ? HELD_NS : SECONDS(5));
}

static void done(struct sync *s, const struct answer *a)
{
    switch (a->outcome) {
    case OUTCOME_OK:
        s->push_conflicts = 0;
        problem_set(s, TASK_PUSH, NULL);
        if (document_is_it(s, a->body)) {
            document_wrote(s, a->body);
            break;
        }
        s->push_is_unknown = true;
        task_hold(s, TASK_PUSH, SECONDS(5));
        return;
    case OUTCOME_CONFLICT:
        s->conflicts++;
        s->role.has_said_farewell = false;
        s->push_conflicts += s->push_conflicts < 5;
        s->push_is_unknown = true;
        task_wake(s, TASK_FETCH, s->now_ns);
        task_set(s, TASK_PUSH, s->now_ns + (MS(20) + sync_jitter(s, MS(180))) * s->push_conflicts);
        break;
    case OUTCOME_REFUSED: refused(s); break;
    case OUTCOME_MISSING: document_gone(s); break;
    case OUTCOME_SIGNED_OUT:
    case OUTCOME_FORBIDDEN:
        task_wake(s, TASK_ACCOUNT, s->now_ns);
        problem_set(s, TASK_PUSH, "The server does not let this box change the queue.");
        task_hold(s, TASK_PUSH, HELD_NS);
        return;
    default:
        s->push_is_unknown = true; /* it may have been done */
        task_trouble(s, TASK_PUSH, a);
        return;
    }
    push_consider(s);
}

const struct task_kind sync_task_push = { "push", compose, done, true };
