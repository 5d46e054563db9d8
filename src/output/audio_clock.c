#include "output/audio_clock.h"

#include "output/audio_driver.h"

#define JUMP_NS   MS(30)
#define SMOOTHING 32 /* blocks in which an error shrinks to a third */

int64_t audio_clock_block(struct audio_clock *c, int64_t reported_ns, int64_t frames)
{
    int64_t error = reported_ns - c->next_ns;
    if (!c->is_running || error > JUMP_NS || error < -JUMP_NS) {
        c->is_running = true;
        c->next_ns = reported_ns;
    } else {
        c->next_ns += error / SMOOTHING;
    }
    int64_t heard_ns = c->next_ns;
    c->next_ns += audio_frames_ns(frames);
    return heard_ns;
}
