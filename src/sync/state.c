/* base + pending = view, and what plays here. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sync/sync_internal.h"

#define COPY_NS        SECONDS(2)   /* what the server has, too, is not written to disk each time */
#define LEASE_TRUST_NS SECONDS(100) /* of the 120 s after which another device may take the role */

bool state_is_master(const struct sync *s)
{
    return s->role.is == SYNC_MASTER;
}

bool state_sounds(const struct sync *s)
{
    return state_is_master(s) || (s->role.is == SYNC_UNDECIDED && !s->role.was_other);
}

bool state_may_write_now(const struct sync *s)
{
    return state_is_master(s) && s->role.confirmed_ns != NO_TIME &&
           s->now_ns - s->role.confirmed_ns < LEASE_TRUST_NS;
}

void state_dirty(struct sync *s)
{
    s->revision++;
    s->dirty_ns = NO_TIME;
}

void state_dirty_soon(struct sync *s)
{
    if (s->dirty_ns == NO_TIME)
        s->dirty_ns = s->now_ns + COPY_NS;
}

/* In a venue of several devices a request waits until it is known that no other one plays it. */
static bool withholds_requests(const struct sync *s)
{
    bool may_be_others = s->role.saw_others || !s->role.was_confirmed;
    bool is_sure = state_may_write_now(s) && s->requests.is_known;
    return s->role.is != SYNC_OTHER && may_be_others && !is_sure;
}

bool turn_is_of_other(const struct sync *s, const char *turn)
{
    size_t len = strlen(s->writer);
    return *turn && (strncmp(turn, s->writer, len) != 0 || turn[len] != '-');
}

/* Whether the jukebox may not see it yet. */
static bool is_withheld(struct sync *s, const struct track *t)
{
    if (withholds_requests(s))
        return true;
    if (s->role.is != SYNC_MASTER || !s->role.saw_others)
        return false;
    int64_t until = requests_taken_until(s, t);
    if (until != NO_TIME)
        s->withheld_until_ns =
            s->withheld_until_ns == NO_TIME ? until : min_i64(s->withheld_until_ns, until);
    return until != NO_TIME;
}

static void fill_view(struct sync *s)
{
    queue_finish(&s->view);
    queue_copy(&s->view, &s->full_view);
    s->view_revision++;
    s->withheld_until_ns = NO_TIME;
    s->withholds = withholds_requests(s);
    s->shows_all = true;
    struct track_list *list = &s->view.list[QUEUE_REQUESTS];
    struct entry_place playing;
    const struct track *now = s->view.now;
    bool is_own = *s->view_now.turn && !turn_is_of_other(s, s->view_now.turn);
    bool is_theirs = now && !is_own && (now->is_request || track_is_remade(now));
    if (is_theirs && withholds_requests(s) && !state_may_write_now(s)) {
        track_destroy(s->view.now); /* that device may be playing it still */
        s->view.now = NULL;
        s->shows_all = false;
    }
    bool plays = queue_playing(&s->view, &playing) && playing.list == QUEUE_REQUESTS;
    for (size_t i = list->count; i-- > 0;) {
        if (!(plays && playing.index == i) && is_withheld(s, list->at[i])) {
            track_destroy(track_list_take(list, i));
            s->shows_all = false;
            playing.index -= plays && playing.index > i;
        }
    }
}

void state_changed(struct sync *s)
{
    queue_finish(&s->full_view);
    queue_copy(&s->full_view, &s->base.queue);
    s->view_now = s->base.now;
    for (size_t i = 0; i < s->pending.count; i++)
        pending_apply(&s->pending.at[i], &s->full_view, &s->view_now);
    fill_view(s);
}

static void set_playing(struct sync *s)
{
    const struct track *now =
        s->view.now ? s->full_view.now : NULL; /* what is withheld does not play here */
    struct entry_place place;
    bool is_remade = now && track_is_remade(now);
    if (is_remade && s->playing && strcmp(now->video_id, s->playing->video_id) == 0)
        return; /* a web player's copy of it: the entry itself may be in no list any more */
    if (is_remade && queue_playing(&s->full_view, &place))
        now = queue_at(&s->full_view, place); /* the entry itself, not a web player's copy */
    track_destroy(s->playing);
    s->playing = now ? track_copy(now) : NULL;
    snprintf(s->playing_turn, sizeof(s->playing_turn), "%s", s->view_now.turn);
}

/* From *hint on: what follows one another there does so here, too. */
static bool is_in_list(const struct track_list *list, const struct track *t, size_t *hint)
{
    for (size_t n = 0; n < list->count; n++) {
        size_t i = (*hint + n) % list->count;
        if (track_is_same_entry(list->at[i], t)) {
            *hint = i + 1;
            return true;
        }
    }
    return false;
}

static void note_left(struct sync *s, const struct track *t, const struct queue_op *op)
{
    enum queue_op_kind kind = op->kind;
    bool is_surplus = s->surplus && track_is_same_entry(t, s->surplus);
    if (track_is_remade(t) || is_surplus) /* the other copy is not over */
        return;
    bool is_skip = kind == OP_SKIP || kind == OP_PLAY_NOW;
    if (!t->is_request)
        ledger_note(&s->ledger, t, FATE_REMOVED, NULL);
    else if (kind == OP_END || kind == OP_START)
        ledger_note(&s->ledger, t, FATE_COMPLETED, NULL);
    else
        ledger_note(&s->ledger, t, FATE_CANCELLED,
                    is_skip                     ? "Skipped by admin"
                    : op->reason && *op->reason ? op->reason
                                                : "Removed by staff");
}

static bool is_in(const struct queue *q, const struct track *t, size_t hint[QUEUE_LISTS])
{
    for (int l = 0; l < QUEUE_LISTS; l++) {
        if (is_in_list(&q->list[l], t, &hint[l]))
            return true;
    }
    return q->now && track_is_same_entry(q->now, t);
}

/* What the operation took out of the queue is remembered as over. Of what nothing tells apart from others of its song
 * nobody could say that it is. */
static void note_vanished(struct sync *s, const struct queue *before, const struct queue_op *op)
{
    size_t hint[QUEUE_LISTS] = { 0 };
    for (int l = 0; l < QUEUE_LISTS; l++) {
        for (size_t i = 0; i < before->list[l].count; i++) {
            const struct track *t = before->list[l].at[i];
            if (track_is_same_entry(t, t) && !is_in(&s->full_view, t, hint))
                note_left(s, t, op);
        }
    }
    const struct track *now = before->now;
    if (now && now->is_request && !is_in(&s->full_view, now, hint))
        note_left(s, now, op);
}

static const struct track *entry_meant(const struct sync *s, const struct queue_op *op)
{
    struct entry_place place;
    if (op->kind == OP_ADD || op->kind == OP_SHUFFLE || op->kind == OP_CLEAR || op->kind == OP_NAME)
        return NULL;
    return queue_find(&s->full_view, op->entry, &place) ? queue_at(&s->full_view, place) : NULL;
}

/* The name of the turn that an operation begins or ends. */
static void turn_of(const struct sync *s, const struct queue_op *op, char out[TURN_SIZE])
{
    out[0] = '\0';
    if (op->kind == OP_START)
        snprintf(out, TURN_SIZE, "%s-%" PRIu64, s->writer, s->next_serial);
    else if (op->kind == OP_END || op->kind == OP_SKIP)
        snprintf(out, TURN_SIZE, "%s", s->view_now.turn);
}

/* The operation is the last of those pending: what is shown follows, without going through all of them again. One that
 * takes nothing out was applied to full_view already. */
static void show(struct sync *s, const struct pending_op *own)
{
    const struct queue_op *op = &own->op;
    bool takes_out = pending_may_take_out(op->kind);
    bool may_be_withheld = op->kind == OP_ADD && (op->track->is_request || op->track->is_paid);
    if (takes_out)
        pending_apply(own, &s->full_view, &s->view_now);
    if (takes_out || may_be_withheld || !s->shows_all) {
        fill_view(s);
        return;
    }
    queue_apply(&s->view, op);
    s->view_revision++;
}

static void append(struct sync *s, const struct queue_op *op, const struct track *named,
                   const char *turn)
{
    struct queue before = { 0 };
    if (pending_may_take_out(op->kind))
        queue_copy(&before, &s->full_view);
    bool is_theirs = withholds_requests(s) && turn_is_of_other(s, s->view_now.turn);
    state_dirty(s);
    if (op->kind == OP_ADD)
        ledger_forget(&s->ledger, op->track);
    struct pending_op *own = pending_append(&s->pending, op, named, turn, s->next_serial++);
    own->revision = s->revision;
    own->is_unsure = s->role.saw_others && !state_may_write_now(s);
    if (pending_compact(&s->pending, s->task[TASK_PUSH].under_way ? s->push_serial : 0))
        state_changed(s);
    else
        show(s, own);
    if (!is_theirs ||
        op->kind != OP_START) /* what that device plays is not ended by our starting another */
        note_vanished(s, &before, op);
    queue_finish(&before);
    const struct track *now = s->full_view.now;
    if (now && now->is_request && op->kind == OP_START && !track_is_remade(now))
        ledger_note(&s->ledger, now, FATE_PLAYING, NULL);
    if (state_sounds(s))
        set_playing(s);
    report_now_changed(s);
    requests_settle(s);
    push_consider(s);
}

int state_apply(struct sync *s, const struct queue_op *op)
{
    struct queue_op own = *op;
    struct track *added = op->kind == OP_ADD ? track_copy(op->track) : NULL;
    if (added) {
        track_ensure_id(added, op->seed);
        own.track = added;
    }
    const struct track *meant = entry_meant(s, op);
    struct track *named = meant ? track_copy(meant) : NULL;
    if (named)
        own.entry = entry_ref_of(named);
    char turn[TURN_SIZE];
    turn_of(s, op, turn);
    int ret;
    if (pending_may_take_out(op->kind)) {
        struct queue trial;
        queue_copy(&trial, &s->full_view);
        ret = queue_apply(&trial, &own);
        queue_finish(&trial);
    } else {
        ret = queue_apply(&s->full_view, &own);
    }
    if (ret == 0)
        append(s, &own, named, turn);
    track_destroy(named);
    track_destroy(added);
    return ret;
}

void state_restart_turn(struct sync *s, const struct track *t, const char *turn)
{
    struct track *named = track_copy(t);
    struct queue_op op = { .kind = OP_START, .entry = entry_ref_of(named) };
    char own[TURN_SIZE];
    turn_of(s, &op, own);
    append(s, &op, named, *turn ? turn : own);
    track_destroy(named);
}

void state_take_playing(struct sync *s)
{
    if (state_is_master(s))
        set_playing(s);
}

void state_withhold(struct sync *s)
{
    if (!s->full_view.list[QUEUE_REQUESTS].count)
        return;
    bool is_over = s->withheld_until_ns != NO_TIME && s->now_ns >= s->withheld_until_ns;
    if (is_over || s->withholds != withholds_requests(s))
        fill_view(s);
}
