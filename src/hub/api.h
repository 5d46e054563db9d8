/* Appwrite's HTTP interface: routes, who may ask, errors in its words. Knows no socket: a request comes as plain data
 * and its answer goes out so. Thread-safety: the hub's only thread. Blocks on disk. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hub/accounts.h"
#include "hub/cors.h"
#include "hub/documents.h"
#include "hub/functions.h"
#include "net/server.h"

#define API_VERSION     "1.8.1" /* of Appwrite, whose behaviour this is */
#define API_HEADERS_MAX (CORS_HEADERS_MAX + 8)
#define API_OWNED_MAX   4
#define API_DEPTH_MAX   64 /* of JSON in a request */

struct api;

struct api_params {
    const char *project_id, *database_id;
    const char *origins; /* see cors_allows() */
    bool is_encrypted;   /* cookies are for https only */
    struct database *database;
    struct documents *documents;
    struct accounts *accounts;
    struct functions *functions;
    int64_t (*wall_ms)(void *ctx);
    /* What a request wrote stays, or never was. Called after each that may write. */
    void (*on_end)(void *ctx, bool is_kept);
    /* The house has an owner now. */
    void (*on_claimed)(void *ctx);
    void *ctx;
};

struct api *api_create(const struct api_params *p);
void api_destroy(struct api *a); /* a may be NULL */

/* Borrowed texts, as net/server.h gives them. */
struct api_request {
    enum http_method method;
    const char *path, *query, *peer;
    const char *body;
    size_t body_len;
    const char *(*header)(void *ctx, const char *name);
    void *ctx;
};

struct api_reply {
    struct http_answer answer; /* points into what follows, and to texts of the request */
    struct http_header header[API_HEADERS_MAX];
    char *owned[API_OWNED_MAX];
    size_t owned_count;
};

/* Initialises *out; the caller gives `answer` away and finishes it, both while the request lives. */
void api_answer(struct api *a, const struct api_request *q, struct api_reply *out);
/* The same for what the server refuses by itself, with that status and sentence. `q` NULL: nothing could be read. */
void api_refuse(struct api *a, const struct api_request *q, int status, const char *sentence,
                struct api_reply *out);
void api_reply_finish(struct api_reply *r);

/* Who opens a WebSocket, and from which page. false: *e. */
bool api_identify(struct api *a, const struct api_request *q, struct caller *out,
                  struct api_error *e);
/* The text of an error's body; the caller frees. */
char *api_error_text(const struct api_error *e);
