/* What of a board's health has changed from one look at it to the next. Pure. */
#pragma once

#include <stdint.h>

#include "base/board.h"

/* A set of them is an unsigned. */
enum board_news {
    NEWS_POWER_WEAK = 1u << 0,
    NEWS_POWER_GOOD = 1u << 1,
    NEWS_SLOW = 1u << 2, /* the processor is slowed down, or hot where the board does not say so */
    NEWS_FAST = 1u << 3,
};

/* Zeroed: nobody has looked yet. */
struct board_watch {
    bool has_looked, is_hot;
    struct board board; /* the last look */
    /* How often it was found, what came and went between two looks too, as far as the board knows. */
    uint64_t undervoltages, throttlings;
};

/* Returns a set of enum board_news. What the board had before the first look is no news, and what
 * cannot be read once has not changed. */
unsigned board_watch_take(struct board_watch *w, const struct board *look);
