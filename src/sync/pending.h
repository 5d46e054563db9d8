/* Own operations that the server's document does not hold yet, in order. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/queue.h"
#include "sync/queue_document.h"

struct pending_op {
    uint64_t serial;    /* grows; a document's mark of ours names it */
    uint64_t revision;  /* of the journal that holds it first */
    struct queue_op op; /* its texts are those below */
    struct track
        *named; /* the entry meant; START: all of it, so that it can play though it is gone */
    struct track *added; /* ADD, NAME */
    char *reason;
    bool is_unsure;       /* done while another device may have been the one to play */
    char turn[TURN_SIZE]; /* START: the turn it begins; END, SKIP: the one it ends; "": any */
};

struct pending {
    struct pending_op *at;
    size_t count, cap;
};

void pending_finish(struct pending *p);
/* Copies `op` and all it points to. */
struct pending_op *pending_append(struct pending *p, const struct queue_op *op,
                                  const struct track *named, const char *turn, uint64_t serial);
void pending_drop_until(struct pending *p, uint64_t serial); /* those up to it were done */
/* What only the one that plays may write: START, END, SKIP, MARK_UNPLAYABLE. */
bool pending_is_transport(enum queue_op_kind kind);
/* What may make entries leave the queue, or end what plays. */
bool pending_may_take_out(enum queue_op_kind kind);
void pending_drop_transport(struct pending *p, bool only_unsure);
void pending_drop_kind(struct pending *p, enum queue_op_kind kind, uint64_t until);
/* Days without a server: what has long ended is kept as its result alone, so the list stays as long as the queue. true:
 * it has changed. */
bool pending_compact(struct pending *p, uint64_t keep_until);

/* Applies one to `q`, whose `now` is of that turn; *turn and *f follow. Result as queue_apply(). */
int pending_apply(const struct pending_op *p, struct queue *q, struct now_fields *f);

struct message *pending_to_message(const struct pending *p, const char *field);
void pending_from_message(struct pending *p, const struct message *m, const char *field,
                          uint64_t revision);
