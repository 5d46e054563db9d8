/* A picture as the stage hands it to an output: borrowed planes of a decoded frame, and overlay
 * bitmaps. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "shm/deck_ring.h"

struct picture {
    struct frame_desc desc;
    const uint8_t *plane[FRAME_PLANES]; /* borrowed: valid until another picture is drawn */
};

/* Where the picture goes in a w x h output: the largest rectangle of its shape (sample aspect and
 * rotation counted), centred. */
struct rect {
    int x, y, w, h;
};
struct rect picture_fit(const struct frame_desc *f, int w, int h);

/* Whether a description from outside can be drawn: known format, sane size, planes present and
 * strides wide enough. That the planes are as long as they must be is for the caller to know. */
bool picture_is_drawable(const struct picture *p);

/* Overlay pixels, B G R A premultiplied; transparent where nothing is drawn. */
struct bitmap {
    int x, y, w, h;
    int stride; /* bytes */
    uint8_t *pixels;
};
