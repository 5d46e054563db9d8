/* The stream socket on which clients ask: a line in, a line out, in order. Knows no command.
 * Thread-safety: the loop's thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "base/compiler.h"
#include "base/log.h"

#define CONTROL_SOCKET_NAME "control.sock"
#define CONTROL_LINE_MAX    ((size_t)1024 * 1024)
#define CONTROL_CLIENTS_MAX 64
#define CONTROL_QUEUED_MAX                                                                         \
    ((size_t)16 * 1024 * 1024) /* bytes a slow client has not taken; then it is closed */

struct control_socket;

/* A line of `client`, without its newline. Every line is answered once with control_socket_answer(), at
 * once or later; until then the client's next line waits. */
typedef void control_line_fn(void *arg, uint64_t client, const char *line, size_t len);

struct control_socket_params {
    uv_loop_t *loop;
    const char *path; /* copied */
    control_line_fn *on_line;
    void *arg;
    const struct log *log; /* copied */
};

/* Listens, mode 0600. A socket file that nobody answers on is replaced. 0, or -errno: -EADDRINUSE somebody
 * answers, -ENAMETOOLONG the path does not fit a socket address. */
WARN_UNUSED int control_socket_open(struct control_socket **out,
                                    const struct control_socket_params *params);
/* Removes the socket file and closes the clients; the loop must run once more, it frees. NULL is fine. */
void control_socket_close(struct control_socket *s);

/* The answer to the line under way; `text` without newline. A client that is gone: nothing. */
void control_socket_answer(struct control_socket *s, uint64_t client, const char *text);
/* A line nobody asked for. false: the client is gone. */
bool control_socket_send(struct control_socket *s, uint64_t client, const char *text);
