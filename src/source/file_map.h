/* Which files there are of a song: song key (YouTube id, or "file:" and a hash) -> files. In memory, so that looking
 * never waits for a disk. Thread-safety: one thread at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct file_map;

struct mapped_file {
    int64_t row;        /* who it is; > 0 */
    unsigned folder;    /* files of earlier folders of the library are preferred */
    bool is_here;       /* false: its stick or folder is away */
    uint64_t since;     /* which change of the library brought it, or this version of it */
    const char *key;    /* borrowed */
    const char *source; /* as path_to_source() writes it; borrowed */
};

struct file_map *file_map_create(void);
void file_map_destroy(struct file_map *m); /* NULL is fine */

/* Copies the texts. What was known of the same key and row is replaced. */
void file_map_put(struct file_map *m, const struct mapped_file *file);
void file_map_remove(struct file_map *m, const char *key, int64_t row);
/* The file to play of a song: one that is here before one that is away, then by folder, then by name. With `source`,
 * only that file. NULL: none is known. Borrowed until the next change. */
const struct mapped_file *file_map_find(const struct file_map *m, const char *key,
                                        const char *source);
/* Every file, in no order. */
typedef void file_map_visit_fn(void *ctx, const struct mapped_file *file);
void file_map_visit(const struct file_map *m, file_map_visit_fn *visit, void *ctx);
size_t file_map_count(const struct file_map *m);
