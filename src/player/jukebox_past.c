/* Starting where the brain's former life ended. */
#include <string.h>

#include "player/jukebox_internal.h"

static void see_load(struct jukebox *j, uint64_t load)
{
    if (load > j->last_load)
        j->last_load = load;
}

static void see_loads(struct jukebox *j, const struct jukebox_past *past)
{
    const struct play_clock *c = &past->view.clock;
    see_load(j, past->plan.now.load);
    see_load(j, past->plan.next.load);
    for (size_t d = 0; d < DECKS; d++) {
        see_load(j, past->order[d].load);
        see_load(j, past->view.deck[d].state.load);
    }
    for (uint32_t i = 0; i < c->span_count && i < SPANS_MAX; i++)
        see_load(j, c->span[i].load);
    /* Loads that were ordered and withdrawn again are nowhere to be seen. There is less than one in a
     * microsecond, so the time since boot is above them. */
    see_load(j, (uint64_t)past->view.now_ns / 1000);
}

/* A plan of before a reboot (shared memory on a disk): nobody is alive and the clock is of the future. */
static bool is_stale(const struct jukebox_past *past)
{
    const struct jukebox_view *v = &past->view;
    return !v->has_stage && !v->deck[0].is_alive && !v->deck[1].is_alive &&
           v->clock.mono_ns > v->now_ns;
}

static void resume_turn(struct jukebox *j, const struct journal_position *p)
{
    if (!j->queue.now)
        return;
    j->turn = 1;
    struct entry_place place;
    const struct track *t =
        queue_playing(&j->queue, &place) ? queue_at(&j->queue, place) : j->queue.now;
    j->now_key = entry_key(&j->queue, t);
    j->started_wall_ms = j->view.wall_ms;
    if (p->entry != j->now_key)
        return;
    j->position_ns = j->start_ns = p->position_ns;
    j->started_wall_ms = p->started_wall_ms;
    j->played_ns = p->played_ns;
}

/* Part of a plan in shared memory, as far as its deck still has it. */
static struct part adopt_part(const struct jukebox *j, const struct plan_part *p)
{
    struct part part = {
        .entry = p->entry,
        .load = p->load,
        .deck = p->deck < DECKS ? p->deck : 0,
        .how = p->start,
        .can_play = true,
        .end_ns = NO_TIME,
    };
    part.start_ns = j->deck[part.deck].order.start_ns;
    part.is_lost = !deck_has(j, &part);
    return p->load ? part : (struct part){ 0 };
}

/* What the deck that does not play was loading; it may be what is wanted. Not what it has played. */
static void adopt_idle_load(struct jukebox *j)
{
    uint32_t d = 1 - j->now.deck;
    const struct deck_order *o = &j->deck[d].order;
    if (!o->load || o->start_ns != 0 || (o->flags & ORDER_ACTIVE))
        return;
    j->next = (struct part){
        .entry = o->entry,
        .load = o->load,
        .deck = d,
        .how = START_AT_END,
        .end_ns = NO_TIME,
    };
}

/* The plan is newer than the journal, or as new: the queue follows it. */
static void follow_plan(struct jukebox *j)
{
    struct entry_place place;
    if (j->now.entry == j->now_key) {
        j->now.turn = j->turn;
    } else if (queue_find_key(&j->queue, j->now.entry, &place)) {
        turn_end(j, PLAYED_ENDED);
        if (!queue_find_key(&j->queue, j->now.entry, &place))
            return;
        turn_begin(j, place);
        j->left_load = 0;
        j->now.turn = j->turn;
    }
}

static void adopt_plan(struct jukebox *j, const struct jukebox_past *past)
{
    j->plan = past->plan;
    j->is_paused = past->plan.is_paused;
    j->is_muted = past->plan.is_muted;
    j->volume = past->plan.volume <= 100 ? past->plan.volume : j->volume;
    for (size_t d = 0; d < DECKS; d++) {
        j->deck[d].order = past->order[d];
        j->deck[d].order.path[DECK_PATH_MAX - 1] = '\0';
        j->deck[d].since_ns = j->view.now_ns;
        j->deck[d].is_past =
            !j->view.deck[d].is_alive || j->view.deck[d].starts != past->order[d].deck_starts;
        j->deck[d].is_served = j->view.deck[d].starts >= past->order[d].deck_starts;
    }
    j->now = adopt_part(j, &past->plan.now);
    bool is_older = j->left_load && j->now.load == j->left_load;
    if (past->plan.next.load)
        j->next = adopt_part(j, &past->plan.next);
    else
        adopt_idle_load(j);
    if (!is_older)
        follow_plan(j);
    if (j->now.turn == j->turn && j->air.load == j->now.load)
        j->position_ns = j->air.media_ns;
}

static void adopt(struct jukebox *j, const struct jukebox_past *past)
{
    j->volume = past->state->volume;
    j->is_muted = past->state->is_muted;
    j->shows_text = past->state->shows_text;
    j->is_paused = past->state->is_paused;
    j->left_load = past->state->left_load;
    see_loads(j, past);
    resume_turn(j, past->position);
    if (past->plan.now.load && !is_stale(past)) {
        adopt_plan(j, past);
        return;
    }
    j->plan = past->plan;
    j->left_load = 0;
    for (size_t d = 0; d < DECKS; d++)
        if (past->order[d].load)
            j->changes |= CHANGED_ORDER_A << d;
    if (!j->settings.autostarts)
        j->is_paused = true;
}

void past_adopt(struct jukebox *j, const struct jukebox_past *past)
{
    adopt(j, past);
    j->pause_is_restored = j->is_paused;
    if (j->queue.now)
        log_info(j->log, "%s: goes on at %.1f s%s", j->queue.now->title,
                 (double)j->position_ns / (double)NS_PER_S, j->is_paused ? ", paused" : "");
}
