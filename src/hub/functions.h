/* The two functions of the DJAMMS system, built in: player-registry and processRequest. Each works on documents inside
 * the turn's transaction, so that nobody comes between its reading and its writing.
 * Thread-safety: the hub's only thread. Blocks on disk. */
#pragma once

#include <stdint.h>

#include "hub/documents.h"

struct functions;

struct functions_params {
    struct documents *documents;
    int64_t (*wall_ms)(void *ctx);
    int64_t (*mono_ns)(void *ctx); /* NULL: CLOCK_MONOTONIC */
    void *ctx;
};

struct functions *functions_create(const struct functions_params *p);
void functions_destroy(struct functions *f); /* f may be NULL */
/* `id` is a function's id or name, also those of the deployed system. *out is Appwrite's execution object. Inner
 * failures are in its responseStatusCode and responseBody, as there; nothing was written then. false: API_STORAGE and
 * the like; what was written is to be undone. */
bool functions_execute(struct functions *f, const struct caller *caller, const char *id,
                       const struct message *request, struct message **out, struct api_error *e);
