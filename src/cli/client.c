#include "cli/client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/now.h"

static int connect_path(int fd, const char *dir)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int len = snprintf(address.sun_path, sizeof(address.sun_path), "%s/control.sock", dir);
    if (len >= (int)sizeof(address.sun_path))
        return -ENAMETOOLONG;
    return connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
}

/* The address of a socket holds 107 bytes; a longer folder is reached through its descriptor. */
static int connect_long_path(int fd, const char *dir)
{
    char by_descriptor[64];
    int folder = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return -errno;
    snprintf(by_descriptor, sizeof(by_descriptor), "/proc/self/fd/%d", folder);
    int ret = connect_path(fd, by_descriptor);
    close(folder);
    return ret;
}

int control_connect(const char *runtime_dir, int flags)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    if (fd < 0)
        return -errno;
    /* A jukebox that is stuck may neither accept nor read: both then end with EAGAIN. */
    struct timeval limit = { .tv_sec = CLIENT_TIMEOUT_MS / 1000 };
    int ret = setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0 ? -errno : 0;
    if (ret == 0)
        ret = connect_path(fd, runtime_dir);
    if (ret == -ENAMETOOLONG)
        ret = connect_long_path(fd, runtime_dir);
    if (ret < 0) {
        close(fd);
        return ret == -EAGAIN && !(flags & SOCK_NONBLOCK) ? -ETIMEDOUT : ret;
    }
    return fd;
}

bool control_is_running(const char *runtime_dir)
{
    int fd = control_connect(runtime_dir, 0);
    if (fd >= 0)
        close(fd);
    return fd >= 0 || fd == -ETIMEDOUT;
}

int client_open(struct client *c, const char *runtime_dir)
{
    *c = (struct client){ .fd = control_connect(runtime_dir, 0) };
    buf_init(&c->in, CLIENT_ANSWER_MAX + 1);
    return c->fd < 0 ? c->fd : 0;
}

void client_close(struct client *c)
{
    if (c->in.max && c->fd >= 0)
        close(c->fd);
    buf_finish(&c->in);
    *c = (struct client){ .fd = -1 };
}

int client_send(struct client *c, const struct message *request)
{
    char *text = message_text(request, false);
    size_t len = strlen(text);
    text[len] = '\n'; /* the terminator becomes the end of the line */
    int ret = len > CLIENT_LINE_MAX ? -EMSGSIZE : file_write_all(c->fd, text, len + 1);
    free(text);
    return ret == -EAGAIN ? -ETIMEDOUT : ret;
}

/* Waits for bytes and takes them. 0 or -errno; -EPIPE at the end of the stream. */
static int receive(struct client *c, int64_t deadline_ns)
{
    for (;;) {
        int wait_ms = -1;
        if (deadline_ns != NO_TIME)
            wait_ms = (int)(max_i64(deadline_ns - now_mono_ns(), 0) / NS_PER_MS);
        struct pollfd p = { .fd = c->fd, .events = POLLIN };
        int ready = poll(&p, 1, wait_ms);
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return ready < 0 ? -errno : -ETIMEDOUT;
        char bytes[16384];
        ssize_t n = recv(c->fd, bytes, sizeof(bytes), 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 && errno != ECONNRESET ? -errno : -EPIPE;
        return buf_append(&c->in, bytes, (size_t)n);
    }
}

int client_read(struct client *c, int timeout_ms, struct message **answer)
{
    int64_t deadline_ns = timeout_ms < 0 ? NO_TIME : now_mono_ns() + MS(timeout_ms);
    size_t searched = 0;
    for (;;) {
        char *end =
            c->in.len > searched ? memchr(c->in.data + searched, '\n', c->in.len - searched) : NULL;
        if (end) {
            size_t len = (size_t)(end - c->in.data);
            *answer = message_parse(c->in.data, len, NULL, 0);
            buf_consume(&c->in, len + 1);
            return *answer ? 0 : -EPROTO;
        }
        searched = c->in.len;
        int ret = receive(c, deadline_ns);
        if (ret < 0)
            return ret;
    }
}
