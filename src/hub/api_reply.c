#include <inttypes.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "hub/api_internal.h"

const char *api_reply_own(struct api_reply *r, char *text)
{
    assert(r->owned_count < API_OWNED_MAX);
    r->owned[r->owned_count++] = text;
    return text;
}

void api_reply_header(struct api_reply *r, const char *name, const char *value)
{
    assert(r->answer.header_count < API_HEADERS_MAX);
    r->header[r->answer.header_count++] = (struct http_header){ name, value };
    r->answer.header = r->header;
}

void api_reply_message(struct api_reply *r, int status, struct message *m)
{
    const char *text = api_reply_own(r, message_text(m, false));
    message_destroy(m);
    r->answer.status = status;
    r->answer.content_type = "application/json; charset=UTF-8";
    r->answer.body = text;
    r->answer.len = strlen(text);
}

void api_reply_empty(struct api_reply *r, int status)
{
    r->answer.status = status;
}

void api_reply_plain(struct api_reply *r, const char *text)
{
    r->answer.status = 200;
    r->answer.content_type = "text/plain; charset=UTF-8";
    r->answer.body = text;
    r->answer.len = strlen(text);
}

void api_reply_finish(struct api_reply *r)
{
    for (size_t i = 0; i < r->owned_count; i++)
        free(r->owned[i]);
    *r = (struct api_reply){ 0 };
}

char *api_error_text(const struct api_error *e)
{
    struct message *m = message_create();
    message_set_str(m, "message", e->message);
    message_set_i64(m, "code", api_error_status(e->kind));
    message_set_str(m, "type", api_error_type(e->kind));
    message_set_str(m, "version", API_VERSION);
    char *text = message_text(m, false);
    message_destroy(m);
    return text;
}

void api_reply_error(struct api_reply *r, const struct api_error *e, int64_t wall_ms)
{
    const char *text = api_reply_own(r, api_error_text(e));
    r->answer.status = api_error_status(e->kind);
    r->answer.content_type = "application/json; charset=UTF-8";
    r->answer.body = text;
    r->answer.len = strlen(text);
    if (e->kind != API_RATE_LIMIT)
        return;
    char *reset = xasprintf("%" PRId64, wall_ms / 1000 + 3600); /* limits are per hour */
    api_reply_header(r, "X-RateLimit-Remaining", "0");
    api_reply_header(r, "X-RateLimit-Reset", api_reply_own(r, reset));
}
