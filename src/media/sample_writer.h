/* The writing end of a deck's sample ring, for one load. Audio thread of the load. */
#pragma once

#include <stddef.h>

#include "media/gate.h"
#include "shm/deck_ring.h"

struct sample_writer {
    struct deck_segment *segment;
    struct doorbell *stage_bell; /* rung when the reader may be waiting for samples */
    struct gate *gate;
    uint64_t first; /* ring number of the load's first sample */
};

/* Samples of earlier loads that nobody took count as gone: the brain wants others now. */
void sample_writer_init(struct sample_writer *w, struct deck_segment *segment,
                        struct doorbell *stage_bell, struct gate *gate);
/* Writes `count` sample pairs, as the reader makes room; `lr` NULL: silence. What is no number or far out
 * of range becomes silence. false: stopped. */
WARN_UNUSED bool sample_writer_put(struct sample_writer *w, const float *lr, size_t count);
