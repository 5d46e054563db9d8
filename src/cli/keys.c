#include "cli/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "base/alloc.h"

#define ESCAPE_MS 100 /* the rest of a sequence comes sooner, also over a slow line */

enum { AT_START, AFTER_ESCAPE, IN_SEQUENCE };

static enum key plain_key(unsigned char byte)
{
    switch (byte) {
    case ' ': return KEY_PAUSE;
    case 'n': return KEY_NEXT;
    case '+': return KEY_LOUDER;
    case '-': return KEY_SOFTER;
    case 'm': return KEY_MUTE;
    case 'q':
    case 'Q': return KEY_QUIT;
    default: return KEY_NONE;
    }
}

static enum key arrow_key(unsigned char byte)
{
    switch (byte) {
    case 'A': return KEY_LOUDER;
    case 'B': return KEY_SOFTER;
    case 'C': return KEY_NEXT;
    case 'D': return KEY_RESTART;
    default: return KEY_NONE;
    }
}

enum key key_parse(struct key_parser *p, unsigned char byte)
{
    if (byte == 0x1b) {
        p->state = AFTER_ESCAPE;
        return KEY_NONE;
    }
    switch (p->state) {
    case AFTER_ESCAPE:
        p->state = byte == '[' || byte == 'O' ? IN_SEQUENCE : AT_START;
        return p->state == AT_START ? plain_key(byte) : KEY_NONE;
    case IN_SEQUENCE: /* digits and ';' of modified keys, then one letter or '~' */
        if (byte >= 0x40)
            p->state = AT_START;
        return arrow_key(byte);
    default: return plain_key(byte);
    }
}

bool key_is_open(const struct key_parser *p)
{
    return p->state == AFTER_ESCAPE;
}

enum key key_end(struct key_parser *p)
{
    enum key key = key_is_open(p) ? KEY_QUIT : KEY_NONE;
    p->state = AT_START;
    return key;
}

struct keys {
    uv_poll_t poll;
    uv_timer_t escape; /* runs while the key may be a sequence or escape alone */
    int open_handles;
    int fd;
    struct termios saved;
    struct key_parser parser;
    void (*on_key)(void *ctx, enum key key);
    void *ctx;
    bool is_closing;
};

static void on_escape_time(uv_timer_t *timer)
{
    struct keys *k = timer->data;
    enum key key = key_end(&k->parser);
    if (key != KEY_NONE && !k->is_closing)
        k->on_key(k->ctx, key);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct keys *k = poll->data;
    unsigned char bytes[64];
    ssize_t n = status < 0 ? 0 : read(k->fd, bytes, sizeof(bytes));
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n <= 0) { /* the terminal went away */
        uv_poll_stop(poll);
        return;
    }
    for (ssize_t i = 0; i < n && !k->is_closing; i++) {
        enum key key = key_parse(&k->parser, bytes[i]);
        if (key != KEY_NONE)
            k->on_key(k->ctx, key);
    }
    if (k->is_closing)
        return;
    if (key_is_open(&k->parser))
        uv_timer_start(&k->escape, on_escape_time, ESCAPE_MS, 0);
    else
        uv_timer_stop(&k->escape);
}

static void on_closed(uv_handle_t *handle)
{
    struct keys *k = handle->data;
    if (--k->open_handles > 0)
        return;
    close(k->fd);
    free(k);
}

struct keys *keys_create(uv_loop_t *loop, int input_fd, void (*on_key)(void *ctx, enum key key),
                         void *ctx)
{
    struct termios saved;
    if (!isatty(input_fd) || tcgetpgrp(input_fd) != getpgrp())
        return NULL;
    /* Opened anew: the loop makes it non-blocking, which the shell's own must not become. */
    int fd = open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return NULL;
    struct keys *k = xcalloc(1, sizeof(*k));
    if (tcgetattr(fd, &saved) < 0 || uv_poll_init(loop, &k->poll, fd) < 0) {
        close(fd);
        free(k);
        return NULL;
    }
    k->fd = fd;
    k->saved = saved;
    k->on_key = on_key;
    k->ctx = ctx;
    uv_timer_init(loop, &k->escape);
    k->poll.data = k->escape.data = k;
    k->open_handles = 2;
    struct termios raw = saved;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    raw.c_cc[VSUSP] = _POSIX_VDISABLE; /* a stopped supervisor would leave the terminal like this */
    if (tcsetattr(fd, TCSANOW, &raw) < 0 || uv_poll_start(&k->poll, UV_READABLE, on_readable) < 0) {
        keys_destroy(k);
        return NULL;
    }
    return k;
}

void keys_destroy(struct keys *k)
{
    if (!k || k->is_closing)
        return;
    k->is_closing = true;
    tcsetattr(k->fd, TCSANOW, &k->saved);
    uv_close((uv_handle_t *)&k->poll, on_closed);
    uv_close((uv_handle_t *)&k->escape, on_closed);
}
