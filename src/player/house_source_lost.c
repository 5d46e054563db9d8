/* Songs that cannot be had: what is not fetched here at all, and what was given up. */
#include <string.h>

#include "base/alloc.h"
#include "player/house_source.h"
#include "source/address.h"

static const char youtube_is_off[] = "YouTube is off in this house. Its owner turns it on with "
                                     "youtube.enabled = yes in the settings, and by that says to "
                                     "have the rights to show these videos here.";

/* ---- who may have what ------------------------------------------------------------------------------- */

bool source_may_fetch(const struct house_source *s, const struct track *t, const char *source,
                      const char *key, const char **why)
{
    *why = "";
    if (source_key_is_youtube(key)) {
        *why = s->has_youtube ? "" : youtube_is_off;
    } else if (t->is_request && source_is_url(t->source)) {
        *why = address_verdict_text(ADDRESS_STAFF_ONLY);
    } else if (!source_is_url(source)) {
        *why = "There is no local file for it.";
    }
    return !**why;
}

const char *source_refuses_youtube(const struct house *h, const char *id)
{
    bool is_to_be_had = h->source->has_youtube || shelf_find(&h->source->shelf, id);
    return is_to_be_had ? NULL : youtube_is_off;
}

/* ---- songs that cannot be had ------------------------------------------------------------------------- */

/* A request whose guest waits for news of it leaves with the reason; what staff added stays with its mark. */
static bool give_up_entry(struct house_source *s, const struct track *t, const char *for_guest,
                          const char *for_staff)
{
    struct house *h = s->house;
    struct track *named = track_copy(t);
    bool leaves = t->is_request && h->venue.engine;
    int ret =
        jukebox_give_up(h->jukebox, entry_ref_of(named), leaves ? for_guest : for_staff, leaves);
    track_destroy(named);
    return ret == 0;
}

/* One entry of this song that is not marked yet. */
static bool give_up_one(struct house_source *s, const struct parcel *p, const char *class)
{
    const struct queue *q = jukebox_queue(s->house->jukebox);
    for (int l = 0; l < QUEUE_LISTS; l++)
        for (size_t i = 0; i < q->list[l].count; i++) {
            const struct track *t = q->list[l].at[i];
            char key[CACHE_KEY_MAX + 1];
            if (!t->unplayable[0] && source_key(t, source_named(s, t), key) &&
                strcmp(key, p->key) == 0)
                return give_up_entry(s, t, trouble_sentence(class, false),
                                     trouble_sentence(class, true));
        }
    return false;
}

void source_give_up(struct house_source *s)
{
    s->has_failed = false;
    for (size_t i = 0; i < s->count; i++) {
        struct supply_status status;
        const struct parcel *p = s->parcel[i];
        if (!p->is_wanted || !supply_status(s->supply, p->key, &status) ||
            status.state != SUPPLY_FAILED || shelf_find(&s->shelf, p->key))
            continue;
        while (give_up_one(s, p, status.class))
            ;
    }
}

/* All that is here is known: folders and cache were read. */
static bool knows_house(const struct house *h)
{
    struct library_status library = { .has_scanned = true };
    if (h->library)
        library_status(h->library, &library);
    return library.has_scanned && (h->source->is_indexed || !house_cache_exists(h));
}

bool source_is_off(const struct house_source *s, const struct track *t, const char *source)
{
    const struct house *h = s->house;
    const char *why;
    char key[CACHE_KEY_MAX + 1];
    return h->venue.engine && t->is_request && source_key(t, source, key) &&
           source_key_is_youtube(key) && !source_may_fetch(s, t, source, key, &why) &&
           !shelf_find(&s->shelf, key) &&
           (!h->library || library_find(h->library, key, NULL, NULL, NULL) == LIBRARY_UNKNOWN);
}

static bool refuse_one(struct house_source *s)
{
    const struct queue *q = jukebox_queue(s->house->jukebox);
    const struct track_list *list = &q->list[QUEUE_REQUESTS];
    struct entry_place playing = { QUEUE_MAIN, 0 };
    bool plays = queue_playing(q, &playing) && playing.list == QUEUE_REQUESTS;
    for (size_t i = 0; i < list->count; i++) {
        const struct track *t = list->at[i];
        bool is_marked = plays && i == playing.index && t->unplayable[0]; /* and ends by itself */
        if (!is_marked && source_is_off(s, t, source_named(s, t)) && knows_house(s->house))
            return give_up_entry(s, t, "YouTube is off in this house.", youtube_is_off);
    }
    return false;
}

void source_refuse_requests(struct house_source *s)
{
    while (!s->has_youtube && !jukebox_is_away(s->house->jukebox) && refuse_one(s))
        ;
}
