/* Wall time that never goes back: a box without a clock battery boots in 1970 and is set later, and a clock may be
 * set wrong and right again. It follows the wall clock forward, and goes on with the monotonic clock while the wall
 * clock is behind. Thread-safety: one thread. */
#pragma once

#include <stdint.h>

struct steady_clock_source {
    int64_t (*wall_ms)(void *ctx); /* since 1970 */
    int64_t (*mono_ns)(void *ctx); /* NULL: CLOCK_MONOTONIC */
    void *ctx;
};

struct steady_clock {
    struct steady_clock_source source;
    int64_t now_ms;
    int64_t mono_ns; /* when now_ms was true */
};

/* Begins at the wall clock's time, but not before `floor_ms`. */
void steady_clock_init(struct steady_clock *c, const struct steady_clock_source *source,
                       int64_t floor_ms);
/* Now, in ms since 1970; never less than before. *step_ms (may be NULL): by how much the clock was set forward since
 * the last call; 0 when that is less than a minute. */
int64_t steady_clock_ms(struct steady_clock *c, int64_t *step_ms);
