/* Folders as paths: what is in them, and away with it. Block on disk. */
#pragma once

#include <stdint.h>

#include "base/compiler.h"

/* So that a rename in it outlives a power cut. 0 or -errno. */
WARN_UNUSED int folder_sync(const char *path);
/* With all in it; links are not followed. 0, also when it is not there, or -errno. */
int folder_remove(const char *path);
/* Bytes of the files in it, and when the newest of them was written (may be NULL). */
uint64_t folder_bytes(const char *path, int64_t *newest_ms);
