/* Makes picture times usable: every one known, each later than the one before, no leaps. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

/* A step further than this from where the next picture or sample was expected is a break in the stream's
 * clock, not a pause in the show: time goes on from where it was. */
#define TIME_LEAP_NS SECONDS(10)

struct pts_repair {
    int64_t start_ns; /* where the load is to begin */
    int64_t last_ns;  /* given out last; NO_TIME: none yet */
    int64_t next_ns;  /* where the next is expected */
    int64_t shift_ns; /* added to the stream's times since its last break */
};

void pts_repair_init(struct pts_repair *r, int64_t start_ns);
/* The picture's time, from what the stream says (NO_TIME: nothing) and its duration (> 0). */
int64_t pts_repair_next(struct pts_repair *r, int64_t pts_ns, int64_t duration_ns);

/* Pictures up to `at_ns` were left out on purpose: the next is expected there. */
void pts_repair_pass(struct pts_repair *r, int64_t at_ns);

/* How long a picture is due: what its packet says if that is sane, else one by the frame rate num/den
 * (0: unknown), else 1/25 s. Always > 0. */
int64_t picture_duration(int64_t packet_ns, int64_t rate_num, int64_t rate_den);
