#include "source/folders.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/compiler.h"

#define DEPTH_MAX 32 /* of folders in a folder; what made more is not ours */

int folder_sync(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    /* Some file systems cannot sync a folder and say EINVAL: nothing more can be done there. */
    int ret = fsync(fd) < 0 && errno != EINVAL ? -errno : 0;
    close(fd);
    return ret;
}

/* Calls `fn` for every file at and below `path`, folders last. */
static int walk(const char *path, int depth, int (*fn)(const char *, const struct stat *, void *),
                void *ctx)
{
    struct stat st;
    if (lstat(path, &st) < 0)
        return errno == ENOENT ? 0 : -errno;
    int ret = 0;
    DIR *dir = S_ISDIR(st.st_mode) && depth < DEPTH_MAX ? opendir(path) : NULL;
    for (struct dirent *d; dir && ret == 0 && (d = readdir(dir));) {
        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
            continue;
        char *below = xasprintf("%s/%s", path, d->d_name);
        ret = walk(below, depth + 1, fn, ctx);
        free(below);
    }
    if (dir)
        closedir(dir);
    return ret < 0 ? ret : fn(path, &st, ctx);
}

static int remove_one(const char *path, const struct stat *st, void *ctx)
{
    return remove(path) < 0 && errno != ENOENT ? -errno : 0;
}

int folder_remove(const char *path)
{
    return walk(path, 0, remove_one, NULL);
}

struct sum {
    uint64_t bytes;
    int64_t newest_ms;
};

static int add_one(const char *path, const struct stat *st, void *ctx)
{
    struct sum *sum = ctx;
    int64_t ms = (int64_t)st->st_mtim.tv_sec * 1000 + st->st_mtim.tv_nsec / NS_PER_MS;
    if (S_ISREG(st->st_mode))
        sum->bytes += (uint64_t)st->st_blocks * 512;
    sum->newest_ms = max_i64(sum->newest_ms, ms);
    return 0;
}

uint64_t folder_bytes(const char *path, int64_t *newest_ms)
{
    struct sum sum = { .newest_ms = 0 };
    (void)walk(path, 0, add_one, &sum);
    if (newest_ms)
        *newest_ms = sum.newest_ms;
    return sum.bytes;
}
