#include "stage/painter.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

struct canvas {
    void *wish;
    bool is_wanted; /* the wish is not yet begun */
    uint64_t run;   /* grows when the canvas is cleared: paintings begun before are of no use */
    struct painting *fresh; /* painted, not yet taken */
    struct painting *taken; /* render thread only */
    uint64_t version;
};

struct painter {
    /* Constant after create. */
    struct painter_params params;
    pthread_t thread;

    pthread_mutex_t lock;
    pthread_cond_t wanted;
    /* Protected by lock, but for `taken`. */
    struct canvas canvas[PAINTER_CANVASES];
    bool is_ending;
};

static void painting_destroy(struct painting *s)
{
    if (!s)
        return;
    for (int i = 0; i < s->count; i++)
        bitmap_destroy(s->bitmap[i]);
    free(s);
}

static struct canvas *next_wanted(struct painter *p)
{
    for (size_t i = 0; i < PAINTER_CANVASES; i++)
        if (p->canvas[i].is_wanted)
            return &p->canvas[i];
    return NULL;
}

static struct painting *painting_create(struct painter *p, const void *wish)
{
    struct painting *s = xcalloc(1, sizeof(*s));
    if (p->params.paint(p->params.paint_ctx, wish, s))
        return s;
    painting_destroy(s);
    return NULL;
}

static void *paint_loop(void *arg)
{
    struct painter *p = arg;
    void *wish = xcalloc(1, p->params.wish_size);
    pthread_mutex_lock(&p->lock);
    while (!p->is_ending) {
        struct canvas *c = next_wanted(p);
        if (!c) {
            pthread_cond_wait(&p->wanted, &p->lock);
            continue;
        }
        c->is_wanted = false;
        memcpy(wish, c->wish, p->params.wish_size);
        uint64_t run = c->run;
        pthread_mutex_unlock(&p->lock);
        struct painting *s = painting_create(p, wish), *late = s;
        pthread_mutex_lock(&p->lock);
        bool is_new = s && c->run == run;
        if (is_new) {
            s->version = ++c->version;
            late = c->fresh;
            c->fresh = s;
        }
        pthread_mutex_unlock(&p->lock);
        painting_destroy(late);
        if (is_new)
            p->params.done(p->params.done_ctx);
        pthread_mutex_lock(&p->lock);
    }
    pthread_mutex_unlock(&p->lock);
    free(wish);
    return NULL;
}

static void release(struct painter *p)
{
    for (size_t i = 0; i < PAINTER_CANVASES; i++) {
        painting_destroy(p->canvas[i].fresh);
        painting_destroy(p->canvas[i].taken);
        free(p->canvas[i].wish);
    }
    pthread_cond_destroy(&p->wanted);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

struct painter *painter_create(const struct painter_params *params)
{
    struct painter *p = xcalloc(1, sizeof(*p));
    p->params = *params;
    for (size_t i = 0; i < PAINTER_CANVASES; i++)
        p->canvas[i].wish = xcalloc(1, params->wish_size);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wanted, NULL);
    if (pthread_create(&p->thread, NULL, paint_loop, p) == 0)
        return p;
    release(p);
    return NULL;
}

void painter_destroy(struct painter *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->is_ending = true;
    pthread_cond_signal(&p->wanted);
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->thread, NULL);
    release(p);
}

static struct canvas *canvas_of(struct painter *p, int canvas)
{
    assert(canvas >= 0 && canvas < PAINTER_CANVASES);
    return &p->canvas[canvas];
}

void painter_want(struct painter *p, int canvas, const void *wish)
{
    struct canvas *c = canvas_of(p, canvas);
    pthread_mutex_lock(&p->lock);
    memcpy(c->wish, wish, p->params.wish_size);
    c->is_wanted = true;
    pthread_cond_signal(&p->wanted);
    pthread_mutex_unlock(&p->lock);
}

void painter_clear(struct painter *p, int canvas)
{
    struct canvas *c = canvas_of(p, canvas);
    pthread_mutex_lock(&p->lock);
    struct painting *fresh = c->fresh, *taken = c->taken;
    c->fresh = c->taken = NULL;
    c->is_wanted = false;
    c->run++;
    pthread_mutex_unlock(&p->lock);
    painting_destroy(fresh);
    painting_destroy(taken);
}

const struct painting *painter_take(struct painter *p, int canvas)
{
    struct canvas *c = canvas_of(p, canvas);
    pthread_mutex_lock(&p->lock);
    struct painting *old = c->fresh ? c->taken : NULL;
    if (c->fresh) {
        c->taken = c->fresh;
        c->fresh = NULL;
    }
    pthread_mutex_unlock(&p->lock);
    painting_destroy(old);
    return c->taken;
}
