/* What the supply wants is done: by the worker around yt-dlp, by the probe, and on the cache's disk. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/now.h"
#include "player/house_source.h"
#include "wire/message.h"

#define FILE_NAME   "media"
#define CHAIN_MAX   1024
#define WARN_MAX    8192
#define FETCH_HELLO "{\"request\":\"hello\"}"
#define PROBE_HELLO "{\"command\":\"hello\"}"
#define STALL_NS    SECONDS(20)
#define TRIES_MAX   2 /* starts of a helper that failed in a row; nobody waits longer for it */

static struct parcel *find_action(const struct house_source *s, uint64_t id)
{
    for (size_t i = 0; id && i < s->count; i++)
        if (s->parcel[i]->id == id)
            return s->parcel[i];
    return NULL;
}

static void done(struct parcel *p, enum supply_outcome outcome)
{
    source_done(p->source, p, &(struct supply_result){ .outcome = outcome });
}

/* ---- on the cache's disk ---------------------------------------------------------------------------- */

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
                                               f->meta.duration_s });
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

static void have_looked(struct house_source *s, struct errand *e, int error)
{
    struct parcel *p = find_action(s, e->id);
    struct supply_result r = { .outcome = SUPPLY_ABSENT };
    if (error == 0 && e->result == 0) {
        put_on_shelf(s, e->key, &e->found);
        r.outcome = SUPPLY_OK;
    } else if (error == 0 && e->result == -EPERM) {
        r.outcome = SUPPLY_REFUSED;
        memcpy(r.failure.class, e->class, sizeof(r.failure.class));
        r.failure.refused_s = e->seconds;
    }
    if (p)
        source_done(s, p, &r);
}

static void look(struct house_source *s, struct parcel *p)
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
    struct parcel *p = find_action(s, e->id);
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

static void begin(struct house_source *s, struct parcel *p)
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

static void run_publish(struct cache *c, const struct cache_use *use, struct cache_task *t)
{
    struct errand *e = (struct errand *)t;
    e->result = cache_publish(c, e->key, e->file, &e->meta, use, now_mono_ns());
    if (e->result == 0)
        e->result = cache_find(c, e->key, &e->found);
}

static void have_published(struct house_source *s, struct errand *e, int error)
{
    struct parcel *p = find_action(s, e->id);
    int ret = error < 0 ? error : e->result;
    if (ret == 0)
        put_on_shelf(s, e->key, &e->found);
    if (p && ret == 0)
        done(p, SUPPLY_OK);
    else if (p && ret == -ENOSPC)
        fail_of_disk(s, p, ret);
    else if (p)
        source_failed(s, p, FAILURE_TRUNCATED, 0);
}

static void publish(struct house_source *s, struct parcel *p)
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

static void evict(struct house_source *s, uint64_t id, uint64_t bytes)
{
    struct errand *e = errand(run_evict, have_evicted, "");
    e->task.lets_go = true;
    e->id = id;
    e->bytes = bytes;
    send_errand(s, e);
}

static void run_refuse(struct cache *c, const struct cache_use *use, struct cache_task *t)
{
    struct errand *e = (struct errand *)t;
    cache_refuse(c, e->key, e->class, e->seconds, now_mono_ns());
}

static void refuse(struct house_source *s, const struct supply_action *a)
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

void work_forgive(struct house_source *s, const char *key)
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
                                                   f.meta.duration_s });
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

void work_index(struct house_source *s)
{
    s->index_ns = now_mono_ns();
    send_errand(s, errand(run_index, have_index, ""));
}

/* ---- what the worker tells ------------------------------------------------------------------------------ */

static void learn_text(char **field, const char *text)
{
    if (!text || !*text)
        return;
    free(*field);
    *field = xstrdup(text);
}

static void learn(struct parcel *p, const struct message *answer)
{
    struct cache_meta *m = &p->meta;
    double seconds = message_f64(answer, "duration", 0);
    learn_text(&m->title, message_str(answer, "track", message_str(answer, "title", NULL)));
    learn_text(&m->artist, message_str(answer, "artist", message_str(answer, "uploader", NULL)));
    learn_text(&m->url, message_str(answer, "url", NULL));
    learn_text(&m->profile, p->source->profile);
    learn_text(&m->extractor, message_str(answer, "extractor", NULL));
    if (isfinite(seconds) && seconds > 0 && seconds <= TRACK_MAX_DURATION_S)
        m->duration_s = seconds;
    p->is_known = p->source->has_names = true;
}

static void have_resolved(struct parcel *p, const struct message *answer)
{
    learn(p, answer);
    struct supply_result r = {
        .outcome = SUPPLY_OK,
        .bytes = (uint64_t)max_i64(message_i64(answer, "filesize", 0), 0),
        .duration_s = p->meta.duration_s,
        .can_grow = message_bool(answer, "is_single_file", false),
    };
    source_done(p->source, p, &r);
}

/* The file is one of the folder that was given. */
static bool take_file(struct parcel *p, const struct message *answer)
{
    const char *path = message_str(answer, "path", "");
    size_t len = strlen(p->folder);
    bool is_inside = strncmp(path, p->folder, len) == 0 && path[len] == '/' && path[len + 1] &&
                     !strchr(path + len + 1, '/');
    if (!is_inside)
        return false;
    learn_text(&p->file, path + len + 1);
    if (p->growing)
        learn_text(&p->growing, path);
    return true;
}

static void have_fetched(struct parcel *p, const struct message *answer)
{
    learn(p, answer);
    if (take_file(p, answer))
        done(p, SUPPLY_OK);
    else
        source_failed(p->source, p, FAILURE_TOOL, 0);
}

static void have_failed(struct parcel *p, const struct message *error)
{
    struct failure_report report;
    char chain[CHAIN_MAX], warnings[WARN_MAX];
    failure_report_read(error, &report, chain, sizeof(chain), warnings, sizeof(warnings));
    enum failure f = failure_classify(&report);
    log_info(&p->source->log, "%s: %s (%s): %s", p->url, failure_traits(f)->name,
             report.exception ? report.exception : "?", report.message ? report.message : "");
    source_failed(p->source, p, f, report.retry_after_ms / 1000);
}

/* Its partial stays for the next time. */
static void let_go(struct house_source *s, const struct parcel *p)
{
    if (p->doing == SUPPLY_FETCH)
        send_errand(s, errand(run_pause, NULL, p->key));
}

static void on_end(void *ctx, enum worker_end end, const struct message *answer)
{
    struct source_lane *lane = ctx;
    struct house_source *s = lane->source;
    struct parcel *p = find_action(s, lane->id);
    lane->id = 0;
    if (!p || s->house->is_stopping)
        return;
    bool is_done = end == WORKER_ANSWERED && strcmp(message_str(answer, "event", ""), "done") == 0;
    if (!is_done)
        let_go(s, p);
    if (is_done && p->doing == SUPPLY_RESOLVE)
        have_resolved(p, answer);
    else if (is_done)
        have_fetched(p, answer);
    else if (p->is_stalled && !p->is_cancelled)
        source_failed(s, p, FAILURE_TIMEOUT, 0);
    else if (end == WORKER_ANSWERED)
        have_failed(p, answer);
    else
        source_failed(s, p,
                      end == WORKER_TIMED_OUT                      ? FAILURE_TIMEOUT
                      : end == WORKER_CANCELLED && p->is_cancelled ? FAILURE_CANCELLED
                                                                   : FAILURE_TOOL,
                      0);
}

static void on_progress(void *ctx, const struct message *m)
{
    struct source_lane *lane = ctx;
    struct house_source *s = lane->source;
    struct parcel *p = find_action(s, lane->id);
    if (!p || p->doing != SUPPLY_FETCH)
        return;
    int64_t bytes = max_i64(message_i64(m, "done", 0), 0), total = message_i64(m, "total", 0);
    double seconds = message_f64(m, "duration", p->meta.duration_s), in_hand_s = 0;
    if (bytes > p->bytes_here)
        p->moved_ns = now_mono_ns();
    p->bytes_here = bytes;
    p->percent = total > 0 ? (int)(clamp_i64(bytes, 0, total) * 100 / total) : -1;
    if (message_bool(m, "is_playable", false)) {
        learn_text(&p->growing, message_str(m, "path", NULL));
        in_hand_s = total > 0 && isfinite(seconds) ? (double)bytes / (double)total * seconds : 0;
    }
    supply_progress(s->supply, p->id, (uint64_t)bytes, in_hand_s, now_mono_ns());
    source_pump(s);
}

/* ---- what it is asked --------------------------------------------------------------------------------------- */

static struct worker *start_worker(struct source_lane *lane, char *const *argv, const char *hello,
                                   const char *name)
{
    struct house_source *s = lane->source;
    char *scratch = xasprintf("%s/%s", s->scratch, name);
    int ret = dir_make(scratch);
    if (ret < 0)
        log_err(&s->log, "%s: %s", scratch, strerror(-ret));
    else
        lane->worker = worker_create(&(struct worker_params){ .loop = &s->house->loop,
                                                              .log = &s->log,
                                                              .argv = (const char *const *)argv,
                                                              .scratch = scratch,
                                                              .greeting = hello });
    free(scratch);
    return lane->worker;
}

static struct worker *worker_of(struct source_lane *lane)
{
    struct house_source *s = lane->source;
    char name[32], *const probe[] = { s->probe_program, NULL };
    if (lane->worker)
        return lane->worker;
    if (lane == &s->probe)
        return start_worker(lane, probe, PROBE_HELLO, "probe");
    snprintf(name, sizeof(name), "lane-%d", (int)(lane - s->lane));
    return start_worker(lane, s->worker_argv, FETCH_HELLO, name);
}

static void init_lanes(struct house_source *s)
{
    for (int i = 0; i < SOURCE_LANES; i++)
        s->lane[i].source = s;
    s->probe.source = s;
}

void work_warm_up(struct house_source *s)
{
    init_lanes(s);
    (void)worker_of(&s->lane[0]);
}

/* The yt-dlp that there is does not even start. */
static bool is_broken(const struct source_lane *lane)
{
    struct worker_status w = { 0 };
    if (lane->worker)
        worker_status(lane->worker, &w);
    return w.start_failures >= TRIES_MAX;
}

static struct message *fetch_message(const struct parcel *p)
{
    const struct house_source *s = p->source;
    struct message *m = message_create();
    bool fetches = p->doing == SUPPLY_FETCH;
    message_set_str(m, "request", fetches ? "fetch" : "resolve");
    message_set_str(m, "url", p->url);
    message_set_str(m, "profile", s->profile);
    /* Guests ask for nothing but what is in the public internet; other addresses are staff's. */
    message_set_bool(m, "is_guest", p->site == TROUBLE_YOUTUBE);
    if (p->is_guests && s->max_minutes)
        message_set_i64(m, "max_duration_s", s->max_minutes * (int64_t)60);
    if (!fetches)
        return m;
    message_set_str(m, "folder", p->folder);
    message_set_str(m, "name", FILE_NAME);
    if (s->max_mb)
        message_set_i64(m, "max_bytes", s->max_mb * (int64_t)1000000);
    if (p->limit)
        message_set_i64(m, "rate_limit", (int64_t)p->limit);
    return m;
}

static struct message *check_message(const struct parcel *p)
{
    char *path = xasprintf("%s/%s", p->folder, p->file), *source = path_to_source(path);
    struct message *m = message_create();
    message_set_str(m, "command", "check");
    message_set_str(m, "path", source);
    message_set_f64(m, "duration_s", p->meta.duration_s);
    free(source);
    free(path);
    return m;
}

static void on_checked(void *ctx, enum worker_end end, const struct message *answer)
{
    struct source_lane *lane = ctx;
    struct house_source *s = lane->source;
    struct parcel *p = find_action(s, lane->id);
    lane->id = 0;
    if (!p || s->house->is_stopping)
        return;
    bool is_whole = end == WORKER_ANSWERED && message_bool(answer, "ok", false);
    if (is_whole) {
        done(p, SUPPLY_OK);
        return;
    }
    log_warn(&s->log, "%s: what came is not whole: %s", p->url,
             answer ? message_str(answer, "error", "?") : worker_end_exception(end));
    source_failed(s, p, FAILURE_TRUNCATED, 0);
}

static void ask(struct source_lane *lane, struct parcel *p)
{
    struct house_source *s = lane->source;
    struct worker *w = worker_of(lane);
    bool is_check = lane == &s->probe;
    p->needs = NEEDS_NOTHING;
    if (!w || (!is_check && is_broken(lane))) {
        source_failed(s, p, FAILURE_TOOL, 0);
        return;
    }
    struct worker_request request = {
        .message = is_check ? check_message(p) : fetch_message(p),
        .deadline_ms = p->timeout_ms > 0 ? p->timeout_ms : 60000,
        .on_end = is_check ? on_checked : on_end,
        .on_progress = is_check ? NULL : on_progress,
        .ctx = lane,
    };
    lane->id = p->id;
    p->lane = is_check ? p->lane : lane;
    p->is_stalled = false;
    p->bytes_here = -1;
    p->moved_ns = now_mono_ns();
    if (!is_check)
        trouble_began(&s->trouble, p->site, now_mono_ns());
    int ret = worker_ask(w, &request);
    if (ret == 0)
        return;
    log_err(&s->log, "%s: cannot be asked for: %s", p->url, strerror(-ret));
    lane->id = 0;
    source_failed(s, p, FAILURE_TOOL, 0);
}

/* The one that resolved it has what it fetches at hand. */
static struct source_lane *idle_lane(struct house_source *s, const struct parcel *p)
{
    if (p->lane && !p->lane->id)
        return p->lane;
    for (int i = 0; i < SOURCE_LANES; i++)
        if (!s->lane[i].id)
            return &s->lane[i];
    return NULL;
}

/* yt-dlp is patient with a connection that gives nothing; meanwhile another song could have its place. */
static bool has_stalled(struct parcel *p)
{
    if (p->doing == SUPPLY_FETCH && now_mono_ns() - p->moved_ns > STALL_NS)
        p->is_stalled = true;
    return p->is_stalled;
}

/* Those that wait for a worker that does not start, or for bytes that do not come, are told so. */
static void check_lanes(struct house_source *s)
{
    for (int i = 0; i < SOURCE_LANES; i++) {
        struct parcel *p = find_action(s, s->lane[i].id);
        if (p && (is_broken(&s->lane[i]) || has_stalled(p)))
            worker_cancel(s->lane[i].worker);
    }
}

void work_go_on(struct house_source *s)
{
    init_lanes(s);
    check_lanes(s);
    for (size_t i = 0; i < s->count; i++) {
        struct parcel *p = s->parcel[i];
        struct source_lane *lane = p->needs == NEEDS_LANE    ? idle_lane(s, p)
                                   : p->needs == NEEDS_PROBE ? &s->probe
                                                             : NULL;
        if (p->needs == NEEDS_LANE && p->is_cancelled) {
            let_go(s, p);
            source_failed(s, p, FAILURE_CANCELLED, 0);
        } else if (lane && !lane->id) {
            ask(lane, p);
        }
    }
}

/* ---- actions -------------------------------------------------------------------------------------------------- */

static struct source_lane *lane_of(struct house_source *s, uint64_t id)
{
    for (int i = 0; i < SOURCE_LANES; i++)
        if (s->lane[i].id == id)
            return &s->lane[i];
    return NULL;
}

static void cancel(struct house_source *s, uint64_t id)
{
    struct parcel *p = find_action(s, id);
    struct source_lane *lane = lane_of(s, id);
    if (p)
        p->is_cancelled = true;
    if (lane)
        worker_cancel(lane->worker);
}

static void limit(struct house_source *s, uint64_t id, uint64_t bytes_s)
{
    struct parcel *p = find_action(s, id);
    struct source_lane *lane = lane_of(s, id);
    if (p)
        p->limit = bytes_s;
    if (!lane)
        return;
    struct message *m = message_create();
    message_set_str(m, "request", "rate");
    message_set_i64(m, "rate_limit", (int64_t)bytes_s);
    worker_tell(lane->worker, m);
}

static void begin_action(struct house_source *s, struct parcel *p, const struct supply_action *a)
{
    p->id = a->id;
    p->doing = a->kind;
    p->is_cancelled = false;
    p->discards = a->discards;
    p->bytes = a->bytes;
    p->limit = a->limit;
    p->timeout_ms = a->timeout_ms;
    switch (a->kind) {
    case SUPPLY_LOOK: look(s, p); break;
    case SUPPLY_RESOLVE: p->needs = NEEDS_LANE; break;
    case SUPPLY_FETCH:
        p->percent = -1;
        free(p->growing);
        p->growing = NULL;
        begin(s, p);
        break;
    case SUPPLY_CHECK: p->needs = NEEDS_PROBE; break;
    default: publish(s, p); break;
    }
}

void work_begin(struct house_source *s, const struct supply_action *a)
{
    struct parcel *p = source_find(s, a->key);
    switch (a->kind) {
    case SUPPLY_EVICT: evict(s, a->id, a->bytes); break;
    case SUPPLY_REFUSE: refuse(s, a); break;
    case SUPPLY_CANCEL: cancel(s, a->id); break;
    case SUPPLY_LIMIT: limit(s, a->id, a->limit); break;
    default:
        if (p)
            begin_action(s, p, a);
        else
            supply_done(s->supply, a->id, &(struct supply_result){ .outcome = SUPPLY_CANCELLED },
                        now_mono_ns());
        break;
    }
}

void work_finish(struct house_source *s)
{
    for (int i = 0; i < SOURCE_LANES; i++)
        worker_close(s->lane[i].worker);
    worker_close(s->probe.worker);
    for (int i = 0; i < SOURCE_LANES; i++)
        s->lane[i].worker = NULL;
    s->probe.worker = NULL;
}
