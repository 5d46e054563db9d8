/* What waits for one connection. Newest pieces are held until the turn is settled. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

/* Bytes on their way, shared by all connections that get the same. */
struct out_message {
    size_t refs, len;
    char data[];
};

struct out_message *out_message_create(size_t len); /* one reference; NULL: no memory */
struct out_message *out_message_ref(struct out_message *m);
void out_message_unref(struct out_message *m); /* m may be NULL */

enum out_kind {
    OUT_OWN,     /* the server's, or an answer that stands: stays whatever becomes of the turn */
    OUT_ANSWER,  /* becomes the error's when the turn fails */
    OUT_UPGRADE, /* likewise, and what follows it is dropped */
    OUT_TEXT,    /* dropped when the turn fails */
};

struct out_piece {
    struct out_message *message;
    enum out_kind kind;
    bool has_no_body;               /* OUT_ANSWER: the request was HEAD */
    bool ends;                      /* OUT_ANSWER: says "Connection: close" */
    size_t lasting_at, lasting_len; /* OUT_ANSWER: bytes that also belong to what replaces it */
};

struct out_queue {
    struct out_piece *piece;
    size_t first, count, cap;
    size_t held;  /* of the count: the last ones */
    size_t sent;  /* bytes of the first piece that are gone */
    size_t bytes; /* waiting, with the cost of keeping them */
};

void out_finish(struct out_queue *q);
/* Takes the reference in `piece`. */
void out_push(struct out_queue *q, struct out_piece piece);
/* The released bytes at the front; 0: none. */
size_t out_front(const struct out_queue *q, char **data);
void out_consume(struct out_queue *q, size_t len); /* of the front */
static inline bool out_is_empty(const struct out_queue *q)
{
    return q->count == 0;
}
void out_release(struct out_queue *q); /* what was held may go */
/* The turn failed: `instead` (ctx, piece) makes the message that replaces that of the piece. True: an
 * upgrade was refused so, and nothing may follow. */
bool out_fail(struct out_queue *q,
              struct out_message *(*instead)(void *ctx, struct out_piece *piece), void *ctx);
