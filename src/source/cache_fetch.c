/* From a partial folder to an entry. */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "source/cache_internal.h"
#include "source/cache_text.h"

enum { TEXTS_MAX = 8 }; /* subtitles that are kept with a song */

#define SMALL_BYTES ((uint64_t)1024 * 1024) /* of room for the little that publishing writes */

/* ---- partials ------------------------------------------------------------------------------------- */

static struct partial *partial_add(struct cache *c, const char *key)
{
    struct partial *p = partial_find(c, key);
    if (p)
        return p;
    if (c->partial_count == c->partial_cap) {
        c->partial_cap = c->partial_cap ? 2 * c->partial_cap : 16;
        c->partial = xrealloc(c->partial, c->partial_cap * sizeof(*c->partial));
    }
    p = &c->partial[c->partial_count++];
    *p = (struct partial){ .reserved = 0 };
    memcpy(p->key, key, strlen(key) + 1);
    return p;
}

int cache_begin(struct cache *c, const char *key, uint64_t bytes, const struct cache_use *use,
                char **folder)
{
    *folder = NULL;
    if (!cache_key_is_valid(key))
        return -EINVAL;
    char *path = partial_path(c, key);
    struct partial *p = partial_find(c, key);
    uint64_t has = folder_bytes(path, NULL);
    /* While room is made it counts with what it has, and is none of those that go. */
    struct partial before = p ? *p : (struct partial){ .reserved = 0 };
    p = partial_add(c, key);
    p->is_active = true;
    p->reserved = 0;
    int ret = space_make(c, bytes > has ? bytes - has : 0, use);
    int made = ret == 0 ? dir_make(path) : 0;
    if (made == -ENOSPC) { /* not even a folder, whatever the budget says */
        made = cache_make_room(c, bytes > has ? bytes - has : SMALL_BYTES, use);
        made = made == 0 ? dir_make(path) : made;
    }
    ret = ret < 0 ? ret : made;
    p = partial_find(c, key); /* others may have gone */
    if (ret == 0) {
        p->reserved = bytes;
        *folder = path;
        return 0;
    }
    if (before.key[0])
        *p = before;
    else
        partial_forget(c, key);
    free(path);
    return ret;
}

void cache_pause(struct cache *c, const char *key)
{
    struct partial *p = partial_find(c, key);
    if (p)
        p->is_active = false;
}

void cache_abandon(struct cache *c, const char *key)
{
    if (!cache_key_is_valid(key))
        return;
    char *path = partial_path(c, key);
    int ret = folder_remove(path);
    if (ret < 0)
        log_warn(cache_log(c), "%s: %s", path, strerror(-ret));
    partial_forget(c, key);
    free(path);
}

/* ---- publishing ----------------------------------------------------------------------------------- */

/* What the file is, with its bytes on disk. */
static int seal_file(const char *path, struct cache_meta *m)
{
    struct stat before, after;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return errno == ELOOP ? -ENODATA : -errno;
    int ret = fstat(fd, &before) < 0                            ? -errno
              : !S_ISREG(before.st_mode) || before.st_size == 0 ? -ENODATA
                                                                : hash_of(fd, m->sha256);
    if (ret == 0 && fsync(fd) < 0)
        ret = -errno;
    if (ret == 0 && (fstat(fd, &after) < 0 || after.st_size != before.st_size ||
                     after.st_mtim.tv_sec != before.st_mtim.tv_sec ||
                     after.st_mtim.tv_nsec != before.st_mtim.tv_nsec))
        ret = -EBUSY; /* somebody still writes */
    m->bytes = ret == 0 ? (uint64_t)before.st_size : 0;
    close(fd);
    return ret;
}

/* Removes everything in `folder` but `name`, and subtitles of it: *text_bytes. */
static int tidy(const char *folder, const char *name, uint64_t *text_bytes)
{
    DIR *dir = opendir(folder);
    int ret = dir ? 0 : -errno, texts = 0;
    *text_bytes = 0;
    for (struct dirent *d; dir && ret == 0 && (d = readdir(dir));) {
        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0 ||
            strcmp(d->d_name, name) == 0)
            continue;
        size_t kept = texts < TEXTS_MAX ? cache_text_keep(folder, d->d_name) : 0;
        if (kept) {
            texts++;
            *text_bytes += kept;
            continue;
        }
        char *path = xasprintf("%s/%s", folder, d->d_name);
        ret = folder_remove(path);
        free(path);
    }
    if (dir)
        closedir(dir);
    return ret;
}

/* The partial folder becomes what an entry's folder holds. */
static int prepare(const char *folder, const char *key, const char *name, struct cache_meta *m)
{
    char *from = xasprintf("%s/%s", folder, name), *to = xasprintf("%s/%s", folder, m->file);
    char *meta = xasprintf("%s/" META_NAME, folder), *text = NULL;
    int ret = seal_file(from, m);
    if (ret == 0 && strcmp(from, to) != 0 && rename(from, to) < 0)
        ret = -errno;
    if (ret == 0)
        ret = tidy(folder, m->file, &m->text_bytes);
    if (ret == 0) {
        text = cache_meta_text(m, key);
        ret = strlen(text) > CACHE_META_MAX ? -EMSGSIZE : file_replace(meta, text, strlen(text));
    }
    free(text);
    free(meta);
    free(to);
    free(from);
    return ret;
}

/* `to` may be an older entry, which then lies at `from`, or nowhere when the file system cannot exchange. */
static int move_in(const char *from, const char *to)
{
    if (rename(from, to) == 0)
        return 0;
    if (errno != ENOTEMPTY && errno != EEXIST)
        return -errno;
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_EXCHANGE) == 0)
        return 0;
    char *meta = xasprintf("%s/" META_NAME, to);
    int ret = unlink(meta) < 0 && errno != ENOENT ? -errno : folder_remove(to);
    if (ret == 0 && rename(from, to) < 0)
        ret = -errno;
    free(meta);
    return ret;
}

static int install(struct cache *c, const char *key, const char *from)
{
    char *to = media_path(c, key), *media = file_path(c, "media"),
         *partial = file_path(c, "partial");
    char *bucket = xstrndup(to, (size_t)(strrchr(to, '/') - to));
    int ret = mkdir(bucket, 0700) < 0 && errno != EEXIST ? -errno : folder_sync(media);
    if (ret == 0)
        ret = move_in(from, to);
    /* It is in. If this fails, a power cut may take it out again, and what is left of it in `partial` goes. */
    int synced = ret == 0 ? folder_sync(bucket) : 0;
    synced = synced < 0 ? synced : ret == 0 ? folder_sync(partial) : 0;
    if (synced < 0)
        log_warn(cache_log(c), "%s: %s", bucket, strerror(-synced));
    free(bucket);
    free(partial);
    free(media);
    free(to);
    return ret;
}

static int publish(struct cache *c, const char *key, const char *name, struct cache_meta *m)
{
    char *folder = partial_path(c, key);
    int ret = prepare(folder, key, name, m);
    if (ret == 0)
        ret = install(c, key, folder);
    free(folder);
    return ret;
}

static void enter(struct cache *c, const char *key, const struct cache_meta *m, int64_t now_ns)
{
    struct item *i = item_add(c, key);
    char *folder = media_path(c, key), *path = xasprintf("%s/" META_NAME, folder);
    i->bytes = m->bytes + m->text_bytes;
    i->stamp = stamp_of(path);
    i->worth = 1;
    i->used_s = cache_running_s(c, now_ns);
    c->is_dirty = true;
    free(path);
    free(folder);
}

int cache_publish(struct cache *c, const char *key, const char *name, const struct cache_meta *meta,
                  const struct cache_use *use, int64_t now_ns)
{
    struct cache_meta m = *meta; /* its texts are the caller's */
    if (!cache_key_is_valid(key) || strchr(name, '/') || name[0] == '.' ||
        !cache_file_name(name, m.file))
        return -EINVAL;
    if (!partial_find(c, key))
        return -ENOENT;
    int ret = publish(c, key, name, &m);
    if (ret == -ENOSPC && cache_make_room(c, SMALL_BYTES, use) == 0) {
        /* The file may have its last name by now. */
        char *folder = partial_path(c, key), *path = xasprintf("%s/%s", folder, name);
        bool is_renamed = access(path, F_OK) < 0;
        ret = publish(c, key, is_renamed ? m.file : name, &m);
        free(path);
        free(folder);
    }
    if (ret < 0)
        return ret;
    cache_abandon(c, key); /* the older entry, if there was one */
    enter(c, key, &m, now_ns);
    return 0;
}
