#include "media/reader_clock.h"

#include "base/now.h"
#include "shm/control.h"

/* Sound devices take blocks; a reader that took none for so long stands. */
#define STANDS_NS MS(250)

void reader_clock_init(struct reader_clock *c, uint64_t first, int64_t base_ns)
{
    *c = (struct reader_clock){ .first = first, .base_ns = base_ns, .tail = first };
}

bool reader_clock_look(struct reader_clock *c, uint64_t tail, uint64_t head, int64_t now_ns,
                       struct reader_place *out)
{
    if (tail <= c->first || tail > head) /* not begun, or nonsense in the reader's word */
        return false;
    if (tail != c->tail)
        c->moved_ns = now_ns;
    c->tail = tail;
    int64_t taken = (int64_t)(tail - c->first);
    *out = (struct reader_place){
        .media_ns = c->base_ns + taken / SAMPLE_RATE * NS_PER_S +
                    taken % SAMPLE_RATE * NS_PER_S / SAMPLE_RATE,
        .is_dry = tail == head,
        .is_moving = tail == head || now_ns - c->moved_ns < STANDS_NS,
    };
    return true;
}
