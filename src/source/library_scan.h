/* Brings the index into agreement with the folders: what is new, changed, away or back. What has not changed is not
 * touched. Bounded: depth, number of files; a folder is read once, so links may form any loop. One thread; blocks on
 * disk. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/log.h"
#include "source/folder_watch.h"
#include "source/library_index.h"

#define SCAN_DEPTH_MAX 64

enum file_event {
    FILE_KNOWN, /* of an earlier life, as it was then */
    FILE_NEW,   /* new, another version, or back */
    FILE_AWAY,
    FILE_FORGOTTEN, /* away for long */
};

struct scan_params {
    struct library_index *index;
    struct folder_watch *watch; /* NULL: nobody watches */
    size_t files_max;           /* that are here */
    bool reads_tags;            /* somebody will look into files whose name has no artist */
    void (*on_file)(void *ctx, const struct library_file *f, unsigned root, enum file_event event);
    bool (*is_stopped)(void *ctx); /* the scan is to end early; nothing is wrong then */
    void *ctx;
    const struct log *log;
};

struct scan_counts {
    size_t folders, files, away; /* of files: here, and not */
    size_t unreadable;           /* folders of the last whole scan that could not be read */
    bool is_cut;                 /* a bound was reached: files are left out */
    bool is_unwatched;           /* the machine allows no more watches */
    char problem[512]; /* the first folder that could not be read, in a sentence; "": none */
};

struct scan;

/* Tells of all that the index knows. 0 or -errno. `params` is copied. */
WARN_UNUSED int scan_create(struct scan **out, const struct scan_params *params,
                            char *const roots[], size_t root_count);
void scan_destroy(struct scan *s); /* NULL is fine */

/* Everything below the roots, absolute paths; files elsewhere are away. 0, -ECANCELED: stopped, or another -errno
 * of the index. What was found until then is kept. */
WARN_UNUSED int scan_all(struct scan *s, char *const roots[], size_t root_count, int64_t wall_ms);
/* Something changed in this folder. */
void scan_mark(struct scan *s, const char *path);
bool scan_is_marked(const struct scan *s);
/* The marked folders, and what is new below them. Like scan_all(). */
WARN_UNUSED int scan_marked(struct scan *s, int64_t wall_ms);
/* Forgets what is away since before `before_ms`. 0 or -errno. */
WARN_UNUSED int scan_forget(struct scan *s, int64_t before_ms);

const struct scan_counts *scan_counts(const struct scan *s);
