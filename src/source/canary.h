/* Tries a yt-dlp with the real worker before anybody depends on it: it must start, be the version it should be, resolve a
 * page of this machine, and resolve and begin to fetch each of some addresses that are known to work. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/log.h"
#include "source/failure.h"

#define CANARY_ITEMS_MAX 8
#define CANARY_WHY_SIZE  300

struct canary_params {
    const char *const *argv; /* of the worker; ends with NULL */
    const char *version;     /* that it must be; NULL: whichever it is */
    const char *scratch;     /* a folder that exists, for this alone */
    const char *profile;     /* of formats */
    const char *const *item; /* addresses */
    size_t item_count;       /* <= CANARY_ITEMS_MAX */
    int item_ms;             /* for each step of one; 0: 2 min */
    const struct log *log;   /* may be NULL */
};

struct canary_item {
    bool works;
    enum failure failure;      /* else */
    char why[CANARY_WHY_SIZE]; /* what the worker said */
};

struct canary_report {
    bool starts;               /* it is what it should be; else no item was tried */
    char why[CANARY_WHY_SIZE]; /* else */
    struct canary_item item[CANARY_ITEMS_MAX];
};

/* 0, or -errno when nothing could be tried. Runs a loop of its own; blocks until all is tried. SIGPIPE must be ignored. */
WARN_UNUSED int canary_try(const struct canary_params *p, struct canary_report *out);
