#include "hub/realtime_subscriptions.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "hub/realtime_queries.h"
#include "wire/message.h"

struct entry {
    char *channel;
    uint64_t hash;
    struct realtime_queries *queries; /* NULL: everything */
};

struct subscription {
    char *id;
    char *id_text; /* as JSON */
    struct entry *entry;
    size_t count;
};

struct subscriptions {
    struct subscription *at;
    size_t count;
    size_t channels; /* of all */
};

struct subscriptions *subscriptions_create(void)
{
    return xcalloc(1, sizeof(struct subscriptions));
}

static void finish_entry(struct entry *e)
{
    free(e->channel);
    realtime_queries_destroy(e->queries);
}

static void finish(struct subscription *s)
{
    for (size_t i = 0; i < s->count; i++)
        finish_entry(&s->entry[i]);
    free(s->entry);
    free(s->id);
    free(s->id_text);
}

void subscriptions_destroy(struct subscriptions *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->count; i++)
        finish(&s->at[i]);
    free(s->at);
    free(s);
}

size_t subscriptions_count(const struct subscriptions *s)
{
    return s->count;
}

/* ---- adding ------------------------------------------------------------------------------------ */

static char *json_of_text(const char *text)
{
    struct message *m = message_create();
    message_set_str(m, "id", text);
    char *json = message_field_text(m, "id");
    message_destroy(m);
    return json;
}

static struct subscription *find(const struct subscriptions *s, const char *id)
{
    for (size_t i = 0; i < s->count; i++) {
        if (strcmp(s->at[i].id, id) == 0)
            return &s->at[i];
    }
    return NULL;
}

static struct subscription *find_or_make(struct subscriptions *s, const char *id)
{
    struct subscription *found = find(s, id);
    if (found)
        return found;
    s->at = xrealloc(s->at, (s->count + 1) * sizeof(*s->at));
    found = &s->at[s->count++];
    *found = (struct subscription){ .id = xstrdup(id), .id_text = json_of_text(id) };
    return found;
}

/* `queries` are taken. */
static void set_entry(struct subscriptions *s, struct subscription *to, const char *channel,
                      struct realtime_queries *queries)
{
    for (size_t i = 0; i < to->count; i++) {
        if (strcmp(to->entry[i].channel, channel) == 0) {
            realtime_queries_destroy(to->entry[i].queries);
            to->entry[i].queries = queries;
            return;
        }
    }
    to->entry = xrealloc(to->entry, (to->count + 1) * sizeof(*to->entry));
    to->entry[to->count++] = (struct entry){ .channel = xstrdup(channel),
                                             .hash = text_hash(channel, strlen(channel)),
                                             .queries = queries };
    s->channels++;
}

static bool check_bounds(const struct subscriptions *s, const char *id, const char *const *channel,
                         size_t channel_count, size_t query_count, struct api_error *e)
{
    if (!*id || strlen(id) > SUBSCRIPTION_ID_MAX)
        return api_fail(e, API_ARGUMENT_INVALID, "subscriptionId must have 1 to %d bytes",
                        SUBSCRIPTION_ID_MAX);
    if (s->count >= SUBSCRIPTIONS_MAX && !find(s, id))
        return api_fail(e, API_ARGUMENT_INVALID, "a connection has at most %d subscriptions",
                        SUBSCRIPTIONS_MAX);
    if (s->channels + channel_count > SUBSCRIPTION_CHANNELS)
        return api_fail(e, API_ARGUMENT_INVALID, "a connection has at most %d channels",
                        SUBSCRIPTION_CHANNELS);
    if (query_count > SUBSCRIPTION_QUERIES_MAX)
        return api_fail(e, API_QUERY_INVALID, "a subscription has at most %d queries",
                        SUBSCRIPTION_QUERIES_MAX);
    for (size_t i = 0; i < channel_count; i++) {
        if (!*channel[i] || strlen(channel[i]) > SUBSCRIPTION_CHANNEL_MAX)
            return api_fail(e, API_ARGUMENT_INVALID, "a channel must have 1 to %d bytes",
                            SUBSCRIPTION_CHANNEL_MAX);
    }
    return true;
}

bool subscriptions_add(struct subscriptions *s, const char *id, const char *const *channel,
                       size_t channel_count, const char *const *query, size_t query_count,
                       struct api_error *e)
{
    if (!check_bounds(s, id, channel, channel_count, query_count, e))
        return false;
    struct realtime_queries **queries =
        xcalloc(channel_count + 1, sizeof(struct realtime_queries *));
    size_t done = 0;
    while (done < channel_count &&
           realtime_queries_create(&queries[done], query, query_count, channel[done], e))
        done++;
    bool is_good = done == channel_count;
    struct subscription *to = is_good ? find_or_make(s, id) : NULL;
    for (size_t i = 0; i < done; i++) {
        if (to)
            set_entry(s, to, channel[i], queries[i]);
        else
            realtime_queries_destroy(queries[i]);
    }
    free(queries);
    return is_good;
}

bool subscriptions_remove(struct subscriptions *s, const char *id)
{
    struct subscription *found = find(s, id);
    if (!found)
        return false;
    s->channels -= found->count;
    finish(found);
    *found = s->at[--s->count];
    return true;
}

/* ---- matching ---------------------------------------------------------------------------------- */

static bool matches(struct subscription *s, const struct realtime_event *e, enum event_form *form)
{
    bool is_match = false;
    *form = EVENT_ROW;
    for (size_t i = 0; i < s->count; i++) {
        enum event_form heard;
        const struct change *change = e->change;
        if (!realtime_event_is_on(e, s->entry[i].channel, s->entry[i].hash, &heard) ||
            !realtime_queries_pass(s->entry[i].queries, change->collection, change->document))
            continue;
        is_match = true;
        if (heard == EVENT_DOCUMENT)
            *form = EVENT_DOCUMENT;
    }
    return is_match;
}

bool subscriptions_match(struct subscriptions *s, const struct realtime_event *e, struct buf *ids,
                         enum event_form *form)
{
    ids->len = 0;
    *form = EVENT_ROW;
    for (size_t i = 0; i < s->count; i++) {
        enum event_form heard;
        if (!matches(&s->at[i], e, &heard))
            continue;
        if (heard == EVENT_DOCUMENT)
            *form = EVENT_DOCUMENT;
        if (buf_printf(ids, "%c%s", ids->len ? ',' : '[', s->at[i].id_text) < 0)
            return false;
    }
    return ids->len && buf_append(ids, "]", 1) == 0;
}
