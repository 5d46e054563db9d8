#include "source/folder_watch.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/alloc.h"

/* A file counts when who writes it is done; a link has nobody who writes it. */
#define CHANGES                                                                                    \
    (IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB |            \
     IN_DELETE_SELF | IN_MOVE_SELF)

struct watched {
    int number;
    char *path; /* NULL: no longer */
};

struct folder_watch {
    int fd;
    struct watched *at; /* numbers only grow */
    size_t count, cap, gone;
};

int folder_watch_create(struct folder_watch **out)
{
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0)
        return -errno;
    *out = xcalloc(1, sizeof(**out));
    (*out)->fd = fd;
    return 0;
}

void folder_watch_destroy(struct folder_watch *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < w->count; i++)
        free(w->at[i].path);
    free(w->at);
    close(w->fd);
    free(w);
}

int folder_watch_fd(const struct folder_watch *w)
{
    return w->fd;
}

/* Where `number` is, or would be. */
static size_t place_of(const struct folder_watch *w, int number)
{
    size_t low = 0, high = w->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (w->at[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct watched *find(const struct folder_watch *w, int number)
{
    size_t i = place_of(w, number);
    return i < w->count && w->at[i].number == number && w->at[i].path ? &w->at[i] : NULL;
}

static void compact(struct folder_watch *w)
{
    size_t kept = 0;
    for (size_t i = 0; i < w->count; i++)
        if (w->at[i].path)
            w->at[kept++] = w->at[i];
    w->count = kept;
    w->gone = 0;
}

static void forget(struct folder_watch *w, struct watched *at)
{
    free(at->path);
    at->path = NULL;
    w->gone++;
}

int folder_watch_add(struct folder_watch *w, const char *path)
{
    int number = inotify_add_watch(w->fd, path, CHANGES | IN_ONLYDIR | IN_EXCL_UNLINK);
    if (number < 0)
        return -errno;
    if (w->gone > 64 && w->gone > w->count / 2)
        compact(w);
    size_t i = place_of(w, number);
    if (i == w->count || w->at[i].number != number) {
        if (w->count == w->cap) {
            w->cap = w->cap ? w->cap * 2 : 64;
            w->at = xrealloc(w->at, w->cap * sizeof(*w->at));
        }
        memmove(w->at + i + 1, w->at + i, (w->count - i) * sizeof(*w->at));
        w->at[i] = (struct watched){ .number = number };
        w->count++;
    } else if (!w->at[i].path) {
        w->gone--;
    }
    if (!w->at[i].path || strcmp(w->at[i].path, path) != 0) { /* another name of it now */
        free(w->at[i].path);
        w->at[i].path = xstrdup(path);
    }
    return 0;
}

void folder_watch_remove(struct folder_watch *w, const char *path)
{
    for (size_t i = 0; i < w->count; i++)
        if (w->at[i].path && strcmp(w->at[i].path, path) == 0) {
            inotify_rm_watch(w->fd, w->at[i].number);
            forget(w, &w->at[i]);
        }
}

static void take_event(struct folder_watch *w, const struct inotify_event *e,
                       void (*changed)(void *ctx, const char *path), void *ctx)
{
    if (e->mask & IN_Q_OVERFLOW) {
        changed(ctx, NULL);
        return;
    }
    struct watched *at = find(w, e->wd);
    if (!at)
        return;
    changed(ctx, at->path);
    if (e->mask & IN_IGNORED) /* deleted, or its file system is gone */
        forget(w, at);
}

void folder_watch_take(struct folder_watch *w, void (*changed)(void *ctx, const char *path),
                       void *ctx)
{
    _Alignas(struct inotify_event) char events[16384];
    for (ssize_t len; (len = read(w->fd, events, sizeof(events))) > 0;)
        for (ssize_t at = 0; at < len;) {
            const struct inotify_event *e = (const struct inotify_event *)(events + at);
            take_event(w, e, changed, ctx);
            at += (ssize_t)(sizeof(*e) + e->len);
        }
}
