#include "stage/sound.h"

#include <pthread.h>
#include <stdlib.h>

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
    audio_fill *fill;
    void *ctx;
    struct log *log;
    pthread_t thread;

    struct doorbell ending;
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

/* Until the device is lost or the end comes (true). */
static bool attend(struct sound *s, struct audio *audio)
{
    bool is_ending;
    do {
        is_ending = wait_ms(s, LOOK_MS);
    } while (!is_ending && !audio_is_lost(audio));
    return is_ending;
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
            if (!is_ending)
                log_warn(s->log, "the sound device is gone; trying to open it again");
        } else {
            audio = open_device(s, "null"); /* time must go on */
            is_ending = wait_ms(s, backoff_ms(&reopen_policy, failures++, 0));
        }
        audio_close(audio);
    }
    return NULL;
}

struct sound *sound_create(const struct config *config, audio_fill *fill, void *ctx,
                           struct log *log)
{
    struct sound *s = xcalloc(1, sizeof(*s));
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
