/* The events of one subtitle source, and how they look: packets in, small bitmaps out, by libass.
 *
 * Bounded, whatever the source holds: so many events, so many bytes, so many at a time; what is more is left out.
 * Fonts are the system's; those that come with a file are never opened. One thread at a time. */
#pragma once

#include <libavcodec/avcodec.h>
#include <stdbool.h>

#include "base/log.h"
#include "shm/deck_ring.h"

enum {
    TEXT_EVENTS_MAX = 20000,
    TEXT_EVENT_BYTES_MAX = 4096, /* of one event */
    TEXT_ACTIVE_MAX = 32,        /* events at a time; where there are more, none is shown */
};
#define TEXT_BYTES_MAX ((size_t)4 << 20) /* of all events */

struct text_track;

/* `log` outlives the track. 0, or AVERROR: nothing here decodes it. */
WARN_UNUSED int text_track_create(struct text_track **out, const AVCodecParameters *codec,
                                  AVRational time_base, int64_t zero_us, const struct log *log);
void text_track_destroy(struct text_track *t); /* NULL is fine */

/* Adds the events of a packet. What is damaged or too much is left out in silence. */
void text_track_add(struct text_track *t, const AVPacket *pkt);

/* What is seen from `from_ns` on. */
struct text_span {
    int active;     /* events; 0: nothing is seen */
    bool is_moving; /* their picture may change from frame to frame */
    int64_t
        until_ns; /* where another event begins or one ends; INT64_MAX: never, by what is known */
};
struct text_span text_track_span(const struct text_track *t, int64_t from_ns);

/* The canvas that is painted on; text at its lower edge is raised by `raise` percent of its height. The first call
 * loads the list of fonts: it may take a second. 0 or -ENOMEM. */
WARN_UNUSED int text_track_frame(struct text_track *t, int width, int height, int raise);

/* Paints what is seen at `at_ns` into `pixels` (TEXT_CUE_BYTES) and describes it in out's box and box_count; 0 boxes:
 * nothing is seen. After text_track_frame(). -E2BIG: it would cover too much of the picture. */
WARN_UNUSED int text_track_paint(struct text_track *t, int64_t at_ns, struct text_cue *out,
                                 uint8_t *pixels);
