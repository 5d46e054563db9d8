/* libav's words for pictures in ours: pixel formats, colour, shape, rotation. Pure. */
#pragma once

#include <libavformat/avformat.h>
#include <libavutil/frame.h>

#include "shm/deck_ring.h"

/* Larger ones are refused before memory is taken for them: a header may say anything. */
#define PICTURE_PIXELS_MAX ((int64_t)8192 * 8192)
/* Longer sides are made shorter: no reader takes a descriptor of more. */
enum { PICTURE_SIDE_MAX = 16384 };

/* What the container says of a video stream. */
struct picture_traits {
    AVRational sar;    /* 0/x: the pictures say */
    uint32_t rotation; /* degrees clockwise: 0, 90, 180, 270 */
};

/* PIXEL_NONE: it must be converted. `format` is an enum AVPixelFormat. */
enum pixel_format pixel_format_of(int format);
/* The nearest format of ours, as libav names it; AV_PIX_FMT_NONE: it is no picture in memory. */
enum AVPixelFormat pixel_format_nearest(int format);

struct picture_traits picture_traits_of(const AVStream *st);
/* Degrees clockwise to turn a picture with this display matrix (NULL: none), to the nearest of 0, 90, 180
 * and 270. */
uint32_t picture_rotation(const int32_t matrix[9]);
/* Fills everything but number, load, times and places. `f` is in a format of ours. */
void picture_describe(const AVFrame *f, const struct picture_traits *traits,
                      struct frame_desc *out);
/* The size it is shown with: after sample aspect and rotation. */
void picture_shown_size(const struct frame_desc *d, uint32_t *width, uint32_t *height);
