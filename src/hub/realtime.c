#include "hub/realtime.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "hub/realtime_event.h"
#include "hub/realtime_subscriptions.h"
#include "hub/realtime_url.h"
#include "wire/message.h"

#define CODE_BAD_MESSAGE 1003 /* stays open */
#define CODE_POLICY      1008 /* closes */
#define IDS_BYTES_MAX    ((size_t)64 * 1024)

struct realtime_client {
    void *socket;
    size_t index;
    struct caller caller;
    struct subscriptions *subscriptions;
};

struct realtime {
    struct realtime_params params;
    struct realtime_client **client;
    size_t count, cap;
    struct buf ids;
};

struct realtime *realtime_create(const struct realtime_params *p)
{
    struct realtime *r = xcalloc(1, sizeof(*r));
    r->params = *p;
    buf_init(&r->ids, IDS_BYTES_MAX);
    return r;
}

void realtime_destroy(struct realtime *r)
{
    if (!r)
        return;
    assert(r->count == 0);
    buf_finish(&r->ids);
    free(r->client);
    free(r);
}

size_t realtime_count(const struct realtime *r)
{
    return r->count;
}

/* ---- messages to a client ---------------------------------------------------------------------- */

/* {"type":type,"data":data}; `data` is taken, NULL: none. */
static void send_message(struct realtime *r, void *socket, const char *type, struct message *data)
{
    struct message *m = message_create();
    message_set_str(m, "type", type);
    if (data)
        message_set_object(m, "data", data);
    char *text = message_text(m, false);
    r->params.send(r->params.ctx, socket, text, strlen(text));
    free(text);
    message_destroy(m);
}

static void send_error(struct realtime *r, void *socket, int code, const char *why)
{
    struct message *data = message_create();
    message_set_i64(data, "code", code);
    message_set_str(data, "message", why);
    send_message(r, socket, "error", data);
}

static struct message *response_to(const char *to)
{
    struct message *data = message_create();
    message_set_str(data, "to", to);
    message_set_bool(data, "success", true);
    return data;
}

/* The account as GET /account gives it; NULL: a guest. */
static struct message *user_of(struct realtime *r, const struct caller *caller)
{
    struct message *user = NULL;
    struct api_error ignored;
    if (caller->kind != CALLER_USER || !accounts_get(r->params.accounts, caller, &user, &ignored))
        return NULL;
    return user;
}

/* ---- opening ----------------------------------------------------------------------------------- */

static struct realtime_client *add_client(struct realtime *r, void *socket,
                                          const struct caller *caller)
{
    if (r->count == r->cap) {
        r->cap = r->cap ? r->cap * 2 : 64;
        r->client = xrealloc(r->client, r->cap * sizeof(struct realtime_client *));
    }
    struct realtime_client *c = xcalloc(1, sizeof(*c));
    *c = (struct realtime_client){ .socket = socket, .index = r->count, .caller = *caller };
    c->subscriptions = subscriptions_create();
    r->client[r->count++] = c;
    return c;
}

static struct realtime_client *refuse(struct realtime *r, void *socket, const char *why)
{
    send_error(r, socket, CODE_POLICY, why);
    r->params.close(r->params.ctx, socket, CODE_POLICY, "policy");
    return NULL;
}

/* Each slot is a subscription with a name of ours: the same for all, so that their events have one text.
 * false: a query is bad. */
static bool add_slots(struct realtime_client *c, const struct realtime_url *u, struct message *ids,
                      struct api_error *e)
{
    for (size_t i = 0; i < u->slot_count; i++) {
        const struct url_slot *s = &u->slot[i];
        char number[24], id[32];
        snprintf(number, sizeof(number), "%ld", s->number);
        snprintf(id, sizeof(id), "slot-%ld", s->number);
        const char *channel = s->channel;
        if (!subscriptions_add(c->subscriptions, id, &channel, 1, (const char *const *)s->query,
                               s->query_count, e))
            return false;
        message_set_str(ids, number, id);
    }
    return true;
}

static void send_connected(struct realtime *r, struct realtime_client *c,
                           const struct realtime_url *u, struct message *ids)
{
    struct message *data = message_create();
    message_set_array(data, "channels");
    for (size_t i = 0; i < u->channel_count; i++)
        message_append_str(data, "channels", u->channel[i]);
    message_set_object(data, "subscriptions", ids);
    message_set_object(data, "user", user_of(r, &c->caller));
    send_message(r, c->socket, "connected", data);
}

/* The caller that the URL's token says, else that of the headers. false: the token is bad. */
static bool identify(struct realtime *r, const struct realtime_opening *o,
                     const struct realtime_url *u, struct caller *out, struct api_error *e)
{
    *out = *o->caller;
    if (!u->jwt || out->kind != CALLER_GUEST)
        return true;
    return accounts_identify(r->params.accounts,
                             &(struct credentials){ .jwt = u->jwt, .peer = o->caller->peer }, out,
                             e);
}

static struct realtime_client *open_url(struct realtime *r, const struct realtime_opening *o,
                                        const struct realtime_url *u)
{
    struct api_error e;
    struct caller caller;
    const char *project = u->project ? u->project : o->project;
    if (!o->caller)
        return refuse(r, o->socket, o->refusal->message);
    if (!project || strcmp(project, r->params.project_id) != 0)
        return refuse(r, o->socket, "Missing or unknown project ID");
    if (!identify(r, o, u, &caller, &e))
        return refuse(r, o->socket, e.message);
    struct realtime_client *c = add_client(r, o->socket, &caller);
    struct message *ids = message_create();
    bool is_good = add_slots(c, u, ids, &e);
    send_connected(r, c, u, ids);
    if (!is_good)
        send_error(r, c->socket, CODE_BAD_MESSAGE, e.message);
    return c;
}

struct realtime_client *realtime_open(struct realtime *r, const struct realtime_opening *o)
{
    struct realtime_url u;
    struct api_error e;
    bool is_good = realtime_url_parse(&u, o->query_string, &e);
    struct realtime_client *c = is_good ? open_url(r, o, &u) : refuse(r, o->socket, e.message);
    realtime_url_finish(&u);
    return c;
}

void realtime_closed(struct realtime *r, struct realtime_client *c)
{
    struct realtime_client *last = r->client[--r->count];
    r->client[c->index] = last;
    last->index = c->index;
    subscriptions_destroy(c->subscriptions);
    free(c);
}

/* ---- messages of a client ---------------------------------------------------------------------- */

static bool authenticate(struct realtime *r, struct realtime_client *c, const struct message *m,
                         struct api_error *e)
{
    const struct message *data = message_object(m, "data");
    struct caller caller;
    struct credentials given = { .peer = c->caller.peer };
    if (data) {
        given.session = message_str(data, "session", NULL);
        given.jwt = message_str(data, "jwt", NULL);
    }
    if (!accounts_identify(r->params.accounts, &given, &caller, e))
        return false;
    if (caller.kind != CALLER_USER)
        return api_fail(e, API_UNAUTHORIZED, "Session is not valid.");
    c->caller = caller;
    struct message *answer = response_to("authentication");
    message_set_object(answer, "user", user_of(r, &caller));
    send_message(r, c->socket, "response", answer);
    return true;
}

/* The texts of an array; the caller frees the list, not what is in it. false: something in it is no text. */
static bool read_texts(const struct message *m, const char *field, const char ***out, size_t *count,
                       struct api_error *e)
{
    enum message_kind kind = message_kind(m, field);
    *count = message_count(m, field);
    *out = xcalloc(*count + 1, sizeof(**out));
    bool is_good = kind == MESSAGE_MISSING || kind == MESSAGE_NULL || kind == MESSAGE_ARRAY;
    for (size_t i = 0; is_good && i < *count; i++)
        is_good = ((*out)[i] = message_str_at(m, field, i)) != NULL;
    if (!is_good)
        api_fail(e, API_ARGUMENT_INVALID, "%s must be an array of texts", field);
    return is_good;
}

static bool subscribe_one(struct realtime_client *c, const struct message *wish, size_t index,
                          struct message *answer, struct api_error *e)
{
    const char **channel, **query = NULL;
    size_t channel_count, query_count;
    char made[40];
    snprintf(made, sizeof(made), "sub-%zu-%zu", subscriptions_count(c->subscriptions), index);
    const char *id = message_str(wish, "subscriptionId", made);
    bool is_good =
        read_texts(wish, "channels", &channel, &channel_count, e) &&
        read_texts(wish, "queries", &query, &query_count, e) &&
        subscriptions_add(c->subscriptions, id, channel, channel_count, query, query_count, e);
    if (is_good) {
        struct message *done = message_create();
        message_set_str(done, "subscriptionId", id);
        message_set_field(done, "channels", wish, "channels");
        message_set_array(done, "queries");
        if (query_count)
            message_set_field(done, "queries", wish, "queries");
        message_append_object(answer, "subscriptions", done);
    }
    free(channel);
    free(query);
    return is_good;
}

static bool unsubscribe_one(struct realtime_client *c, const struct message *wish, size_t index,
                            struct message *answer, struct api_error *e)
{
    const char *id = message_str(wish, "subscriptionId", NULL);
    if (!id)
        return api_fail(e, API_ARGUMENT_INVALID, "subscriptionId is missing");
    struct message *done = message_create();
    message_set_str(done, "subscriptionId", id);
    message_set_bool(done, "removed", subscriptions_remove(c->subscriptions, id));
    message_append_object(answer, "subscriptions", done);
    return true;
}

/* Answers what was done, up to the first that is bad: that is told by an error of its own. */
static bool each_wish(struct realtime *r, struct realtime_client *c, const struct message *m,
                      const char *to,
                      bool (*one)(struct realtime_client *, const struct message *, size_t,
                                  struct message *, struct api_error *),
                      struct api_error *e)
{
    size_t count = message_count(m, "data"), done = 0;
    bool is_good = count > 0 || api_fail(e, API_ARGUMENT_INVALID, "Payload is not valid.");
    struct message *answer = response_to(to);
    message_set_array(answer, "subscriptions");
    for (; is_good && done < count; done += is_good) {
        const struct message *wish = message_object_at(m, "data", done);
        is_good = wish ? one(c, wish, done, answer, e)
                       : api_fail(e, API_ARGUMENT_INVALID, "Payload is not valid.");
    }
    if (done)
        send_message(r, c->socket, "response", answer);
    else
        message_destroy(answer);
    return is_good;
}

static bool handle(struct realtime *r, struct realtime_client *c, const struct message *m,
                   struct api_error *e)
{
    const char *type = message_str(m, "type", "");
    if (strcmp(type, "ping") == 0) {
        send_message(r, c->socket, "pong", NULL);
        return true;
    }
    if (strcmp(type, "authentication") == 0)
        return authenticate(r, c, m, e);
    if (strcmp(type, "subscribe") == 0)
        return each_wish(r, c, m, type, subscribe_one, e);
    if (strcmp(type, "unsubscribe") == 0)
        return each_wish(r, c, m, type, unsubscribe_one, e);
    return api_fail(e, API_ARGUMENT_INVALID, "Message type is not valid.");
}

void realtime_text(struct realtime *r, struct realtime_client *c, const char *text, size_t len)
{
    struct api_error e = { .message = "Message format is not valid." };
    struct message *m = message_parse(text, len, NULL, 0);
    if (!m || !handle(r, c, m, &e))
        send_error(r, c->socket, CODE_BAD_MESSAGE, e.message);
    message_destroy(m);
}

/* ---- events ------------------------------------------------------------------------------------ */

void realtime_publish(struct realtime *r, const struct change *change)
{
    struct realtime_event event;
    enum event_form form;
    size_t len;
    const char *readers = change->collection->roles[RIGHT_READ];
    realtime_event_init(&event, change, r->params.database_id, r->params.wall_ms(r->params.ctx));
    for (size_t i = 0; i < r->count; i++) {
        struct realtime_client *c = r->client[i];
        if (!caller_has_any(&c->caller, readers) ||
            !subscriptions_match(c->subscriptions, &event, &r->ids, &form))
            continue;
        const char *text = realtime_event_text(&event, form, r->ids.data, r->ids.len, &len);
        if (text)
            r->params.send(r->params.ctx, c->socket, text, len);
    }
    realtime_event_finish(&event);
}
