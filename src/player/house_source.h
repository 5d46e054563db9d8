/* Songs from elsewhere: what the supply decides (source/supply.h) is done with the worker around yt-dlp, the probe and the
 * cache; what is there, comes, or cannot be had is told to the jukebox. Shared by house_source*.c only. */
#pragma once

#include "player/house_internal.h"
#include "player/shelf.h"
#include "source/profile.h"
#include "source/trouble.h"
#include "source/worker.h"

#define SOURCE_LANES 2 /* as many as the supply has downloads */
#define SOURCE_MISSING                                                                             \
    8 /* songs of the house playlist looked at: when one is here, there is place for another */

/* One song that is wanted, or about which an answer is still to come. */
struct parcel {
    struct house_source *source;
    char key[CACHE_KEY_MAX + 1];
    char *url;
    unsigned site;   /* number of a source: which breaker it obeys */
    bool is_guests;  /* nobody but guests asked for it */
    bool is_trusted; /* staff of this house named its address: it may lead into our own network */
    bool is_wanted;  /* in the queue, as far as it was looked at */
    bool is_playing; /* as last told to the supply */
    bool may_fetch;  /* else it plays if it is here already */
    bool is_spare;   /* nobody has asked for it */

    /* What is known of it by now; `meta.id` is the song's. */
    struct cache_meta meta;
    char *file;                /* of the partial folder, when it is fetched; NULL: not yet */
    char *growing;             /* path of the file that could be played by now; NULL: none */
    int percent;               /* of the fetch; -1: unknown */
    bool is_live, is_over;     /* over: no more of the live stream comes */
    bool is_started, is_known; /* known: what `meta` says comes from where the song is */

    /* The action that is to be answered; id 0: none. */
    uint64_t id;
    enum supply_action_kind doing;
    enum { NEEDS_NOTHING, NEEDS_LANE, NEEDS_PROBE } needs; /* before it can begin */
    struct source_lane *lane;                              /* that had it last; NULL: none */
    bool is_cancelled, discards;
    bool is_stalled;    /* it was given up for that */
    int64_t bytes_here; /* of the fetch under way */
    int64_t moved_ns;   /* when the last of them came */
    uint64_t bytes, limit;
    unsigned looks; /* at the whole file, that came to no verdict */
    int64_t timeout_ms;
    char *folder;
};

struct source_lane {
    struct house_source *source;
    struct worker *worker; /* NULL: not started yet */
    uint64_t id;           /* of the action it has; 0: idle */
};

struct house_source {
    struct house *house;
    struct log log;
    struct supply *supply;
    struct trouble trouble;
    struct shelf shelf;
    struct parcel **parcel;
    size_t count, cap;

    struct source_lane lane[SOURCE_LANES], probe;
    uv_timer_t timer;
    bool has_timer, has_failed; /* the supply gave something up */
    bool has_names;             /* more is known of a song */
    bool is_pumping, is_wanted_again;
    char missing[SOURCE_MISSING][CACHE_KEY_MAX + 1]; /* of the house playlist, and not here */
    size_t missing_count;
    uint64_t seen_list; /* of the venue's playlist: which was pinned last */
    bool is_full;       /* the disk is, and nothing is fetched ... */
    int64_t full_ns;    /* ... it was looked at last then ... */
    uint64_t
        full_room;    /* ... and had this much room when it became so; UINT64_MAX: not known yet */
    uint64_t fetched; /* songs, so far */
    bool is_indexed;  /* what the cache held at the start is on the shelf */
    int64_t index_ns; /* it was looked at last */

    /* When the queue was looked at last, and which it was. */
    int64_t seen_ns;
    uint64_t seen_revision, seen_turn;

    /* Of the configuration. */
    bool has_youtube;
    const struct profile *profile;
    char **worker_argv, *probe_program, *scratch, *languages;
    int max_minutes, max_mb, live_minutes;
    uint64_t live_bytes; /* that one live stream may take */
};

/* house_source_keys.c */
bool source_key_is_youtube(const char *key);
char *source_id_of_key(const char *key); /* the song's, by its key in the cache; the caller frees */

/* house_source_queue.c */
struct parcel *source_find(const struct house_source *s, const char *key); /* NULL: none */
/* The one whose action that is; NULL: none. */
struct parcel *source_find_action(const struct house_source *s, uint64_t id);
void parcel_destroy(struct parcel *p);
/* The supply gets to know the queue as it is now. */
void source_look(struct house_source *s);
/* The venue's default playlist is pinned, when it is another one than before. */
void source_pin_playlist(struct house_source *s);
bool source_is_in_library(const struct house *h, const char *key);
const char *source_named(const struct house_source *s, const struct track *t); /* by the queue */

/* house_source_lost.c */
/* Whether the song may be fetched at all; else `why` is a sentence. */
bool source_may_fetch(const struct house_source *s, const struct track *t, const char *source,
                      const char *key, const char **why);
/* A request of YouTube that is off, and of which nothing is here: it is about to be cancelled. */
bool source_is_off(const struct house_source *s, const struct track *t, const char *source);
/* Entries of songs that the supply gave up are marked, or leave. */
void source_give_up(struct house_source *s);
/* Requests for what this house does not fetch and does not have: their guests are told at once, not when it is their
 * turn. */
void source_refuse_requests(struct house_source *s);

/* house_source_work.c */
/* The one to tell of: the first that has greeted, else the first that there is; NULL: none was needed yet. */
const struct worker *source_worker(const struct house_source *s);
void work_begin(struct house_source *s, const struct supply_action *a);
/* Gives what waits for a worker to one that is idle. */
void work_go_on(struct house_source *s);
/* Starts the worker before anything needs it. */
void work_warm_up(struct house_source *s);
void work_finish(struct house_source *s); /* closes the workers */

/* house_source_errands.c: answered when they are done. */
void errand_look(struct house_source *s, struct parcel *p);
void errand_begin(struct house_source *s, struct parcel *p);
void errand_publish(struct house_source *s, struct parcel *p);
void errand_evict(struct house_source *s, uint64_t id, uint64_t bytes);
/* Not answered. */
void errand_pause(struct house_source *s, const char *key);
void errand_abandon(struct house_source *s, const char *key);
void errand_refuse(struct house_source *s, const struct supply_action *a);
void errand_forgive(struct house_source *s, const char *key);
void errand_index(struct house_source *s); /* what the cache holds goes on the shelf, later */
void errand_room(struct house_source *s);  /* whether there is room on the disk again */
/* These are pinned for the house, and no others that were; the list is taken, with its keys. */
void errand_pin(struct house_source *s, char **key, size_t count);

/* house_source.c: an answer of the action `p` had. */
void source_done(struct house_source *s, struct parcel *p, const struct supply_result *r);
void source_succeeded(struct parcel *p);
/* Its failure: what was the matter is not yet counted. */
void source_failed(struct house_source *s, struct parcel *p, enum failure f, int64_t retry_after_s);
/* Does what the supply wants now. */
void source_pump(struct house_source *s);
