#include "media/sound_levels.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/alloc.h"

/* Sound is decoded at most 2.7 s ahead, pictures are drawn 25 a second; the oldest gives way. */
enum { LEVELS = 128 };

struct sound_levels {
    /* Constant after create. */
    size_t samples;

    /* Audio thread only. */
    double energy;
    size_t summed;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* Protected by lock. */
    float level[LEVELS];
    uint64_t head, tail;
    bool is_finished;
};

struct sound_levels *sound_levels_create(size_t samples)
{
    struct sound_levels *l = xcalloc(1, sizeof(*l));
    l->samples = samples;
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->changed, NULL);
    return l;
}

void sound_levels_destroy(struct sound_levels *l)
{
    if (!l)
        return;
    pthread_cond_destroy(&l->changed);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

/* The lock is held. */
static void put(struct sound_levels *l, float level)
{
    if (l->head - l->tail == LEVELS)
        l->tail++;
    l->level[l->head++ % LEVELS] = level;
    pthread_cond_signal(&l->changed);
}

static float level_of(double energy, size_t samples)
{
    /* The square root of the mean amplitude spreads quiet music over more of the range. */
    double amplitude = sqrt(energy / (2.0 * (double)samples));
    return isfinite(amplitude) ? (float)fmin(sqrt(amplitude), 1.0) : 0.0f;
}

void sound_levels_feed(struct sound_levels *l, const float *lr, size_t count)
{
    while (count > 0) {
        size_t n = l->samples - l->summed;
        n = n < count ? n : count;
        for (size_t i = 0; lr && i < n * 2; i++)
            l->energy += (double)lr[i] * lr[i];
        l->summed += n;
        if (l->summed == l->samples) {
            pthread_mutex_lock(&l->lock);
            put(l, level_of(l->energy, l->samples));
            pthread_mutex_unlock(&l->lock);
            l->energy = 0.0;
            l->summed = 0;
        }
        lr = lr ? lr + n * 2 : NULL;
        count -= n;
    }
}

void sound_levels_finish(struct sound_levels *l)
{
    pthread_mutex_lock(&l->lock);
    l->is_finished = true;
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->lock);
}

bool sound_levels_take(struct sound_levels *l, float *level, uint64_t *number)
{
    pthread_mutex_lock(&l->lock);
    while (l->head == l->tail && !l->is_finished)
        pthread_cond_wait(&l->changed, &l->lock);
    bool is_there = l->head != l->tail;
    if (is_there) {
        *number = l->tail;
        *level = l->level[l->tail++ % LEVELS];
    }
    pthread_mutex_unlock(&l->lock);
    return is_there;
}
