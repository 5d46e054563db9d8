#include "cli/uplink.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "cli/client.h"

#define RETRY_MS    50
#define WAITING_MAX ((size_t)2 * 1024 * 1024) /* bytes not sent yet */
#define READ_BYTES  16384

struct uplink {
    struct uplink_params params;
    char *runtime_dir;
    uv_timer_t retry;
    uv_pipe_t *pipe; /* NULL: not connected */
    struct buf out;  /* lines that wait for a connection */
    struct buf in;
    bool is_closing;
    char bytes[READ_BYTES];
};

struct sending {
    uv_write_t request;
    char *text;
};

static void on_pipe_closed(uv_handle_t *handle)
{
    free(handle);
}

static void disconnect(struct uplink *u)
{
    if (!u->pipe)
        return;
    uv_close((uv_handle_t *)u->pipe, on_pipe_closed);
    u->pipe = NULL;
    if (u->in.len)
        buf_consume(&u->in, u->in.len);
    if (!u->is_closing && u->params.on_answer)
        u->params.on_answer(u->params.ctx, NULL);
}

static void give_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct uplink *u = handle->data;
    *buf = uv_buf_init(u->bytes, sizeof(u->bytes));
}

static void take_lines(struct uplink *u)
{
    char *end;
    while (!u->is_closing && u->in.len && (end = memchr(u->in.data, '\n', u->in.len))) {
        size_t len = (size_t)(end - u->in.data);
        struct message *m = message_parse(u->in.data, len, NULL, 0);
        buf_consume(&u->in, len + 1);
        if (m && u->params.on_answer)
            u->params.on_answer(u->params.ctx, m);
        message_destroy(m);
    }
}

static void on_bytes(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct uplink *u = stream->data;
    if (u->is_closing || (uv_pipe_t *)stream != u->pipe)
        return;
    if (n < 0 || (n > 0 && buf_append(&u->in, buf->base, (size_t)n) < 0))
        disconnect(u);
    else if (n > 0)
        take_lines(u);
}

static void on_written(uv_write_t *request, int status)
{
    struct sending *s = (struct sending *)request;
    free(s->text);
    free(s);
}

/* Hands what waits to the connection. */
static void flush(struct uplink *u)
{
    if (!u->pipe || !u->out.len)
        return;
    struct sending *s = xcalloc(1, sizeof(*s));
    size_t len = u->out.len;
    s->text = xstrndup(u->out.data, len);
    buf_consume(&u->out, len);
    uv_buf_t buf = uv_buf_init(s->text, (unsigned)len);
    if (uv_write(&s->request, (uv_stream_t *)u->pipe, &buf, 1, on_written) < 0) {
        free(s->text);
        free(s);
        disconnect(u);
    }
}

static void on_retry(uv_timer_t *timer);

static void connect_now(struct uplink *u)
{
    int fd = control_connect(u->runtime_dir, SOCK_NONBLOCK);
    if (fd < 0) { /* it is not up yet, or its backlog is full */
        uv_timer_start(&u->retry, on_retry, RETRY_MS, 0);
        return;
    }
    u->pipe = xcalloc(1, sizeof(*u->pipe));
    uv_pipe_init(u->params.loop, u->pipe, 0);
    u->pipe->data = u;
    int ret = uv_pipe_open(u->pipe, fd);
    if (ret < 0)
        close(fd);
    if (ret < 0 || uv_read_start((uv_stream_t *)u->pipe, give_buffer, on_bytes) < 0) {
        disconnect(u);
        uv_timer_start(&u->retry, on_retry, RETRY_MS, 0);
        return;
    }
    flush(u);
}

static void on_retry(uv_timer_t *timer)
{
    struct uplink *u = timer->data;
    if (!u->is_closing && !u->pipe)
        connect_now(u);
}

struct uplink *uplink_create(const struct uplink_params *p)
{
    struct uplink *u = xcalloc(1, sizeof(*u));
    u->params = *p;
    u->runtime_dir = xstrdup(p->runtime_dir);
    buf_init(&u->out, WAITING_MAX);
    buf_init(&u->in, CLIENT_ANSWER_MAX + 1);
    uv_timer_init(p->loop, &u->retry);
    u->retry.data = u;
    return u;
}

bool uplink_send(struct uplink *u, struct message *m)
{
    char *text = message_text(m, false);
    message_destroy(m);
    size_t len = strlen(text);
    text[len] = '\n'; /* the terminator becomes the end of the line */
    bool is_taken = buf_append(&u->out, text, len + 1) == 0;
    free(text);
    if (u->pipe)
        flush(u);
    else if (!uv_is_active((uv_handle_t *)&u->retry))
        uv_timer_start(&u->retry, on_retry, 0, 0);
    return is_taken;
}

static void on_closed(uv_handle_t *handle)
{
    struct uplink *u = handle->data;
    buf_finish(&u->out);
    buf_finish(&u->in);
    free(u->runtime_dir);
    free(u);
}

void uplink_destroy(struct uplink *u)
{
    if (!u || u->is_closing)
        return;
    u->is_closing = true;
    disconnect(u);
    uv_close((uv_handle_t *)&u->retry, on_closed);
}
