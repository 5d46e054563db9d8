#include "source/canary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source/worker.h"
#include "wire/message.h"

#define STEP_MS  120000
#define LOOK_MS  20                    /* how often it is looked whether it starts at all */
#define ENOUGH   ((int64_t)16 * 1024)  /* bytes of a fetch that prove it */
#define RATE     ((int64_t)512 * 1024) /* bytes a second */
#define TEXT_MAX 8192
#define HELLO    "{\"request\":\"hello\"}"

struct canary {
    const struct canary_params *params;
    struct canary_report *report;
    struct worker *worker; /* NULL: it is over, and what is still answered says nothing */
    uv_timer_t look;
    size_t i; /* the item under way */
    bool has_bytes;
};

static void end(struct canary *c)
{
    struct worker *w = c->worker;
    c->worker = NULL;
    worker_close(w);
    uv_close((uv_handle_t *)&c->look, NULL);
}

static int64_t step_ms(const struct canary *c)
{
    return c->params->item_ms ? c->params->item_ms : STEP_MS;
}

static void ask(struct canary *c, struct message *m, worker_end_fn *on_end,
                worker_progress_fn *on_progress)
{
    int ret = worker_ask(c->worker, &(struct worker_request){ .message = m,
                                                              .deadline_ms = step_ms(c),
                                                              .on_end = on_end,
                                                              .on_progress = on_progress,
                                                              .ctx = c });
    if (ret < 0)
        end(c);
}

/* ---- items -------------------------------------------------------------------------------------- */

static void begin_item(struct canary *c);

static void note_failure(struct canary *c, enum worker_end how, const struct message *answer)
{
    struct canary_item *item = &c->report->item[c->i];
    struct failure_report r = { .exception = worker_end_exception(how) };
    char chain[TEXT_MAX], warnings[TEXT_MAX];
    if (answer)
        failure_report_read(answer, &r, chain, sizeof(chain), warnings, sizeof(warnings));
    item->failure = how == WORKER_TIMED_OUT ? FAILURE_TIMEOUT : failure_classify(&r);
    /* What follows asks people to tell the makers of it. */
    const char *said = r.message ? r.message : r.exception ? r.exception : "?";
    const char *plea = strstr(said, "; please report");
    size_t len = plea ? (size_t)(plea - said) : strlen(said);
    len -= len && said[len - 1] == '.';
    snprintf(item->why, sizeof(item->why), "%.*s.", (int)len, said);
}

static void end_item(struct canary *c, bool works)
{
    c->report->item[c->i].works = works;
    c->i++;
    begin_item(c);
}

static bool is_done(enum worker_end how, const struct message *answer)
{
    return how == WORKER_ANSWERED && strcmp(message_str(answer, "event", ""), "done") == 0;
}

static void on_bytes(void *ctx, const struct message *progress)
{
    struct canary *c = ctx;
    c->has_bytes |= message_i64(progress, "done", 0) >= ENOUGH;
    if (c->has_bytes)
        worker_cancel(c->worker);
}

static void on_fetched(void *ctx, enum worker_end how, const struct message *answer)
{
    struct canary *c = ctx;
    bool works = c->has_bytes || is_done(how, answer);
    if (!c->worker)
        return;
    if (!works)
        note_failure(c, how, answer);
    end_item(c, works);
}

static struct message *request(const struct canary *c, const char *name)
{
    struct message *m = message_create();
    message_set_str(m, "request", name);
    message_set_str(m, "url", c->params->item[c->i]);
    message_set_str(m, "profile", c->params->profile);
    message_set_bool(m, "is_guest", false);
    message_set_bool(m, "allows_list", true);
    return m;
}

static void on_resolved(void *ctx, enum worker_end how, const struct message *answer)
{
    struct canary *c = ctx;
    if (!c->worker)
        return;
    if (!is_done(how, answer)) {
        note_failure(c, how, answer);
        end_item(c, false);
        return;
    }
    struct message *m = request(c, "fetch");
    char name[32];
    snprintf(name, sizeof(name), "item-%zu", c->i);
    message_set_str(m, "folder", c->params->scratch);
    message_set_str(m, "name", name);
    message_set_i64(m, "rate_limit", RATE);
    c->has_bytes = false;
    ask(c, m, on_fetched, on_bytes);
}

static void begin_item(struct canary *c)
{
    if (c->i < c->params->item_count)
        ask(c, request(c, "resolve"), on_resolved, NULL);
    else
        end(c);
}

/* ---- itself ------------------------------------------------------------------------------------- */

static void on_hello(void *ctx, enum worker_end how, const struct message *answer)
{
    struct canary *c = ctx;
    struct canary_report *r = c->report;
    const char *version = message_str(answer, "yt_dlp", ""), *wanted = c->params->version;
    if (!c->worker)
        return;
    if (!is_done(how, answer))
        snprintf(r->why, sizeof(r->why), "It does not start (%s).",
                 answer ? message_str(answer, "message", "?") : worker_end_exception(how));
    else if (wanted && strcmp(version, wanted) != 0)
        snprintf(r->why, sizeof(r->why), "It is not version %s: what starts is %.40s.", wanted,
                 version);
    else if (!message_bool(answer, "is_warm", false))
        snprintf(r->why, sizeof(r->why), "It cannot even read a plain page of this machine.");
    else
        r->starts = true;
    if (r->starts)
        begin_item(c);
    else
        end(c);
}

/* A worker that does not start is started again and again; once is enough to know it. */
static void on_look(uv_timer_t *timer)
{
    struct canary *c = timer->data;
    struct worker_status s;
    worker_status(c->worker, &s);
    if (s.start_failures) {
        snprintf(c->report->why, sizeof(c->report->why), "It %s.", s.last_failure);
        c->report->starts = false;
        end(c);
    }
}

int canary_try(const struct canary_params *p, struct canary_report *out)
{
    struct canary c = { .params = p, .report = out };
    uv_loop_t loop;
    *out = (struct canary_report){ .starts = false };
    int ret = uv_loop_init(&loop);
    if (ret < 0)
        return ret;
    uv_timer_init(&loop, &c.look);
    c.look.data = &c;
    uv_timer_start(&c.look, on_look, LOOK_MS, LOOK_MS);
    c.worker = worker_create(&(struct worker_params){ .loop = &loop,
                                                      .log = p->log,
                                                      .argv = p->argv,
                                                      .scratch = p->scratch,
                                                      .greeting = HELLO,
                                                      .start_ms = STEP_MS });
    struct message *m = message_create();
    message_set_str(m, "request", "hello");
    ask(&c, m, on_hello, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    return uv_loop_close(&loop);
}
