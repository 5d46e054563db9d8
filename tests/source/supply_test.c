/* The rules of the manager, one by one, on a clock that the test turns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "source/supply.h"

#define KEPT 64

struct taken {
    struct supply_action a;
    char key[16], class[SUPPLY_CLASS_MAX];
};

struct bar {
    struct supply *s;
    int64_t now_ns;
    struct taken took[KEPT]; /* since the last begin() */
    size_t count;
};

static int setup(void **state)
{
    struct bar *b = xcalloc(1, sizeof(*b));
    b->now_ns = SECONDS(1000);
    b->s = supply_create(7, b->now_ns);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bar *b = *state;
    supply_destroy(b->s);
    free(b);
    return 0;
}

/* ---- what is done with it ------------------------------------------------------------------------------------ */

static void take(struct bar *b)
{
    struct supply_action a;
    while (supply_next_action(b->s, &a)) {
        assert_true(b->count < KEPT);
        struct taken *t = &b->took[b->count++];
        t->a = a;
        snprintf(t->key, sizeof(t->key), "%s", a.key);
        snprintf(t->class, sizeof(t->class), "%s", a.class);
    }
    assert_true(supply_deadline_ns(b->s) > b->now_ns);
}

/* The newest action of that kind for the key, taken out; NULL: none. Lives until the next call. */
static const struct taken *took(struct bar *b, enum supply_action_kind kind, const char *key)
{
    static _Thread_local struct taken found;
    for (size_t i = b->count; i-- > 0;) {
        if (b->took[i].a.kind != kind || (key && strcmp(b->took[i].key, key) != 0))
            continue;
        found = b->took[i];
        memmove(&b->took[i], &b->took[i + 1], (--b->count - i) * sizeof(*b->took));
        return &found;
    }
    return NULL;
}

static void wait_s(struct bar *b, double seconds)
{
    b->now_ns += (int64_t)(seconds * 1e9);
    supply_time(b->s, b->now_ns);
    take(b);
}

/* "A b c* d+": one letter a song of 200 s; a capital is a request, the first with '>' plays; '*' is metered, '+' spare and
 * metered, and a '?' behind these has no names yet. `in_s` is until the second is needed. */
static void queue(struct bar *b, const char *text, double in_s)
{
    struct supply_wanted at[16];
    static const char *const keys = "abcdefghijklmnopqrstuvwxyz";
    static _Thread_local char key[26][2];
    size_t n = 0;
    double turn_s = in_s;
    for (; *text; text++) {
        bool plays = *text == '>';
        text += plays;
        const char *lower = strchr(keys, *text | 0x20);
        if (*text == ' ')
            continue;
        snprintf(key[lower - keys], 2, "%c", *lower);
        bool is_spare = text[1] == '+', is_metered = text[1] == '*' || is_spare;
        at[n++] = (struct supply_wanted){
            .key = key[lower - keys],
            .source = 1,
            .is_request = *text < 'a',
            .is_playing = plays,
            .is_metered = is_metered,
            .is_spare = is_spare,
            .wants_name = text[is_metered ? 2 : 1] == '?',
            .duration_s = 200,
            .needed_ns = plays      ? b->now_ns
                         : is_spare ? NO_TIME
                                    : b->now_ns + (int64_t)(turn_s * 1e9),
        };
        turn_s += plays ? 0 : 200;
        text += is_metered;
        text += text[1] == '?';
    }
    supply_queue(b->s, at, n, b->now_ns);
    take(b);
}

static void done(struct bar *b, const struct taken *t, const struct supply_result *r)
{
    assert_non_null(t);
    supply_done(b->s, t->a.id, r, b->now_ns);
    take(b);
}

static void succeed(struct bar *b, enum supply_action_kind kind, const char *key)
{
    done(b, took(b, kind, key),
         &(struct supply_result){ .outcome = SUPPLY_OK, .bytes = 50000000, .can_grow = true });
}

static void fail_with(struct bar *b, enum supply_action_kind kind, const char *key,
                      const struct supply_failure *f)
{
    done(b, took(b, kind, key),
         &(struct supply_result){ .outcome = SUPPLY_FAILURE, .failure = *f });
}

/* The cache has none of them. */
static void miss_all(struct bar *b)
{
    for (const struct taken *t; (t = took(b, SUPPLY_LOOK, NULL));)
        done(b, t, &(struct supply_result){ .outcome = SUPPLY_ABSENT });
}

static enum supply_state state_of(const struct bar *b, const char *key)
{
    struct supply_status st;
    assert_true(supply_status(b->s, key, &st));
    return st.state;
}

static void have(struct bar *b, const char *key)
{
    succeed(b, SUPPLY_RESOLVE, key);
    succeed(b, SUPPLY_FETCH, key);
    succeed(b, SUPPLY_CHECK, key);
    succeed(b, SUPPLY_PUBLISH, key);
    assert_int_equal(state_of(b, key), SUPPLY_READY);
}

static void progress(struct bar *b, uint64_t id, uint64_t bytes, double in_hand_s)
{
    supply_progress(b->s, id, bytes, in_hand_s, b->now_ns);
    take(b);
}

/* ---- what is fetched ------------------------------------------------------------------------------------------ */

static void the_next_three_and_every_request_are_looked_up_and_fetched_in_order(void **state)
{
    struct bar *b = *state;
    queue(b, ">a b c d e f G", 600);
    for (const char *k = "abcdg"; *k; k++)
        assert_int_equal(state_of(b, (char[]){ *k, '\0' }), SUPPLY_NEW);
    assert_null(took(b, SUPPLY_LOOK, "e"));
    assert_null(took(b, SUPPLY_LOOK, "f"));
    done(b, took(b, SUPPLY_LOOK, "a"), &(struct supply_result){ .outcome = SUPPLY_OK });
    done(b, took(b, SUPPLY_LOOK, "c"), &(struct supply_result){ .outcome = SUPPLY_OK });
    assert_int_equal(state_of(b, "c"), SUPPLY_READY);
    miss_all(b);
    assert_int_equal(state_of(b, "b"), SUPPLY_RESOLVING);
    assert_int_equal(state_of(b, "d"), SUPPLY_NEW); /* one at a time */
    have(b, "b");
    have(b, "d");
    have(b, "g");
    assert_null(took(b, SUPPLY_RESOLVE, NULL));
    queue(b, ">b c d e f G", 600);
    assert_non_null(took(b, SUPPLY_LOOK, "e"));
}

static void what_is_spare_is_fetched_when_there_is_nothing_else_to_do(void **state)
{
    struct bar *b = *state;
    queue(b, ">a b c d e m+ n+", 600);
    miss_all(b);
    for (const char *k = "abcd"; *k; k++) /* what is near comes first */
        have(b, (char[]){ *k, '\0' });
    assert_null(took(b, SUPPLY_LOOK, "e"));
    wait_s(b, 10);
    have(b, "m");
    wait_s(b, 10);
    assert_int_equal(state_of(b, "n"), SUPPLY_RESOLVING);
    succeed(b, SUPPLY_RESOLVE, "n");
    queue(b, ">a F b c d e n+", 30); /* somebody asks for one that is needed */
    miss_all(b);
    assert_non_null(took(b, SUPPLY_CANCEL, "n"));
    wait_s(b, 7200);
    assert_int_not_equal(state_of(b, "n"), SUPPLY_FAILED); /* it is never late */
}

/* Otherwise those that people ask for would wait. */
static void for_what_is_spare_a_source_is_asked_half_as_often(void **state)
{
    struct bar *b = *state;
    const struct supply_failure stale = { "URL_403", SUPPLY_ANEW };
    int64_t began_ns = b->now_ns;
    int asked = 0;
    queue(b, "m+", 100000);
    miss_all(b);
    while (b->now_ns - began_ns < SECONDS(3590)) {
        wait_s(b, 9);
        const struct taken *t = took(b, SUPPLY_RESOLVE, NULL);
        if (!t)
            continue;
        asked++;
        done(b, t, &(struct supply_result){ SUPPLY_FAILURE, stale });
        supply_retry(b->s, NULL, b->now_ns);
        take(b);
        miss_all(b);
    }
    assert_int_equal(asked, 30);
    queue(b, "a* m+", 1);
    miss_all(b);
    assert_non_null(took(b, SUPPLY_RESOLVE, "a"));
}

static void nothing_is_ready_before_it_is_checked_and_in_the_cache(void **state)
{
    struct bar *b = *state;
    queue(b, "a", 600);
    miss_all(b);
    succeed(b, SUPPLY_RESOLVE, "a");
    assert_int_equal(state_of(b, "a"), SUPPLY_FETCHING);
    succeed(b, SUPPLY_FETCH, "a");
    assert_int_equal(state_of(b, "a"), SUPPLY_CHECKING);
    succeed(b, SUPPLY_CHECK, "a");
    assert_int_equal(state_of(b, "a"), SUPPLY_CHECKING);
    assert_null(took(b, SUPPLY_HAVE, "a"));
    succeed(b, SUPPLY_PUBLISH, "a");
    assert_int_equal(state_of(b, "a"), SUPPLY_READY);
    assert_non_null(took(b, SUPPLY_HAVE, "a"));
    supply_lost(b->s, "a", b->now_ns);
    take(b);
    assert_non_null(took(b, SUPPLY_LOOK, "a"));
}

static void a_check_that_fails_begins_from_nothing(void **state)
{
    struct bar *b = *state;
    queue(b, "a", 600);
    miss_all(b);
    succeed(b, SUPPLY_RESOLVE, "a");
    assert_false(took(b, SUPPLY_FETCH, "a")->a.discards);
    queue(b, "a", 600);
    supply_done(b->s, 2, &(struct supply_result){ .outcome = SUPPLY_OK },
                b->now_ns); /* an old id */
    take(b);
    supply_done(b->s, 3, &(struct supply_result){ .outcome = SUPPLY_OK }, b->now_ns);
    take(b);
    fail_with(b, SUPPLY_CHECK, "a",
              &(struct supply_failure){ "TRUNCATED", SUPPLY_AGAIN, .spoils_partial = true });
    assert_int_equal(state_of(b, "a"), SUPPLY_WAITING);
    wait_s(b, 2);
    succeed(b, SUPPLY_RESOLVE, "a");
    assert_true(took(b, SUPPLY_FETCH, "a")->a.discards);
}

/* ---- failures ----------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    struct supply_failure failure;
    int64_t wait_s[8]; /* at most, after each failure; jitter takes a fifth */
} schedules[] = {
    { "transient", { "SERVER", SUPPLY_AGAIN }, { 2, 10, 60, 300, 300, 300 } },
    { "stale address", { "URL_403", SUPPLY_ANEW }, { 0, 2, 5, 15, 60, 300, 300 } },
    { "blocked", { "BOT_CHECK", SUPPLY_BLOCKED }, { 60, 300, 300, 300 } },
    { "no network", { "DNS", SUPPLY_OFFLINE }, { 2, 10, 60, 60, 60 } },
    { "told to wait", { "RATE", SUPPLY_BLOCKED, .retry_after_s = 900 }, { 900, 900 } },
};

static void each_class_has_its_schedule(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(schedules); i++) {
        struct bar *b;
        setup((void **)&b);
        queue(b, "a", 7200);
        miss_all(b);
        for (size_t k = 0; k < 8 && (k == 0 || schedules[i].wait_s[k]); k++) {
            double most = (double)schedules[i].wait_s[k];
            fail_with(b, SUPPLY_RESOLVE, "a", &schedules[i].failure);
            const struct taken *off = took(b, SUPPLY_PUT_OFF, "a");
            assert_non_null(off);
            assert_string_equal(off->class, schedules[i].failure.class);
            assert_true(off->a.until_ns - b->now_ns <= (int64_t)(most * 1e9));
            assert_true(off->a.until_ns - b->now_ns >= (int64_t)(most * 0.79e9));
            if (most > 0) {
                assert_int_equal(state_of(b, "a"), SUPPLY_WAITING);
                assert_null(took(b, SUPPLY_RESOLVE, "a"));
                wait_s(b, most * 0.79);
                assert_null(took(b, SUPPLY_RESOLVE, "a"));
                assert_true(supply_deadline_ns(b->s) <= b->now_ns + (int64_t)(most * 0.22e9));
                wait_s(b, most * 0.21);
            }
            assert_int_equal(state_of(b, "a"), SUPPLY_RESOLVING);
        }
        teardown((void **)&b);
    }
}

static void what_failed_for_good_is_said_kept_and_not_asked_for_before_its_time(void **state)
{
    struct bar *b = *state;
    queue(b, "A b", 600);
    miss_all(b);
    fail_with(b, SUPPLY_RESOLVE, "a",
              &(struct supply_failure){ "REMOVED", SUPPLY_PERMANENT, .refused_s = 5000 });
    assert_string_equal(took(b, SUPPLY_FAIL, "a")->class, "REMOVED");
    const struct taken *refuse = took(b, SUPPLY_REFUSE, "a");
    assert_int_equal(refuse->a.for_s, 5000);
    assert_string_equal(refuse->class, "REMOVED");
    assert_int_equal(state_of(b, "a"), SUPPLY_FAILED);
    assert_int_equal(state_of(b, "b"), SUPPLY_RESOLVING); /* others go on */
    queue(b, "b", 600);
    queue(b, "b A", 600); /* wanted again: the cache knows */
    done(b, took(b, SUPPLY_LOOK, "a"),
         &(struct supply_result){ SUPPLY_REFUSED, { "REMOVED", .refused_s = 4000 } });
    assert_int_equal(state_of(b, "a"), SUPPLY_FAILED);
    assert_non_null(took(b, SUPPLY_FAIL, "a"));
    assert_null(took(b, SUPPLY_REFUSE, "a"));
    wait_s(b, 3999);
    assert_int_equal(state_of(b, "a"), SUPPLY_FAILED);
    wait_s(b, 1);
    assert_non_null(took(b, SUPPLY_LOOK, "a"));
}

static void an_unknown_failure_is_permanent_after_its_attempts(void **state)
{
    struct bar *b = *state;
    const struct supply_failure unknown = { "UNKNOWN", SUPPLY_AGAIN, .attempts = 3,
                                            .refused_s = 3600 };
    queue(b, "a", 7200);
    miss_all(b);
    for (int i = 0; i < 2; i++) {
        fail_with(b, SUPPLY_RESOLVE, "a", &unknown);
        assert_int_equal(state_of(b, "a"), SUPPLY_WAITING);
        wait_s(b, 10);
    }
    fail_with(b, SUPPLY_RESOLVE, "a", &unknown);
    assert_int_equal(state_of(b, "a"), SUPPLY_FAILED);
    assert_int_equal(took(b, SUPPLY_REFUSE, "a")->a.for_s, 3600);
}

static void who_is_half_an_hour_late_is_given_up_but_hours_without_network_do_not_count(
    void **state)
{
    struct bar *b = *state;
    queue(b, "A b", 0);
    miss_all(b);
    fail_with(b, SUPPLY_RESOLVE, "a", &(struct supply_failure){ "SERVER", SUPPLY_AGAIN });
    supply_network(b->s, false, b->now_ns);
    wait_s(b, 10000);
    assert_null(took(b, SUPPLY_FAIL, "a"));
    supply_network(b->s, true, b->now_ns);
    take(b);
    for (int i = 0; i < 5; i++) { /* it is tried all the time */
        const struct taken *t = took(b, SUPPLY_RESOLVE, "a");
        if (t)
            done(b, t, &(struct supply_result){ SUPPLY_FAILURE, { "SERVER", SUPPLY_AGAIN } });
        assert_null(took(b, SUPPLY_FAIL, "a"));
        wait_s(b, 355);
    }
    const struct taken *t = took(b, SUPPLY_RESOLVE, "a");
    if (t)
        done(b, t, &(struct supply_result){ SUPPLY_FAILURE, { "SERVER", SUPPLY_AGAIN } });
    wait_s(b, 26);
    assert_string_equal(took(b, SUPPLY_FAIL, "a")->class, "SERVER");
    assert_null(took(b, SUPPLY_REFUSE, "a")); /* another evening it may be there */
}

static void only_what_was_to_come_soon_is_late_when_another_plays_first(void **state)
{
    struct bar *b = *state;
    queue(b, ">a b c d e f", 200);
    miss_all(b);
    queue(b, ">f b c d e", 200); /* it was ready, as it may happen at first */
    wait_s(b, 2000);
    queue(b, ">f b c d e", 200);
    assert_null(took(b, SUPPLY_FAIL, "e"));
    assert_non_null(took(b, SUPPLY_FAIL, "c"));
}

static void without_network_nothing_is_asked_and_with_it_everything_at_once(void **state)
{
    struct bar *b = *state;
    queue(b, "a", 600);
    miss_all(b);
    supply_network(b->s, false, b->now_ns);
    fail_with(b, SUPPLY_RESOLVE, "a", &(struct supply_failure){ "DNS", SUPPLY_OFFLINE });
    wait_s(b, 500);
    assert_null(took(b, SUPPLY_RESOLVE, "a"));
    supply_network(b->s, true, b->now_ns);
    take(b);
    assert_non_null(took(b, SUPPLY_RESOLVE, "a"));
}

static void an_open_breaker_keeps_its_source_in_peace(void **state)
{
    struct bar *b = *state;
    supply_breaker(b->s, 1, b->now_ns + SECONDS(900), b->now_ns);
    queue(b, "a", 600);
    miss_all(b);
    assert_null(took(b, SUPPLY_RESOLVE, "a"));
    assert_int_equal(supply_deadline_ns(b->s) - b->now_ns, SECONDS(540)); /* it becomes urgent */
    wait_s(b, 899);
    assert_null(took(b, SUPPLY_RESOLVE, "a"));
    supply_breaker(b->s, SUPPLY_SOURCES, b->now_ns + SECONDS(900), b->now_ns); /* the tool, too */
    wait_s(b, 10);
    assert_null(took(b, SUPPLY_RESOLVE, "a"));
    supply_breaker(b->s, SUPPLY_SOURCES, NO_TIME, b->now_ns);
    take(b);
    assert_non_null(took(b, SUPPLY_RESOLVE, "a"));
}

static void a_metered_source_is_asked_with_pauses_and_sixty_times_an_hour(void **state)
{
    struct bar *b = *state;
    const struct supply_failure stale = { "URL_403", SUPPLY_ANEW };
    int64_t began_ns = b->now_ns, last_ns = b->now_ns;
    int asked = 0;
    queue(b, "a*b*c*", 100000);
    miss_all(b);
    while (b->now_ns < began_ns + SECONDS(3600)) {
        const struct taken *t = took(b, SUPPLY_RESOLVE, NULL);
        if (t) {
            assert_true(asked == 0 || b->now_ns - last_ns >= SECONDS(5));
            last_ns = b->now_ns;
            asked++;
            done(b, t, &(struct supply_result){ SUPPLY_FAILURE, stale });
            supply_retry(b->s, NULL, b->now_ns); /* staff without patience */
            take(b);
            miss_all(b);
        }
        b->count = 0;
        b->now_ns = min_i64(supply_deadline_ns(b->s), began_ns + SECONDS(3600));
        supply_time(b->s, b->now_ns);
        struct supply_action a;
        while (supply_next_action(b->s, &a))
            if (a.kind == SUPPLY_RESOLVE) {
                b->took[0].a = a;
                b->count = 1;
            }
    }
    assert_int_equal(asked, 60);
}

/* ---- names ---------------------------------------------------------------------------------------------------- */

static void songs_without_names_are_named_one_at_a_time_wherever_they_are(void **state)
{
    struct bar *b = *state;
    queue(b, ">a b? c d e f? g? h", 3600);
    miss_all(b);
    have(b, "a");
    assert_non_null(took(b, SUPPLY_RESOLVE, "b")); /* that names it, too */
    const struct taken *t = took(b, SUPPLY_NAME, NULL);
    assert_string_equal(t->key, "f");
    assert_null(took(b, SUPPLY_NAME, NULL));
    done(b, t, &(struct supply_result){ .outcome = SUPPLY_OK, .duration_s = 100 });
    fail_with(b, SUPPLY_NAME, "g", &(struct supply_failure){ "SERVER", SUPPLY_AGAIN });
    assert_int_equal(state_of(b, "f"), SUPPLY_NEW);
    assert_int_equal(state_of(b, "g"), SUPPLY_NEW);
    wait_s(b, 1000);
    assert_null(took(b, SUPPLY_NAME, NULL)); /* once */
    assert_null(took(b, SUPPLY_RESOLVE, NULL));
}

static void what_cannot_be_had_is_said_when_it_is_to_be_named(void **state)
{
    struct bar *b = *state;
    queue(b, ">a b c d e?", 3600);
    miss_all(b);
    have(b, "a");
    fail_with(b, SUPPLY_NAME, "e",
              &(struct supply_failure){ "REMOVED", SUPPLY_PERMANENT, .refused_s = 5000 });
    assert_string_equal(took(b, SUPPLY_FAIL, "e")->class, "REMOVED");
    assert_non_null(took(b, SUPPLY_REFUSE, "e"));
    assert_int_equal(state_of(b, "e"), SUPPLY_FAILED);
}

static void nobody_waits_for_a_name(void **state)
{
    struct bar *b = *state;
    queue(b, "a b? c? d? e?", 0); /* a silent room */
    miss_all(b);
    assert_null(took(b, SUPPLY_NAME, NULL));
    succeed(b, SUPPLY_RESOLVE, "a");
    assert_null(took(b, SUPPLY_NAME, NULL));
    progress(b, took(b, SUPPLY_FETCH, "a")->a.id, 5000000, 20);
    assert_non_null(took(b, SUPPLY_START, "a"));
    queue(b, ">a b? c? d? e?", 200); /* it plays */
    const struct taken *t = took(b, SUPPLY_NAME, NULL);
    assert_string_equal(t->key, "b"); /* there is no place for its download yet */
}

static void what_is_urgent_stops_a_name_that_is_looked_for(void **state)
{
    struct bar *b = *state;
    queue(b, ">a b c d", 3600);
    miss_all(b);
    for (const char *key = "abcd"; *key; key++)
        have(b, (const char[]){ *key, '\0' });
    queue(b, ">a b c d e?", 3600);
    miss_all(b);
    uint64_t name = took(b, SUPPLY_NAME, "e")->a.id;
    queue(b, ">a Z b c d e?", 30);
    miss_all(b);
    assert_int_equal(took(b, SUPPLY_CANCEL, "e")->a.id, name);
    supply_done(b->s, name, &(struct supply_result){ .outcome = SUPPLY_CANCELLED }, b->now_ns);
    take(b);
    assert_null(took(b, SUPPLY_NAME, NULL));
    succeed(b, SUPPLY_RESOLVE, "z");
    assert_non_null(
        took(b, SUPPLY_NAME, "e")); /* beside the download, for the room is not silent */
}

static void one_that_is_named_when_its_download_may_begin_is_resolved_instead(void **state)
{
    struct bar *b = *state;
    queue(b, ">a b c?", 3600);
    miss_all(b);
    have(b, "a");
    succeed(b, SUPPLY_RESOLVE, "b");
    uint64_t name = took(b, SUPPLY_NAME, "c")->a.id;
    succeed(b, SUPPLY_FETCH, "b"); /* its place is free */
    assert_int_equal(took(b, SUPPLY_CANCEL, "c")->a.id, name);
    assert_null(took(b, SUPPLY_RESOLVE, "c"));
    supply_done(b->s, name, &(struct supply_result){ .outcome = SUPPLY_CANCELLED }, b->now_ns);
    take(b);
    assert_non_null(took(b, SUPPLY_RESOLVE, "c"));
}

static void half_of_the_questions_to_a_metered_source_are_kept_for_songs_that_are_to_play(
    void **state)
{
    struct bar *b = *state;
    int asked = 0;
    queue(b, ">z b c d", 100000);
    miss_all(b);
    for (const char *key = "zbcd"; *key; key++)
        have(b, (const char[]){ *key, '\0' });
    int64_t began_ns = b->now_ns;
    for (int round = 0; round < 10; round++) {
        char text[64] = ">z b c d ";
        b->count = 0;
        for (char c = 'e'; c < 'n'; c++) /* new ones each time: what went is forgotten */
            snprintf(text + strlen(text), sizeof(text) - strlen(text), "%c*? ", c);
        queue(b, ">z b c d", 100000);
        queue(b, text, 100000);
        miss_all(b);
        for (int i = 0; i < 20 && b->now_ns < began_ns + SECONDS(3500); i++) {
            const struct taken *t = took(b, SUPPLY_NAME, NULL);
            asked += t != NULL;
            if (t)
                done(b, t, &(struct supply_result){ .outcome = SUPPLY_OK });
            wait_s(b, 10);
        }
    }
    assert_int_equal(asked, 30);
}

/* ---- downloads ------------------------------------------------------------------------------------------------ */

static void a_second_download_begins_only_beside_a_slow_one(void **state)
{
    static const struct {
        uint64_t rate; /* the song plays 250000 a second */
        bool begins;
    } cases[] = { { 500000, false }, { 260000, false }, { 240000, true }, { 0, true } };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bar *b;
        setup((void **)&b);
        queue(b, "a b c", 3600);
        miss_all(b);
        succeed(b, SUPPLY_RESOLVE, "a");
        uint64_t id = took(b, SUPPLY_FETCH, "a")->a.id;
        for (int s = 0; s < 10; s++) {
            progress(b, id, cases[i].rate * (uint64_t)s, 0);
            if (s < 5)
                assert_null(took(b, SUPPLY_RESOLVE, "b"));
            wait_s(b, 1);
        }
        assert_int_equal(state_of(b, "b"), cases[i].begins ? SUPPLY_RESOLVING : SUPPLY_NEW);
        assert_int_equal(state_of(b, "c"), SUPPLY_NEW); /* never a third */
        assert_int_equal(supply_bandwidth(b->s), cases[i].rate);
        teardown((void **)&b);
    }
}

static void what_is_needed_in_a_minute_stops_what_is_needed_later(void **state)
{
    struct bar *b = *state;
    queue(b, ">a b c", 300);
    miss_all(b);
    have(b, "a");
    succeed(b, SUPPLY_RESOLVE, "b");
    const struct taken *fetch = took(b, SUPPLY_FETCH, "b");
    uint64_t id = fetch->a.id;
    progress(b, id, 0, 0);
    wait_s(b, 1);
    progress(b, id, 40000000, 0);
    queue(b, ">a D b c", 90);
    miss_all(b);
    assert_null(took(b, SUPPLY_CANCEL, "b")); /* there is time */
    assert_true(supply_deadline_ns(b->s) <= b->now_ns + SECONDS(30));
    wait_s(b, 30);
    assert_int_equal(took(b, SUPPLY_CANCEL, "b")->a.id, id);
    assert_null(took(b, SUPPLY_RESOLVE, "d")); /* not before it has let go */
    wait_s(b, 1);
    assert_null(took(b, SUPPLY_CANCEL, "b")); /* once */
    supply_done(b->s, id, &(struct supply_result){ .outcome = SUPPLY_CANCELLED }, b->now_ns);
    take(b);
    assert_true(took(b, SUPPLY_RESOLVE, "d")->a.is_urgent);
    assert_int_equal(state_of(b, "b"), SUPPLY_NEW);
}

static void what_was_resolved_lets_one_that_became_urgent_go_first(void **state)
{
    struct bar *b = *state;
    queue(b, "b c", 300);
    miss_all(b);
    queue(b, "A b c", 30);
    miss_all(b);
    assert_null(took(b, SUPPLY_CANCEL, NULL)); /* a resolution is not worth stopping */
    succeed(b, SUPPLY_RESOLVE, "b");
    assert_null(took(b, SUPPLY_FETCH, "b"));
    assert_int_equal(state_of(b, "b"), SUPPLY_NEW);
    assert_true(took(b, SUPPLY_RESOLVE, "a")->a.is_urgent);
}

static void what_left_the_queue_is_stopped_and_forgotten(void **state)
{
    struct bar *b = *state;
    struct supply_status st;
    queue(b, "a b", 300);
    miss_all(b);
    succeed(b, SUPPLY_RESOLVE, "a");
    uint64_t id = took(b, SUPPLY_FETCH, "a")->a.id;
    queue(b, "b", 300);
    assert_int_equal(took(b, SUPPLY_CANCEL, "a")->a.id, id);
    wait_s(b, 1);
    assert_null(took(b, SUPPLY_CANCEL, "a")); /* once */
    const char *use[4];
    assert_int_equal(supply_use(b->s, use, 4), 2); /* its partial is in use until then */
    supply_done(b->s, id, &(struct supply_result){ .outcome = SUPPLY_CANCELLED }, b->now_ns);
    assert_false(supply_status(b->s, "a", &st));
    supply_done(b->s, id, &(struct supply_result){ .outcome = SUPPLY_OK }, b->now_ns); /* again */
    take(b);
    assert_int_equal(state_of(b, "b"), SUPPLY_RESOLVING);
}

static void a_file_that_grows_may_start_with_fifteen_seconds_in_hand_and_holds_others_back(
    void **state)
{
    struct bar *b = *state;
    struct supply_status st;
    queue(b, "a b", 0);
    miss_all(b);
    succeed(b, SUPPLY_RESOLVE, "a");
    uint64_t id = took(b, SUPPLY_FETCH, "a")->a.id;
    for (uint64_t i = 0; i < 4; i++) {
        progress(b, id, 1000000 * i, 3.7 * (double)i);
        wait_s(b, 2);
    }
    progress(b, id, 3725000, 14.9);
    assert_null(took(b, SUPPLY_START, "a"));
    progress(b, id, 3750000, 15);
    assert_non_null(took(b, SUPPLY_START, "a"));
    assert_true(supply_status(b->s, "a", &st) && st.may_play && st.state == SUPPLY_FETCHING);
    queue(b, ">a b", 200);
    wait_s(b, 2);
    progress(b, id, 4000000, 14); /* slower than it plays: all for this one */
    assert_null(took(b, SUPPLY_RESOLVE, "b"));
    wait_s(b, 2);
    progress(b, id, 9000000, 31);
    succeed(b, SUPPLY_RESOLVE, "b");
    uint64_t other = took(b, SUPPLY_FETCH, "b")->a.id;
    const struct taken *limit = took(b, SUPPLY_LIMIT, "b");
    assert_int_equal(limit->a.id, other);
    assert_true(limit->a.limit >= 64 * 1024 && limit->a.limit <= supply_bandwidth(b->s) / 4);
    uint64_t bandwidth = supply_bandwidth(b->s);
    progress(b, other, 0, 0);
    wait_s(b, 2);
    progress(b, other, 1000, 0);
    assert_int_equal(supply_bandwidth(b->s), bandwidth); /* that is the limit's, not the line's */
    supply_done(b->s, id, &(struct supply_result){ .outcome = SUPPLY_OK }, b->now_ns);
    take(b);
    succeed(b, SUPPLY_CHECK, "a");
    assert_int_equal(took(b, SUPPLY_LIMIT, "b")->a.limit, 0);
}

static void in_a_silent_room_what_comes_fast_starts_sooner(void **state)
{
    static const struct {
        double needed_s, gained_s, went_s;
        bool starts;
    } cases[] = {
        { 0, 2.5, 1, true },     { 0, 1.9, 1, false }, /* too slow, and too little */
        { 10, 2.5, 1, false },                         /* something else plays until then */
        { 0, 1.1, 0.35, true },  /* three times as fast as it plays: one second will do */
        { 0, 0.99, 0.3, false }, /* too little */
        { 0, 1.1, 0.4, false },  /* not fast enough for so little */
        { 0, 1.1, 0.1, false },  /* the first bytes say nothing */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bar *b = *state;
        char names[] = { (char)('a' + i), '\0' };
        queue(b, names, cases[i].needed_s);
        miss_all(b);
        succeed(b, SUPPLY_RESOLVE, names);
        uint64_t id = took(b, SUPPLY_FETCH, names)->a.id;
        progress(b, id, 0, 0);
        b->now_ns += (int64_t)(cases[i].went_s * 1e9);
        progress(b, id, 1000000, cases[i].gained_s);
        assert_int_equal(took(b, SUPPLY_START, names) != NULL, cases[i].starts);
        queue(b, "", 0);
        supply_done(b->s, id, &(struct supply_result){ .outcome = SUPPLY_CANCELLED }, b->now_ns);
        take(b);
    }
}

/* ---- live streams --------------------------------------------------------------------------------------------- */

static const struct supply_result live = { .outcome = SUPPLY_OK,
                                           .can_grow = true,
                                           .is_live = true };

/* The stream "a" is fetched, and can begin. */
static uint64_t begin_stream(struct bar *b)
{
    queue(b, "a b", 0);
    miss_all(b);
    done(b, took(b, SUPPLY_RESOLVE, "a"), &live);
    uint64_t id = took(b, SUPPLY_FETCH, "a")->a.id;
    progress(b, id, 100000, 3.9);
    assert_null(took(b, SUPPLY_START, "a"));
    progress(b, id, 110000, 4);
    assert_non_null(took(b, SUPPLY_START, "a"));
    return id;
}

static void a_live_stream_is_fetched_half_a_minute_before_its_turn(void **state)
{
    struct bar *b = *state;
    queue(b, ">x a", 100);
    miss_all(b);
    have(b, "x");
    done(b, took(b, SUPPLY_RESOLVE, "a"), &live);
    assert_null(took(b, SUPPLY_FETCH, "a"));
    wait_s(b, 69);
    assert_null(took(b, SUPPLY_RESOLVE, "a"));
    assert_int_equal(supply_deadline_ns(b->s) - b->now_ns, SECONDS(1));
    wait_s(b, 1);
    done(b, took(b, SUPPLY_RESOLVE, "a"), &live);
    const struct taken *fetch = took(b, SUPPLY_FETCH, "a");
    assert_true(fetch && fetch->a.discards && fetch->a.timeout_ms > 24 * 3600 * 1000);
    queue(b, ">x y a", 1000); /* somebody else goes first */
    assert_int_equal(took(b, SUPPLY_CANCEL, "a")->a.id, fetch->a.id);
}

static void a_live_stream_that_ends_is_never_published_and_goes_when_it_was_played(void **state)
{
    struct bar *b = *state;
    uint64_t id = begin_stream(b);
    queue(b, ">a b", 100);
    supply_done(b->s, id, &(struct supply_result){ .outcome = SUPPLY_OK }, b->now_ns);
    take(b);
    assert_null(took(b, SUPPLY_CHECK, "a"));
    assert_null(took(b, SUPPLY_HAVE, "a"));
    assert_int_equal(state_of(b, "a"), SUPPLY_READY);
    queue(b, ">a b", 100);
    assert_null(took(b, SUPPLY_DROP, "a")); /* it is played to its end */
    queue(b, ">b a", 100);
    assert_non_null(took(b, SUPPLY_DROP, "a"));
    assert_int_equal(state_of(b, "a"), SUPPLY_NEW);
}

static void a_live_stream_that_ended_before_its_turn_plays_what_came_of_it(void **state)
{
    struct bar *b = *state;
    struct supply_status st;
    queue(b, "a b", 0);
    miss_all(b);
    done(b, took(b, SUPPLY_RESOLVE, "a"), &live);
    done(b, took(b, SUPPLY_FETCH, "a"), &(struct supply_result){ .outcome = SUPPLY_OK });
    assert_non_null(took(b, SUPPLY_START, "a"));
    assert_true(supply_status(b->s, "a", &st) && st.may_play);
    queue(b, "b", 0); /* it was taken out */
    assert_non_null(took(b, SUPPLY_DROP, "a"));
}

static void a_live_stream_that_is_skipped_is_stopped_and_goes(void **state)
{
    struct bar *b = *state;
    struct supply_status st;
    uint64_t id = begin_stream(b);
    queue(b, ">a b", 100);
    queue(b, ">b a", 10);
    assert_int_equal(took(b, SUPPLY_CANCEL, "a")->a.id, id);
    supply_done(b->s, id, &(struct supply_result){ .outcome = SUPPLY_CANCELLED }, b->now_ns);
    take(b);
    assert_non_null(took(b, SUPPLY_DROP, "a"));
    assert_true(supply_status(b->s, "a", &st) && !st.may_play);
    have(b, "b");
    assert_non_null(took(b, SUPPLY_RESOLVE, "a")); /* its turn is near again */
}

static void a_live_stream_that_breaks_off_begins_anew_at_its_next_turn(void **state)
{
    struct bar *b = *state;
    uint64_t id = begin_stream(b);
    queue(b, ">a b", 100);
    supply_done(b->s, id,
                &(struct supply_result){ .outcome = SUPPLY_FAILURE,
                                         .failure = { .class = "SERVER", .fate = SUPPLY_AGAIN } },
                b->now_ns);
    take(b);
    assert_non_null(took(b, SUPPLY_DROP, "a"));
    have(b, "b");
    wait_s(b, 30);
    queue(b, ">a b", 100);
    assert_null(took(b, SUPPLY_RESOLVE, "a")); /* what came still plays */
    queue(b, ">b a", 10);
    assert_non_null(took(b, SUPPLY_RESOLVE, "a"));
}

static void a_file_that_cannot_grow_never_starts_before_it_is_whole(void **state)
{
    struct bar *b = *state;
    queue(b, "a", 0);
    miss_all(b);
    done(b, took(b, SUPPLY_RESOLVE, "a"),
         &(struct supply_result){ .outcome = SUPPLY_OK, .bytes = 50000000 });
    progress(b, took(b, SUPPLY_FETCH, "a")->a.id, 40000000, 160);
    assert_null(took(b, SUPPLY_START, "a"));
}

static void two_slow_ones_do_not_hold_up_a_third_that_is_needed(void **state)
{
    struct bar *b = *state;
    struct supply_status st;
    queue(b, "a b c", 0);
    miss_all(b);
    uint64_t id[2];
    for (int i = 0; i < 2; i++) {
        const char *name = i ? "b" : "a";
        succeed(b, SUPPLY_RESOLVE, name);
        id[i] = took(b, SUPPLY_FETCH, name)->a.id;
        progress(b, id[i], 0, 0);
        wait_s(b, 10);
        progress(b, id[0], 1000, 0);
    }
    progress(b, id[1], 1000, 0);
    wait_s(b, 5);
    assert_null(took(b, SUPPLY_CANCEL, "a"));
    queue(b, "a b c", 200); /* at first "c" is not needed soon */
    wait_s(b, 30);
    assert_null(took(b, SUPPLY_CANCEL, "b"));
    queue(b, "a b c", -400); /* then it is */
    assert_int_equal(took(b, SUPPLY_CANCEL, "b")->a.id, id[1]);
    supply_done(b->s, id[1], &(struct supply_result){ .outcome = SUPPLY_CANCELLED }, b->now_ns);
    take(b);
    assert_true(supply_status(b->s, "b", &st) && st.state == SUPPLY_WAITING);
    assert_string_equal(st.class, "SLOW");
    assert_non_null(took(b, SUPPLY_RESOLVE, "c"));
}

static void a_full_disk_is_made_room_on_once_then_staff_are_told_and_nothing_is_fetched(
    void **state)
{
    struct bar *b = *state;
    const struct supply_failure full = { "DISK", SUPPLY_NO_ROOM };
    queue(b, "a b", 600);
    miss_all(b);
    succeed(b, SUPPLY_RESOLVE, "a");
    fail_with(b, SUPPLY_FETCH, "a", &full);
    const struct taken *t = took(b, SUPPLY_EVICT, NULL);
    assert_int_equal(t->a.bytes, 50000000);
    assert_null(took(b, SUPPLY_RESOLVE, NULL)); /* first the room */
    done(b, t, &(struct supply_result){ .outcome = SUPPLY_OK });
    succeed(b, SUPPLY_RESOLVE, "a");
    assert_null(took(b, SUPPLY_TELL, NULL));
    fail_with(b, SUPPLY_FETCH, "a", &full);
    assert_null(took(b, SUPPLY_EVICT, NULL));
    assert_string_equal(took(b, SUPPLY_TELL, NULL)->class, "DISK");
    wait_s(b, 299);
    assert_null(took(b, SUPPLY_RESOLVE, NULL));
    wait_s(b, 1);
    succeed(b, SUPPLY_RESOLVE, "a");
    fail_with(b, SUPPLY_FETCH, "a", &full);
    done(b, took(b, SUPPLY_EVICT, NULL), &(struct supply_result){ .outcome = SUPPLY_FAILURE });
    assert_non_null(took(b, SUPPLY_TELL, NULL));
    wait_s(b, 10);
    assert_null(took(b, SUPPLY_RESOLVE, NULL));
    supply_room(b->s, b->now_ns);
    take(b);
    assert_non_null(took(b, SUPPLY_RESOLVE, NULL));
}

int main(void)
{
#define IN_BAR(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        IN_BAR(the_next_three_and_every_request_are_looked_up_and_fetched_in_order),
        IN_BAR(what_is_spare_is_fetched_when_there_is_nothing_else_to_do),
        IN_BAR(for_what_is_spare_a_source_is_asked_half_as_often),
        IN_BAR(nothing_is_ready_before_it_is_checked_and_in_the_cache),
        IN_BAR(a_check_that_fails_begins_from_nothing),
        cmocka_unit_test(each_class_has_its_schedule),
        IN_BAR(what_failed_for_good_is_said_kept_and_not_asked_for_before_its_time),
        IN_BAR(an_unknown_failure_is_permanent_after_its_attempts),
        IN_BAR(who_is_half_an_hour_late_is_given_up_but_hours_without_network_do_not_count),
        IN_BAR(only_what_was_to_come_soon_is_late_when_another_plays_first),
        IN_BAR(without_network_nothing_is_asked_and_with_it_everything_at_once),
        IN_BAR(an_open_breaker_keeps_its_source_in_peace),
        IN_BAR(a_metered_source_is_asked_with_pauses_and_sixty_times_an_hour),
        IN_BAR(songs_without_names_are_named_one_at_a_time_wherever_they_are),
        IN_BAR(what_cannot_be_had_is_said_when_it_is_to_be_named),
        IN_BAR(nobody_waits_for_a_name),
        IN_BAR(what_is_urgent_stops_a_name_that_is_looked_for),
        IN_BAR(one_that_is_named_when_its_download_may_begin_is_resolved_instead),
        IN_BAR(half_of_the_questions_to_a_metered_source_are_kept_for_songs_that_are_to_play),
        cmocka_unit_test(a_second_download_begins_only_beside_a_slow_one),
        IN_BAR(what_is_needed_in_a_minute_stops_what_is_needed_later),
        IN_BAR(what_was_resolved_lets_one_that_became_urgent_go_first),
        IN_BAR(what_left_the_queue_is_stopped_and_forgotten),
        IN_BAR(a_file_that_grows_may_start_with_fifteen_seconds_in_hand_and_holds_others_back),
        IN_BAR(in_a_silent_room_what_comes_fast_starts_sooner),
        IN_BAR(two_slow_ones_do_not_hold_up_a_third_that_is_needed),
        IN_BAR(a_live_stream_is_fetched_half_a_minute_before_its_turn),
        IN_BAR(a_live_stream_that_ends_is_never_published_and_goes_when_it_was_played),
        IN_BAR(a_live_stream_that_ended_before_its_turn_plays_what_came_of_it),
        IN_BAR(a_live_stream_that_is_skipped_is_stopped_and_goes),
        IN_BAR(a_live_stream_that_breaks_off_begins_anew_at_its_next_turn),
        IN_BAR(a_file_that_cannot_grow_never_starts_before_it_is_whole),
        IN_BAR(a_full_disk_is_made_room_on_once_then_staff_are_told_and_nothing_is_fetched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
