/* Measures how long own operations take to the disk and to the server, and events to the view. Pure:
 * the times are given. Bounded: while 64 operations are under way, further ones are not measured. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/histogram.h"

#define HOP_TIMER_MAX 64

struct hop_timer { /* all zero: new */
    struct histogram to_disk, to_server, to_view;
    /* Begun, oldest first. */
    struct hop_to_disk {
        int64_t begun_ns;
        uint64_t revision; /* of the journal that holds it; 0: none was asked for yet */
    } unsaved[HOP_TIMER_MAX];
    size_t unsaved_count;
    struct hop_to_server {
        int64_t begun_ns;
        size_t before; /* operations that are confirmed earlier, itself included */
    } unsent[HOP_TIMER_MAX];
    size_t unsent_count;
    size_t pending; /* operations not confirmed, as last told */
};

/* An operation was made; `pending` are not confirmed now, it is the last. */
void hop_timer_begin(struct hop_timer *t, size_t pending, int64_t now_ns);
/* The journal of that revision, which holds all that was begun, is to be written. */
void hop_timer_asked(struct hop_timer *t, uint64_t revision);
void hop_timer_saved(struct hop_timer *t, uint64_t revision, int64_t now_ns);
/* So many are not confirmed now: the oldest are. */
void hop_timer_pending(struct hop_timer *t, size_t pending, int64_t now_ns);
void hop_timer_view(struct hop_timer *t, int64_t came_ns, int64_t now_ns);
