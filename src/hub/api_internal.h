/* For api*.c only: one call of a route. */
#pragma once

#include "hub/api.h"
#include "wire/message.h"

#define API_PATH_MAX 512 /* bytes; longer ones are no route of ours */
#define API_ARGS_MAX 4

struct api {
    struct api_params params;
    char *project_id, *database_id, *origins;
};

struct api_call {
    struct api *api;
    const struct api_request *request;
    struct api_reply *reply;
    struct caller caller;
    char path[API_PATH_MAX];       /* its parts, each with a NUL behind it */
    const char *arg[API_ARGS_MAX]; /* the parts that stand for '*' in the route's pattern */
    size_t arg_count;
    bool is_rows;         /* the names of tables and rows are used */
    bool is_claim;        /* the house got an owner by it */
    struct message *body; /* an object; ROUTE_BODY only */
    struct api_error error;
};

/* Answers, or returns false with call->error. */
typedef bool api_handler(struct api_call *call);

enum route_flag {
    ROUTE_BODY = 1,   /* reads the body, which must be a JSON object or empty */
    ROUTE_WRITES = 2, /* what it writes is undone when it fails */
    ROUTE_PUBLIC = 4, /* no project is needed, and nobody is asked for */
    ROUTE_ROWS = 8,   /* by the names of tables and rows */
};

struct route {
    enum http_method method;
    const char *pattern; /* below /v1/; '*' stands for one part */
    unsigned flags;
    api_handler *run;
};

/* The route of a request; fills path, arg and is_rows. NULL: there is none. */
const struct route *api_route_find(struct api_call *call);

/* ---- answers (api_reply.c) --------------------------------------------------------------------- */

/* With a body of JSON; `m` is taken. */
void api_reply_message(struct api_reply *r, int status, struct message *m);
void api_reply_empty(struct api_reply *r, int status);
void api_reply_plain(struct api_reply *r, const char *text); /* 200; constant text */
/* The value is borrowed for as long as the reply lives. */
void api_reply_header(struct api_reply *r, const char *name, const char *value);
/* Takes the text; it lives as long as the reply. */
const char *api_reply_own(struct api_reply *r, char *text);
void api_reply_error(struct api_reply *r, const struct api_error *e, int64_t wall_ms);

/* ---- what the routes do ------------------------------------------------------------------------- */

/* api_documents.c */
api_handler api_list_documents, api_create_document, api_get_document, api_update_document,
    api_upsert_document, api_delete_document, api_increment_document, api_decrement_document;
/* api_account.c */
api_handler api_get_account, api_list_sessions, api_get_session, api_end_sessions, api_sign_in,
    api_sign_in_anonymous, api_sign_in_token, api_extend_session, api_end_session, api_create_jwt,
    api_create_token, api_send_mail, api_claim, api_verify_session;
/* api_service.c */
api_handler api_ping, api_version, api_locale, api_execute;
