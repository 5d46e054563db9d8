/* A small model of the backend for the simulation: documents with $updatedAt and guards, events, the registry. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "sync/stamp.h"
#include "wire/message.h"

#define VENUE      "bar"
#define DOCS_MAX   96
#define FIELDS_MAX 17

static const char *const field_names[FIELDS_MAX] = {
    "venueId", "nowPlaying",  "mainQueue", "priorityQueue", "updatedAt", "createdAt",
    "song",    "requesterId", "paymentId", "status",        "timestamp", "executedAt",
    "command", "payload",     "deviceId",  "executedBy",    "volume",
};

struct doc {
    char collection[20], id[48];
    int64_t stamp_ms, created_ms;
    char *field[FIELDS_MAX]; /* texts; numbers as text; NULL: null */
    char *json;
};

struct server {
    struct doc at[DOCS_MAX];
    size_t count;
    int64_t clock_ms; /* its own clock: steps */
    bool has_function;
    bool has_state; /* the collection player_state */
    char master[64];
    int64_t heartbeat_ms, steady_ms; /* intervals are not measured by a clock that steps */
    void (*on_write)(void *ctx, const struct doc *d, const char *action);
    void *ctx;
};

struct reply {
    int status;
    char *body;
};

static size_t field_index(const char *name)
{
    size_t i = 0;
    while (i < FIELDS_MAX && strcmp(field_names[i], name) != 0)
        i++;
    return i;
}

static const char *doc_get(const struct doc *d, const char *name)
{
    return d->field[field_index(name)];
}

static void doc_set(struct doc *d, const char *name, const char *value)
{
    char **field = &d->field[field_index(name)];
    char *copy = xstrdup(value);
    free(*field);
    *field = copy;
}

static struct message *doc_message(const struct doc *d)
{
    struct message *m = message_create();
    char updated[STAMP_SIZE], created[STAMP_SIZE];
    stamp_format(d->stamp_ms, updated);
    stamp_format(d->created_ms, created);
    for (size_t i = 0; i < FIELDS_MAX; i++) {
        if (d->field[i])
            message_set_str(m, field_names[i], d->field[i]);
    }
    message_set_str(m, "$id", d->id);
    message_set_str(m, "$collectionId", d->collection);
    message_set_str(m, "$updatedAt", updated);
    message_set_str(m, "$createdAt", created);
    return m;
}

static struct doc *server_find(struct server *s, const char *collection, const char *id)
{
    for (size_t i = 0; i < s->count; i++) {
        if (strcmp(s->at[i].collection, collection) == 0 && strcmp(s->at[i].id, id) == 0)
            return &s->at[i];
    }
    return NULL;
}

static void server_touch(struct server *s, struct doc *d, const char *action)
{
    d->stamp_ms = s->clock_ms > d->stamp_ms ? s->clock_ms : d->stamp_ms + 1;
    free(d->json);
    struct message *m = doc_message(d);
    d->json = message_text(m, false);
    message_destroy(m);
    s->on_write(s->ctx, d, action);
}

static struct doc *server_add(struct server *s, const char *collection, const char *id)
{
    if (s->count == DOCS_MAX)
        return NULL;
    struct doc *d = &s->at[s->count++];
    *d = (struct doc){ .created_ms = s->clock_ms };
    snprintf(d->collection, sizeof(d->collection), "%s", collection);
    snprintf(d->id, sizeof(d->id), "%s", id);
    return d;
}

static void server_remove(struct server *s, struct doc *d)
{
    for (size_t i = 0; i < FIELDS_MAX; i++)
        free(d->field[i]);
    free(d->json);
    memmove(d, d + 1, (size_t)(s->at + --s->count - d) * sizeof(*d));
}

static void server_finish(struct server *s)
{
    while (s->count)
        server_remove(s, &s->at[0]);
}

static struct reply reply_error(int status, const char *type)
{
    return (struct reply){ status, xasprintf("{\"message\":\"no\",\"code\":%d,\"type\":\"%s\"}",
                                             status, type) };
}

static void server_merge(struct doc *d, const struct message *data)
{
    for (size_t i = 0; i < FIELDS_MAX; i++) {
        if (!message_has(data, field_names[i]))
            continue;
        char number[24];
        int64_t value = message_i64(data, field_names[i], -1);
        snprintf(number, sizeof(number), "%lld", (long long)value);
        doc_set(d, field_names[i], message_str(data, field_names[i], value >= 0 ? number : NULL));
    }
}

static struct reply server_execute(struct server *s, const struct message *body)
{
    if (!s->has_function)
        return reply_error(404, "function_not_found");
    const char *text = message_str(body, "body", "");
    struct message *inner = message_parse(text, strlen(text), NULL, 0);
    const char *action = message_str(inner, "action", ""),
               *device = message_str(inner, "deviceId", "");
    bool is_held = s->master[0] && s->steady_ms - s->heartbeat_ms < 120000;
    bool is_own = is_held && strcmp(s->master, device) == 0;
    int status = 200;
    char *answer;
    if (strcmp(action, "register") == 0 && is_held && !is_own) {
        answer = xasprintf("{\"success\":false,\"isMaster\":false,\"reason\":\"MASTER_ACTIVE\","
                           "\"currentMaster\":{\"deviceId\":\"%s\"}}",
                           s->master);
    } else if (strcmp(action, "register") == 0 || (strcmp(action, "heartbeat") == 0 && is_own)) {
        snprintf(s->master, sizeof(s->master), "%s", device);
        s->heartbeat_ms = s->steady_ms;
        answer = xstrdup("{\"success\":true,\"isMaster\":true}");
    } else if (strcmp(action, "release") == 0 && is_own) {
        s->master[0] = '\0';
        answer = xstrdup("{\"success\":true}");
    } else {
        status = 404;
        answer = xstrdup("{\"success\":false,\"error\":\"not active\"}");
    }
    char stamp[STAMP_SIZE];
    stamp_format(s->clock_ms, stamp);
    struct message *out = message_create();
    message_set_str(out, "status", "completed");
    message_set_str(out, "$updatedAt", stamp);
    message_set_i64(out, "responseStatusCode", status);
    message_set_str(out, "responseBody", answer);
    struct reply r = { 201, message_text(out, false) };
    message_destroy(out);
    message_destroy(inner);
    free(answer);
    return r;
}

static bool is_listed(const struct doc *d, const char *collection, const char *query)
{
    if (strcmp(d->collection, collection) != 0)
        return false;
    if (strstr(query, "executedAt") && doc_get(d, "executedAt"))
        return false;
    const char *status = doc_get(d, "status");
    return !strstr(query, "%22queued%22") || !status || !strcmp(status, "queued") ||
           !strcmp(status, "playing");
}

static struct reply server_list(struct server *s, const char *collection, const char *query)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    (void)!buf_printf(&b, "{\"documents\":[");
    bool is_first = true;
    for (size_t i = 0; i < s->count; i++) {
        if (!is_listed(&s->at[i], collection, query))
            continue;
        (void)!buf_printf(&b, "%s", is_first ? "" : ",");
        (void)!buf_append(&b, s->at[i].json, strlen(s->at[i].json));
        is_first = false;
    }
    (void)!buf_printf(&b, "]}");
    return (struct reply){ 200, b.data };
}

static struct reply server_create(struct server *s, const char *collection,
                                  const struct message *body)
{
    const char *id = message_str(body, "documentId", "");
    if (server_find(s, collection, id))
        return reply_error(409, "document_already_exists");
    struct doc *d = server_add(s, collection, id);
    if (!d)
        return reply_error(503, "full");
    server_merge(d, message_object(body, "data"));
    server_touch(s, d, "create");
    return (struct reply){ 201, xstrdup(d->json) };
}

static struct reply server_patch(struct server *s, struct doc *d, const char *guard,
                                 const struct message *body)
{
    int64_t guard_ms;
    if (guard && stamp_parse(guard, &guard_ms) && d->stamp_ms > guard_ms)
        return reply_error(409, "document_update_conflict");
    server_merge(d, message_object(body, "data"));
    server_touch(s, d, "update");
    return (struct reply){ 200, xstrdup(d->json) };
}

/* One request, at once. The caller frees the body. */
static struct reply server_http(struct server *s, const char *method, const char *path,
                                const char *guard, const char *text)
{
    char collection[20] = "", id[48] = "";
    const char *c = strstr(path, "/collections/"), *query = strchr(path, '?');
    if (strncmp(path, "/account", 8) == 0)
        return (struct reply){ 200, xstrdup("{\"$id\":\"device\"}") };
    struct message *body = text ? message_parse(text, strlen(text), NULL, 0) : NULL;
    struct reply r;
    struct doc *d;
    if (c)
        sscanf(c, "/collections/%19[^/]/documents/%47[^?]", collection, id);
    if (strncmp(path, "/functions/", 11) == 0)
        r = server_execute(s, body);
    else if ((strcmp(collection, "player_state") == 0 && !s->has_state) ||
             strcmp(collection, "venues") == 0 || strcmp(collection, "playlists") == 0)
        r = reply_error(404, "collection_not_found");
    else if (!*id && strcmp(method, "GET") == 0)
        r = server_list(s, collection, query ? query : "");
    else if (!*id)
        r = server_create(s, collection, body);
    else if (!(d = server_find(s, collection, id)))
        r = reply_error(404, "document_not_found");
    else if (strcmp(method, "PATCH") == 0)
        r = server_patch(s, d, guard, body);
    else
        r = (struct reply){ 200, xstrdup(d->json) };
    message_destroy(body);
    return r;
}
