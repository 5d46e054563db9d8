/* The journal: what is written is read again, and whatever is on the disk, a start succeeds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/twin_file.h"
#include "support/folder.h"
#include "player/journal.h"

/* ---- helpers ----------------------------------------------------------------------------------- */

static const struct log quiet = { .module = "test", .level = LOG_ERROR };

static int make_folder(void **state)
{
    static char path[64];
    folder_make(path);
    *state = path;
    return 0;
}

static int remove_folder(void **state)
{
    folder_remove(*state);
    return 0;
}

static void fill(struct journal_state *s, size_t count)
{
    journal_state_init(s);
    s->queue.loops = true;
    s->volume = 42;
    s->is_muted = s->shows_text = true;
    s->left_load = 0xfedcba9876543210u;
    s->arguments = 77;
    s->queue_revision = 1000000000007;
    s->sync = xstrdup("{\"version\":1,\"writer\":\"Käse\"}");
    s->is_joined = true;
    for (size_t i = 0; i < count; i++) {
        char path[64];
        snprintf(path, sizeof(path), "/m/Käse \"%zu\" \\ - ☕.mp4", i);
        struct track *t = track_create();
        track_from_path(t, path);
        struct queue_op op = { .kind = OP_ADD, .track = t, .seed = i + 1 };
        assert_int_equal(queue_apply(&s->queue, &op), 0);
        track_destroy(t);
    }
    struct entry_place place;
    if (queue_next(&s->queue, &place)) {
        struct entry_ref ref = entry_ref_of(queue_at(&s->queue, place));
        assert_true(queue_apply(&s->queue, &(struct queue_op){ .kind = OP_START, .entry = ref }) >=
                    0);
        ref = entry_ref_of(s->queue.list[QUEUE_MAIN].at[1]);
        queue_apply(&s->queue, &(struct queue_op){
                                   .kind = OP_MARK_UNPLAYABLE, .entry = ref, .reason = "Why." });
    }
}

static void put_text(const char *folder, const char *text)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/" JOURNAL_FILE, folder);
    struct twin_file *file = twin_file_create(path);
    assert_int_equal(twin_file_write(file, text, strlen(text)), 0);
    twin_file_destroy(file);
}

static void put(const char *folder, size_t count)
{
    struct journal_state s;
    fill(&s, count);
    char *text = journal_text(&s);
    put_text(folder, text);
    free(text);
    journal_state_finish(&s);
}

static size_t load_count(const char *folder)
{
    struct journal_state s;
    struct journal_position p;
    journal_load(folder, NULL, &s, &p);
    size_t count = s.queue.list[QUEUE_MAIN].count;
    assert_true(s.is_new == (count == 0));
    journal_state_finish(&s);
    return count;
}

/* ---- tests ------------------------------------------------------------------------------------- */

static void what_is_written_is_read_again(void **state)
{
    struct journal_state a, b;
    struct journal_position p;
    const char *folder = *state;
    fill(&a, 5);
    put(folder, 5);
    journal_load(folder, &quiet, &b, &p);
    assert_int_equal(b.volume, 42);
    assert_true(b.is_muted && b.shows_text && !b.is_paused && !b.is_new);
    assert_true(b.left_load == a.left_load && b.arguments == a.arguments);
    assert_true(b.queue_revision == a.queue_revision);
    assert_string_equal(b.sync, a.sync);
    assert_true(b.is_joined);
    assert_int_equal(b.queue.list[QUEUE_MAIN].count, 5);
    assert_string_equal(b.queue.list[QUEUE_MAIN].at[1]->unplayable, "Why.");
    assert_string_equal(b.queue.list[QUEUE_MAIN].at[4]->source,
                        a.queue.list[QUEUE_MAIN].at[4]->source);
    assert_non_null(b.queue.now);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(entry_key(&a.queue, a.queue.list[QUEUE_MAIN].at[i]),
                         entry_key(&b.queue, b.queue.list[QUEUE_MAIN].at[i]));
    journal_state_finish(&a);
    journal_state_finish(&b);
}

static void a_journal_of_a_box_without_a_backend_has_one_line(void **state)
{
    const char *folder = *state;
    struct journal_state s;
    struct journal_position p;
    fill(&s, 3);
    free(s.sync);
    s.sync = NULL;
    s.is_joined = false;
    char *text = journal_text(&s);
    assert_null(strchr(text, '\n'));
    put_text(folder, text);
    free(text);
    journal_state_finish(&s);
    journal_load(folder, &quiet, &s, &p);
    assert_null(s.sync);
    assert_int_equal(s.queue.list[QUEUE_MAIN].count, 3);
    journal_state_finish(&s);
}

static void the_first_start_finds_nothing_and_sets_nothing_aside(void **state)
{
    assert_int_equal(load_count(*state), 0);
    assert_false(folder_has(*state, JOURNAL_FILE ".damaged"));
}

static void a_journal_whose_writing_was_cut_is_the_one_before(void **state)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/" JOURNAL_FILE, (char *)*state);
    put(*state, 2);
    put(*state, 5);
    put(*state, 3);
    assert_int_equal(load_count(*state), 3);
    assert_int_equal(truncate(path, 500), 0); /* the third, as the first */
    assert_int_equal(load_count(*state), 5);
    assert_false(folder_has(*state, JOURNAL_FILE ".damaged"));
}

static void other_contents_are_set_aside(void **state)
{
    static const char *const texts[] = {
        "",
        "null",
        "[]",
        "{}",
        "{\"version\": 1}",
        "{\"version\": 2, \"queue\": {}}",
        "{\"version\": \"1\", \"queue\": {}}",
        "{\"version\": 1, \"queue\": []}",
        "\xff\xfe\0",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        put_text(*state, texts[i]);
        assert_int_equal(load_count(*state), 0);
        assert_false(folder_has(*state, JOURNAL_FILE));
        assert_true(folder_has(*state, JOURNAL_FILE ".damaged"));
    }
}

static void what_is_no_journal_at_all_is_set_aside(void **state)
{
    folder_write(*state, JOURNAL_FILE, "{}\n", 3);
    assert_int_equal(load_count(*state), 0);
    assert_true(folder_has(*state, JOURNAL_FILE ".damaged"));
}

static void a_folder_in_its_place_is_set_aside(void **state)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/" JOURNAL_FILE, (char *)*state);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(load_count(*state), 0);
    assert_true(folder_has(*state, JOURNAL_FILE ".damaged"));
}

static void volumes_out_of_range_are_clamped(void **state)
{
    static const struct {
        const char *text;
        uint32_t volume;
    } cases[] = {
        { "{\"version\":1,\"queue\":{},\"volume\":-5}", 0 },
        { "{\"version\":1,\"queue\":{},\"volume\":4711}", 100 },
        { "{\"version\":1,\"queue\":{},\"volume\":\"loud\"}", 75 },
        { "{\"version\":1,\"queue\":{}}", 75 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct journal_state s;
        char why[128];
        const char *text = cases[i].text;
        assert_int_equal(journal_parse(&s, text, strlen(text), why, sizeof(why)), 0);
        assert_int_equal(s.volume, cases[i].volume);
        journal_state_finish(&s);
    }
}

static void the_position_survives_or_is_none(void **state)
{
    struct journal_position a = { 0xffeeddccbbaa9988u, SECONDS(83) + MS(250), 1700000000123,
                                  MS(7) };
    struct journal_position b;
    char *text = journal_position_text(&a);
    journal_position_parse(&b, text, strlen(text));
    assert_true(a.entry == b.entry && a.started_wall_ms == b.started_wall_ms);
    assert_true(llabs(a.position_ns - b.position_ns) < 1000 &&
                llabs(a.played_ns - b.played_ns) < 1000);
    for (size_t cut = 0; cut + 1 < strlen(text); cut++) {
        journal_position_parse(&b, text, cut);
        assert_true(b.entry == 0 && b.position_ns == 0);
    }
    free(text);
    static const char *const bad[] = {
        "{\"position_s\": -1}",
        "{\"position_s\": 1e300}",
        "{\"position_s\": \"x\"}",
        "[]",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        journal_position_parse(&b, bad[i], strlen(bad[i]));
        assert_int_equal(b.position_ns, 0);
    }
}

/* Every character takes the three bytes that are the most UTF-8 needs for one of UTF-16. */
static void two_full_lists_of_wide_characters_fit(void **state)
{
    struct journal_state s, back;
    char why[256], title[3 * 10000 + 1] = "";
    journal_state_init(&s);
    s.queue.max_chars = QUEUE_LOCAL_CHARS;
    for (size_t i = 0; i + 3 < sizeof(title); i += 3)
        memcpy(title + i, "夜", 4);
    struct track *t = track_create();
    track_set(&t->title, title);
    struct queue_op op = { OP_ADD, .track = t };
    for (int l = 0; l < QUEUE_LISTS; l++, op.seed++)
        for (op.list = (enum queue_list)l; queue_apply(&s.queue, &op) == 0;)
            op.seed++;
    track_destroy(t);
    assert_true(s.queue.list[QUEUE_REQUESTS].count > 300);
    char *text = journal_text(&s);
    assert_true(strlen(text) > JOURNAL_MAX / 2 && strlen(text) < JOURNAL_MAX);
    assert_int_equal(journal_parse(&back, text, strlen(text), why, sizeof(why)), 0);
    assert_int_equal(back.queue.list[QUEUE_MAIN].count, s.queue.list[QUEUE_MAIN].count);
    free(text);
    journal_state_finish(&back);
    journal_state_finish(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_written_is_read_again, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_journal_of_a_box_without_a_backend_has_one_line,
                                        make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(the_first_start_finds_nothing_and_sets_nothing_aside,
                                        make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_journal_whose_writing_was_cut_is_the_one_before,
                                        make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(what_is_no_journal_at_all_is_set_aside, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(other_contents_are_set_aside, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_folder_in_its_place_is_set_aside, make_folder,
                                        remove_folder),
        cmocka_unit_test(volumes_out_of_range_are_clamped),
        cmocka_unit_test(the_position_survives_or_is_none),
        cmocka_unit_test(two_full_lists_of_wide_characters_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
