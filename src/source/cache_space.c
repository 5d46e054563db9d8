/* How much the cache may take, and what goes when it is too much. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "source/cache_internal.h"

#define AFTER_PERCENT 95 /* in one go down to there, so that the next fetch finds room */

struct load {
    uint64_t media, pinned, partial; /* bytes on disk */
    uint64_t reserved;               /* of partials being fetched, beyond what they have */
};

static struct load measure(const struct cache *c)
{
    struct load l = { .media = 0 };
    for (size_t i = 0; i < c->count; i++) {
        l.media += c->item[i].bytes;
        l.pinned += c->item[i].is_pinned ? c->item[i].bytes : 0;
    }
    for (size_t i = 0; i < c->partial_count; i++) {
        const struct partial *p = &c->partial[i];
        char *path = partial_path(c, p->key);
        uint64_t bytes = folder_bytes(path, NULL);
        l.partial += bytes;
        l.reserved += p->is_active && p->reserved > bytes ? p->reserved - bytes : 0;
        free(path);
    }
    return l;
}

static int budget_of(struct cache *c, const struct load *l, struct cache_space *out)
{
    uint64_t free_bytes;
    int ret = c->free_bytes(c->ctx, c->dir, &free_bytes);
    if (ret < 0)
        return ret;
    uint64_t disk = l->media + l->partial + free_bytes;
    disk = disk > c->floor_bytes ? disk - c->floor_bytes : 0;
    *out = (struct cache_space){
        .media = l->media,
        .pinned = l->pinned,
        .partial = l->partial,
        .budget = c->max_bytes && c->max_bytes < disk ? c->max_bytes : disk,
        .free = free_bytes,
    };
    return 0;
}

int cache_space(struct cache *c, struct cache_space *out)
{
    struct load l = measure(c);
    return budget_of(c, &l, out);
}

/* ---- what goes ---------------------------------------------------------------------------------- */

/* Something that may go, in the order in which it does. */
struct candidate {
    char key[CACHE_KEY_MAX + 1];
    bool is_partial;
    uint64_t bytes;
    double worth; /* at no special time: it fades for all alike */
};

static int by_worth(const void *x, const void *y)
{
    const struct candidate *a = x, *b = y;
    if (a->is_partial != b->is_partial)
        return a->is_partial ? -1 : 1;
    if (a->worth < b->worth || a->worth > b->worth)
        return a->worth < b->worth ? -1 : 1;
    if (a->bytes != b->bytes)
        return a->bytes > b->bytes ? -1 : 1;
    return strcmp(a->key, b->key);
}

/* Partials nobody fetches, then entries by plays and last use, the larger of two alike first. */
static struct candidate *candidates(struct cache *c, const struct cache_use *use, size_t *count)
{
    struct candidate *at = xcalloc(c->count + c->partial_count + 1, sizeof(*at));
    *count = 0;
    for (size_t i = 0; i < c->partial_count; i++) {
        const struct partial *p = &c->partial[i];
        if (p->is_active || use_has(use, p->key))
            continue;
        char *path = partial_path(c, p->key);
        at[*count] = (struct candidate){ .is_partial = true, .bytes = folder_bytes(path, NULL) };
        memcpy(at[(*count)++].key, p->key, sizeof(p->key));
        free(path);
    }
    for (size_t i = 0; i < c->count; i++) {
        const struct item *it = &c->item[i];
        if (it->is_pinned || use_has(use, it->key))
            continue;
        at[*count] =
            (struct candidate){ .bytes = it->bytes,
                                .worth = log2(it->worth) + (double)it->used_s / HALF_LIFE_S };
        memcpy(at[(*count)++].key, it->key, sizeof(it->key));
    }
    qsort(at, *count, sizeof(*at), by_worth);
    return at;
}

static int let_go(struct cache *c, const struct candidate *one)
{
    if (one->is_partial) {
        cache_abandon(c, one->key);
        return 0;
    }
    log_debug(cache_log(c), "%s makes room", one->key);
    return cache_drop(c, one->key);
}

/* Lets go at least `must`, which is not begun when it cannot be reached, and up to `want` bytes. */
static int evict(struct cache *c, uint64_t must, uint64_t want, const struct cache_use *use)
{
    size_t count;
    struct candidate *at = candidates(c, use, &count);
    uint64_t sum = 0, gone = 0;
    int ret = 0;
    for (size_t i = 0; i < count; i++)
        sum += at[i].bytes;
    for (size_t i = 0; sum >= must && i < count && gone < want; i++) {
        int error = let_go(c, &at[i]);
        gone += error == 0 ? at[i].bytes : 0;
        ret = error < 0 ? error : ret;
    }
    free(at);
    return gone >= must ? 0 : ret < 0 ? ret : -ENOSPC;
}

int space_make(struct cache *c, uint64_t bytes, const struct cache_use *use)
{
    struct cache_space s;
    struct load l = measure(c);
    int ret = budget_of(c, &l, &s);
    if (ret < 0)
        return ret;
    uint64_t load = l.media + l.partial + l.reserved;
    if (bytes > s.budget)
        return -ENOSPC;
    if (load + bytes <= s.budget)
        return 0;
    uint64_t target = s.budget / 100 * AFTER_PERCENT;
    uint64_t want = load + bytes > target ? load + bytes - target : 0;
    return evict(c, load + bytes - s.budget, want, use);
}

int cache_make_room(struct cache *c, uint64_t bytes, const struct cache_use *use)
{
    uint64_t must = bytes ? bytes : 1;
    return evict(c, must, must, use);
}

int cache_prune(struct cache *c, uint64_t bytes, const struct cache_use *use)
{
    struct load l = measure(c);
    uint64_t load = l.media + l.partial;
    if (load <= bytes)
        return 0;
    int ret = evict(c, 0, load - bytes, use);
    l = measure(c);
    return ret < 0 ? ret : l.media + l.partial <= bytes ? 0 : -ENOSPC;
}
