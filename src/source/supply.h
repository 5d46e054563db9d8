/* What is fetched when, sans I/O: what happened goes in, what is to be done comes out. It opens nothing, reads no clock
 * and touches no disk; a driver does what its actions say, so that thousands of evenings are simulated.
 *
 * Wanted are the next three entries of the queue that are not failing, and every request; then what is to be here in any
 * case, for which a source that counts is asked half as often. Their keys go
 *
 *     NEW -> RESOLVING -> FETCHING -> CHECKING -> READY        and aside:  WAITING(until, class), FAILED(class)
 *
 * Of those further behind that have no names yet it is found out what they are, one at a time, when nothing urgent is under way.
 *
 * READY: the whole file is in the cache, checked. Only that may be played, or a file that still grows and was said to
 * have enough in hand (SUPPLY_START). Whatever fails, what is READY overtakes: that is the player's to do.
 *
 * A live stream is never whole and never published: it is fetched from half a minute before its turn on, as long as it
 * plays; what came of it is READY when it ends by itself, plays to its end, and goes (SUPPLY_DROP).
 *
 * One download at a time, a second one only beside one that is slower than its song plays; what is needed within a
 * minute stops one that is needed later, whose partial stays, and one that has been slow for half a minute. Every action with an id is answered once, also a cancelled
 * one: until then its key is not touched.
 *
 * Thread-safety: one thread at a time. Times are CLOCK_MONOTONIC in ns. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define SUPPLY_WANTED_MAX 512 /* of a queue; what is behind waits until it comes nearer */
#define SUPPLY_CLASS_MAX  24
#define SUPPLY_SOURCES    16

struct supply;

struct supply *supply_create(uint64_t seed, int64_t now_ns);
void supply_destroy(struct supply *s); /* `s` may be NULL */

/* ---- what happened ------------------------------------------------------------------------------------------- */

struct supply_wanted {
    const char *key;
    unsigned source; /* which breaker it obeys: 0 .. SUPPLY_SOURCES - 1 */
    bool is_metered; /* its source blocks who asks too often */
    bool is_request, is_playing;
    bool wants_name; /* people do not know by its names what it is */
    bool is_spare; /* of the house: not in the queue, and nobody waits for it. Behind all others */
    double duration_s; /* 0: unknown */
    int64_t needed_ns; /* its turn, as it looks now; NO_TIME: unknown */
};
/* The queue, in the order it will play, what plays at first. Texts are borrowed for the call. */
void supply_queue(struct supply *s, const struct supply_wanted *at, size_t count, int64_t now_ns);

/* What is to become of a failure. */
enum supply_fate {
    SUPPLY_PERMANENT, /* not again for `refused_s` */
    SUPPLY_AGAIN, /* after 2, 10, 60, 300 s ...; from the `attempts`th on it is permanent, 0: never */
    SUPPLY_ANEW, /* an address that went stale: resolved again after 0, 2, 5, 15, 60 s, then each 300 s */
    SUPPLY_BLOCKED, /* the source or the tool, not the song: 60, 300 s ...; its breaker says more */
    SUPPLY_OFFLINE, /* the network, not the song: 2, 10, 60 s ..., and as soon as it is up */
    SUPPLY_NO_ROOM, /* the disk */
};

struct supply_failure {
    char class[SUPPLY_CLASS_MAX]; /* for people and for what is kept: "URL_403" */
    enum supply_fate fate;
    unsigned attempts;
    int64_t refused_s;     /* 0: a week */
    int64_t retry_after_s; /* at the earliest; 0: not said */
    bool spoils_partial;   /* what is there cannot be gone on with */
};

enum supply_outcome {
    SUPPLY_OK,     /* SUPPLY_LOOK: it is in the cache */
    SUPPLY_ABSENT, /* SUPPLY_LOOK: it is not */
    SUPPLY_REFUSED, /* SUPPLY_LOOK: nor to be asked for: failure.class and .refused_s that are left */
    SUPPLY_CANCELLED, /* as it was told */
    SUPPLY_FAILURE,   /* failure */
};

struct supply_result {
    enum supply_outcome outcome;
    struct supply_failure failure;
    /* SUPPLY_RESOLVE; SUPPLY_NAME: duration_s, is_live */
    uint64_t bytes;    /* 0: unknown */
    double duration_s; /* 0: unknown */
    bool can_grow;     /* one file that plays from its beginning while it grows */
    bool is_live;
};
/* The end of the action `id`. An id of a former life, or a second answer, is passed over. */
void supply_done(struct supply *s, uint64_t id, const struct supply_result *r, int64_t now_ns);
/* Of a fetch under way: bytes of the file so far, and the seconds that could be played of it. */
void supply_progress(struct supply *s, uint64_t id, uint64_t bytes, double in_hand_s,
                     int64_t now_ns);

void supply_lost(struct supply *s, const char *key, int64_t now_ns); /* no longer in the cache */
void supply_retry(struct supply *s, const char *key,
                  int64_t now_ns); /* somebody wants it now; NULL: all */
void supply_network(struct supply *s, bool is_up, int64_t now_ns); /* up at first */
/* Nothing is asked of this source until then; NO_TIME: closed. `source` SUPPLY_SOURCES: of none, the tool is broken. */
void supply_breaker(struct supply *s, unsigned source, int64_t until_ns, int64_t now_ns);
void supply_room(struct supply *s, int64_t now_ns); /* somebody made room on the disk */

/* Time went on. Call at supply_deadline_ns() and whenever convenient. */
void supply_time(struct supply *s, int64_t now_ns);
/* INT64_MAX: none. Later than the last time that went in, once all actions are taken. */
int64_t supply_deadline_ns(const struct supply *s);

/* ---- what is to be done --------------------------------------------------------------------------------------- */

enum supply_action_kind {
    /* With an id, answered by supply_done() within timeout_ms. */
    SUPPLY_LOOK,    /* is it in the cache, or refused? */
    SUPPLY_RESOLVE, /* find its address; is_urgent: somebody waits */
    SUPPLY_NAME,    /* the same, but only to know what it is */
    SUPPLY_FETCH, /* about `bytes`; afresh when `discards`, else on with what is there; at most `limit` bytes/s, 0: any */
    SUPPLY_CHECK, /* the whole file */
    SUPPLY_PUBLISH, /* into the cache */
    SUPPLY_EVICT,   /* at least `bytes`, but nothing that is used */
    /* Without an answer of their own. */
    SUPPLY_CANCEL,  /* the fetch or naming `id`: its answer comes at once, its partial stays */
    SUPPLY_LIMIT,   /* the fetch `id` goes on with `limit` */
    SUPPLY_START,   /* may be played while it grows */
    SUPPLY_HAVE,    /* is READY */
    SUPPLY_DROP,    /* what came of the live stream goes */
    SUPPLY_FAIL,    /* the entry cannot be played: class; a request is cancelled with it */
    SUPPLY_REFUSE,  /* keep for `for_s`: not to be asked for, class */
    SUPPLY_PUT_OFF, /* not before `until_ns`: class */
    SUPPLY_TELL,    /* staff: class */
};

struct supply_action {
    enum supply_action_kind kind;
    uint64_t id;
    const char *key; /* "": none */
    const char *class;
    bool is_urgent, discards;
    uint64_t bytes, limit;
    int64_t for_s, until_ns;
    int timeout_ms;
};

/* The next thing to do; false: nothing. Texts live until the next call on `s`. */
bool supply_next_action(struct supply *s, struct supply_action *out);

/* ---- what it holds --------------------------------------------------------------------------------------------- */

enum supply_state {
    SUPPLY_NEW,
    SUPPLY_RESOLVING,
    SUPPLY_FETCHING,
    SUPPLY_CHECKING,
    SUPPLY_READY,
    SUPPLY_WAITING,
    SUPPLY_FAILED,
};
const char *supply_state_name(enum supply_state state);

struct supply_status {
    enum supply_state state;
    bool may_play; /* READY, or growing with enough in hand */
    char class[SUPPLY_CLASS_MAX];
    int64_t until_ns; /* WAITING, FAILED; else NO_TIME */
};
/* false: it knows nothing of the key. */
bool supply_status(const struct supply *s, const char *key, struct supply_status *out);
/* Keys that must not go from the cache: of the queue as far as it was looked at, and what is under way. Returns how many
 * were written, at most `max`; borrowed until the next call. */
size_t supply_use(const struct supply *s, const char **key, size_t max);
/* Bytes a second as lately seen; 0: not yet. */
uint64_t supply_bandwidth(const struct supply *s);
