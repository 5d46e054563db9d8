/* The folders of the library, in memory: found by path, and by the place on the disk that they are. Thread-safety: one
 * thread at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct folder {
    char *path;            /* absolute, without a '/' at the end */
    int64_t row;           /* in the index; 0: it has none yet */
    unsigned root;         /* which of the library's folders it is in */
    struct folder *parent; /* NULL: of a root, or not known yet */
    bool is_here;          /* it could be read last time */
    bool is_counted;       /* among those that were read */
    bool is_dirty;         /* something in it has changed since */
    uint64_t seen;         /* number of the scan that saw it last */

    /* folder_set's own */
    dev_t device;
    ino_t inode; /* 0: not known */
    struct folder *next_by_path, *next_by_place, *next;
};

#define FOLDER_BUCKETS 8192

struct folder_set {
    struct folder *first; /* of all, by `next` */
    size_t count;
    struct folder *by_path[FOLDER_BUCKETS], *by_place[FOLDER_BUCKETS];
};

struct folder_set *folder_set_create(void);
void folder_set_destroy(struct folder_set *set); /* NULL is fine */

struct folder *folder_set_find(const struct folder_set *set, const char *path); /* NULL: none */
/* The one with that path, made when there is none. */
struct folder *folder_set_add(struct folder_set *set, const char *path);
void folder_set_place(struct folder_set *set, struct folder *f, dev_t device, ino_t inode);
/* Another folder that is here at the same place on the disk: a link leads to it, or it is mounted twice. NULL: none. */
struct folder *folder_set_double(const struct folder_set *set, const struct folder *f);
