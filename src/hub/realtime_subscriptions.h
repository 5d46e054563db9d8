/* What one socket wants to hear: named subscriptions, each with channels, each channel with queries. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "hub/api_error.h"
#include "hub/realtime_event.h"

#define SUBSCRIPTIONS_MAX        100 /* of a socket */
#define SUBSCRIPTION_ID_MAX      255 /* bytes */
#define SUBSCRIPTION_CHANNELS    500 /* of all its subscriptions together */
#define SUBSCRIPTION_CHANNEL_MAX 512 /* bytes */
#define SUBSCRIPTION_QUERIES_MAX 50  /* of a channel */

struct subscriptions;

struct subscriptions *subscriptions_create(void);
void subscriptions_destroy(struct subscriptions *s);
size_t subscriptions_count(const struct subscriptions *s);

/* Adds channels to the subscription `id`, which is made when it is new; a channel it has already gets these queries
 * instead of its own. All queries of a channel must hold; none, or select(["*"]), is everything. false and *e
 * (API_ARGUMENT_INVALID, API_QUERY_INVALID): nothing was changed. Any text is a channel. */
bool subscriptions_add(struct subscriptions *s, const char *id, const char *const *channel,
                       size_t channel_count, const char *const *query, size_t query_count,
                       struct api_error *e);
/* false: there is none. */
bool subscriptions_remove(struct subscriptions *s, const char *id);

/* Whether one of them is told of the event. `ids` then holds the JSON array of those that are, and *form how it is
 * told: as a row when all were subscribed by the names of tables and rows. */
bool subscriptions_match(struct subscriptions *s, const struct realtime_event *e, struct buf *ids,
                         enum event_form *form);
