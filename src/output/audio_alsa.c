/* Sound through ALSA directly: a named PCM, the true delay of the device, its own recovery. */
#include <alsa/asoundlib.h>
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/now.h"
#include "base/thread.h"
#include "output/audio_clock.h"
#include "output/audio_driver.h"
#include "output/sound_cards.h"

#define DRM_DIR      "/sys/class/drm"
#define CHOOSE_NS    SECONDS(2) /* how often it is asked whether there is a better device */
#define WAIT_MS      100        /* how long the thread may sleep without looking whether to end */
#define STALLED_MS   2000       /* so long without taking anything: the device is dead */
#define RECOVERY_MAX 10         /* in a row */

struct alsa {
    struct audio *audio;
    snd_pcm_t *pcm;
    snd_pcm_format_t format;
    snd_pcm_uframes_t period;
    float *block;
    int16_t *block_s16;
    pthread_t thread;
    _Atomic bool is_stopping;
    /* Who opened it only. */
    struct sound_choice choice; /* that was had then */
    int64_t chosen_ns;          /* looked for a better one then */
    /* The thread only. */
    struct audio_clock clock;
    int64_t taken_ns; /* when the device last took something ... */
    int recoveries;   /* ... and since then */
};

/* ---- setting up ------------------------------------------------------------------------------- */

/* The first of these the device takes. */
static int set_format(struct alsa *s, snd_pcm_hw_params_t *hw)
{
    static const snd_pcm_format_t formats[] = { SND_PCM_FORMAT_FLOAT, SND_PCM_FORMAT_S16 };
    int ret = -EINVAL;
    for (size_t i = 0; i < ARRAY_LEN(formats) && ret < 0; i++) {
        ret = snd_pcm_hw_params_set_format(s->pcm, hw, formats[i]);
        s->format = formats[i];
    }
    return ret;
}

static int set_hardware(struct alsa *s, snd_pcm_uframes_t *buffer)
{
    snd_pcm_hw_params_t *hw;
    snd_pcm_hw_params_alloca(&hw);
    s->period = (snd_pcm_uframes_t)s->audio->period_frames;
    int ret = snd_pcm_hw_params_any(s->pcm, hw);
    if (ret >= 0)
        ret = snd_pcm_hw_params_set_access(s->pcm, hw, SND_PCM_ACCESS_RW_INTERLEAVED);
    if (ret >= 0)
        ret = set_format(s, hw);
    if (ret >= 0)
        ret = snd_pcm_hw_params_set_channels(s->pcm, hw, AUDIO_CHANNELS);
    if (ret >= 0)
        ret = snd_pcm_hw_params_set_rate(s->pcm, hw, AUDIO_RATE, 0);
    if (ret >= 0)
        ret = snd_pcm_hw_params_set_period_size_near(s->pcm, hw, &s->period, NULL);
    *buffer = s->period * (snd_pcm_uframes_t)s->audio->periods;
    if (ret >= 0)
        ret = snd_pcm_hw_params_set_buffer_size_near(s->pcm, hw, buffer);
    return ret < 0 ? ret : snd_pcm_hw_params(s->pcm, hw);
}

static int set_software(struct alsa *s, snd_pcm_uframes_t buffer)
{
    snd_pcm_sw_params_t *sw;
    snd_pcm_sw_params_alloca(&sw);
    int ret = snd_pcm_sw_params_current(s->pcm, sw);
    if (ret >= 0)
        ret = snd_pcm_sw_params_set_start_threshold(s->pcm, sw, buffer - s->period);
    if (ret >= 0)
        ret = snd_pcm_sw_params_set_avail_min(s->pcm, sw, s->period);
    if (ret >= 0)
        ret = snd_pcm_sw_params_set_tstamp_mode(s->pcm, sw, SND_PCM_TSTAMP_ENABLE);
    if (ret >= 0)
        ret = snd_pcm_sw_params_set_tstamp_type(s->pcm, sw, SND_PCM_TSTAMP_TYPE_MONOTONIC);
    return ret < 0 ? ret : snd_pcm_sw_params(s->pcm, sw);
}

/* ---- playing ---------------------------------------------------------------------------------- */

/* When the next sample written will be heard. The stamp says when the delay was true; plugins that leave
 * it empty or keep another clock are answered with the time of the call. */
static int64_t next_heard_ns(struct alsa *s)
{
    snd_pcm_status_t *status;
    snd_htimestamp_t stamp;
    snd_pcm_status_alloca(&status);
    int64_t now = now_mono_ns();
    if (snd_pcm_status(s->pcm, status) < 0)
        return now;
    snd_pcm_status_get_htstamp(status, &stamp);
    int64_t at = stamp.tv_sec * NS_PER_S + stamp.tv_nsec;
    if (at > now + MS(1) || at < now - MS(100))
        at = now;
    int64_t delay = snd_pcm_status_get_delay(status);
    return at + audio_frames_ns(delay > 0 ? delay : 0);
}

static const void *samples_to_write(struct alsa *s, size_t from)
{
    if (s->format == SND_PCM_FORMAT_FLOAT)
        return s->block + from * AUDIO_CHANNELS;
    return s->block_s16 + from * AUDIO_CHANNELS;
}

static void convert_to_s16(struct alsa *s)
{
    for (size_t i = 0; i < s->period * AUDIO_CHANNELS; i++) {
        float v = fminf(fmaxf(s->block[i], -1.0f), 1.0f);
        s->block_s16[i] = (int16_t)lrintf(v * 32767.0f);
    }
}

/* Asked after a wait in vain; so a process that was stopped for long does not blame the device. */
static bool stands_still(const struct alsa *s)
{
    if (now_mono_ns() - s->taken_ns < MS(STALLED_MS))
        return false;
    log_warn(s->audio->log, "alsa %s: the device stands still", snd_pcm_name(s->pcm));
    return true;
}

/* After an underrun or a suspended machine. false: the device is lost. Not snd_pcm_recover(): it waits for
 * a suspended device without an end. */
static bool recover(struct alsa *s, int err)
{
    s->clock.is_running = false;
    int ret = err == -EINTR ? 0 : err;
    if (err == -ESTRPIPE)
        ret = snd_pcm_resume(s->pcm);
    if (ret == -EAGAIN) {
        poll(NULL, 0, WAIT_MS);
        return !stands_still(s);
    }
    if (err == -EPIPE)
        atomic_fetch_add(&s->audio->xruns, 1);
    if (ret < 0 && (err == -EPIPE || err == -ESTRPIPE))
        ret = snd_pcm_prepare(s->pcm);
    if (ret < 0 || ++s->recoveries > RECOVERY_MAX) {
        log_warn(s->audio->log, "alsa %s: %s", snd_pcm_name(s->pcm), snd_strerror(err));
        return false;
    }
    log_debug(s->audio->log, "alsa %s: %s, going on", snd_pcm_name(s->pcm), snd_strerror(err));
    return true;
}

/* Until the device takes more, or for WAIT_MS. false: it is lost. */
static bool wait_for_room(struct alsa *s)
{
    int ret = snd_pcm_wait(s->pcm, WAIT_MS);
    return ret < 0 ? recover(s, ret) : ret > 0 || !stands_still(s);
}

/* Fills and writes one period. false: the device is lost. */
static bool play_period(struct alsa *s)
{
    int64_t heard = audio_clock_block(&s->clock, next_heard_ns(s), (int64_t)s->period);
    s->audio->fill(s->audio->ctx, s->block, (int)s->period, heard);
    if (s->format != SND_PCM_FORMAT_FLOAT)
        convert_to_s16(s);
    bool is_there = true;
    snd_pcm_uframes_t done = 0;
    while (is_there && done < s->period && !atomic_load(&s->is_stopping)) {
        snd_pcm_sframes_t n = snd_pcm_writei(s->pcm, samples_to_write(s, done), s->period - done);
        if (n > 0) {
            done += (snd_pcm_uframes_t)n;
            s->taken_ns = now_mono_ns();
            s->recoveries = 0;
        } else {
            is_there = n == 0 || n == -EAGAIN ? wait_for_room(s) : recover(s, (int)n);
        }
    }
    return is_there;
}

static void *alsa_run(void *arg)
{
    struct alsa *s = arg;
    bool is_there = true;
    thread_hurry(THREAD_SOUND);
    s->taken_ns = now_mono_ns();
    while (is_there && !atomic_load(&s->is_stopping)) {
        snd_pcm_sframes_t room = snd_pcm_avail_update(s->pcm);
        if (room >= (snd_pcm_sframes_t)s->period)
            is_there = play_period(s);
        else
            is_there = room < 0 ? recover(s, (int)room) : wait_for_room(s);
    }
    if (!is_there)
        atomic_store(&s->audio->is_lost, true);
    return NULL;
}

/* ---- open and close --------------------------------------------------------------------------- */

static void close_pcm(struct alsa *s)
{
    if (s->pcm)
        snd_pcm_close(s->pcm);
    s->pcm = NULL;
}

static void alsa_destroy(struct alsa *s)
{
    close_pcm(s);
    free(s->block);
    free(s->block_s16);
    free(s);
}

static void choose(const struct audio *a, struct sound_choice *out)
{
    struct sound_card cards[SOUND_CARDS_MAX];
    size_t count = sound_cards_read(cards, DRM_DIR);
    sound_choose(cards, count, a->device ? a->device : "", out);
}

static int open_pcm(struct alsa *s, const struct sound_name *name, snd_pcm_uframes_t *buffer)
{
    int ret = snd_pcm_open(&s->pcm, name->text, SND_PCM_STREAM_PLAYBACK, SND_PCM_NONBLOCK);
    if (ret < 0) {
        s->pcm = NULL;
        return ret;
    }
    if (name->is_server && snd_pcm_type(s->pcm) != SND_PCM_TYPE_IOPLUG)
        ret = -ENOENT;
    if (ret >= 0)
        ret = set_hardware(s, buffer);
    if (ret >= 0)
        ret = set_software(s, *buffer);
    if (ret < 0)
        close_pcm(s);
    return ret;
}

/* The best of what is there that can be had. a->error: why each of the others cannot. */
static int open_best(struct alsa *s, snd_pcm_uframes_t *buffer)
{
    struct audio *a = s->audio;
    size_t n = 0;
    int ret = -ENODEV;
    choose(a, &s->choice);
    s->chosen_ns = now_mono_ns();
    if (s->choice.count == 0)
        snprintf(a->error, sizeof(a->error), "no card has the port %.60s", a->device);
    for (size_t i = 0; ret < 0 && i < s->choice.count; i++) {
        const struct sound_name *name = &s->choice.name[i];
        ret = open_pcm(s, name, buffer);
        if (ret >= 0)
            snprintf(a->used, sizeof(a->used), "%s", name->text);
        else if (n < sizeof(a->error))
            n += (size_t)snprintf(a->error + n, sizeof(a->error) - n, "%s%.60s: %s", n ? "; " : "",
                                  name->text, snd_strerror(ret));
    }
    return ret;
}

static int alsa_open(struct audio *a)
{
    struct alsa *s = xcalloc(1, sizeof(*s));
    snd_pcm_uframes_t buffer;
    s->audio = a;
    int ret = open_best(s, &buffer);
    if (ret >= 0) {
        s->block = xcalloc(s->period * AUDIO_CHANNELS, sizeof(*s->block));
        s->block_s16 = xcalloc(s->period * AUDIO_CHANNELS, sizeof(*s->block_s16));
        log_info(a->log, "sound through alsa %s: %s, %lu of %lu frames a period", a->used,
                 snd_pcm_format_name(s->format), s->period, buffer);
        ret = -pthread_create(&s->thread, NULL, alsa_run, s);
        if (ret < 0)
            snprintf(a->error, sizeof(a->error), "no thread: %s", strerror(-ret));
    }
    if (ret < 0) {
        alsa_destroy(s);
        return ret;
    }
    a->state = s;
    return 0;
}

static bool alsa_is_outdone(struct audio *a)
{
    struct alsa *s = a->state;
    struct sound_choice now;
    if (now_mono_ns() - s->chosen_ns < CHOOSE_NS)
        return false;
    s->chosen_ns = now_mono_ns();
    choose(a, &now);
    return sound_choice_beats(&now, &s->choice, a->used);
}

static void alsa_close(struct audio *a)
{
    struct alsa *s = a->state;
    atomic_store(&s->is_stopping, true);
    pthread_join(s->thread, NULL);
    snd_pcm_drop(s->pcm);
    alsa_destroy(s);
    a->state = NULL;
}

const struct audio_driver audio_alsa = {
    .name = "alsa", .open = alsa_open, .close = alsa_close, .is_outdone = alsa_is_outdone
};
