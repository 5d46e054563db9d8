/* The control segment: what the processes of one zone tell each other.
 *
 *   brain -> decks: order[]        brain -> stages: plan, scene, shot_request
 *   decks -> brain and stages: deck[]   decks -> brain: about[]
 *   sounding stage -> everyone: play_clock, sound   each stage -> everyone: outputs, shot_done
 *   each stage -> brain: inputs[]              everyone: processes[]
 *
 * Whoever stores a slot rings the doorbell of those who read it. Every number read from here is
 * untrusted: check it before it is used as an index. */
#pragma once

#include <stdbool.h>

#include "shm/doorbell.h"
#include "shm/segment.h"
#include "shm/slot.h"

#define DECKS       2
#define STAGES_MAX  4
#define OUTPUTS_MAX 8
#define SPANS_MAX   4
#define NEXT_SHOWN  3
#define SAMPLE_RATE 48000

/* ---- plan: what plays and what follows it (brain) ------------------------------------------- */

enum plan_start {
    START_NOW,    /* cut as soon as the load has frames; what played before goes on until then */
    START_AT_END, /* when the part before it has played its last sample */
    START_JOIN,   /* cut, and go on at the media position the part before it had (same track) */
};

struct plan_part {
    uint64_t entry; /* key of the queue entry; 0: nothing */
    uint64_t load;  /* the deck load whose frames are played; 0: nothing */
    uint32_t deck;  /* < DECKS */
    uint32_t start; /* enum plan_start */
};

/* `now` is to be playing, `next` follows it. A stage that has already gone on to `next` stays there.
 * The stage executes the plan alone: with the brain dead the music goes on into `next`. */
struct plan {
    uint64_t serial; /* grows with every change */
    struct plan_part now, next;
    uint32_t is_paused;
    uint32_t is_muted;
    uint32_t volume; /* 0..100, perceived */
    uint32_t reserved;
};
SHM_SLOT(plan)

/* ---- play clock: what is heard when (the sounding stage) ------------------------------------- */

/* From device frame `frame0` on, this is heard. One device frame is one sample pair at 48 kHz. */
struct play_span {
    uint64_t load; /* 0: silence, nothing plays */
    uint64_t entry;
    int64_t frame0;
    int64_t media0_ns; /* media position at frame0 */
    uint32_t deck;
    uint32_t is_moving; /* 0: paused or waiting, the position stands at media0_ns */
    /* When a person's action made it, CLOCK_MONOTONIC: its pictures need not wait until its first sample
     * has passed through the sound device. 0: they wait. */
    int64_t cut_ns;
};

struct play_clock {
    int64_t mono_ns;      /* at this CLOCK_MONOTONIC time ... */
    int64_t frame;        /* ... this device frame is heard; 48000 more each second */
    int64_t until_frame;  /* the last frame that is mixed: beyond it time stands still */
    uint64_t plan_serial; /* newest plan acted on */
    uint64_t ended_load;  /* newest load that was played to its last sample; 0: none yet */
    uint64_t underruns;   /* times a deck had no samples in time */
    uint32_t span_count;  /* 1..SPANS_MAX, oldest first; frame0 never falls */
    uint32_t reserved;
    struct play_span span[SPANS_MAX];
};
SHM_SLOT(play_clock)

/* What plays it. */
struct sound_row {
    char driver[16]; /* "alsa", "null": nothing is heard; "": none was opened yet */
    char device[80]; /* which of the driver's; "": its default */
    uint64_t xruns;  /* times the device ran dry */
};
SHM_SLOT(sound_row)

struct play_position {
    uint64_t load, entry; /* load 0: nothing plays */
    uint32_t deck;
    bool is_moving;
    int64_t media_ns;
};

/* What is heard at `mono_ns`. Pure; any thread. */
struct play_position play_clock_at(const struct play_clock *c, int64_t mono_ns);

/* ---- decks ------------------------------------------------------------------------------------ */

#define DECK_PATH_MAX 4096

enum order_flags {
    ORDER_GROWING = 1, /* a download under way: end of file is not the end until this is cleared */
    ORDER_ACTIVE = 2,  /* it plays: keep more frames ready than a deck that only waits */
    ORDER_TEXT = 4,    /* subtitles are wanted: paint them */
};

/* Decoders of a board for one codec; what is of another codec is decoded in software. Also bits of a set. */
enum deck_hardware {
    DECK_SOFTWARE = 0,
    DECK_HARDWARE_H264 = 1,
    DECK_HARDWARE_HEVC = 2,
    DECK_SOFTWARE_FAULT = 128, /* among faults only: software gave no pictures either */
};

/* The brain's order. A new `load` number drops what was decoded and opens `path`; the same number with
 * other flags only changes the flags. load 0: unload. */
struct deck_order {
    uint64_t load;
    uint64_t entry;
    int64_t start_ns;     /* media position of the first frame wanted; 0: the beginning */
    uint32_t flags;       /* enum order_flags */
    uint32_t deck_starts; /* brain's own: `starts` of the deck process it was given to */
    uint32_t no_hardware; /* set of enum deck_hardware: not to be used for it */
    uint32_t reserved;
    char path[DECK_PATH_MAX];
};
SHM_SLOT(deck_order)

enum deck_phase {
    DECK_EMPTY,
    DECK_OPENING, /* nothing to show yet */
    DECK_READY,   /* the first frame (or samples) can be taken; decoding goes on */
    DECK_DONE,    /* everything is decoded and in the rings; end_ns is final */
    DECK_FAILED,  /* error says why; what was decoded before may still be played */
};

struct deck_state {
    uint64_t load; /* of the order this answers */
    uint64_t entry;
    uint32_t phase; /* enum deck_phase */
    uint32_t has_video, has_audio;
    uint32_t width, height; /* as shown: after rotation and sample aspect */
    uint32_t is_cover;      /* the video is one still picture beside the sound */
    uint32_t hardware;      /* enum deck_hardware that makes the pictures */
    /* Set of those that failed it: one that is not `hardware` was replaced by software at once; from the other one no
     * picture will come any more, and the deck may hang in it. The sound goes on. */
    uint32_t hardware_fault;
    int64_t duration_ns;    /* of the file; 0: unknown */
    int64_t start_ns;       /* media position of the first frame or sample */
    int64_t end_ns;         /* NO_TIME until known: where the last frame and sample end */
    uint64_t first_frame;   /* frame ring number of this load's first frame */
    uint64_t first_sample;  /* sample ring number of this load's first sample ... */
    int64_t sample_base_ns; /* ... and its media position */
    char error[256];        /* one sentence, phase FAILED */
    char title[256];        /* tags of the file; empty: none */
    char artist[256];
    char text[128]; /* what its subtitles are taken from, for people; empty: it has none */
};
SHM_SLOT(deck_state)

/* What a deck process runs on: its decoders, kernel, board. What was learned of hardware holds for that alone. */
struct deck_about {
    char system[160]; /* "": none has started yet */
};
SHM_SLOT(deck_about)

/* ---- scene: all that the overlay shows (brain) ------------------------------------------------ */

struct scene_track {
    char title[192];
    char artist[160];
    char requester[64];
    uint64_t entry; /* 0: no track */
    uint32_t is_request;
    uint32_t reserved;
};

enum scene_notice { NOTICE_NONE, NOTICE_INFO, NOTICE_PROBLEM };

/* To the backend; SCENE_LINK_NONE: there is none, nothing is shown. */
enum scene_link {
    SCENE_LINK_NONE,
    SCENE_LINK_DISCONNECTED,
    SCENE_LINK_CONNECTING,
    SCENE_LINK_CONNECTED
};

struct scene {
    struct scene_track now;
    struct scene_track next[NEXT_SHOWN];
    uint32_t next_count; /* shown of them */
    uint32_t more_count; /* waiting beyond those */
    int64_t duration_ns; /* of `now`; 0: unknown */
    uint32_t is_paused;
    uint32_t is_muted;
    uint32_t volume;
    uint32_t notice;         /* enum scene_notice */
    uint32_t link;           /* enum scene_link */
    uint32_t shows_text;     /* subtitles, where the load has any */
    uint64_t serial;         /* grows with every change */
    int64_t since_ns;        /* CLOCK_MONOTONIC of what changed it */
    int64_t notice_until_ns; /* CLOCK_MONOTONIC; 0: no end */
    int64_t volume_until_ns; /* show the volume mark until then; 0: not */
    char notice_title[96];
    char notice_text[320]; /* plain words for staff */
    char idle_text[160];   /* shown when nothing plays ... */
    char idle_help[384];   /* ... and below it what can be done about that; "": nothing */
};
SHM_SLOT(scene)

/* ---- outputs (each stage) --------------------------------------------------------------------- */

struct output_row {
    char name[48];          /* "HDMI-A-1", "window-1"; empty: row unused */
    uint32_t stage;         /* which stage drives it */
    uint32_t width, height; /* pixels; 0: it is gone, and only the row's counts are of use */
    uint32_t refresh_mhz;   /* 0: unknown */
    uint64_t shown_load;    /* of the frame on screen; 0: none */
    uint64_t shown_frame;   /* its frame ring number */
    int64_t shown_pts_ns;
    int64_t shown_mono_ns; /* when the present call returned */
    uint64_t presented;    /* pictures handed to the display */
    uint64_t late;         /* presented more than half a frame interval after they were due */
    uint64_t dropped;      /* never presented, because a newer one was due already */
    uint64_t repeated; /* times the same picture stood although a newer one was due, in frames */
    /* The newest scene on this screen: its serial, its since_ns, and when it was first presented. */
    uint64_t scene;
    int64_t scene_since_ns, scene_mono_ns;
};
SHM_SLOT(output_row)

/* Whether there is such an output now. */
bool output_is_here(const struct output_row *row);

struct shot_request { /* brain */
    uint64_t serial;
    uint32_t output; /* row */
    uint32_t reserved;
};
SHM_SLOT(shot_request)

struct shot_done {          /* the stage that owns the output; pixels are in the segment "shot" */
    uint64_t serial;        /* of the request answered */
    uint32_t width, height; /* 0: the output could not be read */
    uint32_t stride;        /* bytes; pixels are B G R x */
    uint32_t reserved;
};
SHM_SLOT(shot_done)

#define SHOT_MAGIC     0x53544d44u /* "DMTS" */
#define SHOT_VERSION   1u
#define SHOT_MAX_BYTES ((size_t)64 * 1024 * 1024)
struct shot_segment {
    struct segment_header header;
    uint8_t pixels[SHOT_MAX_BYTES];
};
/* Maps the segment "shot"; s->base is a struct shot_segment. 0 or -errno. */
WARN_UNUSED int shot_open(struct segment *s, const char *runtime_dir);

/* ---- input ring: what a person did at the box (each stage -> brain) ---------------------------- */

enum input_action {
    INPUT_NONE,
    INPUT_PAUSE_TOGGLE,
    INPUT_SKIP,
    INPUT_RESTART,     /* back to the beginning of the track */
    INPUT_VOLUME_STEP, /* value: -100..100 */
    INPUT_MUTE_TOGGLE,
    INPUT_SEEK_STEP, /* value: seconds, may be negative */
    INPUT_QUIT,
};

struct input_event {
    uint32_t action; /* enum input_action */
    int32_t value;
    int64_t mono_ns; /* when the device reported it */
};

#define INPUT_RING 64
/* One writer, one reader; a full ring drops the newest. */
struct input_ring {
    _Atomic uint32_t head; /* next to write, free running */
    _Atomic uint32_t tail; /* next to read */
    _Atomic uint64_t word[INPUT_RING][2];
};

bool input_ring_put(struct input_ring *r, const struct input_event *e); /* false: full */
bool input_ring_take(struct input_ring *r, struct input_event *e);      /* false: empty */

/* ---- processes -------------------------------------------------------------------------------- */

enum process_role {
    PROCESS_BRAIN,
    PROCESS_DECK_A,
    PROCESS_DECK_B,
    PROCESS_STAGE0,
    PROCESS_COUNT = PROCESS_STAGE0 + STAGES_MAX
};

struct process_row {
    _Atomic uint32_t pid;     /* 0: not running or ended cleanly */
    _Atomic uint32_t starts;  /* how often it was started: grows by one each time */
    _Atomic int64_t beat_ns;  /* CLOCK_MONOTONIC of its last turn */
    _Atomic int64_t limit_ns; /* without a turn for so long it hangs; 0: that says nothing */
};

/* ---- the start of the jukebox ------------------------------------------------------------------ */

/* What the counters stood at then. They outlive all processes and tell their lives apart, so they are never set
 * back; people are told what came since. Zero: nobody has marked a start. */
struct start_marks {
    uint64_t underruns;
    uint64_t xruns;
    uint64_t starts[PROCESS_COUNT];
    struct output_row output[OUTPUTS_MAX];
};
SHM_SLOT(start_marks)

/* ---- the segment ------------------------------------------------------------------------------ */

#define CONTROL_NAME    "control"
#define CONTROL_MAGIC   0x43544d44u /* "DMTC" */
#define CONTROL_VERSION 7u

struct control {
    struct segment_header header;
    struct doorbell brain_bell;
    struct doorbell stage_bell;
    struct doorbell deck_bell[DECKS];
    struct plan_slot plan;
    struct play_clock_slot clock;
    struct sound_row_slot sound;
    struct scene_slot scene;
    struct deck_order_slot order[DECKS];
    struct deck_state_slot deck[DECKS];
    struct deck_about_slot about[DECKS];
    _Atomic uint64_t deck_work[DECKS]; /* changes while the deck decodes; nothing is rung for it */
    struct output_row_slot output[OUTPUTS_MAX];
    struct shot_request_slot shot_request;
    struct shot_done_slot shot_done;
    struct input_ring input[STAGES_MAX];
    struct process_row process[PROCESS_COUNT];
    struct start_marks_slot marks;
    _Atomic uint32_t has_card; /* stage 0 drives the kernel's displays: no console is to be seen */
    uint32_t reserved;
};

/* Maps the zone's control segment; `s` owns the mapping. 0 or -errno. */
WARN_UNUSED int control_open(struct segment *s, const char *runtime_dir, struct control **out);

/* Marks the start of the jukebox: by who starts its processes, while none of them runs. */
void control_mark_start(struct control *c);
/* All zero when there are none. */
void control_load_marks(struct control *c, struct start_marks *out);
/* What a counter has grown by; the counter itself when it began anew. */
uint64_t count_since(uint64_t count, uint64_t mark);

/* Marks this process as running in `role`; call once at start. */
void process_enter(struct control *c, enum process_role role, int64_t now_ns);
void process_leave(struct control *c, enum process_role role);
/* Sign of life: once per loop turn, at least every second. */
void process_beat(struct control *c, enum process_role role, int64_t now_ns);
/* How long a turn may take from now on, for who would kill a process that hangs; 0, as after process_enter(): as long as
 * it likes. */
void process_limit(struct control *c, enum process_role role, int64_t limit_ns);
/* Whether a process with the row's pid exists. */
bool process_is_alive(const struct control *c, enum process_role role);
