/* What plays after what. */
#include "model/queue.h"

#include "model/queue_internal.h"

/* The place PLAY_NOW asked for, if it is still to play. */
static bool find_asked_for(const struct queue *q, const struct track *playing,
                           struct entry_place *out)
{
    for (int list = 0; list < QUEUE_LISTS; list++) {
        for (size_t i = 0; i < q->list[list].count; i++) {
            const struct track *t = q->list[list].at[i];
            if (!t->plays_next || t == playing || *t->unplayable)
                continue;
            *out = (struct entry_place){ (enum queue_list)list, i };
            return true;
        }
    }
    return false;
}

/* One round of the main loop as it will go: what neither plays nor comes before its turn, in order; then
 * those two, for they will have gone to the tail one after the other. */
struct round {
    const struct queue *q;
    const struct track *playing, *asked_for; /* NULL: none */
};

static bool is_in_turn(const struct round *r, const struct track *t)
{
    return t != r->playing && t != r->asked_for && !*t->unplayable;
}

static bool is_back_at_tail(const struct round *r, const struct track *t)
{
    struct entry_place place;
    return r->q->loops && t && !*t->unplayable && queue_place_of(r->q, t, &place) &&
           place.list == QUEUE_MAIN;
}

static size_t round_length(const struct round *r)
{
    size_t n = is_back_at_tail(r, r->playing) + (size_t)is_back_at_tail(r, r->asked_for);
    const struct track_list *main = &r->q->list[QUEUE_MAIN];
    for (size_t i = 0; i < main->count; i++)
        n += is_in_turn(r, main->at[i]);
    return n;
}

static const struct track *round_at(const struct round *r, size_t n)
{
    const struct track_list *main = &r->q->list[QUEUE_MAIN];
    for (size_t i = 0; i < main->count; i++) {
        if (is_in_turn(r, main->at[i]) && n-- == 0)
            return main->at[i];
    }
    return n == 0 && is_back_at_tail(r, r->playing) ? r->playing : r->asked_for;
}

static struct round round_of(const struct queue *q)
{
    struct round round = { .q = q };
    struct entry_place place;
    if (queue_playing(q, &place))
        round.playing = queue_at(q, place);
    if (find_asked_for(q, round.playing, &place))
        round.asked_for = queue_at(q, place);
    return round;
}

bool queue_upcoming(const struct queue *q, size_t n, struct entry_place *out)
{
    struct round round = round_of(q);
    if (round.asked_for && n-- == 0)
        return queue_place_of(q, round.asked_for, out);
    const struct track_list *requests = &q->list[QUEUE_REQUESTS];
    for (size_t i = 0; i < requests->count; i++) {
        if (is_in_turn(&round, requests->at[i]) && n-- == 0) {
            *out = (struct entry_place){ QUEUE_REQUESTS, i };
            return true;
        }
    }
    size_t length = round_length(&round);
    if (length == 0 || (n >= length && !q->loops))
        return false;
    return queue_place_of(q, round_at(&round, n % length), out);
}

static const struct track *first_in_turn(const struct round *r, enum queue_list list,
                                         queue_accepts_fn *accepts, void *ctx)
{
    for (size_t i = 0; i < r->q->list[list].count; i++) {
        const struct track *t = r->q->list[list].at[i];
        if (is_in_turn(r, t) && accepts(ctx, t))
            return t;
    }
    return NULL;
}

bool queue_upcoming_that(const struct queue *q, queue_accepts_fn *accepts, void *ctx,
                         struct entry_place *out)
{
    const struct round round = round_of(q);
    const struct track *found = NULL;
    if (round.asked_for && accepts(ctx, round.asked_for))
        found = round.asked_for;
    if (!found)
        found = first_in_turn(&round, QUEUE_REQUESTS, accepts, ctx);
    if (!found)
        found = first_in_turn(&round, QUEUE_MAIN, accepts, ctx);
    if (!found && is_back_at_tail(&round, round.playing) && accepts(ctx, round.playing))
        found = round.playing;
    return found && queue_place_of(q, found, out);
}

bool queue_next(const struct queue *q, struct entry_place *out)
{
    return queue_upcoming(q, 0, out);
}
