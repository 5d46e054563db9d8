/* What a relay must understand of the bytes it passes on: where a request ends, and where a message of a WebSocket ends.
 * Bounded: what grows too long is passed on as it is, without being understood any more. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAMES_HEAD_MAX    ((size_t)64 * 1024)
#define FRAMES_MESSAGE_MAX ((size_t)8 * 1024 * 1024)

struct bytes {
    char *data;
    size_t len, cap;
};

void bytes_append(struct bytes *b, const void *data, size_t len);
void bytes_finish(struct bytes *b);

/* ---- requests of the client ---------------------------------------------------------------------- */

struct request_sink {
    /* A request begins. true: it is not passed on; answer it. */
    bool (*on_request)(void *ctx);
    void (*pass)(void *ctx, const char *data, size_t len);
    void *ctx;
};

struct request_framer {
    struct bytes head;
    uint64_t body_left;
    bool is_swallowed; /* the request that is being read */
    bool is_raw;       /* not understood any more */
    bool is_websocket;
};

void request_framer_take(struct request_framer *f, const char *data, size_t len,
                         const struct request_sink *sink);

/* ---- messages of the server ---------------------------------------------------------------------- */

enum fate {
    FATE_PASS,
    FATE_DROP,
    FATE_DOUBLE,
    FATE_SWAP,    /* with the one after it */
    FATE_HOLD,    /* until `span` others have gone before it */
    FATE_REVERSE, /* it and those after it, `span` in all, the last first */
};

struct message_sink {
    /* For a whole text message. *span: 1, to be set where the fate has one. */
    enum fate (*choose)(void *ctx, size_t *span);
    void (*pass)(void *ctx, const char *data, size_t len);
    void *ctx;
};

struct message_framer {
    struct bytes in, held; /* held: waits for messages after it */
    size_t held_for;       /* so many of them */
    bool is_reversing;     /* which join it, each in front */
    bool is_answered;      /* the upgrade was: frames follow */
    bool is_raw;
};

void message_framer_take(struct message_framer *f, const char *data, size_t len,
                         const struct message_sink *sink);
