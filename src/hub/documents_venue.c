#include <stdbool.h>
#include <stdlib.h>

#include "hub/datetime.h"
#include "hub/documents_internal.h"
#include "hub/id.h"

#define DEFAULT_PLAYLIST "default_playlist"

/* Whether a document of the collection has that text in the attribute. */
static bool exists(struct documents *d, const char *collection, const char *attribute,
                   const char *text, bool *found, struct api_error *e)
{
    const struct collection *c = collection_find(collection);
    struct message *query = message_create(), *list = NULL;
    message_set_str(query, "method", "equal");
    message_set_str(query, "attribute", attribute);
    message_append_str(query, "values", text);
    char *query_text = message_text(query, false);
    struct query q;
    query_init(&q);
    bool is_good = query_add(&q, c, query_text, e) && documents_list(d, NULL, c, &q, &list, e);
    *found = is_good && message_i64(list, "total", 0) > 0;
    query_finish(&q);
    free(query_text);
    message_destroy(query);
    message_destroy(list);
    return is_good;
}

/* Takes `data`. */
static bool create(struct documents *d, const char *collection, const char *id,
                   struct message *data, struct api_error *e)
{
    char now[DATETIME_TEXT_MAX];
    datetime_text(d->p.wall_ms(d->p.ctx), now);
    message_set_str(data, "createdAt", now);
    bool is_good = documents_insert(d, NULL, collection_find(collection), id, data, NULL, NULL, e);
    message_destroy(data);
    return is_good;
}

static bool create_venue(struct documents *d, const char *venue_id, const char *owner_id,
                         struct api_error *e)
{
    struct message *data = message_create();
    message_set_str(data, "venueId", venue_id);
    message_set_str(data, "name", venue_id);
    message_set_str(data, "slug", venue_id);
    message_set_str(data, "ownerId", owner_id ? owner_id : "system");
    return create(d, "venues", id_is_legal(venue_id) ? venue_id : "unique()", data, e);
}

static bool create_queue(struct documents *d, const char *venue_id, struct api_error *e)
{
    struct message *data = message_create();
    message_set_str(data, "venueId", venue_id);
    message_set_str(data, "mainQueue", "[]");
    message_set_str(data, "priorityQueue", "[]");
    return create(d, "queues", id_is_legal(venue_id) ? venue_id : "unique()", data, e);
}

static bool create_playlist(struct documents *d, struct api_error *e)
{
    struct message *data = message_create();
    message_set_str(data, "playlistId", DEFAULT_PLAYLIST);
    message_set_str(data, "name", "Default Playlist");
    message_set_str(data, "ownerId", "system");
    message_set_str(data, "tracks", "[]");
    return create(d, "playlists", DEFAULT_PLAYLIST, data, e);
}

bool documents_ensure_venue(struct documents *d, const char *venue_id, const char *owner_id,
                            struct api_error *e)
{
    bool has_venue = false, has_queue = false, has_playlist = false;
    return exists(d, "venues", "venueId", venue_id, &has_venue, e) &&
           (has_venue || create_venue(d, venue_id, owner_id, e)) &&
           exists(d, "queues", "venueId", venue_id, &has_queue, e) &&
           (has_queue || create_queue(d, venue_id, e)) &&
           exists(d, "playlists", "$id", DEFAULT_PLAYLIST, &has_playlist, e) &&
           (has_playlist || create_playlist(d, e));
}
