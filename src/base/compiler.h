/* Small things every file may use. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define WARN_UNUSED       __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define ARRAY_LEN(a)      (sizeof(a) / sizeof((a)[0]))

#define NS_PER_MS  ((int64_t)1000000)
#define NS_PER_S   ((int64_t)1000000000)
#define MS(x)      ((int64_t)(x)*NS_PER_MS)
#define SECONDS(x) ((int64_t)(x)*NS_PER_S)

/* A time that is not known. Every field that may hold it says so. */
#define NO_TIME INT64_MIN

static inline int64_t min_i64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t max_i64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static inline int64_t clamp_i64(int64_t v, int64_t lo, int64_t hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}
