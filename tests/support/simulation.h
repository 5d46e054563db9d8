/* What simulations have in common: random numbers that a seed repeats, a clock that is a number, a trace for whoever
 * replays one, the first thing that broke, and which seeds are run. */
#pragma once

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "base/text.h"

#define FAILURE_SIZE 256

struct simulation {
    uint64_t random; /* the seed, and then what follows from it */
    int64_t now_ns;
    bool traces;
    bool is_told; /* `story` grows with what a trace would show */
    uint64_t story;
    char failure[FAILURE_SIZE]; /* what broke first; "": nothing */
};

/* splitmix64 */
static inline uint64_t draw(uint64_t *random)
{
    uint64_t z = *random += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static inline uint64_t rnd(struct simulation *s)
{
    return draw(&s->random);
}

/* 0 .. n - 1 */
static inline int pick_of(uint64_t *random, int n)
{
    return (int)(draw(random) % (uint64_t)n);
}

static inline int pick(struct simulation *s, int n)
{
    return pick_of(&s->random, n);
}

static inline void trace(struct simulation *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
static inline void trace(struct simulation *s, const char *fmt, ...)
{
    char line[256];
    if (!s->traces && !s->is_told)
        return;
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    if (s->traces)
        printf("%9.3f %s\n", (double)s->now_ns / 1e9, line);
    s->story = draw(&s->story) ^ (uint64_t)s->now_ns ^ text_hash(line, strlen(line));
}

static inline void breach(struct simulation *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
static inline void breach(struct simulation *s, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    if (!s->failure[0])
        vsnprintf(s->failure, sizeof(s->failure), fmt, args);
    va_end(args);
    trace(s, "FAILED %s", s->failure);
}

/* ---- which seeds ---------------------------------------------------------------------------------------------- */

/* One run, whole (`broken` 0) or with what is broken on purpose. false: `failure` says what broke. */
typedef bool simulation_fn(uint64_t seed, int broken, bool traces, char failure[FAILURE_SIZE]);

static inline uint64_t number_of(const char *name, uint64_t fallback)
{
    const char *text = getenv(name);
    return text && *text ? strtoull(text, NULL, 10) : fallback;
}

static inline void run_whole(simulation_fn *run, uint64_t seed, bool traces)
{
    char failure[FAILURE_SIZE];
    if (!run(seed, 0, traces, failure))
        fail_msg("%s; replay with DJAMMS_SEED=%" PRIu64, failure, seed);
}

/* The seeds that once failed, and then `runs` from 1 on; or what the environment says: DJAMMS_SEED, that one alone with
 * a trace; DJAMMS_FIRST and DJAMMS_RUNS, so many from there; DJAMMS_LONG=1, `long_runs`. */
static inline void run_seeds(simulation_fn *run, const uint64_t *once_failed, size_t failed_count,
                             uint64_t runs, uint64_t long_runs)
{
    uint64_t only = number_of("DJAMMS_SEED", 0), first = number_of("DJAMMS_FIRST", 1);
    if (only) {
        run_whole(run, only, true);
        return;
    }
    for (size_t i = 0; i < failed_count; i++)
        run_whole(run, once_failed[i], false);
    runs = number_of("DJAMMS_RUNS", number_of("DJAMMS_LONG", 0) ? long_runs : runs);
    print_message("%" PRIu64 " seeds from %" PRIu64 " on\n", runs, first);
    for (uint64_t seed = first; seed < first + runs; seed++)
        run_whole(run, seed, false);
}

/* What is broken so shows within so many seeds, by a failure that says `says`. */
static inline void assert_caught(simulation_fn *run, int broken, uint64_t seeds, const char *says)
{
    char failure[FAILURE_SIZE];
    for (uint64_t seed = 1; seed <= seeds; seed++)
        if (!run(seed, broken, false, failure) && strstr(failure, says))
            return;
    fail_msg("what does it is not caught: %s", says);
}
