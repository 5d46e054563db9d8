/* When samples are heard, from unsteady reports. A driver learns the time of each block with the jitter of
 * its wake-ups; the truth moves evenly. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct audio_clock {
    bool is_running;
    int64_t next_ns; /* when the next block is expected to be heard */
};

/* The time at which a block of `frames` frames is heard, `reported_ns` being what the device says. Follows
 * the device's rate within about a second; an error of more than 30 ms (an underrun, a
 * suspended machine) is taken at once. */
int64_t audio_clock_block(struct audio_clock *c, int64_t reported_ns, int64_t frames);
