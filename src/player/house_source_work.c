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
#define LOOKS_MAX   3 /* at one file, when what looks dies or does not answer */
#define TRIES_MAX   2 /* starts of a helper that failed in a row; nobody waits longer for it */

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
    learn_text(&m->profile, p->source->profile->name);
    learn_text(&m->extractor, message_str(answer, "extractor", NULL));
    m->height = (int)clamp_i64(message_i64(answer, "height", 0), 0, INT16_MAX);
    if (isfinite(seconds) && seconds > 0 && seconds <= TRACK_MAX_DURATION_S)
        m->duration_s = seconds;
    p->is_known = p->source->has_names = true;
}

static void have_resolved(struct parcel *p, const struct message *answer)
{
    learn(p, answer);
    p->is_live = message_bool(answer, "is_live", false);
    struct supply_result r = {
        .outcome = SUPPLY_OK,
        .is_live = p->is_live,
        .bytes = (uint64_t)max_i64(message_i64(answer, "filesize", 0), 0),
        .duration_s = p->meta.duration_s,
        .can_grow = p->is_live || message_bool(answer, "is_single_file", false),
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
    if (p->growing || p->is_live)
        learn_text(&p->growing, path);
    p->is_over = p->is_live;
    return true;
}

static void have_fetched(struct parcel *p, const struct message *answer)
{
    learn(p, answer);
    if (take_file(p, answer))
        source_succeeded(p);
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
        errand_pause(s, p->key);
}

/* The lane is idle again. NULL: nobody waits for what it had. */
static struct parcel *take_back(struct source_lane *lane)
{
    struct house_source *s = lane->source;
    struct parcel *p = source_find_action(s, lane->id);
    lane->id = 0;
    return s->house->is_stopping ? NULL : p;
}

static void on_end(void *ctx, enum worker_end end, const struct message *answer)
{
    struct house_source *s = ((struct source_lane *)ctx)->source;
    struct parcel *p = take_back(ctx);
    if (!p)
        return;
    bool is_done = end == WORKER_ANSWERED && strcmp(message_str(answer, "event", ""), "done") == 0;
    if (!is_done)
        let_go(s, p);
    if (is_done && p->doing != SUPPLY_FETCH)
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
    struct parcel *p = source_find_action(s, lane->id);
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
        in_hand_s = message_f64(m, "in_hand_s", in_hand_s);
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

const struct worker *source_worker(const struct house_source *s)
{
    const struct worker *first = NULL;
    for (int i = 0; i < SOURCE_LANES; i++) {
        struct worker_status w = { 0 };
        if (s->lane[i].worker)
            worker_status(s->lane[i].worker, &w);
        if (w.greeted)
            return s->lane[i].worker;
        first = first ? first : s->lane[i].worker;
    }
    return first;
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

/* Subtitles that people made; captions made by a machine are not asked for. */
static void ask_for_subtitles(struct message *m, const char *languages)
{
    message_set_array(m, "subtitles");
    for (const char *at = languages; *at;) {
        at += strspn(at, ", ");
        size_t len = strcspn(at, ", ");
        char *language = xstrndup(at, len);
        if (len > 0)
            message_append_str(m, "subtitles", language);
        free(language);
        at += len;
    }
}

static struct message *fetch_message(const struct parcel *p)
{
    const struct house_source *s = p->source;
    struct message *m = message_create();
    bool fetches = p->doing == SUPPLY_FETCH;
    message_set_str(m, "request", fetches ? "fetch" : "resolve");
    message_set_str(m, "url", p->url);
    message_set_str(m, "profile", s->profile->name);
    /* Into this house's own network leads nothing but what its staff named. */
    message_set_bool(m, "is_guest", !p->is_trusted);
    if (s->live_minutes && !p->is_guests)
        message_set_bool(m, "allows_live", true);
    if (p->is_guests && s->max_minutes)
        message_set_i64(m, "max_duration_s", s->max_minutes * (int64_t)60);
    if (!fetches)
        return m;
    message_set_str(m, "folder", p->folder);
    message_set_str(m, "name", FILE_NAME);
    ask_for_subtitles(m, s->languages);
    if (p->is_live)
        message_set_i64(m, "max_live_s", s->live_minutes * (int64_t)60);
    if (p->is_live || s->max_mb)
        message_set_i64(m, "max_bytes",
                        p->is_live ? (int64_t)s->live_bytes : s->max_mb * (int64_t)1000000);
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

/* A probe that was killed, or for which there was no memory, has said nothing of the file. */
static void look_again(struct house_source *s, struct parcel *p, enum worker_end end)
{
    bool is_last = ++p->looks == LOOKS_MAX;
    log_warn(&s->log, "%s: what came could not be looked at: %s%s", p->url,
             worker_end_exception(end), is_last ? "" : "; once more");
    if (is_last) {
        source_failed(s, p, FAILURE_CHECK, 0);
        return;
    }
    p->needs = NEEDS_PROBE;
    source_pump(s);
}

static void on_checked(void *ctx, enum worker_end end, const struct message *answer)
{
    struct house_source *s = ((struct source_lane *)ctx)->source;
    struct parcel *p = take_back(ctx);
    if (!p)
        return;
    if (end != WORKER_ANSWERED) {
        look_again(s, p, end);
        return;
    }
    if (message_bool(answer, "ok", false)) {
        source_succeeded(p);
        return;
    }
    log_warn(&s->log, "%s: what came is not whole: %s", p->url, message_str(answer, "error", "?"));
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

/* The one that resolved it has what it fetches at hand. A worker that is to be started takes longer than a name. */
static struct source_lane *idle_lane(struct house_source *s, const struct parcel *p)
{
    struct source_lane *idle = NULL;
    bool is_naming = false;
    if (p->lane && !p->lane->id)
        return p->lane;
    for (int i = SOURCE_LANES; i-- > 0;) {
        const struct parcel *has = source_find_action(s, s->lane[i].id);
        is_naming |= has && has->doing == SUPPLY_NAME;
        if (!s->lane[i].id && (!idle || s->lane[i].worker))
            idle = &s->lane[i];
    }
    return idle && !idle->worker && is_naming ? NULL : idle;
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
        struct parcel *p = source_find_action(s, s->lane[i].id);
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
    struct parcel *p = source_find_action(s, id);
    struct source_lane *lane = lane_of(s, id);
    if (p)
        p->is_cancelled = true;
    if (lane)
        worker_cancel(lane->worker);
}

static void limit(struct house_source *s, uint64_t id, uint64_t bytes_s)
{
    struct parcel *p = source_find_action(s, id);
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

/* Of a live stream nothing is kept. */
static void drop(struct house_source *s, const char *key)
{
    struct parcel *p = source_find(s, key);
    if (p)
        p->is_started = false;
    errand_abandon(s, key);
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
    case SUPPLY_LOOK: errand_look(s, p); break;
    case SUPPLY_RESOLVE:
    case SUPPLY_NAME: p->needs = NEEDS_LANE; break;
    case SUPPLY_FETCH:
        p->percent = -1;
        p->is_over = false;
        free(p->growing);
        p->growing = NULL;
        errand_begin(s, p);
        break;
    case SUPPLY_CHECK:
        p->looks = 0;
        p->needs = NEEDS_PROBE;
        break;
    default: errand_publish(s, p); break;
    }
}

void work_begin(struct house_source *s, const struct supply_action *a)
{
    struct parcel *p = source_find(s, a->key);
    switch (a->kind) {
    case SUPPLY_EVICT: errand_evict(s, a->id, a->bytes); break;
    case SUPPLY_REFUSE: errand_refuse(s, a); break;
    case SUPPLY_CANCEL: cancel(s, a->id); break;
    case SUPPLY_LIMIT: limit(s, a->id, a->limit); break;
    case SUPPLY_DROP: drop(s, a->key); break;
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
