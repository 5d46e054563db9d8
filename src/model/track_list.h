/* A list of tracks that owns them. Array order is the order of play. */
#pragma once

#include <stddef.h>

#include "model/track.h"

struct track_list {
    struct track **at;
    size_t count;
    size_t json_chars; /* of the tracks, kept up to date: see track_list_json_chars() */
};

/* {0} is an empty list. Destroys the tracks; the list is empty afterwards and may be used again. */
void track_list_finish(struct track_list *list);
void track_list_copy(struct track_list *to, const struct track_list *from); /* initialises `to` */

/* The list takes `t`. An index past the end means the end. */
void track_list_insert(struct track_list *list, size_t index, struct track *t);
void track_list_append(struct track_list *list, struct track *t);
struct track *track_list_take(struct track_list *list, size_t index); /* the caller owns it */
void track_list_move(struct track_list *list, size_t from, size_t to);

/* Set the mark `unplayable`, or the names, of a track of the list: no other text of one that is in a list is changed. */
void track_list_mark(struct track_list *list, struct track *t, const char *text);
void track_list_name(struct track_list *list, struct track *t, const char *title,
                     const char *artist);

/* Never less than the characters of the list's JSON text; see track_json_chars(). Does not walk the list. */
size_t track_list_json_chars(const struct track_list *list);
