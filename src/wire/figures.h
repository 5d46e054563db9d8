/* The figures by which a box is judged over a time, as its log has them each hour: "figures: songs=14 late=0 hottest_c=61.3".
 * Counters are those of `status`: some outlive a restart of the player, some begin anew. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

struct message;

enum figure {
    FIGURE_SONGS, /* played; counters up to THROTTLINGS */
    FIGURE_REQUESTS,
    FIGURE_FAILED,
    FIGURE_LATE,      /* pictures, on all outputs */
    FIGURE_UNDERRUNS, /* a deck had no samples in time */
    FIGURE_XRUNS,     /* the sound device ran dry */
    FIGURE_UNDERVOLTAGES,
    FIGURE_THROTTLINGS,
    FIGURE_HOTTEST_C,     /* degrees Celsius, the highest */
    FIGURE_STATE_FREE_MB, /* the last */
    FIGURE_CACHE_FREE_MB,
    FIGURES
};

#define FIGURES_TEXT_MAX 512

/* NaN: not known. */
struct figures {
    double at[FIGURES];
};

const char *figure_name(enum figure which); /* "late" */
void figures_init(struct figures *f);       /* nothing is known */
/* Of an answer to `status`: the hottest is what it is now. */
void figures_of(struct figures *f, const struct message *status);
/* The line of the log; what is not known is left out. Returns `out`. */
const char *figures_text(const struct figures *f, char *out, size_t size);
/* false: it is no such line, *f is as it was. What it has none of is not known; what is no figure of ours is passed over. */
bool figures_parse(struct figures *f, const char *text);

/* What came together over a time, from lines in their order. Zero it by figures_sum_init(). */
struct figures_sum {
    struct figures sum, last;
};

/* `from_start`: the counters of the first line count; else it is only what the next ones are compared with. */
void figures_sum_init(struct figures_sum *s, bool from_start);
void figures_sum_add(struct figures_sum *s, const struct figures *f);
