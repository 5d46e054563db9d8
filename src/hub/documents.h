/* Documents on disk, with Appwrite's rules. Every write happens inside the turn's transaction: see
 * store/database.h. Thread-safety: the hub's only thread. Blocks on disk. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "hub/api_error.h"
#include "hub/caller.h"
#include "hub/collection.h"
#include "hub/query.h"

struct database;
struct documents;
struct message;

enum change_action { CHANGE_CREATE, CHANGE_UPDATE, CHANGE_UPSERT, CHANGE_DELETE };

struct change {
    const struct collection *collection;
    enum change_action action;
    const char *id;
    const struct message *document; /* as GET gives it; DELETE: its last state */
};

struct documents_params {
    struct database *database; /* migrated by hub_migrations(), hub/schema.h */
    const char *database_id;
    bool encodes_arrays; /* arrays given for a JSON attribute are encoded instead of refused */
    /* Wall clock in ms since 1970; the times of documents never go back, whatever it says. */
    int64_t (*wall_ms)(void *ctx);
    /* Called for every write, in order, before it is committed; NULL: nobody listens. */
    void (*on_change)(void *ctx, const struct change *c);
    void *ctx;
};

/* NULL after a line in the log: the database cannot be read. */
struct documents *documents_create(const struct documents_params *p);
void documents_destroy(struct documents *d);

/* All: true, and *out (the caller destroys it; out may be NULL) is the document as GET gives it; false and *e.
 * `caller` NULL: the hub itself, with every right. Data is an object of attributes; $id, times and the other names that
 * GET adds are ignored in it, so that a whole document may be sent back, except "$permissions": an array sets those.
 * Rules: ids of 1..36 of [A-Za-z0-9._-] not starting with a special character, "unique()" makes one; $updatedAt =
 * max(now, every time written so far, old + 1 ms), kept by a write that changes nothing, which is still reported;
 * `guard` is X-Appwrite-Timestamp or NULL: a document written later than that is API_UPDATE_CONFLICT; an unparsable
 * one is API_ARGUMENT_INVALID. API_STORAGE: undo the request, see database_undo(). */
bool documents_get(struct documents *d, const struct caller *caller, const struct collection *c,
                   const char *id, struct message **out, struct api_error *e);
/* {"total":N,"documents":[...]} */
bool documents_list(struct documents *d, const struct caller *caller, const struct collection *c,
                    const struct query *q, struct message **out, struct api_error *e);
/* `permissions_of`: NULL, or an object whose array "permissions" is meant (a request's body). */
bool documents_insert(struct documents *d, const struct caller *caller, const struct collection *c,
                      const char *id, const struct message *data,
                      const struct message *permissions_of, struct message **out,
                      struct api_error *e);
bool documents_update(struct documents *d, const struct caller *caller, const struct collection *c,
                      const char *id, const struct message *data, const char *guard,
                      struct message **out, struct api_error *e);
/* An existing document keeps the optional attributes that data lacks. */
bool documents_upsert(struct documents *d, const struct caller *caller, const struct collection *c,
                      const char *id, const struct message *data, struct message **out,
                      struct api_error *e);
bool documents_delete(struct documents *d, const struct caller *caller, const struct collection *c,
                      const char *id, const char *guard, struct api_error *e);
/* A null counts as 0. Increment (by > 0) or decrement (by < 0), bounded: beyond `bound` is API_LIMIT_EXCEEDED. */
bool documents_increment(struct documents *d, const struct caller *caller,
                         const struct collection *c, const char *id, const char *attribute,
                         double by, const double *bound, struct message **out, struct api_error *e);

/* The documents every venue needs, made when missing: the venue (found by its attribute venueId), its queue (id =
 * venueId where that is a legal id) and the playlist default_playlist. `owner_id` NULL: "system". */
bool documents_ensure_venue(struct documents *d, const char *venue_id, const char *owner_id,
                            struct api_error *e);
