/* An HTTP/1.1 and WebSocket server: libwebsockets owns sockets, TLS and the waiting; the two
 * protocols are read here, strictly. Knows no document.
 *
 * One thread. It works in turns: a turn takes in everything that has arrived, calls on_request()
 * and the socket callbacks for it, then on_turn(). What was answered and sent in a turn leaves only
 * after on_turn() returned 0, in the order it was given; when it returns an error, the answers of
 * that turn become the error's with the lasting headers they had, unless they stand, and the messages of that turn are dropped; a WebSocket that was
 * opened in such a turn gets the error instead, and one that said something in it is closed with
 * 1011, so that its client comes again. So one commit on disk serves all clients of a turn, and
 * nothing is acknowledged that is not on disk.
 *
 * Bounds: connections, header bytes, body bytes, bytes waiting per socket. What goes beyond is
 * refused in words (431, 413, 503), a socket that does not read is closed; nothing is dropped in
 * silence.
 *
 * Deadlines: 30 s for a head, and for a body 30 s and 512 bytes a second after that; 65 s between
 * requests; 120 s in which nothing of what waits could be sent; a WebSocket from which nothing came
 * for 45 s is pinged and after 90 s ended. A client that shuts down its sending side counts as
 * gone. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/log.h"

struct server;
struct exchange;      /* one request and its answer */
struct server_socket; /* one WebSocket */

enum http_method {
    HTTP_GET,
    HTTP_POST,
    HTTP_PATCH,
    HTTP_PUT,
    HTTP_DELETE,
    HTTP_OPTIONS,
    HTTP_HEAD,
    HTTP_OTHER
};

struct http_header {
    const char *name, *value;
};

struct http_answer {
    int status;
    const char *content_type; /* NULL: no body and no such header */
    const char *body;         /* copied */
    size_t len;
    const struct http_header *header; /* further ones; copied */
    size_t header_count;
    size_t
        lasting_count; /* the first of them: also of the answer that takes the place of this one */
    bool stands; /* it says nothing of what the turn did: so it is right also when that failed */
};

struct server_callbacks {
    /* The request is whole. Answer it now or in a later turn, exactly once. */
    void (*on_request)(void *ctx, struct exchange *x);
    /* The client went before it was answered: forget `x`. */
    void (*on_gone)(void *ctx, struct exchange *x);
    /* The server itself refuses: *a is the answer, plain words; it may get another body and more headers, whose texts
     * live until the next call. `x` is as far as it was read and valid only during the call; NULL: nothing was. NULL:
     * the words are good enough. */
    void (*on_refusal)(void *ctx, struct exchange *x, struct http_answer *a);
    /* A WebSocket asks to be opened on the path of `x`, which is valid only during the call. 0:
     * yes, *user is kept with it; else the HTTP status of the refusal. */
    int (*on_upgrade)(void *ctx, struct exchange *x, void **user);
    void (*on_open)(void *ctx, struct server_socket *s, void *user);
    void (*on_text)(void *ctx, struct server_socket *s, void *user, const char *text, size_t len);
    void (*on_closed)(void *ctx, struct server_socket *s, void *user); /* last call: free `user` */
    /* The end of a turn. 0, or the HTTP status and body text that its answers get instead: < 0. */
    int (*on_turn)(void *ctx, struct http_answer *instead);
};

struct server_params {
    const char *address;           /* numeric; "127.0.0.1", "0.0.0.0", "::" */
    int port;                      /* 0: any free one */
    const char *certificate, *key; /* PEM files; NULL: plain http */
    size_t body_max;               /* bytes; 0: 12 MB */
    size_t frame_max;              /* bytes of one message from a socket; 0: 64,000 */
    size_t socket_queue_max;       /* bytes waiting for one socket; 0: 4 MB */
    int connections_max;           /* 0: 2,000 */
    const struct server_callbacks *callbacks;
    void *ctx;
    const struct log *log;
    int64_t (*now_ns)(void *ctx); /* NULL: CLOCK_MONOTONIC */
};

/* Raises the process's limit of open files when connections_max needs it. 0; on error a negative
 * errno after a sentence in the log naming address and port. */
WARN_UNUSED int server_create(struct server **out, const struct server_params *p);
/* Closes everything, WebSockets with 1001, calling on_gone() and on_closed() for what is open; s
 * may be NULL. Not from a callback. */
void server_destroy(struct server *s);
int server_port(const struct server *s);
/* One turn, waiting up to `timeout_ms` for something to happen. */
void server_turn(struct server *s, int timeout_ms);
/* Ends a waiting server_turn(), or the next one. Any thread, also a signal handler's. */
void server_wake(struct server *s);

/* The request. Borrowed texts live until the answer was given. */
enum http_method exchange_method(const struct exchange *x);
/* Without query, %XX decoded once; no control character, no ".." inside; "*" for OPTIONS of all. */
const char *exchange_path(const struct exchange *x);
const char *exchange_query(const struct exchange *x); /* raw, after '?'; "" */
/* Value of a header (the first of this name), whatever the case of its name; NULL: absent. */
const char *exchange_header(struct exchange *x, const char *name);
const char *exchange_body(const struct exchange *x, size_t *len); /* NUL-terminated, too */
const char *exchange_peer(const struct exchange *x);              /* numeric address */
/* x is not to be used any more. */
void exchange_answer(struct exchange *x, const struct http_answer *a);

/* Copies one text message; equal ones sent in a row to several sockets share one copy. Waiting
 * bytes beyond the bound: the socket is closed at the end of the turn. Nothing when it is closed
 * already. */
void server_socket_send(struct server_socket *s, const char *text, size_t len);
/* Ends it with a real close frame after what waits was sent. `code` as RFC 6455 7.4. */
void server_socket_close(struct server_socket *s, int code, const char *reason);
