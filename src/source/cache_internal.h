/* For the files of the cache only. */
#pragma once

#include "source/cache.h"
#include "source/folders.h"
#include "source/negative.h"

#define PARTIAL_AGE_MS (INT64_C(3) * 86400 * 1000)
#define META_NAME      "meta.json"
#define HALF_LIFE_S    (30.0 * 86400) /* a play counts half after that */

struct item {
    char key[CACHE_KEY_MAX + 1];
    uint64_t bytes; /* of the media file and its subtitles */
    uint64_t stamp; /* of its meta.json: another one is another entry */
    uint32_t plays;
    double worth;   /* plays that have faded, as of ... */
    int64_t used_s; /* ... this running time */
    bool is_pinned;
};

struct partial {
    char key[CACHE_KEY_MAX + 1];
    uint64_t reserved;
    bool is_active;
};

struct pin {
    char key[CACHE_KEY_MAX + 1];
    char reason[CACHE_REASON_MAX];
};

struct cache {
    /* Set by open. */
    struct log log;
    bool has_log;
    char *dir;
    int lock_fd;
    uint64_t max_bytes, floor_bytes;
    int (*free_bytes)(void *ctx, const char *dir, uint64_t *out);
    void *ctx;
    int64_t opened_ns, opened_s; /* running time at opened_ns */

    struct item *item; /* by key */
    size_t count, cap;
    struct partial *partial;
    size_t partial_count, partial_cap;
    struct pin *pin; /* by key */
    size_t pin_count, pin_cap;
    struct negative negative;
    bool is_dirty; /* plays are newer than index.json */
    int64_t flushed_ns;
};

/* cache.c */
const struct log *cache_log(const struct cache *c);
int64_t cache_running_s(const struct cache *c, int64_t now_ns);
struct item *item_find(const struct cache *c, const char *key); /* NULL: none */
struct item *item_add(struct cache *c, const char *key);        /* or the one that is there */
void item_remove(struct cache *c, struct item *i);
struct partial *partial_find(const struct cache *c, const char *key);
void partial_forget(struct cache *c, const char *key);
int item_drop(struct cache *c, struct item *i); /* `i` is gone when it returns 0 */
bool use_has(const struct cache_use *use, const char *key);
int hash_of(int fd, char out[SHA256_TEXT_SIZE]); /* from where it stands to its end */

/* Below the folder of the cache; the caller frees. */
char *media_path(const struct cache *c, const char *key);
char *partial_path(const struct cache *c, const char *key);
char *file_path(const struct cache *c, const char *name);

/* cache_meta.c */
uint64_t stamp_of(const char *meta_path); /* 0: it is not there */

/* cache_open.c */
int index_save(struct cache *c, int64_t now_ns);
int pins_save(struct cache *c);
struct pin *pin_find(const struct cache *c, const char *key);

/* cache_space.c */
/* Room for `bytes` more, besides what is taken and reserved. */
int space_make(struct cache *c, uint64_t bytes, const struct cache_use *use);
