/* HTTP requests over libcurl's multi interface on a libuv loop. Knows no document. Thread-safety: the loop's thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "base/compiler.h"
#include "base/log.h"

struct http_client;
struct http_request;

/* SIGPIPE must be ignored by the process. */
struct http_client_params {
    uv_loop_t *loop;
    const char *user_agent;
    const char *ca_file; /* PEM of an own authority; NULL: the system's */
    const char *
        pinned_file; /* PEM of the server's own certificate: whoever has its key is trusted, whatever its name,
                                its dates and who signed it; NULL: by authority and name */
    size_t answer_max; /* bytes; 0: 4 MB */
    const struct log *log;
};

struct http_request_params {
    const char *method, *url;
    const char *const *header; /* "Name: value"; copied */
    size_t header_count;
    const char *body;   /* copied; NULL: none */
    const char *cookie; /* name of one whose value is wanted; copied; NULL: none */
    int timeout_ms;     /* of the whole, 0: 30 s; connecting has 10 s at most */
};

struct http_reply {
    int status;        /* 0: no answer came */
    const char *error; /* one sentence without secrets when status is 0; else "" */
    const char *body;  /* never NULL; a NUL follows it */
    size_t len;
    int64_t date_s;               /* Date header, s since 1970; -1: none */
    int64_t limit_reset_s;        /* X-RateLimit-Reset; -1: none */
    const char *location;         /* Location; "": none, or too long to be followed */
    const char *fallback_cookies; /* X-Fallback-Cookies, which holds secrets; "": none */
    const char *cookie;           /* what the wanted one was set to, decoded; "": it was not */
};

typedef void http_done(void *ctx, const struct http_reply *reply);

/* 0, or -errno when the library cannot start. */
WARN_UNUSED int http_client_create(struct http_client **out, const struct http_client_params *p);
/* Requests under way end without their callback. Closes its handles; `closed` (may be NULL) is called when the loop has
 * let go of them. */
void http_client_destroy(struct http_client *c, void (*closed)(void *ctx), void *ctx);
/* No Origin, no cookies, no proxy; a redirect is an answer like any other, so no secret follows it elsewhere; keeps
 * connections. done() is called exactly once, never from within this call, unless the request is cancelled before; it
 * may start and cancel others and destroy the client. Never NULL: what cannot be sent (no address of a server, a header
 * that holds a line break, more than 64 at once) ends with status 0. */
struct http_request *http_client_start(struct http_client *c, const struct http_request_params *p,
                                       http_done *done, void *ctx);
/* Only before its done() began. */
void http_request_cancel(struct http_request *r);
