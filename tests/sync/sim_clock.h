/* The wall clock of a box: right, seconds off, in 1970, ten years off, or not known at all; and it jumps. */
#pragma once

#include "base/compiler.h"
#include "support/simulation.h"

#define START_NS   SECONDS(100)           /* of every simulation, */
#define START_MS   INT64_C(1760000000000) /* and what the time is then */
#define YEAR_MS    (INT64_C(365) * 86400000)
#define TEN_YEARS  (10 * YEAR_MS)
#define CLOCK_TRUE (START_MS - START_NS / NS_PER_MS)

struct sim_clock {
    bool is_known;
    int64_t off_ms; /* added to the time of the simulation */
};

static inline void sim_clock_jump(struct sim_clock *c, uint64_t *random)
{
    c->is_known = pick_of(random, 6) > 0;
    switch (pick_of(random, 6)) {
    case 0: c->off_ms = CLOCK_TRUE; break;
    case 1: c->off_ms = 0; break;
    case 2: c->off_ms += TEN_YEARS; break;
    case 3: c->off_ms -= TEN_YEARS; break;
    default: c->off_ms += pick_of(random, 4001) - 2000; break;
    }
}

/* 0: the box does not know the time. */
static inline int64_t sim_clock_ms(struct sim_clock *c, uint64_t *random, int64_t now_ns)
{
    if (pick_of(random, 10) == 0)
        sim_clock_jump(c, random);
    return c->is_known ? max_i64(1, c->off_ms + now_ns / NS_PER_MS) : 0;
}
