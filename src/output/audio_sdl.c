/* Sound through SDL. SDL does not say how much it has queued; what is known of each of its drivers is in a
 * table below.
 *
 * SDL_AudioInit() is called directly: SDL_InitSubSystem() counts its users without a lock, and this may
 * run beside the main thread's work on video. */
#include <SDL.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/now.h"
#include "output/audio_clock.h"
#include "output/audio_driver.h"

/* With most sound servers SDL holds one block in all, so that a longer one lasts over more of a hiccup;
 * but the longer it is, the less the table below is true (1024 frames: 5 ms off, 4096: 50 ms). */
enum { BLOCK_PERIODS = 2 };

struct sdl_audio {
    SDL_AudioDeviceID device;
    int64_t queued_ns; /* before the block that is being filled */
    /* The device's thread only. */
    struct audio_clock clock;
};

/* How many blocks are queued, on average, when SDL calls for the next one (SDL 2.26 to 2.32):
 * pulseaudio: it asks the server to hold one block in all, stream and sink together, and calls right
 *   after the last byte of the block before was taken;
 * alsa: a buffer of two blocks, blocking writes: it calls when the second was just taken;
 * pipewire: it calls in the graph's cycle, for the next cycle;
 * jack: one block waits for the graph's callback, one is played;
 * dsp and what is not named: two, as nearly all double-buffer. */
static const struct {
    const char *sdl_driver;
    double blocks;
} queued[] = {
    { "pulseaudio", 1 }, { "alsa", 2 }, { "pipewire", 1 }, { "jack", 2 }, { "dummy", 1 },
};

static double queued_blocks(const char *sdl_driver)
{
    for (size_t i = 0; i < ARRAY_LEN(queued); i++) {
        if (strcmp(queued[i].sdl_driver, sdl_driver) == 0)
            return queued[i].blocks;
    }
    return 2;
}

static void sdl_callback(void *ctx, Uint8 *out, int bytes)
{
    struct audio *a = ctx;
    struct sdl_audio *s = a->state;
    int count = bytes / (int)(AUDIO_CHANNELS * sizeof(float));
    int64_t heard = audio_clock_block(&s->clock, now_mono_ns() + s->queued_ns, count);
    a->fill(a->ctx, (float *)(void *)out, count, heard);
}

static int sdl_open(struct audio *a)
{
    if (SDL_AudioInit(NULL) < 0) {
        snprintf(a->error, sizeof(a->error), "%s", SDL_GetError());
        return -ENODEV;
    }
    struct sdl_audio *s = xcalloc(1, sizeof(*s));
    SDL_AudioSpec want = {
        .freq = AUDIO_RATE,
        .format = AUDIO_F32SYS,
        .channels = AUDIO_CHANNELS,
        .samples = (Uint16)(BLOCK_PERIODS * a->period_frames),
        .callback = sdl_callback,
        .userdata = a,
    };
    SDL_AudioSpec have;
    a->state = s;
    s->device = SDL_OpenAudioDevice(a->device, 0, &want, &have, 0);
    if (s->device == 0) {
        snprintf(a->error, sizeof(a->error), "%s", SDL_GetError());
        SDL_AudioQuit();
        free(s);
        a->state = NULL;
        return -ENODEV;
    }
    const char *sdl_driver = SDL_GetCurrentAudioDriver();
    s->queued_ns = audio_frames_ns((int64_t)(queued_blocks(sdl_driver) * have.samples));
    snprintf(a->used, sizeof(a->used), "%s%s%s", sdl_driver, a->device ? " " : "",
             a->device ? a->device : "");
    log_debug(a->log, "SDL's %s, %d frames a block", sdl_driver, have.samples);
    SDL_PauseAudioDevice(s->device, 0);
    return 0;
}

static void sdl_close(struct audio *a)
{
    struct sdl_audio *s = a->state;
    SDL_CloseAudioDevice(s->device);
    SDL_AudioQuit();
    free(s);
    a->state = NULL;
}

/* SDL stops a device that went away; it is never paused otherwise. */
static bool sdl_is_lost(const struct audio *a)
{
    const struct sdl_audio *s = a->state;
    return SDL_GetAudioDeviceStatus(s->device) == SDL_AUDIO_STOPPED;
}

const struct audio_driver audio_sdl = {
    .name = "sdl", .open = sdl_open, .close = sdl_close, .is_lost = sdl_is_lost
};
