/* Subscriptions and events in all three dialects (URL channels, URL slots, subscribe messages). Knows sockets only
 * through `send` and `close`, so it is tested without any. Thread-safety: the hub's only thread. */
#pragma once

#include "hub/accounts.h"
#include "hub/documents.h"

struct realtime;
struct realtime_client;

struct realtime_params {
    const char *project_id, *database_id;
    struct accounts *accounts;
    int64_t (*wall_ms)(void *ctx);
    /* To the socket that was given to realtime_open(). Neither may call back. */
    void (*send)(void *ctx, void *socket, const char *text, size_t len);
    void (*close)(void *ctx, void *socket, int code, const char *reason);
    void *ctx;
};

struct realtime *realtime_create(const struct realtime_params *p);
void realtime_destroy(struct realtime *r); /* all clients are closed before */

/* A WebSocket that was opened. */
struct realtime_opening {
    void *socket;
    const char *query_string;    /* raw: project, channels[], channel[slot][], jwt */
    const char *project;         /* X-Appwrite-Project, or NULL: it is in the query string */
    const struct caller *caller; /* of the headers; NULL: `refusal` says why there is none */
    const struct api_error *refusal;
};

/* Sends `connected`; NULL: it was refused with `error` 1008 and a close with that code. */
struct realtime_client *realtime_open(struct realtime *r, const struct realtime_opening *o);
void realtime_text(struct realtime *r, struct realtime_client *c, const char *text, size_t len);
void realtime_closed(struct realtime *r, struct realtime_client *c);
/* One message per client that may read it and subscribed to it, listing all its subscriptions that match. The
 * text is made once for all clients with the same subscriptions. */
void realtime_publish(struct realtime *r, const struct change *change);
size_t realtime_count(const struct realtime *r);
