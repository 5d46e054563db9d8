#include <string.h>

#include "base/compiler.h"
#include "hub/api_internal.h"

#define WRITES_BODY (ROUTE_BODY | ROUTE_WRITES)
#define DOCUMENTS   "databases/*/collections/*/documents"
#define ROWS        "tablesdb/*/tables/*/rows"

static const struct route routes[] = {
    { HTTP_GET, DOCUMENTS, 0, api_list_documents },
    { HTTP_POST, DOCUMENTS, WRITES_BODY, api_create_document },
    { HTTP_GET, DOCUMENTS "/*", 0, api_get_document },
    { HTTP_PATCH, DOCUMENTS "/*", WRITES_BODY, api_update_document },
    { HTTP_PUT, DOCUMENTS "/*", WRITES_BODY, api_upsert_document },
    { HTTP_DELETE, DOCUMENTS "/*", ROUTE_WRITES, api_delete_document },
    { HTTP_PATCH, DOCUMENTS "/*/*/increment", WRITES_BODY, api_increment_document },
    { HTTP_PATCH, DOCUMENTS "/*/*/decrement", WRITES_BODY, api_decrement_document },
    { HTTP_GET, ROWS, ROUTE_ROWS, api_list_documents },
    { HTTP_POST, ROWS, ROUTE_ROWS | WRITES_BODY, api_create_document },
    { HTTP_GET, ROWS "/*", ROUTE_ROWS, api_get_document },
    { HTTP_PATCH, ROWS "/*", ROUTE_ROWS | WRITES_BODY, api_update_document },
    { HTTP_PUT, ROWS "/*", ROUTE_ROWS | WRITES_BODY, api_upsert_document },
    { HTTP_DELETE, ROWS "/*", ROUTE_ROWS | ROUTE_WRITES, api_delete_document },
    { HTTP_PATCH, ROWS "/*/*/increment", ROUTE_ROWS | WRITES_BODY, api_increment_document },
    { HTTP_PATCH, ROWS "/*/*/decrement", ROUTE_ROWS | WRITES_BODY, api_decrement_document },
    { HTTP_POST, "functions/*/executions", WRITES_BODY, api_execute },
    { HTTP_GET, "functions/auth/verify", 0, api_verify_session },
    { HTTP_GET, "account", 0, api_get_account },
    { HTTP_GET, "account/sessions", 0, api_list_sessions },
    { HTTP_DELETE, "account/sessions", ROUTE_WRITES, api_end_sessions },
    { HTTP_POST, "account/sessions/email", WRITES_BODY, api_sign_in },
    { HTTP_POST, "account/sessions/anonymous", ROUTE_WRITES, api_sign_in_anonymous },
    { HTTP_POST, "account/sessions/token", WRITES_BODY, api_sign_in_token },
    /* by the name that clients of the year 2023 use */
    { HTTP_PUT, "account/sessions/magic-url", WRITES_BODY, api_sign_in_token },
    { HTTP_POST, "account/sessions/magic-url", 0, api_send_mail },
    { HTTP_POST, "account/tokens/magic-url", 0, api_send_mail },
    { HTTP_POST, "account/tokens/email", 0, api_send_mail },
    { HTTP_GET, "account/sessions/*", 0, api_get_session },
    { HTTP_PATCH, "account/sessions/*", ROUTE_WRITES, api_extend_session },
    { HTTP_DELETE, "account/sessions/*", ROUTE_WRITES, api_end_session },
    { HTTP_POST, "account/jwts", WRITES_BODY, api_create_jwt },
    { HTTP_POST, "account/jwt", WRITES_BODY, api_create_jwt },
    { HTTP_POST, "users/*/tokens", WRITES_BODY, api_create_token },
    { HTTP_GET, "ping", 0, api_ping },
    { HTTP_GET, "locale", 0, api_locale },
    { HTTP_GET, "health/version", ROUTE_PUBLIC, api_version },
    { HTTP_POST, "hub/claim", ROUTE_PUBLIC | WRITES_BODY, api_claim },
};

/* The parts of the path below /v1/. 0: it is not below it, or too long. */
static size_t split(struct api_call *call, const char *part[], size_t max)
{
    const char *path = call->request->path;
    size_t count = 0;
    if (strncmp(path, "/v1/", 4) != 0 || strlen(path + 4) >= sizeof(call->path))
        return 0;
    strcpy(call->path, path + 4);
    char *at = call->path;
    size_t len = strlen(at);
    if (len && at[len - 1] == '/')
        at[len - 1] = '\0';
    for (char *next; at && count < max; at = next) {
        next = strchr(at, '/');
        if (next)
            *next++ = '\0';
        part[count++] = at;
        if (next && count == max)
            return 0;
    }
    return count;
}

/* Whether the parts are as the pattern says; then call->arg are those that stand for '*'. */
static bool matches(struct api_call *call, const char *pattern, const char *const part[],
                    size_t count)
{
    size_t i = 0;
    call->arg_count = 0;
    for (const char *p = pattern; *p; i++) {
        size_t len = strcspn(p, "/");
        if (i == count)
            return false;
        bool is_any = len == 1 && *p == '*';
        if (is_any && *part[i])
            call->arg[call->arg_count++] = part[i];
        else if (is_any || strncmp(p, part[i], len) != 0 || part[i][len])
            return false;
        p += len + (p[len] == '/');
    }
    return i == count;
}

const struct route *api_route_find(struct api_call *call)
{
    const char *part[12];
    size_t count = split(call, part, ARRAY_LEN(part));
    for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
        if (routes[i].method == call->request->method &&
            matches(call, routes[i].pattern, part, count)) {
            call->is_rows = routes[i].flags & ROUTE_ROWS;
            return &routes[i];
        }
    }
    return NULL;
}
