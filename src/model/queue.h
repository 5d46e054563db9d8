/* The queue of a zone: requests before the main loop. Pure decisions, no I/O, no clock.
 *
 * The playing element stays at index 0 of its list while it plays. When it ends or is skipped, a main
 * track goes to the tail, a request leaves for good. While requests play the main list does not move.
 * Every operation names its entry, and applying it twice changes nothing the second time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/track.h"
#include "model/track_list.h"

enum queue_list { QUEUE_MAIN, QUEUE_REQUESTS, QUEUE_LISTS };

struct queue {
    struct track_list list[QUEUE_LISTS];
    struct track *now; /* copy of what plays, with its own id; NULL: nothing */
    bool loops;        /* a finished main track goes to the tail (default); else it leaves */
    size_t max_chars;  /* of one list as JSON text; queue_init(): QUEUE_SERVER_CHARS */
};

/* Which entry is meant.
 * With an id that counts as an identity: the entry of that id; of several, the first that agrees in
 * video_id and requested_at too; of none, the entry without an id of its own that agrees in both: never
 * another one with the same song, for the entry meant is gone.
 * Without: the first of that video_id and requested_at; else, when no requested_at is given, the first of
 * that video_id. "First" counts requests before main.
 * A copy of `now` means the entry that plays. */
struct entry_ref {
    const char *id, *video_id, *requested_at; /* NULL or empty: not given */
};

struct entry_place {
    enum queue_list list;
    size_t index;
};

/* What one list may hold, as JSON text: the server's limit; and that of a zone without a server, 8,000
 * to 12,000 songs (less than 100,000 entries in any case, see track_json_chars()). */
#define QUEUE_SERVER_CHARS 100000
#define QUEUE_LOCAL_CHARS  4000000

void queue_init(struct queue *q);
void queue_finish(struct queue *q);
void queue_copy(struct queue *to, const struct queue *from); /* `to` is initialised by this */

struct entry_ref entry_ref_of(const struct track *t);
bool queue_find(const struct queue *q, struct entry_ref ref, struct entry_place *out);
struct track *queue_at(const struct queue *q, struct entry_place place); /* NULL: no such place */
/* Key of an entry for shared memory: a hash of its identity, the same after every restart; never 0;
 * unique within the queue (of entries nothing tells apart, the n-th has its own key). `t` is in `q`, or a
 * copy of one that is, such as q->now; a detached track gets the key of its own fields. */
uint64_t entry_key(const struct queue *q, const struct track *t);
/* The keys of a whole list, in its order, without the cost of entry_key() for each. `out` has room. */
void queue_keys(const struct queue *q, enum queue_list list, uint64_t *out);
bool queue_find_key(const struct queue *q, uint64_t key, struct entry_place *out);

/* The element that `now` stands for: by the rules above; when a web player re-made the copy ("current_",
 * "local_", with a new requested_at), by video_id alone. false: nothing plays, or a detached track plays. */
bool queue_playing(const struct queue *q, struct entry_place *out);
/* What is to play when the playing one has ended: what PLAY_NOW asked for, else the first playable
 * request that is not playing, else the next playable of the main loop (the only track of a loop follows
 * itself). false: nothing is left, or every entry is marked unplayable. */
bool queue_next(const struct queue *q, struct entry_place *out);
/* The n-th (0: queue_next) of what will play if nobody changes anything; for "up next". */
bool queue_upcoming(const struct queue *q, size_t n, struct entry_place *out);
/* The first of those, in that order, which `accepts` takes; each is asked about once. false: none. */
typedef bool queue_accepts_fn(void *ctx, const struct track *t);
bool queue_upcoming_that(const struct queue *q, queue_accepts_fn *accepts, void *ctx,
                         struct entry_place *out);

/* Operations. Those that return int: 0 done, 1 nothing to do (already so), -ENOENT no such entry. */
enum queue_op_kind {
    OP_ADD,
    OP_START,
    OP_END,
    OP_SKIP,
    OP_REMOVE,
    OP_MOVE,
    OP_PROMOTE,
    OP_PLAY_NOW,
    OP_SHUFFLE,
    OP_CLEAR,
    OP_MARK_UNPLAYABLE,
    OP_NAME,
    OP_KINDS
};

struct queue_op {
    enum queue_op_kind kind;
    struct entry_ref entry;    /* all but ADD, SHUFFLE, CLEAR, NAME */
    const struct track *track; /* ADD: copied. It gets an id when it has none that counts, as by
                                   track_ensure_id(t, seed); an ADD of an id that is in the queue or
                                   plays already is done. NAME: its video_id, names and duration */
    bool at_front;             /* ADD: to be played next instead of at the tail */
    bool all_lists;            /* CLEAR: both lists */
    enum queue_list list;      /* ADD (a request or paid track goes to QUEUE_REQUESTS in any case),
                                   CLEAR, SHUFFLE is always main */
    size_t index;  /* MOVE: new index in its own list; clamped; the playing one stays at 0 */
    uint64_t seed; /* SHUFFLE, and fresh ids of ADD: random bits from outside, others for
                                   every operation */
    const char *
        reason; /* MARK_UNPLAYABLE: one sentence. REMOVE: why, if nobody wanted it so; may be NULL */
};

/* Applies `op`. ADD and NAME return -EMSGSIZE when the list would outgrow max_chars. */
int queue_apply(struct queue *q, const struct queue_op *op);
/* Takes the marks off all entries of that source (""; of none). */
void queue_lift_marks(struct queue *q, const char *source);

/* Meaning of each, for an entry that is there:
 * ADD              at the tail, or next (index 1 of its list, 0 when nothing of that list plays).
 * START            the entry becomes `now` and moves to index 0 of its list. What played until then is
 *                  ended first, as by END. Unplayable main tracks it passes over go to the tail, so the
 *                  order of the loop stays.
 * END, SKIP        of the playing entry: a main track goes to the tail (leaves, when the queue does not
 *                  loop), a request leaves, a detached track is dropped; `now` is NULL. Of any other
 *                  entry, there or not: it does not play, so this was done already (1).
 * REMOVE           the entry leaves its list. The playing one: `now` is NULL too, and no rotation.
 * MOVE             within its list. Index 0 belongs to the playing entry.
 * PROMOTE          to where ADD at_front puts one.
 * PLAY_NOW         what plays is skipped, the entry goes to the front of its list and is what
 *                  queue_next() gives, even before requests; a mark "unplayable" is taken off.
 * SHUFFLE          the main list except the playing entry at index 0. The order depends on the seed and
 *                  on the entries, not on the order before.
 * CLEAR            the list or lists are empty; what plays goes on as a detached track.
 * MARK_UNPLAYABLE  kept in its place and passed over by queue_next(); an empty reason takes the mark off. Of
 *                  entries that nothing tells apart: all of them.
 * NAME             of all entries of that song, what plays too: names for those that have only a stand-in
 *                  (track_has_stand_in()), the duration where it is unknown. */
