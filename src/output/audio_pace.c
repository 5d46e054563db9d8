#include "output/audio_pace.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/now.h"
#include "base/thread.h"

#define AHEAD_PERIODS 2

struct audio_pace {
    /* Constant after the start. */
    struct audio *audio;
    audio_sink *sink;
    void *ctx;
    float *block;
    pthread_t thread;

    struct doorbell ending;
};

static void *pace_run(void *arg)
{
    struct audio_pace *p = arg;
    struct audio *a = p->audio;
    int64_t ahead = audio_frames_ns((int64_t)AHEAD_PERIODS * a->period_frames);
    int64_t t0 = now_mono_ns() + ahead;
    thread_hurry(THREAD_SOUND);
    for (int64_t frames = 0;; frames += a->period_frames) {
        int64_t heard = t0 + audio_frames_ns(frames);
        if (doorbell_nap(&p->ending, heard - ahead))
            return NULL;
        a->fill(a->ctx, p->block, a->period_frames, heard);
        if (p->sink)
            p->sink(p->ctx, p->block, a->period_frames);
    }
}

int audio_pace_start(struct audio_pace **out, struct audio *a, audio_sink *sink, void *ctx)
{
    struct audio_pace *p = xcalloc(1, sizeof(*p));
    p->audio = a;
    p->sink = sink;
    p->ctx = ctx;
    p->block = xcalloc((size_t)a->period_frames * AUDIO_CHANNELS, sizeof(*p->block));
    int err = pthread_create(&p->thread, NULL, pace_run, p);
    if (err != 0) {
        free(p->block);
        free(p);
        return -err;
    }
    *out = p;
    return 0;
}

void audio_pace_stop(struct audio_pace *p)
{
    doorbell_ring(&p->ending);
    pthread_join(p->thread, NULL);
    free(p->block);
    free(p);
}
