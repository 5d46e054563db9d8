/* For the files of the queue only. */
#pragma once

#include "model/queue.h"

static inline bool place_is(struct entry_place a, struct entry_place b)
{
    return a.list == b.list && a.index == b.index;
}

/* Whether `ref` names what plays, in a list or detached. */
bool queue_ref_plays(const struct queue *q, struct entry_ref ref);
/* Where this very object is. */
bool queue_place_of(const struct queue *q, const struct track *t, struct entry_place *out);
/* Whether nothing tells the two apart: the same song, asked for at the same time, neither with an id of its own. */
bool queue_are_twins(const struct queue *q, const struct track *a, const struct track *b);
