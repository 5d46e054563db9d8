/* The brain as a process: the jukebox between shared memory, disk and control socket, on one loop. */
#pragma once

#include <stddef.h>

#include "base/compiler.h"
#include "base/log.h"
#include "base/service.h"
#include "config/config.h"

struct house;

struct house_params {
    const struct config *config;         /* borrowed for the call */
    const char *runtime_dir, *state_dir; /* copied; they exist */
    char *const *files; /* absolute paths to add at the start; borrowed for the call */
    size_t file_count;
    const struct log *log;   /* copied */
    const char *root;        /* before /sys and /proc; NULL but in tests; outlives the house */
    struct service *service; /* told of the turns of house_run(); outlives the house, may be NULL */
};

/* Takes the zone and gives out the first orders. 0, or -errno with what is wrong said in the log; *out is
 * NULL then. */
WARN_UNUSED int house_create(struct house **out, const struct house_params *params);
/* Runs until somebody quits, the queue ends (queue.exit-at-end) or a signal comes. After SIGTERM and SIGINT
 * the plan stays, and stages that live go on with it. Returns the exit status of the process. */
int house_run(struct house *h);
/* Writes what is not on disk yet. `h` may be NULL. */
void house_destroy(struct house *h);
