/* The sampler's check on itself: a child process paints known codes, with known faults, at known times
 * into two buffers. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "strip.h"

#define PAINTED_MAX 4096

struct painted {
    int64_t mono_ns;         /* when the painter had finished it */
    int region, clip, frame; /* frame -1: black */
};

struct painter_log { /* shared with the child */
    _Atomic int count;
    struct painted at[PAINTED_MAX];
};

struct painter {
    pid_t pid;
    struct painter_log *log;
    struct region region[2];
};

/* What it paints. Clip 1, 60 fps, 600 frames: frames 100, 200, 201, 300 and 400 are left out, 500 and
 * 501 are swapped; then 200 ms of black; then clip 2, 30 fps, 300 frames. The second region shows the same
 * 7 ms later. 0 or -errno. */
int painter_start(struct painter *p, const struct shape *shape);
