/* What was played, one JSON object a line in `history.jsonl` of the state folder; past 1 MiB the file
 * becomes `history.jsonl.1` and a new one begins. Reads and writes on the loop's thread pool.
 * Thread-safety: the loop's thread. */
#pragma once

#include <stddef.h>

#include <uv.h>

#include "base/log.h"
#include "player/jukebox.h"

#define HISTORY_FILE      "history.jsonl"
#define HISTORY_MAX_BYTES ((size_t)1024 * 1024)
#define HISTORY_LIMIT_MAX 1000

struct history;
struct message;

struct history *history_create(uv_loop_t *loop, const char *dir, const struct log *log);
/* The loop has run until nothing is under way. `h` may be NULL. */
void history_destroy(struct history *h);
void history_add(struct history *h, const struct played *p);
/* Lines not on disk yet are written now, on this thread; for the end. */
void history_flush(struct history *h);

/* Calls `done` with {"tracks": [newest first, at most `limit`]}, which it takes. What cannot be read is
 * left out. */
typedef void history_read_fn(void *arg, uint64_t tag, struct message *tracks);
void history_read(struct history *h, size_t limit, history_read_fn *done, void *arg, uint64_t tag);
