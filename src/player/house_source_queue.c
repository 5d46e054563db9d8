/* The queue as far as it is looked at: which songs from elsewhere are wanted, when, and for whom. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/now.h"
#include "player/house_source.h"

#define AHEAD_MAX 32    /* of the main list; the supply takes the next few of them */
#define SEEN_MAX  1000  /* further ones, whether they have names */
#define SONG_S    200.0 /* of unknown length */

/* ---- parcels ------------------------------------------------------------------------------------------ */

struct parcel *source_find(const struct house_source *s, const char *key)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->parcel[i]->key, key) == 0)
            return s->parcel[i];
    return NULL;
}

struct parcel *source_find_action(const struct house_source *s, uint64_t id)
{
    for (size_t i = 0; id && i < s->count; i++)
        if (s->parcel[i]->id == id)
            return s->parcel[i];
    return NULL;
}

static struct parcel *add(struct house_source *s, const struct track *t, const char *source,
                          const char *key)
{
    if (s->count == s->cap) {
        s->cap = s->cap ? 2 * s->cap : 16;
        s->parcel = xrealloc(s->parcel, s->cap * sizeof(struct parcel *));
    }
    struct parcel *p = s->parcel[s->count++] = xcalloc(1, sizeof(*p));
    bool is_youtube = source_key_is_youtube(key);
    p->source = s;
    p->percent = -1;
    snprintf(p->key, sizeof(p->key), "%s", key);
    p->url = is_youtube ? xasprintf("https://www.youtube.com/watch?v=%s", key) : xstrdup(source);
    p->site = is_youtube ? TROUBLE_YOUTUBE : trouble_source_of(p->url);
    p->meta.id = source_id_of_key(key);
    p->meta.title = xstrdup(t->title);
    p->meta.artist = xstrdup(t->artist);
    p->meta.duration_s = t->duration_s;
    p->meta.url = xstrdup(p->url);
    return p;
}

void parcel_destroy(struct parcel *p)
{
    cache_meta_finish(&p->meta);
    free(p->url);
    free(p->file);
    free(p->growing);
    free(p->folder);
    free(p);
}

/* Of what nobody wants nothing is kept but what is still to be answered. */
static void forget(struct house_source *s)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->count; i++) {
        if (s->parcel[i]->is_wanted || s->parcel[i]->id)
            s->parcel[kept++] = s->parcel[i];
        else
            parcel_destroy(s->parcel[i]);
    }
    s->count = kept;
}

/* ---- the queue ---------------------------------------------------------------------------------------- */

/* What will play, in its order. */
struct look {
    struct house_source *source;
    struct supply_wanted at[SUPPLY_WANTED_MAX];
    size_t count, ahead, seen;
    int64_t turn_ns; /* of the next one */
    bool is_silent;  /* nothing plays, nor could any of those before */
    bool is_spare;   /* nobody waits for it */
};

bool source_is_in_library(const struct house *h, const char *key)
{
    return h->library && source_key_is_youtube(key) &&
           library_find(h->library, key, NULL, NULL, NULL) == LIBRARY_HERE;
}

const char *source_named(const struct house_source *s, const struct track *t)
{
    return jukebox_source(s->house->jukebox, t);
}

static void want(struct look *l, const struct track *t, bool is_playing)
{
    struct house_source *s = l->source;
    char key[CACHE_KEY_MAX + 1];
    const char *why, *source = source_named(s, t);
    if (l->count == ARRAY_LEN(l->at) || !source_key(t, source, key) ||
        source_is_in_library(s->house, key))
        return;
    bool may_fetch = source_may_fetch(s, t, source, key, &why);
    if (!may_fetch && !shelf_find(&s->shelf, key))
        return;
    struct parcel *p = source_find(s, key);
    if (!p)
        p = add(s, t, source, key);
    p->may_fetch = may_fetch;
    bool is_youtube = p->site == TROUBLE_YOUTUBE;
    bool is_named_here = !is_youtube && trust_named_here(s->house, t, source);
    /* The first of them sets it, each further one of staff takes it back. */
    p->is_guests =
        (p->is_guests || !p->is_wanted) && !(is_youtube ? !t->is_request : is_named_here);
    p->is_trusted |= is_named_here && strcmp(p->url, source) == 0;
    p->is_spare = l->is_spare && (p->is_spare || !p->is_wanted);
    p->is_wanted = true;
    p->is_playing |= is_playing;
    l->at[l->count++] = (struct supply_wanted){
        .key = p->key,
        .source = p->site,
        .is_metered = p->site == TROUBLE_YOUTUBE,
        .is_request = t->is_request,
        .is_playing = is_playing,
        .is_spare = l->is_spare,
        .wants_name = may_fetch && !l->is_spare && !p->is_known && track_has_stand_in(t),
        .duration_s = p->meta.duration_s,
        .needed_ns = l->is_spare ? NO_TIME : l->turn_ns,
    };
}

/* What is pinned is to be here, also if nobody has asked for it. */
static void want_missing(struct look *l)
{
    struct house_source *s = l->source;
    struct track *t = track_create();
    l->is_spare = true;
    for (size_t i = 0; i < s->missing_count; i++) {
        track_set(&t->video_id, s->missing[i]);
        if (source_key_is_youtube(
                s->missing[i])) /* of others the key does not say where they are */
            want(l, t, false);
    }
    track_destroy(t);
}

static bool look_at(void *ctx, const struct track *t)
{
    struct look *l = ctx;
    bool is_far = l->ahead >= AHEAD_MAX; /* further behind they are only named */
    if (is_far)
        l->turn_ns = NO_TIME;
    if (!is_far || track_has_stand_in(t))
        want(l, t, false);
    if (is_far)
        return ++l->seen >= SEEN_MAX || l->count >= ARRAY_LEN(l->at);
    /* In a silent room it is everybody's turn until something is here. */
    l->is_silent =
        l->is_silent && source_is_coming(l->source->house, t, source_named(l->source, t));
    if (!l->is_silent)
        l->turn_ns += (int64_t)((t->duration_s > 0 ? t->duration_s : SONG_S) * NS_PER_S);
    if (!t->is_request)
        l->ahead++;
    return l->count >= ARRAY_LEN(l->at);
}

static int64_t end_of_now_ns(const struct house_source *s)
{
    const struct jukebox *j = s->house->jukebox;
    int64_t left = jukebox_duration_ns(j) - jukebox_position_ns(j);
    if (jukebox_state(j) != JUKEBOX_PLAYING && jukebox_state(j) != JUKEBOX_PAUSED)
        return s->house->view.now_ns;
    return s->house->view.now_ns +
           (jukebox_duration_ns(j) > 0 ? max_i64(left, 0) : (int64_t)(SONG_S * NS_PER_S));
}

void source_look(struct house_source *s)
{
    struct house *h = s->house;
    const struct queue *q = jukebox_queue(h->jukebox);
    struct look *l = xcalloc(1, sizeof(*l));
    struct entry_place place;
    l->source = s;
    for (size_t i = 0; i < s->count; i++)
        s->parcel[i]->is_wanted = s->parcel[i]->is_playing = s->parcel[i]->is_trusted = false;
    if (!jukebox_is_away(h->jukebox)) {
        l->turn_ns = h->view.now_ns;
        if (q->now && !track_is_house(q->now)) {
            want(l, q->now, true);
            l->turn_ns = end_of_now_ns(s);
        } /* what the house plays by itself gives way at any time */
        l->is_silent = l->turn_ns <= h->view.now_ns;
        (void)queue_upcoming_that(q, look_at, l, &place);
        want_missing(l);
    }
    s->seen_ns = h->view.now_ns;
    s->seen_revision = jukebox_revision(h->jukebox);
    s->seen_turn = jukebox_turn(h->jukebox);
    supply_queue(s->supply, l->at, l->count, now_mono_ns());
    free(l);
    forget(s);
    s->has_failed = true; /* what is refused is so for those that came now, too */
}

/* The venue's default playlist is the house's. */
void source_pin_playlist(struct house_source *s)
{
    uint64_t revision = 0;
    const struct sync *engine = s->house->venue.engine;
    const struct track_list *list = engine ? sync_house_list(engine, &revision) : NULL;
    if (!list || revision == s->seen_list)
        return;
    s->seen_list = revision;
    char **key = xcalloc(list->count + 1, sizeof(*key)), one[CACHE_KEY_MAX + 1];
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++)
        if (source_key(list->at[i], list->at[i]->source, one))
            key[count++] = xstrdup(one);
    if (count || house_cache_exists(s->house))
        errand_pin(s, key, count);
    else
        free(key);
}
