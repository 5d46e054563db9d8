/* The health of the box: board and disks are looked at on the pool, for the firmware of some boards answers slowly. What
 * changes for the worse goes to the log at once, the figures of the time go there each hour, and all of them to the file
 * that a monitoring system reads. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/board.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/now.h"
#include "base/paths.h"
#include "player/board_watch.h"
#include "player/house_internal.h"
#include "wire/figures.h"
#include "wire/message.h"
#include "wire/metrics.h"

#define LOOK_MS   15000
#define RECORD_NS SECONDS(3600)

/* Bytes; -1: not known. */
struct disk {
    int64_t free, size;
};

struct look {
    struct board board;
    struct disk state, cache;
};

struct house_health {
    struct house *house;
    struct log log;
    const char *root;
    char *state_dir, *cache_dir, *metrics_file;

    uv_timer_t timer;
    bool has_timer, is_busy;
    uv_work_t work;
    struct look taking;     /* the pool thread's while is_busy */
    struct buf metrics;     /* so is this */
    int metrics_error;      /* of the last writing */
    bool has_metrics_error; /* and it was said */

    struct board_watch watch; /* of the looks up to the last one */
    struct disk state, cache; /* as they were then */
    int32_t hottest_mc;       /* since the last record; BOARD_UNKNOWN: not known */
    int64_t record_ns;        /* the next one */
};

/* ---- what is told ------------------------------------------------------------------------------- */

static void set_disk(struct message *m, const char *name, const struct disk *d)
{
    char field[32];
    snprintf(field, sizeof(field), "%s_free", name);
    if (d->free >= 0)
        message_set_i64(m, field, d->free);
    else
        message_set_null(m, field);
    snprintf(field, sizeof(field), "%s_size", name);
    if (d->size >= 0)
        message_set_i64(m, field, d->size);
    else
        message_set_null(m, field);
}

static void set_trouble(struct message *m, const char *name, const char *count_name,
                        const struct board *b, unsigned which, uint64_t count)
{
    if (!(b->known & which)) {
        message_set_null(m, name);
        message_set_null(m, count_name);
        return;
    }
    message_set_bool(m, name, b->now & which);
    message_set_i64(m, count_name, (int64_t)count);
}

struct message *house_health_message(const struct house *h)
{
    const struct house_health *e = h->health;
    if (!e || !e->watch.has_looked)
        return NULL;
    const struct board_watch *w = &e->watch;
    const struct board *b = &w->board;
    struct message *m = message_create();
    message_set_str(m, "board", *b->model ? b->model : NULL);
    message_set_f64(m, "temperature_c",
                    b->temperature_mc == BOARD_UNKNOWN ? NAN
                                                       : round(b->temperature_mc / 100.0) / 10);
    set_trouble(m, "undervoltage", "undervoltages", b, BOARD_UNDERVOLTAGE, w->undervoltages);
    set_trouble(m, "throttled", "throttlings", b, BOARD_SLOWED, w->throttlings);
    set_disk(m, "state", &e->state);
    set_disk(m, "cache", &e->cache);
    return m;
}

static struct message *status_of(struct house *h)
{
    struct command_world w = house_world(h);
    return answer_status(&w);
}

static void record(struct house_health *e)
{
    char text[FIGURES_TEXT_MAX];
    struct figures f;
    struct message *status = status_of(e->house);
    figures_of(&f, status);
    message_destroy(status);
    if (e->hottest_mc != BOARD_UNKNOWN)
        f.at[FIGURE_HOTTEST_C] = e->hottest_mc / 1000.0;
    log_info(&e->log, "%s", figures_text(&f, text, sizeof(text)));
    e->hottest_mc = e->watch.board.temperature_mc;
    e->record_ns = now_mono_ns() + RECORD_NS;
}

/* ---- what a look has found ---------------------------------------------------------------------- */

static void say_news(const struct house_health *e, unsigned news)
{
    char at[32] = "";
    int32_t mc = e->watch.board.temperature_mc;
    if (mc != BOARD_UNKNOWN)
        snprintf(at, sizeof(at), " at %.1f C", mc / 1000.0);
    if (news & NEWS_POWER_WEAK)
        log_warn(&e->log, "the power supply is too weak (undervoltage): take the board's own, with "
                          "a short cable");
    if (news & NEWS_POWER_GOOD)
        log_info(&e->log, "the power supply is strong enough again");
    if (news & NEWS_SLOW)
        log_warn(&e->log, "the processor is slowed down%s: it is too hot, or its power too weak",
                 at);
    if (news & NEWS_FAST)
        log_info(&e->log, "the processor is as fast as it can be again%s", at);
}

static void take(struct house_health *e)
{
    const struct board *b = &e->taking.board;
    say_news(e, board_watch_take(&e->watch, b));
    if (b->temperature_mc > e->hottest_mc) /* BOARD_UNKNOWN is less than all */
        e->hottest_mc = b->temperature_mc;
    e->state = e->taking.state;
    e->cache = e->taking.cache;
}

/* ---- the pool ----------------------------------------------------------------------------------- */

static void start(struct house_health *e, uv_work_cb run, uv_after_work_cb done)
{
    e->is_busy = true;
    uv_queue_work(&e->house->loop, &e->work, run, done);
}

static void publish(uv_work_t *work)
{
    struct house_health *e = work->data;
    e->metrics_error = file_publish(e->metrics_file, e->metrics.data, e->metrics.len);
}

static void have_published(uv_work_t *work, int status)
{
    struct house_health *e = work->data;
    e->is_busy = false;
    buf_consume(&e->metrics, e->metrics.len);
    if (e->metrics_error && !e->has_metrics_error)
        log_err(&e->log, "%s (metrics.file) cannot be written: %s", e->metrics_file,
                strerror(-e->metrics_error));
    e->has_metrics_error = e->metrics_error != 0;
}

static void write_metrics(struct house_health *e)
{
    struct message *status = status_of(e->house);
    int ret = metrics_write(&e->metrics, status);
    message_destroy(status);
    if (ret == 0)
        start(e, publish, have_published);
    else
        buf_consume(&e->metrics, e->metrics.len);
}

static struct disk disk_of(const char *path)
{
    struct statvfs fs;
    if (statvfs(path, &fs) < 0)
        return (struct disk){ -1, -1 };
    return (struct disk){ (int64_t)(fs.f_bavail * fs.f_frsize),
                          (int64_t)(fs.f_blocks * fs.f_frsize) };
}

static void look(uv_work_t *work)
{
    struct house_health *e = work->data;
    board_read(e->root, &e->taking.board);
    e->taking.state = disk_of(e->state_dir);
    e->taking.cache = disk_of(e->cache_dir);
}

static void have_looked(uv_work_t *work, int status)
{
    struct house_health *e = work->data;
    e->is_busy = false;
    if (status < 0 || e->house->is_stopping)
        return;
    take(e);
    if (now_mono_ns() >= e->record_ns)
        record(e);
    if (*e->metrics_file)
        write_metrics(e);
}

static void on_timer(uv_timer_t *timer)
{
    struct house_health *e = timer->data;
    if (!e->is_busy)
        start(e, look, have_looked);
}

/* ---- birth and end ------------------------------------------------------------------------------ */

void house_health_open(struct house *h, const struct house_params *p)
{
    const char *dir = p->config->cache.dir;
    struct house_health *e = h->health = xcalloc(1, sizeof(*e));
    e->house = h;
    e->log = log_child(&h->log, "health");
    e->root = p->root ? p->root : "";
    e->state_dir = xstrdup(p->state_dir);
    e->cache_dir = *dir ? xstrdup(dir) : path_cache_dir();
    e->metrics_file = xstrdup(p->config->metrics.file);
    e->hottest_mc = BOARD_UNKNOWN;
    buf_init(&e->metrics, METRICS_MAX);
}

void house_health_attach(struct house *h)
{
    struct house_health *e = h->health;
    e->timer.data = e->work.data = e;
    uv_timer_init(&h->loop, &e->timer);
    uv_timer_start(&e->timer, on_timer, 0, LOOK_MS);
    e->has_timer = true;
}

void house_health_finish(struct house *h)
{
    struct house_health *e = h->health;
    if (e->watch.has_looked)
        record(e);
    if (e->has_timer)
        uv_close((uv_handle_t *)&e->timer, NULL);
    e->has_timer = false;
}

void house_health_close(struct house *h)
{
    struct house_health *e = h->health;
    if (!e)
        return;
    if (*e->metrics_file)
        unlink(e->metrics_file); /* figures of nobody are none */
    buf_finish(&e->metrics);
    free(e->metrics_file);
    free(e->cache_dir);
    free(e->state_dir);
    free(e);
    h->health = NULL;
}
