/* Which font files this machine has, by fontconfig: a base sans face in two weights, fallbacks
 * for every other script, one face with colour emoji. A face is named by its index here.
 *
 * Thread-safety: one thread at a time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"
#include "overlay/draw_list.h"
#include "overlay/text_runs.h"

struct font_face {
    const char *file; /* owned by the list */
    long index;       /* as FreeType counts: face in the file, variation above bit 16 */
    bool is_colour;   /* pictures in premultiplied colour, perhaps of one size only */
};

struct font_list;

/* Reads fontconfig's configuration and caches: disk, tens of milliseconds, longer where a cache is
 * missing. 0, -ENOENT when there is no font at all, -EIO. */
int font_list_open(struct font_list **out, struct log *log);
void font_list_close(struct font_list *l);
/* Which face has `code`; -1: none. `previous` as in text_runs.h; its callback for a weight. */
int font_list_pick(const struct font_list *l, enum draw_weight weight, uint32_t code, int previous);
/* face < font_list_count(). */
const struct font_face *font_list_face(const struct font_list *l, enum draw_weight weight,
                                       int face);
int font_list_count(const struct font_list *l, enum draw_weight weight);
