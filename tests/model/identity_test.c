/* Which entry a reference means, and the keys made of identities. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "model/queue_script.h"

static struct track *entry(const char *id, const char *video, const char *requested_at)
{
    struct track *t = track_create();
    track_set(&t->id, id);
    track_set(&t->video_id, video);
    track_set(&t->requested_at, requested_at);
    return t;
}

static void only_real_ids_are_identities(void **state)
{
    static const struct {
        const char *id;
        bool is_identity;
    } cases[] = {
        { "9f0c", true },     { "", false },      { "unique()", false },  { "current_123", false },
        { "local_a", false }, { "unique", true }, { "xcurrent_1", true }, { "current", true },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(track_id_is_identity(cases[i].id), cases[i].is_identity);
}

#define FIXTURE_MAIN 8
static void fixture(struct queue *q)
{
    static const char *const main_list[FIXTURE_MAIN][3] = {
        { "real", "va", "t1" },  { "unique()", "va", "t2" }, { "unique()", "va", "t3" },
        { "twice", "vb", "t4" }, { "twice", "vb", "t5" },    { "", "vc", "" },
        { "", "vc", "" },        { "other", "vd", "t6" },
    };
    queue_init(q);
    for (size_t i = 0; i < FIXTURE_MAIN; i++)
        track_list_append(&q->list[QUEUE_MAIN],
                          entry(main_list[i][0], main_list[i][1], main_list[i][2]));
    track_list_append(&q->list[QUEUE_REQUESTS], entry("req", "vd", "t7"));
    track_list_append(&q->list[QUEUE_REQUESTS], entry("unique()", "ve", "t8"));
}

static void a_reference_means_the_entry_of_the_identity_rules(void **state)
{
    static const struct {
        const char *name;
        struct entry_ref ref;
        int list, index; /* list -1: none */
    } cases[] = {
        { "a real id that occurs once", { "real", NULL, NULL }, QUEUE_MAIN, 0 },
        { "a real id wins over song and time", { "real", "vd", "t6" }, QUEUE_MAIN, 0 },
        { "a real id in the requests", { "req", "vd", "" }, QUEUE_REQUESTS, 0 },
        { "unique() is no id: song and time decide", { "unique()", "va", "t3" }, QUEUE_MAIN, 2 },
        { "no id: song and time decide", { NULL, "va", "t2" }, QUEUE_MAIN, 1 },
        { "an id that occurs twice: song and time decide", { "twice", "vb", "t5" }, QUEUE_MAIN, 4 },
        { "an id that occurs twice, alone: the first", { "twice", NULL, NULL }, QUEUE_MAIN, 3 },
        { "song alone: the first, requests before main", { NULL, "vd", NULL }, QUEUE_REQUESTS, 0 },
        { "song alone, nothing else known of the entry either", { "", "vc", "" }, QUEUE_MAIN, 5 },
        { "a re-made copy of what does not play", { "current_9", "va", "t99" }, -1, 0 },
        { "a re-made copy with the old time: that one",
          { "current_9", "va", "t3" },
          QUEUE_MAIN,
          2 },
        { "a time nobody has: another entry of the song is not meant",
          { "unique()", "va", "t99" },
          -1,
          0 },
        { "an id that is gone: the song alone does not bring it back",
          { "gone", "va", NULL },
          -1,
          0 },
        { "an id that is gone: nor an entry with its own id", { "gone", "va", "t1" }, -1, 0 },
        { "an id that is gone, but song and time of one without an id",
          { "gone", "va", "t2" },
          QUEUE_MAIN,
          1 },
        { "an unknown song", { NULL, "vz", NULL }, -1, 0 },
        { "nothing given", { NULL, NULL, NULL }, -1, 0 },
        { "a time alone names nothing", { NULL, NULL, "t1" }, -1, 0 },
    };
    struct queue q;
    fixture(&q);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct entry_place place = { 0 };
        bool found = queue_find(&q, cases[i].ref, &place);
        if (found != (cases[i].list >= 0) ||
            (found && ((int)place.list != cases[i].list || (int)place.index != cases[i].index)))
            fail_msg("%s: found %d at %d:%zu", cases[i].name, found, (int)place.list, place.index);
    }
    queue_finish(&q);
}

static void now_is_found_however_web_players_re_made_it(void **state)
{
    static const struct {
        const char *name;
        const char *now[3];
        int index; /* in main; -1: detached */
    } cases[] = {
        { "unchanged copy", { "real", "va", "t1" }, 0 },
        { "new id and new time", { "current_1", "vb", "t99" }, 3 },
        { "no time", { "unique()", "va", "" }, 1 }, /* its status says it plays */
        { "an entry that left", { "gone", "va", "t0" }, -1 },
        { "a song that is nowhere", { "current_1", "vz", "t0" }, -1 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct queue q;
        fixture(&q);
        q.list[QUEUE_MAIN].at[1]->status = TRACK_PLAYING;
        q.now = entry(cases[i].now[0], cases[i].now[1], cases[i].now[2]);
        struct entry_place place = { 0 };
        bool found = queue_playing(&q, &place);
        if (found != (cases[i].index >= 0) || (found && (int)place.index != cases[i].index))
            fail_msg("%s: found %d at %zu", cases[i].name, found, place.index);
        struct entry_place named; /* and a reference made of it means the same entry */
        if (found && (!queue_find(&q, entry_ref_of(q.now), &named) || named.list != place.list ||
                      named.index != place.index))
            fail_msg("%s: the reference means another", cases[i].name);
        queue_finish(&q);
    }
}

static void an_operation_on_a_re_made_now_reaches_the_real_entry(void **state)
{
    struct queue q;
    script_queue(&q, "A B C||");
    q.now = entry("current_1760000000000", "v-B", "2025-10-16T06:05:33.410Z");
    struct queue_op start = { OP_START, .entry = entry_ref_of(q.list[QUEUE_MAIN].at[1]) };
    assert_int_equal(queue_apply(&q, &start), 0); /* not the head: moved there */
    assert_string_equal(q.now->id, "id-B");
    assert_string_equal(q.list[QUEUE_MAIN].at[0]->id, "id-B");
    struct queue_op end = { OP_END, .entry = { .id = "id-B" } };
    assert_int_equal(queue_apply(&q, &end), 0);
    assert_string_equal(q.list[QUEUE_MAIN].at[2]->id, "id-B");
    queue_finish(&q);
}

static void a_removed_entry_takes_no_other_of_its_song_along(void **state)
{
    struct queue q;
    fixture(&q);
    struct queue_op op = { OP_REMOVE, .entry = { "unique()", "va", "t2" } };
    assert_int_equal(queue_apply(&q, &op), 0);
    assert_true(queue_apply(&q, &op) < 0);
    assert_int_equal(q.list[QUEUE_MAIN].count, FIXTURE_MAIN - 1);
    queue_finish(&q);
}

static void keys_are_unique_lasting_and_find_their_entry(void **state)
{
    struct queue q, copy;
    fixture(&q);
    queue_copy(&copy, &q);
    for (int list = 0; list < QUEUE_LISTS; list++) {
        uint64_t keys[FIXTURE_MAIN + 8];
        assert_true(q.list[list].count <= FIXTURE_MAIN + 8);
        queue_keys(&q, (enum queue_list)list, keys);
        for (size_t i = 0; i < q.list[list].count; i++) {
            uint64_t key = entry_key(&q, q.list[list].at[i]);
            assert_true(key != 0 && key == keys[i]);
            struct entry_place place;
            assert_true(queue_find_key(&q, key, &place));
            assert_int_equal(place.list, list);
            assert_int_equal(place.index, i);
            assert_true(key == entry_key(&copy, copy.list[list].at[i]));
        }
    }
    struct entry_place place;
    assert_false(queue_find_key(&q, 12345, &place));
    queue_finish(&q);
    queue_finish(&copy);
}

static void keys_of_a_list_are_those_of_its_entries_wherever_a_twin_is(void **state)
{
    enum { COUNT = 9 };
    for (size_t first = 0; first < COUNT; first++) {
        for (size_t second = first + 1; second < COUNT; second++) {
            struct queue q;
            uint64_t keys[COUNT];
            queue_init(&q);
            for (size_t i = 0; i < COUNT; i++) {
                char id[] = { (char)('a' + (i == second ? first : i)), '\0' };
                track_list_append(&q.list[QUEUE_MAIN], entry(id, "v", "t"));
            }
            queue_keys(&q, QUEUE_MAIN, keys);
            for (size_t i = 0; i < COUNT; i++)
                assert_true(keys[i] == entry_key(&q, q.list[QUEUE_MAIN].at[i]));
            queue_finish(&q);
        }
    }
}

static void the_key_of_an_entry_stays_when_others_come_and_go(void **state)
{
    struct queue q;
    script_queue(&q, "A B C|r|A");
    struct entry_place place;
    uint64_t key = entry_key(&q, q.list[QUEUE_MAIN].at[2]);
    struct queue_op remove = { OP_REMOVE, .entry = { .id = "id-B" } };
    struct queue_op skip = { OP_SKIP, .entry = { .id = "id-A" } };
    assert_int_equal(queue_apply(&q, &remove), 0);
    assert_int_equal(queue_apply(&q, &skip), 0);
    assert_true(queue_find_key(&q, key, &place));
    assert_string_equal(queue_at(&q, place)->id, "id-C");
    queue_finish(&q);
}

static void now_has_the_key_of_its_entry_and_a_detached_one_its_own(void **state)
{
    struct queue q;
    fixture(&q);
    q.now = entry("current_5", "vb", "t99");
    assert_true(entry_key(&q, q.now) == entry_key(&q, q.list[QUEUE_MAIN].at[3]));
    track_destroy(q.now);
    q.now = entry("gone", "vb", "t99");
    struct entry_place place;
    uint64_t key = entry_key(&q, q.now);
    assert_true(key != 0);
    assert_false(queue_find_key(&q, key, &place));
    queue_finish(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_real_ids_are_identities),
        cmocka_unit_test(a_reference_means_the_entry_of_the_identity_rules),
        cmocka_unit_test(now_is_found_however_web_players_re_made_it),
        cmocka_unit_test(an_operation_on_a_re_made_now_reaches_the_real_entry),
        cmocka_unit_test(a_removed_entry_takes_no_other_of_its_song_along),
        cmocka_unit_test(keys_are_unique_lasting_and_find_their_entry),
        cmocka_unit_test(keys_of_a_list_are_those_of_its_entries_wherever_a_twin_is),
        cmocka_unit_test(the_key_of_an_entry_stays_when_others_come_and_go),
        cmocka_unit_test(now_has_the_key_of_its_entry_and_a_detached_one_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
