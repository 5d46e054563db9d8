/* Random operations on a queue; what must hold is checked after every one.
 * The seed is printed; run with a number as argument or in $DJAMMS_TEST_SEED to repeat a run. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "model/queue.h"

#define OPERATIONS 100000
#define LIST_LIMIT 12 /* the test adds nothing to a longer list */
#define LIST_MAX   64
#define GONE_COUNT 8
#define LOOK_AHEAD 10
#define SONGS      5 /* few, so that the same song is in the queue several times */

/* Each track has its own number, kept in `thumbnail`, which no rule looks at. */
struct view {
    int tags[QUEUE_LISTS][LIST_MAX];
    size_t count[QUEUE_LISTS];
    int now; /* 0: nothing */
    bool has_place;
    struct entry_place place;
};

struct run {
    uint64_t seed, state;
    int op_number, last_tag;
    struct queue q;
    struct track *gone[GONE_COUNT]; /* copies of entries that were removed, to be named again */
    size_t kinds_done[OP_KINDS];
};

static uint64_t draw(struct run *r, uint64_t below)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (z ^ z >> 31) % below;
}

#define CHECK(r, condition)                                                                        \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_msg("seed %llu, operation %d: %s", (unsigned long long)(r)->seed, (r)->op_number, \
                     #condition);                                                                  \
    } while (0)

static int tag_of(const struct track *t)
{
    return t ? atoi(t->thumbnail) : 0;
}

static struct view view_of(const struct queue *q)
{
    struct view v = { .now = tag_of(q->now) };
    for (int list = 0; list < QUEUE_LISTS; list++) {
        for (size_t i = 0; i < q->list[list].count; i++)
            v.tags[list][v.count[list]++] = tag_of(q->list[list].at[i]);
    }
    v.has_place = queue_playing(q, &v.place);
    return v;
}

static bool has_tag(const struct view *v, int tag)
{
    for (int list = 0; list < QUEUE_LISTS; list++) {
        for (size_t i = 0; i < v->count[list]; i++) {
            if (v->tags[list][i] == tag)
                return true;
        }
    }
    return false;
}

static bool same_view(const struct view *a, const struct view *b)
{
    return a->now == b->now && memcmp(a->tags, b->tags, sizeof(a->tags)) == 0 &&
           memcmp(a->count, b->count, sizeof(a->count)) == 0;
}

static struct track *random_track(struct run *r, bool is_foreign)
{
    struct track *t = track_create();
    char text[64];
    snprintf(text, sizeof(text), "%d", ++r->last_tag);
    track_set(&t->thumbnail, text);
    snprintf(text, sizeof(text), "song-%d", (int)draw(r, SONGS));
    track_set(&t->video_id, text);
    snprintf(text, sizeof(text), "2025-10-16T06:05:%d.410Z", r->last_tag);
    if (is_foreign) {
        track_set(&t->id, "unique()");
        track_set(&t->requested_at, text);
    } else if (draw(r, 2)) {
        track_set(&t->requested_at, text);
    }
    return t;
}

static struct track *random_entry(struct run *r)
{
    size_t total = r->q.list[0].count + r->q.list[1].count;
    if (total == 0)
        return NULL;
    size_t n = (size_t)draw(r, total);
    return n < r->q.list[0].count ? r->q.list[0].at[n] : r->q.list[1].at[n - r->q.list[0].count];
}

/* The track an operation shall name: mostly one that is there. The caller destroys it. */
static struct track *random_named(struct run *r)
{
    const struct track *t = random_entry(r);
    uint64_t how = draw(r, 20);
    if (how < 3 && r->gone[how])
        t = r->gone[draw(r, GONE_COUNT)];
    else if (how < 8 && r->q.now)
        t = r->q.now;
    return t ? track_copy(t) : random_track(r, true);
}

static struct queue_op random_op(struct run *r, struct track *named)
{
    static const char *const reasons[] = { "no such file", "broken", NULL, "" };
    struct queue_op op = {
        .kind = (enum queue_op_kind)draw(r, OP_KINDS),
        .entry = entry_ref_of(named),
        .at_front = draw(r, 4) == 0,
        .all_lists = draw(r, 2),
        .list = (enum queue_list)draw(r, QUEUE_LISTS),
        .index = (size_t)draw(r, LIST_LIMIT + 2),
        .seed = draw(r, UINT64_MAX),
        .reason = reasons[draw(r, ARRAY_LEN(reasons))],
    };
    if (op.kind == OP_CLEAR && draw(r, 10)) /* seldom, or the queue is always short */
        op.kind = OP_ADD;
    if (op.kind == OP_REMOVE && draw(r, 3))
        op.kind = OP_ADD;
    return op;
}

/* What other writers do to the document between our operations. */
static void interfere(struct run *r)
{
    enum queue_list list = (enum queue_list)draw(r, QUEUE_LISTS);
    struct entry_place place;
    char text[64];
    switch (draw(r, 40)) {
    case 0:
        if (r->q.list[list].count < LIST_LIMIT)
            track_list_append(&r->q.list[list], random_track(r, true));
        break;
    case 1: /* a web player re-makes nowPlaying */
        if (!queue_playing(&r->q, &place))
            break;
        snprintf(text, sizeof(text), "current_%d", r->op_number);
        track_set(&r->q.now->id, text);
        track_set(&r->q.now->requested_at, text);
        break;
    case 2: r->q.loops = draw(r, 4) != 0; break;
    default: break;
    }
}

/* Who may be missing afterwards: only whom the rule names. */
static bool may_leave(const struct queue *before, const struct view *was, const struct queue_op *op,
                      int named, int list, size_t i)
{
    bool plays = was->has_place && (int)was->place.list == list && was->place.index == i;
    bool leaves_at_end = plays && (list == QUEUE_REQUESTS || !before->loops);
    switch (op->kind) {
    case OP_START:
    case OP_END:
    case OP_SKIP:
    case OP_PLAY_NOW: return leaves_at_end;
    case OP_REMOVE: return was->tags[list][i] == named;
    case OP_CLEAR: return op->all_lists || (int)op->list == list;
    default: return false;
    }
}

static void check_nothing_lost(struct run *r, const struct queue *before, const struct view *was,
                               const struct view *is, const struct queue_op *op, int named)
{
    for (int list = 0; list < QUEUE_LISTS; list++) {
        for (size_t i = 0; i < was->count[list]; i++) {
            if (!has_tag(is, was->tags[list][i]))
                CHECK(r, may_leave(before, was, op, named, list, i));
        }
        for (size_t i = 0; i < is->count[list]; i++) {
            int tag = is->tags[list][i];
            for (size_t k = 0; k < i; k++)
                CHECK(r, is->tags[list][k] != tag);
            if (list == QUEUE_MAIN) {
                for (size_t k = 0; k < is->count[QUEUE_REQUESTS]; k++)
                    CHECK(r, is->tags[QUEUE_REQUESTS][k] != tag);
            }
            if (!has_tag(was, tag))
                CHECK(r, op->kind == OP_ADD && tag == tag_of(op->track));
        }
    }
}

/* Entries but `a` and `b` come in the same order as before. */
static bool same_order_but(const struct view *was, const struct view *is, int list, int a, int b)
{
    size_t k = 0;
    for (size_t i = 0; i < was->count[list]; i++) {
        int tag = was->tags[list][i];
        if (tag == a || tag == b || !has_tag(is, tag))
            continue;
        while (k < is->count[list] && (is->tags[list][k] == a || is->tags[list][k] == b))
            k++;
        if (k == is->count[list] || is->tags[list][k++] != tag)
            return false;
    }
    return true;
}

static void check_rotation(struct run *r, const struct queue *before, const struct view *was,
                           const struct view *is)
{
    bool is_main = was->has_place && was->place.list == QUEUE_MAIN;
    size_t n = was->count[QUEUE_MAIN];
    CHECK(r, is->now == 0);
    CHECK(r, same_order_but(was, is, QUEUE_REQUESTS, 0, 0));
    CHECK(r, same_order_but(was, is, QUEUE_MAIN, is_main ? was->now : 0, 0));
    if (is_main && before->loops) {
        CHECK(r, is->count[QUEUE_MAIN] == n);
        CHECK(r, is->tags[QUEUE_MAIN][n - 1] == was->now);
    } else {
        CHECK(r, is->count[QUEUE_MAIN] == n - is_main);
    }
    if (was->has_place)
        CHECK(r, has_tag(is, was->now) == (is_main && before->loops));
}

static void check_rule(struct run *r, const struct queue *before, const struct queue_op *op,
                       int ret, int named)
{
    struct view was = view_of(before), is = view_of(&r->q);
    check_nothing_lost(r, before, &was, &is, op, named);
    if (op->kind == OP_START && ret >= 0)
        CHECK(r, is.now == named);
    if ((op->kind == OP_END || op->kind == OP_SKIP) && ret == 0)
        check_rotation(r, before, &was, &is);
    bool is_old_copy = strncmp(op->entry.id, "current_", 8) == 0; /* names only what plays */
    if (op->kind == OP_REMOVE && (ret == 0 || !is_old_copy))
        CHECK(r, !has_tag(&is, named));
    if (op->kind == OP_MOVE || op->kind == OP_PROMOTE || op->kind == OP_ADD) {
        CHECK(r, same_order_but(&was, &is, QUEUE_MAIN, named, 0));
        CHECK(r, same_order_but(&was, &is, QUEUE_REQUESTS, named, 0));
    }
    if (op->kind == OP_NAME)
        CHECK(r, same_view(&was, &is));
    if (op->kind == OP_SHUFFLE || op->kind == OP_MARK_UNPLAYABLE)
        CHECK(r, same_order_but(&was, &is, QUEUE_REQUESTS, 0, 0));
    if (op->kind != OP_START && op->kind != OP_PLAY_NOW && op->kind != OP_END &&
        op->kind != OP_SKIP && op->kind != OP_REMOVE)
        CHECK(r, is.now == was.now); /* what plays goes on */
    if (ret != 0)
        CHECK(r, same_view(&was, &is));
}

/* Whoever marks what comes next, again and again, has soon marked them all; also where nothing tells entries of a
 * song apart. */
static void check_marks_lead_on(struct run *r, bool has_names)
{
    struct queue q;
    struct entry_place next;
    queue_copy(&q, &r->q);
    for (int list = 0; list < QUEUE_LISTS && !has_names; list++)
        for (size_t i = 0; i < q.list[list].count; i++) {
            struct track *t = track_list_take(&q.list[list], i);
            track_set(&t->id, "unique()");
            track_set(&t->requested_at, NULL);
            track_list_insert(&q.list[list], i, t);
        }
    size_t rounds = q.list[QUEUE_MAIN].count + q.list[QUEUE_REQUESTS].count;
    for (; queue_next(&q, &next); rounds--) {
        CHECK(r, rounds > 0);
        queue_apply(&q, &(struct queue_op){ .kind = OP_MARK_UNPLAYABLE,
                                            .entry = entry_ref_of(queue_at(&q, next)),
                                            .reason = "broken" });
    }
    queue_finish(&q);
}

static void check_shape(struct run *r)
{
    const struct queue *q = &r->q;
    struct view v = view_of(q);
    if (v.has_place) {
        CHECK(r, v.place.index == 0);
        CHECK(r, v.tags[v.place.list][0] == v.now);
    }
    size_t asked_for = 0, requests_waiting = 0;
    uint64_t keys[QUEUE_LISTS * LIST_MAX], at_once[LIST_MAX];
    size_t n = 0;
    for (int list = 0; list < QUEUE_LISTS; list++) {
        size_t chars = 2;
        queue_keys(q, (enum queue_list)list, at_once);
        for (size_t i = 0; i < q->list[list].count; i++) {
            const struct track *t = q->list[list].at[i];
            bool plays = v.has_place && (int)v.place.list == list && i == 0;
            CHECK(r, (t->status == TRACK_PLAYING) == plays);
            asked_for += t->plays_next;
            requests_waiting += list == QUEUE_REQUESTS && !plays && !*t->unplayable;
            chars += track_json_chars(t) + 1;
            keys[n++] = entry_key(q, t);
            CHECK(r, at_once[i] == keys[n - 1]);
            for (size_t k = 0; k + 1 < n; k++)
                CHECK(r, keys[k] != keys[n - 1]);
        }
        CHECK(r, track_list_json_chars(&q->list[list]) == chars);
    }
    CHECK(r, asked_for <= 1);
    struct entry_place next;
    if (requests_waiting && asked_for == 0) {
        CHECK(r, queue_next(q, &next));
        CHECK(r, next.list == QUEUE_REQUESTS);
    }
}

/* What was announced is what is heard when nobody changes anything. */
static void check_upcoming(struct run *r)
{
    int announced[LOOK_AHEAD] = { 0 };
    struct entry_place place;
    for (size_t i = 0; i < LOOK_AHEAD && queue_upcoming(&r->q, i, &place); i++)
        announced[i] = tag_of(queue_at(&r->q, place));
    struct queue q;
    queue_copy(&q, &r->q);
    for (size_t i = 0; i < LOOK_AHEAD; i++) {
        if (q.now) {
            struct queue_op end = { OP_END, .entry = entry_ref_of(q.now) };
            CHECK(r, queue_apply(&q, &end) == 0);
        }
        int heard = 0;
        if (queue_next(&q, &place)) {
            struct queue_op start = { OP_START, .entry = entry_ref_of(queue_at(&q, place)) };
            CHECK(r, queue_apply(&q, &start) == 0);
            heard = tag_of(q.now);
        }
        CHECK(r, heard == announced[i]);
    }
    queue_finish(&q);
}

static bool same_tracks(const struct queue *a, const struct queue *b)
{
    for (int list = 0; list < QUEUE_LISTS; list++) {
        for (size_t i = 0; i < a->list[list].count; i++) {
            const struct track *x = a->list[list].at[i], *y = b->list[list].at[i];
            if (strcmp(x->id, y->id) != 0 || strcmp(x->unplayable, y->unplayable) != 0 ||
                strcmp(x->title, y->title) != 0 || x->status != y->status ||
                x->plays_next != y->plays_next || x->is_request != y->is_request)
                return false;
        }
    }
    return a->loops == b->loops;
}

static void check_twice_is_once(struct run *r, const struct queue_op *op, int first_ret)
{
    struct queue once;
    queue_copy(&once, &r->q);
    int ret = queue_apply(&r->q, op);
    struct view a = view_of(&once), b = view_of(&r->q);
    CHECK(r, same_view(&a, &b));
    CHECK(r, same_tracks(&once, &r->q));
    CHECK(r, ret != 0 || op->kind == OP_MARK_UNPLAYABLE);
    if (first_ret != 0)
        CHECK(r, ret == first_ret);
    queue_finish(&once);
}

static void remember_gone(struct run *r, const struct track *named)
{
    struct track **slot = &r->gone[draw(r, GONE_COUNT)];
    track_destroy(*slot);
    *slot = track_copy(named);
}

static void step(struct run *r)
{
    interfere(r);
    struct track *named = random_named(r);
    struct queue_op op = random_op(r, named);
    struct track *added = NULL;
    int tag = tag_of(named);
    if (op.kind == OP_ADD) {
        if (r->q.list[QUEUE_MAIN].count >= LIST_LIMIT ||
            r->q.list[QUEUE_REQUESTS].count >= LIST_LIMIT)
            op.kind = OP_SKIP;
        /* Now and then one that is there already, or was. */
        added = draw(r, 10) || !track_id_is_identity(named->id) ? random_track(r, false)
                                                                : track_copy(named);
        track_ensure_id(added, op.seed);
        op.track = added;
        tag = tag_of(added);
    }
    if (op.kind == OP_NAME) {
        char title[32];
        added = track_copy(named);
        snprintf(title, sizeof(title), "Title %d", r->op_number);
        track_set(&added->title, title);
        op.track = added;
    }
    struct queue before;
    queue_copy(&before, &r->q);
    int ret = queue_apply(&r->q, &op);
    CHECK(r, ret == 0 || ret == 1 || ret == -ENOENT);
    r->kinds_done[op.kind] += ret == 0;
    check_rule(r, &before, &op, ret, tag);
    check_twice_is_once(r, &op, ret);
    check_shape(r);
    if (r->op_number % 8 == 0)
        check_marks_lead_on(r, r->op_number % 16 == 0);
    if (r->op_number % 4 == 0)
        check_upcoming(r);
    if (op.kind == OP_REMOVE || op.kind == OP_END)
        remember_gone(r, named);
    queue_finish(&before);
    track_destroy(named);
    track_destroy(added);
}

static void random_operations_never_break_the_queue(void **state)
{
    struct run r = { .seed = *(uint64_t *)*state };
    r.state = r.seed;
    queue_init(&r.q);
    for (r.op_number = 0; r.op_number < OPERATIONS; r.op_number++)
        step(&r);
    for (int kind = 0; kind < OP_KINDS; kind++) /* the test tried everything */
        CHECK(&r, r.kinds_done[kind] > OPERATIONS / 1000);
    queue_finish(&r.q);
    for (size_t i = 0; i < GONE_COUNT; i++)
        track_destroy(r.gone[i]);
}

int main(int argc, char **argv)
{
    uint64_t seed = 1;
    const char *given = argc > 1 ? argv[1] : getenv("DJAMMS_TEST_SEED");
    if (given)
        seed = strtoull(given, NULL, 10);
    else if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
        seed = 1;
    printf("seed %llu\n", (unsigned long long)seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(random_operations_never_break_the_queue, &seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
