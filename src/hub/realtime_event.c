#include "hub/realtime_event.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "hub/datetime.h"
#include "wire/message.h"

#define EVENT_BYTES_MAX ((size_t)32 * 1024 * 1024)

static const char *action_name(enum change_action action)
{
    switch (action) {
    case CHANGE_CREATE: return "create";
    case CHANGE_UPDATE: return "update";
    case CHANGE_UPSERT: return "upsert";
    case CHANGE_DELETE: return "delete";
    }
    return "update";
}

/* ---- channels ---------------------------------------------------------------------------------- */

/* `path` is taken. */
static void add_channel(struct realtime_event *e, char *path, enum event_form form)
{
    char *both[] = { path, xasprintf("%s.%s", path, action_name(e->change->action)) };
    for (size_t i = 0; i < ARRAY_LEN(both); i++) {
        size_t n = e->channel_count++;
        e->channel[n] = both[i];
        e->hash[n] = text_hash(both[i], strlen(both[i]));
        e->form[n] = form;
    }
}

static void add_family(struct realtime_event *e, const char *parents, const char *collections,
                       const char *documents, enum event_form form)
{
    char *list = xasprintf("%s.%s.%s.%s.%s", parents, e->database_id, collections,
                           e->change->collection->id, documents);
    char *one = xasprintf("%s.%s", list, e->change->id);
    add_channel(e, list, form);
    add_channel(e, one, form);
}

bool realtime_event_is_on(const struct realtime_event *e, const char *channel, uint64_t hash,
                          enum event_form *form)
{
    for (size_t i = 0; i < e->channel_count; i++) {
        if (e->hash[i] == hash && strcmp(e->channel[i], channel) == 0) {
            *form = e->form[i];
            return true;
        }
    }
    return false;
}

/* ---- names ------------------------------------------------------------------------------------- */

/* All forms of one name: bit i of `stars` set puts '*' for the i-th id. The form without stars comes first. */
static void add_names(struct message *data, const struct realtime_event *e, const char *collections,
                      const char *documents, int ids, const char *action)
{
    for (unsigned stars = 0; stars < 1u << ids; stars++) {
        char *name = xasprintf("databases.%s", stars & 1 ? "*" : e->database_id);
        if (ids > 1) {
            char *longer = xasprintf("%s.%s.%s", name, collections,
                                     stars & 2 ? "*" : e->change->collection->id);
            free(name);
            name = longer;
        }
        if (ids > 2) {
            char *longer =
                xasprintf("%s.%s.%s%s%s", name, documents, stars & 4 ? "*" : e->change->id,
                          action ? "." : "", action ? action : "");
            free(name);
            name = longer;
        }
        message_append_str(data, "events", name);
        free(name);
    }
}

/* The most specific first; then with every id replaced, without the action, and the parents. */
static void add_all_names(struct message *data, const struct realtime_event *e)
{
    static const char *const families[][2] = { { "collections", "documents" },
                                               { "tables", "rows" } };
    for (size_t i = 0; i < ARRAY_LEN(families); i++) {
        const char *const *f = families[i];
        add_names(data, e, f[0], f[1], 3, action_name(e->change->action));
        add_names(data, e, f[0], f[1], 3, NULL);
        add_names(data, e, f[0], f[1], 2, NULL);
    }
    add_names(data, e, "", "", 1, NULL);
}

/* ---- text -------------------------------------------------------------------------------------- */

static char *payload_text(const struct realtime_event *e, enum event_form form)
{
    const struct message *document = e->change->document;
    if (form == EVENT_DOCUMENT)
        return message_text(document, false);
    struct message *row = message_create();
    for (const char *f = NULL; (f = message_next(document, f));)
        message_set_field(row, strcmp(f, "$collectionId") == 0 ? "$tableId" : f, document, f);
    char *text = message_text(row, false);
    message_destroy(row);
    return text;
}

/* {"type":"event","data":{...,"payload":{...},"subscriptions": */
static int write_start(struct realtime_event *e, enum event_form form)
{
    struct buf *b = &e->text[form];
    struct message *data = message_create();
    add_all_names(data, e);
    for (size_t i = 0; i < e->channel_count; i++)
        message_append_str(data, "channels", e->channel[i]);
    message_set_str(data, "timestamp", e->timestamp);
    char *head = message_text(data, false), *payload = payload_text(e, form);
    buf_init(b, EVENT_BYTES_MAX);
    int ret = buf_printf(b, "{\"type\":\"event\",\"data\":%.*s,\"payload\":", (int)strlen(head) - 1,
                         head);
    if (ret == 0)
        ret = buf_append(b, payload, strlen(payload));
    if (ret == 0)
        ret = buf_printf(b, ",\"subscriptions\":");
    e->start_len[form] = b->len;
    message_destroy(data);
    free(head);
    free(payload);
    return ret;
}

const char *realtime_event_text(struct realtime_event *e, enum event_form form, const char *ids,
                                size_t len, size_t *text_len)
{
    struct buf *b = &e->text[form];
    if (!b->max && write_start(e, form) < 0)
        e->start_len[form] = 0;
    if (!e->start_len[form])
        return NULL;
    b->len = e->start_len[form];
    if (buf_append(b, ids, len) < 0 || buf_append(b, "}}", 2) < 0)
        return NULL;
    *text_len = b->len;
    return b->data;
}

/* ---- start and end ----------------------------------------------------------------------------- */

void realtime_event_init(struct realtime_event *e, const struct change *change,
                         const char *database_id, int64_t wall_ms)
{
    *e = (struct realtime_event){ .change = change, .database_id = xstrdup(database_id) };
    datetime_text(wall_ms, e->timestamp);
    add_channel(e, xstrdup("documents"), EVENT_DOCUMENT);
    add_family(e, "databases", "collections", "documents", EVENT_DOCUMENT);
    add_channel(e, xstrdup("rows"), EVENT_ROW);
    add_family(e, "databases", "tables", "rows", EVENT_ROW);
    add_family(e, "tablesdb", "tables", "rows", EVENT_ROW);
}

void realtime_event_finish(struct realtime_event *e)
{
    for (size_t i = 0; i < e->channel_count; i++)
        free(e->channel[i]);
    for (int form = 0; form < EVENT_FORMS; form++) {
        if (e->text[form].max)
            buf_finish(&e->text[form]);
    }
    free(e->database_id);
    *e = (struct realtime_event){ 0 };
}
