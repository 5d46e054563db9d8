/* Where the threads of a load wait for those outside it: readers that make room, a new order, the end. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/now.h"
#include "shm/control.h"

struct gate {
    struct doorbell *bell;   /* rung by readers that took something and by the order's changes */
    _Atomic bool is_stopped; /* the load is to end: every wait returns at once */
    _Atomic uint32_t flags;  /* enum order_flags */
};

static inline bool gate_is_stopped(const struct gate *g)
{
    return atomic_load_explicit(&g->is_stopped, memory_order_acquire);
}

static inline bool gate_has(const struct gate *g, uint32_t flag)
{
    return (atomic_load_explicit(&g->flags, memory_order_relaxed) & flag) != 0;
}

static inline void gate_stop(struct gate *g)
{
    atomic_store_explicit(&g->is_stopped, true, memory_order_release);
    doorbell_ring(g->bell);
}

/* Read doorbell_rings(g->bell) into `seen`, look whether there is something to wait for, then wait.
 * `at_most_ns` bounds the wait: a reader may die without ringing. */
static inline void gate_wait(struct gate *g, uint32_t seen, int64_t at_most_ns)
{
    doorbell_wait(g->bell, seen, now_mono_ns() + at_most_ns);
}
