#include "stage/sound.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/backoff.h"
#include "base/now.h"
#include "shm/doorbell.h"

static const struct backoff_policy reopen_policy = { .first_ms = 1000,
                                                     .max_ms = 15000,
                                                     .factor = 2 };

/* How often a running device is asked whether it is still there. */
enum { LOOK_MS = 500 };

struct sound {
    /* Constant after create. */
    const struct config *config;
    struct control *control;
    audio_fill *fill;
    void *ctx;
    struct log *log;
    pthread_t thread;

    struct doorbell ending;

    /* The thread only. */
    struct sound_row row; /* told last */
    uint64_t xruns;       /* of the devices before this one, and of earlier lives */
};

/* Waits; true when it is time to end. */
static bool wait_ms(struct sound *s, int64_t ms)
{
    return doorbell_nap(&s->ending, now_mono_ns() + MS(ms));
}

static struct audio *open_device(struct sound *s, const char *driver)
{
    struct audio *audio = NULL;
    struct audio_params p = {
        .driver = driver,
        .device = s->config->sound.device,
        .wav_path = s->config->sound.wav_file,
        .fill = s->fill,
        .ctx = s->ctx,
        .log = s->log,
    };
    return audio_open(&audio, &p) < 0 ? NULL : audio;
}

static void tell(struct sound *s, const struct audio *audio)
{
    struct sound_row row = { .xruns = s->xruns + audio_xruns(audio) };
    snprintf(row.driver, sizeof(row.driver), "%s", audio_driver_name(audio));
    snprintf(row.device, sizeof(row.device), "%s", audio_device_name(audio));
    if (row.xruns > s->row.xruns)
        log_warn(s->log, "the sound device ran dry (%llu times so far)",
                 (unsigned long long)row.xruns);
    if (memcmp(&row, &s->row, sizeof(row)) != 0)
        sound_row_store(&s->control->sound, &row);
    s->row = row;
}

/* Until the device is lost, there is a better one, or the end comes (true). */
static bool attend(struct sound *s, struct audio *audio)
{
    for (;;) {
        tell(s, audio);
        if (wait_ms(s, LOOK_MS))
            return true;
        if (audio_is_lost(audio)) {
            log_warn(s->log, "the sound device is gone; trying to open it again");
            return false;
        }
        if (audio_is_outdone(audio)) {
            log_info(s->log, "there is a better device for the sound than %s",
                     audio_device_name(audio));
            return false;
        }
    }
}

static void leave(struct sound *s, struct audio *audio)
{
    if (!audio)
        return;
    s->xruns += audio_xruns(audio);
    audio_close(audio);
}

static void *keep(void *arg)
{
    struct sound *s = arg;
    const char *wanted = s->config->sound.driver;
    bool is_ending = false;
    for (unsigned failures = 0; !is_ending;) {
        struct audio *audio = open_device(s, wanted);
        if (audio) {
            failures = 0;
            is_ending = attend(s, audio);
        } else {
            audio = open_device(s, "null"); /* time must go on */
            if (audio)
                tell(s, audio);
            is_ending = wait_ms(s, backoff_ms(&reopen_policy, failures++, 0));
        }
        leave(s, audio);
    }
    return NULL;
}

struct sound *sound_create(const struct config *config, struct control *control, audio_fill *fill,
                           void *ctx, struct log *log)
{
    struct sound *s = xcalloc(1, sizeof(*s));
    struct sound_row old;
    if (sound_row_load(&control->sound, &old))
        s->xruns = s->row.xruns = old.xruns;
    s->control = control;
    s->config = config;
    s->fill = fill;
    s->ctx = ctx;
    s->log = log;
    if (pthread_create(&s->thread, NULL, keep, s) != 0) {
        log_err(log, "cannot start the sound's thread");
        free(s);
        return NULL;
    }
    return s;
}

void sound_destroy(struct sound *s)
{
    if (!s)
        return;
    doorbell_ring(&s->ending);
    pthread_join(s->thread, NULL);
    free(s);
}
