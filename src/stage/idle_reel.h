/* What the screens show while nothing plays: slow lights over a dark ground, so that they are never black and never stand
 * still. It needs no file, no deck and no other process. */
#pragma once

#include "output/picture.h"

#define IDLE_LOAD                                                                                  \
    UINT64_MAX /* a picture of it as a screen_view names it; no deck's load has this number */

enum { IDLE_WIDTH = 320, IDLE_HEIGHT = 180 };

struct idle_reel { /* all zero: nothing is drawn yet */
    uint64_t number;
    uint8_t luma[IDLE_HEIGHT][IDLE_WIDTH];
    uint8_t chroma[2][IDLE_HEIGHT / 2][IDLE_WIDTH / 2];
};

/* Which picture is due at that time (CLOCK_MONOTONIC), never 0; and when the next one is. Pure. */
uint64_t idle_reel_number(int64_t now_ns);
int64_t idle_reel_next_ns(int64_t now_ns);
/* That picture. Its planes are those of `r`, until the next call. */
struct picture idle_reel_picture(struct idle_reel *r, uint64_t number);
