/* Lists and whole queues. */
#include "wire/track_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "wire/wire_internal.h"

static const char *const list_fields[QUEUE_LISTS] = {
    [QUEUE_MAIN] = "mainQueue",
    [QUEUE_REQUESTS] = "priorityQueue",
};

/* An entry must be nameable, or no operation could mean it. A local file gets the name of its path. */
static bool make_nameable(struct track *t)
{
    if (*t->video_id || track_id_is_identity(t->id))
        return true;
    if (!*t->source)
        return false;
    char key[32];
    snprintf(key, sizeof(key), "file:%016llx",
             (unsigned long long)text_hash(t->source, strlen(t->source)));
    track_set(&t->video_id, key);
    return true;
}

/* NULL when it is no object or nothing names it. */
static struct track *entry_from_json(const json_t *json)
{
    struct track *t =
        json_is_object(json) ? track_from_message((const struct message *)json) : NULL;
    if (!t || make_nameable(t))
        return t;
    track_destroy(t);
    return NULL;
}

/* The value itself, or the one it holds as JSON text, up to `decodings` times. The caller drops the
 * reference; NULL when a text is no JSON. */
static json_t *decoded(json_t *json, int decodings)
{
    json = json_incref(json);
    while (json_is_string(json) && decodings-- > 0) {
        json_error_t ignored;
        json_t *inner = json_read(json_string_value(json), json_string_length(json), &ignored);
        json_decref(json);
        json = inner;
    }
    return json;
}

static void list_from_json(struct track_list *list, const json_t *array)
{
    *list = (struct track_list){ 0 };
    for (size_t i = 0; i < json_array_size(array); i++) {
        struct track *t = entry_from_json(json_array_get(array, i));
        if (t)
            track_list_append(list, t);
    }
}

static json_t *list_to_json(const struct track_list *list, bool is_brief)
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(array, track_to_json(list->at[i], i, is_brief));
    return array;
}

static char *list_text(const struct track_list *list, bool is_brief)
{
    json_t *array = list_to_json(list, is_brief);
    char *text = json_write(array);
    json_decref(array);
    return text;
}

void track_list_parse(struct track_list *list, const char *text)
{
    json_error_t ignored;
    json_t *json = text ? json_read(text, strlen(text), &ignored) : NULL;
    json_t *array = decoded(json, 1);
    list_from_json(list, array);
    json_decref(array);
    json_decref(json);
}

char *track_list_text(const struct track_list *list)
{
    char *text = list_text(list, false);
    if (text_chars(text) <= QUEUE_SERVER_CHARS)
        return text;
    free(text);
    return list_text(list, true);
}

struct message *queue_to_message(const struct queue *q)
{
    json_t *json = json_object();
    json_object_set_new(json, "nowPlaying",
                        q->now ? json_of(track_to_message(q->now, 0)) : json_null());
    for (int list = 0; list < QUEUE_LISTS; list++)
        json_object_set_new(json, list_fields[list], list_to_json(&q->list[list], false));
    return message_of(json);
}

void queue_from_message(struct queue *q, const struct message *m)
{
    queue_init(q);
    for (int list = 0; list < QUEUE_LISTS; list++) {
        json_t *array = decoded(json_object_get(json_of(m), list_fields[list]), 2);
        list_from_json(&q->list[list], array);
        json_decref(array);
    }
    for (size_t i = 0; i < q->list[QUEUE_REQUESTS].count; i++)
        q->list[QUEUE_REQUESTS].at[i]->is_request = true;
    json_t *now = decoded(json_object_get(json_of(m), "nowPlaying"), 2);
    q->now = entry_from_json(now);
    json_decref(now);
}
