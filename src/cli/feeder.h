/* Hands a long list of files to the player in portions, while it plays already. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

struct feeder_params {
    uv_loop_t *loop;
    const char *runtime_dir;
    char *const *path; /* borrowed, until the feeder is destroyed */
    size_t count;
    bool waits_for_room; /* a full queue is tried again as it empties; else the rest is left */
    /* One sentence for people. */
    void (*say)(void *ctx, const char *text);
    void *ctx;
};

struct feeder;

struct feeder *feeder_create(const struct feeder_params *p);
/* Frees itself within the next turns of the loop. NULL is fine. */
void feeder_destroy(struct feeder *f);
