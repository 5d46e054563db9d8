/* Appwrite's HTTP interface: routes, refusals, sessions, what is undone. */
#include "hub_rig.h"

#define DOCUMENTS "/v1/databases/db/collections/"
#define ROWS      "/v1/tablesdb/db/tables/"
#define REQUEST                                                                                    \
    "{\"requestId\":\"r\",\"venueId\":\"bar\",\"song\":\"{}\",\"requesterId\":\"u\","              \
    "\"timestamp\":\"2025-10-11T12:00:00.000Z\"}"

/* ---- short forms --------------------------------------------------------------------------------- */

static struct rig_answer ask_as_user(struct rig *r, enum http_method method, const char *path,
                                     const char *body)
{
    const char *const header[] = { "x-appwrite-project", "prj", "x-appwrite-session", r->session,
                                   NULL };
    return rig_ask(r, method, path, body, header);
}

static struct rig_answer ask_as_key(struct rig *r, enum http_method method, const char *path,
                                    const char *body)
{
    const char *const header[] = { "x-appwrite-project", "prj", "x-appwrite-key", r->key, NULL };
    return rig_ask(r, method, path, body, header);
}

/* Takes the answer. */
static void assert_status(struct rig_answer a, int status)
{
    if (a.status != status)
        fail_msg("%d instead of %d: %s", a.status, status, a.body);
    rig_answer_finish(&a);
}

/* Takes the answer: all four keys of an error must be there. */
static void assert_error(struct rig_answer a, int status, const char *type)
{
    if (a.status != status || !a.json || strcmp(message_str(a.json, "type", ""), type) != 0)
        fail_msg("%d %s instead of %d %s", a.status, a.body, status, type);
    assert_int_equal(message_i64(a.json, "code", 0), status);
    assert_true(*message_str(a.json, "message", ""));
    assert_string_equal(message_str(a.json, "version", ""), API_VERSION);
    assert_contains(a.type, "application/json");
    rig_answer_finish(&a);
}

static void create_request(struct rig *r, const char *id)
{
    char *body = xasprintf("{\"documentId\":\"%s\",\"data\":" REQUEST "}", id);
    assert_status(ask_as_user(r, HTTP_POST, DOCUMENTS "requests/documents", body), 201);
    free(body);
}

/* ---- documents ----------------------------------------------------------------------------------- */

static void a_document_lives_from_create_to_delete(void **state)
{
    struct rig *r = *state;
    struct rig_answer a = ask_as_user(r, HTTP_POST, DOCUMENTS "requests/documents",
                                      "{\"documentId\":\"a1\",\"data\":" REQUEST
                                      ",\"permissions\":[\"read(\\\"any\\\")\"]}");
    assert_int_equal(a.status, 201);
    assert_string_equal(message_str(a.json, "$id", ""), "a1");
    assert_string_equal(message_str(a.json, "$collectionId", ""), "requests");
    assert_string_equal(message_str(a.json, "$databaseId", ""), "db");
    assert_string_equal(message_str(a.json, "status", ""), "queued");
    rig_answer_finish(&a);
    a = rig_ask(r, HTTP_GET, DOCUMENTS "requests/documents/a1", NULL, NULL);
    assert_int_equal(a.status, 200);
    rig_answer_finish(&a);
    a = ask_as_user(r, HTTP_PATCH, DOCUMENTS "requests/documents/a1",
                    "{\"data\":{\"status\":\"playing\"}}");
    assert_int_equal(a.status, 200);
    assert_string_equal(message_str(a.json, "status", ""), "playing");
    assert_string_equal(message_str(a.json, "requesterId", ""), "u");
    rig_answer_finish(&a);
    a = ask_as_user(r, HTTP_DELETE, DOCUMENTS "requests/documents/a1", "{}");
    assert_int_equal(a.status, 204);
    assert_null(a.type); /* with one an SDK would read the empty body */
    assert_string_equal(a.body, "");
    rig_answer_finish(&a);
    assert_error(rig_ask(r, HTTP_GET, DOCUMENTS "requests/documents/a1", NULL, NULL), 404,
                 "document_not_found");
}

static void a_list_takes_both_grammars_and_counts_all(void **state)
{
    struct rig *r = *state;
    create_request(r, "a1");
    create_request(r, "a2");
    create_request(r, "a3");
    static const char *const queries[] = {
        "?queries%5B0%5D=equal(%22venueId%22,+%5B%22bar%22%5D)&queries[1]=limit(2)",
        "?queries[]=%7B%22method%22%3A%22equal%22%2C%22attribute%22%3A%22venueId%22%2C%22values%22%"
        "3A%5B%22bar%22%5D%7D&queries[]={\"method\":\"limit\",\"values\":[2]}&other=1",
    };
    for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
        char *path = xasprintf(DOCUMENTS "requests/documents%s", queries[i]);
        struct rig_answer a = rig_ask(r, HTTP_GET, path, NULL, NULL);
        assert_int_equal(a.status, 200);
        assert_int_equal(message_i64(a.json, "total", 0), 3);
        assert_int_equal(message_count(a.json, "documents"), 2);
        rig_answer_finish(&a);
        free(path);
    }
    assert_error(rig_ask(r, HTTP_GET, DOCUMENTS "requests/documents?queries[0]=fly()", NULL, NULL),
                 400, "general_query_invalid");
}

static void rows_are_documents_under_other_names(void **state)
{
    struct rig *r = *state;
    struct rig_answer a =
        ask_as_user(r, HTTP_POST, ROWS "requests/rows", "{\"rowId\":\"a1\",\"data\":" REQUEST "}");
    assert_int_equal(a.status, 201);
    assert_string_equal(message_str(a.json, "$tableId", ""), "requests");
    assert_false(message_has(a.json, "$collectionId"));
    rig_answer_finish(&a);
    a = rig_ask(r, HTTP_GET, ROWS "requests/rows", NULL, NULL);
    assert_int_equal(message_count(a.json, "rows"), 1);
    assert_string_equal(message_str(message_object_at(a.json, "rows", 0), "$tableId", ""),
                        "requests");
    assert_false(message_has(a.json, "documents"));
    rig_answer_finish(&a);
    a = rig_ask(r, HTTP_GET, DOCUMENTS "requests/documents/a1", NULL, NULL);
    assert_string_equal(message_str(a.json, "$collectionId", ""), "requests");
    rig_answer_finish(&a);
    assert_status(ask_as_user(r, HTTP_PUT, ROWS "requests/rows/a2", "{\"data\":" REQUEST "}"), 200);
    assert_status(
        ask_as_user(r, HTTP_PATCH, ROWS "requests/rows/a1", "{\"data\":{\"status\":\"playing\"}}"),
        200);
    assert_status(ask_as_user(r, HTTP_DELETE, ROWS "requests/rows/a1", NULL), 204);
    assert_status(rig_ask(r, HTTP_GET, ROWS "requests/rows/a2", NULL, NULL), 200);
}

static void numbers_count_up_and_down_between_bounds(void **state)
{
    struct rig *r = *state;
    assert_status(ask_as_user(r, HTTP_PUT, DOCUMENTS "player_state/documents/s1",
                              "{\"data\":{\"venueId\":\"bar\",\"volume\":50}}"),
                  200);
    struct rig_answer a = ask_as_user(
        r, HTTP_PATCH, DOCUMENTS "player_state/documents/s1/volume/increment", "{\"value\":5}");
    assert_int_equal(a.status, 200);
    assert_int_equal(message_i64(a.json, "volume", 0), 55);
    rig_answer_finish(&a);
    a = ask_as_user(r, HTTP_PATCH, ROWS "player_state/rows/s1/volume/decrement", NULL);
    assert_int_equal(message_i64(a.json, "volume", 0), 54);
    rig_answer_finish(&a);
    assert_error(ask_as_user(r, HTTP_PATCH, DOCUMENTS "player_state/documents/s1/volume/increment",
                             "{\"value\":5,\"max\":58}"),
                 400, "attribute_limit_exceeded");
    assert_error(ask_as_user(r, HTTP_PATCH, DOCUMENTS "player_state/documents/s1/volume/decrement",
                             "{\"value\":5,\"min\":50}"),
                 400, "attribute_limit_exceeded");
    static const char *const bad[] = { "{\"value\":0}", "{\"value\":-1}", "{\"value\":\"1\"}",
                                       "{\"value\":1,\"max\":\"9\"}" };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_error(ask_as_user(r, HTTP_PATCH,
                                 DOCUMENTS "player_state/documents/s1/volume/increment", bad[i]),
                     400, "general_argument_invalid");
}

static void a_guarded_write_of_something_newer_is_refused(void **state)
{
    struct rig *r = *state;
    create_request(r, "a1");
    struct rig_answer a = rig_ask(r, HTTP_GET, DOCUMENTS "requests/documents/a1", NULL, NULL);
    char *seen = xstrdup(message_str(a.json, "$updatedAt", ""));
    rig_answer_finish(&a);
    const char *header[] = { "x-appwrite-project",
                             "prj",
                             "x-appwrite-session",
                             r->session,
                             "x-appwrite-timestamp",
                             seen,
                             NULL };
    const char *body = "{\"data\":{\"status\":\"playing\"}}",
               *path = DOCUMENTS "requests/documents/a1";
    assert_status(rig_ask(r, HTTP_PATCH, path, body, header), 200);
    assert_error(rig_ask(r, HTTP_PATCH, path, body, header), 409, "document_update_conflict");
    assert_error(rig_ask(r, HTTP_DELETE, path, NULL, header), 409, "document_update_conflict");
    header[5] = "yesterday";
    assert_error(rig_ask(r, HTTP_PATCH, path, body, header), 400, "general_argument_invalid");
    assert_error(rig_ask(r, HTTP_DELETE, path, NULL, header), 400, "general_argument_invalid");
    free(seen);
}

/* ---- refusals ------------------------------------------------------------------------------------ */

static const struct {
    enum http_method method;
    const char *path, *body;
    int status;
    const char *type;
} refusal_cases[] = {
    { HTTP_GET, "/", NULL, 404, "general_route_not_found" },
    { HTTP_GET, "/v1", NULL, 404, "general_route_not_found" },
    { HTTP_GET, "/v1/", NULL, 404, "general_route_not_found" },
    { HTTP_GET, "/v2/ping", NULL, 404, "general_route_not_found" },
    { HTTP_GET, "/v1/pingx", NULL, 404, "general_route_not_found" },
    { HTTP_POST, "/v1/ping", "{}", 404, "general_route_not_found" },
    { HTTP_GET, "/v1/ping/x", NULL, 404, "general_route_not_found" },
    { HTTP_GET, "/v1/databases/db/collections//documents", NULL, 404, "general_route_not_found" },
    { HTTP_GET, "/v1/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o", NULL, 404, "general_route_not_found" },
    { HTTP_OTHER, "/v1/ping", NULL, 404, "general_route_not_found" },
    { HTTP_GET, "/v1/databases/no/collections/queues/documents", NULL, 404, "database_not_found" },
    { HTTP_GET, DOCUMENTS "no/documents", NULL, 404, "collection_not_found" },
    { HTTP_GET, DOCUMENTS "queues/documents/no", NULL, 404, "document_not_found" },
    { HTTP_POST, DOCUMENTS "requests/documents", "{", 400, "general_argument_invalid" },
    { HTTP_POST, DOCUMENTS "requests/documents", "[]", 400, "general_argument_invalid" },
    { HTTP_POST, DOCUMENTS "requests/documents", "", 400, "document_missing_data" },
    { HTTP_POST, DOCUMENTS "requests/documents", "{\"documentId\":\"a\",\"data\":null}", 400,
      "document_missing_data" },
    { HTTP_POST, DOCUMENTS "requests/documents", "{\"data\":{}}", 400, "general_argument_invalid" },
    { HTTP_POST, DOCUMENTS "requests/documents", "{\"documentId\":\"a\",\"data\":7}", 400,
      "general_argument_invalid" },
    { HTTP_POST, DOCUMENTS "requests/documents", "{\"documentId\":\"a\",\"data\":{}}", 400,
      "document_missing_data" },
    { HTTP_POST, DOCUMENTS "requests/documents", "{\"documentId\":\"a\",\"data\":{\"x\":1}}", 400,
      "document_invalid_structure" },
    { HTTP_PATCH, DOCUMENTS "queues/documents/bar", "{}", 400, "document_missing_payload" },
    { HTTP_PUT, DOCUMENTS "queues/documents/bar", "{}", 400, "document_missing_payload" },
    /* of Appwrite's: many documents in one request, and transactions */
    { HTTP_POST, DOCUMENTS "requests/documents", "{\"documents\":[{\"$id\":\"a\"}]}", 404,
      "general_route_not_found" },
    { HTTP_POST, "/v1/tablesdb/db/tables/requests/rows", "{\"rows\":[]}", 404,
      "general_route_not_found" },
    { HTTP_PATCH, DOCUMENTS "requests/documents", "{\"data\":{\"status\":\"playing\"}}", 404,
      "general_route_not_found" },
    { HTTP_PUT, DOCUMENTS "requests/documents", "{\"documents\":[]}", 404,
      "general_route_not_found" },
    { HTTP_DELETE, DOCUMENTS "requests/documents", "{}", 404, "general_route_not_found" },
    { HTTP_GET, "/v1/databases/transactions", NULL, 404, "general_route_not_found" },
    { HTTP_POST, "/v1/databases/transactions", "{\"ttl\":60}", 404, "general_route_not_found" },
    { HTTP_PATCH, "/v1/tablesdb/transactions/a", "{\"commit\":true}", 404,
      "general_route_not_found" },
    { HTTP_POST, DOCUMENTS "requests/documents",
      "{\"documentId\":\"a\",\"data\":{\"x\":1},\"transactionId\":\"t\"}", 404,
      "transaction_not_found" },
    { HTTP_PATCH, DOCUMENTS "queues/documents/bar",
      "{\"data\":{\"mainQueue\":\"[]\"},\"transactionId\":\"t\"}", 404, "transaction_not_found" },
    { HTTP_PUT, DOCUMENTS "queues/documents/bar",
      "{\"data\":{\"mainQueue\":\"[]\"},\"transactionId\":\"t\"}", 404, "transaction_not_found" },
    { HTTP_PATCH, DOCUMENTS "player_state/documents/bar/volume/increment",
      "{\"value\":1,\"transactionId\":\"t\"}", 404, "transaction_not_found" },
    { HTTP_POST, "/v1/functions/no/executions", "{}", 404, "function_not_found" },
    { HTTP_POST, "/v1/account/sessions/email", "{}", 400, "general_argument_invalid" },
    { HTTP_POST, "/v1/account/sessions/email", "{\"email\":\"u@bar.example\"}", 400,
      "general_argument_invalid" },
    { HTTP_GET, "/v1/account/sessions/no", NULL, 404, "user_session_not_found" },
    { HTTP_PATCH, "/v1/account/sessions/no", NULL, 404, "user_session_not_found" },
};

static void refusals_have_their_status_and_type(void **state)
{
    struct rig *r = *state;
    for (size_t i = 0; i < ARRAY_LEN(refusal_cases); i++) {
        assert_error(
            ask_as_user(r, refusal_cases[i].method, refusal_cases[i].path, refusal_cases[i].body),
            refusal_cases[i].status, refusal_cases[i].type);
    }
}

static void the_project_is_asked_for_in_header_or_url(void **state)
{
    struct rig *r = *state;
    const char *const none[] = { NULL }, *const wrong[] = { "X-Appwrite-Project", "other", NULL };
    assert_error(rig_ask(r, HTTP_GET, "/v1/ping", NULL, none), 404, "project_not_found");
    assert_error(rig_ask(r, HTTP_GET, "/v1/ping", NULL, wrong), 404, "project_not_found");
    assert_error(rig_ask(r, HTTP_GET, "/v1/ping?project=other", NULL, none), 404,
                 "project_not_found");
    assert_status(rig_ask(r, HTTP_GET, "/v1/ping?x=1&project=prj", NULL, none), 200);
    assert_status(rig_ask(r, HTTP_GET, "/v1/health/version", NULL, none), 200);
    assert_status(rig_ask(r, HTTP_GET, "/v1/health/version", NULL, wrong), 200);
}

static void bad_credentials_are_told_and_dead_sessions_are_guests(void **state)
{
    struct rig *r = *state;
    const char *const jwt[] = { "x-appwrite-project", "prj", "x-appwrite-jwt", "a.b.c", NULL };
    const char *const key[] = { "x-appwrite-project", "prj", "x-appwrite-key", "no", NULL };
    const char *const session[] = { "x-appwrite-project", "prj", "x-appwrite-session", "no", NULL };
    assert_error(rig_ask(r, HTTP_GET, "/v1/ping", NULL, jwt), 401, "user_jwt_invalid");
    assert_error(rig_ask(r, HTTP_GET, "/v1/ping", NULL, key), 401, "general_unauthorized_scope");
    assert_status(rig_ask(r, HTTP_GET, "/v1/ping", NULL, session), 200);
    assert_error(rig_ask(r, HTTP_GET, "/v1/account", NULL, session), 401,
                 "general_unauthorized_scope");
    assert_status(rig_ask(r, HTTP_GET, "/v1/health/version", NULL, jwt), 200);
}

static void guests_read_and_do_not_write(void **state)
{
    struct rig *r = *state;
    struct rig_answer a = rig_ask(r, HTTP_GET, DOCUMENTS "queues/documents", NULL, NULL);
    assert_int_equal(message_i64(a.json, "total", 0), 1);
    rig_answer_finish(&a);
    assert_error(rig_ask(r, HTTP_POST, DOCUMENTS "requests/documents",
                         "{\"documentId\":\"a\",\"data\":" REQUEST "}", NULL),
                 401, "user_unauthorized");
    assert_error(rig_ask(r, HTTP_GET, DOCUMENTS "players/documents", NULL, NULL), 401,
                 "user_unauthorized");
    assert_status(ask_as_key(r, HTTP_GET, DOCUMENTS "players/documents", NULL), 200);
}

/* {"data":[[...]]} with arrays so deep that `depth` brackets stand in each other. The caller frees. */
static char *nested(size_t depth)
{
    char *open = xcalloc(1, depth), *close = xcalloc(1, depth);
    memset(open, '[', depth - 1);
    memset(close, ']', depth - 1);
    char *body = xasprintf("{\"data\":%s%s}", open, close);
    free(open);
    free(close);
    return body;
}

static void bodies_nested_too_deep_are_refused_unread(void **state)
{
    struct rig *r = *state;
    static const struct {
        size_t depth;
        bool is_too_deep;
    } cases[] = { { API_DEPTH_MAX, false }, { API_DEPTH_MAX + 1, true }, { 5000, true } };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *body = nested(cases[i].depth);
        struct rig_answer a = ask_as_user(r, HTTP_POST, DOCUMENTS "requests/documents", body);
        assert_int_equal(strstr(a.body, "nested deeper") != NULL, cases[i].is_too_deep);
        assert_error(a, 400, "general_argument_invalid");
        free(body);
    }
    char brackets[API_DEPTH_MAX + 2] = "";
    memset(brackets, '[', API_DEPTH_MAX + 1);
    char *in_text = xasprintf("{\"data\":\"\\\"%s\"}", brackets);
    struct rig_answer a = ask_as_user(r, HTTP_POST, DOCUMENTS "requests/documents", in_text);
    assert_null(strstr(a.body, "nested deeper"));
    rig_answer_finish(&a);
    free(in_text);
}

static void what_is_unknown_is_ignored(void **state)
{
    struct rig *r = *state;
    const char *const header[] = { "x-appwrite-project",
                                   "prj",
                                   "x-appwrite-session",
                                   r->session,
                                   "x-appwrite-response-format",
                                   "99.0.0",
                                   "x-sdk-name",
                                   "Web",
                                   "x-made-up",
                                   "1",
                                   NULL };
    assert_status(rig_ask(r, HTTP_POST, DOCUMENTS "requests/documents?made=up&transactionId=",
                          "{\"documentId\":\"a1\",\"made\":\"up\",\"data\":" REQUEST "}", header),
                  201);
    assert_status(
        rig_ask(r, HTTP_GET, DOCUMENTS "requests/documents/a1/?total=false", NULL, header), 200);
}

static void old_clients_may_send_data_as_text(void **state)
{
    struct rig *r = *state;
    create_request(r, "a1");
    assert_status(ask_as_user(r, HTTP_PATCH, DOCUMENTS "requests/documents/a1",
                              "{\"data\":\"{\\\"status\\\":\\\"playing\\\"}\"}"),
                  200);
    assert_error(
        ask_as_user(r, HTTP_PATCH, DOCUMENTS "requests/documents/a1", "{\"data\":\"playing\"}"),
        400, "general_argument_invalid");
}

/* ---- pages --------------------------------------------------------------------------------------- */

static void every_answer_tells_the_page_that_it_may_read_it(void **state)
{
    struct rig *r = *state;
    const char *const header[] = { "x-appwrite-project", "prj", "origin", "http://10.0.0.1:3000",
                                   NULL };
    static const char *const paths[] = { "/v1/ping", "/v1/no", "/v1/account",
                                         DOCUMENTS "queues/documents/no" };
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        struct rig_answer a = rig_ask(r, HTTP_GET, paths[i], NULL, header);
        assert_contains(a.headers, "Access-Control-Allow-Origin: http://10.0.0.1:3000\n");
        assert_contains(a.headers, "Access-Control-Allow-Credentials: true\n");
        rig_answer_finish(&a);
    }
    struct rig_answer a = rig_ask(r, HTTP_GET, "/v1/ping", NULL, NULL);
    assert_null(strstr(a.headers, "Access-Control"));
    rig_answer_finish(&a);
}

static void options_is_answered_everywhere_without_asking_who(void **state)
{
    struct rig *r = *state;
    const char *const header[] = { "origin", "http://localhost:3000",
                                   "access-control-request-headers", "x-new", NULL };
    static const char *const paths[] = { "/", "/v1/no", DOCUMENTS "queues/documents" };
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        struct rig_answer a = rig_ask(r, HTTP_OPTIONS, paths[i], NULL, header);
        assert_int_equal(a.status, 204);
        assert_null(a.type);
        assert_contains(a.headers, "Access-Control-Allow-Origin: http://localhost:3000\n");
        assert_contains(a.headers, "X-Appwrite-Timestamp");
        assert_contains(a.headers, "Access-Control-Max-Age");
        assert_contains(a.headers, "Access-Control-Allow-Headers: x-new\n");
        rig_answer_finish(&a);
    }
}

static void strange_pages_are_refused_and_programs_with_a_key_are_not(void **state)
{
    struct rig *r = *state;
    const char *header[] = { "x-appwrite-project",
                             "prj",
                             "origin",
                             "https://evil.example",
                             "x-appwrite-session",
                             r->session,
                             NULL,
                             NULL,
                             NULL };
    struct rig_answer a = rig_ask(r, HTTP_GET, "/v1/account", NULL, header);
    assert_null(strstr(a.headers, "Access-Control"));
    assert_error(a, 403, "general_unknown_origin");
    a = rig_ask(r, HTTP_OPTIONS, "/v1/account", NULL, header);
    assert_null(strstr(a.headers, "Access-Control"));
    assert_status(a, 204);
    assert_error(rig_ask(r, HTTP_POST, "/v1/hub/claim", "{}", header), 403,
                 "general_unknown_origin");
    header[4] = "x-appwrite-key";
    header[5] = "no";
    assert_error(rig_ask(r, HTTP_GET, "/v1/ping", NULL, header), 401, "general_unauthorized_scope");
    assert_error(rig_ask(r, HTTP_POST, "/v1/hub/claim", "{}", header), 403,
                 "general_unknown_origin");
    header[5] = r->key;
    assert_status(rig_ask(r, HTTP_GET, "/v1/ping", NULL, header), 200);
    header[3] = "https://app.example"; /* listed */
    header[4] = "x-appwrite-session";
    header[5] = r->session;
    assert_status(rig_ask(r, HTTP_GET, "/v1/account", NULL, header), 200);
}

/* ---- accounts ------------------------------------------------------------------------------------ */

/* The secret in "X-Fallback-Cookies: {...}"; the caller frees. */
static char *fallback_secret(const struct rig_answer *a)
{
    const char *at = strstr(a->headers, "X-Fallback-Cookies: ");
    assert_non_null(at);
    at += strlen("X-Fallback-Cookies: ");
    struct message *m = message_parse(at, strcspn(at, "\n"), NULL, 0);
    assert_non_null(m);
    char *secret = xstrdup(message_str(m, "a_session_prj", NULL));
    message_destroy(m);
    return secret;
}

static void a_sign_in_gives_its_session_by_cookie_and_header_only(void **state)
{
    struct rig *r = *state;
    struct rig_answer a =
        rig_ask(r, HTTP_POST, "/v1/account/sessions/email",
                "{\"email\":\"u@bar.example\",\"password\":\"correct horse\"}", NULL);
    assert_int_equal(a.status, 201);
    assert_string_equal(message_str(a.json, "secret", "?"), "");
    char *secret = fallback_secret(&a),
         *cookie = xasprintf("Set-Cookie: a_session_prj=%s; ", secret);
    assert_contains(a.headers, cookie);
    assert_contains(a.headers, "; HttpOnly; SameSite=Lax\n");
    char *fallback = xasprintf("{\"a_session_prj\":\"%s\"}", secret);
    char *plain = xasprintf("other=1; a_session_prj=%s", secret);
    const char *const ways[][2] = { { "x-appwrite-session", secret },
                                    { "x-fallback-cookies", fallback },
                                    { "cookie", plain } };
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        const char *const header[] = { "x-appwrite-project", "prj", ways[i][0], ways[i][1], NULL };
        struct rig_answer account = rig_ask(r, HTTP_GET, "/v1/account", NULL, header);
        assert_int_equal(account.status, 200);
        assert_string_equal(message_str(account.json, "email", ""), "u@bar.example");
        rig_answer_finish(&account);
    }
    rig_answer_finish(&a);
    a = ask_as_key(r, HTTP_POST, "/v1/account/sessions/email",
                   "{\"email\":\"u@bar.example\",\"password\":\"correct horse\"}");
    assert_true(strlen(message_str(a.json, "secret", "")) > 20);
    rig_answer_finish(&a);
    free(plain);
    free(fallback);
    free(cookie);
    free(secret);
}

static void the_current_session_can_be_seen_extended_and_ended(void **state)
{
    struct rig *r = *state;
    struct rig_answer a = ask_as_user(r, HTTP_GET, "/v1/account/sessions/current", NULL);
    assert_int_equal(a.status, 200);
    char *id = xstrdup(message_str(a.json, "$id", "")),
         *expire = xstrdup(message_str(a.json, "expire", ""));
    rig_answer_finish(&a);
    char *path = xasprintf("/v1/account/sessions/%s", id);
    assert_status(ask_as_user(r, HTTP_GET, path, NULL), 200);
    r->now_ms += 86400000;
    a = ask_as_user(r, HTTP_PATCH, "/v1/account/sessions/current", "{}");
    assert_int_equal(a.status, 200);
    assert_true(strcmp(message_str(a.json, "expire", ""), expire) > 0);
    rig_answer_finish(&a);
    a = ask_as_user(r, HTTP_GET, "/v1/account/sessions", NULL);
    assert_int_equal(message_i64(a.json, "total", 0), 1);
    rig_answer_finish(&a);
    a = ask_as_user(r, HTTP_DELETE, "/v1/account/sessions/current", NULL);
    assert_int_equal(a.status, 204);
    assert_contains(a.headers, "Set-Cookie: a_session_prj=; Path=/; Max-Age=0");
    assert_contains(a.headers, "X-Fallback-Cookies: {}\n");
    rig_answer_finish(&a);
    assert_error(ask_as_user(r, HTTP_GET, "/v1/account", NULL), 401, "general_unauthorized_scope");
    free(path);
    free(expire);
    free(id);
}

static void all_sessions_end_at_once(void **state)
{
    struct rig *r = *state;
    assert_status(ask_as_user(r, HTTP_DELETE, "/v1/account/sessions", NULL), 204);
    assert_error(ask_as_user(r, HTTP_GET, "/v1/account", NULL), 401, "general_unauthorized_scope");
}

static void a_token_made_of_a_session_stands_for_it(void **state)
{
    struct rig *r = *state;
    static const char *const paths[] = { "/v1/account/jwts", "/v1/account/jwt" };
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        struct rig_answer a = ask_as_user(r, HTTP_POST, paths[i], "{\"duration\":60}");
        assert_int_equal(a.status, 201);
        const char *const header[] = { "x-appwrite-project", "prj", "x-appwrite-jwt",
                                       message_str(a.json, "jwt", ""), NULL };
        assert_status(rig_ask(r, HTTP_GET, "/v1/account", NULL, header), 200);
        r->now_ms += 61000;
        assert_error(rig_ask(r, HTTP_GET, "/v1/account", NULL, header), 401, "user_jwt_invalid");
        rig_answer_finish(&a);
    }
}

static struct rig_answer ask_with_key(struct rig *r, enum http_method method, const char *path,
                                      const char *body)
{
    const char *const header[] = { "x-appwrite-project", "prj", "x-appwrite-key", r->key, NULL };
    return rig_ask(r, method, path, body, header);
}

static const struct {
    enum http_method method;
    const char *path;
} token_routes[] = {
    { HTTP_POST, "/v1/account/sessions/token" },
    { HTTP_PUT, "/v1/account/sessions/magic-url" },
};

static void a_token_of_a_program_with_a_key_signs_a_client_in_once(void **state)
{
    struct rig *r = *state;
    struct rig_answer a = ask_as_user(r, HTTP_GET, "/v1/account", NULL);
    char *path = xasprintf("/v1/users/%s/tokens", message_str(a.json, "$id", ""));
    rig_answer_finish(&a);
    for (size_t i = 0; i < ARRAY_LEN(token_routes); i++) {
        struct rig_answer token =
            ask_with_key(r, HTTP_POST, path, i == 0 ? NULL : "{\"length\":64,\"expire\":60}");
        assert_int_equal(token.status, 201);
        assert_int_equal(strlen(message_str(token.json, "secret", "")), i == 0 ? 6 : 64);
        a = rig_ask(r, token_routes[i].method, token_routes[i].path, token.body, NULL);
        assert_int_equal(a.status, 201);
        assert_string_equal(message_str(a.json, "secret", "?"), "");
        assert_contains(a.headers, "Set-Cookie: a_session_prj=");
        char *secret = fallback_secret(&a);
        rig_answer_finish(&a);
        const char *const header[] = { "x-appwrite-project", "prj", "x-appwrite-session", secret,
                                       NULL };
        assert_status(rig_ask(r, HTTP_GET, "/v1/account", NULL, header), 200);
        assert_error(rig_ask(r, token_routes[i].method, token_routes[i].path, token.body, NULL),
                     401, "user_invalid_token");
        rig_answer_finish(&token);
        free(secret);
    }
    free(path);
}

static const struct {
    const char *path, *body;
    int status;
    const char *type;
} token_refusals[] = {
    { "/v1/users/nobody/tokens", NULL, 404, "user_not_found" },
    { "/v1/users/nobody/tokens", "{\"length\":3}", 400, "general_argument_invalid" },
    { "/v1/users/nobody/tokens", "{\"length\":\"6\"}", 400, "general_argument_invalid" },
    { "/v1/users/nobody/tokens", "{\"expire\":6.5}", 400, "general_argument_invalid" },
    { "/v1/users/nobody/tokens", "{\"length\":null}", 404, "user_not_found" },
    { "/v1/account/sessions/token", NULL, 400, "general_argument_invalid" },
    { "/v1/account/sessions/token", "{\"userId\":\"x\"}", 400, "general_argument_invalid" },
    { "/v1/account/sessions/token", "{\"secret\":\"x\"}", 400, "general_argument_invalid" },
    { "/v1/account/sessions/token", "{\"userId\":\"x\",\"secret\":\"x\"}", 401,
      "user_invalid_token" },
};

static void what_is_no_token_is_refused_in_the_words_of_appwrite(void **state)
{
    struct rig *r = *state;
    for (size_t i = 0; i < ARRAY_LEN(token_refusals); i++)
        assert_error(ask_with_key(r, HTTP_POST, token_refusals[i].path, token_refusals[i].body),
                     token_refusals[i].status, token_refusals[i].type);
}

static void a_login_by_mail_is_told_that_there_is_none(void **state)
{
    static const char *const paths[] = { "/v1/account/sessions/magic-url",
                                         "/v1/account/tokens/magic-url",
                                         "/v1/account/tokens/email" };
    struct rig *r = *state;
    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        assert_error(rig_ask(r, HTTP_POST, paths[i], "{\"email\":\"u@bar.example\"}", NULL), 503,
                     "general_smtp_disabled");
}

static void only_a_key_makes_tokens(void **state)
{
    struct rig *r = *state;
    struct rig_answer a = ask_as_user(r, HTTP_GET, "/v1/account", NULL);
    char *path = xasprintf("/v1/users/%s/tokens", message_str(a.json, "$id", ""));
    rig_answer_finish(&a);
    assert_error(rig_ask(r, HTTP_POST, path, NULL, NULL), 401, "general_unauthorized_scope");
    assert_error(ask_as_user(r, HTTP_POST, path, NULL), 401, "general_unauthorized_scope");
    free(path);
}

static void anonymous_guests_may_write_requests(void **state)
{
    struct rig *r = *state;
    struct rig_answer a = rig_ask(r, HTTP_POST, "/v1/account/sessions/anonymous", NULL, NULL);
    assert_int_equal(a.status, 201);
    char *secret = fallback_secret(&a);
    const char *const header[] = { "x-appwrite-project", "prj", "x-appwrite-session", secret,
                                   NULL };
    assert_status(rig_ask(r, HTTP_POST, DOCUMENTS "requests/documents",
                          "{\"documentId\":\"unique()\",\"data\":" REQUEST "}", header),
                  201);
    rig_answer_finish(&a);
    free(secret);
}

static void guessing_passwords_ends_with_429_and_a_time(void **state)
{
    struct rig *r = *state;
    struct rig_answer a = { 0 };
    for (int i = 0; i < 11; i++) {
        rig_answer_finish(&a);
        a = rig_ask(r, HTTP_POST, "/v1/account/sessions/email",
                    "{\"email\":\"u@bar.example\",\"password\":\"wrong horse\"}", NULL);
        assert_int_equal(a.status, i < 10 ? 401 : 429);
    }
    assert_contains(a.headers, "X-RateLimit-Remaining: 0\n");
    assert_contains(a.headers, "X-RateLimit-Reset: 1760003600\n");
    assert_error(a, 429, "general_rate_limit_exceeded");
}

static void the_house_is_claimed_once_with_its_code(void **state)
{
    struct rig *r = *state;
    char code[SECRET_TEXT_MAX];
    struct api_error e;
    const char *const none[] = { NULL };
    assert_true(accounts_claim_code(r->accounts, code, &e));
    assert_true(*code);
    const char *body = "{\"code\":\"%s\",\"email\":\"o@bar.example\",\"password\":\"long enough\"}";
    char *wrong = xasprintf(body, "000000000000"), *right = xasprintf(body, code);
    struct rig_answer a = rig_ask(r, HTTP_POST, "/v1/hub/claim", wrong, none);
    assert_true(a.status == 401);
    rig_answer_finish(&a);
    assert_error(rig_ask(r, HTTP_POST, "/v1/hub/claim", "{\"code\":\"x\"}", none), 400,
                 "general_argument_invalid");
    assert_int_equal(r->claimed, 0);
    assert_status(rig_ask(r, HTTP_POST, "/v1/hub/claim", right, none), 201);
    assert_int_equal(r->claimed, 1);
    assert_status(rig_ask(r, HTTP_POST, "/v1/account/sessions/email",
                          "{\"email\":\"o@bar.example\",\"password\":\"long enough\"}", NULL),
                  201);
    a = rig_ask(r, HTTP_POST, "/v1/hub/claim", right, none);
    assert_true(a.status >= 400);
    assert_int_equal(r->claimed, 1);
    rig_answer_finish(&a);
    free(wrong);
    free(right);
}

/* ---- services ------------------------------------------------------------------------------------ */

static void the_small_services_answer(void **state)
{
    struct rig *r = *state;
    struct rig_answer a = rig_ask(r, HTTP_GET, "/v1/ping", NULL, NULL);
    assert_string_equal(a.body, "Pong!");
    assert_contains(a.type, "text/plain");
    rig_answer_finish(&a);
    a = rig_ask(r, HTTP_GET, "/v1/health/version", NULL, NULL);
    assert_string_equal(a.body, "{\"version\":\"" API_VERSION "\",\"hub\":\"" DJAMMS_VERSION "\"}");
    rig_answer_finish(&a);
    a = rig_ask(r, HTTP_GET, "/v1/locale", NULL, NULL);
    assert_string_equal(message_str(a.json, "ip", ""), "127.0.0.1");
    rig_answer_finish(&a);
    assert_error(rig_ask(r, HTTP_GET, "/v1/functions/auth/verify", NULL, NULL), 401,
                 "general_unauthorized_scope");
    assert_status(ask_as_user(r, HTTP_GET, "/v1/functions/auth/verify", NULL), 200);
}

static void functions_answer_as_executions(void **state)
{
    struct rig *r = *state;
    const char *body = "{\"body\":\"{\\\"action\\\":\\\"status\\\",\\\"venueId\\\":\\\"bar\\\"}\","
                       "\"async\":%s,\"path\":\"/\",\"method\":\"POST\",\"headers\":{}}";
    char *sync = xasprintf(body, "false"), *async = xasprintf(body, "true");
    struct rig_answer a =
        rig_ask(r, HTTP_POST, "/v1/functions/player-registry/executions", sync, NULL);
    assert_int_equal(a.status, 201);
    assert_string_equal(message_str(a.json, "status", ""), "completed");
    assert_contains(message_str(a.json, "responseBody", ""), "hasMaster");
    rig_answer_finish(&a);
    assert_status(rig_ask(r, HTTP_POST, "/v1/functions/player-registry/executions", async, NULL),
                  202);
    free(sync);
    free(async);
}

static void old_clients_send_and_read_executions_by_other_names(void **state)
{
    struct rig *r = *state;
    static const char body[] =
        "{\"data\":\"{\\\"action\\\":\\\"status\\\",\\\"venueId\\\":\\\"bar\\\"}\"}";
    static const struct {
        const char *format;
        bool is_old;
    } cases[] = {
        { "1.0.0", true }, { "1.3.9", true }, { "1.4.0", false }, { "2.0.0", false }, { "x", false }
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *const header[] = { "x-appwrite-project", "prj", "x-appwrite-response-format",
                                       cases[i].format, NULL };
        struct rig_answer a =
            rig_ask(r, HTTP_POST, "/v1/functions/player-registry/executions", body, header);
        assert_contains(message_str(a.json, "responseBody", ""), "hasMaster");
        assert_int_equal(message_i64(a.json, "statusCode", 0), cases[i].is_old ? 200 : 0);
        assert_int_equal(strstr(message_str(a.json, "response", ""), "hasMaster") != NULL,
                         cases[i].is_old);
        rig_answer_finish(&a);
    }
}

/* ---- news ---------------------------------------------------------------------------------------- */

static void each_write_is_told_once_as_it_was_answered(void **state)
{
    struct rig *r = *state;
    struct rig_socket s;
    struct realtime_client *c = rig_open(r, &s, "project=prj&channels[]=documents");
    create_request(r, "a1");
    struct rig_answer a = ask_as_user(r, HTTP_PATCH, DOCUMENTS "requests/documents/a1",
                                      "{\"data\":{\"status\":\"playing\"}}");
    assert_int_equal(s.count, 3);
    assert_contains(s.sent[1], ".a1.create\"");
    assert_contains(s.sent[2], ".a1.update\"");
    char *payload = xasprintf("\"payload\":%s,", a.body);
    assert_contains(s.sent[2], payload);
    free(payload);
    rig_answer_finish(&a);
    assert_status(ask_as_user(r, HTTP_DELETE, DOCUMENTS "requests/documents/a1", NULL), 204);
    assert_int_equal(s.count, 4);
    assert_contains(s.sent[3], ".a1.delete\"");
    assert_contains(s.sent[3], "\"status\":\"playing\"");
    rig_hang_up(r, &s, c);
}

static void what_is_refused_is_undone_and_nobody_hears_of_it(void **state)
{
    struct rig *r = *state;
    struct rig_socket s;
    struct realtime_client *c = rig_open(r, &s, "project=prj&channels[]=documents");
    create_request(r, "a1");
    unsigned undone = r->undone;
    assert_error(ask_as_user(r, HTTP_POST, DOCUMENTS "requests/documents",
                             "{\"documentId\":\"a1\",\"data\":" REQUEST "}"),
                 409, "document_already_exists");
    assert_int_equal(r->undone, undone + 1);
    assert_int_equal(r->changes.count, 0);
    assert_int_equal(s.count, 2);
    rig_hang_up(r, &s, c);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_document_lives_from_create_to_delete),
        TEST(a_list_takes_both_grammars_and_counts_all),
        TEST(rows_are_documents_under_other_names),
        TEST(numbers_count_up_and_down_between_bounds),
        TEST(a_guarded_write_of_something_newer_is_refused),
        TEST(refusals_have_their_status_and_type),
        TEST(the_project_is_asked_for_in_header_or_url),
        TEST(bad_credentials_are_told_and_dead_sessions_are_guests),
        TEST(guests_read_and_do_not_write),
        TEST(bodies_nested_too_deep_are_refused_unread),
        TEST(what_is_unknown_is_ignored),
        TEST(old_clients_may_send_data_as_text),
        TEST(every_answer_tells_the_page_that_it_may_read_it),
        TEST(options_is_answered_everywhere_without_asking_who),
        TEST(strange_pages_are_refused_and_programs_with_a_key_are_not),
        TEST(a_sign_in_gives_its_session_by_cookie_and_header_only),
        TEST(the_current_session_can_be_seen_extended_and_ended),
        TEST(all_sessions_end_at_once),
        TEST(a_token_made_of_a_session_stands_for_it),
        TEST(a_token_of_a_program_with_a_key_signs_a_client_in_once),
        TEST(what_is_no_token_is_refused_in_the_words_of_appwrite),
        TEST(a_login_by_mail_is_told_that_there_is_none),
        TEST(only_a_key_makes_tokens),
        TEST(anonymous_guests_may_write_requests),
        TEST(guessing_passwords_ends_with_429_and_a_time),
        TEST(the_house_is_claimed_once_with_its_code),
        TEST(the_small_services_answer),
        TEST(functions_answer_as_executions),
        TEST(old_clients_send_and_read_executions_by_other_names),
        TEST(each_write_is_told_once_as_it_was_answered),
        TEST(what_is_refused_is_undone_and_nobody_hears_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
