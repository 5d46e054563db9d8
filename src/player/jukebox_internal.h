/* Shared by the jukebox_*.c files only. */
#pragma once

#include "player/durations.h"
#include "player/jukebox.h"

#define HISTORY_WAITING 32 /* lines not taken yet; more are dropped */
#define STRIKES_KEPT    8

/* One deck load and what it is for. */
struct part {
    uint64_t entry;   /* key of the queue entry; 0: no part */
    uint64_t load;    /* 0: no deck has it yet */
    uint64_t turn;    /* the turn it plays; 0: none yet */
    int64_t start_ns; /* media position ordered */
    uint32_t deck;
    enum plan_start how;
    bool is_lost;    /* its deck process died: there is no more than the rings hold */
    bool can_play;   /* frames or samples were ready */
    bool is_over;    /* nothing more will be decoded; end_ns is final */
    bool has_failed; /* is_over before the real end */
    bool was_heard;
    int64_t duration_ns; /* 0: unknown */
    int64_t end_ns;      /* NO_TIME: unknown */
};

struct deck_slot {
    struct deck_order order;
    bool is_served;         /* the process it was given to was seen alive */
    bool is_past;           /* that process was gone when this life began */
    bool is_stuck;          /* a device may hold that process; it still gives sound */
    int64_t since_ns;       /* the order is out, and the process lives, since then */
    int64_t killed_ns;      /* asked to end it then; 0: not */
    uint32_t killed_starts; /* which process that was */
    char system[160];       /* what it decodes with, as last heard */
};

/* How often in a row an entry could not be played: decks died of it, it did not open in time, it gave
 * nothing. */
struct strike {
    uint64_t entry;
    unsigned count;
};

/* A card that is shown as long as what it says is so, and what staff can do about it. */
struct standing_card {
    enum scene_notice kind;
    const char *title, *text, *advice;
};

struct jukebox {
    struct jukebox_settings settings;
    struct log log_copy;
    const struct log *log; /* NULL: quiet */

    struct jukebox_view view; /* as of the last step */
    struct play_position air; /* what is heard, from it */

    struct queue queue;
    uint64_t turn;    /* number of the start of queue.now; grows */
    uint64_t now_key; /* key of queue.now; 0: nothing */
    uint64_t left_load;
    int64_t position_ns; /* of queue.now */
    int64_t start_ns;    /* where the next cue of this turn begins */
    int64_t played_ns;   /* heard of this turn */
    int64_t heard_ns;    /* media position counted up to */
    int64_t started_wall_ms;
    int64_t saved_at_ns;      /* POSITION_DUE was last set */
    int64_t stands_since_ns;  /* the sound stands and its deck does nothing; 0: it is not so */
    uint64_t stands_work;     /* what that deck had done then */
    int64_t refused_since_ns; /* the stage does not take `now`; 0: it does */
    uint64_t revision, queue_revision;

    struct part now, cue, next;
    struct part leaving; /* what `now` replaced, until the stage has let go of it */
    int64_t leaving_until_ns;
    struct deck_slot deck[DECKS];
    uint64_t last_load;

    bool is_paused, is_muted, shows_text, is_leaving, is_away, had_entries, played_any;
    bool pause_is_restored; /* it was paused when this life began, and nobody has resumed it */
    uint32_t volume;
    enum scene_link link;
    char master[96]; /* who has the music while this one is away; "": not known */

    char trouble[160], trouble_advice[256]; /* why no song comes; "": none */
    const struct standing_card *standing;   /* NULL: none */
    enum scene_notice notice;
    int64_t notice_until_ns, volume_until_ns;
    char notice_title[96], notice_text[320];

    struct strike strike[STRIKES_KEPT];
    size_t strike_next;
    uint64_t put_off;        /* entry that waits until another turn has begun; 0: none */
    uint64_t aside;          /* entry that has nothing to give for now; 0: none ... */
    int64_t aside_ns;        /* ... until then, and as long as its file grows */
    size_t empty_turns;      /* that ended in a row and gave nothing */
    unsigned house_failures; /* songs of the house that gave nothing, in a row ... */
    int64_t house_again_ns;  /* ... and when the next one may be tried */
    struct durations durations;
    struct hardware_faults hardware;
    struct played history[HISTORY_WAITING];
    size_t history_first, history_count;

    struct plan plan;
    struct scene scene;
    unsigned changes;
};

/* jukebox_turns.c: the queue and what plays of it. */
void turn_saved_change(struct jukebox *j);
void turn_queue_changed(struct jukebox *j); /* the queue or what plays of it: saved, too */
void turn_begin(struct jukebox *j, struct entry_place place);
/* Ends the playing entry, if any, in queue and history. */
void turn_end(struct jukebox *j, enum played_how how);
/* Starts the next entry when nothing plays and there is one. */
void turn_settle(struct jukebox *j);
/* What is to play next: nothing that is on its way, nor what is put off, if there is anything else. false: nothing. */
bool turn_next(const struct jukebox *j, struct entry_place *out);
/* The first that is to play, is there and is not `entry` (0: any). */
bool turn_find_other(const struct jukebox *j, uint64_t entry, struct entry_place *out);
/* Its file is still being written. */
bool turn_is_growing(const struct jukebox *j, const struct track *t); /* `t` may be NULL */
/* The file the queue has for the song: its own, or that of another entry of the same song; guests know no files. "": none.
 * `t` may be NULL. */
const char *turn_source(const struct jukebox *j, const struct track *t);
bool turn_is_coming(const struct jukebox *j, const struct track *t); /* `t` may be NULL */
/* Songs of the queue are on their way, for all that is known of them. */
bool turn_awaits(const struct jukebox *j);
/* Another entry plays before the present one, or a song of the house; it stays the next as far as the queue is concerned.
 * false: there is nothing else that could. */
bool turn_give_way(struct jukebox *j);
/* The same for one that has nothing to give for now: for so long, or as long as its file grows, others play. */
bool turn_set_aside(struct jukebox *j, int64_t for_ns);
/* Ends the playing entry as one that could not be played now. A request stays in the queue, too. */
void turn_postpone(struct jukebox *j);
void turn_count_heard(struct jukebox *j);
void turn_save_position(struct jukebox *j);
/* Marks an entry and says so on the screens. */
void turn_mark_unplayable(struct jukebox *j, uint64_t entry, const char *reason);
/* The element, or `now` when it is detached; NULL: gone. */
const struct track *turn_track(const struct jukebox *j, uint64_t entry);
/* Its title, for the log; never NULL. */
const char *turn_title(const struct jukebox *j, uint64_t entry);

/* jukebox_decks.c: orders, and decks that answer, fail, hang or die. */
void deck_observe(struct jukebox *j);
/* Orders part->entry at part->start_ns from `deck`. false: the entry has no file to play, `why` says so. */
bool deck_give(struct jukebox *j, uint32_t deck, struct part *part, char *why, size_t why_size);
void deck_unload(struct jukebox *j, uint32_t deck);
void deck_activate(struct jukebox *j, const struct part *part);
/* Tells the decks whether subtitles are wanted. */
void decks_follow_text(struct jukebox *j);
/* What plays has ended by itself: marks an entry that gives nothing, time and again. */
void deck_judge_end(struct jukebox *j);
bool deck_is_usable(const struct jukebox *j, uint32_t deck);
bool deck_has(const struct jukebox *j, const struct part *part);
/* `part` cannot be played at all: what follows from that. */
void part_fail(struct jukebox *j, struct part *part, const char *reason);

/* jukebox_follow.c: makes cue, next and plan follow the queue. */
void follow_stage(struct jukebox *j);
/* The stage has mixed `next` already, though it is not heard yet: count it as begun. */
void follow_committed(struct jukebox *j);
void follow_queue(struct jukebox *j);

/* jukebox_past.c */
void past_adopt(struct jukebox *j, const struct jukebox_past *past);

/* jukebox_scene.c */
void scene_build(struct jukebox *j);
