/* The cache of fetched media: its disk is worked on by one job at a time, on a thread of the loop's pool. It is opened
 * with the first job, so that a house that fetches nothing leaves no folder behind. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/now.h"
#include "base/paths.h"
#include "player/house_internal.h"
#include "source/cache_answer.h"

#define SLICE_NS    SECONDS(1)   /* of a long job; others come in between */
#define FLUSH_NS    SECONDS(600) /* plays are written then, and when the house ends */
#define WAITING_MAX 256

/* A request of a client, or a task of the house; neither: only a flush. */
struct cache_job {
    struct cache_job *next;
    uint64_t client;
    struct message *request;
    struct cache_task *task;
    char **use; /* what the queue names: sources, and keys */
    size_t use_count;

    struct message *answer;
    int error; /* the cache cannot be opened */
};

struct house_cache {
    struct house *house;
    struct log log;
    char *dir;
    uint64_t max_bytes, floor_bytes;
    uv_work_t work;
    struct cache_job *job;                    /* under way; the pool thread's */
    struct cache_job *waiting, **waiting_end; /* the loop's */
    size_t waiting_count;
    int64_t flushed_ns;

    struct cache *cache; /* the pool thread's while there is a job; NULL: not open */
};

/* ---- the pool's thread ------------------------------------------------------------------------- */

static int open_cache(struct house_cache *hc)
{
    if (hc->cache)
        return 0;
    return cache_open(&hc->cache, &(struct cache_params){
                                      .dir = hc->dir,
                                      .max_bytes = hc->max_bytes,
                                      .floor_bytes = hc->floor_bytes,
                                      .now_ns = now_mono_ns(),
                                      .wall_ms = now_wall_ms(),
                                      .log = &hc->log,
                                  });
}

/* What the queue names, as keys: a file of the cache is named by its path. */
static void name_keys(const struct cache *c, struct cache_job *j)
{
    for (size_t i = 0; i < j->use_count; i++) {
        char key[CACHE_KEY_MAX + 1];
        if (!cache_key_of_path(c, j->use[i], key))
            continue;
        free(j->use[i]);
        j->use[i] = xstrdup(key);
    }
}

static void work_on(uv_work_t *work)
{
    struct house_cache *hc = work->data;
    struct cache_job *j = hc->job;
    if (!j->request && !j->task) {
        if (hc->cache && cache_flush(hc->cache, false, now_mono_ns()) < 0)
            log_warn(&hc->log, "plays could not be saved in %s", hc->dir);
        return;
    }
    j->error = open_cache(hc);
    if (j->error < 0)
        return;
    name_keys(hc->cache, j);
    const struct cache_use use = { (const char *const *)j->use, j->use_count };
    if (j->task)
        j->task->run(hc->cache, &use, j->task);
    else
        j->answer = cache_answer(hc->cache, j->request, &use, SLICE_NS);
}

/* ---- the loop's -------------------------------------------------------------------------------- */

static void end_task(struct house *h, struct cache_job *j, int error)
{
    struct cache_task *t = j->task;
    j->task = NULL;
    if (t)
        t->done(h, t, error);
}

static void job_destroy(struct cache_job *j)
{
    for (size_t i = 0; i < j->use_count; i++)
        free(j->use[i]);
    free(j->use);
    message_destroy(j->request);
    message_destroy(j->answer);
    free(j);
}

static struct message *open_failed(const struct house_cache *hc, int error)
{
    char sentence[512];
    const char *why = error == -EWOULDBLOCK ? "another program works on it"
                      : error == -ENOTEMPTY
                          ? "the folder holds other things; cache.dir names another"
                          : strerror(-error);
    snprintf(sentence, sizeof(sentence), "The cache %.200s cannot be used: %s.", hc->dir, why);
    return answer_error("failed", sentence);
}

static void worked(uv_work_t *work, int status);

static void start_next(struct house_cache *hc)
{
    if (hc->job || !hc->waiting || hc->house->is_stopping)
        return;
    hc->job = hc->waiting;
    hc->waiting = hc->job->next;
    hc->waiting_count--;
    if (!hc->waiting)
        hc->waiting_end = &hc->waiting;
    uv_queue_work(&hc->house->loop, &hc->work, work_on, worked);
}

static void worked(uv_work_t *work, int status)
{
    struct house_cache *hc = work->data;
    struct cache_job *j = hc->job;
    hc->job = NULL;
    if (j->request && !hc->house->is_stopping) {
        if (!j->answer)
            j->answer = open_failed(hc, status < 0 ? status : j->error);
        char *text = message_text(j->answer, false);
        control_socket_answer(hc->house->socket, j->client, text);
        free(text);
    }
    source_cache_changed(hc->house, hc->cache);
    end_task(hc->house, j, status < 0 ? status : j->error);
    job_destroy(j);
    start_next(hc);
}

static void put(struct house_cache *hc, struct cache_job *j)
{
    *hc->waiting_end = j;
    hc->waiting_end = &j->next;
    hc->waiting_count++;
    start_next(hc);
}

static void use_add(struct cache_job *j, char *name)
{
    j->use = xrealloc(j->use, (j->use_count + 1) * sizeof(*j->use));
    j->use[j->use_count++] = name;
}

static void use_track(struct cache_job *j, const struct track *t)
{
    char key[CACHE_KEY_MAX + 1];
    if (*t->source)
        use_add(j, path_from_source(t->source));
    if (*t->video_id)
        use_add(j, xstrdup(t->video_id));
    if (source_key(t, t->source, key))
        use_add(j, xstrdup(key));
}

/* What plays and what is queued never goes. */
static void note_use(const struct queue *q, struct cache_job *j)
{
    for (int l = 0; l < QUEUE_LISTS; l++)
        for (size_t i = 0; i < q->list[l].count; i++)
            use_track(j, q->list[l].at[i]);
    if (q->now)
        use_track(j, q->now);
}

bool house_cache_ask(struct house *h, uint64_t client, struct message *request)
{
    struct house_cache *hc = h->cache;
    if (hc->waiting_count >= WAITING_MAX) {
        message_destroy(request);
        return false;
    }
    struct cache_job *j = xcalloc(1, sizeof(*j));
    j->client = client;
    j->request = request;
    note_use(jukebox_queue(h->jukebox), j);
    put(hc, j);
    return true;
}

void house_cache_do(struct house *h, struct cache_task *task)
{
    struct cache_job *j = xcalloc(1, sizeof(*j));
    j->task = task;
    if (task->lets_go)
        note_use(jukebox_queue(h->jukebox), j);
    put(h->cache, j);
}

int house_cache_now(struct house *h, struct cache **out)
{
    struct house_cache *hc = h->cache;
    int ret = hc->job ? -EBUSY : open_cache(hc);
    *out = hc->cache;
    return ret;
}

bool house_cache_exists(const struct house *h)
{
    char *tag = xasprintf("%s/CACHEDIR.TAG", h->cache->dir);
    bool exists = access(tag, F_OK) == 0;
    free(tag);
    return exists;
}

void house_cache_turn(struct house *h)
{
    struct house_cache *hc = h->cache;
    if (h->view.now_ns - hc->flushed_ns < FLUSH_NS)
        return;
    hc->flushed_ns = h->view.now_ns;
    put(hc, xcalloc(1, sizeof(struct cache_job)));
}

void house_cache_open(struct house *h, const struct config *config)
{
    struct house_cache *hc = h->cache = xcalloc(1, sizeof(*hc));
    hc->house = h;
    hc->log = h->log;
    hc->dir = *config->cache.dir ? xstrdup(config->cache.dir) : path_cache_dir();
    hc->max_bytes = (uint64_t)config->cache.size * 1000000;
    hc->floor_bytes = (uint64_t)config->cache.free_floor * 1000000;
    hc->waiting_end = &hc->waiting;
    hc->work.data = hc;
    hc->flushed_ns = now_mono_ns();
}

void house_cache_close(struct house *h)
{
    struct house_cache *hc = h->cache;
    if (!hc)
        return;
    while (hc->waiting) {
        struct cache_job *j = hc->waiting;
        hc->waiting = j->next;
        end_task(h, j, -ECANCELED);
        job_destroy(j);
    }
    cache_close(hc->cache, now_mono_ns());
    free(hc->dir);
    free(hc);
    h->cache = NULL;
}
