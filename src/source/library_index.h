/* What is known of local media, on disk: folders, their files, what their names and tags say, the words to find them
 * by. One SQLite file; each thread has an index of its own on it. Blocks on disk. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/log.h"

struct library_index;

/* Texts are borrowed: of the caller when they are written, until the callback returns when they are read. */
struct library_file {
    int64_t row; /* 0: not written yet */
    int64_t folder_row;
    const char *folder, *name; /* bytes, as the file system has them */
    int64_t size, mtime_ns;
    const char *key, *title, *artist; /* UTF-8 */
    double duration_s;                /* 0: unknown */
    int64_t absent_ms;                /* it is away since then (ms since 1970); 0: it is there */
    bool wants_tags;                  /* nobody has looked into this version of it yet */
};

/* A song that was searched for; texts are owned. */
struct library_song {
    char *key, *title, *artist, *source;
    double duration_s;
};

struct library_songs {
    struct library_song *at;
    size_t count;
    bool is_cut; /* more were found than were asked for */
};

/* Opens or makes it. With `may_remake` one that is damaged or of a newer program is made anew, for all can be found
 * again: by the first who opens it. 0 or -errno. */
WARN_UNUSED int library_index_open(struct library_index **out, const char *path, bool may_remake,
                                   const struct log *log);
void library_index_close(
    struct library_index *ix); /* what is not committed is lost; NULL is fine */
WARN_UNUSED int library_index_commit(struct library_index *ix);

typedef void library_folder_fn(void *ctx, int64_t row, const char *path);
typedef void library_file_fn(void *ctx, const struct library_file *file);

WARN_UNUSED int library_index_each_folder(struct library_index *ix, library_folder_fn *fn,
                                          void *ctx);
/* All files of a folder in the order of strcmp(); of all folders when `folder_row` is 0, in no order. `fn` does not
 * use the index. */
WARN_UNUSED int library_index_each_file(struct library_index *ix, int64_t folder_row,
                                        library_file_fn *fn, void *ctx);
WARN_UNUSED int library_index_add_folder(struct library_index *ix, const char *path, int64_t *row);
/* Writes a new file (its row is set) or a new version of one. */
WARN_UNUSED int library_index_put(struct library_index *ix, struct library_file *file);
WARN_UNUSED int library_index_set_absent(struct library_index *ix, int64_t row, int64_t absent_ms);
/* What a look into the file told, for good or bad: it is not asked for again. NULL: the name's stays. */
WARN_UNUSED int library_index_set_tags(struct library_index *ix, int64_t row, const char *title,
                                       const char *artist, double duration_s);
/* One file that wants tags and is there: 1, 0 when there is none, -errno. */
WARN_UNUSED int library_index_next_untagged(struct library_index *ix, library_file_fn *fn,
                                            void *ctx);
/* Forgets files that are away since before `before_ms`; `fn` is told of each before. */
WARN_UNUSED int library_index_forget(struct library_index *ix, int64_t before_ms,
                                     library_file_fn *fn, void *ctx);

/* The songs that have all words of `text`, the last as a beginning, best first, at most `limit`; without those that
 * are away. The caller finishes `out` in any case. */
WARN_UNUSED int library_index_search(struct library_index *ix, const char *text, size_t limit,
                                     struct library_songs *out);
void library_songs_finish(struct library_songs *songs);
