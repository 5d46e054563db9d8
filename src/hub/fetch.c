#include "hub/fetch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "base/alloc.h"
#include "base/backoff.h"
#include "base/text.h"
#include "hub/secret.h"
#include "net/http_client.h"

#define TRIES         4
#define TIMEOUT_MS    60000
#define LIMIT_WAIT_MS ((int64_t)60000)

struct fetch {
    uv_loop_t loop;
    uv_timer_t timer;
    struct http_client *client;
    const char **header;
    size_t header_count;

    /* Of the request under way. */
    struct fetched *out;
    int64_t limit_wait_ms; /* -1: not said */
    bool is_done;
};

static const struct backoff_policy retry = {
    .first_ms = 500, .max_ms = 8000, .factor = 2, .jitter_percent = 50
};

static void on_client_closed(void *ctx)
{
    struct fetch *f = ctx;
    f->is_done = true;
}

int fetch_create(struct fetch **out, const struct fetch_params *p)
{
    struct fetch *f = xcalloc(1, sizeof(*f));
    int ret = uv_loop_init(&f->loop);
    if (ret < 0) {
        free(f);
        return ret;
    }
    uv_timer_init(&f->loop, &f->timer);
    f->header = xcalloc(p->header_count + 1, sizeof(*f->header));
    f->header_count = p->header_count;
    for (size_t i = 0; i < p->header_count; i++)
        f->header[i] = xstrdup(p->header[i]);
    ret = http_client_create(&f->client, &(struct http_client_params){
                                             .loop = &f->loop,
                                             .user_agent = "djamms-hub/" DJAMMS_VERSION,
                                             .answer_max = p->answer_max,
                                             .log = p->log,
                                         });
    if (ret < 0) {
        fetch_destroy(f);
        return ret;
    }
    *out = f;
    return 0;
}

void fetch_destroy(struct fetch *f)
{
    if (!f)
        return;
    f->is_done = !f->client;
    if (f->client)
        http_client_destroy(f->client, on_client_closed, f);
    uv_close((uv_handle_t *)&f->timer, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    uv_loop_close(&f->loop);
    for (size_t i = 0; i < f->header_count; i++)
        secret_free((char *)f->header[i]);
    free(f->header);
    free(f);
}

void fetched_finish(struct fetched *r)
{
    free(r->body); /* NOLINT(clang-analyzer-unix.Malloc) */
    *r = (struct fetched){ 0 };
}

static void on_done(void *ctx, const struct http_reply *reply)
{
    struct fetch *f = ctx;
    struct fetched *out = f->out;
    out->status = reply->status;
    out->body = xstrndup(reply->body, reply->len);
    out->len = strlen(out->body);
    text_clean(out->error, sizeof(out->error), reply->error);
    f->limit_wait_ms = -1;
    if (reply->limit_reset_s >= 0 && reply->date_s >= 0) /* both are the server's time */
        f->limit_wait_ms = (reply->limit_reset_s - reply->date_s + 1) * 1000;
    f->is_done = true;
}

static void on_timer(uv_timer_t *timer)
{
    struct fetch *f = timer->data;
    f->is_done = true;
}

static void run_until_done(struct fetch *f)
{
    while (!f->is_done)
        uv_run(&f->loop, UV_RUN_ONCE);
}

static void wait_ms(struct fetch *f, int64_t ms)
{
    f->is_done = false;
    f->timer.data = f;
    uv_timer_start(&f->timer, on_timer, (uint64_t)ms, 0);
    run_until_done(f);
}

static void get_once(struct fetch *f, const char *url)
{
    struct http_request_params p = { .method = "GET",
                                     .url = url,
                                     .header = f->header,
                                     .header_count = f->header_count,
                                     .timeout_ms = TIMEOUT_MS };
    f->is_done = false;
    http_client_start(f->client, &p, on_done, f);
    run_until_done(f);
}

static bool may_help(const struct fetched *r)
{
    return r->status == 0 || r->status == 408 || r->status == 429 || r->status >= 500;
}

void fetch_get(struct fetch *f, const char *url, struct fetched *out)
{
    *out = (struct fetched){ 0 };
    f->out = out;
    for (unsigned i = 0;; i++) {
        get_once(f, url);
        if (!may_help(out) || i + 1 == TRIES)
            return;
        uint32_t random;
        secret_random(&random, sizeof(random));
        int64_t wait = backoff_ms(&retry, i, random);
        if (out->status == 429 && f->limit_wait_ms >= 0)
            wait = clamp_i64(f->limit_wait_ms, wait, LIMIT_WAIT_MS);
        fetched_finish(out);
        wait_ms(f, wait);
    }
}
