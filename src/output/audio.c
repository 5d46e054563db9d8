#include "output/audio.h"

#include <alsa/asoundlib.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/now.h"
#include "output/audio_driver.h"

#define DEFAULT_PERIOD  512
#define DEFAULT_PERIODS 6 /* 64 ms: the hiccup of the machine that is not heard */
#define PERIOD_MIN      64
#define PERIOD_MAX      8192
#define RETRY_NS        SECONDS(5)

static const struct audio_driver *const drivers[] = { &audio_sdl, &audio_alsa, &audio_null,
                                                      &audio_wav };

/* "auto" before it gives up, in the order of trying. ALSA says how much it has queued, to the sample, also
 * through its plugin for a sound server; SDL does not, and its sound is only near the picture. */
static const struct audio_driver *const devices[] = { &audio_alsa, &audio_sdl };

int64_t audio_frames_ns(int64_t frames)
{
    return frames / 3 * (NS_PER_S / (AUDIO_RATE / 3)) + frames % 3 * NS_PER_S / AUDIO_RATE;
}

/* alsa-lib prints what it finds missing, ours and SDL's uses alike; we report errors ourselves. */
static void ignore_alsa_message(const char *file, int line, const char *function, int err,
                                const char *fmt, ...)
{
}

/* ---- one device ------------------------------------------------------------------------------- */

static struct audio *audio_create(const struct audio_params *p)
{
    struct audio *a = xcalloc(1, sizeof(*a));
    a->device = p->device && p->device[0] != '\0' ? xstrdup(p->device) : NULL;
    a->wav_path = xstrdup(p->wav_path);
    a->period_frames = p->period_frames > 0 ? p->period_frames : DEFAULT_PERIOD;
    a->period_frames = (int)clamp_i64(a->period_frames, PERIOD_MIN, PERIOD_MAX);
    a->periods = p->periods > 1 ? p->periods : DEFAULT_PERIODS;
    a->fill = p->fill;
    a->ctx = p->ctx;
    a->log = p->log;
    return a;
}

static void audio_destroy(struct audio *a)
{
    free(a->device);
    free(a->wav_path);
    free(a);
}

static int try_driver(struct audio *a, const struct audio_driver *d)
{
    a->driver = d;
    a->error[0] = a->used[0] = '\0';
    return d->open(a);
}

/* ---- looking for a device that comes back ------------------------------------------------------ */

struct audio_retry {
    struct audio *owner;
    struct audio *probe; /* opened and closed again, silent */
    pthread_t thread;
    struct doorbell ending;
};

static void fill_silence(void *ctx, float *out, int count, int64_t heard_ns)
{
    memset(out, 0, (size_t)count * AUDIO_CHANNELS * sizeof(*out));
}

static void *retry_run(void *arg)
{
    struct audio_retry *r = arg;
    while (!doorbell_nap(&r->ending, now_mono_ns() + RETRY_NS)) {
        for (size_t i = 0; i < ARRAY_LEN(devices); i++) {
            if (try_driver(r->probe, devices[i]) < 0)
                continue;
            devices[i]->close(r->probe);
            log_info(r->owner->log, "a sound device is there again (%s)", devices[i]->name);
            atomic_store(&r->owner->is_lost, true);
            return NULL;
        }
    }
    return NULL;
}

static void retry_start(struct audio *a, const struct audio_params *p)
{
    struct audio_retry *r = xcalloc(1, sizeof(*r));
    struct audio_params silent = *p;
    silent.fill = fill_silence;
    silent.log = NULL;
    r->owner = a;
    r->probe = audio_create(&silent);
    if (pthread_create(&r->thread, NULL, retry_run, r) != 0) {
        log_warn(a->log, "the sound device will not be looked for again");
        audio_destroy(r->probe);
        free(r);
        return;
    }
    a->retry = r;
}

static void retry_stop(struct audio_retry *r)
{
    if (!r)
        return;
    doorbell_ring(&r->ending);
    pthread_join(r->thread, NULL);
    audio_destroy(r->probe);
    free(r);
}

/* ---- public ----------------------------------------------------------------------------------- */

static int open_automatic(struct audio *a, const struct audio_params *p)
{
    for (size_t i = 0; i < ARRAY_LEN(devices); i++) {
        if (try_driver(a, devices[i]) == 0)
            return 0;
        log_info(a->log, "no sound through %s: %s", devices[i]->name, a->error);
    }
    int ret = try_driver(a, &audio_null);
    if (ret < 0)
        return ret;
    log_warn(a->log,
             "no sound device can be used: the music goes on unheard; trying again every "
             "%d s",
             (int)(RETRY_NS / NS_PER_S));
    retry_start(a, p);
    return 0;
}

static int open_named(struct audio *a, const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(drivers); i++) {
        if (strcmp(drivers[i]->name, name) != 0)
            continue;
        int ret = try_driver(a, drivers[i]);
        if (ret < 0)
            log_err(a->log, "no sound through %s: %s", name, a->error);
        return ret;
    }
    log_err(a->log, "audio driver \"%s\" is unknown; there are auto, alsa, sdl, null, wav", name);
    return -EINVAL;
}

int audio_open(struct audio **out, const struct audio_params *p)
{
    *out = NULL;
    snd_lib_error_set_handler(ignore_alsa_message);
    struct audio *a = audio_create(p);
    bool is_auto = !p->driver || p->driver[0] == '\0' || strcmp(p->driver, "auto") == 0;
    int ret = is_auto ? open_automatic(a, p) : open_named(a, p->driver);
    if (ret < 0) {
        audio_destroy(a);
        return ret;
    }
    *out = a;
    return 0;
}

void audio_close(struct audio *a)
{
    if (!a)
        return;
    retry_stop(a->retry);
    a->driver->close(a);
    audio_destroy(a);
}

const char *audio_driver_name(const struct audio *a)
{
    return a->driver->name;
}

const char *audio_device_name(const struct audio *a)
{
    return a->used;
}

uint64_t audio_xruns(const struct audio *a)
{
    return atomic_load(&a->xruns);
}

bool audio_is_outdone(struct audio *a)
{
    return a->driver->is_outdone && a->driver->is_outdone(a);
}

bool audio_is_lost(const struct audio *a)
{
    return atomic_load(&a->is_lost) || (a->driver->is_lost && a->driver->is_lost(a));
}
