/* A text that is kept in two files, PATH and PATH.twin, written in turns and in place: one flush of the disk makes it
 * durable, for no name changes and sizes seldom do. The first line of each tells its hash, its turn and its length; the
 * whole one with the higher turn counts. So there is always the text that was written last, or, when the power went
 * during a write, the one before it. What follows the text is left of longer ones.
 * Thread-safety: one thread at a time. Blocks on disk. */
#pragma once

#include <stddef.h>

#include "base/compiler.h"

struct twin_file;

/* One writer per path at a time; nothing is touched yet. */
struct twin_file *twin_file_create(const char *path);
void twin_file_destroy(struct twin_file *t); /* NULL is allowed */

/* 0 when it will be there after a power cut. -errno: what counted before still does, unless only the flush failed;
 * then it is either. */
WARN_UNUSED int twin_file_write(struct twin_file *t, const char *text, size_t len);

/* The text that counts, NUL-terminated; the caller frees. 0; -ENOENT: it was never written; -EBADMSG: neither file is
 * whole; -EFBIG: longer than `max` bytes; else what reading failed with. */
WARN_UNUSED int twin_file_read(const char *path, size_t max, char **text, size_t *len);

/* Renames what there is to PATH.`word` and PATH.twin.`word`. 0 or -errno. */
WARN_UNUSED int twin_file_set_aside(const char *path, const char *word);
