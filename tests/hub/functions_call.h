/* Calls of the built-in functions, as the web clients make them. */
#pragma once

#include "accounts_rig.h"

#define REGISTRY "player-registry"
#define REQUEST  "processRequest"
#define VENUE    "bar"

/* One execution: the inner status and the decoded inner body. */
struct reply {
    int status;
    struct message *body;
};

static inline struct message *execute(struct rig *r, const char *id, const char *body,
                                      bool is_async)
{
    struct caller guest = { .kind = CALLER_GUEST };
    struct message *request = message_create(), *execution;
    message_set_str(request, "body", body);
    message_set_bool(request, "async", is_async);
    rig_must(r, functions_execute(r->functions, &guest, id, request, &execution, &r->e));
    message_destroy(request);
    return execution;
}

static inline struct reply call(struct rig *r, const char *id, const char *body)
{
    struct message *execution = execute(r, id, body, false);
    const char *text = message_str(execution, "responseBody", "");
    struct reply reply = { (int)message_i64(execution, "responseStatusCode", -1),
                           message_parse(text, strlen(text), NULL, 0) };
    assert_non_null(reply.body);
    message_destroy(execution);
    return reply;
}

static inline struct reply registry(struct rig *r, const char *action, const char *venue,
                                    const char *device)
{
    char *body = xasprintf("{\"action\":\"%s\",\"venueId\":\"%s\",\"deviceId\":\"%s\","
                           "\"userAgent\":\"test\"}",
                           action, venue, device);
    struct reply reply = call(r, REGISTRY, body);
    free(body);
    return reply;
}

/* Whether the device is master after register. */
static inline bool is_master(struct rig *r, const char *device)
{
    struct reply reply = registry(r, "register", VENUE, device);
    bool is_it = message_bool(reply.body, "isMaster", false);
    assert_int_equal(reply.status, 200);
    assert_int_equal(message_bool(reply.body, "success", !is_it), is_it);
    message_destroy(reply.body);
    return is_it;
}

/* The inner status of an action. */
static inline int status_of(struct rig *r, const char *action, const char *device)
{
    struct reply reply = registry(r, action, VENUE, device);
    assert_int_equal(message_bool(reply.body, "success", false), reply.status == 200);
    message_destroy(reply.body);
    return reply.status;
}

static inline bool has_master(struct rig *r)
{
    struct reply reply = registry(r, "status", VENUE, "");
    bool has = message_bool(reply.body, "hasMaster", false);
    assert_true(message_bool(reply.body, "success", false));
    message_destroy(reply.body);
    return has;
}

static inline struct message *list(struct rig *r, const char *collection)
{
    struct query q;
    struct message *all;
    query_init(&q);
    rig_must(r, documents_list(r->documents, NULL, collection_find(collection), &q, &all, &r->e));
    query_finish(&q);
    return all;
}

static inline size_t count(struct rig *r, const char *collection)
{
    struct message *all = list(r, collection);
    size_t n = message_count(all, "documents");
    message_destroy(all);
    return n;
}
