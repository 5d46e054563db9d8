/* Every rule of the queue as a row: before, operation, after. Each operation is applied twice: the second
 * time it must change nothing. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "model/queue_script.h"

struct rule {
    const char *name, *before;
    struct queue_op op;
    char entry; /* 0: none */
    const char *after;
    int ret;
};

static const struct rule rules[] = {
    /* START */
    { "start: the head becomes now", "A B||", { OP_START }, 'A', "A B||A", 0 },
    { "start: what plays already", "A B||A", { OP_START }, 'A', "A B||A", 1 },
    { "start: an entry that is not the head moves to index 0",
      "A B C||",
      { OP_START },
      'C',
      "C A B||C",
      0 },
    { "start: a request", "A B|r s|", { OP_START }, 'r', "A B|r s|r", 0 },
    { "start: a later request moves to index 0", "A B|r s|", { OP_START }, 's', "A B|s r|s", 0 },
    { "start: ends the main track that played", "A B C||A", { OP_START }, 'B', "B C A||B", 0 },
    { "start: ends the request that played", "A B|r|r", { OP_START }, 'A', "A B||A", 0 },
    { "start: drops the detached track that played", "A B||X", { OP_START }, 'A', "A B||A", 0 },
    { "start: the detached track that plays", "A B||X", { OP_START }, 'X', "A B||X", 1 },
    { "start: unplayable ones passed over go to the tail, the order of the loop stays",
      "U! B C||",
      { OP_START },
      'B',
      "B C U!||B",
      0 },
    { "start: without a loop unplayable ones stay behind the head",
      "U! B C||-",
      { OP_START },
      'B',
      "B U! C||B-",
      0 },
    { "start: an unplayable request is not rotated", "A|u! r|", { OP_START }, 'r', "A|r u!|r", 0 },
    { "start: what was asked for is asked for no more",
      "C> A|r|",
      { OP_START },
      'C',
      "C A|r|C",
      0 },
    { "start: no such entry", "A B||A", { OP_START }, 'Z', "A B||A", -ENOENT },

    /* END and SKIP */
    { "end: a main track goes to the tail", "A B C||A", { OP_END }, 'A', "B C A||", 0 },
    { "end: the only track of a loop stays", "A||A", { OP_END }, 'A', "A||", 0 },
    { "end: a request leaves for good", "B A|r s|r", { OP_END }, 'r', "B A|s|", 0 },
    { "end: the main list does not move while requests play",
      "B C A|r|r",
      { OP_END },
      'r',
      "B C A||",
      0 },
    { "end: a detached track is dropped", "A B||X", { OP_END }, 'X', "A B||", 0 },
    { "end: another entry than the playing one", "A B||A", { OP_END }, 'B', "A B||A", 1 },
    { "end: an entry that is gone", "A B||A", { OP_END }, 'Z', "A B||A", 1 },
    { "end: nothing plays", "A B||", { OP_END }, 'A', "A B||", 1 },
    { "end: without a loop a main track leaves", "A B||A-", { OP_END }, 'A', "B||-", 0 },
    { "end: playing at another index than 0 (foreign) is found by identity",
      "A B C||B",
      { OP_END },
      'B',
      "A C B||",
      0 },
    { "skip: a main track is rotated, not lost", "A B C||A", { OP_SKIP }, 'A', "B C A||", 0 },
    { "skip: a request leaves", "A|r s|r", { OP_SKIP }, 'r', "A|s|", 0 },
    { "skip: another entry", "A B||A", { OP_SKIP }, 'B', "A B||A", 1 },

    /* REMOVE */
    { "remove: a waiting track", "A B C||A", { OP_REMOVE }, 'B', "A C||A", 0 },
    { "remove: a request", "A|r s|A", { OP_REMOVE }, 'r', "A|s|A", 0 },
    { "remove: the playing main track is not rotated", "A B||A", { OP_REMOVE }, 'A', "B||", 0 },
    { "remove: the playing request", "A|r s|r", { OP_REMOVE }, 'r', "A|s|", 0 },
    { "remove: the detached track", "A||X", { OP_REMOVE }, 'X', "A||", 0 },
    { "remove: no such entry", "A||A", { OP_REMOVE }, 'Z', "A||A", -ENOENT },

    /* MOVE */
    { "move: to a later index", "A B C D||", { OP_MOVE, .index = 2 }, 'A', "B C A D||", 0 },
    { "move: to an earlier index", "A B C D||", { OP_MOVE, .index = 1 }, 'D', "A D B C||", 0 },
    { "move: past the end is the end", "A B C||", { OP_MOVE, .index = 99 }, 'A', "B C A||", 0 },
    { "move: index 0 belongs to the playing entry",
      "A B C||A",
      { OP_MOVE, .index = 0 },
      'C',
      "A C B||A",
      0 },
    { "move: the playing entry stays", "A B C||A", { OP_MOVE, .index = 2 }, 'A', "A B C||A", 1 },
    { "move: index 0 is free while a request plays",
      "A B|r|r",
      { OP_MOVE, .index = 0 },
      'B',
      "B A|r|r",
      0 },
    { "move: within the requests", "A|r s t|A", { OP_MOVE, .index = 0 }, 't', "A|t r s|A", 0 },
    { "move: it is there already", "A B C||", { OP_MOVE, .index = 1 }, 'B', "A B C||", 1 },
    { "move: no such entry", "A B||", { OP_MOVE, .index = 1 }, 'Z', "A B||", -ENOENT },

    /* PROMOTE */
    { "promote: a main track to index 1 while main plays",
      "A B C D||A",
      { OP_PROMOTE },
      'D',
      "A D B C||A",
      0 },
    { "promote: a main track to index 0 while a request plays",
      "A B C|r|r",
      { OP_PROMOTE },
      'C',
      "C A B|r|r",
      0 },
    { "promote: a main track to index 0 when nothing plays",
      "A B C||",
      { OP_PROMOTE },
      'C',
      "C A B||",
      0 },
    { "promote: a request to index 1 while a request plays",
      "A|r s t|r",
      { OP_PROMOTE },
      't',
      "A|r t s|r",
      0 },
    { "promote: a request to index 0 while main plays",
      "A|r s|A",
      { OP_PROMOTE },
      's',
      "A|s r|A",
      0 },
    { "promote: the playing entry stays", "A B||A", { OP_PROMOTE }, 'A', "A B||A", 1 },
    { "promote: it is there already", "A B C||A", { OP_PROMOTE }, 'B', "A B C||A", 1 },
    { "promote: no such entry", "A B||A", { OP_PROMOTE }, 'Z', "A B||A", -ENOENT },

    /* PLAY_NOW */
    { "play now: the main track that plays is rotated",
      "A B C||A",
      { OP_PLAY_NOW },
      'C',
      "C> B A||",
      0 },
    { "play now: the request that plays leaves", "A B|r|r", { OP_PLAY_NOW }, 'B', "B> A||", 0 },
    { "play now: a request before other requests", "A|r s|A", { OP_PLAY_NOW }, 's', "A|s> r|", 0 },
    { "play now: the detached track is dropped", "A B||X", { OP_PLAY_NOW }, 'B', "B> A||", 0 },
    { "play now: the last wish counts", "A> B C||", { OP_PLAY_NOW }, 'C', "C> A B||", 0 },
    { "play now: an unplayable one is tried again", "A B!||A", { OP_PLAY_NOW }, 'B', "B> A||", 0 },
    { "play now: it plays already", "A B||A", { OP_PLAY_NOW }, 'A', "A B||A", 1 },
    { "play now: no such entry", "A B||A", { OP_PLAY_NOW }, 'Z', "A B||A", -ENOENT },

    /* CLEAR */
    { "clear main: what plays goes on, detached",
      "A B|r|A",
      { OP_CLEAR, .list = QUEUE_MAIN },
      0,
      "|r|A",
      0 },
    { "clear requests: main is untouched",
      "A B|r s|A",
      { OP_CLEAR, .list = QUEUE_REQUESTS },
      0,
      "A B||A",
      0 },
    { "clear requests: the playing request goes on, detached",
      "A|r s|r",
      { OP_CLEAR, .list = QUEUE_REQUESTS },
      0,
      "A||r",
      0 },
    { "clear both", "A B|r|r", { OP_CLEAR, .all_lists = true }, 0, "||r", 0 },
    { "clear: empty already", "|r|", { OP_CLEAR, .list = QUEUE_MAIN }, 0, "|r|", 1 },

    /* SHUFFLE */
    { "shuffle: one track besides the playing one",
      "A B||A",
      { OP_SHUFFLE, .seed = 7 },
      0,
      "A B||A",
      1 },
    { "shuffle: nothing there", "|r s|", { OP_SHUFFLE, .seed = 7 }, 0, "|r s|", 1 },

    /* MARK_UNPLAYABLE */
    { "mark: kept in its place",
      "A B C||A",
      { OP_MARK_UNPLAYABLE, .reason = "broken" },
      'B',
      "A B! C||A",
      0 },
    { "mark: marked already",
      "A B!||A",
      { OP_MARK_UNPLAYABLE, .reason = "broken" },
      'B',
      "A B!||A",
      1 },
    { "mark: what was asked for is asked for no more",
      "B> A||",
      { OP_MARK_UNPLAYABLE, .reason = "broken" },
      'B',
      "B! A||",
      0 },
    { "mark: an empty reason takes it off", "A B!||", { OP_MARK_UNPLAYABLE }, 'B', "A B||", 0 },
    { "mark: no such entry", "A||", { OP_MARK_UNPLAYABLE, .reason = "x" }, 'Z', "A||", -ENOENT },
};

static void check_rule(const struct rule *r)
{
    struct queue q;
    script_queue(&q, r->before);
    struct track *named = script_track(r->entry ? r->entry : 'Z');
    struct queue_op op = r->op;
    if (r->entry)
        op.entry = entry_ref_of(named);
    char got[SCRIPT_MAX], want[SCRIPT_MAX];

    int ret = queue_apply(&q, &op);
    assert_string_equal(script_text(&q, r->name, got), script_expect(r->after, r->name, want));
    if (ret != r->ret)
        fail_msg("%s: returned %d, not %d", r->name, ret, r->ret);

    if (queue_apply(&q, &op) == 0)
        fail_msg("%s: did something the second time", r->name);
    assert_string_equal(script_text(&q, r->name, got), want);
    track_destroy(named);
    queue_finish(&q);
}

static void every_rule_holds_and_applying_it_again_changes_nothing(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rules); i++)
        check_rule(&rules[i]);
}

static struct track *track_of(const char *video_id, const char *title, const char *artist,
                              const char *source)
{
    struct track *t = track_create();
    track_set(&t->video_id, video_id);
    track_set(&t->title, title);
    track_set(&t->artist, artist);
    track_set(&t->source, source);
    return t;
}

static void names_are_given_where_there_is_a_stand_in_and_nowhere_else(void **state)
{
    static const struct {
        const char *title, *artist, *source, *want;
        int ret;
    } cases[] = {
        { "", "", "", "Song", 0 },
        { "abcdefghij0", "", "", "Song", 0 },
        { "clip", "", "http://host/dir/clip.mp4?x=1", "Song", 0 },
        { "B", "A", "https://host/A%20-%20B.mp4", "Song", 0 },
        { "host", "", "http://host/", "Song", 0 },
        { "Mine", "", "http://host/clip.mp4", "Mine", 1 },
        { "clip", "Me", "http://host/clip.mp4", "clip", 1 },
        { "clip", "", "/dir/clip.mp4", "clip", 1 },
        { "Song", "Band", "", "Song", 1 },
    };
    struct track *names = track_of("abcdefghij0", "Song", "Band", "");
    struct queue_op op = { OP_NAME, .track = names };
    names->duration_s = 213;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct queue q;
        queue_init(&q);
        struct track *t = track_of("abcdefghij0", cases[i].title, cases[i].artist, cases[i].source);
        track_set(&t->unknown_json, "{\"mood\":\"blue\"}");
        t->duration_s = i % 2 ? 7 : cases[i].ret ? 8 : 0;
        double known_s = t->duration_s;
        q.now = track_copy(t);
        track_list_append(&q.list[i % 2], t);
        track_list_append(&q.list[QUEUE_MAIN], track_of("another", "", "", ""));
        assert_int_equal(queue_apply(&q, &op), cases[i].ret);
        assert_int_equal(queue_apply(&q, &op), 1);
        assert_string_equal(t->title, cases[i].want);
        assert_string_equal(q.now->title, cases[i].want);
        assert_true(t->duration_s == (known_s > 0 ? known_s : 213));
        assert_string_equal(t->unknown_json, "{\"mood\":\"blue\"}");
        assert_string_equal(q.list[QUEUE_MAIN].at[q.list[QUEUE_MAIN].count - 1]->title, "");
        queue_finish(&q);
    }
    track_destroy(names);
}

static void names_that_a_list_has_no_room_for_are_not_given(void **state)
{
    struct queue q;
    struct track *names = track_of("abcdefghij0", "A title of some length", "", "");
    struct queue_op op = { OP_NAME, .track = names };
    queue_init(&q);
    track_list_append(&q.list[QUEUE_MAIN], track_of("abcdefghij0", "", "", ""));
    q.max_chars = track_list_json_chars(&q.list[QUEUE_MAIN]) + 3;
    assert_int_equal(queue_apply(&q, &op), -EMSGSIZE);
    assert_string_equal(q.list[QUEUE_MAIN].at[0]->title, "");
    assert_int_equal(track_list_json_chars(&q.list[QUEUE_MAIN]) + 3, q.max_chars);
    queue_finish(&q);
    track_destroy(names);
}

static void statuses_follow_what_plays(void **state)
{
    struct queue q;
    script_queue(&q, "A B||");
    struct queue_op start = { OP_START, .entry = { .id = "id-A" } };
    q.list[QUEUE_MAIN].at[1]->status = TRACK_PLAYING; /* left behind by another writer */
    assert_int_equal(queue_apply(&q, &start), 0);
    assert_int_equal(q.now->status, TRACK_PLAYING);
    assert_int_equal(q.list[QUEUE_MAIN].at[0]->status, TRACK_PLAYING);
    assert_int_equal(q.list[QUEUE_MAIN].at[1]->status, TRACK_QUEUED);
    struct queue_op end = { OP_END, .entry = { .id = "id-A" } };
    assert_int_equal(queue_apply(&q, &end), 0);
    assert_int_equal(q.list[QUEUE_MAIN].at[1]->status, TRACK_QUEUED);
    queue_finish(&q);
}

static int add(struct queue *q, char letter, struct queue_op op)
{
    struct track *t = script_track(letter);
    op.kind = OP_ADD;
    op.track = t;
    int ret = queue_apply(q, &op);
    track_destroy(t);
    return ret;
}

static void add_puts_tracks_where_they_belong(void **state)
{
    static const struct {
        const char *name, *before;
        struct queue_op op;
        bool is_request, is_paid;
        const char *after;
        int ret;
    } cases[] = {
        { "at the tail", "A B||A", { .list = QUEUE_MAIN }, .after = "A B N||A" },
        { "next while main plays", "A B||A", { .at_front = true }, .after = "A N B||A" },
        { "next while nothing plays", "A B||", { .at_front = true }, .after = "N A B||" },
        { "next while a request plays", "A B|r|r", { .at_front = true }, .after = "N A B|r|r" },
        { "to the requests", "A|r|A", { .list = QUEUE_REQUESTS }, .after = "A|r N|A" },
        { "next of the requests",
          "A|r s|r",
          { .list = QUEUE_REQUESTS, .at_front = true },
          .after = "A|r N s|r" },
        { "a request goes to the requests in any case",
          "A||A",
          { .list = QUEUE_MAIN },
          .is_request = true,
          .after = "A|N|A" },
        { "a paid track goes to the requests in any case",
          "A||A",
          { .list = QUEUE_MAIN },
          .is_paid = true,
          .after = "A|N|A" },
        { "an id that is in a list",
          "A N||A",
          { .list = QUEUE_REQUESTS },
          .after = "A N||A",
          .ret = 1 },
        { "an id that plays detached", "A||N", { .list = QUEUE_MAIN }, .after = "A||N", .ret = 1 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct queue q;
        script_queue(&q, cases[i].before);
        struct track *t = script_track('N');
        t->is_request = cases[i].is_request;
        t->is_paid = cases[i].is_paid;
        t->status = TRACK_PLAYING;
        struct queue_op op = cases[i].op;
        op.kind = OP_ADD;
        op.track = t;
        char got[SCRIPT_MAX], want[SCRIPT_MAX];
        int ret = queue_apply(&q, &op);
        assert_string_equal(script_text(&q, cases[i].name, got),
                            script_expect(cases[i].after, cases[i].name, want));
        assert_int_equal(ret, cases[i].ret);
        assert_int_equal(queue_apply(&q, &op), 1);
        assert_string_equal(script_text(&q, cases[i].name, got), want);
        struct entry_place place;
        if (ret == 0 && script_find(&q, 'N', &place)) {
            assert_int_equal(queue_at(&q, place)->is_request, place.list == QUEUE_REQUESTS);
            assert_int_equal(queue_at(&q, place)->status, TRACK_QUEUED);
        }
        track_destroy(t);
        queue_finish(&q);
    }
}

static void add_makes_a_real_id_and_knows_the_same_addition_again(void **state)
{
    static const char *const false_ids[] = { "", "unique()", "current_1", "local_x" };
    struct queue q;
    queue_init(&q);
    struct track *t = script_track('N');
    for (size_t i = 0; i < ARRAY_LEN(false_ids); i++) {
        track_set(&t->id, false_ids[i]);
        struct queue_op op = { OP_ADD, .track = t, .seed = 40 + i };
        assert_int_equal(queue_apply(&q, &op), 0);
        assert_int_equal(queue_apply(&q, &op), 1);
    }
    assert_int_equal(q.list[QUEUE_MAIN].count, ARRAY_LEN(false_ids)); /* same song, other seeds */
    for (size_t i = 0; i < ARRAY_LEN(false_ids); i++) {
        const char *id = q.list[QUEUE_MAIN].at[i]->id;
        assert_int_equal(strlen(id), 20);
        assert_int_equal(strspn(id, "0123456789abcdef"), 20);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(id, q.list[QUEUE_MAIN].at[k]->id);
    }
    track_destroy(t);
    queue_finish(&q);
}

static void add_refuses_what_the_server_would_refuse(void **state)
{
    struct queue q;
    queue_init(&q);
    int ret = 0;
    size_t before = 0;
    for (uint64_t seed = 0; seed < 5000 && ret == 0; seed++) {
        struct track *t = script_track('N');
        track_set(&t->id, NULL);
        before = q.list[QUEUE_MAIN].count;
        ret = queue_apply(&q, &(struct queue_op){ OP_ADD, .track = t, .seed = seed });
        track_destroy(t);
    }
    assert_int_equal(ret, -EMSGSIZE);
    assert_int_equal(q.list[QUEUE_MAIN].count, before);
    assert_true(before > 250); /* tracks as small as these */
    assert_true(track_list_json_chars(&q.list[QUEUE_MAIN]) <= QUEUE_SERVER_CHARS);
    assert_int_equal(add(&q, 'R', (struct queue_op){ .list = QUEUE_REQUESTS }), 0);

    /* Marks must fit when nothing else does: long reasons give way to a short one. */
    char reason[1000];
    memset(reason, 'x', sizeof(reason));
    reason[sizeof(reason) - 1] = '\0';
    for (size_t i = 0; i < before; i++) {
        struct track *t = q.list[QUEUE_MAIN].at[i];
        struct queue_op op = { OP_MARK_UNPLAYABLE, .entry = entry_ref_of(t), .reason = reason };
        assert_int_equal(queue_apply(&q, &op), 0);
        assert_int_equal(queue_apply(&q, &op), 1);
        assert_true(*t->unplayable && strlen(t->unplayable) <= TRACK_MARK_MAX);
    }
    assert_true(track_list_json_chars(&q.list[QUEUE_MAIN]) <= QUEUE_SERVER_CHARS);
    queue_finish(&q);
}

static void a_zone_without_a_server_holds_thousands(void **state)
{
    enum { SONGS = 5000 };
    struct queue q;
    queue_init(&q);
    q.max_chars = QUEUE_LOCAL_CHARS;
    struct track *t = track_create();
    char path[256];
    for (uint64_t i = 0; i < SONGS; i++) {
        snprintf(path, sizeof(path),
                 "/home/bar/Videos/Music of the Nineties/Some Artist of a Usual "
                 "Name - A Song Title of Usual Length (Official Video) -- %011d.mp4",
                 (int)i);
        track_from_path(t, path);
        assert_int_equal(queue_apply(&q, &(struct queue_op){ OP_ADD, .track = t, .seed = i }), 0);
    }
    struct queue copy;
    queue_copy(&copy, &q);
    assert_int_equal(copy.max_chars, QUEUE_LOCAL_CHARS);
    assert_int_equal(track_list_json_chars(&copy.list[QUEUE_MAIN]),
                     track_list_json_chars(&q.list[QUEUE_MAIN]));
    queue_finish(&copy);
    assert_int_equal(copy.max_chars, QUEUE_LOCAL_CHARS);
    track_destroy(t);
    queue_finish(&q);
}

static void a_song_that_is_repaired_loses_its_marks(void **state)
{
    struct queue q;
    queue_init(&q);
    for (uint64_t i = 0; i < 4; i++) {
        struct track *t = script_track('A');
        track_set(&t->id, NULL);
        track_set(&t->source, i == 3 ? "/other" : "/file");
        struct queue_op add = { OP_ADD, .track = t, .seed = i, .list = (enum queue_list)(i % 2) };
        assert_int_equal(queue_apply(&q, &add), 0);
        struct track *in = q.list[i % 2].at[q.list[i % 2].count - 1];
        struct queue_op op = { OP_MARK_UNPLAYABLE, .entry = entry_ref_of(in), .reason = "x" };
        assert_int_equal(queue_apply(&q, &op), 0);
        track_destroy(t);
    }
    queue_lift_marks(&q, "");
    assert_string_equal(q.list[0].at[0]->unplayable, "x");
    queue_lift_marks(&q, "/file");
    assert_string_equal(q.list[0].at[0]->unplayable, "");
    assert_string_equal(q.list[0].at[1]->unplayable, "");
    assert_string_equal(q.list[1].at[0]->unplayable, "");
    assert_string_equal(q.list[1].at[1]->unplayable, "x");
    queue_finish(&q);
}

/* What queue_upcoming() says, as letters; '.': nothing more. */
static void next_and_upcoming_follow_the_rules(void **state)
{
    static const struct {
        const char *name, *queue, *upcoming;
    } cases[] = {
        { "the main loop goes on after what plays and wraps", "A B C||A", "BCABCA" },
        { "nothing plays: the head is next", "A B C||", "ABCABC" },
        { "requests come before main", "A B|r s|A", "rsBABA" },
        { "the playing request is not next", "B C A|r s|r", "sBCABC" },
        { "a request is never listed twice", "A|r|", "rAAAAA" },
        { "a loop of one follows itself", "A||A", "AAAAAA" },
        { "a detached track changes nothing", "A B||X", "ABABAB" },
        { "unplayable ones are passed over", "A U! C|u! s|A", "sCACAC" },
        { "the playing one is unplayable", "A! B||A", "BBBBBB" },
        { "all are unplayable", "A! B!|r!|", "......" },
        { "nothing is there", "||", "......" },
        { "the last request, and no main", "|r|r", "......" },
        { "without a loop it ends", "A B C|r|A-", "rBC..." },
        { "without a loop nothing follows the last", "A||A-", "......" },
        { "asked for: before requests, then at the tail", "C> B A|r|", "CrBACB" },
        { "asked for: a request, once", "A B|s> r|", "srABAB" },
        { "asked for, but unplayable", "C>! B A||", "BABABA" },
        { "playing at another index (foreign)", "A B C||B", "ACBACB" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct queue q;
        script_queue(&q, cases[i].queue);
        struct entry_place place;
        if (strstr(cases[i].queue, ">!") && script_find(&q, 'C', &place))
            track_set(&queue_at(&q, place)->unplayable, "broken");
        char got[SCRIPT_MAX], want[SCRIPT_MAX];
        size_t n = (size_t)snprintf(got, sizeof(got), "%s: ", cases[i].name);
        for (size_t k = 0; k < 6; k++)
            got[n++] = queue_upcoming(&q, k, &place) ? queue_at(&q, place)->title[0] : '.';
        got[n] = '\0';
        assert_string_equal(got, script_expect(cases[i].upcoming, cases[i].name, want));
        bool next = queue_next(&q, &place);
        assert_int_equal(next, cases[i].upcoming[0] != '.');
        if (next)
            assert_int_equal(queue_at(&q, place)->title[0], cases[i].upcoming[0]);
        queue_finish(&q);
    }
}

/* Plays `rounds` tracks the way the player does and writes down what was heard. */
static void play(struct queue *q, size_t rounds, char *heard)
{
    struct entry_place place;
    for (size_t i = 0; i < rounds; i++) {
        if (q->now) {
            struct queue_op end = { OP_END, .entry = entry_ref_of(q->now) };
            assert_int_equal(queue_apply(q, &end), 0);
        }
        if (!queue_next(q, &place))
            break;
        struct queue_op start = { OP_START, .entry = entry_ref_of(queue_at(q, place)) };
        assert_int_equal(queue_apply(q, &start), 0);
        *heard++ = q->now->title[0];
    }
    *heard = '\0';
}

static void the_loop_resumes_after_the_track_that_played_when_a_request_came(void **state)
{
    struct queue q;
    char heard[32], text[SCRIPT_MAX];
    script_queue(&q, "A B C||");
    play(&q, 1, heard);
    assert_string_equal(heard, "A");
    assert_int_equal(add(&q, 'r', (struct queue_op){ .list = QUEUE_REQUESTS }), 0);
    assert_int_equal(add(&q, 's', (struct queue_op){ .list = QUEUE_REQUESTS }), 0);
    play(&q, 2, heard);
    assert_string_equal(heard, "rs");
    assert_string_equal(script_text(&q, "while requests play", text),
                        "while requests play: B C A|s|s");
    play(&q, 4, heard);
    assert_string_equal(heard, "BCAB");
    queue_finish(&q);
}

static void an_unplayable_track_keeps_its_turn_in_the_loop(void **state)
{
    struct queue q;
    char heard[32];
    script_queue(&q, "A U! B C||");
    play(&q, 7, heard);
    assert_string_equal(heard, "ABCABCA");
    struct queue_op retry = { OP_MARK_UNPLAYABLE, .entry = { .id = "id-U" } };
    assert_int_equal(queue_apply(&q, &retry), 0);
    play(&q, 4, heard);
    assert_string_equal(heard, "UBCA");
    queue_finish(&q);
}

static void without_a_loop_every_track_plays_once(void **state)
{
    struct queue q;
    char heard[32];
    script_queue(&q, "A B U! C|r|-");
    play(&q, 10, heard);
    assert_string_equal(heard, "rABC");
    assert_null(q.now);
    queue_finish(&q);
}

static void play_now_is_heard_before_waiting_requests(void **state)
{
    struct queue q;
    char heard[32];
    script_queue(&q, "A B C|r s|r");
    struct queue_op op = { OP_PLAY_NOW, .entry = { .id = "id-C" } };
    assert_int_equal(queue_apply(&q, &op), 0);
    play(&q, 5, heard);
    assert_string_equal(heard, "CsABC");
    queue_finish(&q);
}

static void shuffle_keeps_the_playing_head_and_every_track(void **state)
{
    struct queue q;
    char text[SCRIPT_MAX], first[SCRIPT_MAX], again[SCRIPT_MAX];
    script_queue(&q, "A B C D E F G H|r s|A");
    struct queue_op op = { OP_SHUFFLE, .seed = 1 };
    size_t seen_at_1[256] = { 0 };
    for (op.seed = 1; op.seed <= 700; op.seed++) {
        (void)queue_apply(&q, &op);
        script_text(&q, "", first);
        assert_int_equal(queue_apply(&q, &op), 1);
        assert_string_equal(script_text(&q, "", again), first);
        assert_int_equal(q.list[QUEUE_MAIN].at[0]->title[0], 'A');
        for (char c = 'A'; c <= 'H'; c++)
            assert_non_null(strchr(first, c));
        assert_non_null(strstr(first, "|r s|A"));
        seen_at_1[(unsigned char)q.list[QUEUE_MAIN].at[1]->title[0]]++;
    }
    for (char c = 'B'; c <= 'H'; c++) /* 100 expected of each */
        assert_in_range(seen_at_1[(unsigned char)c], 60, 140);

    struct queue_op move = { OP_MOVE, .entry = { .id = "id-B" }, .index = 1 };
    op.seed = 5;
    (void)queue_apply(&q, &op);
    script_text(&q, "", first);
    (void)queue_apply(&q, &move);
    (void)queue_apply(&q, &op);
    assert_string_equal(script_text(&q, "", text), first); /* whatever the order was before */
    queue_finish(&q);
}

static void a_copy_is_equal_and_apart(void **state)
{
    struct queue q, copy;
    char a[SCRIPT_MAX], b[SCRIPT_MAX];
    script_queue(&q, "A! B>|r|X-");
    track_set(&q.list[QUEUE_MAIN].at[0]->artist, "same");
    q.list[QUEUE_MAIN].at[0]->unknown_json = strdup("{\"x\":1}");
    queue_copy(&copy, &q);
    assert_string_equal(script_text(&copy, "", a), script_text(&q, "", b));
    assert_string_equal(copy.list[QUEUE_MAIN].at[0]->artist, "same");
    assert_string_equal(copy.list[QUEUE_MAIN].at[0]->unknown_json, "{\"x\":1}");
    queue_finish(&q);
    assert_string_equal(script_text(&copy, "", a), b);
    queue_finish(&copy);
    queue_finish(&copy); /* and once more does no harm */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_holds_and_applying_it_again_changes_nothing),
        cmocka_unit_test(names_are_given_where_there_is_a_stand_in_and_nowhere_else),
        cmocka_unit_test(names_that_a_list_has_no_room_for_are_not_given),
        cmocka_unit_test(statuses_follow_what_plays),
        cmocka_unit_test(add_puts_tracks_where_they_belong),
        cmocka_unit_test(add_makes_a_real_id_and_knows_the_same_addition_again),
        cmocka_unit_test(add_refuses_what_the_server_would_refuse),
        cmocka_unit_test(a_zone_without_a_server_holds_thousands),
        cmocka_unit_test(a_song_that_is_repaired_loses_its_marks),
        cmocka_unit_test(next_and_upcoming_follow_the_rules),
        cmocka_unit_test(the_loop_resumes_after_the_track_that_played_when_a_request_came),
        cmocka_unit_test(an_unplayable_track_keeps_its_turn_in_the_loop),
        cmocka_unit_test(without_a_loop_every_track_plays_once),
        cmocka_unit_test(play_now_is_heard_before_waiting_requests),
        cmocka_unit_test(shuffle_keeps_the_playing_head_and_every_track),
        cmocka_unit_test(a_copy_is_equal_and_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
