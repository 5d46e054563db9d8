#include "media/sample_clock.h"

#include "media/pts_repair.h"
#include "shm/control.h"

/* Containers round to a millisecond or to a packet; correcting that would be heard. */
#define TOLERANCE_NS    MS(15)
#define LATEST_START_NS SECONDS(120)

static int64_t ns_of(int64_t samples)
{
    return samples / SAMPLE_RATE * NS_PER_S + samples % SAMPLE_RATE * NS_PER_S / SAMPLE_RATE;
}

static int64_t samples_of(int64_t ns)
{
    int64_t rest = ns % NS_PER_S * SAMPLE_RATE;
    return ns / NS_PER_S * SAMPLE_RATE + (rest + (rest < 0 ? -1 : 1) * NS_PER_S / 2) / NS_PER_S;
}

void sample_clock_init(struct sample_clock *c, int64_t base_ns)
{
    *c = (struct sample_clock){ .base_ns = base_ns };
}

int64_t sample_clock_end_ns(const struct sample_clock *c)
{
    return c->base_ns + ns_of(c->count);
}

/* How far the block lies behind its place; 0 where the stream's clock says nothing or breaks. */
static int64_t error_ns(struct sample_clock *c, int64_t pts_ns)
{
    if (pts_ns <= -(INT64_MAX / 4) || pts_ns >= INT64_MAX / 4)
        return 0;
    int64_t error = pts_ns + c->shift_ns - sample_clock_end_ns(c);
    /* Before the first block there is no clock that could break. Sound may begin long after the pictures;
     * after a seek the first blocks may lie anywhere before the base. */
    int64_t late = c->is_started ? TIME_LEAP_NS : LATEST_START_NS;
    int64_t early = TIME_LEAP_NS + (c->is_started ? 0 : max_i64(c->base_ns, 0));
    if (error > late || error < -early) {
        c->shift_ns -= error;
        return 0;
    }
    bool is_rounding = c->is_started && error <= TOLERANCE_NS && error >= -TOLERANCE_NS;
    return is_rounding ? 0 : error;
}

struct sample_place sample_clock_place(struct sample_clock *c, int64_t pts_ns, int64_t samples)
{
    struct sample_place p = { 0 };
    int64_t error = samples_of(error_ns(c, pts_ns));
    if (error > 0)
        p.silence = error;
    else
        p.skip = min_i64(-error, samples);
    if (p.skip < samples)
        c->is_started = true;
    c->count += p.silence + samples - p.skip;
    return p;
}
