/* A house in one process: the jukebox with fake decks and a fake stage, on a clock that the test turns.
 * The stage mixes ahead of what is heard, as the real one does; decks and stage die and come back. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "player/jukebox.h"

#define TICK_NS     MS(20)
#define LATENCY_NS  MS(60)  /* mixed this much before it is heard */
#define RESTART_NS  MS(400) /* the supervisor brings a process back */
#define HOUSE_HEARD 4096

enum file_kind {
    FILE_OK,
    FILE_BAD,       /* fails before any frame */
    FILE_TRUNCATED, /* fails at duration_ms, the header promised a minute more */
    FILE_EMPTY,     /* is done at duration_ms, the header promised a minute more */
    FILE_HANGS,     /* the deck never gets it open */
    FILE_LATE,      /* like FILE_HANGS `late` times, then once like FILE_OK, and so on */
    FILE_MUTE,      /* the deck does not even answer */
    FILE_CRASHES,   /* the deck dies while opening it */
};

struct fake_file {
    const char *path;
    enum file_kind kind;
    int64_t open_ms, duration_ms;
    const char *error; /* what FILE_BAD says; NULL: that there is none */
    unsigned late;     /* of FILE_LATE */
};

struct fake_deck {
    bool is_alive, is_hung, is_starting;
    bool is_slow; /* decodes, but no sound comes of it */
    uint64_t work;
    uint32_t starts;
    int64_t back_ns;         /* comes back then; dead only */
    const char *system;      /* what it decodes with; NULL: not told */
    struct deck_state state; /* as in shared memory: outlives the process */
    uint64_t load;           /* the process works on */
    int64_t opened_ns;
    const struct fake_file *file;
    uint64_t ring_load;  /* whose samples are in the ring ... */
    int64_t ring_end_ns; /* ... and up to which media position */
};

struct fake_stage {
    bool is_alive;
    int64_t back_ns;
    struct plan plan; /* newest seen */
    struct plan_part current, wanted, next;
    int64_t media_ns; /* of the next sample mixed */
    int64_t mixed;    /* device frames */
};

struct fake_house {
    int64_t now_ns;
    const struct fake_file *files;
    struct jukebox_settings settings;
    struct jukebox *jukebox; /* NULL: the brain is dead */
    const struct log *log;   /* of the next brain; NULL: quiet */
    bool is_brain_slow;      /* takes no turns meanwhile */
    bool has_quit;
    uint64_t seed;  /* for ids */
    uint64_t venue; /* printed when something is wrong */

    /* Shared memory. */
    struct plan plan;
    struct deck_order order[DECKS];
    struct play_clock clock;
    struct fake_deck deck[DECKS];
    struct fake_stage stage;

    /* Disk. */
    char *journal;
    struct journal_position position;

    /* What was seen. */
    uint64_t heard[HOUSE_HEARD]; /* entries, in the order they began to be heard */
    size_t heard_count;
    uint64_t max_load;
    struct played played[64];
    size_t played_count;
    unsigned kills, plans;
    unsigned opened_late; /* openings of FILE_LATE so far */
    unsigned cut_off;     /* a deck lost the order that was heard, to load another */
    int64_t stood_ns;     /* the sound stood, not paused, something in the plan */
};

void house_open(struct fake_house *h, const struct fake_file *files,
                const struct jukebox_settings *settings);
void house_close(struct fake_house *h);

/* One tick, or until `ms` of them have passed. */
void house_tick(struct fake_house *h);
void house_run(struct fake_house *h, int64_t ms);
/* Turns until the jukebox is in `state` and what is heard is the playing entry; false: not within `ms`. */
bool house_run_until_playing(struct fake_house *h, int64_t ms);
/* Only the brain: looks at the world and publishes. */
void house_brain_turn(struct fake_house *h);

void house_kill_deck(struct fake_house *h, uint32_t deck);
void house_kill_stage(struct fake_house *h);
void house_kill_brain(struct fake_house *h);
void house_start_brain(struct fake_house *h);
/* Everything dies and shared memory is empty. */
void house_power_cut(struct fake_house *h);
/* The group commit: what was done until now is on disk. */
void house_save(struct fake_house *h);

/* Adds the file; returns the new entry's key, 0: refused. */
uint64_t house_add(struct fake_house *h, const char *path);
uint64_t house_request(struct fake_house *h, const char *path);
int house_apply(struct fake_house *h, enum queue_op_kind kind, uint64_t entry);
struct play_position house_air(const struct fake_house *h);
/* File of an entry, without the folder; "": not in the queue. */
const char *house_name(const struct fake_house *h, uint64_t entry);
const char *house_now(const struct fake_house *h);    /* of what the queue says plays */
const char *house_on_air(const struct fake_house *h); /* of what is heard */
