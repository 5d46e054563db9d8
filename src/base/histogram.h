/* How long something took, as counts in fixed buckets: no memory grows, and a percentile is exact to 1/16. Pure; plain
 * data. */
#pragma once

#include <stdint.h>

/* From 1024 ns, 16 buckets for each doubling, up to about 73 minutes; what is longer counts as that. */
#define HISTOGRAM_OCTAVES 28
#define HISTOGRAM_BUCKETS (16 + 16 * HISTOGRAM_OCTAVES)

struct histogram { /* all zero: empty */
    uint64_t count;
    int64_t max_ns;
    uint32_t bucket[HISTOGRAM_BUCKETS];
};

/* A negative time counts as 0. */
void histogram_add(struct histogram *h, int64_t ns);
/* A time that `percent` (0..100) of what was added did not exceed, at most 1/16 too long; 0 when it is empty. */
int64_t histogram_percentile_ns(const struct histogram *h, double percent);
