/* Retry policy as data. */
#pragma once

#include <stdint.h>

struct backoff_policy {
    int64_t first_ms;
    int64_t max_ms;
    int factor;
    int jitter_percent; /* 0..100: the wait is shortened by a random part up to this */
};

/* The wait before attempt number `attempt` (0 is the first retry); `random` is any 32 random bits. */
int64_t backoff_ms(const struct backoff_policy *p, unsigned attempt, uint32_t random);
