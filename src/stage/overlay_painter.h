/* Paints the overlay on a thread of its own, so that fonts and text never hold up a picture. The render
 * thread asks for a view and takes the newest finished bitmaps when it draws. */
#pragma once

#include "base/log.h"
#include "output/picture.h"
#include "overlay/overlay.h"
#include "shm/control.h"

#define OVERLAY_BITMAPS 12

/* What one size of output shows on top of the picture. */
struct overlay_set {
    int width, height;
    uint64_t version; /* grows with every set painted for this size */
    uint64_t scene;   /* serial of what it shows ... */
    int64_t since_ns; /* ... and since when that is so */
    int count;
    struct bitmap *bitmap[OVERLAY_BITMAPS];
};

struct overlay_painter;

/* `done` is called on the painter's thread when a new set is ready. */
struct overlay_painter *overlay_painter_create(struct log *log, void (*done)(void *ctx), void *ctx);
void overlay_painter_destroy(struct overlay_painter *p);
/* Shows `scene` on outputs of this size from now on, with `left_ms` to go (< 0: unknown) at monotonic time
 * `now_ns`. Cheap when nothing changed. Render thread. */
void overlay_painter_show(struct overlay_painter *p, const struct scene *scene, int width,
                          int height, int64_t left_ms, int64_t now_ns);
/* The newest set of that size, or NULL. It stays valid until the next call with the same size.
 * Render thread. */
const struct overlay_set *overlay_painter_take(struct overlay_painter *p, int width, int height);
