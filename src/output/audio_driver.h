/* Inside the audio output: what its files share. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/compiler.h"
#include "output/audio.h"
#include "shm/doorbell.h"

#define AUDIO_RATE     48000
#define AUDIO_CHANNELS 2

struct audio_driver {
    const char *name;
    /* Starts its thread. 0 or -errno with a->error filled; then close() is not called. */
    int (*open)(struct audio *a);
    void (*close)(struct audio *a);
    /* May be NULL: a->is_lost says it all. Any thread. */
    bool (*is_lost)(const struct audio *a);
    /* As audio_is_outdone(). May be NULL: never. */
    bool (*is_outdone)(struct audio *a);
};

extern const struct audio_driver audio_sdl, audio_alsa, audio_null, audio_wav;

struct audio_retry;

struct audio {
    const struct audio_driver *driver;
    char *device, *wav_path; /* NULL: default, none */
    int period_frames, periods;
    audio_fill *fill;
    void *ctx;
    const struct log *log;
    void *state;     /* the driver's */
    char error[160]; /* why open() failed */
    char used[256];  /* name of the device that was opened, for people; "": the driver's default */
    _Atomic bool is_lost;
    _Atomic uint64_t xruns;    /* times the device ran dry */
    struct audio_retry *retry; /* looks for a device while none can be used; else NULL */
};

/* Time of `frames` frames, exact to the nanosecond below. */
int64_t audio_frames_ns(int64_t frames);
