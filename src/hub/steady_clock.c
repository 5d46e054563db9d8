#include "hub/steady_clock.h"

#include <stddef.h>

#include "base/compiler.h"
#include "base/now.h"

/* Less is a clock being slewed or corrected, not set. */
#define STEP_MIN_MS (60 * (int64_t)1000)

static int64_t mono_ns(const struct steady_clock *c)
{
    return c->source.mono_ns ? c->source.mono_ns(c->source.ctx) : now_mono_ns();
}

void steady_clock_init(struct steady_clock *c, const struct steady_clock_source *source,
                       int64_t floor_ms)
{
    *c = (struct steady_clock){ .source = *source };
    c->now_ms = max_i64(source->wall_ms(source->ctx), floor_ms);
    c->mono_ns = mono_ns(c);
}

int64_t steady_clock_ms(struct steady_clock *c, int64_t *step_ms)
{
    int64_t wall = c->source.wall_ms(c->source.ctx), mono = mono_ns(c);
    int64_t elapsed_ms = (mono - c->mono_ns) / NS_PER_MS;
    c->now_ms += elapsed_ms;
    c->mono_ns += elapsed_ms * NS_PER_MS; /* the rest of a ms counts next time */
    int64_t ahead = wall - c->now_ms;
    if (ahead > 0) {
        c->now_ms = wall;
        c->mono_ns = mono;
    }
    if (step_ms)
        *step_ms = ahead >= STEP_MIN_MS ? ahead : 0;
    return c->now_ms;
}
