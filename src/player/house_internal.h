/* Shared by house.c and its helpers only. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include <uv.h>

#include "player/commands.h"
#include "player/control_socket.h"
#include "player/history.h"
#include "player/house.h"
#include "player/saver.h"
#include "player/seal.h"
#include "player/shuffle.h"
#include "source/cache.h"
#include "source/library.h"
#include "sync/driver.h"

/* A client that waits for its answer. */
struct waiting {
    uint64_t client;   /* 0: free */
    uint64_t revision; /* the journal must hold this ... */
    char *text;        /* ... then this is sent */
};

/* What a remote wants besides the queue, until the next turn. */
struct venue_command {
    enum sync_command command;
    double value;
};

/* The backend. */
struct venue {
    struct sync *engine;        /* NULL: there is none */
    struct sync_driver *driver; /* NULL: nobody has said yet where it is */
    bool is_hub;                /* of this zone */
    char *project_id, *venue_id, *endpoint, *ca_file, *pinned_file;
    char *notice_path; /* of the zone's hub, when it is to run; NULL: it is not */

    /* The file that says where the hub is, or holds the session; and which it was when it was read. */
    char *way_path;
    ino_t way_inode;
    struct timespec way_time;

    bool loops;                    /* as the configuration has it */
    bool is_joined;                /* the queue is the engine's view */
    uint64_t seen_revision;        /* of the view */
    struct venue_command *command; /* in order, until the next turn */
    size_t command_count, command_cap;
    struct sync_playback told; /* to the engine, at ... */
    int64_t told_ns;

    uint64_t written_revision; /* of its journal, being written or written last */
    uint64_t saved_revision;
};

/* A line whose answer is worth waiting for until the library has read its folders. */
struct later {
    uint64_t client; /* 0: free */
    char *line;
    size_t len;
    int64_t until_ns;
};

/* How long things took. */
struct hops {
    int64_t
        acted_ns; /* somebody at the box, or a program, wanted something then; 0: nobody since the last turn */
    uint64_t scene; /* the newest that was seen on a screen */
    /* An event of the backend is on its way to the screens since then, and is there with that scene; NO_TIME: none is.
     * Until it is there, further ones are not measured. */
    int64_t event_ns;
    uint64_t event_scene; /* 0: not made yet */
    struct histogram to_memory, to_screen, event_to_screen;
};

struct house {
    struct log log;
    struct service *service;
    char *state_dir;
    int lock_fd;
    struct segment segment;
    struct control *control;

    uv_loop_t loop;
    uv_async_t bell;
    uv_timer_t tick;
    uv_signal_t signals[2];
    bool has_loop, is_stopping;
    bool is_turning; /* house_turn() is under way */
    int64_t quit_ns; /* somebody wants to quit, since then; 0: nobody */
    unsigned early;  /* changes that could not be handled before there was a loop */

    /* Rings `bell` when somebody rings the brain's doorbell. */
    pthread_t listener;
    bool has_listener;
    _Atomic bool listener_stops;

    struct seal seal;
    struct jukebox *jukebox;
    struct venue venue;
    struct hops hops;
    struct library *library; /* NULL: there is none */
    uint64_t library_seen;   /* files of it that came until then were looked at */
    struct jukebox_view view;
    struct control_socket *socket;
    struct saver *journal, *position, *hardware;
    struct history *history;
    struct house_cache *cache;
    struct house_source *source;
    struct shuffle music; /* the order in which the house plays by itself */
    struct house_extractor *extractor;
    struct house_health *health;
    struct play_counts played;
    int64_t started_ns;
    uint64_t arguments;
    uint64_t seed;
    int exit_status;
    bool exits_at_end;

    uint64_t saved_revision; /* on disk */
    int save_error;          /* of the last write; 0: none */
    int64_t save_again_ns;   /* what nobody waits for is written from then on */
    struct waiting waiting[CONTROL_CLIENTS_MAX];

    struct later later[CONTROL_CLIENTS_MAX];

    uint64_t watchers[CONTROL_CLIENTS_MAX]; /* 0: free */
    int64_t watched_ns;                     /* the last status line was sent then */
    enum jukebox_state watched_state;

    uint64_t shot_client; /* 0: no screenshot is under way */
    uint64_t shot_serial;
    uint32_t shot_output;
    int64_t shot_until_ns;
};

/* house.c */
struct command_world house_world(struct house *h);
void house_turn(struct house *h);
/* Ends the loop when somebody wants to quit and has no answer outstanding. Not from within a client's line
 * under way. */
void house_quit_if_wanted(struct house *h);

/* house_disk.c */
void disk_open(struct house *h);
/* Writes the journal when it is behind and no write is under way. */
void disk_save(struct house *h);
/* The same for a change that nobody waits for: only some time after the last write. */
void disk_save_if_due(struct house *h);
void disk_save_position(struct house *h);
/* What was learned of the board's decoders: read at the start, and written when there is more. */
void disk_load_hardware(const struct house *h, struct hardware_faults *out);
void disk_save_hardware(struct house *h);
/* Everything that is not on disk yet, on this thread, after the loop. */
void disk_finish(struct house *h);

/* house_venue.c */
/* Before there is a jukebox: its queue, in `state`, becomes that of the venue if it was so before; else it becomes the
 * venue's, if that is of this house. */
void venue_open(struct house *h, const struct house_params *p, struct journal_state *state);
/* A struct jukebox_settings' on_op; `ctx` is the house. */
void venue_apply(void *ctx, const struct queue_op *op);
/* Before a step of the jukebox: what the backend wants from it, and what it does. */
void venue_turn(struct house *h);
/* After one: whether the jukebox was changed by what others did, and needs another. */
bool venue_follow(struct house *h);
char *venue_journal(struct house *h); /* NULL: none; the caller frees */
bool venue_is_behind(const struct house *h);
void venue_saved(struct house *h);
void venue_finish(struct house *h); /* says good-bye; then the loop has no more of it */
void venue_leave(struct house *h);
void venue_close(struct house *h);
struct message *venue_status(const struct house *h); /* NULL: none; the caller owns it */
/* The hub among the processes of `status`; NULL: it is not to run here. The caller owns it. */
struct message *venue_hub_process(const struct house *h);

/* house_trust.c: what of the queue is believed. */
/* `state` is that of the last life, before the venue has its say. */
void trust_open(struct house *h, const struct house_params *p, const struct journal_state *state);
void trust_close(struct house *h);
/* The mark on a file or address that staff names at this box; the caller frees. */
char *trust_mark(const struct house *h, const char *source);
/* Whether staff named `source` at this box: in this entry, or in another one of the queue. */
bool trust_named_here(const struct house *h, const struct track *t, const char *source);
/* A struct jukebox_settings' may_open; `ctx` is the house. An address may be opened (who fetches it sees how far it is
 * trusted), of files those that staff named here and what the house has anyway. */
bool trust_may_open(void *ctx, const struct track *t);

/* house_library.c */
char *program_beside(const char *name); /* path of another program of ours; the caller frees */
/* Before there is a jukebox whose queue is that of `state`: waits until the songs of requests are known. */
void songs_open(struct house *h, const struct house_params *p, const struct journal_state *state);
void songs_attach(struct house *h); /* there is a loop */
/* A struct jukebox_settings' find_source; `ctx` is the house. */
char *songs_source(void *ctx, const struct track *t, const char *source, char *why,
                   size_t why_size);
bool songs_has_file(struct house *h,
                    const char *source); /* of the library, also while it is away */
void songs_finish(struct house *h);      /* then the loop has no more of it */
void songs_close(struct house *h);

/* house_hops.c */
void hops_acted(struct house *h, int64_t when_ns);
/* The queue that is shown has changed by an event that came then; NO_TIME: by none. */
void hops_followed(struct house *h, int64_t came_ns);
/* A plan or a scene is in shared memory. */
void hops_published(struct house *h);
/* The turn is over, and what it changed is out. `is_scene`: a scene was. */
void hops_turn(struct house *h, bool is_scene);
struct message *hops_message(
    const struct house *h); /* the answer to `latency`; the caller owns it */

/* house_extractor.c: yt-dlp's updates. Each after its like of house_source.c. */
void house_extractor_open(struct house *h, const struct house_params *p);
void house_extractor_attach(struct house *h);
void house_extractor_finish(struct house *h);
void house_extractor_close(struct house *h);

/* house_health.c: board and disks, the hourly figures in the log, the file for a monitoring system. Each after its like of
 * house_source.c. */
void house_health_open(struct house *h, const struct house_params *p);
void house_health_attach(struct house *h);
void house_health_finish(struct house *h);
void house_health_close(struct house *h);
/* `health` of the status; NULL: it was not looked at yet. The caller owns it. */
struct message *house_health_message(const struct house *h);

/* house_cache.c */
void house_cache_open(struct house *h, const struct config *config);
void house_cache_close(struct house *h); /* the loop is over */
/* Takes `request`; its answer goes to the client when it is there. false: too many wait. */
bool house_cache_ask(struct house *h, uint64_t client, struct message *request);
void house_cache_turn(struct house *h);
/* Work of ours on the cache; it is part of what belongs to it, and is freed by `done`. */
struct cache_task {
    bool lets_go; /* entries may have to go: `use` is what must not */
    void (*run)(struct cache *c, const struct cache_use *use,
                struct cache_task *t); /* on the pool */
    void (*done)(struct house *h, struct cache_task *t,
                 int error); /* on the loop; < 0: it was not run */
};
void house_cache_do(struct house *h, struct cache_task *task);
/* The cache itself, before there is a loop; it stays the house's. 0 or -errno. Blocks on disk. */
int house_cache_now(struct house *h, struct cache **out);
bool house_cache_exists(const struct house *h); /* something was fetched once */

/* house_source.c: songs from elsewhere. */
struct house_source;
/* The key of the song in the cache, when it is one that can be fetched; `source` is what the queue has for it. Pure. */
bool source_key(const struct track *t, const char *source, char key[CACHE_KEY_MAX + 1]);
bool source_is_url(const char *source); /* http or https */
/* Whether it is a file of the cache, as the queue names files. */
bool source_has_file(const struct house *h, const char *source);
/* Before there is a jukebox whose queue is that of `state`. */
void source_open(struct house *h, const struct house_params *p, const struct journal_state *state);
void source_attach(struct house *h); /* there is a loop */
void source_turn(struct house *h);
void source_finish(struct house *h); /* then the loop has no more of it */
void source_close(struct house *h);
/* The cache may hold less than before; `c` NULL: it is not open. Nothing works on it. */
void source_cache_changed(struct house *h, struct cache *c);
/* A struct jukebox_settings' is_coming, is_growing, is_passing and name_song; `ctx` is the house. */
bool source_is_coming(void *ctx, const struct track *t, const char *source);
bool source_is_growing(void *ctx, const struct track *t, const char *source);
bool source_is_passing(void *ctx, const struct track *t, const char *source);
bool source_name(void *ctx, const struct track *t, struct song_name *out);
/* The file of such a song; the caller frees. NULL: `why` is a sentence. */
char *source_path(struct house *h, const struct track *t, const char *source, char *why,
                  size_t why_size);
/* What it waits for, for people. false: it does not wait. */
bool source_waits(const struct house *h, const struct track *t, char *out, size_t size);
/* Somebody wants this song, whatever went wrong with it before. */
void source_retry(struct house *h, const char *video_id, const char *source);
/* Why the song of YouTube is not to be had, a sentence; NULL: it is, for it may be fetched or is in the cache. */
const char *source_refuses_youtube(const struct house *h, const char *id);
struct message *source_status(const struct house *h); /* the caller owns it */

/* house_music.c: a struct jukebox_settings' house_song; `ctx` is the house. */
struct track *music_song(void *ctx, bool is_stuck);

/* house_clients.c */
int clients_open(struct house *h, const char *runtime_dir);
/* Answers of which the journal holds the change by now, or cannot hold it (`error`). */
void clients_saved(struct house *h, uint64_t revision, int error);
bool clients_wait(const struct house *h);
void clients_turn(struct house *h, bool is_news);
/* Lines that waited for the library, if it is time. Not within a turn. */
void clients_go_on(struct house *h);
