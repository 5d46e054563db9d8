/* When a program that died is started again. Pure. */
#pragma once

#include <stdint.h>

struct restart {
    unsigned failures; /* deaths in a row, each soon after its start */
};

#define RESTART_STEADY_NS (INT64_C(10) * 1000000000)

/* Counts a death after `alive_ns` and returns the wait before the next start: 0 for the first, then 100 ms,
 * doubled up to 800 ms: a picture that dies again and again is still back within 1.5 s each time. A program
 * that lived RESTART_STEADY_NS starts from 0 again. */
int64_t restart_wait_ms(struct restart *r, int64_t alive_ns);
