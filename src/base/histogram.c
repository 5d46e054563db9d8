#include "base/histogram.h"

#include <math.h>

#include "base/compiler.h"

#define UNIT_NS 1024 /* what the first 16 buckets count by */

static int bucket_of(int64_t ns)
{
    uint64_t units = (uint64_t)(ns / UNIT_NS);
    if (units < 16)
        return (int)units;
    int octave = 63 - __builtin_clzll(units) - 4; /* units = 16..31: 0 */
    if (octave >= HISTOGRAM_OCTAVES)
        return HISTOGRAM_BUCKETS - 1;
    return 16 + 16 * octave + (int)((units >> octave) - 16);
}

/* The longest time that belongs to it. */
static int64_t bucket_end_ns(int bucket)
{
    int64_t next =
        bucket < 15 ? bucket + 1 : (int64_t)(16 + (bucket + 1) % 16) << ((bucket + 1) / 16 - 1);
    return next * UNIT_NS - 1;
}

void histogram_add(struct histogram *h, int64_t ns)
{
    ns = max_i64(ns, 0);
    uint32_t *n = &h->bucket[bucket_of(ns)];
    if (*n == UINT32_MAX) /* full: the shape stays, newer times do not count */
        return;
    (*n)++;
    h->count++;
    h->max_ns = max_i64(h->max_ns, ns);
}

int64_t histogram_percentile_ns(const struct histogram *h, double percent)
{
    double wanted = ceil((double)h->count * percent / 100);
    uint64_t rank = wanted < 1 ? 1 : (uint64_t)wanted, seen = 0;
    if (h->count == 0)
        return 0;
    for (int i = 0; i < HISTOGRAM_BUCKETS - 1; i++) {
        seen += h->bucket[i];
        if (seen >= rank)
            return min_i64(bucket_end_ns(i), h->max_ns);
    }
    return h->max_ns;
}
