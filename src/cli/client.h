/* The control socket from the other side: one request, one answer; see docs/control-protocol.md.
 * Blocking, with a deadline. SIGPIPE must be ignored. Thread-safety: one thread. */
#pragma once

#include "base/buf.h"
#include "base/compiler.h"
#include "wire/message.h"

#define CLIENT_LINE_MAX   ((size_t)1024 * 1024)      /* of a request */
#define CLIENT_ANSWER_MAX ((size_t)16 * 1024 * 1024) /* a queue of ten thousand songs */
#define CLIENT_TIMEOUT_MS 10000

struct client {
    int fd;
    struct buf in;
};

/* 0; -ECONNREFUSED or -ENOENT: no jukebox runs there; -ETIMEDOUT: it is stuck; other -errno. */
WARN_UNUSED int client_open(struct client *c, const char *runtime_dir);
void client_close(struct client *c); /* a zeroed or closed client is fine */
/* 0; -EMSGSIZE: longer than a line may be; -ETIMEDOUT: it was not read; -errno. */
WARN_UNUSED int client_send(struct client *c, const struct message *request);
/* The next line; the caller destroys *answer. `timeout_ms` < 0: no end. 0; -EPIPE: the jukebox ended
 * before the line was whole; -ETIMEDOUT; -EPROTO: no JSON object; -EMSGSIZE; -errno. */
WARN_UNUSED int client_read(struct client *c, int timeout_ms, struct message **answer);

/* A connected stream socket, or -errno. `flags` are added to the socket's type; without SOCK_NONBLOCK each
 * call that would wait for the jukebox longer than CLIENT_TIMEOUT_MS ends: here with -ETIMEDOUT, in a write
 * with EAGAIN. */
int control_connect(const char *runtime_dir, int flags);
/* Whether a jukebox is there, be it stuck. */
bool control_is_running(const char *runtime_dir);
