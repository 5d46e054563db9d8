/* A WebSocket client over libwebsockets, on a thread of its own: looking a name up may block there.
 * Its callbacks come on the loop's thread, the functions are called there. Sends no Origin and asks for
 * no compression; verifies TLS; takes no proxy and follows no redirect. Knows no document. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "base/compiler.h"
#include "base/log.h"

struct ws_client;
struct ws_socket;

/* SIGPIPE must be ignored by the process. */
struct ws_client_params {
    uv_loop_t *loop;
    const char *ca_file; /* PEM of an own authority; NULL: the system's */
    const char *
        pinned_file; /* PEM of the server's own certificate: whoever has its key is trusted, whatever its name,
                                its dates and who signed it; NULL: by authority and name */
    size_t message_max; /* bytes; 0: 4 MB; longer ones end the connection */
    const struct log *log;
};

/* Any of them may open and close sockets and destroy the client. */
struct ws_callbacks {
    void (*on_open)(void *ctx);
    /* A whole message; a NUL follows it. `came_ns`: CLOCK_MONOTONIC when its last byte was read. */
    void (*on_text)(void *ctx, const char *text, size_t len, int64_t came_ns);
    /* Once, at the end or instead of on_open: status of a refused upgrade, else 0; `why` one sentence without secrets.
     * The socket is still to be closed. */
    void (*on_gone)(void *ctx, int status, const char *why);
};

struct ws_open_params {
    const char *url;           /* ws:// or wss://, with query */
    const char *const *header; /* "Name: value"; copied */
    size_t header_count;
    int connect_timeout_ms; /* until on_open; 0: 10 s */
    const struct ws_callbacks *callbacks;
    void *ctx;
};

/* 0, or -errno after a line in the log: the authority's file cannot be read, no thread. One per process: the library
 * keeps a part of its state there. */
WARN_UNUSED int ws_client_create(struct ws_client **out, const struct ws_client_params *p);
/* Ends its sockets without their callbacks. `closed` (may be NULL) is called when the loop has let go of it; that waits
 * at most three seconds for a name server that does not answer. */
void ws_client_destroy(struct ws_client *c, void (*closed)(void *ctx), void *ctx);

/* Never NULL; what cannot be dialled says so by on_gone, never from within this call. */
struct ws_socket *ws_client_open(struct ws_client *c, const struct ws_open_params *p);
/* Copied. Nothing happens before on_open and after on_gone. More than 256 KB waiting to leave end the connection. */
void ws_socket_send(struct ws_socket *s, const char *text, size_t len);
/* Ends it, with a close frame when it is open; no callback comes after this. `s` is gone. */
void ws_socket_close(struct ws_socket *s);
