#include "media/pts_repair.h"

#define SHORTEST_NS MS(1)
#define LONGEST_NS  SECONDS(10)

void pts_repair_init(struct pts_repair *r, int64_t start_ns)
{
    *r = (struct pts_repair){ .start_ns = start_ns, .last_ns = NO_TIME, .next_ns = start_ns };
}

/* Before the first picture, a key frame anywhere between the file's beginning and the start is fine. */
static bool is_leap(const struct pts_repair *r, int64_t at_ns)
{
    int64_t earliest = r->last_ns == NO_TIME ? min_i64(r->start_ns, 0) : r->next_ns;
    return at_ns > r->next_ns + TIME_LEAP_NS || at_ns < earliest - TIME_LEAP_NS;
}

int64_t pts_repair_next(struct pts_repair *r, int64_t pts_ns, int64_t duration_ns)
{
    int64_t at;
    /* The sum of two times that are no years cannot overflow. */
    bool is_known = pts_ns > -(INT64_MAX / 4) && pts_ns < INT64_MAX / 4;
    if (!is_known) {
        at = r->next_ns;
    } else {
        at = pts_ns + r->shift_ns;
        if (is_leap(r, at)) {
            r->shift_ns = r->next_ns - pts_ns;
            at = r->next_ns;
        }
    }
    /* A small step, so that the pictures after a doubled time stand where they belong. */
    if (r->last_ns != NO_TIME && at <= r->last_ns)
        at = r->last_ns + max_i64(duration_ns / 4, SHORTEST_NS);
    r->last_ns = at;
    r->next_ns = at + duration_ns;
    return at;
}

void pts_repair_pass(struct pts_repair *r, int64_t at_ns)
{
    r->next_ns = max_i64(r->next_ns, at_ns);
}

int64_t picture_duration(int64_t packet_ns, int64_t rate_num, int64_t rate_den)
{
    if (packet_ns >= SHORTEST_NS && packet_ns <= LONGEST_NS)
        return packet_ns;
    if (rate_num > 0 && rate_den > 0 && rate_den <= INT32_MAX) {
        int64_t ns = NS_PER_S * rate_den / rate_num;
        if (ns >= SHORTEST_NS && ns <= LONGEST_NS)
            return ns;
    }
    return MS(40);
}
