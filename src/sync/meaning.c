/* What somebody else's writing means: data model 6.5. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sync/sync_internal.h"

#define ENTRIES_MAX 5000 /* of a list that is no text but an array, as old caches have it */

/* A careless writer gives its songs neither id nor time: nothing but the song tells such an entry. */
static bool is_nameless(const struct track *t)
{
    return !track_is_same_entry(t, t);
}

static bool is_it(const struct track *a, const struct track *b)
{
    bool are_nameless = is_nameless(a) && is_nameless(b);
    return are_nameless ? strcmp(a->video_id, b->video_id) == 0 : track_is_same_entry(a, b);
}

static bool find_entry(const struct queue *q, const struct track *t, struct entry_place *out)
{
    for (int l = 0; l < QUEUE_LISTS; l++) {
        for (size_t i = 0; i < q->list[l].count; i++) {
            *out = (struct entry_place){ (enum queue_list)l, i };
            if (is_it(q->list[l].at[i], t))
                return true;
        }
    }
    return false;
}

static void apply_to(struct sync *s, enum queue_op_kind kind, const struct track *t, size_t index)
{
    struct track *named = track_copy(t);
    struct queue_op op = { .kind = kind, .entry = entry_ref_of(named), .index = index };
    state_apply(s, &op);
    track_destroy(named);
}

/* Whether what plays was begun here and by nobody else's leave; else another device may have ended it meanwhile, and
 * staff taken it out. */
static bool is_surely_ours(const struct sync *s)
{
    return !turn_is_of_other(s, s->playing_turn) && (!s->role.saw_others || state_may_write_now(s));
}

/* nowPlaying was set to null: the web admin's Skip. A main track is rotated, even if it was taken out with it. */
static void skipped(struct sync *s)
{
    struct track *t = track_copy(s->playing);
    char turn[TURN_SIZE];
    struct entry_place place;
    snprintf(turn, sizeof(turn), "%s", s->playing_turn);
    if (find_entry(&s->full_view, t, &place)) {
        state_restart_turn(s, t, turn);
        apply_to(s, OP_SKIP, t, 0);
    } else if (t->is_request) {
        ledger_note(&s->ledger, t, FATE_CANCELLED, "Skipped by admin");
    } else if (s->playing_was_base && is_surely_ours(s) && s->full_view.list[QUEUE_MAIN].count &&
               !ledger_is_over(&s->ledger, t)) {
        struct queue_op op = { .kind = OP_ADD, .track = t, .seed = sync_random(s) };
        state_apply(s, &op);
    }
    s->skip_wanted = true;
    state_take_playing(s);
    track_destroy(t);
}

/* nowPlaying is another track: that one is to play now. */
static void replaced(struct sync *s)
{
    struct track *left = track_copy(s->playing), *wanted = track_copy(s->full_view.now);
    if (left->is_request) {
        apply_to(s, OP_REMOVE, left, 0);
        ledger_note(&s->ledger, left, FATE_CANCELLED, "Skipped by admin");
    } else {
        apply_to(s, OP_MOVE, left, SIZE_MAX);
    }
    state_restart_turn(s, wanted, "");
    s->skip_wanted = true;
    state_take_playing(s);
    track_destroy(left);
    track_destroy(wanted);
}

void meaning_of_now(struct sync *s)
{
    const struct track *now = s->full_view.now;
    if (!state_is_master(s))
        return;
    if (!s->playing) {
        if (s->view.now)
            state_take_playing(s);
        return;
    }
    if (!now && !s->base.queue.now) {
        skipped(s);
        return;
    }
    if (!now) { /* an operation of our own took a web player's copy for the entry it names: nobody skipped */
        state_restart_turn(s, s->playing, s->playing_turn);
        return;
    }
    bool is_same_turn = strcmp(s->view_now.turn, s->playing_turn) == 0;
    if (is_same_turn && !track_is_remade(now) && is_it(now, s->playing))
        return;
    if (turn_is_of_other(s, s->view_now.turn) && !is_same_turn)
        role_check(s);
    else if (track_is_remade(now) || is_it(now, s->playing))
        state_restart_turn(s, s->playing, s->playing_turn);
    else
        replaced(s);
}

/* Entries that are over and that an old copy brought back. */
static void remove_over(struct sync *s)
{
    for (int l = 0; l < QUEUE_LISTS; l++) {
        for (size_t i = s->full_view.list[l].count; i-- > 0;) {
            if (i >= s->full_view.list[l].count)
                continue;
            const struct track *t = s->full_view.list[l].at[i];
            bool plays = s->full_view.now && track_is_same_entry(s->full_view.now, t);
            if (!plays && ledger_is_over(&s->ledger, t)) {
                struct ledger_record kept = *ledger_find(&s->ledger, t);
                apply_to(s, OP_REMOVE, t, 0);
                struct ledger_record *r = ledger_find(&s->ledger, kept.track);
                if (r) { /* what it came to before counts, not the removal */
                    r->fate = kept.fate;
                    r->is_told = kept.is_told;
                    memcpy(r->reason, kept.reason, sizeof(r->reason));
                }
            }
        }
    }
}

void document_mean(struct sync *s)
{
    /* Of which entry a web player's copy is, is a guess then: not among those that are over. */
    if (state_is_master(s) && !s->playing)
        requests_drop_over(s);
    meaning_of_now(s);
    if (state_is_master(s))
        remove_over(s);
}

static bool same_element(const struct track *a, const struct track *b)
{
    return strcmp(a->id, b->id) == 0 && strcmp(a->video_id, b->video_id) == 0 &&
           strcmp(a->requested_at, b->requested_at) == 0;
}

/* Whether `after` is `before` without some elements; counts them. */
static bool only_removed(const struct track_list *before, const struct track_list *after,
                         size_t *removed)
{
    size_t at = 0;
    for (size_t i = 0; i < before->count; i++) {
        if (at < after->count && same_element(before->at[i], after->at[at]))
            at++;
        else
            (*removed)++;
    }
    return at == after->count;
}

static bool same_now(const struct queue_document *a, const struct queue_document *b)
{
    if (!a->queue.now || !b->queue.now)
        return !a->queue.now && !b->queue.now;
    return same_element(a->queue.now, b->queue.now) && strcmp(a->now.turn, b->now.turn) == 0;
}

/* Another entry of the same payment: one of two copies went. */
static bool has_copy(const struct queue *q, const struct track *t)
{
    const struct track_list *list = &q->list[QUEUE_REQUESTS];
    for (size_t i = 0; *t->payment_id && i < list->count; i++) {
        if (strcmp(list->at[i]->payment_id, t->payment_id) == 0)
            return true;
    }
    return false;
}

/* Staff took something out: a write that did nothing but that. A request counts as taken out only if it was the one
 * thing that went, or all requests went: it is paid, and an old copy written back must not lose it. What went while
 * this box was off may be several writes that look like one: no request counts then. */
static void note_removals(struct sync *s, const struct queue_document *old, bool was_off)
{
    const struct queue_document *new = &s->base;
    size_t removed[QUEUE_LISTS] = { 0 };
    for (int l = 0; l < QUEUE_LISTS; l++) {
        if (!only_removed(&old->queue.list[l], &new->queue.list[l], &removed[l]))
            return;
    }
    if (!same_now(old, new) || removed[QUEUE_MAIN] + removed[QUEUE_REQUESTS] == 0)
        return;
    bool takes_request =
        !was_off && removed[QUEUE_MAIN] == 0 && *new->now.turn &&
        (removed[QUEUE_REQUESTS] == 1 || new->queue.list[QUEUE_REQUESTS].count == 0);
    for (int l = 0; l < QUEUE_LISTS; l++) {
        for (size_t i = 0; i < old->queue.list[l].count; i++) {
            const struct track *t = old->queue.list[l].at[i];
            struct entry_place place;
            bool plays = s->playing && track_is_same_entry(s->playing, t);
            if (plays || is_nameless(t) || find_entry(&new->queue, t, &place) ||
                ledger_is_over(&s->ledger, t))
                continue;
            if (!t->is_request)
                ledger_note(&s->ledger, t, FATE_REMOVED, NULL);
            else if (takes_request && !has_copy(&new->queue, t))
                ledger_note(&s->ledger, t, FATE_CANCELLED, "Removed by staff");
        }
    }
}

/* Our operations that this document holds already. */
static void drop_done(struct sync *s, const struct queue_document *d)
{
    uint64_t mark = now_fields_marked(&d->now, s->writer);
    if (mark)
        pending_drop_until(&s->pending, mark);
    else if (s->push_serial && queue_same(&d->queue, &s->push_queue) &&
             queue_same_names(&d->queue, &s->push_queue))
        pending_drop_until(&s->pending, s->push_serial);
}

static bool is_acceptable(const struct sync *s, const struct message *m, bool is_read)
{
    int64_t stamp_ms;
    if (!stamp_parse(message_str(m, "$updatedAt", NULL), &stamp_ms))
        return false;
    if (stamp_ms > s->base.stamp_ms)
        return true;
    if (stamp_ms == s->base.stamp_ms)
        return is_read && queue_document_hash(m) != s->base.hash;
    return is_read && stamp_ms < s->read_stamp_ms; /* the server was set back to an older state */
}

/* Marks and turns of other writers: another device is there. */
static void look_for_others(struct sync *s)
{
    const struct now_fields *f = &s->base.now;
    bool is_other = turn_is_of_other(s, f->turn);
    for (size_t i = 0; i < f->mark_count; i++)
        is_other |= strcmp(f->mark[i].by, s->writer) != 0;
    s->role.saw_others |= is_other;
}

/* Who had the role gives it up: it left its mark, or, where nothing plays, wrote what was there already. */
static bool is_farewell(const struct queue_document *old, const struct queue_document *new)
{
    bool is_idle = old->stamp_ms != INT64_MIN && !old->queue.now && !new->queue.now;
    return new->now.has_left || (is_idle && queue_same(&old->queue, &new->queue));
}

static void accept(struct sync *s, struct queue_document *d)
{
    struct queue_document old;
    queue_document_init(&old);
    queue_document_move(&old, &s->base);
    queue_document_move(&s->base, d);
    bool was_off = !s->has_document; /* `old` is of a former life */
    s->has_document = true;
    s->is_truly_missing = false;
    drop_done(s, &s->base);
    look_for_others(s);
    state_dirty_soon(s);
    if (state_may_write_now(s) && old.stamp_ms != INT64_MIN)
        note_removals(s, &old, was_off);
    struct entry_place place;
    s->playing_was_base = s->playing && find_entry(&old.queue, s->playing, &place);
    bool is_new_turn = strcmp(s->base.now.turn, old.now.turn) != 0;
    bool is_free = s->role.is == SYNC_OTHER && is_farewell(&old, &s->base);
    queue_document_finish(&old);
    state_changed(s);
    if (state_is_master(s) && is_new_turn && turn_is_of_other(s, s->base.now.turn))
        role_check(s);
    if (is_free)
        role_hurry(s);
    document_mean(s);
    requests_settle(s);
    report_now_changed(s);
    playlist_consider(s);
    push_consider(s);
}

/* The venue's collection holds lists of QUEUE_SERVER_CHARS. Who made it another way makes queues here that no operation
 * could be written to, and of which each would take the box seconds. */
static bool is_too_long(const struct message *m)
{
    static const char *const fields[] = { "mainQueue", "priorityQueue" };
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (text_chars(message_str(m, fields[i], "")) > QUEUE_SERVER_CHARS ||
            message_count(m, fields[i]) > ENTRIES_MAX)
            return true;
    }
    return false;
}

/* Its own queue goes on here; it is looked up again and again, and not written to. */
static void document_refused(struct sync *s)
{
    char text[160];
    snprintf(text, sizeof(text),
             "The venue's queue is longer than %d characters: this box goes on with its own.",
             QUEUE_SERVER_CHARS);
    problem_set(s, TASK_LOOKUP, text);
    s->has_document = s->is_truly_missing = false;
}

void document_seen(struct sync *s, const struct message *m, bool is_read)
{
    struct queue_document d;
    bool is_ours = !s->base.id[0] || strcmp(s->base.id, message_str(m, "$id", "")) == 0;
    if (!is_ours || strcmp(message_str(m, "venueId", ""), s->venue_id) != 0)
        return;
    if (is_too_long(m)) {
        document_refused(s);
        return;
    }
    problem_set(s, TASK_LOOKUP, NULL); /* found, and of a length */
    if (is_acceptable(s, m, is_read) && queue_document_read(&d, m)) {
        accept(s, &d);
        queue_document_finish(&d);
    }
    if (is_read) {
        s->has_document |= s->base.id[0] != '\0';
        s->push_is_unknown = false;
    }
}

bool document_is_it(const struct sync *s, const struct message *m)
{
    int64_t stamp_ms;
    return m && strcmp(message_str(m, "$id", ""), s->base.id) == 0 &&
           strcmp(message_str(m, "venueId", ""), s->venue_id) == 0 &&
           stamp_parse(message_str(m, "$updatedAt", NULL), &stamp_ms);
}

/* Our write was taken: nobody wrote between the base it was made of and it. */
void document_wrote(struct sync *s, const struct message *m)
{
    struct queue_document d;
    pending_drop_until(&s->pending, s->push_serial);
    state_dirty(s);
    s->push_is_unknown = false;
    int64_t stamp_ms;
    bool is_newer =
        stamp_parse(message_str(m, "$updatedAt", NULL), &stamp_ms) && stamp_ms > s->base.stamp_ms;
    queue_document_init(&d);
    if (is_newer)
        queue_document_read(&d, m);
    if (d.stamp_ms > s->base.stamp_ms)
        queue_document_move(&s->base, &d);
    queue_document_finish(&d);
    state_changed(s);
    meaning_of_now(s);
    playlist_consider(s);
}

/* It is no more: playing goes on from what is held, and the document is made again once that is sure. */
void document_gone(struct sync *s)
{
    s->has_document = false;
    s->base.id[0] = '\0';
    s->base.stamp_ms = INT64_MIN;
    task_wake(s, TASK_LOOKUP, s->now_ns);
}
