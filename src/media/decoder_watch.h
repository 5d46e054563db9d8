/* Whether a decoder still comes back: a call of a device may never. One thread decodes, another one looks. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct decoder_watch {
    _Atomic uint64_t calls; /* odd: one is under way */
    /* The looking thread only. */
    uint64_t seen;
    int64_t looked_ns, waited_ns; /* so long that call has been seen under way */
};

/* Around each call, by the decoding thread. */
void decoder_watch_begin(struct decoder_watch *w);
void decoder_watch_end(struct decoder_watch *w);

/* Whether one call has been under way for more than 1.5 s, which is many times what a picture may take. Look a few times
 * in each second; a time in which nobody looked, for the whole process stood still, counts as half a second. */
bool decoder_watch_hangs(struct decoder_watch *w, int64_t now_ns);
