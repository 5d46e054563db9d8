/* Keeps one small file up to date in the background: newest contents win, one write at a time, on the
 * loop's thread pool. Thread-safety: the loop's thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "base/twin_file.h"

struct saver;

/* `revision` is on disk (error 0), or could not be written (-errno): what is read is then as before. */
typedef void saver_done_fn(void *arg, uint64_t revision, int error);
/* How it is written: twin_file_write(), or a test's stand-in. Runs on a pool thread. */
typedef int saver_write_fn(struct twin_file *file, const char *text, size_t len);

struct saver_params {
    uv_loop_t *loop;
    const char *path;    /* copied */
    saver_done_fn *done; /* may be NULL */
    void *arg;
    saver_write_fn *write; /* NULL: twin_file_write() */
};

struct saver *saver_create(const struct saver_params *params);
/* The loop has run until no write is under way. `s` may be NULL. */
void saver_destroy(struct saver *s);
/* Takes `text`. Contents that wait for a running write are replaced: their revision is never reported. */
void saver_put(struct saver *s, char *text, uint64_t revision);
bool saver_is_busy(const struct saver *s);
/* Writes now, on this thread; for the end, when the loop is over. 0 or -errno. */
int saver_put_now(struct saver *s, const char *text);
