#include "output/bitmap.h"

#include <libyuv.h>
#include <stdlib.h>

#include "base/alloc.h"

enum { SIDE_MAX = 16384 };

struct bitmap *bitmap_scaled(const uint8_t *pixels, int w, int h, int stride, struct rect place)
{
    if (w <= 0 || h <= 0 || place.w <= 0 || place.h <= 0 || place.w > SIDE_MAX ||
        place.h > SIDE_MAX)
        return NULL;
    struct bitmap *b = xcalloc(1, sizeof(*b));
    *b = (struct bitmap){ place.x, place.y, place.w, place.h, .stride = place.w * 4 };
    b->pixels = malloc((size_t)place.w * (size_t)place.h * 4);
    bool is_same = w == place.w && h == place.h;
    int ret = -1;
    if (b->pixels && is_same)
        ret = ARGBCopy(pixels, stride, b->pixels, b->stride, w, h);
    else if (b->pixels)
        ret = ARGBScale(pixels, stride, w, h, b->pixels, b->stride, place.w, place.h, kFilterBox);
    if (ret == 0)
        return b;
    bitmap_destroy(b);
    return NULL;
}

void bitmap_destroy(struct bitmap *b)
{
    if (!b)
        return;
    free(b->pixels);
    free(b);
}
