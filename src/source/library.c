#include "source/library.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/now.h"
#include "source/library_internal.h"

#define FILES_MAX   250000
#define SETTLE_NS   MS(500)
#define AGAIN_NS    SECONDS(300)
#define MOUNTS_FILE "/proc/self/mountinfo"

/* ---- birth and end ------------------------------------------------------------------------------ */

static void init_locks(struct library *l)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->known_changed, &attr);
    pthread_cond_init(&l->searches_changed, &attr);
    pthread_condattr_destroy(&attr);
}

static void copy_params(struct library *l, const struct library_params *p)
{
    struct library_params *own = &l->params;
    *own = *p;
    own->path = xstrdup(p->path);
    own->paths = xstrdup(p->paths ? p->paths : "");
    own->media_tops = xstrdup(p->media_tops ? p->media_tops : "");
    own->probe = xstrdup(p->probe);
    own->mounts_file = xstrdup(p->mounts_file ? p->mounts_file : MOUNTS_FILE);
    own->files_max = p->files_max ? p->files_max : FILES_MAX;
    own->settle_ns = p->settle_ns ? p->settle_ns : SETTLE_NS;
    own->again_ns = p->again_ns ? p->again_ns : AGAIN_NS;
    l->log = log_child(p->log, "library");
    own->log = &l->log;
}

/* Signals are the main thread's. */
static int start_threads(struct library *l)
{
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int ret = -pthread_create(&l->scanner, NULL, library_scan_thread, l);
    l->has_scanner = ret == 0;
    if (ret == 0)
        ret = -pthread_create(&l->searcher, NULL, library_search_thread, l);
    l->has_searcher = ret == 0;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return ret;
}

int library_create(struct library **out, const struct library_params *params)
{
    struct library *l = xcalloc(1, sizeof(*l));
    copy_params(l, params);
    init_locks(l);
    l->map = file_map_create();
    l->status.is_scanning = true; /* as soon as the thread runs */
    l->waiting.last = &l->waiting.first;
    l->answered.last = &l->answered.first;
    l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int ret = l->wake_fd < 0 ? -errno : start_threads(l);
    if (ret < 0) {
        library_destroy(l);
        return ret;
    }
    *out = l;
    return 0;
}

static void wake_scanner(struct library *l)
{
    uint64_t one = 1;
    if (l->wake_fd >= 0 && write(l->wake_fd, &one, sizeof(one)) < 0)
        log_debug(&l->log, "the scanner is awake already");
}

static void answer_all(struct library *l)
{
    struct search_list list;
    pthread_mutex_lock(&l->lock);
    list = l->answered;
    if (!list.first)
        list.last = &list.first;
    l->answered = (struct search_list){ 0 };
    l->answered.last = &l->answered.first;
    pthread_mutex_unlock(&l->lock);
    for (struct search *s; (s = search_list_take(&list));) {
        s->done(s->ctx, s->id, &s->songs, s->error);
        search_free(s);
    }
}

static void answer_with_nothing(struct library *l)
{
    for (struct search *s; (s = search_list_take(&l->waiting));) {
        s->error = -ECANCELED;
        search_list_add(&l->answered, s);
    }
}

void library_stop(struct library *l)
{
    if (l->is_stopped)
        return;
    l->is_stopped = true;
    atomic_store(&l->stops, true);
    wake_scanner(l);
    pthread_mutex_lock(&l->lock);
    pthread_cond_broadcast(&l->searches_changed);
    pthread_mutex_unlock(&l->lock);
    if (l->has_scanner)
        pthread_join(l->scanner, NULL);
    if (l->has_searcher)
        pthread_join(l->searcher, NULL);
    answer_with_nothing(l);
    answer_all(l);
    l->can_ring = false;
    if (l->is_attached)
        uv_close((uv_handle_t *)&l->bell, NULL);
}

void library_destroy(struct library *l)
{
    if (!l)
        return;
    library_stop(l);
    if (l->wake_fd >= 0)
        close(l->wake_fd);
    file_map_destroy(l->map);
    pthread_cond_destroy(&l->searches_changed);
    pthread_cond_destroy(&l->known_changed);
    pthread_mutex_destroy(&l->lock);
    free((char *)l->params.path);
    free((char *)l->params.paths);
    free((char *)l->params.media_tops);
    free((char *)l->params.probe);
    free((char *)l->params.mounts_file);
    free(l);
}

/* ---- the loop ----------------------------------------------------------------------------------- */

void library_ring(struct library *l)
{
    if (l->can_ring)
        uv_async_send(&l->bell);
}

static void on_bell(uv_async_t *bell)
{
    struct library *l = bell->data;
    answer_all(l);
    pthread_mutex_lock(&l->lock);
    uint64_t news = l->news;
    pthread_mutex_unlock(&l->lock);
    bool is_new = news != l->told;
    l->told = news;
    if (is_new && l->on_change && !l->is_stopped)
        l->on_change(l->ctx);
}

int library_attach(struct library *l, uv_loop_t *loop, void (*on_change)(void *ctx), void *ctx)
{
    int ret = uv_async_init(loop, &l->bell, on_bell);
    if (ret < 0)
        return ret;
    l->bell.data = l;
    l->on_change = on_change;
    l->ctx = ctx;
    l->is_attached = true;
    pthread_mutex_lock(&l->lock);
    l->can_ring = true;
    library_ring(l); /* for what was before */
    pthread_mutex_unlock(&l->lock);
    return 0;
}

/* ---- questions ---------------------------------------------------------------------------------- */

void library_wait_known(struct library *l, int64_t at_most_ns)
{
    int64_t until_ns = now_mono_ns() + at_most_ns;
    struct timespec t = { .tv_sec = until_ns / NS_PER_S, .tv_nsec = until_ns % NS_PER_S };
    int ret = 0;
    pthread_mutex_lock(&l->lock);
    while (!l->is_known && ret == 0)
        ret = pthread_cond_timedwait(&l->known_changed, &l->lock, &t);
    pthread_mutex_unlock(&l->lock);
}

enum library_place library_find(struct library *l, const char *key, const char *source,
                                char **found, uint64_t *since)
{
    pthread_mutex_lock(&l->lock);
    const struct mapped_file *f = file_map_find(l->map, key, source);
    enum library_place place = !f ? LIBRARY_UNKNOWN : f->is_here ? LIBRARY_HERE : LIBRARY_AWAY;
    if (found)
        *found = f ? xstrdup(f->source) : NULL;
    if (since)
        *since = f ? f->since : 0;
    pthread_mutex_unlock(&l->lock);
    return place;
}

void library_visit(struct library *l, file_map_visit_fn *visit, void *ctx)
{
    pthread_mutex_lock(&l->lock);
    file_map_visit(l->map, visit, ctx);
    pthread_mutex_unlock(&l->lock);
}

uint64_t library_serial(struct library *l)
{
    pthread_mutex_lock(&l->lock);
    uint64_t serial = l->serial;
    pthread_mutex_unlock(&l->lock);
    return serial;
}

void library_status(struct library *l, struct library_status *out)
{
    pthread_mutex_lock(&l->lock);
    *out = l->status;
    pthread_mutex_unlock(&l->lock);
}

void library_rescan(struct library *l)
{
    pthread_mutex_lock(&l->lock);
    l->must_rescan = true;
    pthread_mutex_unlock(&l->lock);
    wake_scanner(l);
}

void library_search(struct library *l, const char *text, size_t limit, library_found_fn *done,
                    void *ctx, uint64_t id)
{
    struct search *s = xcalloc(1, sizeof(*s));
    *s = (struct search){
        .text = xstrdup(text), .limit = limit, .done = done, .ctx = ctx, .id = id
    };
    pthread_mutex_lock(&l->lock);
    if (l->is_known && !l->index_is_made) {
        s->error = -EIO;
        search_list_add(&l->answered, s);
        library_ring(l);
    } else {
        search_list_add(&l->waiting, s);
        pthread_cond_signal(&l->searches_changed);
    }
    pthread_mutex_unlock(&l->lock);
}
