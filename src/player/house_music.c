/* What the house plays by itself: songs that are on this box, while nothing of the queue can be played. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "player/house_source.h"

/* Of the cache: all, or the house playlist, which is what is pinned. NULL: there is none. */
static const struct shelf_song *draw_fetched(struct house *h, bool only_pinned)
{
    const struct shelf *shelf = &h->source->shelf;
    for (int n = 0; n < SHUFFLE_LOOKS; n++) {
        struct shuffle_look look = shuffle_look(&h->music, n);
        const struct shelf_song *best = NULL;
        for (size_t i = 0; i < shelf->count; i++) {
            const struct shelf_song *song = &shelf->at[i];
            if ((song->is_pinned || !only_pinned) && shuffle_offer(&look, song->key))
                best = song;
        }
        if (!best)
            continue;
        shuffle_take(&h->music, &look);
        return best;
    }
    return NULL;
}

static struct track *track_of(const struct shelf_song *song)
{
    struct track *t = track_create();
    char *id = source_id_of_key(song->key);
    track_set(&t->video_id, id);
    track_set(&t->title, *song->title ? song->title : id);
    track_set(&t->artist, song->artist);
    t->duration_s = song->duration_s;
    free(id);
    return t;
}

struct drawn_file {
    struct shuffle_look look;
    char *source; /* NULL: none */
};

static void offer_file(void *ctx, const struct mapped_file *file)
{
    struct drawn_file *d = ctx;
    if (!file->is_here || !shuffle_offer(&d->look, file->key))
        return;
    free(d->source);
    d->source = xstrdup(file->source);
}

/* Of the library. NULL: there is none. */
static struct track *draw_file(struct house *h)
{
    struct drawn_file d = { .source = NULL };
    for (int n = 0; h->library && !d.source && n < SHUFFLE_LOOKS; n++) {
        d.look = shuffle_look(&h->music, n);
        library_visit(h->library, offer_file, &d);
    }
    if (!d.source)
        return NULL;
    struct track *t = track_create();
    char *path = path_from_source(d.source);
    track_from_path(t, path);
    shuffle_take(&h->music, &d.look);
    free(path);
    free(d.source);
    return t;
}

struct track *music_song(void *ctx, bool is_stuck)
{
    struct house *h = ctx;
    const struct shelf_song *song = draw_fetched(h, true);
    if (!song && is_stuck)
        song = draw_fetched(h, false);
    if (song)
        return track_of(song);
    return is_stuck ? draw_file(h) : NULL;
}
