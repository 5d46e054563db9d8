#include "sync/hop_timer.h"

#include <string.h>

static void drop_first(void *list, size_t *count, size_t size, size_t n)
{
    *count -= n;
    memmove(list, (char *)list + n * size, *count * size);
}

void hop_timer_begin(struct hop_timer *t, size_t pending, int64_t now_ns)
{
    if (t->unsaved_count < HOP_TIMER_MAX)
        t->unsaved[t->unsaved_count++] = (struct hop_to_disk){ .begun_ns = now_ns };
    if (t->unsent_count < HOP_TIMER_MAX)
        t->unsent[t->unsent_count++] =
            (struct hop_to_server){ .begun_ns = now_ns, .before = pending };
    t->pending = pending;
}

void hop_timer_asked(struct hop_timer *t, uint64_t revision)
{
    for (size_t i = 0; i < t->unsaved_count; i++) {
        if (!t->unsaved[i].revision)
            t->unsaved[i].revision = revision;
    }
}

void hop_timer_saved(struct hop_timer *t, uint64_t revision, int64_t now_ns)
{
    size_t n = 0;
    while (n < t->unsaved_count && t->unsaved[n].revision && t->unsaved[n].revision <= revision) {
        histogram_add(&t->to_disk, now_ns - t->unsaved[n].begun_ns);
        n++;
    }
    drop_first(t->unsaved, &t->unsaved_count, sizeof(t->unsaved[0]), n);
}

void hop_timer_pending(struct hop_timer *t, size_t pending, int64_t now_ns)
{
    size_t confirmed = t->pending > pending ? t->pending - pending : 0, n = 0;
    t->pending = pending;
    for (size_t i = 0; i < t->unsent_count; i++) {
        struct hop_to_server *hop = &t->unsent[i];
        hop->before -= hop->before < confirmed ? hop->before : confirmed;
        if (hop->before == 0) {
            histogram_add(&t->to_server, now_ns - hop->begun_ns);
            n++;
        }
    }
    drop_first(t->unsent, &t->unsent_count, sizeof(t->unsent[0]), n);
}

void hop_timer_view(struct hop_timer *t, int64_t came_ns, int64_t now_ns)
{
    histogram_add(&t->to_view, now_ns - came_ns);
}
