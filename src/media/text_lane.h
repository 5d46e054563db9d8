/* The subtitles or lyrics of one load: finds them, keeps their events, and while the order wants them (ORDER_TEXT) paints
 * them into the deck's ring of cues, a little ahead of what is heard. It has a thread of its own, at a low
 * priority, and gives up what takes too much time: it holds up nothing. */
#pragma once

#include "base/log.h"
#include "media/demuxer.h"
#include "media/gate.h"
#include "shm/deck_ring.h"

struct text_settings {
    const char *languages; /* wished, best first; NULL: no text at all */
    struct output_row_slot
        *outputs; /* OUTPUTS_MAX of them: it is painted for the largest; NULL: not known */
    int raise;    /* percent of the height that is kept free at the lower edge */
};

struct text_lane;

struct text_lane_params {
    const char *path;             /* of the media file */
    const struct demuxer *source; /* looked at during the call only */
    struct text_settings settings;
    uint64_t load, first_sample;
    int64_t start_ns;
    struct deck_segment *segment;
    struct gate *gate; /* this and those below outlive the lane */
    struct doorbell *stage_bell;
    const struct log *log;
};

/* NULL: no thread can be started. */
struct text_lane *text_lane_create(const struct text_lane_params *p);
/* The gate is stopped by then. NULL is fine. */
void text_lane_destroy(struct text_lane *l);

/* A packet of LANE_TEXT; `pkt` is blank then. Never waits: what there is no room for is dropped. `l` may be
 * NULL. */
void text_lane_put(struct text_lane *l, AVPacket *pkt);
/* The pictures are shown with this size. Any thread. */
void text_lane_set_picture(struct text_lane *l, uint32_t width, uint32_t height);
/* What the text is taken from, for people; "": it has none. Any thread. */
void text_lane_name(struct text_lane *l, char *out, size_t size);
