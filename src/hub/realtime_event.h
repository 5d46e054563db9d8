/* One write as realtime tells it: its channels, its names, its text. Made once for all who hear of it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "hub/datetime.h"
#include "hub/documents.h"

#define EVENT_CHANNELS_MAX 16

/* How the payload names its collection: as the channel does by which it is heard. */
enum event_form { EVENT_DOCUMENT, EVENT_ROW, EVENT_FORMS };

struct realtime_event {
    const struct change *change;
    char *channel[EVENT_CHANNELS_MAX];
    uint64_t hash[EVENT_CHANNELS_MAX];
    enum event_form form[EVENT_CHANNELS_MAX];
    size_t channel_count;
    char *database_id;
    char timestamp[DATETIME_TEXT_MAX];
    struct buf text[EVENT_FORMS]; /* up to `"subscriptions":`, then what was written last */
    size_t start_len[EVENT_FORMS];
};

/* Borrows `change`. `wall_ms` is when it is told. */
void realtime_event_init(struct realtime_event *e, const struct change *change,
                         const char *database_id, int64_t wall_ms);
void realtime_event_finish(struct realtime_event *e);
/* Whether it is told on that channel, and in which form. */
bool realtime_event_is_on(const struct realtime_event *e, const char *channel, uint64_t hash,
                          enum event_form *form);
/* The message for those whose matching subscriptions are `ids`, a JSON array. Borrowed until the next call; NULL: too
 * large to be told. */
const char *realtime_event_text(struct realtime_event *e, enum event_form form, const char *ids,
                                size_t len, size_t *text_len);
