/* Keeps a few programs running: starts again what dies, merges their logs, ends all of them together.
 * The loop is libuv's. Thread-safety: the main thread only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/compiler.h"

#define CHILDREN_MAX 5

struct supervisor_params {
    int log_fd; /* merged lines go there */
    bool has_colour;
    struct status_line
        *below; /* of the terminal that log_fd is; NULL: none. Outlives the supervisor */
    unsigned give_up_after; /* quick deaths in a row of one program before all end; 0: never */
    int64_t term_ms;        /* between SIGTERM and SIGKILL; 0: 2000 */
    /* All children are gone or will be soon: close your own handles. Called once. May be NULL. */
    void (*on_stop)(void *ctx);
    void (*on_look)(void *ctx); /* some times a second. May be NULL */
    void *ctx;
};

/* Which end of a child is the end of all; after any other it is started again. */
enum child_end {
    END_NEVER,
    END_CLEAN, /* with status 0 */
    END_EXIT,  /* with any status: only what was killed by a signal comes back */
};

struct child_params {
    const char *name;    /* for the log; must outlive the supervisor */
    const char *program; /* path; copied */
    char *const *argv;   /* ends with NULL; copied */
    enum child_end ends_all;
    int64_t delay_ms; /* of its first start, from supervisor_attach() on; 0: at once */
    /* Where it gives its signs of life; outlives the supervisor. When none comes within its limit, it is killed and
     * starts again. NULL: it is not watched. */
    const struct process_row *row;
};

struct supervisor;
struct process_row; /* shm/control.h */

struct supervisor *supervisor_create(const struct supervisor_params *p);
void supervisor_destroy(struct supervisor *s); /* kills what still runs; NULL is fine */

/* Starts a program, at once unless it has a delay; needs no loop yet. 0 or -errno. */
WARN_UNUSED int supervisor_spawn(struct supervisor *s, const struct child_params *p);
/* From here on children are watched, and SIGINT, SIGTERM, SIGQUIT and SIGHUP (unless it was ignored) end
 * all. Before destroying the supervisor
 * run the loop until supervisor_is_done(). 0 or -errno. */
WARN_UNUSED int supervisor_attach(struct supervisor *s, uv_loop_t *loop);
/* Ends all: SIGTERM, and SIGKILL to those that stay. The second call kills at once. */
void supervisor_stop(struct supervisor *s);
bool supervisor_is_stopping(const struct supervisor *s);
/* All children are gone and all handles closed. */
bool supervisor_is_done(const struct supervisor *s);
/* Whether it ended in order: a clean end or a wish to stop, and neither with another status nor because it
 * gave up. */
bool supervisor_ended_well(const struct supervisor *s);
/* A line of our own between those of the children. */
void supervisor_say(struct supervisor *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
