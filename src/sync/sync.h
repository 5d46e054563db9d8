/* One player's agreement with a DJAMMS backend, sans I/O: what happened goes in, what is to be done comes out. It reads
 * no clock, opens no socket and touches no disk; a driver does what its actions say. So whole venues are simulated.
 *
 * It holds `base` (the last accepted document of the server), `pending` (own operations in order, not yet confirmed:
 * each idempotent, naming its entry) and shows view = base + pending. Both are in the journal text. It never stores
 * back a remembered array and never merges by union: on a conflict the operations are applied again to the new base.
 * Documents of the server are ordered by its $updatedAt alone. What time it is, only the server says: the wall clock of
 * the box, which may be in 1970, is not known here.
 *
 * Thread-safety: one thread at a time. Times are CLOCK_MONOTONIC in ns. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/queue.h"

struct sync;

struct sync_params {
    const char *project_id, *database_id, *venue_id;
    const char *device_id;   /* survives restarts */
    const char *user_agent;  /* of the players document */
    const char *registry_id; /* function ids */
    const char *
        session; /* secret of the device's session; NULL: none. Never in an action's text for logs */
    uint64_t seed; /* jitter, ids */
};

/* ---- what happened ---------------------------------------------------------------------------------------- */

/* `journal` is what sync_journal() gave in a former life; NULL or damaged: a new start. */
struct sync *sync_create(const struct sync_params *p, const char *journal, size_t len,
                         int64_t now_ns);
void sync_destroy(struct sync *s);

/* Time went on. Call at sync_deadline_ns() and whenever convenient. */
void sync_time(struct sync *s, int64_t now_ns);
int64_t sync_deadline_ns(const struct sync *s);

/* An own operation: a person's at the box, or the jukebox's START, END, SKIP, MARK_UNPLAYABLE. Applied to the view at
 * once; result as queue_apply(). */
int sync_apply(struct sync *s, const struct queue_op *op, int64_t now_ns);

/* How it plays, for nowPlaying's startTime and remaining, player_state and the pace of polling. */
struct sync_playback {
    bool is_playing, is_paused;
    double position_s, duration_s; /* 0: unknown */
    int volume;
    bool is_muted;
};
void sync_playback(struct sync *s, const struct sync_playback *p, int64_t now_ns);

/* The end of an action SYNC_HTTP. status 0: the network failed. `retry_after_s` -1: not said (from X-RateLimit-Reset
 * against the Date header, both the server's). */
void sync_http_done(struct sync *s, uint64_t action, int status, const char *body, size_t len,
                    int64_t retry_after_s, int64_t now_ns);
/* The socket of an action SYNC_SOCKET_OPEN: it is there; a message came; it is gone. `status` is the HTTP status of a
 * refused upgrade, else 0. */
void sync_socket_open(struct sync *s, uint64_t action, int64_t now_ns);
void sync_socket_text(struct sync *s, uint64_t action, const char *text, size_t len,
                      int64_t now_ns);
void sync_socket_gone(struct sync *s, uint64_t action, int status, int64_t now_ns);
/* The journal text of that revision is on disk. Until then nothing is pushed that it does not hold. */
void sync_saved(struct sync *s, uint64_t revision, int64_t now_ns);
/* The backend is at another address or the session is another one: what a person had to mend is asked again. */
void sync_moved(struct sync *s, int64_t now_ns);
/* The player ends: release the role, push what can be pushed. Done when sync_is_finished(). */
void sync_finish(struct sync *s, int64_t now_ns);

/* ---- what is to be done ------------------------------------------------------------------------------------ */

enum sync_action_kind {
    SYNC_HTTP,        /* method, path with query, headers, body */
    SYNC_SOCKET_OPEN, /* path with query */
    SYNC_SOCKET_SEND, /* text */
    SYNC_SOCKET_CLOSE,
    SYNC_SAVE,    /* write sync_journal(), then sync_saved(revision) */
    SYNC_COMMAND, /* of a remote: what the jukebox is to do besides the queue */
};

enum sync_command {
    SYNC_PLAY,
    SYNC_PAUSE,
    SYNC_SEEK,
    SYNC_VOLUME,
    SYNC_MUTE,
    SYNC_UNMUTE,
    SYNC_PREVIOUS,
    SYNC_RESTART
};

struct sync_action {
    enum sync_action_kind kind;
    uint64_t id;        /* named in the answer */
    const char *method; /* "GET" ... */
    const char *path;   /* below the endpoint, encoded */
    const char *guard;  /* X-Appwrite-Timestamp; NULL: none */
    const char *body;   /* JSON; NULL: none */
    int timeout_ms;
    const char *text;  /* SYNC_SOCKET_SEND */
    uint64_t revision; /* SYNC_SAVE */
    enum sync_command command;
    double value; /* SEEK: s; VOLUME: 0..100 */
};

/* The next thing to do; false: nothing. Texts live until the next call on `s`. */
bool sync_next_action(struct sync *s, struct sync_action *out);

/* ---- what it holds ------------------------------------------------------------------------------------------ */

/* The queue as it is to be shown. Borrowed until the next call. Grows with every change: sync_view_revision(). */
const struct queue *sync_view(const struct sync *s);
uint64_t sync_view_revision(const struct sync *s);
/* The songs of the venue's default playlist as it was read last, which is when its queue is empty. Borrowed until the next
 * call; `revision` grows with every reading, 0: none yet in this life. */
const struct track_list *sync_house_list(const struct sync *s, uint64_t *revision);
/* Somebody far away ended what plays (nowPlaying null, or another track): the jukebox goes on with the view. Once. */
bool sync_take_skip(struct sync *s);

enum sync_link { SYNC_DISCONNECTED, SYNC_CONNECTING, SYNC_CONNECTED };
enum sync_role { SYNC_UNDECIDED, SYNC_MASTER, SYNC_OTHER };

struct sync_status {
    enum sync_link link; /* realtime */
    bool is_reachable;   /* the last request was answered */
    bool has_document;   /* the venue's queue is known */
    enum sync_role
        role;    /* only a master sounds; unreachable: it stays what it was, at first master */
    bool sounds; /* a master, or undecided and not silent in its former life */
    char master_device[256]; /* SYNC_OTHER */
    size_t pending;          /* operations not confirmed */
    char problem[160];       /* plain words for staff; "": none */
    int64_t polls, events, conflicts, reconnects;
};
void sync_status(const struct sync *s, struct sync_status *out);
bool sync_is_finished(const struct sync *s);

/* Whether the journal given to sync_create() was of this venue and is carried on. */
bool sync_is_continued(const struct sync *s);
/* The journal: one text without a line break; the caller frees. */
char *sync_journal(const struct sync *s, uint64_t *revision);
uint64_t sync_revision(const struct sync *s); /* of the journal as it would be written now */
