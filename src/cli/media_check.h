/* What can be said of a media file without opening its contents. */
#pragma once

#include <stdbool.h>

#define MEDIA_WHY_MAX 128

/* Whether `path` may be played: a file with a media ending that can be read and is not empty. false: `why`
 * says in words what is wrong. Blocks on disk. */
bool media_check(const char *path, char why[MEDIA_WHY_MAX]);
