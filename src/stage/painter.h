/* A thread that paints bitmaps for several canvases, so that fonts and text never hold up a picture. The render thread
 * asks for what a canvas is to show, and takes what is finished when it draws. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "output/bitmap.h"
#include "shm/control.h"

#define PAINTER_CANVASES OUTPUTS_MAX
#define PAINTER_BITMAPS  12 /* of one painting */

/* What a canvas shows: bitmaps at their places, the first lies lowest. */
struct painting {
    uint64_t version; /* grows with every painting of its canvas */
    uint64_t scene;   /* serial of the scene it shows (0: it shows none) ... */
    int64_t since_ns; /* ... and since when that is so */
    int count;
    struct bitmap *bitmap[PAINTER_BITMAPS];
};

struct painter_params {
    size_t wish_size; /* a wish is that many bytes, which mean something to `paint` alone */
    /* Painter's thread. Fills `out` (empty before) with what the wish asks for; the bitmaps are the painter's then, whatever
     * is returned. False: it cannot be painted (any more), what was there stays. */
    bool (*paint)(void *ctx, const void *wish, struct painting *out);
    void *paint_ctx;
    /* Painter's thread: a new painting can be taken. */
    void (*done)(void *ctx);
    void *done_ctx;
};

struct painter;

struct painter *painter_create(
    const struct painter_params *params); /* NULL: no thread can be started */
/* Waits for the painting that is under way. NULL is fine. */
void painter_destroy(struct painter *p);
/* The functions below are for the render thread, `canvas` < PAINTER_CANVASES. */
/* The canvas is to show this (copied); a wish not yet begun is forgotten. */
void painter_want(struct painter *p, int canvas, const void *wish);
/* The canvas shows nothing: what was painted or wanted until now is never taken. */
void painter_clear(struct painter *p, int canvas);
/* The newest finished painting of the canvas, or NULL. Valid until the next painter_take or painter_clear of it. */
const struct painting *painter_take(struct painter *p, int canvas);
