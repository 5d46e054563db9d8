#include "stage/text_painter.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "output/bitmap.h"
#include "output/text_draw.h"

struct canvas {
    struct text_wish wish;
    bool is_wanted; /* wish differs from what was painted */
    uint64_t run;   /* grows when text ends or is another load's: older sets are of no use */
    struct text_set *fresh; /* painted, not yet taken */
    struct text_set *taken; /* render thread only */
    uint64_t version;
};

struct text_painter {
    /* Constant after create. */
    void (*done)(void *ctx);
    void *ctx;
    pthread_t thread;

    pthread_mutex_t lock;
    pthread_cond_t wanted;
    /* Protected by lock, but for `taken`. */
    struct canvas canvas[OUTPUTS_MAX];
    bool is_ending;
};

static void set_destroy(struct text_set *s)
{
    if (!s)
        return;
    for (int i = 0; i < s->count; i++)
        bitmap_destroy(s->bitmap[i]);
    free(s);
}

/* Where a stretch of the canvas lies on the screen. */
static int scaled(uint32_t at, int to, uint32_t from)
{
    return (int)(((int64_t)at * to + from / 2) / from);
}

static struct rect place_of(const struct text_cue *cue, const struct text_box *b, struct rect p)
{
    int x = scaled(b->x, p.w, cue->width), y = scaled(b->y, p.h, cue->height);
    return (struct rect){ p.x + x, p.y + y, scaled(b->x + b->w, p.w, cue->width) - x,
                          scaled(b->y + b->h, p.h, cue->height) - y };
}

/* NULL: the cue is not there any more. */
static struct text_set *paint(const struct text_wish *wish)
{
    struct text_cue cue, after;
    if (!text_cue_read(wish->ring, wish->cue, &cue) || cue.load != wish->load)
        return NULL;
    struct text_set *set = xcalloc(1, sizeof(*set));
    const uint8_t *pixels = wish->ring->text_pixels[cue.number % TEXT_RING];
    for (uint32_t i = 0; i < cue.box_count; i++) {
        const struct text_box *b = &cue.box[i];
        struct bitmap *copy = bitmap_scaled(pixels + b->offset, (int)b->w, (int)b->h, (int)b->w * 4,
                                            place_of(&cue, b, wish->place));
        if (copy)
            set->bitmap[set->count++] = copy;
    }
    /* The deck may have used the place again meanwhile. */
    if (text_cue_read(wish->ring, wish->cue, &after) && after.load == wish->load)
        return set;
    set_destroy(set);
    return NULL;
}

static struct canvas *next_wanted(struct text_painter *p)
{
    for (size_t i = 0; i < OUTPUTS_MAX; i++)
        if (p->canvas[i].is_wanted)
            return &p->canvas[i];
    return NULL;
}

static void *paint_loop(void *arg)
{
    struct text_painter *p = arg;
    pthread_mutex_lock(&p->lock);
    while (!p->is_ending) {
        struct canvas *c = next_wanted(p);
        if (!c) {
            pthread_cond_wait(&p->wanted, &p->lock);
            continue;
        }
        c->is_wanted = false;
        struct text_wish wish = c->wish;
        uint64_t run = c->run;
        pthread_mutex_unlock(&p->lock);
        struct text_set *set = paint(&wish);
        pthread_mutex_lock(&p->lock);
        if (!set || c->run != run) { /* the text is gone, or nobody wants it any more */
            set_destroy(set);
            continue;
        }
        set->version = ++c->version;
        set_destroy(c->fresh);
        c->fresh = set;
        pthread_mutex_unlock(&p->lock);
        p->done(p->ctx);
        pthread_mutex_lock(&p->lock);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

struct text_painter *text_painter_create(void (*done)(void *ctx), void *ctx)
{
    struct text_painter *p = xcalloc(1, sizeof(*p));
    p->done = done;
    p->ctx = ctx;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wanted, NULL);
    if (pthread_create(&p->thread, NULL, paint_loop, p) != 0) {
        pthread_cond_destroy(&p->wanted);
        pthread_mutex_destroy(&p->lock);
        free(p);
        return NULL;
    }
    return p;
}

void text_painter_destroy(struct text_painter *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->is_ending = true;
    pthread_cond_signal(&p->wanted);
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->thread, NULL);
    for (size_t i = 0; i < OUTPUTS_MAX; i++) {
        set_destroy(p->canvas[i].fresh);
        set_destroy(p->canvas[i].taken);
    }
    pthread_cond_destroy(&p->wanted);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

static bool is_same(const struct text_wish *a, const struct text_wish *b)
{
    return a->ring == b->ring && a->load == b->load && a->cue == b->cue &&
           a->place.x == b->place.x && a->place.y == b->place.y && a->place.w == b->place.w &&
           a->place.h == b->place.h;
}

const struct text_set *text_painter_show(struct text_painter *p, int screen,
                                         const struct text_wish *wish)
{
    assert(screen >= 0 && screen < OUTPUTS_MAX);
    struct canvas *c = &p->canvas[screen];
    struct text_set *old = NULL, *stale = NULL;
    pthread_mutex_lock(&p->lock);
    if (c->wish.load != wish->load) { /* what was there before shall not come back */
        stale = c->fresh;
        old = c->taken;
        c->fresh = c->taken = NULL;
        c->run++;
    }
    if (!is_same(&c->wish, wish)) {
        c->wish = *wish;
        c->is_wanted = wish->load != 0;
        pthread_cond_signal(&p->wanted);
    }
    if (c->fresh) {
        old = c->taken;
        c->taken = c->fresh;
        c->fresh = NULL;
    }
    pthread_mutex_unlock(&p->lock);
    set_destroy(old);
    set_destroy(stale);
    return c->taken;
}
