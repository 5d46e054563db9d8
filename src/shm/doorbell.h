/* A futex in shared memory that wakes whoever waits on it, in this or another process. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct doorbell {
    _Atomic uint32_t rings;
};

void doorbell_ring(struct doorbell *d);
/* Read it, look at the slots, then wait with what was read: a ring in between is not lost. */
uint32_t doorbell_rings(const struct doorbell *d);
/* Waits until the number differs from `seen`, or until `deadline_ns` (CLOCK_MONOTONIC; INT64_MAX: for
 * ever). May return early; the caller looks at the slots in any case. */
void doorbell_wait(struct doorbell *d, uint32_t seen, int64_t deadline_ns);
/* Sleeps until then, or until a bell that starts at 0 was rung for the first time: true. */
bool doorbell_nap(struct doorbell *d, int64_t until_ns);
