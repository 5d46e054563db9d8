#include "hub/functions.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/compiler.h"
#include "base/now.h"
#include "hub/datetime.h"
#include "hub/functions_internal.h"
#include "hub/id.h"

/* Names, and the ids under which the deployed system has them. */
static const struct {
    const char *name, *id;
    function_run *run;
} functions[] = {
    { "player-registry", "68e5a41f00222cab705b", registry_run },
    { "processRequest", "68e5acf100104d806321", request_run },
};

struct functions *functions_create(const struct functions_params *p)
{
    struct functions *f = xcalloc(1, sizeof(*f));
    struct steady_clock_source source = { p->wall_ms, p->mono_ns, p->ctx };
    f->documents = p->documents;
    steady_clock_init(&f->clock, &source, 0);
    return f;
}

void functions_destroy(struct functions *f)
{
    free(f);
}

/* ---- what the functions share ------------------------------------------------------------------ */

bool function_refuse(struct function_reply *r, int status, const char *fmt, ...)
{
    char text[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    r->status = status;
    r->body = message_create();
    message_set_bool(r->body, "success", false);
    message_set_str(r->body, "error", text);
    return true;
}

/* Takes `m`. */
static bool add_query(struct query *q, const struct collection *c, struct message *m,
                      struct api_error *e)
{
    char *text = message_text(m, false);
    bool is_good = query_add(q, c, text, e);
    free(text);
    message_destroy(m);
    return is_good;
}

static struct message *query_message(const char *method, const char *attribute)
{
    struct message *m = message_create();
    message_set_str(m, "method", method);
    if (attribute)
        message_set_str(m, "attribute", attribute);
    return m;
}

bool where_equal(struct query *q, const struct collection *c, const char *attribute,
                 const char *value, struct api_error *e)
{
    struct message *m = query_message("equal", attribute);
    message_append_str(m, "values", value);
    return add_query(q, c, m, e);
}

bool where_number(struct query *q, const struct collection *c, const char *method,
                  const char *attribute, int64_t value, struct api_error *e)
{
    char text[24];
    struct message *m = query_message(method, attribute);
    snprintf(text, sizeof(text), "%" PRId64, value);
    bool is_number = message_append_json(m, "values", text, strlen(text));
    return add_query(q, c, m, e) && is_number;
}

bool where_limit(struct query *q, const struct collection *c, int limit, struct api_error *e)
{
    return where_number(q, c, "limit", NULL, limit, e);
}

bool where_between(struct query *q, const struct collection *c, const char *attribute,
                   int64_t from_ms, int64_t to_ms, struct api_error *e)
{
    char from[DATETIME_TEXT_MAX], to[DATETIME_TEXT_MAX];
    struct message *m = query_message("between", attribute);
    datetime_text(from_ms, from);
    datetime_text(to_ms, to);
    message_append_str(m, "values", from);
    message_append_str(m, "values", to);
    return add_query(q, c, m, e);
}

bool where_select(struct query *q, const struct collection *c, const char *attribute,
                  struct api_error *e)
{
    struct message *m = query_message("select", NULL);
    message_append_str(m, "values", attribute);
    return add_query(q, c, m, e);
}

bool function_list(struct functions *f, const struct collection *c, struct query *q,
                   struct message **out, struct api_error *e)
{
    bool is_done = documents_list(f->documents, NULL, c, q, out, e);
    query_finish(q);
    return is_done;
}

/* ---- execution --------------------------------------------------------------------------------- */

/* The input: the text in `body`, or nothing. */
static struct message *read_input(const struct message *request)
{
    const char *text = message_str(request, "body", "");
    return message_parse(text, strlen(text), NULL, 0);
}

static void set_response(struct message *m, const struct function_reply *r)
{
    struct message *type = message_create();
    char *body = message_text(r->body, false);
    message_set_str(type, "name", "content-type");
    message_set_str(type, "value", "application/json");
    message_set_i64(m, "responseStatusCode", r->status);
    message_set_str(m, "responseBody", body);
    message_append_object(m, "responseHeaders", type);
    free(body);
}

/* An execution that is not waited for carries no answer, though it has been done. */
static struct message *execution(const char *function_id, const struct message *request,
                                 const struct function_reply *r, int64_t wall_ms, double took_s)
{
    char id[HUB_ID_MAX + 1], now[DATETIME_TEXT_MAX];
    bool is_async = message_bool(request, "async", false);
    struct message *m = message_create();
    id_make(id);
    datetime_text(wall_ms, now);
    message_set_str(m, "$id", id);
    message_set_str(m, "$createdAt", now);
    message_set_str(m, "$updatedAt", now);
    message_set_array(m, "$permissions");
    message_set_str(m, "functionId", function_id);
    message_set_str(m, "deploymentId", "builtin");
    message_set_str(m, "trigger", "http");
    message_set_str(m, "status", is_async ? "waiting" : "completed");
    message_set_str(m, "requestMethod", message_str(request, "method", "POST"));
    message_set_str(m, "requestPath", message_str(request, "path", "/"));
    message_set_array(m, "requestHeaders");
    message_set_i64(m, "responseStatusCode", 0);
    message_set_str(m, "responseBody", "");
    message_set_array(m, "responseHeaders");
    if (!is_async)
        set_response(m, r);
    message_set_str(m, "logs", "");
    message_set_str(m, "errors", "");
    message_set_f64(m, "duration", took_s);
    message_set_null(m, "scheduledAt");
    return m;
}

bool functions_execute(struct functions *f, const struct caller *caller, const char *id,
                       const struct message *request, struct message **out, struct api_error *e)
{
    size_t i = 0;
    while (i < ARRAY_LEN(functions) && strcmp(functions[i].name, id) != 0 &&
           strcmp(functions[i].id, id) != 0)
        i++;
    if (i == ARRAY_LEN(functions))
        return api_fail(e, API_FUNCTION_NOT_FOUND,
                        "Function with the requested ID could not be found.");
    int64_t begin_ns = now_mono_ns();
    struct function_reply reply = { 200, NULL };
    struct message *in = read_input(request);
    bool is_done = in ? functions[i].run(f, in, &reply, e)
                      : function_refuse(&reply, 400, "The body must be a JSON object");
    if (is_done) {
        double took_s = (double)(now_mono_ns() - begin_ns) / (double)NS_PER_S;
        *out = execution(id, request, &reply, steady_clock_ms(&f->clock, NULL), took_s);
    }
    message_destroy(in);
    message_destroy(reply.body);
    return is_done;
}
