/* The helper that looks into media files for others: a line in, a line out (docs/architecture.md). */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "base/compiler.h"

#define PROBE_LINE_MAX ((size_t)64 * 1024)

struct probe_params {
    int in_fd, out_fd;
    int64_t tags_max_ns, check_max_ns; /* how long a look may take */
    int64_t grace_ns;                  /* and how long it may then take to let go */
    /* A look that does not let go: an answer was given in its place, and nothing else helps but this. */
    void (*give_up)(void *ctx);
    void *ctx;
};

/* Answers lines until there are no more. 0, or -errno: no thread, nobody reads the answers. */
WARN_UNUSED int probe_run(const struct probe_params *params);
