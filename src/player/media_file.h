/* Whether a path names something that may be put in a queue. Blocks on disk. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* false: `why` (may be NULL) gets one sentence for people that says what is wrong with it. */
bool media_file_check(const char *path, char *why, size_t why_size);
