/* How loud the sound is, one number for each picture of a visual, handed from the audio thread to the one
 * that draws. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct sound_levels;

/* One level for each `samples` pairs. */
struct sound_levels *sound_levels_create(size_t samples);
void sound_levels_destroy(struct sound_levels *l); /* NULL is fine */

/* Audio thread. `lr` NULL: silence. */
void sound_levels_feed(struct sound_levels *l, const float *lr, size_t count);
/* The sound is over; an unfinished part is left out. Any thread, more than once. */
void sound_levels_finish(struct sound_levels *l);
/* Waits for the next level, 0 (silent) .. 1; *number says which part of the sound it is of, from 0 on: some
 * are missing when they were not taken in time. false: there are no more. Drawing thread. */
WARN_UNUSED bool sound_levels_take(struct sound_levels *l, float *level, uint64_t *number);
