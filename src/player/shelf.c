#include "player/shelf.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static void song_finish(struct shelf_song *song)
{
    free(song->key);
    free(song->path);
    free(song->title);
    free(song->artist);
}

void shelf_finish(struct shelf *s)
{
    for (size_t i = 0; i < s->count; i++)
        song_finish(&s->at[i]);
    free(s->at);
    *s = (struct shelf){ 0 };
}

/* Where it is, or belongs. */
static size_t place_of(const struct shelf *s, const char *key, bool *is_there)
{
    size_t low = 0, high = s->count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = strcmp(s->at[mid].key, key);
        if (order == 0) {
            *is_there = true;
            return mid;
        }
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    *is_there = false;
    return low;
}

static char *copy(const char *text)
{
    return xstrdup(text ? text : "");
}

void shelf_put(struct shelf *s, const struct shelf_song *song)
{
    bool is_there;
    struct shelf_song own = { copy(song->key),    copy(song->path), copy(song->title),
                              copy(song->artist), song->duration_s, song->is_pinned };
    size_t i = place_of(s, song->key, &is_there);
    if (is_there) {
        song_finish(&s->at[i]);
    } else {
        if (s->count == s->cap) {
            s->cap = s->cap ? 2 * s->cap : 64;
            s->at = xrealloc(s->at, s->cap * sizeof(*s->at));
        }
        memmove(s->at + i + 1, s->at + i, (s->count - i) * sizeof(*s->at));
        s->count++;
    }
    s->at[i] = own;
}

void shelf_drop(struct shelf *s, const char *key)
{
    bool is_there;
    size_t i = place_of(s, key, &is_there);
    if (!is_there)
        return;
    song_finish(&s->at[i]);
    s->count--;
    memmove(s->at + i, s->at + i + 1, (s->count - i) * sizeof(*s->at));
}

const struct shelf_song *shelf_find(const struct shelf *s, const char *key)
{
    bool is_there;
    size_t i = place_of(s, key, &is_there);
    return is_there ? &s->at[i] : NULL;
}
