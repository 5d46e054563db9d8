/* The thread of a ws_client, and the mail between the two. For the files of this folder only.
 *
 * Each side names sockets by their id, and "gone" is normal: mail may cross. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct ws_thread;

enum ws_mail_kind {
    /* to the thread */
    WS_DIAL, /* text: the address and each "Name: value", each ended by a NUL */
    WS_SEND, /* text */
    WS_CLOSE,
    /* from the thread */
    WS_OPENED,
    WS_TEXT,  /* text */
    WS_GONE,  /* status, text: why */
    WS_ENDED, /* the thread is at its end: it can be joined */
};

struct ws_mail {
    struct ws_mail *next;
    enum ws_mail_kind kind;
    uint64_t id;
    int status;
    int64_t came_ns; /* of WS_TEXT */
    size_t len;
    char text[]; /* len bytes and a NUL */
};

struct ws_mail *ws_mail_create(enum ws_mail_kind kind, uint64_t id, const void *text, size_t len);

struct ws_thread_params {
    const char *ca_file;     /* NULL: the system's */
    const char *pinned_file; /* NULL: by authority and name */
    size_t message_max;
    void (*on_mail)(void *ctx); /* on the thread, holding its lock: there is mail to take */
    void *ctx;
};

/* 0 or -errno. */
WARN_UNUSED int ws_thread_create(struct ws_thread **out, const struct ws_thread_params *p);
/* Takes the mail. What would make too much waiting to be sent becomes the end of its socket. */
void ws_thread_post(struct ws_thread *t, struct ws_mail *mail);
/* All that came since the last call, in order; the caller frees each. NULL: nothing. */
struct ws_mail *ws_thread_take(struct ws_thread *t);
/* Ends all connections; WS_ENDED comes. Nothing may be posted after this. */
void ws_thread_stop(struct ws_thread *t);
/* After WS_ENDED: waits for its last instructions and frees it. */
void ws_thread_join(struct ws_thread *t);
/* Instead: on_mail() is not called any more; it ends and frees itself when it can. */
void ws_thread_abandon(struct ws_thread *t);
