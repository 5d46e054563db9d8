#include "source/file_map.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

#define BUCKETS_FIRST 256

struct entry {
    struct entry *next;
    uint64_t hash;
    struct mapped_file file;
    char text[]; /* key, source */
};

struct file_map {
    struct entry **bucket;
    size_t bucket_count; /* a power of two */
    size_t count;
};

struct file_map *file_map_create(void)
{
    struct file_map *m = xcalloc(1, sizeof(*m));
    m->bucket_count = BUCKETS_FIRST;
    m->bucket = xcalloc(m->bucket_count, sizeof(struct entry *));
    return m;
}

void file_map_destroy(struct file_map *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->bucket_count; i++)
        for (struct entry *e = m->bucket[i], *next; e; e = next) {
            next = e->next;
            free(e);
        }
    free(m->bucket);
    free(m);
}

static struct entry **bucket_of(const struct file_map *m, uint64_t hash)
{
    return &m->bucket[hash & (m->bucket_count - 1)];
}

static void grow(struct file_map *m)
{
    struct entry **old = m->bucket;
    size_t old_count = m->bucket_count;
    m->bucket_count *= 2;
    m->bucket = xcalloc(m->bucket_count, sizeof(struct entry *));
    for (size_t i = 0; i < old_count; i++)
        for (struct entry *e = old[i], *next; e; e = next) {
            struct entry **to = bucket_of(m, e->hash);
            next = e->next;
            e->next = *to;
            *to = e;
        }
    free(old);
}

static uint64_t hash_of(const char *key)
{
    return text_hash(key, strlen(key));
}

void file_map_put(struct file_map *m, const struct mapped_file *file)
{
    size_t key_size = strlen(file->key) + 1, source_size = strlen(file->source) + 1;
    struct entry *e = xcalloc(1, sizeof(*e) + key_size + source_size);
    e->hash = hash_of(file->key);
    e->file = *file;
    e->file.key = memcpy(e->text, file->key, key_size);
    e->file.source = memcpy(e->text + key_size, file->source, source_size);
    file_map_remove(m, file->key, file->row);
    if (m->count >= m->bucket_count)
        grow(m);
    struct entry **to = bucket_of(m, e->hash);
    e->next = *to;
    *to = e;
    m->count++;
}

void file_map_remove(struct file_map *m, const char *key, int64_t row)
{
    uint64_t hash = hash_of(key);
    for (struct entry **at = bucket_of(m, hash); *at; at = &(*at)->next) {
        struct entry *e = *at;
        if (e->hash != hash || e->file.row != row || strcmp(e->file.key, key) != 0)
            continue;
        *at = e->next;
        free(e);
        m->count--;
        return;
    }
}

static bool is_better(const struct mapped_file *a, const struct mapped_file *b)
{
    if (a->is_here != b->is_here)
        return a->is_here;
    if (a->folder != b->folder)
        return a->folder < b->folder;
    return strcmp(a->source, b->source) < 0;
}

const struct mapped_file *file_map_find(const struct file_map *m, const char *key,
                                        const char *source)
{
    uint64_t hash = hash_of(key);
    const struct mapped_file *best = NULL;
    for (const struct entry *e = *bucket_of(m, hash); e; e = e->next) {
        if (e->hash != hash || strcmp(e->file.key, key) != 0 ||
            (source && strcmp(e->file.source, source) != 0))
            continue;
        if (!best || is_better(&e->file, best))
            best = &e->file;
    }
    return best;
}

void file_map_visit(const struct file_map *m, file_map_visit_fn *visit, void *ctx)
{
    for (size_t i = 0; i < m->bucket_count; i++)
        for (const struct entry *e = m->bucket[i]; e; e = e->next)
            visit(ctx, &e->file);
}

size_t file_map_count(const struct file_map *m)
{
    return m->count;
}
