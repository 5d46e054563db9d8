#include "hub/realtime_url.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "hub/api_url.h"
#include "hub/realtime_subscriptions.h"

void realtime_url_finish(struct realtime_url *u)
{
    for (size_t i = 0; i < u->channel_count; i++)
        free(u->channel[i]);
    for (size_t i = 0; i < u->slot_count; i++) {
        for (size_t k = 0; k < u->slot[i].query_count; k++)
            free(u->slot[i].query[k]);
        free(u->slot[i].query);
        free(u->slot[i].channel);
    }
    free(u->channel);
    free(u->slot);
    free(u->project);
    free(u->jwt);
    *u = (struct realtime_url){ 0 };
}

static bool has_channel(const struct realtime_url *u, const char *channel)
{
    for (size_t i = 0; i < u->channel_count; i++) {
        if (strcmp(u->channel[i], channel) == 0)
            return true;
    }
    return false;
}

/* `channel` is taken. */
static bool add_channel(struct realtime_url *u, char *channel, struct api_error *e)
{
    if (!*channel || has_channel(u, channel)) {
        free(channel);
        return true;
    }
    if (u->channel_count == SUBSCRIPTION_CHANNELS) {
        free(channel);
        return api_fail(e, API_ARGUMENT_INVALID, "a connection has at most %d channels",
                        SUBSCRIPTION_CHANNELS);
    }
    u->channel = xrealloc(u->channel, (u->channel_count + 1) * sizeof(*u->channel));
    u->channel[u->channel_count++] = channel;
    return true;
}

/* The slot of that number and channel, at its place; NULL: there are too many. */
static struct url_slot *slot_of(struct realtime_url *u, const char *channel, long number)
{
    size_t i = 0;
    for (; i < u->slot_count && u->slot[i].number <= number; i++) {
        if (u->slot[i].number == number && strcmp(u->slot[i].channel, channel) == 0)
            return &u->slot[i];
    }
    if (u->slot_count == SUBSCRIPTION_CHANNELS)
        return NULL;
    u->slot = xrealloc(u->slot, (u->slot_count + 1) * sizeof(*u->slot));
    memmove(&u->slot[i + 1], &u->slot[i], (u->slot_count - i) * sizeof(*u->slot));
    u->slot_count++;
    u->slot[i] = (struct url_slot){ .number = number, .channel = xstrdup(channel) };
    return &u->slot[i];
}

/* `query` is taken. */
static bool add_query(struct realtime_url *u, const char *channel, long number, char *query,
                      struct api_error *e)
{
    struct url_slot *slot = slot_of(u, channel, number);
    if (!slot || slot->query_count == SUBSCRIPTION_QUERIES_MAX) {
        free(query);
        return api_fail(e, API_ARGUMENT_INVALID, "too many queries or slots");
    }
    slot->query = xrealloc(slot->query, (slot->query_count + 1) * sizeof(*slot->query));
    slot->query[slot->query_count++] = query;
    return true;
}

/* The number in "NAME[number]..." ; -1: that is no slot. */
static long slot_number(const char *brackets)
{
    char *end;
    if (*brackets != '[' || brackets[1] < '0' || brackets[1] > '9')
        return -1;
    long number = strtol(brackets + 1, &end, 10);
    return *end == ']' && number <= URL_SLOT_MAX ? number : -1;
}

/* pair->value is taken. */
static bool add_pair(struct realtime_url *u, struct url_pair *pair, struct api_error *e)
{
    char **text = strcmp(pair->name, "project") == 0 ? &u->project
                  : strcmp(pair->name, "jwt") == 0   ? &u->jwt
                                                     : NULL;
    size_t len = strcspn(pair->name, "[");
    long number = slot_number(pair->name + len);
    if (text && !*text) {
        *text = pair->value;
        return true;
    }
    if (!text && pair->name[len] && len == strlen("channels") &&
        strncmp(pair->name, "channels", len) == 0)
        return add_channel(u, pair->value, e);
    if (!text && number >= 0) {
        pair->name[len] = '\0';
        return add_query(u, pair->name, number, pair->value, e);
    }
    free(pair->value);
    return true;
}

static bool is_in_a_slot(const struct realtime_url *u, const char *channel)
{
    for (size_t i = 0; i < u->slot_count; i++) {
        if (strcmp(u->slot[i].channel, channel) == 0) /* NOLINT(clang-analyzer-unix.Malloc) */
            return true;
    }
    return false;
}

/* Slots of channels that are not in channels[] say nothing; channels in no slot are in slot 0. */
static bool settle(struct realtime_url *u, struct api_error *e)
{
    size_t kept = 0;
    for (size_t i = 0; i < u->slot_count; i++) {
        struct url_slot *s = &u->slot[i];
        if (has_channel(u, s->channel)) {
            u->slot[kept++] = *s;
            continue;
        }
        for (size_t k = 0; k < s->query_count; k++)
            free(s->query[k]);
        free(s->query);
        free(s->channel);
    }
    u->slot_count = kept;
    for (size_t i = 0; i < u->channel_count; i++) {
        if (!is_in_a_slot(u, u->channel[i]) && !slot_of(u, u->channel[i], 0))
            return api_fail(e, API_ARGUMENT_INVALID, "too many slots");
    }
    return true;
}

bool realtime_url_parse(struct realtime_url *u, const char *query_string, struct api_error *e)
{
    struct url_pair pair;
    *u = (struct realtime_url){ 0 };
    while (url_next(&query_string, &pair)) {
        if (!add_pair(u, &pair, e))
            return false;
    }
    return settle(u, e);
}
