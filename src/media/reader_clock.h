/* Where the reader of a load's samples is in its media time, as far as the sample ring tells. One thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct reader_clock {
    uint64_t first;   /* ring number of the load's first sample ... */
    int64_t base_ns;  /* ... and its media position */
    uint64_t tail;    /* seen last */
    int64_t moved_ns; /* when it was first seen there */
};

struct reader_place {
    int64_t media_ns; /* of the next sample it takes */
    bool is_dry;      /* it has taken all there are */
    bool is_moving;   /* it takes samples, or would if there were any */
};

void reader_clock_init(struct reader_clock *c, uint64_t first, int64_t base_ns);
/* From the ring's counts, read at `now_ns`. false: the reader has taken nothing of this load yet. */
bool reader_clock_look(struct reader_clock *c, uint64_t tail, uint64_t head, int64_t now_ns,
                       struct reader_place *out);
