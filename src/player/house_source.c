#include "player/house_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/now.h"
#include "base/text.h"
#include "source/address.h"
#include "source/extractor_store.h"
#include "source/fetch_command.h"

#define LOOK_NS    SECONDS(1) /* turns come nearer also when nobody changes the queue */
#define INDEX_NS   SECONDS(10)
#define ROOM_NS    SECONDS(5)
#define AHEAD_MAX  32    /* of the main list; the supply takes the next few of them */
#define SEEN_MAX   1000  /* further ones, whether they have names */
#define SONG_S     200.0 /* of unknown length */
#define KNOWN_MAX  64    /* songs looked up before the house begins */
#define WHY_MAX    256
#define KEY_PREFIX "url:"

static const char youtube_is_off[] = "YouTube is off in this house. Its owner turns it on with "
                                     "youtube.enabled = yes in the settings, and by that says to "
                                     "have the rights to show these videos here.";

/* ---- keys ------------------------------------------------------------------------------------------- */

bool source_is_url(const char *source)
{
    return strncmp(source, "http://", 7) == 0 || strncmp(source, "https://", 8) == 0;
}

static bool is_youtube_key(const char *key)
{
    return address_is_youtube_id(key, strlen(key));
}

/* An address that may be one of YouTube's is read; of others the hash is enough. */
static bool key_of_url(const char *url, char key[CACHE_KEY_MAX + 1])
{
    struct address a;
    if (strcasestr(url, "youtu")) {
        if (address_read(url, strlen(url), ADDRESS_BY_STAFF, &a) != ADDRESS_OK)
            return false;
        if (a.kind == ADDRESS_YOUTUBE) {
            snprintf(key, CACHE_KEY_MAX + 1, "%s", a.key);
            return true;
        }
    }
    snprintf(key, CACHE_KEY_MAX + 1, "url-%016llx",
             (unsigned long long)text_hash(url, strlen(url)));
    return true;
}

bool source_key(const struct track *t, const char *source, char key[CACHE_KEY_MAX + 1])
{
    key[0] = '\0';
    if (*source)
        return source_is_url(source) && key_of_url(source, key);
    bool is_hash = strncmp(t->video_id, KEY_PREFIX, 4) == 0 && strlen(t->video_id) == 20 &&
                   strspn(t->video_id + 4, "0123456789abcdef") == 16;
    if (!is_hash && !is_youtube_key(t->video_id))
        return false;
    snprintf(key, CACHE_KEY_MAX + 1, "%s%s", is_hash ? "url-" : "",
             t->video_id + (is_hash ? 4 : 0));
    return true;
}

char *source_id_of_key(const char *key)
{
    bool is_url = strncmp(key, "url-", 4) == 0;
    return is_url ? xasprintf(KEY_PREFIX "%s", key + 4) : xstrdup(key);
}

/* ---- who may have what ------------------------------------------------------------------------------- */

/* Whether the song may be fetched at all; else `why` is a sentence. */
bool source_may_fetch(const struct house_source *s, const struct track *t, const char *source,
                      const char *key, const char **why)
{
    *why = "";
    if (is_youtube_key(key)) {
        *why = s->has_youtube ? "" : youtube_is_off;
    } else if (t->is_request && source_is_url(t->source)) {
        *why = address_verdict_text(ADDRESS_STAFF_ONLY);
    } else if (!source_is_url(source)) {
        *why = "There is no local file for it.";
    }
    return !**why;
}

char *source_seal(const struct house *h, const char *source)
{
    char text[SEAL_SIZE];
    seal_text(&h->source->seal, source, text);
    return xstrdup(text);
}

const char *source_refuses_youtube(const struct house *h)
{
    return h->source->has_youtube ? NULL : youtube_is_off;
}

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
    bool is_youtube = is_youtube_key(key);
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

static void parcel_destroy(struct parcel *p)
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
    return h->library && is_youtube_key(key) &&
           library_find(h->library, key, NULL, NULL, NULL) == LIBRARY_HERE;
}

const char *source_named(const struct house_source *s, const struct track *t)
{
    return jukebox_source(s->house->jukebox, t);
}

/* Whether staff named this address at this box: in this entry, or in another one of the same song. */
static bool is_sealed(const struct house_source *s, const struct track *t, const char *source)
{
    const struct queue *q = jukebox_queue(s->house->jukebox);
    if (strcmp(t->source, source) == 0 && seal_is_whole(&s->seal, t))
        return true;
    for (int l = 0; l < QUEUE_LISTS; l++)
        for (size_t i = 0; i < q->list[l].count; i++)
            if (strcmp(q->list[l].at[i]->source, source) == 0 &&
                seal_is_whole(&s->seal, q->list[l].at[i]))
                return true;
    return false;
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
    bool is_named_here = !is_youtube && is_sealed(s, t, source);
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
        if (is_youtube_key(s->missing[i])) /* of others the key does not say where they are */
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

static void look_at_queue(struct house_source *s)
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
static void pin_playlist(struct house_source *s)
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

static void give_up(struct house_source *s)
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
    return h->venue.engine && t->is_request && source_key(t, source, key) && is_youtube_key(key) &&
           !source_may_fetch(s, t, source, key, &why) && !shelf_find(&s->shelf, key) &&
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

/* Requests for what this house does not fetch and does not have: their guests are told at once, not when it is their
 * turn. */
static void refuse_requests(struct house_source *s)
{
    while (!s->has_youtube && !jukebox_is_away(s->house->jukebox) && refuse_one(s))
        ;
}

/* ---- the supply ---------------------------------------------------------------------------------------- */

static void have(struct house_source *s, const char *key)
{
    struct parcel *p = source_find(s, key);
    if (!p)
        return;
    p->is_started = false;
    free(p->growing);
    p->growing = NULL;
    log_info(&s->log, "%s is here", p->meta.title && *p->meta.title ? p->meta.title : p->key);
}

/* Nothing is fetched until somebody has made room. */
static void watch_room(struct house_source *s)
{
    s->is_full = true;
    s->full_room = UINT64_MAX;
    s->full_ns = now_mono_ns();
    errand_room(s);
}

static void act(struct house_source *s, const struct supply_action *a)
{
    struct parcel *p = source_find(s, a->key);
    int64_t now_ns = now_mono_ns();
    switch (a->kind) {
    case SUPPLY_START:
        if (p && p->growing)
            p->is_started = true;
        break;
    case SUPPLY_HAVE: have(s, a->key); break;
    case SUPPLY_FAIL: s->has_failed = true; break;
    case SUPPLY_PUT_OFF:
        log_info(&s->log, "%s: %s It is tried again in %lld s.", p ? p->meta.title : a->key,
                 trouble_sentence(a->class, true),
                 (long long)(max_i64(a->until_ns - now_ns, 0) / NS_PER_S));
        break;
    case SUPPLY_TELL:
        log_warn(&s->log, "%s", trouble_sentence(a->class, true));
        if (strcasecmp(a->class, failure_traits(FAILURE_DISK)->name) == 0)
            watch_room(s);
        break;
    default: work_begin(s, a); break;
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct house_source *s = timer->data;
    int64_t now_ns = now_mono_ns();
    trouble_tell(&s->trouble, s->supply, now_ns);
    supply_time(s->supply, now_ns);
    source_pump(s);
}

static void arm(struct house_source *s)
{
    int64_t now_ns = now_mono_ns(), at_ns = supply_deadline_ns(s->supply);
    int64_t closes_ns = trouble_deadline_ns(&s->trouble, now_ns);
    if (closes_ns != NO_TIME)
        at_ns = min_i64(at_ns, closes_ns);
    if (at_ns == INT64_MAX)
        uv_timer_stop(&s->timer);
    else
        uv_timer_start(&s->timer, on_timer, (uint64_t)(max_i64(at_ns - now_ns, 0) / NS_PER_MS + 1),
                       0);
}

/* What the screens say when nothing can play: of the network, else of the first song that waits. */
static void tell_trouble(struct house_source *s)
{
    const char *class = s->trouble.net.is_open ? failure_traits(s->trouble.net.reason)->name : NULL;
    struct supply_status status;
    for (size_t i = 0; i < s->count && !class; i++)
        if (s->parcel[i]->is_wanted && !s->parcel[i]->is_spare &&
            supply_status(s->supply, s->parcel[i]->key, &status) &&
            status.state == SUPPLY_WAITING && *status.class &&
            !shelf_find(&s->shelf, s->parcel[i]->key))
            class = status.class;
    jukebox_set_trouble(s->house->jukebox, class ? trouble_sentence(class, false) : "",
                        class ? trouble_sentence(class, true) : "");
}

void source_pump(struct house_source *s)
{
    struct supply_action a;
    bool is_news = false;
    s->is_wanted_again = true;
    if (s->is_pumping || s->house->is_stopping)
        return;
    s->is_pumping = true;
    while (s->is_wanted_again) {
        s->is_wanted_again = false;
        while (supply_next_action(s->supply, &a)) {
            is_news |= a.kind == SUPPLY_HAVE || a.kind == SUPPLY_START || a.kind == SUPPLY_FAIL;
            act(s, &a);
        }
        work_go_on(s);
    }
    arm(s);
    tell_trouble(s);
    if (s->has_failed)
        give_up(s);
    if (s->has_names)
        jukebox_name_songs(s->house->jukebox);
    s->has_names = false;
    s->is_pumping = false;
    if (is_news)
        uv_async_send(&s->house->bell);
}

void source_done(struct house_source *s, struct parcel *p, const struct supply_result *r)
{
    uint64_t id = p->id;
    bool is_of_source =
        p->doing == SUPPLY_RESOLVE || p->doing == SUPPLY_NAME || p->doing == SUPPLY_FETCH;
    if (r->outcome == SUPPLY_OK && is_of_source) {
        s->fetched += p->doing == SUPPLY_FETCH && (!s->has_youtube || p->site == TROUBLE_YOUTUBE);
        trouble_succeeded(&s->trouble, p->site);
        trouble_tell(&s->trouble, s->supply, now_mono_ns());
    }
    p->id = 0;
    p->needs = NEEDS_NOTHING;
    supply_done(s->supply, id, r, now_mono_ns());
    struct supply_status status;
    if (!supply_status(s->supply, p->key, &status) || !status.may_play)
        p->is_started = false;
    source_pump(s);
}

void source_succeeded(struct parcel *p)
{
    source_done(p->source, p, &(struct supply_result){ .outcome = SUPPLY_OK });
}

void source_failed(struct house_source *s, struct parcel *p, enum failure f, int64_t retry_after_s)
{
    struct supply_result r = { .outcome = SUPPLY_FAILURE };
    int64_t now_ns = now_mono_ns();
    if (p->doing == SUPPLY_CHECK || p->doing == SUPPLY_PUBLISH)
        errand_pause(s, p->key); /* room is held for it no longer */
    if (f == FAILURE_CANCELLED || p->is_cancelled) {
        r.outcome = SUPPLY_CANCELLED;
    } else {
        r.failure = trouble_failed(&s->trouble, p->site, p->key, f, retry_after_s, now_ns);
        trouble_tell(&s->trouble, s->supply, now_ns);
    }
    source_done(s, p, &r);
}

/* ---- its turn -------------------------------------------------------------------------------------------- */

void source_turn(struct house *h)
{
    struct house_source *s = h->source;
    if (s->has_timer)
        pin_playlist(s);
    bool is_news = s->seen_revision != jukebox_revision(h->jukebox) ||
                   s->seen_turn != jukebox_turn(h->jukebox);
    if (!s->has_timer || (!is_news && h->view.now_ns - s->seen_ns < LOOK_NS))
        return;
    if (s->is_full && h->view.now_ns - s->full_ns > ROOM_NS) {
        s->full_ns = h->view.now_ns;
        errand_room(s);
    }
    if (!s->is_indexed && h->view.now_ns - s->index_ns > INDEX_NS && house_cache_exists(h))
        errand_index(s); /* another program had it */
    refuse_requests(s);
    look_at_queue(s);
    source_pump(s);
}

/* ---- what the cache holds ------------------------------------------------------------------------------- */

static void note_missing(struct house_source *s, struct cache *c)
{
    const char *class;
    int64_t seconds;
    s->missing_count = 0;
    for (size_t i = 0; i < cache_pin_count(c) && s->missing_count < SOURCE_MISSING; i++) {
        struct cache_item item = cache_pin_at(c, i);
        if (!item.bytes && !source_is_in_library(s->house, item.key) &&
            !cache_is_refused(c, item.key, now_mono_ns(), &class, &seconds))
            snprintf(s->missing[s->missing_count++], sizeof(s->missing[0]), "%s", item.key);
    }
}

void source_cache_changed(struct house *h, struct cache *c)
{
    struct house_source *s = h->source;
    for (size_t i = s && c ? s->shelf.count : 0; i-- > 0;) {
        struct shelf_song *song = &s->shelf.at[i];
        song->is_pinned = cache_is_pinned(c, song->key);
        if (cache_has(c, song->key))
            continue;
        char *key = xstrdup(song->key);
        shelf_drop(&s->shelf, key);
        supply_lost(s->supply, key, now_mono_ns());
        free(key);
    }
    if (s && c)
        note_missing(s, c);
}

/* Songs that are here are known before the first is chosen: else another one would play in its turn. */
static bool know(void *ctx, const struct track *t)
{
    struct look *l = ctx;
    struct house_source *s = l->source;
    struct cache *c;
    struct cache_found found;
    char key[CACHE_KEY_MAX + 1];
    if (!source_key(t, t->source, key) || shelf_find(&s->shelf, key))
        return false;
    if (house_cache_now(s->house, &c) < 0)
        return true;
    if (cache_find(c, key, &found) == 0) {
        shelf_put(&s->shelf,
                  &(struct shelf_song){ key, found.path, found.meta.title, found.meta.artist,
                                        found.meta.duration_s, found.is_pinned });
        cache_found_finish(&found);
    }
    return ++l->count >= KNOWN_MAX;
}

static void know_queue(struct house_source *s, const struct queue *q)
{
    struct look *l = xcalloc(1, sizeof(*l));
    struct entry_place place;
    l->source = s;
    if (house_cache_exists(s->house)) {
        if (q->now)
            (void)know(l, q->now);
        (void)queue_upcoming_that(q, know, l, &place);
    }
    free(l);
}

/* ---- its life -------------------------------------------------------------------------------------------- */

static void make_argv(struct house_source *s, const struct house_params *p)
{
    const struct config *c = p->config;
    char *program = program_beside("djamms-fetch"), *cache = xasprintf("%s/yt-dlp", s->scratch);
    char *newer = extractor_newest(p->state_dir);
    s->worker_argv = fetch_command(&(struct fetch_options){
        .program = program,
        .cache = cache,
        .yt_dlp = c->fetch.yt_dlp,
        .newer = newer,
        .extractors = c->fetch.extractors,
        .js_runtime = c->fetch.js_runtime,
        .player_client = c->youtube.player_client,
        .cookies = c->youtube.cookies,
        .fetch_solver = c->youtube.fetch_solver,
        .niceness = 5,
    });
    free(newer);
    free(cache);
    free(program);
}

void source_open(struct house *h, const struct house_params *p, const struct journal_state *state)
{
    const struct config *c = p->config;
    struct house_source *s = h->source = xcalloc(1, sizeof(*s));
    s->house = h;
    s->log = h->log;
    s->supply = supply_create(house_world(h).seed, now_mono_ns());
    trouble_init(&s->trouble);
    seal_open(&s->seal, p->state_dir, &s->log);
    s->has_youtube = c->youtube.enabled;
    s->profile = profile_find(c->fetch.profile);
    s->max_minutes = c->fetch.max_minutes;
    s->max_mb = c->fetch.max_mb;
    s->scratch = xasprintf("%s/fetch", p->state_dir);
    s->languages = xstrdup(c->subtitles.languages);
    s->probe_program = program_beside("djamms-probe");
    make_argv(s, p);
    know_queue(s, &state->queue);
}

void source_attach(struct house *h)
{
    struct house_source *s = h->source;
    uv_timer_init(&h->loop, &s->timer);
    s->timer.data = s;
    s->has_timer = true;
    if (house_cache_exists(h))
        errand_index(s);
    if (s->has_youtube || house_cache_exists(h)) /* a house that fetches nothing starts no Python */
        work_warm_up(s);
}

void source_finish(struct house *h)
{
    struct house_source *s = h->source;
    if (!s || !s->has_timer)
        return;
    work_finish(s);
    uv_close((uv_handle_t *)&s->timer, NULL);
    s->has_timer = false;
}

void source_close(struct house *h)
{
    struct house_source *s = h->source;
    if (!s)
        return;
    for (size_t i = 0; i < s->count; i++)
        parcel_destroy(s->parcel[i]);
    fetch_command_free(s->worker_argv);
    free(s->parcel);
    shelf_finish(&s->shelf);
    supply_destroy(s->supply);
    free(s->scratch);
    free(s->languages);
    free(s->probe_program);
    free(s);
    h->source = NULL;
}
