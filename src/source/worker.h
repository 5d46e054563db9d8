/* A child process that answers JSON lines, such as djamms-fetch: started, asked, watched, and started again.
 *
 * One request at a time; each line either way is an object, an answer's "n" is its request's. Lines with "event":
 * "progress" come before the one that ends a request ("done" or "error"). The child has a process group of its own
 * which is killed whole, a folder of its own, and nothing of our environment but what is named here. What it writes to
 * stderr goes to ours. It must end at the end of its input: when we are killed, nobody else ends it.
 *
 * A child that dies, says what is no line of this protocol, or misses a deadline is killed and started again, after
 * 1, 2, 5 and then 30 s; one that has answered since starts from 1 s again. SIGPIPE must be ignored. Thread-safety:
 * the loop's thread only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

#include "base/compiler.h"
#include "base/log.h"

struct message;
struct worker;

#define WORKER_LINE_MAX ((size_t)1 << 20)

enum worker_end {
    WORKER_ANSWERED,
    WORKER_TIMED_OUT, /* the deadline passed; the child was killed if it had the request */
    WORKER_DIED,      /* while it had the request */
    WORKER_GARBAGE,   /* it said what is no answer, or more than fits */
    WORKER_CANCELLED, /* by worker_cancel() before the child had it or without its answer, or by worker_close() */
};

/* `answer` is NULL unless WORKER_ANSWERED; it lives for the call. A new request may be made from it. */
typedef void worker_end_fn(void *ctx, enum worker_end end, const struct message *answer);
typedef void worker_progress_fn(void *ctx, const struct message *progress);

struct worker_request {
    struct message *message;         /* taken, also on error; "n" is set */
    int64_t deadline_ms;             /* from now, the wait for the child's start included; > 0 */
    worker_end_fn *on_end;           /* once, never from within worker_ask() */
    worker_progress_fn *on_progress; /* may be NULL */
    void *ctx;
};

enum worker_state {
    WORKER_STARTING, /* started, has not answered the greeting */
    WORKER_IDLE,
    WORKER_BUSY,
    WORKER_WAITING, /* for the next start */
    WORKER_CLOSING,
};

struct worker_params {
    uv_loop_t *loop;
    const struct log *log; /* may be NULL; outlives the worker */
    /* The program's path first; ends with NULL. Copied, as all texts here. */
    const char *const *argv;
    /* "NAME=VALUE", besides PATH, LANG, HOME and TMPDIR; ends with NULL; may be NULL. */
    const char *const *env;
    const char *scratch;   /* path of a folder that exists: working folder, HOME and TMPDIR */
    const char *greeting;  /* a JSON object: asked first after each start; its answer is kept */
    int64_t start_ms;      /* the time for that; 0: 30 s */
    int64_t grace_ms;      /* for a cancelled request to end; 0: 2 s */
    unsigned max_requests; /* answered by one child before another takes its place; 0: 500 */
    size_t max_rss_kb;     /* also when it has grown over this; 0: 250 MB */
    /* Four: before the starts after a failure; NULL: 1, 2, 5 and 30 s. Outlives the worker. */
    const int64_t *waits_ms;
};

/* For `djamms doctor` and `djamms status`. */
struct worker_status {
    enum worker_state state;
    pid_t pid;               /* 0: none runs */
    unsigned starts;         /* so far */
    unsigned start_failures; /* in a row: ended without having answered the greeting */
    unsigned failures;       /* in a row: ended by a failure without having answered a request */
    unsigned timeouts, deaths, garbage,
        replaced;           /* so far; replaced: after max_requests, or by its size */
    unsigned answered;      /* by this child */
    int64_t next_start_ns;  /* CLOCK_MONOTONIC, while WORKER_WAITING */
    char last_failure[160]; /* a sentence; "": none so far */
    const struct message
        *greeted; /* the latest answer to the greeting; NULL: none so far. Lives until the next */
};

/* Starts the child. A program that cannot be executed is tried again like one that ends at once. */
struct worker *worker_create(const struct worker_params *params);
/* Kills the child; a request under way ends with WORKER_CANCELLED, from within. Frees by itself when the loop has run
 * on. NULL is fine. */
void worker_close(struct worker *w);

/* 0, -EBUSY while another request is under way, -EMSGSIZE when it does not fit a line, -ESHUTDOWN after
 * worker_close(). A request that is made before the child is ready waits for it. */
WARN_UNUSED int worker_ask(struct worker *w, const struct worker_request *request);
/* The request under way is to end: it does so as the child answers, or with its group. Nothing is under way: nothing
 * happens. */
void worker_cancel(struct worker *w);
/* A line that is not a request, such as a new rate limit: it is not answered. Taken. Lost when no child is ready. */
void worker_tell(struct worker *w, struct message *line);
/* Ends the child as soon as it is idle and starts another, at once: its program was replaced. One that waits for its next
 * start waits no longer. */
void worker_replace(struct worker *w);

void worker_status(const struct worker *w, struct worker_status *out);
const char *worker_state_name(enum worker_state s);
/* "WorkerTimeout", "WorkerDied", "WorkerGarbage" or "Cancelled": for failure_classify(). NULL for WORKER_ANSWERED. */
const char *worker_end_exception(enum worker_end e);
