/* GET requests one after another, for a command that has nothing else to do: waits for each, and tries again where that
 * may help. Thread-safety: one thread. Blocks on the network. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/log.h"

struct fetch;

struct fetch_params {
    const char *const *header; /* "Name: value"; copied */
    size_t header_count;
    size_t answer_max; /* bytes */
    const struct log *log;
};

/* What came. */
struct fetched {
    int status; /* 0: nothing, after all tries */
    char *body; /* NUL-terminated, never NULL */
    size_t len;
    char error[200]; /* one sentence when status is 0 */
};

/* 0 or -errno. SIGPIPE must be ignored by the process. */
WARN_UNUSED int fetch_create(struct fetch **out, const struct fetch_params *p);
void fetch_destroy(struct fetch *f); /* f may be NULL */
/* Waits, at most some minutes in all. 429 waits as long as the server says, at most a minute; a 5xx and a network
 * failure are tried again three times. */
void fetch_get(struct fetch *f, const char *url, struct fetched *out);
void fetched_finish(struct fetched *r);
