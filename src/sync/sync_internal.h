/* For the files of the engine only: what it is made of.
 *
 * Every kind of HTTP call is a task: due at a time or not at all, at most one under way. sync_next_action() composes
 * the due ones; sync_http_done() hands the answer to the task that asked. */
#pragma once

#include "base/buf.h"
#include "sync/ledger.h"
#include "sync/pending.h"
#include "sync/queue_document.h"
#include "sync/sync.h"
#include "wire/message.h"

/* ---- calls ---------------------------------------------------------------------------------------------------- */

enum outcome {
    OUTCOME_OK,
    OUTCOME_CONFLICT, /* 409: somebody wrote before us; read again */
    OUTCOME_EXISTS,   /* 409 on a create: an earlier try, or another one, made it */
    OUTCOME_MISSING,  /* 404 of the document */
    OUTCOME_ABSENT, /* 404 of collection, database, function, route: not offered, or configuration */
    OUTCOME_REFUSED,    /* 400, 413: never the same again */
    OUTCOME_SIGNED_OUT, /* 401 */
    OUTCOME_FORBIDDEN,  /* 403 */
    OUTCOME_LIMITED,    /* 429 */
    OUTCOME_TROUBLE,    /* no answer, 408, 5xx, no JSON: may have happened or not */
};

struct answer {
    enum outcome outcome;
    int status;
    const struct message *body; /* NULL: none */
    const char *type;           /* of an error; "" */
};

enum task_id {
    TASK_ROLE,
    TASK_ACCOUNT,
    TASK_LOOKUP,
    TASK_CREATE,
    TASK_FETCH,
    TASK_PUSH,
    TASK_REQUESTS,
    TASK_REQUEST_WRITE,
    TASK_COMMANDS,
    TASK_COMMAND_ACK,
    TASK_PLAYLIST,
    TASK_STATE,
    TASK_EXTEND,
    TASKS
};

struct task {
    int64_t due_ns;     /* NO_TIME: nothing to do */
    int64_t held_ns;    /* not before then, whoever wakes it */
    uint64_t under_way; /* the action's id; 0: none */
    unsigned failures;  /* in a row */
};

/* What one call is. Texts are the action's own. */
struct call {
    const char *method;
    char *path, *guard, *body; /* taken */
};

struct task_kind {
    const char *name;
    bool (*compose)(struct sync *s, struct call *out); /* false: nothing to ask after all */
    void (*done)(struct sync *s, const struct answer *a);
    bool is_write; /* counts for the rate limit */
};
extern const struct task_kind *const sync_task_kinds[TASKS];
extern const struct task_kind sync_task_role, sync_task_account, sync_task_lookup, sync_task_create,
    sync_task_fetch, sync_task_push, sync_task_requests, sync_task_request_write,
    sync_task_commands, sync_task_command_ack, sync_task_playlist, sync_task_state,
    sync_task_extend;

void task_wake(struct sync *s, enum task_id id, int64_t at_ns); /* due then, or earlier if it was */
void task_set(struct sync *s, enum task_id id, int64_t at_ns);  /* NO_TIME: never */
/* After a failure: full jitter, 1 s .. 30 s. */
void task_retry(struct sync *s, enum task_id id);
void task_trouble(struct sync *s, enum task_id id,
                  const struct answer *a); /* by the table of errors */
/* Again after `wait`, and not before, whoever wakes it. */
void task_hold(struct sync *s, enum task_id id, int64_t wait);
/* For what a venue may do without. true: the server does not give it; it is asked for again much later. */
bool task_goes_without(struct sync *s, enum task_id id, const struct answer *a);
void tasks_release(struct sync *s);              /* what held them may be over */
bool answer_is_sign_out(const struct answer *a); /* 401, 403 */
uint64_t sync_random(struct sync *s);
int64_t sync_jitter(struct sync *s, int64_t max_ns); /* 0..max */

/* ---- parts ---------------------------------------------------------------------------------------------------- */

enum link_state { LINK_DOWN, LINK_DIAL, LINK_UPGRADED, LINK_LIVE };

struct link {
    enum link_state state;
    uint64_t socket; /* id of SOCKET_OPEN; 0: none */
    bool wants_open, wants_close, wants_ping;
    uint64_t closing;
    int64_t due_ns;           /* DOWN: dial; DIAL, UPGRADED: give up; LIVE: watchdog */
    int64_t ping_ns, live_ns; /* next ping; since when LIVE */
    unsigned attempts;
    int64_t reconcile_ns; /* next poll */
};

struct role {
    enum sync_role is;
    int64_t confirmed_ns; /* last "you are the master"; NO_TIME: never */
    bool uses_deployed;   /* the function is asked for by the id of its deployment */
    bool uses_lease;      /* no registry function: documents of `players` */
    bool is_registered;
    bool saw_others;    /* another device was seen in this venue */
    bool was_confirmed; /* this device was the master at some time, if in a former life */
    bool is_released;
    char master[256];
    char player[DOCUMENT_ID_SIZE]; /* $id of this device's document of `players`; "": not known */
    char lease_guard[STAMP_SIZE];  /* $updatedAt of the lease as last read */
    int64_t lease_seen_ns;         /* since when it is unchanged */
    enum lease_step { LEASE_READ, LEASE_CREATE, LEASE_WRITE } lease_step;
    bool is_releasing, has_said_farewell;
    int64_t hurry_until_ns; /* who had the role has gone: asked for again and again until then */
    int64_t asked_ns;       /* when the question under way was sent */
    unsigned failures;
    bool was_other;   /* in a former life */
    int64_t swept_ns; /* marks of other devices were taken off */
};

enum request_status { REQUEST_QUEUED, REQUEST_PLAYING, REQUEST_COMPLETED, REQUEST_CANCELLED };

struct request {
    char id[REQUEST_ID_SIZE], updated_at[STAMP_SIZE];
    int64_t stamp_ms, timestamp_ms;
    enum request_status status;
    struct track *track;
    uint64_t id_hash, video_hash;
    int64_t missing_ns; /* since when it is in no queue; NO_TIME: it is */
    bool is_matched, is_over;
    int64_t playing_ns; /* since when its document says "playing" */
    unsigned sweep;     /* the reading that saw it last */
};
#define REQUESTS_MAX 1024 /* held at a time: what came later is read when the first are over */

struct requests {
    struct request *at;
    size_t count, cap;
    bool is_known; /* read since this life began or the role came */
    /* A sweep reads all open ones page by page, the oldest first, then the newest of any kind. */
    enum requests_step { READ_OPEN, READ_NEWEST } step;
    char cursor[REQUEST_ID_SIZE]; /* the last one of the page before; "": from the beginning */
    unsigned sweep, pages;        /* number of the sweep; pages of it that were read */
    bool was_refused;             /* the last cursor */
    bool is_outdated;             /* what is under way was asked before the role came */
    bool has_more;                /* there was no room for all that are open */
    bool lacks_room;              /* the same for the queue itself */
    bool is_said;                 /* one of the two */
    bool is_settling;
    char writing[REQUEST_ID_SIZE];
    enum request_status wrote;
    int64_t grace_ns; /* next look at missing ones */
};

#define COMMANDS_KEPT 32
/* What a command sets to a value of its own, whatever it was before. */
enum command_setting {
    SETS_NOTHING,
    SETS_PAUSE,
    SETS_POSITION,
    SETS_VOLUME,
    SETS_MUTE,
    COMMAND_SETTINGS
};

struct commands {
    int64_t latest_ms[COMMAND_SETTINGS];        /* $createdAt of the latest that was done */
    char done[COMMANDS_KEPT][DOCUMENT_ID_SIZE]; /* executed or passed over */
    size_t done_next;
    char ack[COMMANDS_KEPT][DOCUMENT_ID_SIZE]; /* to be acknowledged */
    size_t ack_count;
    bool is_denied;  /* acknowledging them is: that holds up none */
    bool is_behind;  /* there was no room for some: the list brings them, in their order */
    bool has_missed; /* one more, since the list was asked for */
    struct sync_action waiting[COMMANDS_KEPT]; /* for the jukebox */
    size_t waiting_count;
};

struct report {
    bool is_dirty;
    enum report_step { REPORT_FIND, REPORT_CREATE, REPORT_UPDATE } step; /* of its document */
    char id[DOCUMENT_ID_SIZE];                                           /* UPDATE */
    int64_t last_ns;
    struct sync_playback playback;
    int64_t playback_ns;
    bool now_is_dirty; /* nowPlaying is to be written again */
    int64_t now_written_ns;
};

struct sync {
    /* Constant. */
    char *project_id, *database_id, *venue_id, *device_id, *user_agent, *registry_id;
    bool has_session, is_continued;
    char writer[WRITER_SIZE]; /* short hash of the device, for marks and turns */

    int64_t now_ns;
    uint64_t random, next_id;
    int64_t server_ms,
        server_at_ns; /* the server's clock as last told; server_at_ns NO_TIME: never */
    bool is_finishing;

    struct queue_document base;
    bool has_document;      /* the server has it, as far as we know */
    bool is_truly_missing;  /* confirmed */
    int64_t fetch_stamp_ms; /* of base when TASK_FETCH was sent */
    int64_t read_stamp_ms;  /* the same for the answer that is looked at; INT64_MIN: not known */
    struct pending pending;
    uint64_t next_serial;
    struct queue view, full_view; /* full_view: also what is withheld */
    struct now_fields view_now;
    uint64_t view_revision;
    bool withholds;            /* all requests, in `view` */
    bool shows_all;            /* `view` is the same as `full_view` */
    int64_t withheld_until_ns; /* an entry is; NO_TIME */
    struct track *playing;     /* the turn that sounds here; NULL: none */
    char playing_turn[TURN_SIZE];
    bool playing_was_base; /* the document before this one listed it */
    bool skip_wanted;
    struct ledger ledger;
    const struct track *surplus; /* being taken out: a second copy; NULL: none */

    uint64_t revision, saved_revision, asked_revision;
    int64_t
        dirty_ns; /* when the revision grows for a newer copy of the server's document; NO_TIME */

    /* The write under way. */
    uint64_t push_serial;
    struct queue push_queue;
    bool push_is_unknown; /* it may have been done: compare with what is read */
    unsigned push_conflicts;

    struct task task[TASKS];
    int64_t limited_ns; /* no writes before; NO_TIME */
    bool is_reachable;
    unsigned unanswered; /* requests in a row: more than one is an outage */
    bool is_signed_in;   /* the last answer about the account */
    struct link link;
    struct role role;
    struct requests requests;
    struct commands commands;
    struct report report;
    char playlist_id[DOCUMENT_ID_SIZE]; /* being read */
    bool playlist_replaces;
    struct track_list house_list; /* of the default one */
    uint64_t house_revision;
    int playlist_step;
    char problem[160];
    enum task_id problem_of;
    int64_t polls, events, conflicts, reconnects;

    struct call call; /* texts of the last action */
    char *action_text;
};

/* state.c: base + pending = view */
void state_changed(struct sync *s);    /* makes the view anew */
void state_dirty(struct sync *s);      /* the journal is behind */
void state_dirty_soon(struct sync *s); /* only by what the server has */
/* An operation of the engine itself or from outside; as queue_apply(). */
int state_apply(struct sync *s, const struct queue_op *op);
bool state_is_master(const struct sync *s);
/* It plays: the master, and who does not know it yet but was not silent in its former life. */
bool state_sounds(const struct sync *s);
/* The server said so within the lease: only then nowPlaying is written. */
bool state_may_write_now(const struct sync *s);

/* meaning.c: a document of somebody else's writing is accepted */
void document_seen(struct sync *s, const struct message *m, bool is_read);
/* Else an answer of 200 is somebody else's, such as a portal's. */
bool document_is_it(const struct sync *s, const struct message *m);
void document_gone(struct sync *s);
void document_wrote(struct sync *s, const struct message *m);

/* push.c */
void push_consider(struct sync *s);

/* link.c */
void link_time(struct sync *s);
int64_t link_deadline(const struct sync *s);
bool link_action(struct sync *s, struct sync_action *out);
void link_start(struct sync *s);
void link_hurry(struct sync *s); /* the network, or the way, is another: dial soon */
int64_t link_poll_ns(const struct sync *s);

/* requests.c */
/* The row of the document; NULL: it is not held. Valid until the next call. */
struct request *requests_seen(struct sync *s, const struct message *m);
struct request *requests_find(struct requests *t, const char *id); /* NULL: none */
bool request_is_open(const struct request *r);
/* A sweep has read all that are open: others are so no more. */
void requests_forget_unseen(struct sync *s);
void requests_settle(struct sync *s);
/* true: the document is behind what happened. */
bool requests_is_to_tell(struct sync *s, struct ledger_record *rec);
int64_t requests_deadline(const struct sync *s);
void requests_finish(struct sync *s);
/* Until when another device may be playing this entry, which its document says; NO_TIME: none does. */
int64_t requests_taken_until(struct sync *s, const struct track *t);

/* Takes out requests that are over by their document or by what is remembered here: an old copy of the queue brought
 * them back. Not while one plays here. */
void requests_drop_over(struct sync *s);

/* requests_tasks.c: reading and writing them */
void requests_read_again(struct sync *s); /* the role came: what was read before may be outdated */
enum request_status request_status_of(enum fate fate);

/* role.c */
void role_time(struct sync *s);
void role_lost(struct sync *s, const char *master);
void role_check(struct sync *s); /* somebody seems to have it: ask now */
void role_hurry(struct sync *s); /* who had it is about to give it up */

/* commands.c */
void commands_seen(struct sync *s, const struct message *m, bool is_event);
bool commands_action(struct sync *s, struct sync_action *out);

/* report.c */
void report_now_changed(struct sync *s);
void report_fill_now(struct sync *s, struct now_fields *f);
bool report_updated_at(const struct sync *s, char out[STAMP_SIZE]);
int64_t report_server_ms(const struct sync *s); /* 0: unknown */
void report_server_time(struct sync *s, const char *text, bool is_now);

/* playlist.c */
void playlist_consider(struct sync *s);
void playlist_load(struct sync *s, const char *id);

/* journal.c */
void journal_read(struct sync *s, const char *text, size_t len);
void problem_set(struct sync *s, enum task_id of, const char *text); /* NULL: over */

/* state.c, too: what plays here is to be in the document again; what plays is what the view says; requests are
 * withheld or shown as the role is sure. */
void state_restart_turn(struct sync *s, const struct track *t, const char *turn);
void state_take_playing(struct sync *s);
void state_withhold(struct sync *s);
bool turn_is_of_other(const struct sync *s, const char *turn);
/* meaning.c: what the view's `now` means to the one that plays */
void meaning_of_now(struct sync *s);
void document_mean(struct sync *s); /* and what of its entries is over */
