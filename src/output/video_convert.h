/* A decoded picture turned into pixels: depth, size, rotation and colour, with libyuv. The buffers in
 * between are kept, so nothing is allocated as long as pictures keep their size. */
#pragma once

#include <stddef.h>

#include "base/compiler.h"
#include "output/picture.h"

struct converter {
    uint8_t *scratch[3]; /* one for each step: depth, size, rotation */
    size_t scratch_bytes[3];
};

void converter_finish(struct converter *c);
/* Writes the picture, turned and scaled to w x h, as B G R x (x is 255). The alpha of a BGRA picture is
 * resolved over black. 0, -ENOMEM, or -EINVAL for a picture that cannot be. */
WARN_UNUSED int converter_to_bgrx(struct converter *c, const struct picture *p, uint8_t *out,
                                  int stride, int w, int h);
/* The picture as 8 bit 4:2:0 of its own size, unturned, in the converter's memory until its next use. Not
 * for BGRA. 0 or -errno as above. */
WARN_UNUSED int converter_to_i420(struct converter *c, const struct picture *p,
                                  const uint8_t *plane[3], int stride[3]);
