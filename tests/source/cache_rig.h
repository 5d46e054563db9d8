/* A cache in a folder of its own, and files to put into it. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "source/cache.h"

#define MEGABYTE ((uint64_t)1000 * 1000)
#define WALL_MS  INT64_C(1760000000000)

struct rig {
    char dir[64]; /* of the test; the cache is below */
    struct cache *cache;
    struct cache_params params;
    char *cache_dir;
    uint64_t
        disk_bytes; /* when > 0: of a pretended disk, of which the cache's files take their share */
    int64_t now_ns;
};

static inline int rig_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

static inline int rig_add_one(const char *path, const struct stat *st, int type)
{
    static _Thread_local uint64_t sum;
    if (!path) {
        int blocks = (int)sum;
        sum = 0;
        return blocks;
    }
    sum += type == FTW_F ? (uint64_t)st->st_blocks : 0;
    return 0;
}

/* Of all files below. */
static inline uint64_t rig_bytes(const char *path)
{
    (void)rig_add_one(NULL, NULL, 0);
    ftw(path, rig_add_one, 16);
    return (uint64_t)rig_add_one(NULL, NULL, 0) * 512;
}

static inline int rig_free_bytes(void *ctx, const char *dir, uint64_t *out)
{
    const struct rig *r = ctx;
    uint64_t taken = rig_bytes(dir);
    *out = r->disk_bytes > taken ? r->disk_bytes - taken : 0;
    return 0;
}

static inline int rig_try_open(struct rig *r)
{
    r->params.dir = r->cache_dir;
    r->params.now_ns = r->now_ns;
    r->params.wall_ms = r->params.wall_ms ? r->params.wall_ms : WALL_MS;
    r->params.free_bytes = r->disk_bytes ? rig_free_bytes : NULL;
    r->params.ctx = r;
    return cache_open(&r->cache, &r->params);
}

static inline void rig_open(struct rig *r)
{
    assert_int_equal(rig_try_open(r), 0);
    assert_non_null(r->cache);
}

static inline void rig_close(struct rig *r)
{
    cache_close(r->cache, r->now_ns);
    r->cache = NULL;
}

/* The program is gone without a word: nothing is flushed. */
static inline void rig_crash(struct rig *r)
{
    char *index = xasprintf("%s/index.json", r->cache_dir), *text = NULL;
    char *negative = xasprintf("%s/negative.json", r->cache_dir), *other = NULL;
    size_t len = 0, other_len = 0;
    bool has_index = file_read(index, 1 << 26, &text, &len) == 0;
    bool has_negative = file_read(negative, 1 << 26, &other, &other_len) == 0;
    rig_close(r);
    unlink(index);
    unlink(negative);
    if (has_index)
        assert_int_equal(file_replace(index, text, len), 0);
    if (has_negative)
        assert_int_equal(file_replace(negative, other, other_len), 0);
    free(text);
    free(other);
    free(index);
    free(negative);
}

static inline int rig_setup(void **state)
{
    struct rig *r = xcalloc(1, sizeof(*r));
    const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(r->dir, sizeof(r->dir), "%s/djamms-cache-XXXXXX", base);
    if (!mkdtemp(r->dir))
        return -1;
    r->cache_dir = xasprintf("%s/cache", r->dir);
    r->now_ns = SECONDS(1000);
    *state = r;
    return 0;
}

static inline int rig_teardown(void **state)
{
    struct rig *r = *state;
    cache_close(r->cache, r->now_ns);
    nftw(r->dir, rig_remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(r->cache_dir);
    free(r);
    return 0;
}

/* A file of `bytes` that differ with `seed`. */
static inline void rig_write(const char *folder, const char *name, uint64_t bytes, unsigned seed)
{
    char *path = xasprintf("%s/%s", folder, name);
    char block[4096];
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        abort();
    for (uint64_t at = 0; at < bytes; at += sizeof(block)) {
        for (size_t i = 0; i < sizeof(block); i++)
            block[i] = (char)(seed * 31 + at / sizeof(block) + i);
        size_t part = bytes - at < sizeof(block) ? (size_t)(bytes - at) : sizeof(block);
        if (file_write_all(fd, block, part) < 0)
            abort();
    }
    close(fd);
    free(path);
}

/* A song as a fetcher leaves it: 0, or what begin or publish say. */
static inline int rig_put(struct rig *r, const char *key, uint64_t bytes, unsigned seed,
                          const struct cache_use *use)
{
    char *folder, title[80];
    int ret = cache_begin(r->cache, key, bytes, use, &folder);
    if (ret < 0)
        return ret;
    rig_write(folder, "song.mp4", bytes, seed);
    snprintf(title, sizeof(title), "Song %s", key);
    char id[80], url[] = "http://example/x", version[] = "2026.10.26";
    snprintf(id, sizeof(id), "id-%s", key);
    struct cache_meta m = {
        .id = id, .title = title, .url = url, .extractor = version, .duration_s = 200
    };
    ret = cache_publish(r->cache, key, "song.mp4", &m, use, r->now_ns);
    free(folder);
    return ret;
}
