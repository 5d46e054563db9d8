/* The cache's birth: whose the folder is, what of it counts; and its small files. */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"
#include "source/cache_internal.h"
#include "wire/message.h"

#define FLUSH_NS  SECONDS(600)
#define INDEX_MAX ((size_t)64 * 1024 * 1024)
#define PINS_MAX  ((size_t)4 * 1024 * 1024)

static const char tag[] = "Signature: 8a477f597d28d172789f06886806bc55\n"
                          "# Fetched media of djamms; see https://bford.info/cachedir/\n";

static int statvfs_bytes(void *ctx, const char *dir, uint64_t *out)
{
    struct statvfs fs;
    if (statvfs(dir, &fs) < 0)
        return -errno;
    *out = (uint64_t)fs.f_bavail * fs.f_frsize;
    return 0;
}

/* ---- whose it is ---------------------------------------------------------------------------------- */

static bool has(const struct cache *c, const char *name)
{
    char *path = file_path(c, name);
    bool is_there = access(path, F_OK) == 0;
    free(path);
    return is_there;
}

/* A folder named by mistake, a home or a collection of videos, is left alone. */
static int claim(struct cache *c)
{
    int ret = dir_make(c->dir);
    if (ret < 0)
        return ret;
    if (!has(c, "CACHEDIR.TAG")) {
        if (has(c, "media") || has(c, "partial"))
            return -ENOTEMPTY;
        char *path = file_path(c, "CACHEDIR.TAG");
        ret = file_replace(path, tag, sizeof(tag) - 1);
        free(path);
        if (ret < 0)
            return ret;
    }
    char *path = file_path(c, "lock");
    c->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ret = c->lock_fd < 0 || flock(c->lock_fd, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
    free(path);
    return ret;
}

static int make_folders(const struct cache *c)
{
    char *media = file_path(c, "media"), *partial = file_path(c, "partial");
    int ret = dir_make(media);
    if (ret == 0)
        ret = dir_make(partial);
    free(media);
    free(partial);
    return ret;
}

/* ---- what is there -------------------------------------------------------------------------------- */

static struct item *append_item(struct cache *c, const char *key)
{
    if (c->count == c->cap) {
        c->cap = c->cap ? 2 * c->cap : 64;
        c->item = xrealloc(c->item, c->cap * sizeof(*c->item));
    }
    struct item *i = &c->item[c->count++];
    *i = (struct item){ .worth = 1 };
    memcpy(i->key, key, strlen(key) + 1);
    return i;
}

/* One folder of `media/HH`: an entry, or the rest of one that was being dropped. */
static void scan_one(struct cache *c, const char *bucket, const char *key)
{
    char *folder = xasprintf("%s/%s", bucket, key), *own = media_path(c, key);
    char *meta = xasprintf("%s/" META_NAME, folder);
    uint64_t stamp = strcmp(folder, own) == 0 ? stamp_of(meta) : 0;
    if (stamp)
        append_item(c, key)->stamp = stamp;
    else
        (void)!folder_remove(folder);
    free(meta);
    free(own);
    free(folder);
}

static int scan_bucket(struct cache *c, const char *path)
{
    DIR *dir = opendir(path);
    if (!dir)
        return errno == ENOENT ? 0 : -errno;
    errno = 0;
    for (struct dirent *d; (d = readdir(dir)); errno = 0)
        if (cache_key_is_valid(d->d_name))
            scan_one(c, path, d->d_name);
    int ret = -errno;
    closedir(dir);
    return ret;
}

static int scan_media(struct cache *c)
{
    int ret = 0;
    for (unsigned hash = 0; hash < 256 && ret == 0; hash++) {
        char *path = xasprintf("%s/media/%02x", c->dir, hash);
        ret = scan_bucket(c, path);
        free(path);
    }
    return ret;
}

static void scan_partial_one(struct cache *c, const char *key, int64_t wall_ms)
{
    int64_t newest_ms;
    char *path = partial_path(c, key), *meta = xasprintf("%s/" META_NAME, path);
    (void)folder_bytes(path, &newest_ms);
    /* With a meta.json: it was about to be published. Anybody could have put that there, so it is fetched again. A
     * clock that was wrong makes a partial old, or never old. */
    if (!cache_key_is_valid(key) || access(meta, F_OK) == 0 ||
        (newest_ms < wall_ms && wall_ms - newest_ms > PARTIAL_AGE_MS)) {
        (void)!folder_remove(path);
    } else {
        if (c->partial_count == c->partial_cap) {
            c->partial_cap = c->partial_cap ? 2 * c->partial_cap : 16;
            c->partial = xrealloc(c->partial, c->partial_cap * sizeof(*c->partial));
        }
        struct partial *p = &c->partial[c->partial_count++];
        *p = (struct partial){ .reserved = 0 };
        memcpy(p->key, key, strlen(key) + 1);
    }
    free(meta);
    free(path);
}

static int scan_partials(struct cache *c, int64_t wall_ms)
{
    char *path = file_path(c, "partial");
    DIR *dir = opendir(path);
    int ret = dir ? 0 : -errno;
    for (struct dirent *d; dir && (d = readdir(dir));)
        if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
            scan_partial_one(c, d->d_name, wall_ms);
    if (dir)
        closedir(dir);
    free(path);
    return ret;
}

/* ---- the index ------------------------------------------------------------------------------------ */

static void take_index_line(struct cache *c, const struct message *line)
{
    const char *key = message_str(line, "key", "");
    struct item *i = item_find(c, key);
    double worth = message_f64(line, "worth", 1);
    if (!i)
        return;
    i->plays = (uint32_t)clamp_i64(message_i64(line, "plays", 0), 0, UINT32_MAX);
    i->worth = isfinite(worth) && worth > 0 ? worth : 1;
    i->used_s = max_i64(0, message_i64(line, "used_s", 0));
    if ((uint64_t)message_i64(line, "stamp", 0) == i->stamp)
        i->bytes = (uint64_t)max_i64(0, message_i64(line, "bytes", 0));
}

static void read_index(struct cache *c)
{
    char *path = file_path(c, "index.json"), *text;
    size_t len;
    if (file_read(path, INDEX_MAX, &text, &len) == 0) {
        struct message *m = message_parse(text, len, NULL, 0);
        for (size_t i = 0; m && i < message_count(m, "entries"); i++) {
            const struct message *line = message_object_at(m, "entries", i);
            if (line)
                take_index_line(c, line);
        }
        if (m)
            c->opened_s = max_i64(c->opened_s, message_i64(m, "running_s", 0));
        message_destroy(m);
        free(text);
    }
    free(path);
}

/* What the index does not know tells its size itself; false: it is no entry. */
static bool learn_size(struct cache *c, struct item *i)
{
    char *folder = media_path(c, i->key), *meta = xasprintf("%s/" META_NAME, folder), *text = NULL;
    struct cache_meta m = { .bytes = 0 };
    size_t len;
    int ret = file_read(meta, CACHE_META_MAX, &text, &len);
    if (ret == 0)
        ret = cache_meta_parse(&m, i->key, text, len);
    i->bytes = m.bytes + m.text_bytes;
    c->is_dirty = true;
    cache_meta_finish(&m);
    free(text);
    free(meta);
    free(folder);
    return ret != -EBADMSG && ret != -EFBIG;
}

static void learn_sizes(struct cache *c)
{
    for (size_t i = c->count; i-- > 0;) {
        if (c->item[i].bytes || learn_size(c, &c->item[i]))
            continue;
        log_warn(cache_log(c), "%s is damaged on disk: dropped", c->item[i].key);
        (void)!item_drop(c, &c->item[i]);
    }
}

int index_save(struct cache *c, int64_t now_ns)
{
    struct message *m = message_create();
    message_set_i64(m, "schema", 1);
    message_set_i64(m, "running_s", cache_running_s(c, now_ns));
    message_set_array(m, "entries");
    for (size_t i = 0; i < c->count; i++) {
        const struct item *item = &c->item[i];
        struct message *line = message_create();
        message_set_str(line, "key", item->key);
        message_set_i64(line, "bytes", (int64_t)item->bytes);
        message_set_i64(line, "stamp", (int64_t)item->stamp);
        message_set_i64(line, "plays", item->plays);
        message_set_f64(line, "worth", item->worth);
        message_set_i64(line, "used_s", item->used_s);
        message_append_object(m, "entries", line);
    }
    char *text = message_text(m, false), *path = file_path(c, "index.json");
    int ret = file_replace(path, text, strlen(text));
    free(path);
    free(text);
    message_destroy(m);
    return ret;
}

int cache_flush(struct cache *c, bool now, int64_t now_ns)
{
    if (!now && now_ns - c->flushed_ns < FLUSH_NS)
        return 0;
    c->flushed_ns = now_ns;
    /* The running time goes on whether anything was played or not. */
    int ret = index_save(c, now_ns);
    if (ret == 0)
        c->is_dirty = false;
    if (c->negative.is_dirty) {
        char *path = file_path(c, "negative.json");
        int other = negative_save(&c->negative, path, cache_running_s(c, now_ns));
        ret = ret < 0 ? ret : other;
        free(path);
    }
    return ret;
}

/* ---- pins ----------------------------------------------------------------------------------------- */

struct pin *pin_find(const struct cache *c, const char *key)
{
    for (size_t i = 0; i < c->pin_count; i++)
        if (strcmp(c->pin[i].key, key) == 0)
            return &c->pin[i];
    return NULL;
}

static struct pin *pin_add(struct cache *c, const char *key, const char *reason)
{
    struct pin *p = pin_find(c, key);
    if (!p) {
        if (c->pin_count == c->pin_cap) {
            c->pin_cap = c->pin_cap ? 2 * c->pin_cap : 16;
            c->pin = xrealloc(c->pin, c->pin_cap * sizeof(*c->pin));
        }
        p = &c->pin[c->pin_count++];
        memcpy(p->key, key, strlen(key) + 1);
    }
    text_clean(p->reason, sizeof(p->reason), reason);
    return p;
}

/* -ENOENT: there are none. What is there and cannot be read is told: a pin that is forgotten is a song that goes. */
static int read_pins(struct cache *c)
{
    char *path = file_path(c, "pins.json"), *text;
    size_t len;
    int ret = file_read(path, PINS_MAX, &text, &len);
    if (ret == 0) {
        struct message *m = message_parse(text, len, NULL, 0);
        ret = m ? 0 : -EBADMSG;
        for (size_t i = 0; m && i < message_count(m, "pins"); i++) {
            const struct message *one = message_object_at(m, "pins", i);
            const char *key = one ? message_str(one, "key", "") : "";
            if (cache_key_is_valid(key))
                pin_add(c, key, message_str(one, "reason", ""));
        }
        message_destroy(m);
        free(text);
    }
    if (ret < 0 && ret != -ENOENT)
        log_err(cache_log(c), "%s: %s; what was pinned is not known", path, strerror(-ret));
    free(path);
    for (size_t i = 0; i < c->pin_count; i++) {
        struct item *item = item_find(c, c->pin[i].key);
        if (item)
            item->is_pinned = true;
    }
    return ret == -ENOENT || ret == -EBADMSG ? 0 : ret;
}

int pins_save(struct cache *c)
{
    struct message *m = message_create();
    message_set_i64(m, "schema", 1);
    message_set_array(m, "pins");
    for (size_t i = 0; i < c->pin_count; i++) {
        struct message *one = message_create();
        message_set_str(one, "key", c->pin[i].key);
        message_set_str(one, "reason", c->pin[i].reason);
        message_append_object(m, "pins", one);
    }
    char *text = message_text(m, false), *path = file_path(c, "pins.json");
    int ret = file_replace(path, text, strlen(text));
    free(path);
    free(text);
    message_destroy(m);
    return ret;
}

int cache_pin(struct cache *c, const char *key, const char *reason)
{
    if (!cache_key_is_valid(key))
        return -EINVAL;
    struct pin *old = pin_find(c, key), before = old ? *old : (struct pin){ .key = "" };
    pin_add(c, key, reason);
    int ret = pins_save(c);
    if (ret < 0 && old)
        *pin_find(c, key) = before;
    else if (ret < 0)
        c->pin_count--;
    struct item *i = item_find(c, key);
    if (i && ret == 0)
        i->is_pinned = true;
    return ret;
}

int cache_unpin(struct cache *c, const char *key)
{
    struct pin *p = pin_find(c, key);
    if (!p)
        return -ENOENT;
    struct pin before = *p;
    memmove(p, p + 1, (size_t)(c->pin + --c->pin_count - p) * sizeof(*p));
    int ret = pins_save(c);
    if (ret < 0)
        c->pin[c->pin_count++] = before;
    struct item *i = item_find(c, key);
    if (i && ret == 0)
        i->is_pinned = false;
    return ret;
}

size_t cache_pin_count(const struct cache *c)
{
    return c->pin_count;
}

struct cache_item cache_pin_at(const struct cache *c, size_t i)
{
    const struct item *item = item_find(c, c->pin[i].key);
    return (struct cache_item){ .key = c->pin[i].key,
                                .bytes = item ? item->bytes : 0,
                                .plays = item ? item->plays : 0,
                                .pin = c->pin[i].reason };
}

/* ---- birth and end -------------------------------------------------------------------------------- */

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct item *)a)->key, ((const struct item *)b)->key);
}

static int read_all(struct cache *c, int64_t wall_ms)
{
    int ret = make_folders(c);
    if (ret == 0)
        ret = scan_media(c);
    if (ret == 0)
        ret = scan_partials(c, wall_ms);
    if (ret < 0)
        return ret;
    if (c->count)
        qsort(c->item, c->count, sizeof(*c->item), by_key);
    char *negative = file_path(c, "negative.json");
    c->opened_s = negative_load(&c->negative, negative, cache_key_is_valid);
    free(negative);
    read_index(c);
    ret = read_pins(c);
    learn_sizes(c);
    return ret;
}

static void destroy(struct cache *c)
{
    if (c->lock_fd >= 0)
        close(c->lock_fd);
    negative_finish(&c->negative);
    free(c->item);
    free(c->partial);
    free(c->pin);
    free(c->dir);
    free(c);
}

int cache_open(struct cache **out, const struct cache_params *p)
{
    struct cache *c = xcalloc(1, sizeof(*c));
    *out = NULL;
    c->has_log = p->log != NULL;
    if (p->log)
        c->log = log_child(p->log, "cache");
    c->dir = xstrdup(p->dir);
    c->lock_fd = -1;
    c->max_bytes = p->max_bytes;
    c->floor_bytes = p->floor_bytes;
    c->free_bytes = p->free_bytes ? p->free_bytes : statvfs_bytes;
    c->ctx = p->ctx;
    c->opened_ns = c->flushed_ns = p->now_ns;
    int ret = claim(c);
    if (ret == 0)
        ret = read_all(c, p->wall_ms);
    if (ret < 0) {
        destroy(c);
        return ret;
    }
    *out = c;
    return 0;
}

void cache_close(struct cache *c, int64_t now_ns)
{
    if (!c)
        return;
    int ret = cache_flush(c, true, now_ns);
    if (ret < 0)
        log_warn(cache_log(c), "plays could not be saved in %s: %s", c->dir, strerror(-ret));
    destroy(c);
}
