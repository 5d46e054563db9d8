#include "net/server_out.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

struct out_message *out_message_create(size_t len)
{
    struct out_message *m = malloc(sizeof(*m) + len);
    if (!m)
        return NULL;
    m->refs = 1;
    m->len = len;
    return m;
}

struct out_message *out_message_ref(struct out_message *m)
{
    m->refs++;
    return m;
}

void out_message_unref(struct out_message *m)
{
    if (m && --m->refs == 0)
        free(m);
}

static size_t cost(const struct out_message *m)
{
    return m->len + sizeof(*m) + sizeof(struct out_piece);
}

static void reset_if_empty(struct out_queue *q)
{
    if (q->count > 0)
        return;
    free(q->piece);
    *q = (struct out_queue){ 0 };
}

void out_finish(struct out_queue *q)
{
    for (size_t i = 0; i < q->count; i++)
        out_message_unref(q->piece[q->first + i].message);
    q->count = 0;
    reset_if_empty(q);
}

void out_push(struct out_queue *q, struct out_piece piece)
{
    if (q->first + q->count == q->cap && q->first > q->count) {
        memmove(q->piece, q->piece + q->first, q->count * sizeof(*q->piece));
        q->first = 0;
    }
    if (q->first + q->count == q->cap) {
        q->cap = q->cap ? q->cap * 2 : 2;
        q->piece = xrealloc(q->piece, q->cap * sizeof(*q->piece));
    }
    q->piece[q->first + q->count++] = piece;
    q->held++;
    q->bytes += cost(piece.message);
}

size_t out_front(const struct out_queue *q, char **data)
{
    if (q->count == q->held)
        return 0;
    struct out_message *m = q->piece[q->first].message;
    *data = m->data + q->sent;
    return m->len - q->sent;
}

void out_consume(struct out_queue *q, size_t len)
{
    assert(q->count > q->held);
    struct out_message *m = q->piece[q->first].message;
    q->sent += len;
    assert(q->sent <= m->len);
    if (q->sent < m->len)
        return;
    q->bytes -= cost(m);
    q->sent = 0;
    q->first++;
    q->count--;
    out_message_unref(m);
    reset_if_empty(q);
}

void out_release(struct out_queue *q)
{
    q->held = 0;
}

static void drop(struct out_queue *q, struct out_message *m)
{
    q->bytes -= cost(m);
    out_message_unref(m);
}

bool out_fail(struct out_queue *q,
              struct out_message *(*instead)(void *ctx, struct out_piece *piece), void *ctx)
{
    bool is_refused = false;
    size_t kept = q->count - q->held;
    for (size_t i = kept; i < q->count; i++) {
        struct out_piece piece = q->piece[q->first + i];
        if (piece.kind != OUT_OWN || is_refused) {
            bool is_replaced = piece.kind != OUT_TEXT && !is_refused;
            struct out_message *former = piece.message;
            if (is_replaced)
                piece.message = instead(ctx, &piece);
            drop(q, former);
            if (!is_replaced)
                continue;
            is_refused = piece.kind == OUT_UPGRADE;
            if (!piece.message)
                continue;
            q->bytes += cost(piece.message);
        }
        q->piece[q->first + kept++] = piece;
    }
    q->count = kept;
    q->held = 0;
    reset_if_empty(q);
    return is_refused;
}
