/* Finds media files below folders, in natural order. Bounded: depth, number of files; every folder is read
 * once, so symbolic links may form any loop. Blocks on disk. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"

#define WALK_DEPTH_MAX 64
#define WALK_FILES_MAX ((size_t)1000000)

struct folder_id {
    dev_t device;
    ino_t inode;
};

struct walk {
    char **path; /* absolute; owned */
    size_t count, cap;
    size_t folders;    /* read */
    size_t seen;       /* entries looked at, media or not */
    size_t unreadable; /* folders that could not be read */
    char problem[512]; /* the first of them, in a sentence; empty: none */
    bool is_cut;       /* a bound was reached */

    /* Called now and then while folders are read; NULL: never. */
    void (*progress)(void *ctx, const struct walk *w);
    void *progress_ctx;

    struct folder_id *visited; /* open hash, a power of two long */
    size_t visited_count, visited_cap;
};

void walk_init(struct walk *w);
void walk_finish(struct walk *w);
/* Adds one path as it is, made absolute. */
void walk_add_file(struct walk *w, const char *path);
/* Adds the media below a folder. Returns how many; -errno when the folder itself cannot be read. */
WARN_UNUSED ssize_t walk_add_folder(struct walk *w, const char *path);

/* Notes a folder that could not be read; `error` is -errno. */
void walk_note_problem(struct walk *w, const char *path, int error);

/* The path from the root of the file system, without "./" in front; ".." stays. The caller frees. */
char *path_absolute(const char *path);
