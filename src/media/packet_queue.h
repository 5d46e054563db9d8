/* The packets of one load between its demuxer and its decoders, a lane for each stream.
 *
 * A lane is full by bytes or by time. When one lane is full while another's decoder starves, the full
 * one's ceiling is raised, up to a hard one, so that badly interleaved files play; at the hard ceiling
 * the starving lane is given up as something to wait for. Thread-safety: any thread. */
#pragma once

#include <libavcodec/packet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

enum packet_lane {
    LANE_VIDEO,
    LANE_AUDIO,
    PACKET_LANES,
    LANE_TEXT = PACKET_LANES, /* subtitles: they go by another way than this queue */
};

struct packet_queue_limits {
    size_t lane_bytes; /* first ceiling */
    int64_t lane_ns;   /* likewise, of the time between oldest and newest */
    size_t hard_bytes; /* last ceiling */
};

struct packet_queue;

/* lanes: bit 1 << enum packet_lane for each stream there is. */
struct packet_queue *packet_queue_create(const struct packet_queue_limits *limits, unsigned lanes);
void packet_queue_destroy(struct packet_queue *q); /* NULL is fine; nobody may wait in it */

/* Moves the packet in (`pkt` is blank after 0), waiting for room. `at_ns` is its place in time, NO_TIME:
 * unknown. Packets of a closed lane are dropped. 0, AVERROR_EXIT: stopped, AVERROR(ENOMEM). */
WARN_UNUSED int packet_queue_put(struct packet_queue *q, enum packet_lane lane, AVPacket *pkt,
                                 int64_t at_ns);
/* Moves the oldest packet of the lane to `pkt`, waiting for one. 0, AVERROR_EOF: no more will come,
 * AVERROR_EXIT: stopped. */
WARN_UNUSED int packet_queue_take(struct packet_queue *q, enum packet_lane lane, AVPacket *pkt);
/* Waits until take would return at once. false: nothing will come before others have taken from their lanes,
 * because the lane is starved. */
WARN_UNUSED bool packet_queue_wait(struct packet_queue *q, enum packet_lane lane);
/* Drops what lies before the newest key frame of the lane that is due at `due_ns`. How many packets: 0 when the
 * next packet is that key frame, or none is there. */
size_t packet_queue_jump(struct packet_queue *q, enum packet_lane lane, int64_t due_ns);
/* Whether the lane's last packets are in the queue, and all of them lie before `at_ns`. false, when none is
 * left. */
bool packet_queue_ends_before(struct packet_queue *q, enum packet_lane lane, int64_t at_ns);
/* No more packets will be put. */
void packet_queue_finish(struct packet_queue *q);
/* The lane's decoder is gone. */
void packet_queue_close(struct packet_queue *q, enum packet_lane lane);
/* Wakes everybody; put and take give AVERROR_EXIT from now on. */
void packet_queue_stop(struct packet_queue *q);
/* Another lane reached its hard ceiling while this one had nothing. */
bool packet_queue_is_starved(struct packet_queue *q, enum packet_lane lane);
