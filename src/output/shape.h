/* Antialiased shapes and masks painted over a bitmap of premultiplied pixels. Coordinates are
 * those of the output, as in the draw list; what lies outside the bitmap is cut. Colours are
 * 0xRRGGBBAA, straight alpha. Pure; any thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "output/picture.h"
#include "overlay/draw_list.h"

void shape_rect(struct bitmap *b, struct rect r, int radius, uint32_t rgba);
void shape_icon(struct bitmap *b, enum draw_icon icon, struct rect r, uint32_t rgba);
/* `mask`: r.w * r.h coverages 0..255. */
void shape_mask(struct bitmap *b, struct rect r, const uint8_t *mask, uint32_t rgba);
/* `pixels`: r.w * r.h, premultiplied; `alpha` 0..255 fades them. */
void shape_pixels(struct bitmap *b, struct rect r, const uint32_t *pixels, uint8_t alpha);

struct point {
    float x, y;
};
/* Adds the polygon to a mask of w * h: the share of each pixel that lies inside. Points outside
 * the mask are moved to its edge. Shapes united in one mask do not darken where they meet. */
void shape_polygon_add(uint8_t *mask, int w, int h, const struct point *p, size_t count);
/* Takes the polygon out of the mask. */
void shape_polygon_cut(uint8_t *mask, int w, int h, const struct point *p, size_t count);
