/* Runs a `struct sync` on a libuv loop: it does the requests, holds the socket, moves its clock, and hands out what is
 * the owner's: saving, and commands. Thread-safety: the loop's thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "base/compiler.h"
#include "base/histogram.h"
#include "base/log.h"
#include "sync/sync.h"

struct sync_driver;

struct sync_driver_callbacks {
    void (*on_command)(void *ctx, enum sync_command command, double value);
    /* Something was told to the engine, or its time moved on: look at its view, its status, and whether a skip is to be
     * taken. If sync_revision() has grown the journal on disk is behind: write sync_journal() soon, and then say so by
     * sync_driver_saved(), from within or later. This and the one above may call any function of this header but
     * sync_driver_destroy(). */
    void (*on_change)(void *ctx);
    /* After sync_driver_finish(), from the loop: all is told, or its time is over. It may destroy the driver. */
    void (*on_finished)(void *ctx);
};

struct sync_driver_params {
    uv_loop_t *loop;
    struct sync *engine;  /* borrowed until `closed` of sync_driver_destroy() was called */
    const char *endpoint; /* "http(s)://host[:port]/v1" */
    const char *project_id;
    const char *session; /* secret of the device's session; NULL: none */
    const char *user_agent;
    const char *ca_file; /* PEM of an own authority; NULL: the system's */
    const char
        *pinned_file; /* PEM of the server's own certificate, see http_client.h; NULL: none */
    const struct sync_driver_callbacks *callbacks;
    void *ctx;
    const struct log *log;
};

/* 0, or -errno after a line in the log. Its work begins when the loop runs. */
WARN_UNUSED int sync_driver_create(struct sync_driver **out, const struct sync_driver_params *p);
/* No callback comes after this; `closed` (may be NULL) when the loop has let go of it. */
void sync_driver_destroy(struct sync_driver *d, void (*closed)(void *ctx), void *ctx);

/* As sync_apply() and sync_playback(); what follows from them is done in the next turn of the loop. */
int sync_driver_apply(struct sync_driver *d, const struct queue_op *op);
void sync_driver_playback(struct sync_driver *d, const struct sync_playback *p);
/* The backend is at another address, or the session is another: so it is from the next request on. What is under way
 * ends as the network makes it end. 0, or -EINVAL after a line in the log: all is as before. */
WARN_UNUSED int sync_driver_move(struct sync_driver *d, const char *endpoint, const char *session);
/* The journal text of that revision, or a later one, is on disk. */
void sync_driver_saved(struct sync_driver *d, uint64_t revision);
/* The player ends: on_finished() comes within `max_ms`. Once. */
void sync_driver_finish(struct sync_driver *d, int max_ms);

enum sync_hop {
    SYNC_HOP_SAVED,  /* an own operation until it is on disk */
    SYNC_HOP_SERVER, /* an own operation until the server has it */
    SYNC_HOP_VIEW,   /* an event read from the network until the view shows it */
    SYNC_HOPS,
};
/* When the first event came that changed the view since the last call; NO_TIME: none did. */
int64_t sync_driver_take_arrival(struct sync_driver *d);
/* Since create. Borrowed. */
const struct histogram *sync_driver_latency(const struct sync_driver *d, enum sync_hop hop);
