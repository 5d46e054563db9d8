/* Where decoded sound goes in a load's samples, so that sample n is heard n/48000 s after the base: what
 * is missing becomes silence, what is there twice is dropped, small rounding in the file is ignored. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

struct sample_clock {
    int64_t base_ns;  /* media position of sample 0 */
    int64_t count;    /* samples placed */
    int64_t shift_ns; /* added to the stream's times since its last break */
    bool is_started;  /* a block was placed */
};

struct sample_place {
    int64_t silence; /* samples of silence to write first */
    int64_t skip;    /* samples to drop from the front of the block; at most all */
};

void sample_clock_init(struct sample_clock *c, int64_t base_ns);
/* Places a block of `samples` that the stream says begins at `pts_ns` (NO_TIME: unknown). */
struct sample_place sample_clock_place(struct sample_clock *c, int64_t pts_ns, int64_t samples);
/* The media position behind what was placed. */
int64_t sample_clock_end_ns(const struct sample_clock *c);
