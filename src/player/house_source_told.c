/* What is told of songs from elsewhere: to the jukebox, and to people. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/now.h"
#include "player/house_source.h"
#include "wire/message.h"

/* ---- for the jukebox ------------------------------------------------------------------------------------ */

bool source_is_coming(void *ctx, const struct track *t, const char *source)
{
    const struct house *h = ctx;
    const struct house_source *s = h->source;
    char key[CACHE_KEY_MAX + 1];
    const char *why;
    struct supply_status status;
    if (!t->unplayable[0] && source_is_off(s, t, source))
        return true;
    if (!source_key(t, source, key) || shelf_find(&s->shelf, key) || source_is_in_library(h, key) ||
        !source_may_fetch(s, t, source, key, &why))
        return false;
    const struct parcel *p = source_find(s, key);
    if (p && p->is_started)
        return false;
    return !p || !supply_status(s->supply, key, &status) || status.state != SUPPLY_FAILED;
}

bool source_is_growing(void *ctx, const struct track *t, const char *source)
{
    const struct house *h = ctx;
    char key[CACHE_KEY_MAX + 1];
    if (!source_key(t, source, key) || shelf_find(&h->source->shelf, key))
        return false;
    const struct parcel *p = source_find(h->source, key);
    return p && p->is_started && !p->is_over;
}

bool source_is_passing(void *ctx, const struct track *t, const char *source)
{
    const struct house *h = ctx;
    char key[CACHE_KEY_MAX + 1];
    if (!source_key(t, source, key))
        return false;
    const struct parcel *p = source_find(h->source, key);
    return p && p->is_live && p->is_started && p->is_playing;
}

bool source_name(void *ctx, const struct track *t, struct song_name *out)
{
    const struct house *h = ctx;
    const struct house_source *s = h->source;
    char key[CACHE_KEY_MAX + 1];
    if (!track_has_stand_in(t) || !source_key(t, t->source, key))
        return false;
    const struct shelf_song *song = shelf_find(&s->shelf, key);
    const struct parcel *p = source_find(s, key);
    if (song)
        *out = (struct song_name){ song->title, song->artist, song->duration_s };
    else if (p && p->is_known)
        *out = (struct song_name){ p->meta.title ? p->meta.title : "",
                                   p->meta.artist ? p->meta.artist : "", p->meta.duration_s };
    else
        return false;
    bool is_other =
        *out->title && (strcmp(t->title, out->title) != 0 || strcmp(t->artist, out->artist) != 0);
    return is_other || (t->duration_s == 0 && out->duration_s > 0);
}

bool source_has_file(const struct house *h, const char *source)
{
    char *path = path_from_source(source);
    const struct shelf *shelf = &h->source->shelf;
    bool is_there = false;
    for (size_t i = 0; i < shelf->count && !is_there; i++)
        is_there = strcmp(shelf->at[i].path, path) == 0;
    free(path);
    return is_there;
}

char *source_path(struct house *h, const struct track *t, const char *source, char *why,
                  size_t why_size)
{
    const struct house_source *s = h->source;
    char key[CACHE_KEY_MAX + 1];
    struct supply_status status;
    const char *refusal = "There is no local file for it.";
    if (!source_key(t, source, key)) {
        snprintf(why, why_size, "%s", refusal);
        return NULL;
    }
    const struct shelf_song *song = shelf_find(&s->shelf, key);
    const struct parcel *p = source_find(s, key);
    if (song)
        return xstrdup(song->path);
    if (p && p->is_started && p->growing)
        return xstrdup(p->growing);
    if (source_may_fetch(s, t, source, key, &refusal))
        refusal = supply_status(s->supply, key, &status) && status.state == SUPPLY_FAILED
                      ? trouble_sentence(status.class, true)
                      : "It is not here yet.";
    snprintf(why, why_size, "%s", refusal);
    return NULL;
}

/* ---- for people ----------------------------------------------------------------------------------------- */

void source_retry(struct house *h, const char *video_id, const char *source)
{
    struct track *t = track_create();
    char key[CACHE_KEY_MAX + 1];
    track_set(&t->video_id, video_id);
    if (source_key(t, source, key)) {
        supply_retry(h->source->supply, key, now_mono_ns());
        if (house_cache_exists(h))
            errand_forgive(h->source, key);
    }
    track_destroy(t);
}

bool source_waits(const struct house *h, const struct track *t, char *out, size_t size)
{
    const struct house_source *s = h->source;
    const char *source = source_named(s, t);
    char key[CACHE_KEY_MAX + 1];
    struct supply_status status;
    out[0] = '\0';
    if (!source_is_coming((void *)h, t, source) || !source_key(t, source, key))
        return false;
    const struct parcel *p = source_find(s, key);
    if (!p || !supply_status(s->supply, key, &status))
        status = (struct supply_status){ .state = SUPPLY_NEW };
    long long wait_s = (long long)(max_i64(status.until_ns - now_mono_ns(), 0) / NS_PER_S);
    switch (status.state) {
    case SUPPLY_RESOLVING: snprintf(out, size, "It is being looked for."); break;
    case SUPPLY_FETCHING:
        if (p->percent >= 0)
            snprintf(out, size, "It is being fetched: %d %%.", p->percent);
        else
            snprintf(out, size, "It is being fetched.");
        break;
    case SUPPLY_CHECKING: snprintf(out, size, "It is being checked."); break;
    case SUPPLY_WAITING:
        if (status.until_ns == NO_TIME || wait_s < 1)
            snprintf(out, size, "%s", trouble_sentence(status.class, false));
        else
            snprintf(out, size, "%s It is tried again in %lld s.",
                     trouble_sentence(status.class, false), wait_s);
        break;
    default:
        snprintf(out, size, "%s",
                 s->trouble.net.is_open ? "There is no internet at the moment."
                                        : "It is fetched before its turn.");
        break;
    }
    return true;
}

struct message *source_status(const struct house *h)
{
    const struct house_source *s = h->source;
    struct worker_status w = { 0 };
    struct message *m = message_create();
    const struct worker *worker = source_worker(s);
    if (worker)
        worker_status(worker, &w);
    size_t under_way = 0;
    for (size_t i = 0; i < s->count; i++)
        under_way += s->parcel[i]->id != 0;
    message_set_str(m, "worker", worker ? worker_state_name(w.state) : "not needed yet");
    message_set_i64(m, "starts", w.starts);
    message_set_str(m, "yt_dlp", message_str(w.greeted, "yt_dlp", ""));
    message_set_str(m, "yt_dlp_path", message_str(w.greeted, "yt_dlp_path", ""));
    message_set_bool(m, "youtube", s->has_youtube);
    message_set_i64(m, "under_way", (int64_t)under_way);
    message_set_i64(m, "bytes_s", (int64_t)supply_bandwidth(s->supply));
    message_set_bool(m, "is_online", !s->trouble.net.is_open);
    const struct trouble *t = &s->trouble;
    const char *problem = t->net.is_open    ? failure_traits(t->net.reason)->staff
                          : t->tool.is_open ? failure_traits(t->tool.reason)->staff
                          : t->source[TROUBLE_YOUTUBE].is_open
                              ? failure_traits(t->source[TROUBLE_YOUTUBE].reason)->staff
                          : w.start_failures ? w.last_failure
                                             : "";
    message_set_str(m, "problem", problem);
    return m;
}
