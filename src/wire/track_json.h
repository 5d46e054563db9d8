/* Tracks and queues <-> JSON text of the DJAMMS documents. Reads the union of what all known writers
 * wrote (see docs/architecture.md, data model), keeps unknown fields, writes the superset shape. */
#pragma once

#include "model/queue.h"

struct message;

/* One track object; the caller owns it. NULL when m is NULL. Unknown fields nested deeper than 64 levels
 * are left out, so that what was read can always be written and read again. */
struct track *track_from_message(const struct message *m);
/* The caller destroys it. */
struct message *track_to_message(const struct track *t, size_t position);

/* A list: JSON array text; also an array encoded as a JSON string once more; anything else is an empty
 * list. Elements that are no objects, or that nothing names (neither id, videoId nor source), are
 * dropped. `list` is initialised by this; the caller finishes it. */
void track_list_parse(struct track_list *list, const char *text);
/* The form the house writes. A list that a server has no room for in that form (other writers say less of a song than we
 * do) is written without the fields that say nothing. The caller frees. */
char *track_list_text(const struct track_list *list);

/* The whole queue as one object {"nowPlaying":{..}|null,"mainQueue":[..],"priorityQueue":[..]}:
 * the journal's form. The caller destroys it. */
struct message *queue_to_message(const struct queue *q);
/* Initialises q. Tolerant: also the server's document, where each of the three is JSON text. What is in
 * the priority queue is a request. */
void queue_from_message(struct queue *q, const struct message *m);
