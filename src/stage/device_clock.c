#include "stage/device_clock.h"

#include <stdlib.h>

#include "base/compiler.h"
#include "shm/control.h"

/* One part in SLEW of what is observed is believed. With blocks of 10 ms that is a time constant of
 * 0.6 s: a block that seems 5 ms off moves the picture by 0.08 ms, a drift of 500 ppm lags by 0.3 ms. */
enum { SLEW = 64 };

/* A device that ran dry, was stopped or swapped: start anew instead of drifting there, for the sound did not wait. What
 * drivers report is smooth already. */
#define RESET_NS MS(30)

void device_clock_observe(struct device_clock *c, int64_t frame, int64_t heard_ns)
{
    int64_t predicted = c->mono_ns + (frame - c->frame) * NS_PER_S / SAMPLE_RATE;
    int64_t error = heard_ns - predicted;
    if (!c->is_set || llabs(error) > RESET_NS)
        predicted = heard_ns;
    else
        predicted += error / SLEW;
    *c = (struct device_clock){ .is_set = true, .frame = frame, .mono_ns = predicted };
}
