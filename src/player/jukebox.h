/* The brain's decisions, without any I/O: what it is told in (view, operations, inputs), what is to be
 * done out (orders, plan, scene, what to save, which deck to end). It reads no clock and no memory shared
 * with others, so whole evenings are simulated in tests. Thread-safety: one thread at a time.
 *
 * How it thinks: the queue says what should play; `now` is what the stage was told to play. When they
 * differ, a *cue* is loaded on the deck that is not playing, and the plan changes the moment it is ready;
 * until then what played goes on. Otherwise that deck holds the *next* entry. A seek and the repair after
 * a deck died are cues of the same entry. Where the queue has nothing that can be played, `now` is a song of the house
 * (track_is_house()), which the queue's other owners are not told of. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"
#include "model/queue.h"
#include "player/hardware_faults.h"
#include "player/journal.h"
#include "shm/control.h"

struct song_name {
    const char *title, *artist; /* "": not known */
    double duration_s;          /* 0: not known */
};

struct jukebox_settings {
    bool autostarts;   /* after a power cut the saved track goes on; else it waits, paused */
    bool exits_at_end; /* and when somebody at a window quits: else INPUT_QUIT is ignored */
    bool loops;
    size_t max_chars; /* of a list, as in struct queue; 0: QUEUE_LOCAL_CHARS */
    /* Told of each operation on the queue just before it is applied, those of the jukebox itself (START, END, NAME,
     * MARK_UNPLAYABLE) too: the same operation on the same queue has the same result elsewhere. Not told
     * what jukebox_adopt() brings. NULL: nobody is told. */
    void (*on_op)(void *ctx, const struct queue_op *op);
    /* Whether the file or address that an entry names itself is opened: others than staff may write the queue far away.
     * No I/O. NULL: all are. */
    bool (*may_open)(void *ctx, const struct track *t);
    /* Which file is played of a song, by those who know more files than the queue does: `source` is what the queue
     * has, "" when it has none. What is returned is freed; NULL: there is none, and `why` is a sentence. It does no I/O.
     * NULL: what the queue has is played. */
    char *(*find_source)(void *ctx, const struct track *t, const char *source, char *why,
                         size_t why_size);
    /* Whether the song is on its way and cannot be played yet: others play until it is there. No I/O. NULL: none is. */
    bool (*is_coming)(void *ctx, const struct track *t, const char *source);
    /* Whether the file that find_source() gives for it still grows. No I/O. NULL: none does. */
    bool (*is_growing)(void *ctx, const struct track *t, const char *source);
    /* Whether what is here of the song is being played and is good for that alone, as of a live stream: it does not
     * follow itself. No I/O. NULL: none is. */
    bool (*is_passing)(void *ctx, const struct track *t, const char *source);
    /* Whether others know the names of a song of which the queue has only a stand-in: texts are borrowed. NULL: never. */
    bool (*name_song)(void *ctx, const struct track *t, struct song_name *out);
    /* A song of the house, to be played while nothing of the queue can be: it is here, and the caller's. `is_stuck`: there
     * are entries. No I/O. NULL: there is none, as when this is NULL. */
    struct track *(*house_song)(void *ctx, bool is_stuck);
    void *ctx;
};

/* What is told about the world each turn. */
struct jukebox_deck {
    struct deck_state state;
    bool is_alive;
    uint32_t starts;  /* process starts */
    uint64_t work;    /* changes while it decodes */
    char system[160]; /* as in struct deck_about */
};

struct jukebox_view {
    int64_t now_ns;  /* CLOCK_MONOTONIC */
    int64_t wall_ms; /* since 1970; only for the history */
    struct jukebox_deck deck[DECKS];
    struct play_clock clock;
    bool has_stage; /* a stage process is alive */
};

/* What was there when the brain started. Borrowed for the call. */
struct jukebox_past {
    const struct journal_state *state; /* from disk */
    const struct journal_position *position;
    const struct hardware_faults *hardware; /* NULL: nothing was learned yet */
    struct plan plan;                       /* from shared memory; zero after a power cut */
    struct deck_order order[DECKS];
    struct jukebox_view view;
};

/* What a step asks for. Publish orders before the plan. */
enum jukebox_change {
    CHANGED_ORDER_A = 1,
    CHANGED_ORDER_B = 2, /* CHANGED_ORDER_A << deck */
    CHANGED_PLAN = 4,
    CHANGED_SCENE = 8,
    CHANGED_SAVED = 16, /* jukebox_revision() grew: the journal is behind */
    POSITION_DUE = 32,
    KILL_DECK_A = 64,
    KILL_DECK_B = 128, /* KILL_DECK_A << deck: it hangs */
    QUIT_WANTED = 256,
    CHANGED_HARDWARE = 512, /* something was learned of the board's decoders */
};

enum jukebox_state { JUKEBOX_IDLE, JUKEBOX_PLAYING, JUKEBOX_PAUSED, JUKEBOX_WAITING };

enum played_how { PLAYED_ENDED, PLAYED_SKIPPED, PLAYED_FAILED, PLAYED_REMOVED };

/* One line of the history. */
struct played {
    char title[192], artist[160], id[128];
    int64_t started_wall_ms, ended_wall_ms;
    double played_s;
    enum played_how how;
    bool is_request;
};

struct jukebox;

/* `log` is copied; NULL: quiet. The caller destroys what is returned. Nothing is to be published before
 * the first jukebox_step(). */
struct jukebox *jukebox_create(const struct jukebox_settings *settings,
                               const struct jukebox_past *past, const struct log *log);
void jukebox_destroy(struct jukebox *j); /* j may be NULL */

/* One turn: takes in the view, decides. Returns a set of enum jukebox_change since the last step. */
unsigned jukebox_step(struct jukebox *j, const struct jukebox_view *view);

/* What people want. The effect on orders and plan comes with the next step; the queue is changed at once,
 * with the start of what follows when the playing entry went. */

/* As queue_apply(); SKIP with an empty entry means what plays. START, END and NAME are -EINVAL: they are the
 * jukebox's own. PLAY_NOW of a song that is on its way is PROMOTE: it plays when it is there. */
int jukebox_apply(struct jukebox *j, const struct queue_op *op);
/* The song cannot be played, as was found out before its turn: says so on the screens and marks it; or, when it `leaves`,
 * takes it out of the queue. 0, or -ENOENT: no such entry. */
int jukebox_give_up(struct jukebox *j, struct entry_ref entry, const char *reason, bool leaves);
/* More is known of songs: name_song() is asked for all, and what it says is an operation as any other; while another player
 * has the venue it is for our own screens alone. */
void jukebox_name_songs(struct jukebox *j);
/* The queue as others far away have changed it: replaces ours. What plays goes on when it is `queue->now`, too;
 * else that starts, or what follows when nothing is to play. */
void jukebox_adopt(struct jukebox *j, const struct queue *queue);
/* Another player of the venue sounds: nothing plays here, the screens say so, and what is to play is not ours to
 * start or end (-EPERM). When that is over, what the queue says goes on here. */
void jukebox_set_away(struct jukebox *j, bool is_away);
/* The name of that other one, for the screens; "": not known. */
void jukebox_set_master(struct jukebox *j, const char *device);
void jukebox_set_link(struct jukebox *j, enum scene_link link);
/* What the next song waits for, a sentence for guests and one for staff; "": nothing but its time. */
void jukebox_set_trouble(struct jukebox *j, const char *text, const char *advice);
/* To a position, or by a distance, clamped to the track. 0, or -ENOENT: nothing plays. */
int jukebox_seek(struct jukebox *j, int64_t position_ns);
int jukebox_seek_by(struct jukebox *j, int64_t delta_ns);
void jukebox_set_paused(struct jukebox *j, bool is_paused);
void jukebox_set_muted(struct jukebox *j, bool is_muted);
void jukebox_set_volume(struct jukebox *j, int64_t volume); /* clamped to 0..100 */
/* Subtitles and lyrics, where a song has any. */
void jukebox_set_text(struct jukebox *j, bool shows_text);
void jukebox_quit(struct jukebox *j); /* the plan is emptied, QUIT_WANTED is set */
void jukebox_input(struct jukebox *j, const struct input_event *e);
/* A card on the screens for a short time: plain words for guests. A long text is cut after a word. */
void jukebox_notice(struct jukebox *j, enum scene_notice kind, const char *title, const char *text);

/* What it holds. Borrowed, valid until the next call that changes the jukebox. */
const struct queue *jukebox_queue(const struct jukebox *j);
const struct plan *jukebox_plan(const struct jukebox *j);
const struct scene *jukebox_scene(const struct jukebox *j);
const struct deck_order *jukebox_order(const struct jukebox *j, uint32_t deck);
/* What staff can do about the card that is shown; "": nothing more than its text says. */
const char *jukebox_advice(const struct jukebox *j);
enum jukebox_state jukebox_state(const struct jukebox *j);
const char *jukebox_state_name(enum jukebox_state s);
int64_t jukebox_position_ns(const struct jukebox *j); /* of what plays; 0: nothing */
int64_t jukebox_duration_ns(const struct jukebox *j); /* of what plays; 0: unknown */
/* Seconds of a source that was loaded before, or is in the queue; 0: unknown. */
double jukebox_known_duration_s(const struct jukebox *j, const char *source);
uint32_t jukebox_volume(const struct jukebox *j); /* 0..100 */
bool jukebox_is_paused(const struct jukebox *j);
bool jukebox_is_muted(const struct jukebox *j);
bool jukebox_shows_text(const struct jukebox *j);
/* What the subtitles of what plays are taken from, for people; "": it has none, or nothing plays. */
const char *jukebox_text_name(const struct jukebox *j);
/* What makes the pictures of what plays: enum deck_hardware. */
uint32_t jukebox_hardware(const struct jukebox *j);
const struct hardware_faults *jukebox_hardware_faults(const struct jukebox *j);
bool jukebox_is_away(const struct jukebox *j);
/* What plays is no entry of the queue, which has nothing that could be played: it gives way as soon as that changes. */
bool jukebox_plays_house(const struct jukebox *j);
/* Why nothing of the queue plays, for guests. */
void jukebox_why_idle(const struct jukebox *j, char *out, size_t size);
/* Nothing can play before a song is there that is on its way. */
bool jukebox_awaits(const struct jukebox *j);
uint64_t jukebox_turn(const struct jukebox *j);   /* grows with each start of an entry */
bool jukebox_played_any(const struct jukebox *j); /* something was heard in this life */
/* The file or address the queue has for the song: the entry's own, or that of another one of the same song. "": none. */
const char *jukebox_source(const struct jukebox *j, const struct track *t);
/* Grows with every change that must be saved. */
uint64_t jukebox_revision(const struct jukebox *j);
/* Grows with every change of the queue, of an entry, or of which one plays; also over restarts, with gaps. */
uint64_t jukebox_queue_revision(const struct jukebox *j);
/* Fills what the journal holds; `out->queue` is a copy that the caller finishes. */
void jukebox_save(const struct jukebox *j, struct journal_state *out);
void jukebox_save_position(const struct jukebox *j, struct journal_position *out);
/* Takes one line of history, oldest first. false: there is none. */
bool jukebox_take_played(struct jukebox *j, struct played *out);
const char *played_how_name(enum played_how how);
