/* Cue, next and plan follow the queue; the queue follows what the stage did by itself. */
#include <assert.h>
#include <string.h>

#include "player/jukebox_internal.h"

#define KEEP_NEXT_NS SECONDS(1) /* with less left of the track the loaded next stays what it is */
#define SWITCH_NS    SECONDS(1) /* the stage gets this long to let go of what it played */

/* ---- what the stage did ----------------------------------------------------------------------- */

static bool clock_has(const struct play_clock *c, uint64_t load)
{
    for (uint32_t i = 0; load && i < c->span_count && i < SPANS_MAX; i++)
        if (c->span[i].load == load)
            return true;
    return false;
}

static enum played_how how_it_ended(const struct jukebox *j)
{
    const struct track *t = turn_track(j, j->now_key);
    return t && t->unplayable[0] ? PLAYED_FAILED : PLAYED_ENDED;
}

static void leave(struct jukebox *j, const struct part *old)
{
    bool is_on_air = old->load && old->load != j->now.load && old->deck != j->now.deck &&
                     j->view.has_stage && j->air.load == old->load;
    if (!is_on_air)
        return;
    j->leaving = *old;
    j->leaving_until_ns = j->view.now_ns + SWITCH_NS;
}

/* The stage went on to `next`: so does the queue, in one update. */
static void advance(struct jukebox *j)
{
    struct part old = j->now, next = j->next;
    struct entry_place place;
    deck_judge_end(j);
    turn_end(j, how_it_ended(j));
    if (queue_find_key(&j->queue, next.entry, &place))
        turn_begin(j, place);
    j->now = next;
    j->next = (struct part){ 0 };
    j->now.how = START_NOW;
    /* Removed from the queue in its last moment: another turn begins, and cuts it off. */
    j->now.turn = j->now_key == next.entry ? j->turn : 0;
    deck_activate(j, &j->now);
    leave(j, &old);
}

/* The last sample was heard, and nothing followed. */
static bool has_ended(const struct jukebox *j)
{
    const struct part *now = &j->now;
    if (!j->view.has_stage || !now->load || now->turn != j->turn || j->cue.entry)
        return false;
    if (j->view.clock.ended_load == now->load)
        return j->air.load != now->load || !j->air.is_moving;
    /* A stage that was born again and stands at the end of a track whose deck is gone. */
    return now->is_lost && now->is_over && now->end_ns != NO_TIME && j->air.load == now->load &&
           !j->air.is_moving && !j->is_paused && j->position_ns >= now->end_ns - MS(600);
}

void follow_committed(struct jukebox *j)
{
    if (j->next.load && j->plan.next.load == j->next.load &&
        clock_has(&j->view.clock, j->next.load))
        advance(j);
}

void follow_stage(struct jukebox *j)
{
    bool is_on_next =
        j->next.load && j->plan.next.load == j->next.load &&
        (j->air.load == j->next.load || (!j->air.load && clock_has(&j->view.clock, j->next.load)));
    if (is_on_next)
        advance(j);
    else if (has_ended(j)) {
        deck_judge_end(j);
        turn_end(j, how_it_ended(j));
        turn_settle(j);
    }
    if (j->leaving.load && (!j->view.has_stage || j->air.load != j->leaving.load ||
                            j->view.now_ns >= j->leaving_until_ns))
        j->leaving = (struct part){ 0 };
}

/* ---- the cue ---------------------------------------------------------------------------------- */

static bool is_held(const struct jukebox *j, const struct part *p, uint32_t deck)
{
    return p->load && p->deck == deck;
}

static void open_cue(struct jukebox *j)
{
    bool is_loaded =
        j->next.load && j->next.entry == j->now_key && j->start_ns == 0 && deck_has(j, &j->next);
    if (is_loaded) {
        j->cue = j->next;
        j->next = (struct part){ 0 };
    } else {
        j->cue = (struct part){ .entry = j->now_key, .start_ns = j->start_ns };
    }
    j->cue.turn = j->turn;
    j->cue.how = START_NOW;
}

/* The deck to cue on; the other one than what plays, if there is a choice. -1: wait. */
static int deck_for_cue(const struct jukebox *j)
{
    uint32_t first = j->now.load ? 1 - j->now.deck : 0;
    int best = -1, best_worth = -1;
    for (uint32_t i = 0; i < DECKS; i++) {
        uint32_t d = (first + i) % DECKS;
        if (is_held(j, &j->leaving, d) || (is_held(j, &j->now, d) && !j->now.is_lost) ||
            j->deck[d].is_stuck)
            continue;
        int worth = (deck_is_usable(j, d) ? 4 : 0) + (is_held(j, &j->now, d) ? 0 : 2) +
                    (is_held(j, &j->next, d) ? 0 : 1);
        if (worth > best_worth) {
            best = (int)d;
            best_worth = worth;
        }
    }
    return best;
}

/* What is to play is on its way. true: another entry plays before it. */
static bool give_way(struct jukebox *j)
{
    bool is_turn = j->cue.turn == j->turn && j->now.turn != j->turn;
    if (!is_turn || !turn_give_way(j)) /* a seek, or there is no other: it is waited for */
        return false;
    j->cue = (struct part){ 0 };
    return true;
}

/* false: the entry failed at once, the queue has to be looked at again. */
static bool place_cue(struct jukebox *j)
{
    if (!j->cue.entry)
        return true;
    bool waits = deck_has(j, &j->cue);
    if (!waits && turn_is_coming(j, turn_track(j, j->cue.entry)))
        return !give_way(j);
    if (waits && deck_is_usable(j, j->cue.deck))
        return true;
    int deck = deck_for_cue(j);
    if (deck < 0 || (waits && !deck_is_usable(j, (uint32_t)deck)))
        return true;
    if (waits)
        deck_unload(j, j->cue.deck);
    if (is_held(j, &j->next, (uint32_t)deck))
        j->next = (struct part){ 0 };
    if (j->cue.how == START_JOIN) /* what plays has gone on since the cue was wanted */
        j->cue.start_ns = j->position_ns;
    char why[256];
    if (deck_give(j, (uint32_t)deck, &j->cue, why, sizeof(why)))
        return true;
    part_fail(j, &j->cue, why);
    return false;
}

static void switch_to_cue(struct jukebox *j)
{
    if (!j->cue.load || !j->cue.can_play)
        return;
    struct part old = j->now;
    j->now = j->cue;
    j->cue = (struct part){ 0 };
    j->stands_since_ns = 0;
    deck_activate(j, &j->now);
    leave(j, &old);
    turn_save_position(j);
}

/* ---- the next --------------------------------------------------------------------------------- */

static int idle_deck(const struct jukebox *j)
{
    if (j->cue.entry && !j->cue.load)
        return -1;
    for (uint32_t d = 0; d < DECKS; d++)
        if (!is_held(j, &j->now, d) && !is_held(j, &j->cue, d) && !is_held(j, &j->leaving, d) &&
            !j->deck[d].is_stuck)
            return (int)d;
    return -1;
}

/* Too late to load another: what is ready follows. */
static bool keeps_next(const struct jukebox *j)
{
    if (!j->next.load || !j->next.can_play || j->plan.next.load != j->next.load)
        return false;
    if (clock_has(&j->view.clock, j->next.load))
        return true;
    int64_t end = j->now.end_ns != NO_TIME ? j->now.end_ns : j->now.duration_ns;
    return j->now.load && j->now.turn == j->turn && end > 0 && end - j->position_ns < KEEP_NEXT_NS;
}

/* false: the entry failed at once. */
static bool place_next(struct jukebox *j)
{
    int deck = idle_deck(j);
    struct entry_place place;
    uint64_t want = 0;
    if (keeps_next(j))
        return true;
    if (deck >= 0 && turn_next(j, &place))
        want = entry_key(&j->queue, queue_at(&j->queue, place));
    if (want == j->cue.entry) /* it follows itself: is it playable at all? */
        want = 0;
    if (want && j->next.entry == want && deck_has(j, &j->next))
        return true;
    j->next = (struct part){ 0 };
    if (deck < 0)
        return true;
    if (!want) {
        deck_unload(j, (uint32_t)deck);
        return true;
    }
    j->next = (struct part){ .entry = want, .how = START_AT_END };
    char why[256];
    if (deck_give(j, (uint32_t)deck, &j->next, why, sizeof(why)))
        return true;
    part_fail(j, &j->next, why);
    return false;
}

/* ---- the plan --------------------------------------------------------------------------------- */

static struct plan_part shown(const struct part *p)
{
    return (struct plan_part){
        .entry = p->entry,
        .load = p->load,
        .deck = p->deck,
        .start = p->how,
    };
}

static void build_plan(struct jukebox *j)
{
    struct plan p = {
        .serial = j->plan.serial,
        .is_paused = j->is_paused,
        .is_muted = j->is_muted,
        .volume = j->volume,
    };
    if (j->now.load)
        p.now = shown(&j->now);
    bool may_follow = j->now.load && !j->cue.entry && j->now.turn == j->turn && j->next.load;
    if (may_follow && j->next.can_play)
        p.next = shown(&j->next);
    if (memcmp(&p, &j->plan, sizeof(p)) == 0)
        return;
    p.serial++;
    j->plan = p;
    j->changes |= CHANGED_PLAN;
}

static void fall_idle(struct jukebox *j)
{
    j->now = j->cue = j->next = j->leaving = (struct part){ 0 };
    for (uint32_t d = 0; d < DECKS; d++)
        deck_unload(j, d);
}

void follow_queue(struct jukebox *j)
{
    bool is_settled = false;
    size_t left = j->queue.list[QUEUE_MAIN].count + j->queue.list[QUEUE_REQUESTS].count + 2;
    for (; !is_settled && left; left--) { /* each further round has marked one entry unplayable */
        turn_settle(j);
        if (!j->queue.now || j->is_leaving || j->is_away) {
            fall_idle(j);
            break;
        }
        bool plays = j->now.load && j->now.turn == j->turn;
        if (!plays && j->cue.turn != j->turn)
            open_cue(j);
        is_settled = place_cue(j);
        if (is_settled) {
            switch_to_cue(j);
            is_settled = place_next(j);
        }
    }
    build_plan(j);
}
