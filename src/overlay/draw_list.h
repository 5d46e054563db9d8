/* What the overlay draws: a flat list in painting order, in pixels of the output. No SDL here; the
 * output turns it into pixels. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum draw_kind { DRAW_RECT, DRAW_TEXT, DRAW_ICON };
enum draw_weight { WEIGHT_REGULAR, WEIGHT_BOLD };
enum draw_icon { ICON_PAUSE, ICON_VOLUME, ICON_MUTE, ICON_WARNING, ICON_NOTE };

#define DRAW_TEXT_MAX  384
#define DRAW_ITEMS_MAX 64

struct draw_item {
    enum draw_kind kind;
    int x, y, w, h; /* TEXT: x,y is the top left of the line box, w its width, h its height */
    int radius;     /* RECT: corner radius */
    uint32_t rgba;  /* 0xRRGGBBAA, straight alpha */
    enum draw_icon icon;
    enum draw_weight weight;  /* TEXT */
    int size;                 /* TEXT: pixel size of the font (line height is about 1.25 x) */
    char text[DRAW_TEXT_MAX]; /* TEXT: UTF-8, one line, logical order, already fitted to w */
};

struct draw_list {
    size_t count;
    struct draw_item item[DRAW_ITEMS_MAX];
};

/* Gives the width in pixels of a line of text; supplied by whoever has the fonts. */
struct text_metrics {
    int (*width)(void *ctx, const char *text, int size, enum draw_weight weight);
    void *ctx;
};
