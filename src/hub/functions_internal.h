/* For functions*.c only. */
#pragma once

#include "hub/functions.h"
#include "hub/query.h"
#include "hub/steady_clock.h"
#include "wire/message.h"

struct functions {
    struct documents *documents;
    struct steady_clock clock;
    bool has_looked; /* at the players that a former hub left */
};

/* What a function answers: the inner status and body. */
struct function_reply {
    int status;
    struct message *body;
};

/* false and *e: the documents could not be read or written. `in` is the decoded body. */
typedef bool function_run(struct functions *f, const struct message *in, struct function_reply *r,
                          struct api_error *e);

function_run registry_run, request_run;

/* Now, never less than before. When the clock was set, the lives of the registered players were moved with it. */
bool functions_now(struct functions *f, int64_t *now_ms, struct api_error *e);

/* {"success": false, "error": ...}. Returns true. */
bool function_refuse(struct function_reply *r, int status, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Queries as texts: where `attribute` has that value, or stands so to a number. */
bool where_equal(struct query *q, const struct collection *c, const char *attribute,
                 const char *value, struct api_error *e);
bool where_number(struct query *q, const struct collection *c, const char *method,
                  const char *attribute, int64_t value, struct api_error *e);
bool where_limit(struct query *q, const struct collection *c, int limit, struct api_error *e);
/* Datetimes, both ends included. */
bool where_between(struct query *q, const struct collection *c, const char *attribute,
                   int64_t from_ms, int64_t to_ms, struct api_error *e);
/* Only that attribute. */
bool where_select(struct query *q, const struct collection *c, const char *attribute,
                  struct api_error *e);
/* As documents_list(); finishes q. */
bool function_list(struct functions *f, const struct collection *c, struct query *q,
                   struct message **out, struct api_error *e);
