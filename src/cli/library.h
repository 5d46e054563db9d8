/* The library: media files that the names of their files tell the ids of. Blocks on disk. */
#pragma once

#include "cli/walk.h"

/* The next folder of the setting library.paths, at which *at begins; NULL: there is no more. The caller
 * frees. */
char *library_next_folder(const char **at);

/* Adds the media of all folders of `paths` to `w`. A folder that cannot be read is noted in it. */
void library_walk(struct walk *w, const char *paths);
/* The first of the files whose name carries the id; NULL: none. Borrowed from `w`. */
const char *library_find(const struct walk *w, const char *id);
