/* The writing end of a deck's picture ring: gives decoders buffers in the arena, publishes what they
 * hold, and keeps each published picture's buffer until every live reader has passed it.
 *
 * One for the life of the process; loads come and go. Numbering goes on from the segment. */
#pragma once

#include <libavutil/frame.h>

#include "media/gate.h"
#include "shm/deck_ring.h"

struct frame_writer;

/* Pictures that an earlier life of the deck published and a live reader may touch are kept.
 * `stage_bell` is rung when a reader may be waiting for pictures. */
struct frame_writer *frame_writer_create(struct deck_segment *segment, struct doorbell *stage_bell);
/* No decoder may hold a buffer any more. NULL is fine. */
void frame_writer_destroy(struct frame_writer *w);

/* A new load: pictures of earlier ones that no live reader needs are dropped. Returns the number its
 * first picture will have. No other call may be under way. `gate` is used until frame_writer_end(). */
uint64_t frame_writer_begin(struct frame_writer *w, uint64_t load, struct gate *gate);
void frame_writer_end(struct frame_writer *w);

/* Fills data, linesize and buf of `f` (format is set) for w x h pixels, rows aligned to align[plane]
 * bytes. Waits while readers hold all of the arena. 0, or AVERROR: EXIT when stopped. Any thread. */
WARN_UNUSED int frame_writer_buffer(struct frame_writer *w, AVFrame *f, int width, int height,
                                    const int align[AV_NUM_DATA_POINTERS]);
/* Whether the picture's memory lies in the arena. */
bool frame_writer_owns(const struct frame_writer *w, const AVFrame *f);

/* Waits until one more picture is wanted. false: stopped. One thread. */
WARN_UNUSED bool frame_writer_wait(struct frame_writer *w);
/* Publishes `f`, which frame_writer_owns(); the caller fills all of `d` but number, load, offset and
 * stride, and keeps its reference. After a frame_writer_wait() that returned true; same thread. */
void frame_writer_publish(struct frame_writer *w, const struct frame_desc *d, const AVFrame *f);
/* Gives memory that a larger load had touched back to the system. */
void frame_writer_trim(struct frame_writer *w);

/* How many undisplayed pictures are kept ready. Pure. */
uint64_t frame_writer_ahead(bool is_active, int64_t frame_ns);
