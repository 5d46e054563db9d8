#include "media/frame_arena.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/alloc.h"

#define PAGE ((size_t)4096)

struct extent {
    size_t offset, size;
};

struct frame_arena {
    /* Constant after create. */
    uint8_t *base;
    size_t size;

    pthread_mutex_t lock;
    /* Protected by lock. */
    struct extent extent[ARENA_EXTENTS]; /* taken, by offset */
    size_t count;
    size_t touched; /* end of what was ever taken since the last trim */
};

static size_t page_up(size_t n)
{
    return (n + PAGE - 1) / PAGE * PAGE;
}

static size_t extent_end(const struct extent *e)
{
    return e->offset + e->size;
}

struct frame_arena *frame_arena_create(uint8_t *base, size_t size)
{
    struct frame_arena *a = xcalloc(1, sizeof(*a));
    a->base = base;
    a->size = size / PAGE * PAGE;
    /* What an earlier life of the deck left behind may lie anywhere. */
    a->touched = a->size;
    pthread_mutex_init(&a->lock, NULL);
    return a;
}

void frame_arena_destroy(struct frame_arena *a)
{
    if (!a)
        return;
    assert(a->count == 0);
    pthread_mutex_destroy(&a->lock);
    free(a);
}

static void insert(struct frame_arena *a, size_t at, size_t offset, size_t size)
{
    memmove(&a->extent[at + 1], &a->extent[at], (a->count - at) * sizeof(a->extent[0]));
    a->extent[at] = (struct extent){ offset, size };
    a->count++;
    if (offset + size > a->touched)
        a->touched = offset + size;
}

bool frame_arena_take(struct frame_arena *a, size_t size, size_t *offset)
{
    if (size == 0 || size > a->size)
        return false;
    size = page_up(size);
    bool is_found = false;
    pthread_mutex_lock(&a->lock);
    size_t from = 0;
    for (size_t i = 0; i <= a->count && a->count < ARENA_EXTENTS; i++) {
        size_t end = i < a->count ? a->extent[i].offset : a->size;
        if (end - from >= size) {
            insert(a, i, from, size);
            *offset = from;
            is_found = true;
            break;
        }
        if (i < a->count)
            from = extent_end(&a->extent[i]);
    }
    pthread_mutex_unlock(&a->lock);
    return is_found;
}

bool frame_arena_take_at(struct frame_arena *a, size_t offset, size_t size)
{
    if (size == 0 || offset > a->size || size > a->size - offset)
        return false;
    size_t from = offset / PAGE * PAGE, end = page_up(offset + size);
    pthread_mutex_lock(&a->lock);
    size_t i = 0;
    while (i < a->count && extent_end(&a->extent[i]) <= from)
        i++;
    bool is_free = a->count < ARENA_EXTENTS && (i == a->count || a->extent[i].offset >= end);
    if (is_free)
        insert(a, i, from, end - from);
    pthread_mutex_unlock(&a->lock);
    return is_free;
}

void frame_arena_give(struct frame_arena *a, size_t offset)
{
    pthread_mutex_lock(&a->lock);
    size_t i = 0;
    while (i < a->count && extent_end(&a->extent[i]) <= offset)
        i++;
    assert(i < a->count && a->extent[i].offset <= offset); /* given twice */
    a->count--;
    memmove(&a->extent[i], &a->extent[i + 1], (a->count - i) * sizeof(a->extent[0]));
    pthread_mutex_unlock(&a->lock);
}

uint8_t *frame_arena_base(const struct frame_arena *a)
{
    return a->base;
}

bool frame_arena_holds(const struct frame_arena *a, const void *p)
{
    uintptr_t at = (uintptr_t)p, base = (uintptr_t)a->base;
    return at >= base && at < base + a->size;
}

size_t frame_arena_used(struct frame_arena *a)
{
    size_t used = 0;
    pthread_mutex_lock(&a->lock);
    for (size_t i = 0; i < a->count; i++)
        used += a->extent[i].size;
    pthread_mutex_unlock(&a->lock);
    return used;
}

void frame_arena_trim(struct frame_arena *a)
{
    pthread_mutex_lock(&a->lock);
    size_t from = 0;
    for (size_t i = 0; i <= a->count; i++) {
        size_t end = i < a->count ? a->extent[i].offset : a->touched;
        if (end > from) /* fails on memory that is no file: then there is nothing to give back */
            (void)madvise(a->base + from, end - from, MADV_REMOVE);
        if (i < a->count)
            from = extent_end(&a->extent[i]);
    }
    a->touched = from;
    pthread_mutex_unlock(&a->lock);
}
