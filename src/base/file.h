/* Whole files: read with a ceiling, replaced atomically. */
#pragma once

#include <stddef.h>

#include "base/compiler.h"

/* Reads all of `path` into a NUL-terminated block that the caller frees. 0 or -errno; -EFBIG when the
 * file is larger than `max` bytes. Blocks on disk. */
WARN_UNUSED int file_read(const char *path, size_t max, char **data, size_t *len);

/* Writes all of it to a descriptor that blocks. 0, or -errno when only a part was written; a pipe or socket
 * that is closed raises SIGPIPE, too, unless that is ignored. */
WARN_UNUSED int file_write_all(int fd, const void *data, size_t len);

/* Replaces `path` so that after a power cut it holds either the old or the new contents: temporary
 * file beside it, fsync, rename, fsync of the folder. 0 or -errno; on error the old file is untouched,
 * unless only the last step failed: then the new one is in place but may not survive a power cut.
 * Needs read permission on the folder. One writer per path at a time. Blocks on disk. */
WARN_UNUSED int file_replace(const char *path, const void *data, size_t len);

/* Replaces `path` for readers: none of them, of whatever user (mode 0644), finds a half or nothing. After a power cut it may
 * be gone. 0 or -errno; on error the old file is untouched. One writer per path at a time. */
WARN_UNUSED int file_publish(const char *path, const void *data, size_t len);

/* Makes what was renamed or made in the folder of `path` durable. 0 or -errno. Needs read permission on the folder.
 * Blocks on disk. */
WARN_UNUSED int file_sync_folder(const char *path);

/* Makes `path` and its parents, mode 0700. 0 or -errno. */
WARN_UNUSED int dir_make(const char *path);
