#include "source/cache.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"
#include "source/cache_internal.h"

#define READ_SIZE ((size_t)256 * 1024)

bool cache_key_is_valid(const char *key)
{
    size_t len = strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");
    return len > 0 && len <= CACHE_KEY_MAX && !key[len];
}

const struct log *cache_log(const struct cache *c)
{
    return c->has_log ? &c->log : NULL;
}

int64_t cache_running_s(const struct cache *c, int64_t now_ns)
{
    return c->opened_s + max_i64(0, now_ns - c->opened_ns) / NS_PER_S;
}

/* ---- paths ------------------------------------------------------------------------------------- */

char *file_path(const struct cache *c, const char *name)
{
    return xasprintf("%s/%s", c->dir, name);
}

char *media_path(const struct cache *c, const char *key)
{
    unsigned hash = (unsigned)(text_hash(key, strlen(key)) & 0xff);
    return xasprintf("%s/media/%02x/%s", c->dir, hash, key);
}

char *partial_path(const struct cache *c, const char *key)
{
    return xasprintf("%s/partial/%s", c->dir, key);
}

const char *cache_dir(const struct cache *c)
{
    return c->dir;
}

bool cache_key_of_path(const struct cache *c, const char *path, char key[CACHE_KEY_MAX + 1])
{
    const char *file = strrchr(path, '/'), *begin = file;
    while (begin && begin > path && begin[-1] != '/')
        begin--;
    if (!file || (size_t)(file - begin) > CACHE_KEY_MAX)
        return false;
    memcpy(key, begin, (size_t)(file - begin));
    key[file - begin] = '\0';
    if (!cache_key_is_valid(key))
        return false;
    char *folder = media_path(c, key);
    size_t len = strlen(folder);
    bool is_there = strncmp(path, folder, len) == 0 && path + len == file;
    free(folder);
    return is_there;
}

/* ---- entries ------------------------------------------------------------------------------------ */

/* Where the key is, or would be. */
static size_t item_place(const struct cache *c, const char *key)
{
    size_t low = 0, high = c->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(c->item[middle].key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct item *item_find(const struct cache *c, const char *key)
{
    size_t i = item_place(c, key);
    return i < c->count && strcmp(c->item[i].key, key) == 0 ? &c->item[i] : NULL;
}

struct item *item_add(struct cache *c, const char *key)
{
    struct item *old = item_find(c, key);
    if (old)
        return old;
    size_t at = item_place(c, key);
    if (c->count == c->cap) {
        c->cap = c->cap ? 2 * c->cap : 64;
        c->item = xrealloc(c->item, c->cap * sizeof(*c->item));
    }
    memmove(&c->item[at + 1], &c->item[at], (c->count++ - at) * sizeof(*c->item));
    c->item[at] = (struct item){ .is_pinned = pin_find(c, key) != NULL };
    memcpy(c->item[at].key, key, strlen(key) + 1);
    return &c->item[at];
}

void item_remove(struct cache *c, struct item *i)
{
    size_t at = (size_t)(i - c->item);
    memmove(i, i + 1, (--c->count - at) * sizeof(*i));
    c->is_dirty = true;
}

struct partial *partial_find(const struct cache *c, const char *key)
{
    for (size_t i = 0; i < c->partial_count; i++)
        if (strcmp(c->partial[i].key, key) == 0)
            return &c->partial[i];
    return NULL;
}

void partial_forget(struct cache *c, const char *key)
{
    struct partial *p = partial_find(c, key);
    if (p)
        *p = c->partial[--c->partial_count];
}

/* First its meta.json: what is left when the rest fails is no entry. */
int item_drop(struct cache *c, struct item *i)
{
    char *folder = media_path(c, i->key), *meta = xasprintf("%s/" META_NAME, folder);
    int ret = unlink(meta) < 0 && errno != ENOENT ? -errno : 0;
    if (ret == 0) {
        ret = folder_remove(folder);
        item_remove(c, i);
    }
    free(meta);
    free(folder);
    return ret;
}

int cache_drop(struct cache *c, const char *key)
{
    struct item *i = item_find(c, key);
    return i ? item_drop(c, i) : -ENOENT;
}

bool cache_has(const struct cache *c, const char *key)
{
    return item_find(c, key) != NULL;
}

bool cache_is_pinned(const struct cache *c, const char *key)
{
    const struct item *i = item_find(c, key);
    return i && i->is_pinned;
}

size_t cache_count(const struct cache *c)
{
    return c->count;
}

struct cache_item cache_item_at(const struct cache *c, size_t i)
{
    const struct item *item = &c->item[i];
    const struct pin *pin = item->is_pinned ? pin_find(c, item->key) : NULL;
    return (struct cache_item){ .key = item->key,
                                .bytes = item->bytes,
                                .plays = item->plays,
                                .pin = pin ? pin->reason : NULL };
}

/* ---- reading ------------------------------------------------------------------------------------ */

void cache_found_finish(struct cache_found *f)
{
    free(f->path);
    cache_meta_finish(&f->meta);
    f->path = NULL;
}

static int read_meta(struct cache *c, const char *key, struct cache_meta *out)
{
    char *folder = media_path(c, key), *path = xasprintf("%s/" META_NAME, folder), *text;
    size_t len;
    int ret = file_read(path, CACHE_META_MAX, &text, &len);
    if (ret == 0) {
        ret = cache_meta_parse(out, key, text, len);
        free(text);
    } else {
        *out = (struct cache_meta){ .bytes = 0 };
    }
    free(path);
    free(folder);
    return ret == -ENOENT || ret == -EFBIG ? -EBADMSG : ret;
}

/* -EBADMSG: damaged. Other errors may pass. */
static int read_entry(struct cache *c, const char *key, struct cache_found *out)
{
    struct stat st;
    *out = (struct cache_found){ .path = NULL };
    int ret = read_meta(c, key, &out->meta);
    if (ret < 0)
        return ret;
    char *folder = media_path(c, key);
    out->path = xasprintf("%s/%s", folder, out->meta.file);
    free(folder);
    if (lstat(out->path, &st) < 0)
        ret = errno == ENOENT ? -EBADMSG : -errno;
    else if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != out->meta.bytes)
        ret = -EBADMSG;
    if (ret < 0)
        cache_found_finish(out);
    return ret;
}

int cache_find(struct cache *c, const char *key, struct cache_found *out)
{
    struct item *i = item_find(c, key);
    *out = (struct cache_found){ .path = NULL };
    if (!i)
        return -ENOENT;
    int ret = read_entry(c, key, out);
    out->is_pinned = i->is_pinned;
    if (ret != -EBADMSG)
        return ret;
    log_warn(cache_log(c), "%s is damaged on disk: dropped", key);
    ret = item_drop(c, i);
    return ret < 0 ? ret : -ENOENT;
}

bool cache_key_of(struct cache *c, const char *id, char key[CACHE_KEY_MAX + 1])
{
    const struct item *named = item_find(c, id);
    for (size_t i = 0; i < c->count && !named; i++) {
        struct cache_meta m;
        if (read_meta(c, c->item[i].key, &m) == 0 && m.id && strcmp(m.id, id) == 0)
            named = &c->item[i];
        cache_meta_finish(&m);
    }
    if (named)
        memcpy(key, named->key, sizeof(named->key));
    return named != NULL;
}

/* ---- checking ----------------------------------------------------------------------------------- */

int hash_of(int fd, char out[SHA256_TEXT_SIZE])
{
    char *block = xcalloc(1, READ_SIZE);
    struct sha256 hash;
    ssize_t n;
    sha256_init(&hash);
    while ((n = read(fd, block, READ_SIZE)) > 0 || (n < 0 && errno == EINTR))
        if (n > 0)
            sha256_add(&hash, block, (size_t)n);
    int ret = n < 0 ? -errno : 0;
    sha256_finish_text(&hash, out);
    free(block);
    return ret;
}

static int hash_file(const char *path, char out[SHA256_TEXT_SIZE])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    int ret = hash_of(fd, out);
    close(fd);
    return ret;
}

bool use_has(const struct cache_use *use, const char *key)
{
    for (size_t i = 0; use && i < use->count; i++)
        if (strcmp(use->key[i], key) == 0)
            return true;
    return false;
}

int cache_verify(struct cache *c, const char *key, bool is_deep, const struct cache_use *use)
{
    struct item *i = item_find(c, key);
    struct cache_found found;
    char hash[SHA256_TEXT_SIZE];
    if (!i)
        return -ENOENT;
    int ret = read_entry(c, key, &found);
    if (ret == 0 && is_deep) {
        ret = hash_file(found.path, hash);
        /* A block that the disk cannot read any more is damage, too. */
        if (ret == -EIO || (ret == 0 && strcmp(hash, found.meta.sha256) != 0))
            ret = -EBADMSG;
    }
    cache_found_finish(&found);
    if (ret != -EBADMSG)
        return ret;
    bool stays = use_has(use, key);
    log_warn(cache_log(c), "%s is damaged on disk: %s", key, stays ? "still in use" : "dropped");
    if (!stays)
        (void)!item_drop(c, i);
    return -EBADMSG;
}

/* ---- plays -------------------------------------------------------------------------------------- */

void cache_touch(struct cache *c, const char *key, int64_t now_ns)
{
    struct item *i = item_find(c, key);
    if (!i)
        return;
    int64_t now_s = cache_running_s(c, now_ns);
    i->worth = i->worth * exp2(-(double)max_i64(0, now_s - i->used_s) / HALF_LIFE_S) + 1;
    i->used_s = now_s;
    i->plays++;
    c->is_dirty = true;
}

int cache_set_sound(struct cache *c, const char *key, const struct cache_meta *meta)
{
    struct item *i = item_find(c, key);
    struct cache_meta m;
    if (!i)
        return -ENOENT;
    int ret = read_meta(c, key, &m);
    if (ret == 0) {
        m.has_loudness = meta->has_loudness;
        m.loudness_lufs = meta->loudness_lufs;
        m.peak_db = meta->peak_db;
        m.has_ends = meta->has_ends;
        m.first_sound_s = meta->first_sound_s;
        m.last_sound_s = meta->last_sound_s;
        char *folder = media_path(c, key), *path = xasprintf("%s/" META_NAME, folder);
        char *text = cache_meta_text(&m, key);
        ret = file_replace(path, text, strlen(text));
        if (ret == 0)
            i->stamp = stamp_of(path);
        c->is_dirty = true;
        free(text);
        free(path);
        free(folder);
    }
    cache_meta_finish(&m);
    return ret;
}

/* ---- refusals ----------------------------------------------------------------------------------- */

static void save_refusals(struct cache *c, int64_t now_ns)
{
    char *path = file_path(c, "negative.json");
    int ret = negative_save(&c->negative, path, cache_running_s(c, now_ns));
    if (ret < 0)
        log_warn(cache_log(c), "%s: %s", path, strerror(-ret));
    free(path);
}

void cache_refuse(struct cache *c, const char *key, const char *class, int64_t for_s,
                  int64_t now_ns)
{
    if (!cache_key_is_valid(key))
        return;
    negative_put(&c->negative, key, class, for_s, cache_running_s(c, now_ns));
    save_refusals(c, now_ns);
}

bool cache_is_refused(const struct cache *c, const char *key, int64_t now_ns, const char **class,
                      int64_t *left_s)
{
    int64_t now_s = cache_running_s(c, now_ns);
    const struct negative_entry *e = negative_find(&c->negative, key, now_s);
    if (!e)
        return false;
    *class = e->class;
    *left_s = e->until_s - now_s;
    return true;
}

void cache_forgive(struct cache *c, const char *key)
{
    negative_forget(&c->negative, key);
}
