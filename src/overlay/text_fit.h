/* Text made to fit a width: cut with an ellipsis, or wrapped over lines. Cuts fall between
 * characters as readers see them, never inside an accent, a flag or a family. Pure; any thread. */
#pragma once

#include "overlay/draw_list.h"

struct text_style {
    int size; /* pixels */
    enum draw_weight weight;
};

/* Height of the line box. */
int text_line_height(int size);
/* Copies `text` into `out`, blanks at the ends taken off, cut with an ellipsis when it is wider
 * than `max_w` or longer than `out`. Returns its width in pixels, <= max_w; 0: nothing fits or
 * nothing is there, out is "". NULL counts as "". */
int text_fit(const struct text_metrics *m, struct text_style style, const char *text, int max_w,
             char out[DRAW_TEXT_MAX]);
/* Breaks `text` at blanks and between ideographs, inside a word only when it is wider than the
 * line, into up to `max_lines` lines; what is left over is told by an ellipsis. Returns how many
 * lines. */
size_t text_wrap(const struct text_metrics *m, struct text_style style, const char *text, int max_w,
                 char (*lines)[DRAW_TEXT_MAX], size_t max_lines);
