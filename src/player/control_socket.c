#include "player/control_socket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"

#define CHUNK   ((size_t)64 * 1024)
#define BACKLOG 16

static const char too_long[] =
    "{\"ok\": false, \"code\": \"usage\", \"error\": \"The line is longer than 1 MiB.\"}";
static const char too_many[] =
    "{\"ok\": false, \"code\": \"full\", \"error\": \"Too many clients are connected.\"}";

struct client {
    uv_pipe_t pipe;
    uv_shutdown_t shutdown;
    struct control_socket *socket;
    struct client *next;
    uint64_t id;
    struct buf in;
    bool waits;     /* a line is under way */
    bool has_ended; /* it will send no more */
    bool is_closing;
    bool is_pumping;
};

struct control_socket {
    uv_pipe_t listener;
    struct control_socket_params params;
    struct log log;
    char *path;
    struct client *clients;
    size_t client_count;
    uint64_t last_id;
    bool is_closing, is_listener_closed;
    char chunk[CHUNK]; /* what was just read; copied at once */
};

/* ---- closing ---------------------------------------------------------------------------------- */

static void free_when_done(struct control_socket *s)
{
    if (!s->is_closing || !s->is_listener_closed || s->clients)
        return;
    free(s->path);
    free(s);
}

static void client_closed(uv_handle_t *handle)
{
    struct client *c = handle->data;
    struct control_socket *s = c->socket;
    for (struct client **at = &s->clients; *at; at = &(*at)->next)
        if (*at == c) {
            *at = c->next;
            s->client_count--;
            break;
        }
    buf_finish(&c->in);
    free(c);
    free_when_done(s);
}

static void client_close(struct client *c)
{
    if (c->is_closing)
        return;
    c->is_closing = true;
    uv_close((uv_handle_t *)&c->pipe, client_closed);
}

static void was_shut_down(uv_shutdown_t *req, int status)
{
    (void)status;
    client_close(req->data);
}

/* After what is queued was sent. */
static void client_end(struct client *c)
{
    if (c->is_closing)
        return;
    uv_read_stop((uv_stream_t *)&c->pipe);
    c->shutdown.data = c;
    if (uv_shutdown(&c->shutdown, (uv_stream_t *)&c->pipe, was_shut_down) < 0)
        client_close(c);
}

static struct client *client_find(struct control_socket *s, uint64_t id)
{
    for (struct client *c = s->clients; c; c = c->next)
        if (c->id == id && !c->is_closing)
            return c;
    return NULL;
}

/* ---- writing ---------------------------------------------------------------------------------- */

struct outgoing {
    uv_write_t req;
    char data[];
};

static void was_written(uv_write_t *req, int status)
{
    struct client *c = req->handle->data;
    free(req->data);
    if (status < 0)
        client_close(c);
}

static void client_write(struct client *c, const char *text)
{
    uv_stream_t *stream = (uv_stream_t *)&c->pipe;
    size_t len = strlen(text), sent = 0;
    if (uv_stream_get_write_queue_size(stream) == 0) {
        uv_buf_t bufs[2] = { uv_buf_init((char *)text, (unsigned)len),
                             uv_buf_init((char *)"\n", 1) };
        int n = uv_try_write(stream, bufs, 2);
        sent = n > 0 ? (size_t)n : 0;
    }
    if (sent == len + 1)
        return;
    if (uv_stream_get_write_queue_size(stream) + len > CONTROL_QUEUED_MAX) {
        log_warn(&c->socket->log, "a client does not read what it asked for: closed");
        client_close(c);
        return;
    }
    struct outgoing *o = malloc(sizeof(*o) + len + 1);
    if (!o) {
        client_close(c);
        return;
    }
    memcpy(o->data, text, len);
    o->data[len] = '\n';
    o->req.data = o;
    uv_buf_t rest = uv_buf_init(o->data + sent, (unsigned)(len + 1 - sent));
    if (uv_write(&o->req, stream, &rest, 1, was_written) < 0) {
        free(o);
        client_close(c);
    }
}

bool control_socket_send(struct control_socket *s, uint64_t client, const char *text)
{
    struct client *c = client_find(s, client);
    if (!c)
        return false;
    client_write(c, text);
    return !c->is_closing;
}

/* ---- reading ---------------------------------------------------------------------------------- */

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *out)
{
    struct client *c = handle->data;
    (void)wanted;
    *out = uv_buf_init(c->socket->chunk, sizeof(c->socket->chunk));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf);

/* Hands over the lines that are there, one at a time. */
static void pump(struct client *c)
{
    c->is_pumping = true;
    char *newline;
    while (!c->waits && !c->is_closing && c->in.len &&
           (newline = memchr(c->in.data, '\n', c->in.len)) != NULL) {
        size_t len = (size_t)(newline - c->in.data);
        c->waits = true;
        c->socket->params.on_line(c->socket->params.arg, c->id, c->in.data, len);
        buf_consume(&c->in, len + 1);
    }
    c->is_pumping = false;
    if (c->is_closing)
        return;
    if (c->waits)
        uv_read_stop((uv_stream_t *)&c->pipe); /* it is answered first */
    else if (c->has_ended)
        client_end(c);
    else
        uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct client *c = stream->data;
    if (n == 0)
        return;
    if (n < 0) {
        c->has_ended = true;
        if (n != UV_EOF)
            client_close(c);
        else
            pump(c);
        return;
    }
    bool fits = buf_append(&c->in, buf->base, (size_t)n) == 0;
    if (!fits ||
        (c->in.len > CONTROL_LINE_MAX && !memchr(c->in.data, '\n', CONTROL_LINE_MAX + 1))) {
        client_write(c, too_long);
        client_end(c);
        return;
    }
    pump(c);
}

void control_socket_answer(struct control_socket *s, uint64_t client, const char *text)
{
    struct client *c = client_find(s, client);
    if (!c || !c->waits)
        return;
    c->waits = false;
    client_write(c, text);
    if (!c->is_pumping && !c->is_closing)
        pump(c);
}

/* ---- listening -------------------------------------------------------------------------------- */

static void on_connection(uv_stream_t *listener, int status)
{
    struct control_socket *s = listener->data;
    if (status < 0) {
        log_warn(&s->log, "a client could not connect: %s", uv_strerror(status));
        return;
    }
    struct client *c = xcalloc(1, sizeof(*c));
    c->socket = s;
    c->id = ++s->last_id;
    /* One line, and what was read behind it. */
    buf_init(&c->in, CONTROL_LINE_MAX + CHUNK);
    uv_pipe_init(s->params.loop, &c->pipe, 0);
    c->pipe.data = c;
    c->next = s->clients;
    s->clients = c;
    s->client_count++;
    if (uv_accept(listener, (uv_stream_t *)&c->pipe) < 0) {
        client_close(c);
    } else if (s->client_count > CONTROL_CLIENTS_MAX) {
        client_write(c, too_many);
        client_end(c);
    } else {
        uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read);
    }
}

static bool somebody_answers(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    int ret = connect(fd, (const struct sockaddr *)address, sizeof(*address));
    bool answers = ret == 0 || errno == EAGAIN || errno == EINPROGRESS;
    close(fd);
    return answers;
}

/* The listening socket, or -errno. Its name appears when it listens: who sees the file is not refused. */
static int listen_at(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX }, early = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof(address.sun_path) ||
        (size_t)snprintf(early.sun_path, sizeof(early.sun_path), "%s.new", path) >=
            sizeof(early.sun_path))
        return -ENAMETOOLONG;
    strcpy(address.sun_path, path);
    if (somebody_answers(&address))
        return -EADDRINUSE;
    if (unlink(early.sun_path) < 0 && errno != ENOENT)
        return -errno;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (bind(fd, (const struct sockaddr *)&early, sizeof(early)) < 0 ||
        chmod(early.sun_path, 0600) < 0 || listen(fd, BACKLOG) < 0 ||
        rename(early.sun_path, path) < 0) {
        int ret = -errno;
        close(fd);
        return ret;
    }
    return fd;
}

static void listener_closed(uv_handle_t *handle)
{
    struct control_socket *s = handle->data;
    s->is_listener_closed = true;
    free_when_done(s);
}

int control_socket_open(struct control_socket **out, const struct control_socket_params *params)
{
    *out = NULL;
    int fd = listen_at(params->path);
    if (fd < 0)
        return fd;
    struct control_socket *s = xcalloc(1, sizeof(*s));
    s->params = *params;
    s->log = params->log ? log_child(params->log, "control")
                         : (struct log){ .module = "control", .level = LOG_ERROR };
    s->path = xstrdup(params->path);
    uv_pipe_init(params->loop, &s->listener, 0);
    s->listener.data = s;
    int ret = uv_pipe_open(&s->listener, fd);
    if (ret < 0)
        close(fd);
    if (ret == 0)
        ret = uv_listen((uv_stream_t *)&s->listener, BACKLOG, on_connection);
    if (ret < 0) {
        control_socket_close(s);
        return ret;
    }
    *out = s;
    return 0;
}

void control_socket_close(struct control_socket *s)
{
    if (!s || s->is_closing)
        return;
    s->is_closing = true;
    unlink(s->path);
    for (struct client *c = s->clients; c; c = c->next)
        client_close(c);
    uv_close((uv_handle_t *)&s->listener, listener_closed);
}
