#include "source/folder_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

struct folder_set *folder_set_create(void)
{
    return xcalloc(1, sizeof(struct folder_set));
}

void folder_set_destroy(struct folder_set *set)
{
    if (!set)
        return;
    for (struct folder *f = set->first, *next; f; f = next) {
        next = f->next;
        free(f->path);
        free(f);
    }
    free(set);
}

static size_t path_bucket(const char *path)
{
    return text_hash(path, strlen(path)) % FOLDER_BUCKETS;
}

static size_t place_bucket(dev_t device, ino_t inode)
{
    return (((uint64_t)inode * 0x9e3779b97f4a7c15u) ^ (uint64_t)device) % FOLDER_BUCKETS;
}

struct folder *folder_set_find(const struct folder_set *set, const char *path)
{
    struct folder *f = set->by_path[path_bucket(path)];
    while (f && strcmp(f->path, path) != 0)
        f = f->next_by_path;
    return f;
}

struct folder *folder_set_add(struct folder_set *set, const char *path)
{
    struct folder *f = folder_set_find(set, path);
    if (f)
        return f;
    size_t bucket = path_bucket(path);
    f = xcalloc(1, sizeof(*f));
    f->path = xstrdup(path);
    f->next_by_path = set->by_path[bucket];
    set->by_path[bucket] = f;
    f->next = set->first;
    set->first = f;
    set->count++;
    return f;
}

void folder_set_place(struct folder_set *set, struct folder *f, dev_t device, ino_t inode)
{
    if (f->inode == inode && f->device == device)
        return;
    if (f->inode) {
        struct folder **at = &set->by_place[place_bucket(f->device, f->inode)];
        while (*at != f)
            at = &(*at)->next_by_place;
        *at = f->next_by_place;
    }
    f->device = device;
    f->inode = inode;
    f->next_by_place = NULL;
    if (!inode)
        return;
    struct folder **to = &set->by_place[place_bucket(device, inode)];
    f->next_by_place = *to;
    *to = f;
}

struct folder *folder_set_double(const struct folder_set *set, const struct folder *f)
{
    struct folder *other = set->by_place[place_bucket(f->device, f->inode)];
    while (other && (other == f || !other->is_here || other->device != f->device ||
                     other->inode != f->inode))
        other = other->next_by_place;
    return f->inode ? other : NULL;
}
