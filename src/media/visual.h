/* The picture for sound that has none: slow lights over a dark ground that swell with the music. */
#pragma once

#include <libavutil/frame.h>
#include <stdint.h>

enum { VISUAL_WIDTH = 640, VISUAL_HEIGHT = 360, VISUAL_RATE = 25 };

struct visual {
    uint64_t index; /* of the picture to be drawn; the caller counts */
    float swell;    /* smoothed level, 0..1 */
};

/* Draws picture v->index into `f` (AV_PIX_FMT_YUV420P, VISUAL_WIDTH x VISUAL_HEIGHT, limited range).
 * `level` is how loud the sound is, 0..1. Only `v` and `level` decide what is drawn. */
void visual_draw(struct visual *v, float level, AVFrame *f);
