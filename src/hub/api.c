#include "hub/api.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "hub/api_internal.h"
#include "hub/api_url.h"
#include "store/database.h"

struct api *api_create(const struct api_params *p)
{
    struct api *a = xcalloc(1, sizeof(*a));
    a->params = *p;
    a->project_id = xstrdup(p->project_id);
    a->database_id = xstrdup(p->database_id);
    a->origins = xstrdup(p->origins);
    return a;
}

void api_destroy(struct api *a)
{
    if (!a)
        return;
    free(a->project_id);
    free(a->database_id);
    free(a->origins);
    free(a);
}

static const char *header_of(const struct api_request *q, const char *name)
{
    const char *value = q->header(q->ctx, name);
    return value && *value ? value : NULL;
}

/* ---- who asks ----------------------------------------------------------------------------------- */

/* Programs send no Origin. */
static bool is_known_origin(const struct api *a, const struct api_request *q)
{
    const char *origin = header_of(q, "origin");
    return !origin || cors_allows(origin, header_of(q, "host"), a->origins);
}

static bool check_origin(const struct api *a, const struct api_request *q, struct api_error *e)
{
    return is_known_origin(a, q) ||
           api_fail(e, API_ORIGIN_UNKNOWN,
                    "Invalid Origin. Name its host in the setting hub.origins (%.120s)",
                    header_of(q, "origin"));
}

/* Who has a key is a program: it may come from anywhere. */
bool api_identify(struct api *a, const struct api_request *q, struct caller *out,
                  struct api_error *e)
{
    const struct credentials given = {
        .key = header_of(q, "x-appwrite-key"),
        .jwt = header_of(q, "x-appwrite-jwt"),
        .session = header_of(q, "x-appwrite-session"),
        .fallback_cookies = header_of(q, "x-fallback-cookies"),
        .cookie = header_of(q, "cookie"),
        .peer = q->peer,
    };
    return accounts_identify(a->params.accounts, &given, out, e) &&
           (out->kind == CALLER_KEY || check_origin(a, q, e));
}

static bool check_project(struct api_call *call)
{
    const struct api_request *q = call->request;
    const char *header = header_of(q, "x-appwrite-project");
    char *named = header ? xstrdup(header) : url_value(q->query, "project");
    bool is_ours = named && strcmp(named, call->api->project_id) == 0;
    if (!is_ours)
        api_fail(&call->error, API_PROJECT_NOT_FOUND,
                 "Project with the requested ID '%.36s' could not be found.", named ? named : "");
    free(named);
    return is_ours;
}

/* ---- body --------------------------------------------------------------------------------------- */

/* Whether arrays and objects stand at most API_DEPTH_MAX deep in each other; looks at nothing else. */
static bool is_shallow(const char *text, size_t len)
{
    size_t depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (in_string && c == '\\')
            i++;
        else if (c == '"')
            in_string = !in_string;
        else if (!in_string && (c == '{' || c == '['))
            depth++;
        else if (!in_string && (c == '}' || c == ']') && depth)
            depth--;
        if (depth > API_DEPTH_MAX)
            return false;
    }
    return true;
}

static bool read_body(struct api_call *call)
{
    const struct api_request *q = call->request;
    char why[160];
    if (q->body_len == 0) {
        call->body = message_create();
        return true;
    }
    if (!is_shallow(q->body, q->body_len))
        return api_fail(&call->error, API_ARGUMENT_INVALID,
                        "The body is nested deeper than %d levels", API_DEPTH_MAX);
    call->body = message_parse(q->body, q->body_len, why, sizeof(why));
    return call->body || api_fail(&call->error, API_ARGUMENT_INVALID, "Bad body: %s", why);
}

/* ---- one request -------------------------------------------------------------------------------- */

static bool run_writing(struct api_call *call, const struct route *route)
{
    const struct api_params *p = &call->api->params;
    if (database_mark(p->database) < 0)
        return api_fail(&call->error, API_STORAGE, "The disk of the hub does not take it now.");
    bool is_good = route->run(call);
    if (is_good)
        database_keep(p->database);
    else
        database_undo(p->database);
    p->on_end(p->ctx, is_good);
    if (call->is_claim)
        p->on_claimed(p->ctx);
    return is_good;
}

static bool check_caller(struct api_call *call, const struct route *route)
{
    struct api *a = call->api;
    if (route->flags & ROUTE_PUBLIC)
        return check_origin(a, call->request, &call->error);
    return check_project(call) && api_identify(a, call->request, &call->caller, &call->error);
}

static bool run(struct api_call *call)
{
    const struct route *route = api_route_find(call);
    if (!route)
        return api_fail(&call->error, API_ROUTE_NOT_FOUND, "The requested route was not found.");
    if (!check_caller(call, route) || (route->flags & ROUTE_BODY && !read_body(call)))
        return false;
    return route->flags & ROUTE_WRITES ? run_writing(call, route) : route->run(call);
}

/* What every answer carries. */
static void add_headers(struct api_call *call)
{
    struct api_reply *r = call->reply;
    const char *origin = call->request ? header_of(call->request, "origin") : NULL;
    struct http_header cors[CORS_HEADERS_MAX];
    size_t n = 0;
    if (origin && is_known_origin(call->api, call->request))
        n = call->request->method == HTTP_OPTIONS
                ? cors_preflight_headers(
                      origin, header_of(call->request, "access-control-request-headers"), cors)
                : cors_headers(origin, cors);
    for (size_t i = 0; i < n; i++)
        api_reply_header(r, cors[i].name, cors[i].value);
    api_reply_header(r, "Cache-Control", "no-store");
    api_reply_header(r, "X-Content-Type-Options", "nosniff");
    r->answer.lasting_count = r->answer.header_count; /* a page must be able to read any answer */
}

/* It asks for no more than the headers: whatever the disk or the path is like, a page can go on to the request itself,
 * and read its answer. */
static void answer_preflight(struct api_reply *r)
{
    api_reply_empty(r, 204);
    r->answer.stands = true;
}

void api_answer(struct api *a, const struct api_request *q, struct api_reply *out)
{
    struct api_call call = { .api = a, .request = q, .reply = out };
    *out = (struct api_reply){ 0 };
    add_headers(&call);
    if (q->method == HTTP_OPTIONS)
        answer_preflight(out);
    else if (!run(&call))
        api_reply_error(out, &call.error, a->params.wall_ms(a->params.ctx));
    message_destroy(call.body);
}

void api_refuse(struct api *a, const struct api_request *q, int status, const char *sentence,
                struct api_reply *out)
{
    struct api_call call = { .api = a, .request = q, .reply = out };
    *out = (struct api_reply){ 0 };
    add_headers(&call);
    if (q && q->method == HTTP_OPTIONS && status == 414) {
        answer_preflight(out);
        return;
    }
    struct message *m = message_create();
    message_set_str(m, "message", sentence);
    message_set_i64(m, "code", status);
    message_set_str(m, "type", api_error_type(status < 500 ? API_ARGUMENT_INVALID : API_STORAGE));
    message_set_str(m, "version", API_VERSION);
    api_reply_message(out, status, m);
}
