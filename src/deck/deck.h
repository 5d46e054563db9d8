/* One deck: carries out the brain's orders, one load at a time, and says in shared memory what became of
 * them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/log.h"
#include "base/service.h"
#include "media/load.h"

struct deck;

struct deck_params {
    const char *runtime_dir;
    uint32_t index; /* which deck: < DECKS */
    int threads;    /* for pictures; 0: one per core */
    bool deinterlace;
    struct hardware_settings hardware;
    const char *languages;   /* of subtitles, best first; outlives the deck */
    bool has_overlay;        /* subtitles leave it room */
    const struct log *log;   /* outlives the deck */
    struct service *service; /* told of each turn of deck_run(); outlives the deck, may be NULL */
};

/* Maps the segments and takes up what an earlier life of the deck left there: its rings go on counting.
 * What that life was working on is not begun again, it may have been its death. 0 or -errno. */
WARN_UNUSED int deck_create(struct deck **out, const struct deck_params *params);
/* Ends the load; published pictures and samples stay. NULL is fine. */
void deck_destroy(struct deck *d);

/* Looks at the order and at the load once, and tells what changed. Does not wait for anything but the end
 * of a load that is to be dropped. */
void deck_turn(struct deck *d);
/* Takes turns, waiting for orders between them, until deck_stop(). */
void deck_run(struct deck *d);
/* Any thread. */
void deck_stop(struct deck *d);
