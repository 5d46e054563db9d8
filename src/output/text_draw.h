/* Draw list -> bitmap, with SDL_ttf; fonts are found by fontconfig.
 *
 * Thread-safety: one thread, which may be another than the video output's. SDL_ttf keeps one
 * FreeType library per process without a lock, so two objects must not be used at the same time. */
#pragma once

#include "base/log.h"
#include "output/bitmap.h"
#include "overlay/draw_list.h"

struct text_draw;

/* Opening loads fonts: may take 100 ms, so do it off the render thread. 0 or -errno. */
int text_draw_open(struct text_draw **out, struct log *log);
void text_draw_close(struct text_draw *t);
struct text_metrics text_draw_metrics(struct text_draw *t);
/* Paints the list into new bitmaps, few and tight (touching items share one). Returns how many
 * (<= max); the caller frees each with bitmap_destroy(). */
int text_draw_paint(struct text_draw *t, const struct draw_list *list, struct bitmap **out,
                    int max);
