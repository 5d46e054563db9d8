/* Device frame <-> CLOCK_MONOTONIC. A sound driver knows when a block will be heard only to within some
 * milliseconds; this takes the jitter out and follows the slow drift between the two clocks. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct device_clock {
    bool is_set;
    int64_t frame;   /* this device frame ... */
    int64_t mono_ns; /* ... is heard at this time */
};

/* The driver says that device frame `frame` will be heard at `heard_ns`. Frames never fall. */
void device_clock_observe(struct device_clock *c, int64_t frame, int64_t heard_ns);
