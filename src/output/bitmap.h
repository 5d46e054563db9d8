/* The life of bitmaps that are laid over pictures. */
#pragma once

#include "output/picture.h"

/* A copy of w x h pixels (B G R A premultiplied, `stride` bytes a row), scaled to the size of `place` and to be drawn
 * there. Free it with bitmap_destroy(). NULL: an empty or absurd size, or no memory. */
struct bitmap *bitmap_scaled(const uint8_t *pixels, int w, int h, int stride, struct rect place);
void bitmap_destroy(struct bitmap *b); /* NULL is fine */
