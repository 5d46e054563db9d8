/* Gets a file from an address into memory: file:///PATH, https, or http. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define DOWNLOAD_WHY_SIZE 300

struct download_params {
    const char *url;
    size_t max; /* bytes */
    int timeout_ms;
    bool takes_files; /* file:// */
    /* http also from elsewhere than this machine: what comes is known by a signature. */
    bool takes_http;
};

/* Whether an address is of a kind that is taken; else `why` is a sentence's end. Pure. */
WARN_UNUSED bool download_may(const struct download_params *p, char why[DOWNLOAD_WHY_SIZE]);
/* Follows a few redirects, each to an address that is taken, never to a file. 0: *data (NUL-terminated, the caller frees);
 * -errno: `why` says it in words. Blocks up to timeout_ms for each address. */
WARN_UNUSED int download_get(const struct download_params *p, char **data, size_t *len,
                             char why[DOWNLOAD_WHY_SIZE]);
