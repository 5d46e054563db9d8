/* The two clocks. Intervals and media time use the monotonic one; wall time is only for people and
 * for servers. Pure code gets the time as a parameter and does not call these. */
#pragma once

#include <stdint.h>

int64_t now_mono_ns(void); /* CLOCK_MONOTONIC */
int64_t now_wall_ms(void); /* CLOCK_REALTIME, ms since 1970 */
