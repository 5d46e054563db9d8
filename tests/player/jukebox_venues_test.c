/* Thousands of evenings in simulated bars: people, bad files, and every process dying at any point. The
 * seed of each venue is printed when something is wrong; DJAMMS_VENUE=SEED plays that one only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "player/fake_house.c"

#if defined(__SANITIZE_THREAD__)
#define VENUES 150 /* the checkers are slow */
#elif defined(__SANITIZE_ADDRESS__)
#define VENUES 500
#else
#define VENUES 2000
#endif
#define EVENTS     200
#define KNOWN_MAX  400
#define QUEUE_WISH 14

static const struct fake_file files[] = {
    { "/m/a.mp4", FILE_OK, 60, 8000 },          { "/m/b.mp4", FILE_OK, 120, 3000 },
    { "/m/c.mp4", FILE_OK, 300, 20000 },        { "/m/d.mp4", FILE_OK, 20, 700 },
    { "/m/e.mp4", FILE_OK, 900, 5000 },         { "/m/tiny.mp4", FILE_OK, 20, 40 },
    { "/m/cut.mp4", FILE_TRUNCATED, 80, 2500 }, { "/m/stub.mp4", FILE_TRUNCATED, 80, 300 },
    { "/m/bad.mp4", FILE_BAD, 50, 0 },          { "/m/hang.mp4", FILE_HANGS, 50, 0 },
    { "/m/mute.mp4", FILE_MUTE, 50, 0 },        { "/m/crash.mp4", FILE_CRASHES, 150, 0 },
    { "/m/gone.mp4", FILE_BAD, 0, 0 },          { "/m/empty.mp4", FILE_EMPTY, 50, 40 },
    { "/m/far.mp4", FILE_OK, 2000, 5000 },      { NULL },
};

/* What the test knows of an entry that it added. */
struct known {
    char id[40];
    bool is_saved;     /* the addition was acknowledged */
    bool may_be_gone;  /* removed, cleared, or a request that may have been played */
    bool must_be_gone; /* its removal was acknowledged */
    bool was_removed;
};

struct venue {
    struct fake_house house;
    uint64_t random, seed;
    struct known known[KNOWN_MAX];
    size_t known_count;
};

static uint32_t roll(struct venue *v, uint32_t sides)
{
    v->random ^= v->random << 13;
    v->random ^= v->random >> 7;
    v->random ^= v->random << 17;
    return (uint32_t)(v->random >> 33) % sides;
}

#define CHECK(v, what)                                                                             \
    do {                                                                                           \
        if (!(what)) {                                                                             \
            fprintf(stderr, "venue %llu: %s\n", (unsigned long long)(v)->seed, #what);             \
            fail();                                                                                \
        }                                                                                          \
    } while (0)

static const struct queue *queue(const struct venue *v)
{
    return jukebox_queue(v->house.jukebox);
}

/* ---- what is acknowledged is kept ------------------------------------------------------------- */

static bool is_there(const struct venue *v, const char *id)
{
    for (int l = 0; l < QUEUE_LISTS; l++)
        for (size_t i = 0; i < queue(v)->list[l].count; i++)
            if (strcmp(queue(v)->list[l].at[i]->id, id) == 0)
                return true;
    return false;
}

static void acknowledge(struct venue *v)
{
    house_save(&v->house);
    for (size_t i = 0; i < v->known_count; i++) {
        v->known[i].is_saved = true;
        v->known[i].must_be_gone |= v->known[i].was_removed;
    }
}

static void check_nothing_is_lost(struct venue *v)
{
    for (size_t i = 0; i < v->known_count; i++) {
        const struct known *k = &v->known[i];
        CHECK(v, !k->is_saved || k->may_be_gone || is_there(v, k->id));
        CHECK(v, !k->must_be_gone || !is_there(v, k->id));
    }
}

/* What was not saved when the brain died may be there or not. */
static void forget_unsaved(struct venue *v)
{
    size_t kept = 0;
    for (size_t i = 0; i < v->known_count; i++) {
        struct known k = v->known[i];
        k.was_removed = k.must_be_gone;
        if (k.is_saved)
            v->known[kept++] = k;
    }
    v->known_count = kept;
}

/* ---- events ----------------------------------------------------------------------------------- */

static void do_add(struct venue *v)
{
    size_t total = queue(v)->list[QUEUE_MAIN].count + queue(v)->list[QUEUE_REQUESTS].count;
    if (total >= QUEUE_WISH || v->known_count == KNOWN_MAX)
        return;
    const char *path = files[roll(v, ARRAY_LEN(files) - 1)].path;
    bool is_request = roll(v, 3) == 0;
    uint64_t key = is_request ? house_request(&v->house, path) : house_add(&v->house, path);
    struct entry_place place;
    if (!key || !queue_find_key(queue(v), key, &place))
        return;
    struct known *k = &v->known[v->known_count++];
    *k = (struct known){ .may_be_gone = is_request };
    snprintf(k->id, sizeof(k->id), "%s", queue_at(queue(v), place)->id);
}

static uint64_t any_entry(struct venue *v)
{
    const struct track_list *list = &queue(v)->list[roll(v, 2)];
    return list->count ? entry_key(queue(v), list->at[roll(v, (uint32_t)list->count)]) : 0;
}

static void do_remove(struct venue *v)
{
    uint64_t key = any_entry(v);
    struct entry_place place;
    if (!key || !queue_find_key(queue(v), key, &place))
        return;
    char id[64];
    snprintf(id, sizeof(id), "%s", queue_at(queue(v), place)->id);
    house_apply(&v->house, OP_REMOVE, key);
    for (size_t i = 0; i < v->known_count; i++)
        if (strcmp(v->known[i].id, id) == 0)
            v->known[i].may_be_gone = v->known[i].was_removed = true;
}

static void do_clear(struct venue *v)
{
    struct queue_op op = { .kind = OP_CLEAR, .all_lists = true };
    jukebox_apply(v->house.jukebox, &op);
    house_brain_turn(&v->house);
    for (size_t i = 0; i < v->known_count; i++)
        v->known[i].may_be_gone = v->known[i].was_removed = true;
}

static void do_on_entry(struct venue *v, enum queue_op_kind kind)
{
    uint64_t key = any_entry(v);
    if (key)
        house_apply(&v->house, kind, key);
}

/* A skip leaves exactly the entry that played, and starts what the queue says is next. */
static void do_skip(struct venue *v)
{
    house_brain_turn(&v->house);
    struct entry_place place;
    bool has_next = queue_next(queue(v), &place);
    uint64_t next = has_next ? entry_key(queue(v), queue_at(queue(v), place)) : 0;
    bool plays = queue(v)->now != NULL;
    const struct play_clock *c = &v->house.clock;
    bool passes_on = false; /* the next is mixed, not heard yet: the skip means that one */
    for (uint32_t i = 0; i < c->span_count; i++)
        passes_on |= c->span[i].load && c->span[i].load == v->house.plan.next.load;
    struct queue_op op = { .kind = OP_SKIP };
    int ret = jukebox_apply(v->house.jukebox, &op);
    CHECK(v, passes_on || ret == (plays ? 0 : 1));
    if (plays && !passes_on) {
        uint64_t now = queue(v)->now ? entry_key(queue(v), queue(v)->now) : 0;
        CHECK(v, now == next);
    }
    house_brain_turn(&v->house);
}

static void restart_brain(struct venue *v)
{
    house_kill_brain(&v->house);
    house_run(&v->house, 20 * roll(v, 40));
    house_start_brain(&v->house);
    forget_unsaved(v);
    check_nothing_is_lost(v);
}

static void cut_power(struct venue *v)
{
    house_power_cut(&v->house);
    forget_unsaved(v);
    check_nothing_is_lost(v);
}

static void do_event(struct venue *v)
{
    struct fake_house *h = &v->house;
    uint32_t n = roll(v, 100);
    if (n < 25)
        do_add(v);
    else if (n < 40)
        do_skip(v);
    else if (n < 46)
        do_remove(v);
    else if (n < 50)
        do_on_entry(v, OP_PLAY_NOW);
    else if (n < 54)
        do_on_entry(v, OP_PROMOTE);
    else if (n < 56)
        house_apply(h, OP_SHUFFLE, 0);
    else if (n < 57)
        do_clear(v);
    else if (n < 63)
        jukebox_seek(h->jukebox, MS(roll(v, 9000)));
    else if (n < 67)
        jukebox_set_paused(h->jukebox, roll(v, 3) == 0);
    else if (n < 74)
        house_kill_deck(h, roll(v, 2));
    else if (n < 79)
        house_kill_stage(h);
    else if (n < 84)
        restart_brain(v);
    else if (n < 85)
        cut_power(v);
    else
        house_run(h, 20 * roll(v, 200));
    if (roll(v, 4) == 0)
        acknowledge(v);
}

/* ---- in peace, something plays ---------------------------------------------------------------- */

static bool has_playable(const struct venue *v)
{
    for (int l = 0; l < QUEUE_LISTS; l++)
        for (size_t i = 0; i < queue(v)->list[l].count; i++)
            if (!queue(v)->list[l].at[i]->unplayable[0])
                return true;
    return queue(v)->now != NULL;
}

/* Each bad entry may cost a few deck lives; then what the queue says plays is what is heard. */
static void check_it_plays(struct venue *v)
{
    jukebox_set_paused(v->house.jukebox, false);
    bool plays = false;
    for (int i = 0; i < 120 && !plays && has_playable(v); i++)
        plays = house_run_until_playing(&v->house, 1000);
    CHECK(v, plays || !has_playable(v));
    if (!has_playable(v))
        CHECK(v, jukebox_state(v->house.jukebox) == JUKEBOX_IDLE);
}

/* Whether something is not known yet to be what nobody can open. */
static bool has_unfound(const struct venue *v)
{
    for (int l = 0; l < QUEUE_LISTS; l++)
        for (size_t i = 0; i < queue(v)->list[l].count; i++) {
            const struct track *t = queue(v)->list[l].at[i];
            if (file_at(&v->house, t->source)->kind == FILE_HANGS && !t->unplayable[0])
                return true;
        }
    return false;
}

/* Left alone, without bad entries, each track follows the one the queue says, without a gap. */
static void check_order_in_peace(struct venue *v)
{
    check_it_plays(v);
    house_run(&v->house,
              40000); /* what is bad is found by then, but what is tried once in a track */
    for (int i = 0; i < 20 && has_unfound(v); i++)
        house_run(&v->house, 40000);
    CHECK(v, !has_unfound(v));
    uint64_t expected = 0;
    uint64_t now = queue(v)->now ? entry_key(queue(v), queue(v)->now) : 0;
    for (int i = 0; i < 1000 && now; i++) {
        struct entry_place place;
        uint64_t committed = v->house.plan.next.entry;
        expected =
            queue_next(queue(v), &place) ? entry_key(queue(v), queue_at(queue(v), place)) : 0;
        house_tick(&v->house);
        uint64_t then = queue(v)->now ? entry_key(queue(v), queue(v)->now) : 0;
        CHECK(v, then == now || then == expected || then == committed);
        now = then;
    }
}

static void play_venue(uint64_t seed)
{
    static const struct jukebox_settings settings[] = {
        { .autostarts = true, .loops = true },
        { .autostarts = true, .loops = false },
    };
    struct venue *v = calloc(1, sizeof(*v));
    assert_non_null(v);
    v->seed = seed;
    v->random = seed * 0x9e3779b97f4a7c15u + 1;
    bool loops = roll(v, 4) != 0;
    house_open(&v->house, files, &settings[loops ? 0 : 1]);
    v->house.venue = seed;
    for (int i = 0; i < EVENTS; i++) {
        do_event(v);
        if (!loops) /* what was played has left */
            for (size_t k = 0; k < v->known_count; k++)
                v->known[k].may_be_gone = true;
        house_run(&v->house, 20 * roll(v, 6));
        check_nothing_is_lost(v);
    }
    check_order_in_peace(v);
    house_close(&v->house);
    free(v);
}

static void in_every_venue_something_plays_and_nothing_is_lost(void **state)
{
    const char *one = getenv("DJAMMS_VENUE");
    uint64_t first = one ? strtoull(one, NULL, 10) : 1;
    uint64_t last = one ? first : VENUES;
    for (uint64_t seed = first; seed <= last; seed++)
        play_venue(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_every_venue_something_plays_and_nothing_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
