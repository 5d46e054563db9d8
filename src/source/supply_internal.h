/* For the files of the manager only: what it is made of. */
#pragma once

#include "source/supply.h"

#define AHEAD       3
#define URGENT_NS   SECONDS(60)
#define IN_HAND_S   15.0
#define GIVE_UP_NS  SECONDS(1800)
#define LIVE_NS     SECONDS(30)  /* before its turn a live stream is fetched ... */
#define LIVE_OFF_NS SECONDS(120) /* ... and when that is so far away again, no longer */
#define HOURLY_MAX  60           /* resolutions of sources that count them */
#define DOWNLOADS   2
#define FULL_NS     SECONDS(300)
#define GUESS_BYTES ((uint64_t)100 * 1000 * 1000)
#define LIMIT_MIN   ((uint64_t)64 * 1024)
#define REFUSED_S   (7 * INT64_C(86400))

struct entry {
    char *key;
    enum supply_state state;
    char class[SUPPLY_CLASS_MAX];
    int64_t until_ns; /* WAITING, FAILED */

    /* Of the queue, as last heard. */
    bool is_queued, is_request, is_playing, is_metered, is_spare, wants_name;
    unsigned source;
    size_t place;
    double duration_s;
    int64_t needed_ns;
    bool is_overdue;    /* others played in its turn */
    int64_t overdue_ns; /* for so long, the hours without network apart */

    /* Of the work on it. */
    uint64_t action; /* not answered yet; 0: none */
    enum supply_action_kind doing;
    bool is_cancelling;
    bool has_lagged;                        /* it is cancelled for that */
    bool is_absent;                         /* the cache was asked */
    bool was_named;                         /* so was the source, for its names */
    unsigned again, anew, blocked, offline; /* failures of each fate */
    bool discards;

    /* Of its fetch. */
    bool can_grow, is_started;
    bool is_live, was_played;
    uint64_t bytes, done, limit;         /* bytes 0: unknown */
    int64_t began_ns, seen_ns, heard_ns; /* first, sampled and last progress */
    uint64_t began_bytes, seen_bytes;
    bool has_progress;
    double in_hand_s;
};

struct supply {
    int64_t now_ns;
    uint64_t random, next_id;
    struct entry *
        *entry; /* queued ones in the order of the queue, then others that are under way */
    size_t count, cap;

    bool is_up;
    int64_t breaker_ns[SUPPLY_SOURCES + 1]; /* NO_TIME: closed */
    int64_t spaced_ns;                      /* no resolution of a metered source before */
    int64_t asked_ns[HOURLY_MAX];           /* when the last ones were, a ring */
    size_t asked_next;
    uint64_t evicting; /* action; 0: none */
    bool has_evicted;  /* for what fails now */
    int64_t full_ns;   /* no fetch before; NO_TIME: there is room */
    uint64_t bandwidth;

    struct supply_action *action; /* to be given out; their texts are owned */
    size_t action_count, action_cap, action_first;
    struct supply_action given; /* the last one */
};

/* supply.c */
/* `e` may be NULL. */
struct supply_action *supply_put(struct supply *s, enum supply_action_kind kind,
                                 const struct entry *e, const char *class);
/* The same with an id, which the entry waits for. */
struct supply_action *supply_ask(struct supply *s, enum supply_action_kind kind, struct entry *e);
uint64_t supply_random(struct supply *s);
void entry_set_state(struct entry *e, enum supply_state state);
bool entry_works(const struct entry *e); /* RESOLVING or FETCHING: takes one of the downloads */

/* supply_failure.c */
void entry_fail(struct supply *s, struct entry *e, const struct supply_failure *f);
void entry_give_up(struct supply *s, struct entry *e);
void entry_lag(struct supply *s, struct entry *e); /* not before others had their time */

/* supply_plan.c */
void supply_decide(struct supply *s);
int64_t supply_next_change_ns(const struct supply *s);
/* The next few that are not failing, every request, and what is spare: `ahead`, AHEAD at first, counts down while the queue is walked. */
bool entry_is_in_reach(const struct entry *e, int *ahead);
bool entry_is_growing(const struct entry *e); /* plays while it is fetched */
bool entry_is_due(const struct supply *s,
                  const struct entry *e); /* of a live stream it may be too early */
void entry_cancel(struct supply *s, struct entry *e);
/* Somebody else is to be resolved or fetched before it, now. */
bool supply_yields(const struct supply *s, const struct entry *e);
