/* Where sticks and other media that come and go are mounted. */
#pragma once

#include <stddef.h>

struct mounts {
    char **path; /* owned */
    size_t count;
};

/* The mount points below one of the folders `tops` (':' between two), in the order of the text, which is that of
 * /proc/self/mountinfo. The caller finishes it. Pure. */
void mounts_parse(struct mounts *m, const char *text, const char *tops);
void mounts_finish(struct mounts *m);
