#include "model/track_list.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

void track_list_finish(struct track_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        track_destroy(list->at[i]);
    free(list->at);
    *list = (struct track_list){ 0 };
}

void track_list_copy(struct track_list *to, const struct track_list *from)
{
    *to = (struct track_list){
        .at = xcalloc(from->count, sizeof(struct track *)),
        .json_chars = from->json_chars,
    };
    for (; to->count < from->count; to->count++)
        to->at[to->count] = track_copy(from->at[to->count]);
}

void track_list_insert(struct track_list *list, size_t index, struct track *t)
{
    if (index > list->count)
        index = list->count;
    list->at = xrealloc(list->at, (list->count + 1) * sizeof(struct track *));
    memmove(list->at + index + 1, list->at + index, (list->count - index) * sizeof(struct track *));
    list->at[index] = t;
    list->count++;
    list->json_chars += track_json_chars(t) + 1; /* and a comma */
}

void track_list_append(struct track_list *list, struct track *t)
{
    track_list_insert(list, list->count, t);
}

struct track *track_list_take(struct track_list *list, size_t index)
{
    assert(index < list->count);
    struct track *t = list->at[index];
    list->count--;
    list->json_chars -= track_json_chars(t) + 1;
    memmove(list->at + index, list->at + index + 1, (list->count - index) * sizeof(struct track *));
    return t;
}

void track_list_move(struct track_list *list, size_t from, size_t to)
{
    track_list_insert(list, to, track_list_take(list, from));
}

void track_list_mark(struct track_list *list, struct track *t, const char *text)
{
    list->json_chars -= track_json_chars(t);
    track_set(&t->unplayable, text);
    list->json_chars += track_json_chars(t);
}

void track_list_name(struct track_list *list, struct track *t, const char *title,
                     const char *artist)
{
    list->json_chars -= track_json_chars(t);
    track_set(&t->title, title);
    track_set(&t->artist, artist);
    list->json_chars += track_json_chars(t);
}

size_t track_list_json_chars(const struct track_list *list)
{
    return list->json_chars + 2; /* the brackets */
}
