/* Brings pictures into the arena that their decoder could not put there, converting those in formats
 * that have no name in ours. One thread. */
#pragma once

#include "media/frame_writer.h"

struct image_convert;

struct image_convert *image_convert_create(struct frame_writer *w);
void image_convert_destroy(struct image_convert *c); /* NULL is fine */
/* Makes `f` a picture in the arena, in a format of ours, no side longer than `max_side` (0: any). Nothing
 * is copied when it is one already. 0 or AVERROR; then `f` is as it was. */
WARN_UNUSED int image_bring_in(struct image_convert *c, AVFrame *f, int max_side);
