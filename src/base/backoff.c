#include "base/backoff.h"

int64_t backoff_ms(const struct backoff_policy *p, unsigned attempt, uint32_t random)
{
    int64_t wait = p->first_ms;
    if (p->factor > 1 && wait > 0) { /* grows, so the loop ends long before `attempt` may */
        for (unsigned i = 0; i < attempt && wait < p->max_ms; i++)
            wait = wait > p->max_ms / p->factor ? p->max_ms : wait * p->factor;
    }
    if (wait > p->max_ms)
        wait = p->max_ms;
    double span = (double)wait * p->jitter_percent / 100;
    return wait - (int64_t)(span * random / ((double)UINT32_MAX + 1));
}
