/* A thread that plays without a device: block after block at the exact rate of CLOCK_MONOTONIC. Sample k
 * is "heard" at t0 + k / 48000 s, without exception: a thread that was held up catches up. */
#pragma once

#include "output/audio_driver.h"

struct audio_pace;

/* Takes each block when it was filled; NULL: nobody. On the pace's thread. */
typedef void audio_sink(void *ctx, const float *samples, int count);

/* 0 or -errno. Blocks are filled two periods before they are heard. */
int audio_pace_start(struct audio_pace **out, struct audio *a, audio_sink *sink, void *ctx);
void audio_pace_stop(struct audio_pace *p);
