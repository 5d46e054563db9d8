/* Copies cues of subtitles out of the decks' memory, in the size of each screen, on a painter's thread: text never holds
 * up a picture. The render thread asks for a cue and takes what is finished when it draws. */
#pragma once

#include "output/picture.h"
#include "shm/deck_ring.h"
#include "stage/painter.h"

struct text_wish {
    struct deck_segment *ring; /* outlives the painter */
    uint64_t load, cue;        /* load 0: nothing is to be seen */
    struct rect place;         /* of the picture on the screen */
};

struct text_painter;

/* `done` is called on the painter's thread when a new painting is ready. NULL: no thread can be started. */
struct text_painter *text_painter_create(void (*done)(void *ctx), void *ctx);
void text_painter_destroy(struct text_painter *p); /* NULL is fine */
/* What screen `screen` (< OUTPUTS_MAX) is to draw for this wish: until it is ready what was there before; NULL: nothing.
 * Valid until the next call for the screen. Render thread. */
const struct painting *text_painter_show(struct text_painter *p, int screen,
                                         const struct text_wish *wish);
