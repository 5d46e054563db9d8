#include "cli/restart.h"

#include <limits.h>

#include "base/backoff.h"

int64_t restart_wait_ms(struct restart *r, int64_t alive_ns)
{
    static const struct backoff_policy policy = { .first_ms = 100, .max_ms = 800, .factor = 2 };
    if (alive_ns >= RESTART_STEADY_NS)
        r->failures = 0;
    if (r->failures < UINT_MAX)
        r->failures++;
    return r->failures == 1 ? 0 : backoff_ms(&policy, r->failures - 2, 0);
}
