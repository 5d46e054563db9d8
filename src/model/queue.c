#include "model/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "model/queue_internal.h"

void queue_init(struct queue *q)
{
    *q = (struct queue){ .loops = true, .max_chars = QUEUE_SERVER_CHARS };
}

void queue_finish(struct queue *q)
{
    for (int list = 0; list < QUEUE_LISTS; list++)
        track_list_finish(&q->list[list]);
    track_destroy(q->now);
    *q = (struct queue){ .loops = q->loops, .max_chars = q->max_chars };
}

void queue_copy(struct queue *to, const struct queue *from)
{
    *to = (struct queue){
        .now = from->now ? track_copy(from->now) : NULL,
        .loops = from->loops,
        .max_chars = from->max_chars,
    };
    for (int list = 0; list < QUEUE_LISTS; list++)
        track_list_copy(&to->list[list], &from->list[list]);
}

static void drop_now(struct queue *q)
{
    track_destroy(q->now);
    q->now = NULL;
}

/* The first index of the list that does not belong to the playing entry. */
static size_t first_free(const struct queue *q, enum queue_list list)
{
    struct entry_place playing;
    return queue_playing(q, &playing) && playing.list == list && playing.index == 0 ? 1 : 0;
}

/* Rotation or removal of what plays. */
static void finish_playing(struct queue *q)
{
    struct entry_place place;
    if (queue_playing(q, &place)) {
        struct track *t = track_list_take(&q->list[place.list], place.index);
        if (place.list == QUEUE_MAIN && q->loops) {
            t->status = TRACK_QUEUED;
            track_list_append(&q->list[QUEUE_MAIN], t);
        } else {
            track_destroy(t);
        }
    }
    drop_now(q);
}

/* Nothing plays and nothing is asked for, whatever the entries said (another writer may have said it). */
static void reset_turns(struct queue *q)
{
    for (int list = 0; list < QUEUE_LISTS; list++) {
        for (size_t i = 0; i < q->list[list].count; i++) {
            struct track *t = q->list[list].at[i];
            t->plays_next = false;
            if (t->status == TRACK_PLAYING)
                t->status = TRACK_QUEUED;
        }
    }
}

static bool id_is_known(const struct queue *q, const char *id)
{
    if (q->now && strcmp(q->now->id, id) == 0)
        return true;
    for (int list = 0; list < QUEUE_LISTS; list++) {
        for (size_t i = 0; i < q->list[list].count; i++) {
            if (strcmp(q->list[list].at[i]->id, id) == 0)
                return true;
        }
    }
    return false;
}

static int apply_add(struct queue *q, const struct queue_op *op)
{
    struct track *t = track_copy(op->track);
    track_ensure_id(t, op->seed);
    enum queue_list to = t->is_request || t->is_paid ? QUEUE_REQUESTS : op->list;
    struct track_list *list = &q->list[to];
    t->is_request = to == QUEUE_REQUESTS;
    t->status = TRACK_QUEUED;
    t->plays_next = false;

    int ret = 0;
    if (id_is_known(q, t->id))
        ret = 1;
    else if (track_list_json_chars(list) + track_json_chars(t) + 1 > q->max_chars)
        ret = -EMSGSIZE;
    if (ret != 0)
        track_destroy(t);
    else
        track_list_insert(list, op->at_front ? first_free(q, to) : list->count, t);
    return ret;
}

/* To index 0. What is passed over because it cannot play has had its turn. */
static void bring_to_head(struct queue *q, struct entry_place place)
{
    struct track_list *list = &q->list[place.list];
    bool in_turn = place.list == QUEUE_MAIN && q->loops;
    for (size_t i = 0; i < place.index && in_turn; i++)
        in_turn = *list->at[i]->unplayable;
    if (!in_turn) {
        track_list_move(list, place.index, 0);
        return;
    }
    for (size_t i = 0; i < place.index; i++)
        track_list_move(list, 0, list->count);
}

static int start_detached(struct queue *q)
{
    if (q->now->status == TRACK_PLAYING)
        return 1;
    q->now->status = TRACK_PLAYING;
    return 0;
}

static bool is_started(const struct queue *q, const struct track *t)
{
    return t->status == TRACK_PLAYING && !t->plays_next && q->now->status == TRACK_PLAYING &&
           strcmp(t->id, q->now->id) == 0 && strcmp(t->requested_at, q->now->requested_at) == 0;
}

static int apply_start(struct queue *q, const struct queue_op *op)
{
    struct entry_place place, playing;
    bool plays = queue_ref_plays(q, op->entry);
    if (plays && !queue_playing(q, &playing))
        return start_detached(q);
    if (plays)
        place = playing;
    else if (!queue_find(q, op->entry, &place))
        return -ENOENT;

    struct track *t = queue_at(q, place);
    if (plays && place.index == 0 && is_started(q, t))
        return 1;
    if (plays)
        drop_now(q);
    else
        finish_playing(q);
    queue_place_of(q, t, &place);
    bring_to_head(q, place);
    reset_turns(q);
    t->status = TRACK_PLAYING;
    q->now = track_copy(t);
    return 0;
}

static int apply_end(struct queue *q, const struct queue_op *op)
{
    if (!queue_ref_plays(q, op->entry))
        return 1;
    finish_playing(q);
    return 0;
}

static int apply_remove(struct queue *q, const struct queue_op *op)
{
    struct entry_place place;
    bool plays = queue_ref_plays(q, op->entry);
    bool in_list = plays ? queue_playing(q, &place) : queue_find(q, op->entry, &place);
    if (!plays && !in_list)
        return -ENOENT;
    if (in_list)
        track_destroy(track_list_take(&q->list[place.list], place.index));
    if (plays)
        drop_now(q);
    return 0;
}

static int move_to(struct queue *q, struct entry_place place, size_t index)
{
    struct track_list *list = &q->list[place.list];
    size_t first = first_free(q, place.list);
    if (place.index < first)
        return 1;
    index = index < first ? first : index;
    index = index < list->count ? index : list->count - 1;
    if (index == place.index)
        return 1;
    track_list_move(list, place.index, index);
    return 0;
}

static int apply_move(struct queue *q, const struct queue_op *op)
{
    struct entry_place place;
    if (!queue_find(q, op->entry, &place))
        return -ENOENT;
    return move_to(q, place, op->kind == OP_PROMOTE ? 0 : op->index);
}

static int apply_play_now(struct queue *q, const struct queue_op *op)
{
    struct entry_place place;
    if (queue_ref_plays(q, op->entry))
        return 1;
    if (!queue_find(q, op->entry, &place))
        return -ENOENT;
    struct track *t = queue_at(q, place);
    if (!q->now && t->plays_next && place.index == 0 && !*t->unplayable)
        return 1;
    finish_playing(q);
    queue_place_of(q, t, &place);
    track_list_move(&q->list[place.list], place.index, 0);
    reset_turns(q);
    t->plays_next = true;
    track_list_mark(&q->list[place.list], t, NULL);
    return 0;
}

static uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u; /* splitmix64 */
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

struct card {
    uint64_t key;
    struct track *track;
};

static int compare_cards(const void *a, const void *b)
{
    uint64_t x = ((const struct card *)a)->key, y = ((const struct card *)b)->key;
    return x < y ? -1 : x > y;
}

/* Fisher-Yates, from an order that depends on the entries alone: so the same shuffle again, or on a
 * queue that got another order meanwhile, gives the same result. */
static int apply_shuffle(struct queue *q, const struct queue_op *op)
{
    struct track_list *list = &q->list[QUEUE_MAIN];
    size_t first = first_free(q, QUEUE_MAIN);
    if (list->count < first + 2)
        return 1;
    size_t n = list->count - first;
    struct card *cards = xcalloc(n, sizeof(*cards));
    uint64_t *keys = xcalloc(list->count, sizeof(*keys));
    queue_keys(q, QUEUE_MAIN, keys);
    for (size_t i = 0; i < n; i++)
        cards[i] = (struct card){ keys[first + i], list->at[first + i] };
    free(keys);
    qsort(cards, n, sizeof(*cards), compare_cards);

    uint64_t state = op->seed;
    for (size_t i = n - 1; i > 0; i--) {
        size_t j = (size_t)(random_next(&state) % (i + 1));
        struct card card = cards[i];
        cards[i] = cards[j];
        cards[j] = card;
    }
    int ret = 1;
    for (size_t i = 0; i < n; i++) {
        if (list->at[first + i] != cards[i].track)
            ret = 0;
        list->at[first + i] = cards[i].track;
    }
    free(cards);
    return ret;
}

/* What plays leaves its list but goes on. From here on `now` must not be taken for another entry of the
 * same song, so it gets back what a web player may have re-made, or an id when nothing else sets it apart. */
static void detach_playing(struct queue *q, enum queue_list list)
{
    struct entry_place place;
    if (!queue_playing(q, &place) || place.list != list)
        return;
    struct track *now = track_copy(queue_at(q, place));
    now->status = q->now->status;
    if (!*now->requested_at)
        track_ensure_id(now, 0);
    drop_now(q);
    q->now = now;
}

static int apply_clear(struct queue *q, const struct queue_op *op)
{
    int ret = 1;
    for (int i = 0; i < QUEUE_LISTS; i++) {
        enum queue_list list = (enum queue_list)i;
        if ((!op->all_lists && op->list != list) || !q->list[list].count)
            continue;
        detach_playing(q, list);
        track_list_finish(&q->list[list]);
        ret = 0;
    }
    return ret;
}

/* The list must stay below the ceiling whatever the reason is. */
static int mark_entry(struct queue *q, struct track_list *list, struct track *t, const char *text)
{
    char *before = xstrdup(t->unplayable);
    track_list_mark(list, t, text);
    if (*text && track_list_json_chars(list) > q->max_chars)
        track_list_mark(list, t, TRACK_MARK_SHORT);
    t->plays_next = t->plays_next && !*text;
    int ret = strcmp(t->unplayable, before) == 0;
    free(before);
    return ret;
}

/* Those that nothing tells apart from the one named, too: a ref can only ever name the first of them. */
static int mark_entries(struct queue *q, struct entry_place place, const char *text)
{
    const struct track *named = queue_at(q, place);
    int ret = 1;
    for (int l = 0; l < QUEUE_LISTS; l++) {
        struct track_list *list = &q->list[l];
        for (size_t i = 0; i < list->count; i++) {
            struct track *t = list->at[i];
            bool is_meant = t == named || queue_are_twins(q, t, named);
            if (is_meant && mark_entry(q, list, t, text) == 0)
                ret = 0;
        }
    }
    return ret;
}

static int mark_now(struct track *now, const char *text)
{
    if (*text)
        now->plays_next = false;
    if (strcmp(now->unplayable, text) == 0)
        return 1;
    track_set(&now->unplayable, text);
    return 0;
}

static int apply_mark_unplayable(struct queue *q, const struct queue_op *op)
{
    struct entry_place place;
    bool plays = queue_ref_plays(q, op->entry);
    bool in_list = plays ? queue_playing(q, &place) : queue_find(q, op->entry, &place);
    if (!plays && !in_list)
        return -ENOENT;
    char text[TRACK_MARK_MAX + 1];
    text_clean(text, sizeof(text), op->reason ? op->reason : "");
    int ret = 1;
    if (in_list)
        ret = mark_entries(q, place, text);
    if (plays && mark_now(q->now, text) == 0)
        ret = 0;
    return ret;
}

/* `list` NULL: it is in none. */
static int name_track(struct queue *q, struct track_list *list, struct track *t,
                      const struct track *from)
{
    int ret = 1;
    bool is_news = *from->title && track_has_stand_in(t) &&
                   (strcmp(t->title, from->title) != 0 || strcmp(t->artist, from->artist) != 0);
    if (is_news && list) {
        char *title = xstrdup(t->title), *artist = xstrdup(t->artist);
        track_list_name(list, t, from->title, from->artist);
        is_news = track_list_json_chars(list) <= q->max_chars;
        if (!is_news)
            track_list_name(list, t, title, artist);
        ret = is_news ? 0 : -EMSGSIZE;
        free(title);
        free(artist);
    } else if (is_news) {
        track_set(&t->title, from->title);
        track_set(&t->artist, from->artist);
        ret = 0;
    }
    if (t->duration_s == 0 && from->duration_s > 0) {
        t->duration_s = from->duration_s;
        ret = 0;
    }
    return ret;
}

/* Of two results of name_track(): something was done, else there was no room, else nothing was to be done. */
static int result_of(int a, int b)
{
    return a == 0 || b == 0 ? 0 : a < b ? a : b;
}

static int apply_name(struct queue *q, const struct queue_op *op)
{
    const struct track *from = op->track;
    int ret = 1;
    for (int l = 0; l < QUEUE_LISTS; l++)
        for (size_t i = 0; i < q->list[l].count; i++) {
            struct track *t = q->list[l].at[i];
            if (strcmp(t->video_id, from->video_id) == 0)
                ret = result_of(ret, name_track(q, &q->list[l], t, from));
        }
    if (q->now && strcmp(q->now->video_id, from->video_id) == 0)
        ret = result_of(ret, name_track(q, NULL, q->now, from));
    return ret;
}

void queue_lift_marks(struct queue *q, const char *source)
{
    for (int l = 0; l < QUEUE_LISTS && *source; l++) {
        struct track_list *list = &q->list[l];
        for (size_t i = 0; i < list->count; i++)
            if (*list->at[i]->unplayable && strcmp(list->at[i]->source, source) == 0)
                track_list_mark(list, list->at[i], NULL);
    }
}

int queue_apply(struct queue *q, const struct queue_op *op)
{
    static int (*const apply[OP_KINDS])(struct queue *, const struct queue_op *) = {
        [OP_ADD] = apply_add,
        [OP_START] = apply_start,
        [OP_END] = apply_end,
        [OP_SKIP] = apply_end,
        [OP_REMOVE] = apply_remove,
        [OP_MOVE] = apply_move,
        [OP_PROMOTE] = apply_move,
        [OP_PLAY_NOW] = apply_play_now,
        [OP_SHUFFLE] = apply_shuffle,
        [OP_CLEAR] = apply_clear,
        [OP_MARK_UNPLAYABLE] = apply_mark_unplayable,
        [OP_NAME] = apply_name,
    };
    return apply[op->kind](q, op);
}
