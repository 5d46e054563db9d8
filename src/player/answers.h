/* What the control socket tells about the jukebox, as JSON. The caller owns what is returned.
 * Thread-safety: the loop's thread. */
#pragma once

#include <stdint.h>

#include "player/jukebox.h"

struct library;
struct library_songs;
struct message;

/* What was played since the player started. */
struct play_counts {
    uint64_t songs;    /* that ended, were skipped or taken out */
    uint64_t requests; /* of them those that guests had asked for */
    uint64_t failed;   /* could not be played */
};

/* What commands look at and work on. */
struct command_world {
    struct jukebox *jukebox;
    struct control *control;
    int64_t now_ns, started_ns; /* CLOCK_MONOTONIC */
    int64_t wall_ms;
    uint64_t seed;                               /* fresh random bits for this command */
    struct message *(*backend)(const void *ctx); /* of `status`; NULL, or gives NULL: none */
    struct message *(*hub)(const void *ctx);     /* the same: its row of `processes` */
    struct message *(*latency)(const void *ctx); /* the answer to `latency`; NULL: there is none */
    struct message *(*fetching)(
        const void *ctx); /* of `status`: what is brought from elsewhere; NULL: none */
    struct message *(*health)(const void *ctx); /* of `status`: board and disks; NULL: none */
    const struct play_counts *played;           /* NULL: nobody counts */
    /* What a song waits for that is on its way, for people; false: it is here. NULL: all are. */
    bool (*waits)(const void *ctx, const struct track *t, char *out, size_t size);
    /* Somebody wants a song from elsewhere, whatever went wrong with it before. NULL: there is none. */
    void (*retry)(void *ctx, const char *video_id, const char *source);
    /* The mark on a file or address that staff names here; the caller frees. NULL: there is none. */
    char *(*seal)(const void *ctx, const char *source);
    /* A sentence: why the song of YouTube with this id is not taken; NULL: it is. */
    const char *(*no_youtube)(const void *ctx, const char *id);
    void *ctx;
    struct library *library; /* NULL: there is none */
    bool may_wait;           /* a command may say ANSWER_LATER */
};

/* `w` may be NULL: what it waits for is not told. */
struct message *answer_track(const struct command_world *w, const struct queue *q,
                             struct entry_place place);
struct message *answer_status(const struct command_world *w);
struct message *answer_queue(const struct command_world *w);
/* What plays here, with its position; NULL: nothing. */
struct message *answer_now(const struct jukebox *j);
/* As told to others: to the millisecond. */
double answer_seconds(int64_t ns);
struct message *answer_error(const char *code, const char *sentence);
/* What was searched for. */
struct message *answer_songs(const struct library_songs *songs);
/* What `status` and `library` tell of it; NULL: there is none. */
/* Whether subtitles are shown, and what those of the song are taken from. */
struct message *answer_subtitles(const struct jukebox *j);
struct message *answer_library(struct library *library);
