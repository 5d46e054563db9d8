/* Paints the overlay on a painter's thread. The render thread asks for a view and takes the newest finished bitmaps when
 * it draws; outputs of one size share them. */
#pragma once

#include "base/log.h"
#include "shm/control.h"
#include "stage/painter.h"

struct overlay_painter;

/* `done` is called on the painter's thread when a new painting is ready. NULL: no thread can be started, it is said. */
struct overlay_painter *overlay_painter_create(struct log *log, void (*done)(void *ctx), void *ctx);
void overlay_painter_destroy(struct overlay_painter *p);
/* Shows `scene` on outputs of this size from now on, with `left_ms` to go (< 0: unknown) at monotonic time
 * `now_ns`. Cheap when nothing changed. Render thread. */
void overlay_painter_show(struct overlay_painter *p, const struct scene *scene, int width,
                          int height, int64_t left_ms, int64_t now_ns);
/* The newest painting of that size, or NULL. It stays valid until the next call with the same size.
 * Render thread. */
const struct painting *overlay_painter_take(struct overlay_painter *p, int width, int height);
