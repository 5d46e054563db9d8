/* The parts of a hub on a database in memory, without a server: requests go in and answers come out as plain data, and
 * sockets are lists of what was sent to them. */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <setjmp.h>
#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "hub/api.h"
#include "hub/hub_changes.h"
#include "hub/realtime.h"
#include "hub/schema.h"
#include "store/database.h"
#include "wire/message.h"
#include "support/texts.h"

#define RIG_SENT_MAX 64

struct rig_socket {
    char *sent[RIG_SENT_MAX];
    size_t count;
    int close_code; /* 0: open */
};

static const struct log rig_log = { "test", LOG_WARNING };

struct rig {
    char dir[64];
    struct database *database;
    struct documents *documents;
    struct accounts *accounts;
    struct functions *functions;
    struct realtime *realtime;
    struct api *api;
    struct hub_changes changes;
    int64_t now_ms;
    unsigned kept, undone, claimed; /* calls of on_end, on_claimed */
    struct caller caller;           /* of sockets opened by rig_open() */
    char session[SECRET_TEXT_MAX];  /* of the user u@bar.example, label staff, "correct horse" */
    char key[SECRET_TEXT_MAX];
};

static inline int64_t rig_wall_ms(void *ctx)
{
    return ((struct rig *)ctx)->now_ms;
}

static inline void rig_send(void *ctx, void *socket, const char *text, size_t len)
{
    struct rig_socket *s = socket;
    assert_true(s->count < RIG_SENT_MAX);
    s->sent[s->count++] = xstrndup(text, len);
}

static inline void rig_close(void *ctx, void *socket, int code, const char *reason)
{
    ((struct rig_socket *)socket)->close_code = code;
}

static inline void rig_on_change(void *ctx, const struct change *c)
{
    hub_changes_add(&((struct rig *)ctx)->changes, c);
}

static inline void rig_tell(void *ctx, const struct change *c)
{
    realtime_publish(((struct rig *)ctx)->realtime, c);
}

static inline void rig_on_end(void *ctx, bool is_kept)
{
    struct rig *r = ctx;
    r->kept += is_kept;
    r->undone += !is_kept;
    hub_changes_take(&r->changes, is_kept ? rig_tell : NULL, r);
}

static inline void rig_on_claimed(void *ctx)
{
    ((struct rig *)ctx)->claimed++;
}

/* Only this account, key and venue are there. */
static inline void rig_furnish(struct rig *r)
{
    struct api_error e;
    struct message *session = NULL;
    assert_true(documents_ensure_venue(r->documents, "bar", NULL, &e));
    assert_true(
        accounts_add_user(r->accounts, "u@bar.example", "correct horse", "staff", NULL, &e));
    assert_true(accounts_sign_in(r->accounts, "u@bar.example", "correct horse", "127.0.0.1",
                                 &session, r->session, &e));
    message_destroy(session);
    assert_true(accounts_add_key(r->accounts, "test", r->key, &e));
    assert_int_equal(database_commit(r->database), 0);
    hub_changes_take(&r->changes, NULL, NULL);
}

static inline int rig_setup(void **state)
{
    struct rig *r = xcalloc(1, sizeof(*r));
    snprintf(r->dir, sizeof(r->dir), "%s/djamms-hub-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(r->dir));
    char *path = xasprintf("%s/hub.db", r->dir);
    assert_int_equal(database_open(&r->database, path, hub_migrations(), &rig_log), 0);
    free(path);
    r->now_ms = 1760000000000;
    r->documents = documents_create(&(struct documents_params){ .database = r->database,
                                                                .database_id = "db",
                                                                .wall_ms = rig_wall_ms,
                                                                .on_change = rig_on_change,
                                                                .ctx = r });
    r->accounts = accounts_create(&(struct accounts_params){ .database = r->database,
                                                             .project_id = "prj",
                                                             .documents = r->documents,
                                                             .wall_ms = rig_wall_ms,
                                                             .ctx = r });
    r->functions = functions_create(
        &(struct functions_params){ .documents = r->documents, .wall_ms = rig_wall_ms, .ctx = r });
    r->realtime = realtime_create(&(struct realtime_params){ .project_id = "prj",
                                                             .database_id = "db",
                                                             .accounts = r->accounts,
                                                             .wall_ms = rig_wall_ms,
                                                             .send = rig_send,
                                                             .close = rig_close,
                                                             .ctx = r });
    r->api = api_create(&(struct api_params){ .project_id = "prj",
                                              .database_id = "db",
                                              .origins = "app.example",
                                              .database = r->database,
                                              .documents = r->documents,
                                              .accounts = r->accounts,
                                              .functions = r->functions,
                                              .wall_ms = rig_wall_ms,
                                              .on_end = rig_on_end,
                                              .on_claimed = rig_on_claimed,
                                              .ctx = r });
    rig_furnish(r);
    *state = r;
    return 0;
}

static inline int rig_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

static inline int rig_teardown(void **state)
{
    struct rig *r = *state;
    api_destroy(r->api);
    realtime_destroy(r->realtime);
    functions_destroy(r->functions);
    accounts_destroy(r->accounts);
    documents_destroy(r->documents);
    database_close(r->database);
    hub_changes_finish(&r->changes);
    nftw(r->dir, rig_remove, 8, FTW_DEPTH | FTW_PHYS);
    free(r);
    return 0;
}

/* ---- requests ------------------------------------------------------------------------------------ */

struct rig_answer {
    int status;
    char *body;           /* "" when there is none */
    char *type;           /* Content-Type; NULL: none */
    char *headers;        /* "Name: value" lines */
    struct message *json; /* NULL: the body is none */
};

struct rig_request {
    const char *const *header; /* name, value, ..., NULL */
};

static inline const char *rig_header(void *ctx, const char *name)
{
    const struct rig_request *q = ctx;
    for (size_t i = 0; q->header && q->header[i]; i += 2) {
        if (strcasecmp(q->header[i], name) == 0)
            return q->header[i + 1];
    }
    return NULL;
}

/* `path` with its query; `header` as above, may be NULL: then it is the project alone. */
static inline struct rig_answer rig_ask(struct rig *r, enum http_method method, const char *path,
                                        const char *body, const char *const header[])
{
    static const char *const plain[] = { "X-Appwrite-Project", "prj", NULL };
    struct rig_request request = { header ? header : plain };
    const char *query = strchr(path, '?');
    char *only = xstrndup(path, query ? (size_t)(query - path) : strlen(path));
    struct api_reply reply;
    api_answer(r->api,
               &(struct api_request){ .method = method,
                                      .path = only,
                                      .query = query ? query + 1 : "",
                                      .peer = "127.0.0.1",
                                      .body = body ? body : "",
                                      .body_len = body ? strlen(body) : 0,
                                      .header = rig_header,
                                      .ctx = &request },
               &reply);
    const struct http_answer *a = &reply.answer;
    struct rig_answer out = { .status = a->status,
                              .type = xstrdup(a->content_type),
                              .body = a->content_type ? xstrndup(a->body, a->len) : xstrdup(""),
                              .headers = xstrdup("") };
    for (size_t i = 0; i < a->header_count; i++) {
        char *more = xasprintf("%s%s: %s\n", out.headers, a->header[i].name, a->header[i].value);
        free(out.headers);
        out.headers = more;
    }
    out.json = message_parse(out.body, strlen(out.body), NULL, 0);
    api_reply_finish(&reply);
    free(only);
    assert_int_equal(database_commit(r->database), 0);
    return out;
}

static inline void rig_answer_finish(struct rig_answer *a)
{
    free(a->body);
    free(a->type);
    free(a->headers);
    message_destroy(a->json);
}

/* ---- sockets ------------------------------------------------------------------------------------- */

static inline struct realtime_client *rig_open(struct rig *r, struct rig_socket *s,
                                               const char *query)
{
    *s = (struct rig_socket){ 0 };
    return realtime_open(
        r->realtime,
        &(struct realtime_opening){ .socket = s, .query_string = query, .caller = &r->caller });
}

static inline void rig_say(struct rig *r, struct realtime_client *c, const char *text)
{
    realtime_text(r->realtime, c, text, strlen(text));
}

/* The last thing that was sent; the caller destroys it. */
static inline struct message *rig_last(const struct rig_socket *s)
{
    assert_true(s->count > 0);
    struct message *m =
        message_parse(s->sent[s->count - 1], strlen(s->sent[s->count - 1]), NULL, 0);
    assert_non_null(m);
    return m;
}

/* Forgets what was sent. */
static inline void rig_forget(struct rig_socket *s)
{
    for (size_t i = 0; i < s->count; i++)
        free(s->sent[i]);
    s->count = 0;
}

static inline void rig_hang_up(struct rig *r, struct rig_socket *s, struct realtime_client *c)
{
    realtime_closed(r->realtime, c);
    rig_forget(s);
}
