#include "media/sample_writer.h"

#include <math.h>
#include <string.h>

enum {
    AHEAD_ACTIVE = SAMPLE_RATE * 3 / 2,
    AHEAD_IDLE = SAMPLE_RATE * 7 / 10,
    ROOM_MIN = 2048,            /* when full, wait for this much instead of writing crumbs */
    LOW_MARK = SAMPLE_RATE / 20 /* below this the reader may be waiting */
};
#define LOUDEST    8.0f
#define RECHECK_NS MS(250)

static_assert(AHEAD_ACTIVE <= SAMPLE_RING, "what is kept ready fits");

void sample_writer_init(struct sample_writer *w, struct deck_segment *segment,
                        struct doorbell *stage_bell, struct gate *gate)
{
    *w = (struct sample_writer){
        .segment = segment,
        .stage_bell = stage_bell,
        .gate = gate,
        .first = atomic_load_explicit(&segment->sample_head, memory_order_relaxed),
    };
}

/* Samples of this load that wait for the reader. */
static uint64_t waiting(const struct sample_writer *w, uint64_t head)
{
    uint64_t tail = atomic_load_explicit(&w->segment->sample_tail, memory_order_acquire);
    if (tail > head) /* nonsense in the reader's word: take it as "all taken" */
        return 0;
    return head - (tail > w->first ? tail : w->first);
}

/* false: stopped. */
static bool wait_room(struct sample_writer *w, uint64_t head, size_t *room)
{
    for (;;) {
        uint32_t seen = doorbell_rings(w->gate->bell);
        if (gate_is_stopped(w->gate))
            return false;
        uint64_t ahead = gate_has(w->gate, ORDER_ACTIVE) ? AHEAD_ACTIVE : AHEAD_IDLE;
        uint64_t used = waiting(w, head);
        if (used + ROOM_MIN <= ahead) {
            *room = (size_t)(ahead - used);
            return true;
        }
        gate_wait(w->gate, seen, RECHECK_NS);
    }
}

static void copy_in(float *to, const float *from, size_t floats)
{
    if (!from) {
        memset(to, 0, floats * sizeof(*to));
        return;
    }
    for (size_t i = 0; i < floats; i++)
        to[i] = fabsf(from[i]) <= LOUDEST ? from[i] : 0.0f; /* false for NaN, too */
}

bool sample_writer_put(struct sample_writer *w, const float *lr, size_t count)
{
    uint64_t head = atomic_load_explicit(&w->segment->sample_head, memory_order_relaxed);
    while (count > 0) {
        size_t n;
        if (!wait_room(w, head, &n))
            return false;
        size_t at = head % SAMPLE_RING;
        n = n < count ? n : count;
        n = n < SAMPLE_RING - at ? n : SAMPLE_RING - at;
        copy_in(&w->segment->sample[at * 2], lr, n * 2);
        bool is_low = waiting(w, head) < LOW_MARK;
        head += n;
        atomic_store_explicit(&w->segment->sample_head, head, memory_order_release);
        if (is_low)
            doorbell_ring(w->stage_bell);
        lr = lr ? lr + n * 2 : NULL;
        count -= n;
    }
    return true;
}
