/* The venue's document of the collection `queues`, as it was read and as it is written. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "model/queue.h"
#include "sync/stamp.h"

struct message;

#define DOCUMENT_ID_SIZE 64
#define TURN_SIZE        40
#define PUSH_MARKS       8
#define WRITER_SIZE      20

/* Which operations of whom are in the document: kept inside nowPlaying, where other writers leave it alone. An answer
 * that was lost is so not done twice. */
struct push_mark {
    char by[WRITER_SIZE];
    uint64_t op; /* serial of the last one */
};

/* What nowPlaying carries besides the track. */
struct now_fields {
    char turn[TURN_SIZE]; /* names one playing of an entry: writer and serial; "": none */
    struct push_mark mark[PUSH_MARKS];
    size_t mark_count;
    bool has_left;      /* who plays has given up its role in good order */
    double remaining_s; /* -1: not said */
    int64_t start_ms;   /* startTime; 0: the writer does not know the time */
};

struct queue_document {
    char id[DOCUMENT_ID_SIZE];
    char updated_at[STAMP_SIZE]; /* $updatedAt exactly as received: the guard */
    int64_t stamp_ms;            /* the same; INT64_MIN: never read */
    struct queue queue;
    struct now_fields now;
    uint64_t hash;  /* of the texts it was read from; 0: it was not */
    bool is_broken; /* an attribute held no list: to be repaired by our next write */
};

void queue_document_init(struct queue_document *d);
void queue_document_finish(struct queue_document *d);
/* Initialises *d. false: it has no $id or no $updatedAt (then *d is as initialised). Broken lists are empty. */
bool queue_document_read(struct queue_document *d, const struct message *m);
/* Of the attributes as they came: reading the same again is saved. Never 0. */
uint64_t queue_document_hash(const struct message *m);
void queue_document_move(struct queue_document *to, struct queue_document *from);

void now_fields_mark(struct now_fields *f, const char *by, uint64_t op);
uint64_t now_fields_marked(const struct now_fields *f, const char *by); /* 0: none */

/* The attributes of a write; the caller destroys it. `updated_at` NULL: no time is known. */
struct message *queue_document_data(const struct queue *q, const struct now_fields *f,
                                    const char *updated_at);
/* Whether a server has room for them; else its answer would be 400. */
bool queue_document_fits(const struct message *data);
/* Same entries in the same order and the same `now`, as far as writers keep it. */
bool queue_same(const struct queue *a, const struct queue *b);
/* Of two such queues: what their entries are called, and how long they are, is the same, too. */
bool queue_same_names(const struct queue *a, const struct queue *b);
/* Whether a web player re-made this copy: "current_" or "local_". */
bool track_is_remade(const struct track *t);
/* The same entry: same identity, or same song and time. */
bool track_is_same_entry(const struct track *a, const struct track *b);
/* Journal's form; the fields of `now` included. */
struct message *queue_document_to_message(const struct queue_document *d);
bool queue_document_from_message(struct queue_document *d, const struct message *m);
