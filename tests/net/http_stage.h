/* A client, its loop and a server, and what came of requests. */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#include <signal.h>

#include "base/alloc.h"
#include "base/compiler.h"
#include "net/certificate.h"
#include "net/http_client.h"
#include "net/script_server.h"
#include "support/texts.h"

/* ---- the stage ---------------------------------------------------------------------------------- */

struct answer {
    int count; /* how often done() was called */
    int status;
    char error[300], location[100], cookie[100];
    char *body;
    size_t len;
    int64_t date_s, limit_reset_s;
};

struct stage {
    uv_loop_t loop;
    struct http_client *client;
    struct script_server *server;
    struct answer answer;
    bool is_closed;
};

static inline void note_closed(void *ctx)
{
    *(bool *)ctx = true;
}

static inline void keep_answer(void *ctx, const struct http_reply *r)
{
    struct answer *a = ctx;
    a->count++;
    a->status = r->status;
    snprintf(a->error, sizeof(a->error), "%s", r->error);
    snprintf(a->location, sizeof(a->location), "%s", r->location);
    snprintf(a->cookie, sizeof(a->cookie), "%s", r->cookie);
    free(a->body);
    a->body = xstrndup(r->body, r->len);
    a->len = r->len;
    a->date_s = r->date_s;
    a->limit_reset_s = r->limit_reset_s;
}

static inline void open_stage(struct stage *s, void (*serve)(struct script_peer *peer),
                              const struct http_client_params *like, SSL_CTX *tls)
{
    *s = (struct stage){ 0 };
    assert_int_equal(uv_loop_init(&s->loop), 0);
    struct http_client_params p = like ? *like : (struct http_client_params){ 0 };
    p.loop = &s->loop;
    p.user_agent = "a jukebox";
    assert_int_equal(http_client_create(&s->client, &p), 0);
    if (serve)
        s->server = script_server_start(serve, s, tls);
}

/* Also shows that nothing of the client is left in the loop. */
static inline void close_stage(struct stage *s)
{
    if (s->client)
        http_client_destroy(s->client, note_closed, &s->is_closed);
    assert_int_equal(uv_run(&s->loop, UV_RUN_DEFAULT), 0);
    assert_true(s->is_closed);
    assert_int_equal(uv_loop_close(&s->loop), 0);
    if (s->server)
        script_server_stop(s->server);
    free(s->answer.body);
}

static inline struct http_request *start_at(struct stage *s, const char *host, int port,
                                            const char *path, struct http_request_params p,
                                            struct answer *to)
{
    char url[300];
    snprintf(url, sizeof(url), "%s://%s:%d%s", s->server && s->server->tls ? "https" : "http", host,
             port, path);
    p.url = url;
    p.method = p.method ? p.method : "GET";
    return http_client_start(s->client, &p, keep_answer, to);
}

static inline struct http_request *start(struct stage *s, const char *path,
                                         struct http_request_params p, struct answer *to)
{
    return start_at(s, "127.0.0.1", s->server->port, path, p, to);
}

static inline void wait_answers(struct stage *s, const struct answer *a, int count)
{
    while (a->count < count)
        uv_run(&s->loop, UV_RUN_ONCE);
}

static inline struct answer *ask(struct stage *s, const char *path, struct http_request_params p)
{
    int count = s->answer.count;
    start(s, path, p, &s->answer);
    wait_answers(s, &s->answer, count + 1);
    return &s->answer;
}
