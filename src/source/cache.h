/* Media that was fetched, on disk.
 *
 *   DIR/CACHEDIR.TAG           made first: nothing is removed from a folder without it
 *   DIR/lock                   one process at a time
 *   DIR/media/HH/KEY/media.EXT a file; HH is a hash of KEY
 *                    meta.json written last, before the folder moves here: its presence makes the entry
 *                    media.LANGUAGE.EXT  subtitles of it, where there are any
 *   DIR/partial/KEY/           what is being fetched, or was put aside
 *   DIR/pins.json              keys that are kept, whether they are here yet or not
 *   DIR/negative.json          keys not to be asked for, see source/negative.h
 *   DIR/index.json             sizes and plays; a hint, made anew from the folders
 *
 * An entry comes and goes by one rename or one unlink, after what it holds is on disk: whoever is killed in between, or
 * loses power, leaves it whole or not at all. Nothing of `partial` is ever taken for an entry, for others write there.
 *
 * Time: `now_ns` is CLOCK_MONOTONIC. What lasts longer than a life counts running time, as source/negative.h says.
 *
 * Every function but the ones marked "in memory" blocks on disk, some for seconds. Thread-safety: one thread at a time,
 * not always the same; the owner sees to that. Errors are -errno; -ENOSPC always means that nothing more may go. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/log.h"
#include "source/cache_meta.h"

#define CACHE_KEY_MAX    64
#define CACHE_REASON_MAX 32 /* of a pin, with its end */

struct cache;

/* Letters, digits, '-' and '_', 1 to CACHE_KEY_MAX: an id or a hash, and no path. Pure. */
bool cache_key_is_valid(const char *key);

struct cache_params {
    const char *dir;      /* copied; made when missing */
    uint64_t max_bytes;   /* 0: only the disk limits it */
    uint64_t floor_bytes; /* of the disk that are left to others */
    int64_t now_ns;
    int64_t wall_ms;       /* only for the age of partials: wrong, it costs a download */
    const struct log *log; /* copied; may be NULL */
    /* Bytes that are free on the disk of `dir`, 0 or -errno; NULL: statvfs(). */
    int (*free_bytes)(void *ctx, const char *dir, uint64_t *out);
    void *ctx;
};

/* Reads what is there: folders without meta.json go, partials that were not touched for 3 days, too. 0;
 * -EWOULDBLOCK: another process has it; -ENOTEMPTY: the folder holds something else; -errno. *out is NULL then. */
WARN_UNUSED int cache_open(struct cache **out, const struct cache_params *p);
void cache_close(struct cache *c, int64_t now_ns); /* flushes; `c` may be NULL */
/* Writes plays and refusals when they are behind and the last time is ten minutes ago, or `now`. */
WARN_UNUSED int cache_flush(struct cache *c, bool now, int64_t now_ns);

const char *cache_dir(const struct cache *c); /* in memory */
/* The key of the entry that a path of cache_find() is of. false: no such path, of this cache. In memory. */
bool cache_key_of_path(const struct cache *c, const char *path, char key[CACHE_KEY_MAX + 1]);

/* ---- reading ----------------------------------------------------------------------------------------------- */

struct cache_found {
    char *path;
    struct cache_meta meta;
    bool is_pinned;
};
void cache_found_finish(struct cache_found *f);

/* 0: *out is the caller's. -ENOENT. What lost its file or has another size is dropped, and said: -ENOENT. */
WARN_UNUSED int cache_find(struct cache *c, const char *key, struct cache_found *out);
bool cache_has(const struct cache *c, const char *key); /* in memory */
/* It is here, and kept. In memory. */
bool cache_is_pinned(const struct cache *c, const char *key);

struct cache_item { /* texts are borrowed until the next change */
    const char *key;
    uint64_t bytes; /* of its file and subtitles */
    uint32_t plays;
    const char *pin; /* its reason; NULL: not pinned */
};
size_t cache_count(const struct cache *c);                        /* in memory */
struct cache_item cache_item_at(const struct cache *c, size_t i); /* in memory, by key */
size_t cache_pin_count(const struct cache *c);                    /* in memory */
struct cache_item cache_pin_at(const struct cache *c, size_t i);  /* bytes 0: not here yet */
/* The key of the entry `id` names: a key, else the id in a meta.json. false: none. */
bool cache_key_of(struct cache *c, const char *id, char key[CACHE_KEY_MAX + 1]);

struct cache_space {
    uint64_t media, pinned, partial; /* bytes taken */
    uint64_t budget;                 /* that media and partial may take together */
    uint64_t free;                   /* on the disk */
};
WARN_UNUSED int cache_space(struct cache *c, struct cache_space *out);

/* ---- fetching ---------------------------------------------------------------------------------------------- */

/* Keys that must not go: what plays, what is next, what is queued. */
struct cache_use {
    const char *const *key;
    size_t count;
};

/* A folder for a fetch of about `bytes`, for which room is made. Again for the same key: the same folder with what it
 * holds, the new number. 0: *folder is the caller's to free. */
WARN_UNUSED int cache_begin(struct cache *c, const char *key, uint64_t bytes,
                            const struct cache_use *use, char **folder);
/* No longer being fetched; what is there stays for the next time, but is the first to go. In memory. */
void cache_pause(struct cache *c, const char *key);
/* Removes what is there. */
void cache_abandon(struct cache *c, const char *key);
/* The disk was full while something else was written: lets go what is worth at least `bytes`. 0 or -ENOSPC. */
WARN_UNUSED int cache_make_room(struct cache *c, uint64_t bytes, const struct cache_use *use);

/* The file `name` of the partial folder becomes the entry, with the caller's part of `meta`; what else lies there goes, but
 * for subtitles that can be kept (source/cache_text.h).
 * Nobody writes to it any more, and the caller has checked it whole. An entry of that key is replaced. 0; -EINVAL: a bad
 * name; -ENOENT; -ENODATA: empty or no regular file; -ENOSPC; -errno: the partial is still there. */
WARN_UNUSED int cache_publish(struct cache *c, const char *key, const char *name,
                              const struct cache_meta *meta, const struct cache_use *use,
                              int64_t now_ns);

/* ---- keeping ----------------------------------------------------------------------------------------------- */

/* It was played. In memory. */
void cache_touch(struct cache *c, const char *key, int64_t now_ns);
/* What was measured later: loudness and ends of `meta` replace those of the entry. */
WARN_UNUSED int cache_set_sound(struct cache *c, const char *key, const struct cache_meta *meta);

/* On disk when it returns 0. A key that is not here yet is pinned when it comes; dropping does not unpin. */
WARN_UNUSED int cache_pin(struct cache *c, const char *key, const char *reason);
WARN_UNUSED int cache_unpin(struct cache *c, const char *key); /* -ENOENT: it was not */

WARN_UNUSED int cache_drop(struct cache *c, const char *key); /* -ENOENT */
/* Lets entries go until at most `bytes` are taken. -ENOSPC: pinned and used ones take more; the rest is gone. */
WARN_UNUSED int cache_prune(struct cache *c, uint64_t bytes, const struct cache_use *use);
/* The size, or with `is_deep` every byte. 0; -ENOENT; -EBADMSG: damaged, said, and dropped unless it is in use. */
WARN_UNUSED int cache_verify(struct cache *c, const char *key, bool is_deep,
                             const struct cache_use *use);

/* ---- what is not to be asked for ---------------------------------------------------------------------------- */

/* Saved at once; a failure to save is logged. */
void cache_refuse(struct cache *c, const char *key, const char *class, int64_t for_s,
                  int64_t now_ns);
/* false: it may be asked for. *class lives until the next change. In memory. */
bool cache_is_refused(const struct cache *c, const char *key, int64_t now_ns, const char **class,
                      int64_t *left_s);
void cache_forgive(struct cache *c, const char *key); /* NULL: all */
