/* Frames of one WebSocket (RFC 6455), server side: bytes in, events out; fragments are joined.
 * Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"

#define FRAME_HEAD_MAX    ((size_t)10) /* of what we send: without a mask */
#define FRAME_CONTROL_MAX ((size_t)125)

enum frame_opcode {
    FRAME_CONTINUATION = 0,
    FRAME_TEXT = 1,
    FRAME_BINARY = 2,
    FRAME_CLOSE = 8,
    FRAME_PING = 9,
    FRAME_PONG = 10,
};

enum frame_event {
    FRAMES_MORE, /* nothing whole yet */
    FRAMES_TEXT, /* a whole message: f->text, until the next call */
    FRAMES_PING, /* f->control, f->control_len: to be sent back */
    FRAMES_PONG,
    FRAMES_CLOSE,  /* f->close_code: 1005 when none was given */
    FRAMES_BROKEN, /* f->close_code and f->why: end the connection with them; nothing may follow */
};

struct frame_reader {
    unsigned char head[14]; /* of the frame under way */
    size_t head_len;
    uint64_t left; /* bytes of its payload to come */
    unsigned mask_at;
    bool in_payload;
    bool in_message; /* a fragment came, the last one not yet */
    bool is_delivered;
    struct buf text;
    unsigned char control[125];
    size_t control_len;
    int close_code;
    const char *why;
};

void frame_reader_init(struct frame_reader *f, size_t message_max);
void frame_reader_finish(struct frame_reader *f);
/* Takes bytes up to the next event; *used: how many. */
enum frame_event frame_reader_take(struct frame_reader *f, const char *data, size_t len,
                                   size_t *used);

/* Writes the head of an unfragmented frame of `len` payload bytes; returns its size. */
size_t frame_head_write(unsigned char out[10], enum frame_opcode opcode, size_t len);
/* Whether a close frame may carry this code. */
bool frame_close_code_is_valid(int code);
