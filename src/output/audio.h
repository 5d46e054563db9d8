/* Audio outputs. The device is the master clock: the driver calls for samples and says when the first of
 * them will be heard. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"

/* Fill `out` with `count` stereo f32 frames at 48 kHz. `heard_ns`: CLOCK_MONOTONIC time at which the
 * first of them will be heard, as well as the driver knows it. Called on the driver's thread; must not
 * block on anything but short locks. */
typedef void audio_fill(void *ctx, float *out, int count, int64_t heard_ns);

struct audio_params {
    const char *driver; /* "auto", "alsa", "sdl", "null", "wav" */
    const char *
        device; /* name for the driver, of ALSA as sound_choose() takes it; NULL or "": its default */
    const char *wav_path; /* driver "wav" */
    int period_frames;    /* 0: 512 */
    int periods;          /* 0: 6 */
    audio_fill *fill;
    void *ctx;
    struct log *log; /* borrowed until audio_close(); may be NULL */
};

struct audio;

/* Starts calling `fill`. 0 or -errno. "auto": ALSA, SDL's choice of sound system, else null with a
 * warning: the music goes on in step, unheard, and the device is tried again every few seconds. */
int audio_open(struct audio **out, const struct audio_params *p);
void audio_close(struct audio *a); /* after it `fill` is not called any more; a may be NULL */
const char *audio_driver_name(const struct audio *a);
/* What of the driver's devices it is, for people; "": the driver's default. */
const char *audio_device_name(const struct audio *a);
/* How often the device ran dry since it was opened, as well as the driver knows. Any thread. */
uint64_t audio_xruns(const struct audio *a);
/* Whether the device is lost (unplugged, sound server gone): close it and open again. Any thread. */
bool audio_is_lost(const struct audio *a);
/* Whether the automatic choice of a device would be a better one now (a television was switched on): close it and
 * open again. Asks the machine every few seconds, in between it says no. One thread. */
bool audio_is_outdone(struct audio *a);
