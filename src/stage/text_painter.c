#include "stage/text_painter.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"

_Static_assert(TEXT_BOXES <= PAINTER_BITMAPS, "a cue is one painting");

struct text_painter {
    struct painter *painter;
    struct text_wish wish[OUTPUTS_MAX]; /* render thread */
};

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

/* False: the cue is not there any more. */
static bool paint(void *ctx, const void *wanted, struct painting *out)
{
    const struct text_wish *wish = wanted;
    struct text_cue cue, after;
    if (!text_cue_read(wish->ring, wish->cue, &cue) || cue.load != wish->load)
        return false;
    const uint8_t *pixels = wish->ring->text_pixels[cue.number % TEXT_RING];
    for (uint32_t i = 0; i < cue.box_count; i++) {
        const struct text_box *b = &cue.box[i];
        struct bitmap *copy = bitmap_scaled(pixels + b->offset, (int)b->w, (int)b->h, (int)b->w * 4,
                                            place_of(&cue, b, wish->place));
        if (copy)
            out->bitmap[out->count++] = copy;
    }
    /* The deck may have used the place again meanwhile. */
    return text_cue_read(wish->ring, wish->cue, &after) && after.load == wish->load;
}

struct text_painter *text_painter_create(void (*done)(void *ctx), void *ctx)
{
    struct text_painter *p = xcalloc(1, sizeof(*p));
    p->painter = painter_create(&(struct painter_params){
        .wish_size = sizeof(struct text_wish), .paint = paint, .done = done, .done_ctx = ctx });
    if (p->painter)
        return p;
    free(p);
    return NULL;
}

void text_painter_destroy(struct text_painter *p)
{
    if (!p)
        return;
    painter_destroy(p->painter);
    free(p);
}

static bool is_same(const struct text_wish *a, const struct text_wish *b)
{
    return a->ring == b->ring && a->load == b->load && a->cue == b->cue &&
           a->place.x == b->place.x && a->place.y == b->place.y && a->place.w == b->place.w &&
           a->place.h == b->place.h;
}

const struct painting *text_painter_show(struct text_painter *p, int screen,
                                         const struct text_wish *wish)
{
    assert(screen >= 0 && screen < OUTPUTS_MAX);
    struct text_wish *last = &p->wish[screen];
    if (last->load != wish->load) /* what was there before shall not come back */
        painter_clear(p->painter, screen);
    if (wish->load && !is_same(last, wish))
        painter_want(p->painter, screen, wish);
    *last = *wish;
    return painter_take(p->painter, screen);
}
