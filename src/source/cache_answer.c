#include "source/cache_answer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/now.h"

static struct message *PRINTF_LIKE(2, 3) refusal(const char *code, const char *fmt, ...)
{
    char sentence[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(sentence, sizeof(sentence), fmt, args);
    va_end(args);
    struct message *m = message_create();
    message_set_bool(m, "ok", false);
    message_set_str(m, "error", sentence);
    message_set_str(m, "code", code);
    return m;
}

static struct message *failure(int error)
{
    if (error == -ENOSPC)
        return refusal("failed", "The disk of the cache is full, and nothing there may go.");
    return refusal("failed", "The cache cannot do that: %s.", strerror(-error));
}

static struct message *ok(void)
{
    struct message *m = message_create();
    message_set_bool(m, "ok", true);
    return m;
}

/* ---- list ----------------------------------------------------------------------------------------- */

static struct message *entry(const struct cache_item *item, const struct cache_meta *meta)
{
    struct message *m = message_create();
    message_set_str(m, "key", item->key);
    message_set_str(m, "id", meta->id);
    message_set_str(m, "title", meta->title);
    message_set_str(m, "artist", meta->artist);
    message_set_f64(m, "duration_s", meta->duration_s);
    message_set_i64(m, "bytes", (int64_t)item->bytes);
    message_set_i64(m, "plays", item->plays);
    message_set_str(m, "pin", item->pin);
    message_set_bool(m, "is_here", item->bytes > 0);
    return m;
}

static void append_entries(struct cache *c, struct message *m)
{
    message_set_array(m, "entries");
    for (size_t i = 0; i < cache_count(c);) {
        struct cache_item item = cache_item_at(c, i);
        struct cache_found found;
        int ret = cache_find(c, item.key, &found);
        if (ret != -ENOENT) { /* else it is gone, and another one stands there */
            message_append_object(m, "entries", entry(&item, &found.meta));
            i++;
        }
        cache_found_finish(&found);
    }
    for (size_t i = 0; i < cache_pin_count(c); i++) {
        struct cache_item item = cache_pin_at(c, i);
        if (!cache_has(c, item.key))
            message_append_object(m, "entries", entry(&item, &(struct cache_meta){ .bytes = 0 }));
    }
}

static struct message *list(struct cache *c)
{
    struct cache_space s;
    struct message *m = ok();
    append_entries(c, m);
    int ret = cache_space(c, &s);
    if (ret < 0) {
        message_destroy(m);
        return failure(ret);
    }
    message_set_i64(m, "media", (int64_t)s.media);
    message_set_i64(m, "pinned", (int64_t)s.pinned);
    message_set_i64(m, "partial", (int64_t)s.partial);
    message_set_i64(m, "budget", (int64_t)s.budget);
    message_set_i64(m, "free", (int64_t)s.free);
    message_set_str(m, "dir", cache_dir(c));
    return m;
}

/* ---- pins ----------------------------------------------------------------------------------------- */

static struct message *pin(struct cache *c, const char *id, bool pins)
{
    char key[CACHE_KEY_MAX + 1];
    if (!id || !*id)
        return refusal("usage", "\"id\" must name an entry of the cache.");
    bool is_known = cache_key_of(c, id, key);
    if (!is_known && !pins && cache_key_is_valid(id)) { /* pinned, and not here */
        snprintf(key, sizeof(key), "%s", id);
        is_known = true;
    }
    int ret = !is_known ? -ENOENT : pins ? cache_pin(c, key, "staff") : cache_unpin(c, key);
    if (ret == -ENOENT && pins)
        return refusal("not-found", "There is no \"%.80s\" in the cache.", id);
    if (ret == -ENOENT)
        return refusal("not-found", "\"%.80s\" is not pinned.", id);
    if (ret < 0)
        return failure(ret);
    struct message *m = ok();
    message_set_str(m, "key", key);
    return m;
}

/* ---- verify ---------------------------------------------------------------------------------------- */

static void append_damaged(struct message *m, const char *key, bool is_dropped)
{
    struct message *one = message_create();
    message_set_str(one, "key", key);
    message_set_bool(one, "is_dropped", is_dropped);
    message_append_object(m, "damaged", one);
}

static struct message *verify(struct cache *c, const struct message *request,
                              const struct cache_use *use, int64_t slice_ns)
{
    bool is_deep = message_bool(request, "deep", false);
    const char *after = message_str(request, "after", "");
    int64_t until_ns = now_mono_ns() + slice_ns, checked = 0;
    char key[CACHE_KEY_MAX + 1] = "";
    size_t i = 0;
    struct message *m = ok();
    message_set_array(m, "damaged");
    while (i < cache_count(c) && strcmp(cache_item_at(c, i).key, after) <= 0)
        i++;
    do {
        if (i == cache_count(c))
            break;
        snprintf(key, sizeof(key), "%s", cache_item_at(c, i).key);
        int ret = cache_verify(c, key, is_deep, use);
        checked++;
        if (ret == -EBADMSG) {
            append_damaged(m, key, !cache_has(c, key));
        } else if (ret < 0) {
            message_destroy(m);
            return failure(ret);
        }
        i += cache_has(c, key);
    } while (now_mono_ns() < until_ns);
    message_set_i64(m, "checked", checked);
    message_set_str(m, "next", i < cache_count(c) ? key : NULL);
    return m;
}

/* ---- prune ----------------------------------------------------------------------------------------- */

static struct message *prune(struct cache *c, const struct message *request,
                             const struct cache_use *use)
{
    struct cache_space before, after;
    size_t count = cache_count(c);
    int64_t wanted = message_i64(request, "bytes", -1);
    if (message_has(request, "bytes") && wanted < 0)
        return refusal("usage", "\"bytes\" must be a whole number, 0 or more.");
    int ret = cache_space(c, &before);
    if (ret < 0)
        return failure(ret);
    int pruned = cache_prune(c, wanted < 0 ? before.budget : (uint64_t)wanted, use);
    ret = pruned == -ENOSPC ? cache_space(c, &after) : pruned < 0 ? pruned : cache_space(c, &after);
    if (ret < 0)
        return failure(ret);
    struct message *m = ok();
    message_set_i64(m, "removed", (int64_t)(count - cache_count(c)));
    message_set_i64(m, "freed",
                    (int64_t)(before.media + before.partial - after.media - after.partial));
    message_set_i64(m, "media", (int64_t)after.media);
    message_set_bool(m, "is_enough", pruned == 0);
    return m;
}

struct message *cache_answer(struct cache *c, const struct message *request,
                             const struct cache_use *use, int64_t slice_ns)
{
    const char *what = message_str(request, "do", "");
    if (strcmp(what, "list") == 0)
        return list(c);
    if (strcmp(what, "pin") == 0 || strcmp(what, "unpin") == 0)
        return pin(c, message_str(request, "id", NULL), *what == 'p');
    if (strcmp(what, "verify") == 0)
        return verify(c, request, use, slice_ns);
    if (strcmp(what, "prune") == 0)
        return prune(c, request, use);
    return refusal("usage",
                   "\"do\" must be \"list\", \"pin\", \"unpin\", \"verify\" or \"prune\".");
}
