#include "player/house_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/now.h"
#include "source/fetch_command.h"

#define LOOK_NS   SECONDS(1) /* turns come nearer also when nobody changes the queue */
#define INDEX_NS  SECONDS(10)
#define ROOM_NS   SECONDS(5)
#define KNOWN_MAX 64   /* songs looked up before the house begins */
#define LIVE_MB   2000 /* of a live stream, where a song may have any size */

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
        source_give_up(s);
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
        source_pin_playlist(s);
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
    source_refuse_requests(s);
    source_look(s);
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

struct knowing {
    struct house_source *source;
    size_t count; /* looked up so far */
};

/* Songs that are here are known before the first is chosen: else another one would play in its turn. */
static bool know(void *ctx, const struct track *t)
{
    struct knowing *k = ctx;
    struct house_source *s = k->source;
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
    return ++k->count >= KNOWN_MAX;
}

static void know_queue(struct house_source *s, const struct queue *q)
{
    struct knowing k = { .source = s };
    struct entry_place place;
    if (!house_cache_exists(s->house))
        return;
    if (q->now)
        (void)know(&k, q->now);
    (void)queue_upcoming_that(q, know, &k, &place);
}

/* ---- its life -------------------------------------------------------------------------------------------- */

static char **worker_command(const struct house_params *p)
{
    char *program = program_beside("djamms-fetch");
    char **argv = fetch_command(
        p->config,
        &(struct fetch_params){ .program = program, .state_dir = p->state_dir, .niceness = 5 });
    free(program);
    return argv;
}

/* No more of the cache than half, whatever one song may have. */
static uint64_t live_bytes(const struct config *c)
{
    int mb = c->fetch.max_mb ? c->fetch.max_mb : LIVE_MB;
    if (c->cache.size && mb > c->cache.size / 2)
        mb = c->cache.size / 2;
    return (uint64_t)mb * 1000000;
}

void source_open(struct house *h, const struct house_params *p, const struct journal_state *state)
{
    const struct config *c = p->config;
    struct house_source *s = h->source = xcalloc(1, sizeof(*s));
    s->house = h;
    s->log = h->log;
    s->supply = supply_create(house_world(h).seed, now_mono_ns());
    trouble_init(&s->trouble);
    s->has_youtube = c->youtube.enabled;
    s->profile = profile_find(c->fetch.profile);
    s->max_minutes = c->fetch.max_minutes;
    s->max_mb = c->fetch.max_mb;
    s->live_minutes = c->fetch.live_minutes;
    s->live_bytes = live_bytes(c);
    s->scratch = xasprintf("%s/fetch", p->state_dir);
    s->languages = xstrdup(c->subtitles.languages);
    s->probe_program = program_beside("djamms-probe");
    s->worker_argv = worker_command(p);
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
