/* The bytes of a media file for a demuxer: a file descriptor, also of a file that is still growing.
 *
 * At the end of a growing file a read waits for more: while the order says it grows, or, when it never
 * said so and after media_file_trust_mtime(), while it was written to less than two seconds ago. */
#pragma once

#include <libavformat/avio.h>

#include "media/gate.h"

struct media_file;

/* 0, or -errno: -ENOENT, -EACCES, -EISDIR, -EINVAL (no regular file), -ENODATA (empty, and not growing).
 * Nothing is read yet. `gate` outlives the file. */
WARN_UNUSED int media_file_open(struct media_file **out, const char *path, struct gate *gate);
void media_file_close(struct media_file *f); /* NULL is fine */

/* Owned by the file. Reading and seeking: demuxer's thread. */
AVIOContext *media_file_io(struct media_file *f);
/* Whether the demuxer may seek behind the bytes there are, and then wait for them. */
void media_file_allow_ahead(struct media_file *f, bool allow);
/* While it is frozen a growing file ends where it ends now, so that it can be searched in. */
void media_file_freeze(struct media_file *f, bool is_frozen);
/* At most so many bytes may be read from now on; then reads end with AVERROR_EXIT. */
void media_file_limit(struct media_file *f, int64_t bytes);
bool media_file_is_growing(const struct media_file *f); /* by its order */

/* From now on a young file's end is not believed. Any thread. */
void media_file_trust_mtime(struct media_file *f);
/* A read is waiting for the file to grow. Any thread. */
bool media_file_is_waiting(const struct media_file *f);
