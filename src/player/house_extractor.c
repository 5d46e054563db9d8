/* yt-dlp is kept up to date while the house plays. The work is done by `djamms extractor` in a process of its own, behind
 * all others; here is decided when. What came of it, also of one that was started by hand, is seen by the link to the
 * version in use: the workers are then replaced, each when it is idle. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/backoff.h"
#include "base/now.h"
#include "config/option.h"
#include "player/house_source.h"
#include "source/extractor_store.h"
#include "wire/message.h"

#define LOOK_MS      2000
#define FIRST_NS     SECONDS(30)       /* after the start of the house */
#define URGENT_NS    SECONDS(6 * 3600) /* between two updates because nothing can be fetched */
#define BACK_NS      SECONDS(60)       /* between two attempts to go back */
#define PROVEN_SONGS 5 /* fetched with a version, then what fails is no fault of its being new */
#define STARTS_MAX   2 /* that failed */
#define WHY_SIZE     300

/* After an update that failed; at most as long as between two others. */
static const struct backoff_policy again = {
    .first_ms = 900000, .max_ms = 86400000, .factor = 2, .jitter_percent = 20
};

struct house_extractor {
    struct house *house;
    struct log log;
    char *dir, *program, *state_dir;
    char **set;          /* options of the command: its settings are ours. NULL at the end */
    int64_t interval_ns; /* 0: it is not updated by itself */
    bool is_fixed;       /* the settings name another yt-dlp */

    uv_timer_t timer;
    bool has_timer;
    struct errand_process *process; /* NULL: none runs */
    int64_t update_ns;              /* the next one */
    int64_t urgent_ns, back_ns;     /* no earlier than that */
    unsigned failures;              /* of updates, in a row */

    /* The version in use; "": the system's. */
    char version[EXTRACTOR_VERSION_SIZE];
    bool is_proven;
    uint64_t fetched;              /* songs, before it */
    unsigned starts[SOURCE_LANES]; /* of workers, before it */
};

/* ---- the command -------------------------------------------------------------------------------- */

struct errand_process {
    uv_process_t process;
    struct house_extractor *extractor;
    bool is_update;
};

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void plan_update(struct house_extractor *e, bool is_good)
{
    uint32_t random = (uint32_t)(e->house->seed >> 16) ^ (uint32_t)now_mono_ns();
    e->failures = is_good ? 0 : e->failures + 1;
    int64_t wait_ns = e->interval_ns - e->interval_ns / 100 * (random % 20);
    if (!is_good)
        wait_ns = min_i64(wait_ns, MS(backoff_ms(&again, e->failures - 1, random)));
    e->update_ns = now_mono_ns() + wait_ns;
}

static void on_exit_of(uv_process_t *process, int64_t status, int signal)
{
    struct errand_process *p = process->data;
    struct house_extractor *e = p->extractor;
    e->process = NULL;
    if (p->is_update)
        plan_update(e, status == 0 && signal == 0);
    uv_close((uv_handle_t *)process, on_closed);
}

/* djamms extractor WORD [WHY]; what it says goes to the log. */
static void run(struct house_extractor *e, const char *word, const char *why)
{
    size_t n = 0, sets = 0;
    while (e->set[sets])
        sets++;
    char **argv = xcalloc(sets + 9, sizeof(*argv));
    argv[n++] = e->program;
    argv[n++] = (char *)"extractor";
    argv[n++] = (char *)word;
    if (why)
        argv[n++] = (char *)why;
    argv[n++] = (char *)"--state-dir";
    argv[n++] = e->state_dir;
    argv[n++] = (char *)"--config";
    argv[n++] = (char *)"/dev/null";
    memcpy(argv + n, e->set, sets * sizeof(*argv));
    uv_stdio_container_t stdio[] = {
        { .flags = UV_IGNORE },
        { .flags = UV_INHERIT_FD, .data.fd = 2 },
        { .flags = UV_INHERIT_FD, .data.fd = 2 },
    };
    struct errand_process *p = e->process = xcalloc(1, sizeof(*p));
    p->process.data = p;
    p->extractor = e;
    p->is_update = !why;
    int ret = uv_spawn(&e->house->loop, &p->process,
                       &(uv_process_options_t){ .exit_cb = on_exit_of,
                                                .file = argv[0],
                                                .args = argv,
                                                .stdio = stdio,
                                                .stdio_count = ARRAY_LEN(stdio) });
    free(argv);
    if (ret == 0)
        return;
    log_warn(&e->log, "%s cannot be started: %s", e->program, uv_strerror(ret));
    on_exit_of(&p->process, 1, 0);
}

/* ---- the version in use ------------------------------------------------------------------------- */

static void note_version(struct house_extractor *e)
{
    const struct house_source *s = e->house->source;
    struct worker_status w;
    e->is_proven = *e->version && extractor_is_proven(e->dir, e->version);
    e->fetched = s->fetched;
    for (int i = 0; i < SOURCE_LANES; i++) {
        if (s->lane[i].worker)
            worker_status(s->lane[i].worker, &w);
        e->starts[i] = s->lane[i].worker ? w.starts : 0;
    }
}

/* What could not be had with the former one is tried again. */
static void renew(struct house_source *s)
{
    int64_t now_ns = now_mono_ns();
    breaker_init(&s->trouble.tool, BREAKER_TOOL);
    trouble_tell(&s->trouble, s->supply, now_ns);
    for (int i = 0; i < SOURCE_LANES; i++)
        if (s->lane[i].worker)
            worker_replace(s->lane[i].worker);
    supply_retry(s->supply, NULL, now_ns);
    source_pump(s);
}

static void follow(struct house_extractor *e)
{
    char version[EXTRACTOR_VERSION_SIZE];
    if (!extractor_linked(e->dir, EXTRACTOR_CURRENT, version))
        version[0] = '\0';
    if (strcmp(version, e->version) == 0)
        return;
    memcpy(e->version, version, sizeof(version));
    log_info(&e->log, "yt-dlp: %s is used from now on", *version ? version : "the system's own");
    note_version(e);
    renew(e->house->source);
}

/* It is what a worker has loaded, not an older one than the system's. */
static bool is_loaded(const struct house_extractor *e)
{
    const struct worker *w = source_worker(e->house->source);
    struct worker_status status;
    if (!w || !*e->version)
        return false;
    worker_status(w, &status);
    char *part = xasprintf("/%s/", e->version);
    bool is = strstr(message_str(status.greeted, "yt_dlp_path", ""), part) != NULL;
    free(part);
    return is;
}

static void prove(struct house_extractor *e)
{
    if (e->is_proven || e->house->source->fetched - e->fetched < PROVEN_SONGS || !is_loaded(e))
        return;
    e->is_proven = true;
    int ret = extractor_prove(e->dir, e->version);
    if (ret < 0)
        log_warn(&e->log, "%s: %s", e->dir, strerror(-ret));
}

/* ---- what is to be done ------------------------------------------------------------------------- */

/* The failure of a worker that does not start with it; NULL: they do. */
static bool does_not_start(const struct house_extractor *e, char why[WHY_SIZE])
{
    const struct house_source *s = e->house->source;
    struct worker_status w;
    for (int i = 0; i < SOURCE_LANES; i++) {
        if (!s->lane[i].worker)
            continue;
        worker_status(s->lane[i].worker, &w);
        if (w.start_failures >= STARTS_MAX && w.starts - e->starts[i] >= STARTS_MAX) {
            snprintf(why, WHY_SIZE, "The worker %.200s.", w.last_failure);
            return true;
        }
    }
    return false;
}

/* The tool failed with several songs, and it is new: most likely by its own fault. That songs are gone may be true. */
static bool fails_in_use(const struct house_extractor *e, char why[WHY_SIZE])
{
    const struct breaker *b = &e->house->source->trouble.tool;
    if (!b->is_open || b->reason == FAILURE_REMOVED || e->is_proven || !is_loaded(e))
        return false;
    snprintf(why, WHY_SIZE, "It failed in use: %.200s", failure_traits(b->reason)->staff);
    return true;
}

static void act(struct house_extractor *e)
{
    int64_t now_ns = now_mono_ns();
    char why[WHY_SIZE];
    bool is_dead = does_not_start(e, why);
    bool is_bad = *e->version && (is_dead || fails_in_use(e, why));
    bool is_broken = is_dead || e->house->source->trouble.tool.is_open;
    if (is_bad && now_ns >= e->back_ns) {
        e->back_ns = now_ns + BACK_NS;
        log_warn(&e->log, "yt-dlp %s is taken back. %s", e->version, why);
        run(e, "rollback", why);
    } else if (e->interval_ns && is_broken && now_ns >= e->urgent_ns) {
        e->urgent_ns = now_ns + URGENT_NS;
        run(e, "update", NULL);
    } else if (e->interval_ns && now_ns >= e->update_ns) {
        run(e, "update", NULL);
    }
}

static void on_look(uv_timer_t *timer)
{
    struct house_extractor *e = timer->data;
    if (e->house->is_stopping)
        return;
    follow(e);
    prove(e);
    if (!e->process && !e->is_fixed)
        act(e);
}

/* ---- its life ----------------------------------------------------------------------------------- */

/* The settings that the command needs, as it would not find those of our own command line. */
static char **make_sets(const struct config *c)
{
    static const char *const sections[] = { "extractor.", "fetch.", "youtube." };
    char **set = xcalloc(2 * option_count() + 1, sizeof(*set)), value[OPTION_TEXT_MAX + 1];
    size_t n = 0;
    for (size_t i = 0; i < option_count() * ARRAY_LEN(sections); i++) {
        const struct option *o = option_at(i / ARRAY_LEN(sections));
        const char *section = sections[i % ARRAY_LEN(sections)];
        if (strncmp(o->name, section, strlen(section)) != 0)
            continue;
        set[n++] = xstrdup("--set");
        set[n++] = xasprintf("%s=%s", o->name, option_value(o, c, value, sizeof(value)));
    }
    return set;
}

void house_extractor_open(struct house *h, const struct house_params *p)
{
    const struct config *c = p->config;
    struct house_extractor *e = h->extractor = xcalloc(1, sizeof(*e));
    e->house = h;
    e->log = h->log;
    e->state_dir = xstrdup(p->state_dir);
    e->dir = extractor_dir(p->state_dir);
    e->program = program_beside("djamms");
    e->set = make_sets(c);
    e->is_fixed = *c->fetch.yt_dlp;
    if (*c->extractor.channel && !e->is_fixed)
        e->interval_ns = SECONDS(c->extractor.check_hours * (int64_t)3600);
    if (!extractor_linked(e->dir, EXTRACTOR_CURRENT, e->version))
        e->version[0] = '\0';
}

void house_extractor_attach(struct house *h)
{
    struct house_extractor *e = h->extractor;
    uv_timer_init(&h->loop, &e->timer);
    e->timer.data = e;
    e->has_timer = true;
    e->update_ns = now_mono_ns() + FIRST_NS;
    note_version(e);
    uv_timer_start(&e->timer, on_look, LOOK_MS, LOOK_MS);
}

void house_extractor_finish(struct house *h)
{
    struct house_extractor *e = h->extractor;
    if (!e || !e->has_timer)
        return;
    e->has_timer = false;
    uv_close((uv_handle_t *)&e->timer, NULL);
    if (e->process) /* whenever it dies, a version that works is in use */
        uv_process_kill(&e->process->process, SIGKILL);
}

void house_extractor_close(struct house *h)
{
    struct house_extractor *e = h->extractor;
    if (!e)
        return;
    for (char **s = e->set; *s; s++)
        free(*s);
    free(e->set);
    free(e->program);
    free(e->state_dir);
    free(e->dir);
    free(e);
    h->extractor = NULL;
}
