/* What the blocks of the overlay share: a scale, the safe area, and the places already taken. For
 * overlay.c and the block files only. */
#pragma once

#include "overlay/overlay.h"
#include "overlay/text_fit.h"

#define COLOUR_PANEL   0x0b0f17d0u
#define COLOUR_TEXT    0xffffffffu
#define COLOUR_SOFT    0xc6cfdcffu /* artists, plain words */
#define COLOUR_DIM     0x94a1b5ffu /* headings, counts */
#define COLOUR_ACCENT  0x4fc3f7ffu
#define COLOUR_REQUEST 0xffc64bffu
#define COLOUR_PROBLEM 0xff6d5affu
#define COLOUR_ON_PILL 0x1c1404ffu
#define COLOUR_GOOD    0x5fd38dffu
#define COLOUR_TRACK   0xffffff38u /* what the volume bar runs in */

struct box {
    int x, y, w, h;
};

struct layout {
    const struct overlay_view *view;
    const struct text_metrics *metrics;
    struct draw_list *out;
    int unit;             /* pixels: sizes are thousandths of it */
    struct box safe;      /* nothing is drawn outside */
    struct box placed[8]; /* panels drawn so far */
    size_t placed_count;
};

/* Thousandths of the unit in pixels, at least 1. */
int layout_px(const struct layout *l, int thousandths);
/* A font of that size, not below what can still be told apart. */
struct text_style layout_font(const struct layout *l, int thousandths, enum draw_weight weight);
/* Takes the place. false: it is outside the safe area or too near to one already taken. */
bool layout_place(struct layout *l, struct box b);
/* Blocks at the top begin here: below the band that is kept free of them. */
int layout_top(const struct layout *l);

void layout_rect(struct layout *l, struct box b, int radius, uint32_t rgba);
/* A translucent panel with rounded corners. */
void layout_panel(struct layout *l, struct box b);
void layout_icon(struct layout *l, enum draw_icon icon, struct box b, uint32_t rgba);
/* `w` is what text_fit() said; nothing is drawn when it is 0. x, y: top left of the line box. */
void layout_text(struct layout *l, struct text_style style, uint32_t rgba, int x, int y, int w,
                 const char *text);

/* The blocks, in the order of their importance: one that finds no place becomes smaller or is
 * left out. block_now: the lower third. block_notice: above it. block_volume: upper left.
 * block_next: upper right. block_link: lower right, or upper left. */
void block_now(struct layout *l);
void block_idle(struct layout *l);
void block_notice(struct layout *l);
void block_volume(struct layout *l);
void block_paused(struct layout *l);
void block_next(struct layout *l);
void block_link(struct layout *l);
/* Size of the volume mark, shown or not: block_next leaves room for it. */
struct box block_volume_size(const struct layout *l);
