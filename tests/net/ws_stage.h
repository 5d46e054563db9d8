/* A client, its loop and a server, and what came of one socket. */
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

#include "base/buf.h"
#include "base/compiler.h"
#include "base/now.h"
#include "net/certificate.h"
#include "net/script_server.h"
#include "net/ws_client.h"
#include "support/texts.h"

#define TEXT_MAX ((size_t)1 << 20)

/* ---- the stage ---------------------------------------------------------------------------------- */

struct stage {
    uv_loop_t loop;
    struct ws_client *client;
    struct ws_socket *socket; /* closed by on_gone() */
    struct script_server *server;
    bool is_closed;
    int64_t begun_ns;
    int opened, gone, status;
    char why[200];
    int texts;
    struct buf text; /* the last one */
    const char *first_text;
    bool is_destroying; /* by the first text */
};

static inline void note_closed(void *ctx)
{
    *(bool *)ctx = true;
}

static inline void on_open(void *ctx)
{
    struct stage *s = ctx;
    s->opened++;
    if (s->first_text)
        ws_socket_send(s->socket, s->first_text, strlen(s->first_text));
}

static inline void on_text(void *ctx, const char *text, size_t len, int64_t came_ns)
{
    struct stage *s = ctx;
    assert_true(came_ns >= s->begun_ns && came_ns <= now_mono_ns());
    s->texts++;
    assert_int_equal(s->opened, 1);
    assert_int_equal(text[len], '\0');
    buf_consume(&s->text, s->text.len);
    assert_int_equal(buf_append(&s->text, text, len), 0);
    if (s->is_destroying && s->client) {
        ws_client_destroy(s->client, note_closed, &s->is_closed);
        s->client = NULL;
    }
}

static inline void on_gone(void *ctx, int status, const char *why)
{
    struct stage *s = ctx;
    s->gone++;
    s->status = status;
    snprintf(s->why, sizeof(s->why), "%s", why);
    ws_socket_close(s->socket);
    s->socket = NULL;
}

static const struct ws_callbacks callbacks = { on_open, on_text, on_gone };

static inline void open_stage(struct stage *s, void (*serve)(struct script_peer *peer),
                              SSL_CTX *tls, struct ws_client_params p)
{
    *s = (struct stage){ .begun_ns = now_mono_ns() };
    buf_init(&s->text, TEXT_MAX);
    assert_int_equal(uv_loop_init(&s->loop), 0);
    p.loop = &s->loop;
    assert_int_equal(ws_client_create(&s->client, &p), 0);
    if (serve)
        s->server = script_server_start(serve, s, tls);
}

/* Also shows that nothing of the client is left in the loop. */
static inline void close_stage(struct stage *s)
{
    if (s->client)
        ws_client_destroy(s->client, note_closed, &s->is_closed);
    assert_int_equal(uv_run(&s->loop, UV_RUN_DEFAULT), 0);
    assert_true(s->is_closed);
    assert_int_equal(uv_loop_close(&s->loop), 0);
    if (s->server)
        script_server_stop(s->server);
    buf_finish(&s->text);
}

static inline void dial_at(struct stage *s, const char *host, int port, struct ws_open_params p)
{
    char url[200];
    snprintf(url, sizeof(url), "%s://%s:%d/v1/realtime?project=bar&channels%%5B%%5D=a.b&jwt=SECRET",
             s->server && s->server->tls ? "wss" : "ws", host, port);
    p.url = p.url ? p.url : url;
    p.callbacks = &callbacks;
    p.ctx = s;
    s->socket = ws_client_open(s->client, &p);
}

static inline void dial(struct stage *s)
{
    dial_at(s, "127.0.0.1", s->server->port, (struct ws_open_params){ 0 });
}

static inline void wait_for(struct stage *s, const int *count, int wanted)
{
    while (*count < wanted)
        uv_run(&s->loop, UV_RUN_ONCE);
}
