/* The library: media on this machine's disks and sticks, and what is played of a song.
 *
 * Two threads of its own do all that waits for a disk: one follows the folders (it reads what is new, is told of
 * changes, and has tags read by djamms-probe while nothing else is to be done), one searches. What a song plays is
 * answered from memory.
 *
 * Thread-safety: one thread, that of the loop. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "base/compiler.h"
#include "base/log.h"
#include "source/file_map.h"
#include "source/library_index.h"

struct library;

struct library_params {     /* texts are copied */
    const char *path;       /* of the index; its folder exists */
    const char *paths;      /* folders with ':' between; earlier ones are preferred */
    const char *media_tops; /* what is mounted below these belongs to it, too; "": nothing does */
    const char *probe;      /* djamms-probe; NULL: no tags are read */
    const struct log *log;  /* copied */

    /* 0 means the usual; tests choose. */
    size_t files_max;
    int64_t settle_ns; /* changes are looked at when there were none for so long */
    int64_t again_ns;  /* all is looked at again so often, where nobody tells of changes */
    const char *mounts_file;
};

/* Starts it. 0 or -errno. */
WARN_UNUSED int library_create(struct library **out, const struct library_params *params);
/* From here on `on_change` is called on the loop after changes: files came or went, or a scan ended. Once. */
WARN_UNUSED int library_attach(struct library *l, uv_loop_t *loop, void (*on_change)(void *ctx),
                               void *ctx);
/* Ends the threads; searches that are not done are answered with nothing. If it was attached the loop must run once more
 * before it is destroyed. */
void library_stop(struct library *l);
void library_destroy(struct library *l); /* stops it, too; NULL is fine */

/* Waits until the index of the last life is in memory, at most so long. */
void library_wait_known(struct library *l, int64_t at_most_ns);

enum library_place {
    LIBRARY_UNKNOWN, /* no such song */
    LIBRARY_HERE,
    LIBRARY_AWAY, /* its stick or folder is not there */
};

/* Where a song is. `source`: only that file; NULL: any of the song. `found` (may be NULL) gets its file as
 * path_to_source() writes it, which the caller frees; NULL when unknown. `since` (may be NULL): which change brought it.
 * Does not wait. */
enum library_place library_find(struct library *l, const char *key, const char *source,
                                char **found, uint64_t *since);
/* Every file that is known, in no order, in a few ms. `visit` calls nothing of the library. Does not wait. */
void library_visit(struct library *l, file_map_visit_fn *visit, void *ctx);
/* Grows with every file that comes; a file with a greater `since` than this was came after that. */
uint64_t library_serial(struct library *l);

struct library_status {
    size_t folders, files, away;
    bool is_scanning;  /* all folders are being read */
    bool has_scanned;  /* they were, once in this life */
    double scan_s;     /* how long that took last; 0: never */
    char problem[512]; /* one sentence; "": none */
};

void library_status(struct library *l, struct library_status *out);
/* Reads all folders again, soon. */
void library_rescan(struct library *l);

/* On the loop; `songs` is borrowed. `error`: -errno. */
typedef void library_found_fn(void *ctx, uint64_t id, const struct library_songs *songs, int error);
/* Searches; `text` is copied. Answers come in the order of the questions, after library_attach(). */
void library_search(struct library *l, const char *text, size_t limit, library_found_fn *done,
                    void *ctx, uint64_t id);
