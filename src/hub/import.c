#include "hub/import.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "wire/message.h"
#include "wire/track_json.h"

bool import_takes(const struct collection *c)
{
    static const char *const taken[] = { "users",     "venues",   "queues",
                                         "playlists", "requests", "player_settings" };
    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
        if (strcmp(taken[i], c->id) == 0)
            return true;
    }
    return false;
}

static bool is_list(const char *name)
{
    return strcmp(name, "mainQueue") == 0 || strcmp(name, "priorityQueue") == 0 ||
           strcmp(name, "tracks") == 0;
}

/* Whether `text` is JSON of the kind that `first` begins: '[' or '{'. */
static bool is_json(const char *text, char first)
{
    struct message *m = message_create();
    bool is_it =
        text[strspn(text, " \t\r\n")] == first && message_set_json(m, "value", text, strlen(text));
    message_destroy(m);
    return is_it;
}

/* A list of tracks: as it is when it is one; else what a player makes of it. */
static void set_list(struct message *data, const char *name, const struct message *document)
{
    const char *text = message_str(document, name, NULL);
    char *encoded = text ? NULL : message_field_text(document, name);
    if (!text)
        text = encoded ? encoded : "";
    if (is_json(text, '[')) {
        message_set_str(data, name, text);
    } else {
        struct track_list list;
        track_list_parse(&list, text);
        char *repaired = track_list_text(&list);
        message_set_str(data, name, repaired);
        free(repaired);
        track_list_finish(&list);
    }
    free(encoded);
}

static void set_attribute(struct message *data, const struct attribute *a,
                          const struct message *document)
{
    enum message_kind kind = message_kind(document, a->name);
    if (is_list(a->name)) {
        set_list(data, a->name, document);
    } else if (a->is_json && (kind == MESSAGE_ARRAY || kind == MESSAGE_OBJECT)) {
        char *text = message_field_text(document, a->name);
        message_set_str(data, a->name, text);
        free(text);
    } else if (strcmp(a->name, "nowPlaying") == 0 &&
               !is_json(message_str(document, a->name, ""), '{')) {
        message_set_null(data, a->name);
    } else if (kind != MESSAGE_MISSING && kind != MESSAGE_NULL) {
        message_set_field(data, a->name, document, a->name);
    } else if (strcmp(a->name, "createdAt") == 0) {
        message_set_field(data, a->name, document, "$createdAt");
    }
}

struct message *import_data(const struct collection *c, const struct message *document)
{
    struct message *data = message_create();
    for (size_t i = 0; i < c->attribute_count; i++)
        set_attribute(data, &c->attribute[i], document);
    return data;
}

/* Whether no two documents are to have the same text in it; the schema lets venues have, but one venue is one. */
static bool is_alone(const struct collection *c, const struct attribute *a)
{
    return a->is_unique || (strcmp(c->id, "venues") == 0 && strcmp(a->name, "venueId") == 0);
}

/* The id of ours that has the same in such an attribute. false and *e: the disk. *id is the caller's, NULL: there is none. */
static bool find_twin(struct documents *d, const struct collection *c, const struct message *data,
                      char **id, struct api_error *e)
{
    *id = NULL;
    for (size_t i = 0; i < c->attribute_count && !*id; i++) {
        const struct attribute *a = &c->attribute[i];
        const char *value = message_str(data, a->name, NULL);
        if (!is_alone(c, a) || !value)
            continue;
        struct query q;
        struct message *where = message_create(), *list = NULL;
        message_set_str(where, "method", "equal");
        message_set_str(where, "attribute", a->name);
        message_append_str(where, "values", value);
        char *text = message_text(where, false);
        query_init(&q);
        bool is_done = query_add(&q, c, text, e) && documents_list(d, NULL, c, &q, &list, e);
        query_finish(&q);
        free(text);
        message_destroy(where);
        if (!is_done)
            return false;
        if (message_count(list, "documents"))
            *id = xstrdup(message_str(message_object_at(list, "documents", 0), "$id", ""));
        message_destroy(list);
    }
    return true;
}

bool import_store(struct documents *d, const struct collection *c, const struct message *document,
                  struct api_error *e)
{
    const char *id = message_str(document, "$id", "");
    struct message *data = import_data(c, document);
    char *twin = NULL;
    bool is_done = documents_update(d, NULL, c, id, data, NULL, NULL, e);
    if (!is_done && e->kind == API_DOCUMENT_NOT_FOUND && find_twin(d, c, data, &twin, e))
        is_done = twin ? documents_update(d, NULL, c, twin, data, NULL, NULL, e)
                       : documents_insert(d, NULL, c, id, data, NULL, NULL, e);
    free(twin);
    message_destroy(data);
    return is_done;
}
