/* Which entry is meant: identity, and the keys made of it. */
#include "model/queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "model/queue_internal.h"

static const enum queue_list playing_order[] = { QUEUE_REQUESTS, QUEUE_MAIN };

static const char *given(const char *s)
{
    return s ? s : "";
}

static bool same(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

struct entry_ref entry_ref_of(const struct track *t)
{
    return (struct entry_ref){ t->id, t->video_id, t->requested_at };
}

struct track *queue_at(const struct queue *q, struct entry_place place)
{
    if (place.list >= QUEUE_LISTS || place.index >= q->list[place.list].count)
        return NULL;
    return q->list[place.list].at[place.index];
}

static size_t id_occurrences(const struct queue *q, const char *id)
{
    size_t n = 0;
    for (int list = 0; list < QUEUE_LISTS; list++) {
        for (size_t i = 0; i < q->list[list].count; i++)
            n += same(q->list[list].at[i]->id, id);
    }
    return n;
}

static bool has_own_id(const struct queue *q, const struct track *t)
{
    return track_id_is_identity(t->id) && id_occurrences(q, t->id) == 1;
}

/* What an entry must agree in; a NULL text is not compared. */
struct wanted {
    const char *id, *video_id, *requested_at;
    bool without_own_id;
    bool is_playing; /* its status says so */
};

static bool agrees(const struct queue *q, const struct track *t, const struct wanted *w)
{
    return (!w->id || same(t->id, w->id)) && (!w->video_id || same(t->video_id, w->video_id)) &&
           (!w->requested_at || same(t->requested_at, w->requested_at)) &&
           (!w->is_playing || t->status == TRACK_PLAYING) &&
           (!w->without_own_id || !has_own_id(q, t));
}

static bool find_first(const struct queue *q, struct wanted w, struct entry_place *out)
{
    for (size_t o = 0; o < ARRAY_LEN(playing_order); o++) {
        const struct track_list *list = &q->list[playing_order[o]];
        for (size_t i = 0; i < list->count; i++) {
            if (!agrees(q, list->at[i], &w))
                continue;
            *out = (struct entry_place){ playing_order[o], i };
            return true;
        }
    }
    return false;
}

static bool find_by_id(const struct queue *q, struct wanted w, struct entry_place *out)
{
    size_t n = id_occurrences(q, w.id);
    if (n == 1)
        return find_first(q, (struct wanted){ .id = w.id }, out);
    if (n > 1) {
        w.video_id = *w.video_id ? w.video_id : NULL;
        w.requested_at = *w.requested_at ? w.requested_at : NULL;
        return find_first(q, w, out);
    }
    w.id = NULL;
    w.without_own_id = true;
    return *w.video_id && *w.requested_at && find_first(q, w, out);
}

static bool is_remade(const char *id)
{
    return strncmp(id, "current_", 8) == 0 || strncmp(id, "local_", 6) == 0;
}

static bool find_by_song(const struct queue *q, struct wanted w, bool by_song_alone,
                         struct entry_place *out)
{
    if (!*w.video_id)
        return false;
    by_song_alone |= !*w.requested_at;
    w.id = NULL;
    if (find_first(q, w, out))
        return true;
    w.requested_at = NULL;
    return by_song_alone && find_first(q, w, out);
}

static bool find_playing(const struct queue *q, bool by_status, struct entry_place *out)
{
    struct wanted w = { q->now->id, q->now->video_id, q->now->requested_at,
                        .is_playing = by_status };
    return track_id_is_identity(w.id) ? find_by_id(q, w, out)
                                      : find_by_song(q, w, is_remade(w.id), out);
}

/* Of several entries that `now` may stand for, the one whose status says it plays. */
bool queue_playing(const struct queue *q, struct entry_place *out)
{
    return q->now && (find_playing(q, true, out) || find_playing(q, false, out));
}

static bool is_copy_of_now(const struct queue *q, struct entry_ref ref)
{
    return q->now && same(given(ref.id), q->now->id) &&
           same(given(ref.video_id), q->now->video_id) &&
           same(given(ref.requested_at), q->now->requested_at);
}

bool queue_find(const struct queue *q, struct entry_ref ref, struct entry_place *out)
{
    if (is_copy_of_now(q, ref) && queue_playing(q, out))
        return true;
    struct wanted w = { given(ref.id), given(ref.video_id), given(ref.requested_at) };
    return track_id_is_identity(w.id) ? find_by_id(q, w, out) : find_by_song(q, w, false, out);
}

bool queue_ref_plays(const struct queue *q, struct entry_ref ref)
{
    if (!q->now || is_copy_of_now(q, ref))
        return q->now;
    struct entry_place playing, named;
    bool in_list = queue_playing(q, &playing), found = queue_find(q, ref, &named);
    if (in_list || found)
        return in_list && found && place_is(playing, named);
    /* Detached: the same rules as if `now` were the only entry. */
    struct track *only[] = { q->now };
    const struct queue alone = { .list[QUEUE_REQUESTS] = { only, 1 } };
    return queue_find(&alone, ref, &named);
}

bool queue_place_of(const struct queue *q, const struct track *t, struct entry_place *out)
{
    for (int list = 0; list < QUEUE_LISTS; list++) {
        for (size_t i = 0; i < q->list[list].count; i++) {
            if (q->list[list].at[i] != t)
                continue;
            *out = (struct entry_place){ (enum queue_list)list, i };
            return true;
        }
    }
    return false;
}

static bool is_twin(const struct track *a, const struct track *b)
{
    return same(a->video_id, b->video_id) && same(a->requested_at, b->requested_at);
}

bool queue_are_twins(const struct queue *q, const struct track *a, const struct track *b)
{
    return is_twin(a, b) && !has_own_id(q, a) && !has_own_id(q, b);
}

/* How many entries before `t` that have no id of their own look the same. The main list counts first:
 * a request that comes up then changes no key of the loop. */
static size_t twins_before(const struct queue *q, const struct track *t)
{
    size_t n = 0;
    for (int list = 0; list < QUEUE_LISTS; list++) {
        for (size_t i = 0; i < q->list[list].count; i++) {
            const struct track *other = q->list[list].at[i];
            if (other == t)
                return n;
            n += is_twin(other, t) && !has_own_id(q, other);
        }
    }
    return 0; /* detached */
}

static uint64_t hash_text(char *text)
{
    uint64_t hash = text_hash(text, strlen(text));
    free(text);
    return hash;
}

static uint64_t key_by_id(const struct track *t)
{
    return hash_text(xasprintf("id\n%s", t->id));
}

static uint64_t key_by_song(const struct track *t, size_t twins_before)
{
    return hash_text(xasprintf("song\n%s\n%s\n%zu", t->video_id, t->requested_at, twins_before));
}

uint64_t entry_key(const struct queue *q, const struct track *t)
{
    struct entry_place place;
    if (t == q->now ? queue_playing(q, &place)
                    : !queue_place_of(q, t, &place) && queue_find(q, entry_ref_of(t), &place))
        t = queue_at(q, place); /* a place that was found has a track */
    assert(t);
    bool by_id = track_id_is_identity(t->id) && id_occurrences(q, t->id) <= 1;
    return by_id ? key_by_id(t) : key_by_song(t, twins_before(q, t));
}

static int compare_ids(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All ids of the queue in alphabetical order; the caller frees. */
static char **sorted_ids(const struct queue *q, size_t *count)
{
    size_t n = 0;
    *count = q->list[QUEUE_MAIN].count + q->list[QUEUE_REQUESTS].count;
    char **id = xcalloc(*count + 1, sizeof(*id));
    for (int list = 0; list < QUEUE_LISTS; list++)
        for (size_t i = 0; i < q->list[list].count; i++)
            id[n++] = q->list[list].at[i]->id;
    qsort(id, n, sizeof(*id), compare_ids);
    return id;
}

/* How often each song was met so far, by open addressing; there is more room than songs. */
struct twins {
    struct twin {
        const struct track *first;
        size_t count;
    } * at;
    size_t mask;
};

static struct twins twins_create(size_t songs)
{
    size_t room = 16;
    while (room < 2 * songs)
        room *= 2;
    return (struct twins){ xcalloc(room, sizeof(struct twin)), room - 1 };
}

/* How many that look the same came before `t`; the next one has it before itself. */
static size_t twins_count(struct twins *w, const struct track *t)
{
    size_t i = text_hash(t->video_id, strlen(t->video_id)) * 31 +
               text_hash(t->requested_at, strlen(t->requested_at));
    while (w->at[i & w->mask].first && !is_twin(w->at[i & w->mask].first, t))
        i++;
    struct twin *twin = &w->at[i & w->mask];
    twin->first = t;
    return twin->count++;
}

static bool is_once(char *const *id, size_t n, const struct track *t)
{
    char *const *at = bsearch(&t->id, id, n, sizeof(*id), compare_ids);
    assert(at);
    return (at == id || !same(at[-1], t->id)) && (at + 1 == id + n || !same(at[1], t->id));
}

/* As entry_key(), in the order of twins_before(). */
void queue_keys(const struct queue *q, enum queue_list list, uint64_t *out)
{
    size_t n;
    char **id = sorted_ids(q, &n);
    struct twins twins = twins_create(n);
    for (int l = 0; l <= (int)list; l++) {
        for (size_t i = 0; i < q->list[l].count; i++) {
            const struct track *t = q->list[l].at[i];
            bool by_id = track_id_is_identity(t->id) && is_once(id, n, t);
            size_t before = by_id ? 0 : twins_count(&twins, t);
            if (l == (int)list)
                out[i] = by_id ? key_by_id(t) : key_by_song(t, before);
        }
    }
    free(twins.at);
    free(id);
}

static bool find_key_by_id(const struct queue *q, uint64_t key, struct entry_place *out)
{
    for (int list = 0; list < QUEUE_LISTS; list++) {
        for (size_t i = 0; i < q->list[list].count; i++) {
            const struct track *t = q->list[list].at[i];
            if (!track_id_is_identity(t->id) || key_by_id(t) != key || !has_own_id(q, t))
                continue;
            *out = (struct entry_place){ (enum queue_list)list, i };
            return true;
        }
    }
    return false;
}

static bool find_key_by_song(const struct queue *q, uint64_t key, struct entry_place *out)
{
    bool is_found = false;
    for (int list = 0; list < QUEUE_LISTS && !is_found; list++) {
        size_t count = q->list[list].count, i = 0;
        uint64_t *keys = xcalloc(count + 1, sizeof(*keys));
        queue_keys(q, (enum queue_list)list, keys);
        while (i < count && keys[i] != key)
            i++;
        is_found = i < count;
        if (is_found)
            *out = (struct entry_place){ (enum queue_list)list, i };
        free(keys);
    }
    return is_found;
}

bool queue_find_key(const struct queue *q, uint64_t key, struct entry_place *out)
{
    return find_key_by_id(q, key, out) || find_key_by_song(q, key, out);
}
