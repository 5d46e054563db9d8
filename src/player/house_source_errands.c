/* What the supply wants of the cache is done on its disk, on a thread of the pool. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/now.h"
#include "player/house_source.h"

#define ROOM_BYTES ((uint64_t)16 * 1000 * 1000) /* more than there was: worth trying again */

/* One piece of work, with what goes in and what comes out. */
struct errand {
    struct cache_task task; /* the first: a task is its errand */
    void (*have)(struct house_source *s, struct errand *e, int error);
    uint64_t id;
    char key[CACHE_KEY_MAX + 1];
    uint64_t bytes;
    bool discards;
    char *file;
    struct cache_meta meta;
    char class[SUPPLY_CLASS_MAX];
    int64_t seconds;

    char **pin; /* keys */
    size_t pin_count;

    int result;
    char *folder;
    struct cache_found found;
    struct shelf shelf;
};

static void errand_done(struct house *h, struct cache_task *t, int error)
{
    struct errand *e = (struct errand *)t;
    if (e->have && !h->is_stopping)
        e->have(h->source, e, error);
    cache_found_finish(&e->found);
    cache_meta_finish(&e->meta);
    shelf_finish(&e->shelf);
    for (size_t i = 0; i < e->pin_count; i++)
        free(e->pin[i]);
    free(e->pin);
    free(e->file);
    free(e->folder);
    free(e);
}

typedef void errand_run(struct cache *c, const struct cache_use *use, struct cache_task *t);
typedef void errand_have(struct house_source *s, struct errand *e, int error);

static struct errand *errand(errand_run *run, errand_have *have, const char *key)
{
    struct errand *e = xcalloc(1, sizeof(*e));
    e->task.run = run;
    e->task.done = errand_done;
    e->have = have;
    snprintf(e->key, sizeof(e->key), "%s", key);
    return e;
}

static void send_errand(struct house_source *s, struct errand *e)
{
    house_cache_do(s->house, &e->task);
}

/* Of the disk, or of who has the cache: nothing of the song's. */
static void fail_of_disk(struct house_source *s, struct parcel *p, int error)
{
    log_warn(&s->log, "%s: the cache: %s", p->key, strerror(-error));
    source_failed(s, p, FAILURE_DISK, 0);
}

static void put_on_shelf(struct house_source *s, const char *key, const struct cache_found *f)
{
    shelf_put(&s->shelf, &(struct shelf_song){ (char *)key, f->path, f->meta.title, f->meta.artist,
                                               f->meta.duration_s, f->is_pinned });
}

static void run_look(struct cache *c, const struct cache_use *use, struct cache_task *t)
{
    struct errand *e = (struct errand *)t;
    const char *class;
    e->result = cache_find(c, e->key, &e->found);
    if (e->result < 0 && cache_is_refused(c, e->key, now_mono_ns(), &class, &e->seconds)) {
        snprintf(e->class, sizeof(e->class), "%s", class);
        e->result = -EPERM;
    }
}

/* It was fetched for another board, and is more than this one is to play: it does until a smaller one is here. What this
 * board fetched itself was the smallest there was. */
static bool is_too_much(const struct house_source *s, const struct parcel *p,
                        const struct cache_meta *m)
{
    return p && p->may_fetch && !profile_fits(s->profile, m->height) &&
           (!m->profile || strcmp(m->profile, s->profile->name) != 0);
}

static void have_looked(struct house_source *s, struct errand *e, int error)
{
    struct parcel *p = source_find_action(s, e->id);
    struct supply_result r = { .outcome = SUPPLY_ABSENT };
    if (error == 0 && e->result == 0) {
        put_on_shelf(s, e->key, &e->found);
        r.outcome = is_too_much(s, p, &e->found.meta) ? SUPPLY_ABSENT : SUPPLY_OK;
    } else if (error == 0 && e->result == -EPERM) {
        r.outcome = SUPPLY_REFUSED;
        memcpy(r.failure.class, e->class, sizeof(r.failure.class));
        r.failure.refused_s = e->seconds;
    }
    if (p)
        source_done(s, p, &r);
}

void errand_look(struct house_source *s, struct parcel *p)
{
    struct errand *e = errand(run_look, have_looked, p->key);
    e->id = p->id;
    send_errand(s, e);
}

static void run_begin(struct cache *c, const struct cache_use *use, struct cache_task *t)
{
    struct errand *e = (struct errand *)t;
    if (e->discards)
        cache_abandon(c, e->key);
    e->result = cache_begin(c, e->key, e->bytes, use, &e->folder);
}

static void have_begun(struct house_source *s, struct errand *e, int error)
{
    struct parcel *p = source_find_action(s, e->id);
    if (!p)
        return;
    if (error < 0 || e->result < 0) {
        fail_of_disk(s, p, error < 0 ? error : e->result);
        return;
    }
    free(p->folder);
    p->folder = e->folder;
    e->folder = NULL;
    p->needs = NEEDS_LANE;
    source_pump(s);
}

void errand_begin(struct house_source *s, struct parcel *p)
{
    struct errand *e = errand(run_begin, have_begun, p->key);
    e->task.lets_go = true;
    e->id = p->id;
    e->bytes = p->bytes;
    e->discards = p->discards;
    send_errand(s, e);
}

static void run_pause(struct cache *c, const struct cache_use *use, struct cache_task *t)
{
    cache_pause(c, ((struct errand *)t)->key);
}

void errand_pause(struct house_source *s, const char *key)
{
    send_errand(s, errand(run_pause, NULL, key));
}

static void run_abandon(struct cache *c, const struct cache_use *use, struct cache_task *t)
{
    cache_abandon(c, ((struct errand *)t)->key);
}

void errand_abandon(struct house_source *s, const char *key)
{
    send_errand(s, errand(run_abandon, NULL, key));
}

static void run_publish(struct cache *c, const struct cache_use *use, struct cache_task *t)
{
    struct errand *e = (struct errand *)t;
    e->result = cache_publish(c, e->key, e->file, &e->meta, use, now_mono_ns());
    if (e->result == 0)
        e->result = cache_find(c, e->key, &e->found);
}

static void have_published(struct house_source *s, struct errand *e, int error)
{
    struct parcel *p = source_find_action(s, e->id);
    int ret = error < 0 ? error : e->result;
    if (ret == 0)
        put_on_shelf(s, e->key, &e->found);
    if (p && ret == 0)
        source_succeeded(p);
    else if (p && ret == -ENOSPC)
        fail_of_disk(s, p, ret);
    else if (p)
        source_failed(s, p, FAILURE_TRUNCATED, 0);
}

void errand_publish(struct house_source *s, struct parcel *p)
{
    struct errand *e = errand(run_publish, have_published, p->key);
    e->task.lets_go = true;
    e->id = p->id;
    e->file = xstrdup(p->file);
    p->meta.fetched_ms = now_wall_ms();
    e->meta = cache_meta_copy(&p->meta);
    send_errand(s, e);
}

static void run_evict(struct cache *c, const struct cache_use *use, struct cache_task *t)
{
    struct errand *e = (struct errand *)t;
    e->result = cache_make_room(c, e->bytes, use);
}

static void have_evicted(struct house_source *s, struct errand *e, int error)
{
    struct supply_result r = { .outcome = error < 0 || e->result < 0 ? SUPPLY_FAILURE : SUPPLY_OK };
    supply_done(s->supply, e->id, &r, now_mono_ns());
    source_pump(s);
}

void errand_evict(struct house_source *s, uint64_t id, uint64_t bytes)
{
    struct errand *e = errand(run_evict, have_evicted, "");
    e->task.lets_go = true;
    e->id = id;
    e->bytes = bytes;
    send_errand(s, e);
}

static void run_room(struct cache *c, const struct cache_use *use, struct cache_task *t)
{
    struct errand *e = (struct errand *)t;
    struct cache_space space = { 0 };
    e->result = cache_space(c, &space);
    uint64_t taken = space.media + space.partial;
    e->bytes = space.budget > taken ? space.budget - taken : 0;
}

static void have_room(struct house_source *s, struct errand *e, int error)
{
    if (error < 0 || e->result < 0 || !s->is_full)
        return;
    if (e->bytes < s->full_room)
        s->full_room = e->bytes;
    if (e->bytes - s->full_room < ROOM_BYTES)
        return;
    s->is_full = false;
    log_info(&s->log, "there is room on the disk again");
    supply_room(s->supply, now_mono_ns());
    source_pump(s);
}

void errand_room(struct house_source *s)
{
    send_errand(s, errand(run_room, have_room, ""));
}

static void run_refuse(struct cache *c, const struct cache_use *use, struct cache_task *t)
{
    struct errand *e = (struct errand *)t;
    cache_refuse(c, e->key, e->class, e->seconds, now_mono_ns());
}

void errand_refuse(struct house_source *s, const struct supply_action *a)
{
    struct errand *e = errand(run_refuse, NULL, a->key);
    snprintf(e->class, sizeof(e->class), "%s", a->class);
    e->seconds = a->for_s;
    send_errand(s, e);
}

static void run_forgive(struct cache *c, const struct cache_use *use, struct cache_task *t)
{
    cache_forgive(c, ((struct errand *)t)->key);
}

void errand_forgive(struct house_source *s, const char *key)
{
    send_errand(s, errand(run_forgive, NULL, key));
}

static void run_index(struct cache *c, const struct cache_use *use, struct cache_task *t)
{
    struct errand *e = (struct errand *)t;
    for (size_t i = 0; i < cache_count(c); i++) {
        struct cache_found f;
        char key[CACHE_KEY_MAX + 1];
        snprintf(key, sizeof(key), "%s", cache_item_at(c, i).key);
        if (cache_find(c, key, &f) < 0)
            continue;
        shelf_put(&e->shelf, &(struct shelf_song){ key, f.path, f.meta.title, f.meta.artist,
                                                   f.meta.duration_s, f.is_pinned });
        cache_found_finish(&f);
    }
}

static void have_index(struct house_source *s, struct errand *e, int error)
{
    s->is_indexed = error == 0;
    for (size_t i = 0; i < e->shelf.count; i++)
        shelf_put(&s->shelf, &e->shelf.at[i]);
    uv_async_send(&s->house->bell);
}

void errand_index(struct house_source *s)
{
    s->index_ns = now_mono_ns();
    send_errand(s, errand(run_index, have_index, ""));
}

#define PINNED_FOR "house" /* those of staff have another reason, and stay theirs */

static bool names_key(const struct errand *e, const char *key)
{
    for (size_t i = 0; i < e->pin_count; i++)
        if (strcmp(e->pin[i], key) == 0)
            return true;
    return false;
}

static const char *pin_of(const struct cache *c, const char *key)
{
    for (size_t i = 0; i < cache_pin_count(c); i++)
        if (strcmp(cache_pin_at(c, i).key, key) == 0)
            return cache_pin_at(c, i).pin;
    return NULL;
}

static void run_pin(struct cache *c, const struct cache_use *use, struct cache_task *t)
{
    struct errand *e = (struct errand *)t;
    for (size_t i = cache_pin_count(c); e->result == 0 && i-- > 0;) {
        struct cache_item item = cache_pin_at(c, i);
        if (strcmp(item.pin, PINNED_FOR) != 0 || names_key(e, item.key))
            continue;
        snprintf(e->key, sizeof(e->key), "%s", item.key);
        e->result = cache_unpin(c, e->key);
    }
    for (size_t i = 0; e->result == 0 && i < e->pin_count; i++)
        if (!pin_of(c, e->pin[i]))
            e->result = cache_pin(c, e->pin[i], PINNED_FOR);
}

static void have_pinned(struct house_source *s, struct errand *e, int error)
{
    int ret = error < 0 ? error : e->result;
    if (ret < 0)
        log_warn(&s->log, "the house playlist could not be pinned: %s", strerror(-ret));
    else
        log_info(&s->log, "the house playlist has %zu songs from elsewhere", e->pin_count);
}

void errand_pin(struct house_source *s, char **key, size_t count)
{
    struct errand *e = errand(run_pin, have_pinned, "");
    e->pin = key;
    e->pin_count = count;
    send_errand(s, e);
}
