/* One order of the brain being carried out: a file opened, decoded into the rings of a deck, to its end.
 *
 * Four threads of its own: one reads, two decode, one paints subtitles. They wait for readers that make room, so a load may be
 * destroyed at any moment. */
#pragma once

#include "base/board_kind.h"
#include "base/log.h"
#include "media/frame_writer.h"
#include "media/text_lane.h"

struct load;

/* The board's decoders, where they may be used. */
struct hardware_settings {
    const char *dev_dir; /* folder of the devices, "/dev"; outlives the load; NULL: software only */
    enum board_kind board;
};

struct load_params {
    struct deck_order order;
    struct deck_segment *segment;
    struct frame_writer
        *frames;                /* of that segment; outlives the load, one load at a time uses it */
    struct doorbell *deck_bell; /* rung by readers that make room; the load rings it when its state
                                       changes */
    struct doorbell *stage_bell; /* rung when a reader may be waiting for what was written */
    int threads;                 /* for pictures; 0: one per core */
    bool deinterlace;
    bool keeps_pace;           /* gives up pictures that would be seen long after their sound */
    struct text_settings text; /* of subtitles; `languages` outlives the load */
    struct hardware_settings hardware;
    const struct log *log; /* outlives the load */
};

/* Starts it. NULL: no thread can be made. `p` need live for the call only. */
struct load *load_create(const struct load_params *p);
/* Stops it and waits for its threads; what was published stays. NULL is fine. */
void load_destroy(struct load *l);

/* Changes the flags of its order. */
void load_set_flags(struct load *l, uint32_t flags);
/* Pictures and blocks of sound decoded so far. Any thread. */
uint64_t load_decoded(const struct load *l);
/* What it has come to. Also gives up a load that decodes nothing for too long, and the board's decoder when it hangs: call
 * it at least twice a second, on one thread. */
void load_state(struct load *l, struct deck_state *out);
