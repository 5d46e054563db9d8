/* Lines of text measured and drawn once and kept: the overlay is painted again each second, and
 * only the time left has changed then.
 *
 * Thread-safety: one thread, the one that opened it. */
#pragma once

#include "base/log.h"
#include "overlay/draw_list.h"

#define FONT_LINES_MAX       256u
#define FONT_LINES_MAX_BYTES ((size_t)12 << 20)

/* A drawn line, without its colour. x, y: from the top left of the line box to the top left of the
 * pixels, may be negative. */
struct font_line {
    int width;           /* what the metrics say */
    int x, y, w, h;      /* w 0: no ink */
    const uint8_t *mask; /* w * h coverages of what takes the text's colour */
    const uint32_t
        *colour; /* w * h pixels of emoji, premultiplied, B G R A in memory; NULL: none */
};

struct font_lines;

/* 0 or -errno; logged. */
int font_lines_open(struct font_lines **out, struct log *log);
void font_lines_close(struct font_lines *l);
/* Width in pixels, >= 0. */
int font_lines_width(struct font_lines *l, const char *text, int size, enum draw_weight weight);
/* Never NULL; borrowed until the next call. A line that cannot be drawn has no ink. */
const struct font_line *font_lines_draw(struct font_lines *l, const char *text, int size,
                                        enum draw_weight weight);

/* How much is kept now. */
struct font_lines_usage {
    size_t lines, bytes, fonts;
};
struct font_lines_usage font_lines_usage(const struct font_lines *l);
