/* Adding: words, portions, refusals, and ids that only the library knows. */
#include "support.h"

#include "cli/batch.h"

static void add_sorts_words_into_files_folders_and_ids(void **state)
{
    char *dir = temp_dir(), *media = make_file(dir, "one.mp4", "x"),
         *text = make_file(dir, "a.txt", "x");
    char *zero = make_file(dir, "zero.mp4", ""), *bad = make_file(dir, "b\xff.mp4", "x");
    char *missing = xasprintf("%s/missing.mp4", dir), *sub = xasprintf("%s/sub", dir);
    make_dir(dir, "sub");
    struct fake_player p =
        FAKE_PLAYER("{\"ok\":true,\"added\":[{\"id\":\"1\"},{\"id\":\"2\"}],\"refused\":"
                    "[{\"file\":\"f\",\"error\":\"is damaged\"}]}",
                    "{\"ok\":true,\"added\":[{\"id\":\"3\"}]}");
    struct run r = RUN("add", media, "dQw4w9WgXcQ", text, zero, bad, missing, sub, "--request",
                       "Ann", "--runtime-dir", p.dir);
    char *requests = fake_player_finish(&p);
    assert_int_equal(r.code, 1);
    assert_contains(r.out, "added 3 tracks");
    assert_contains(r.err, "a.txt: not a media file, by its ending");
    assert_contains(r.err, "zero.mp4: the file is empty");
    assert_contains(r.err, "missing.mp4: there is no such file");
    assert_contains(r.err, "sub: there is no media file in this folder");
    assert_contains(r.err, "f: is damaged");
    assert_contains(requests, "\"ids\":[\"dQw4w9WgXcQ\"]");
    assert_contains(requests, "\"request\":\"Ann\"");
    assert_contains(requests, "/one.mp4\"");
    assert_contains(requests, "file:///"); /* the name that is no UTF-8 */
    assert_contains(requests, "b%FF.mp4\"");
    free(requests);
    run_finish(&r);
    char *const paths[] = { media, text, zero, bad, missing, sub };
    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        free(paths[i]);
    remove_dir(dir);
}

static void make_numbered(const char *dir, int count)
{
    for (int i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof(name), "%d.mp4", i);
        free(make_file(dir, name, "x"));
    }
}

static char *answer_of(int added, const char *tail)
{
    struct buf b;
    buf_init(&b, 64 * 1024);
    assert_int_equal(buf_printf(&b, "{\"ok\":true,\"added\":["), 0);
    for (int i = 0; i < added; i++)
        assert_int_equal(buf_printf(&b, "%s{\"id\":\"%d\"}", i ? "," : "", i), 0);
    assert_int_equal(buf_printf(&b, "]%s}", tail), 0);
    return b.data;
}

static void a_large_folder_is_sent_in_portions_in_order(void **state)
{
    char *dir = temp_dir(), *full = answer_of(200, ""), *rest = answer_of(50, "");
    make_numbered(dir, 450);
    struct fake_player p = FAKE_PLAYER(full, full, rest);
    struct run r = RUN("add", dir, "--runtime-dir", p.dir);
    char *requests = fake_player_finish(&p);
    assert_int_equal(r.code, 0);
    assert_string_equal(r.out, "added 450 tracks\n");
    char *second = strchr(requests, '\n') + 1, *third = strchr(second, '\n') + 1;
    assert_true(strstr(requests, "/0.mp4") < second && strstr(requests, "/199.mp4") < second);
    assert_true(strstr(requests, "/200.mp4") > second && strstr(requests, "/399.mp4") < third);
    assert_true(strstr(requests, "/449.mp4") > third);
    run_finish(&r);
    free(requests);
    p = FAKE_PLAYER(rest, full, full);
    r = RUN("add", dir, "--next", "--runtime-dir", p.dir);
    requests = fake_player_finish(&p);
    /* Each portion goes before the one sent earlier. */
    assert_true(strstr(requests, "/449.mp4") < strstr(requests, "/200.mp4"));
    assert_true(strstr(requests, "/200.mp4") < strstr(requests, "/0.mp4"));
    run_finish(&r);
    free(requests);
    free(full);
    free(rest);
    remove_dir(dir);
}

static const struct {
    const char *option, *first, *second, *want;
} place_cases[] = {
    { "--json", "", "", "{\"ok\":true,\"added\":[" },
    { NULL, "4", "5", "added 2 tracks, the first at main:4\n" },
    /* Each goes before the one sent earlier. */
    { "--next", "1", "1", "added 2 tracks, the first at main:1\n" },
    { "--next", "7", "1", "added 2 tracks, the first at main:1\n" },
    { NULL, "-1", "5", "added 2 tracks\n" },
};

static void it_is_said_where_the_first_one_landed(void **state)
{
    char *dir = temp_dir(), *media = make_file(dir, "one.mp4", "x");
    for (size_t i = 0; i < ARRAY_LEN(place_cases); i++) {
        char answers[2][128];
        const char *const index[] = { place_cases[i].first, place_cases[i].second };
        for (size_t k = 0; k < 2; k++)
            snprintf(answers[k], sizeof(answers[k]),
                     "{\"ok\":true,\"added\":[{\"list\":\"main\",\"index\":%s}]}",
                     *index[k] ? index[k] : "null");
        struct fake_player p = FAKE_PLAYER(answers[0], answers[1]);
        struct run r =
            RUN("add", media, "dQw4w9WgXcQ", "--runtime-dir", p.dir, place_cases[i].option);
        assert_int_equal(r.code, 0);
        assert_contains(r.out, place_cases[i].want);
        run_finish(&r);
        free(fake_player_finish(&p));
    }
    free(media);
    remove_dir(dir);
}

static void a_full_queue_stops_the_adding_and_says_how_far_it_came(void **state)
{
    char *dir = temp_dir(), *full = answer_of(200, "");
    char *part =
        answer_of(7, ",\"refused\":[{\"file\":\"x\",\"error\":\"no room\",\"code\":\"full\"}]");
    make_numbered(dir, 450);
    struct fake_player p = FAKE_PLAYER(full, part, full);
    struct run r = RUN("add", dir, "--json", "--runtime-dir", p.dir);
    char *requests = fake_player_finish(&p);
    assert_int_equal(r.code, 1);
    assert_contains(r.err, "the queue is full: 207 of 450 were added");
    assert_contains(r.out, "{\"ok\":false,");
    assert_contains(r.out, "\"count\":207");
    assert_contains(r.out, "\"is_full\":true");
    assert_null(strstr(requests, "/449.mp4"));
    run_finish(&r);
    free(requests);
    p = FAKE_PLAYER("{\"ok\":false,\"code\":\"full\",\"error\":\"Too many clients.\"}");
    r = RUN("add", dir, "--runtime-dir", p.dir);
    assert_int_equal(r.code, 1);
    assert_string_equal(r.err, "djamms: Too many clients.\n"); /* not of the queue */
    run_finish(&r);
    free(fake_player_finish(&p));
    free(full);
    free(part);
    remove_dir(dir);
}

static void only_ten_refusals_are_shown_and_the_others_counted(void **state)
{
    char *dir = temp_dir();
    const char *words[20] = { "add" };
    char *made[14];
    for (int i = 0; i < 14; i++) {
        char name[32];
        snprintf(name, sizeof(name), "%d.txt", i);
        words[i + 1] = made[i] = make_file(dir, name, "x");
    }
    struct fake_player p = FAKE_PLAYER("{}");
    words[15] = "--runtime-dir";
    words[16] = p.dir;
    struct run r = run_words(words);
    assert_int_equal(r.code, 1);
    assert_contains(r.err, "/9.txt: ");
    assert_null(strstr(r.err, "/10.txt: "));
    assert_contains(r.err, "and 4 more refused");
    run_finish(&r);
    for (int i = 0; i < 14; i++)
        free(made[i]);
    free(fake_player_finish(&p));
    remove_dir(dir);
}

static void a_portion_always_fits_a_line(void **state)
{
    char *path[300], name[4000];
    memset(name, '\x01', sizeof(name) - 1); /* six bytes each as JSON */
    name[0] = '/';
    name[sizeof(name) - 1] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(path); i++)
        path[i] = name;
    size_t n = batch_length(path, ARRAY_LEN(path));
    assert_true(n > 1 && n < BATCH_FILES);
    struct message *m = batch_request(path, n);
    char *text = message_text(m, false);
    assert_true(strlen(text) < CLIENT_LINE_MAX);
    free(text);
    message_destroy(m);
    assert_int_equal(batch_length(path, 1), 1);
    assert_int_equal(batch_length(path, 0), 0);
}

/* ---- ids ------------------------------------------------------------------------------------------------ */

static void ids_the_player_does_not_know_are_told(void **state)
{
    struct fake_player p = FAKE_PLAYER(
        "{\"ok\":true,\"added\":[{\"id\":\"n\"}],\"refused\":[{\"file\":\"abcdefghij0\",\"code\":"
        "\"not-found\",\"error\":\"No entry of the queue and no file of the library has this "
        "id.\"}]}");
    struct run r = RUN("add", "--runtime-dir", p.dir, "dQw4w9WgXcQ", "abcdefghij0");
    char *requests = fake_player_finish(&p);
    assert_int_equal(r.code, 1);
    assert_contains(requests, "\"ids\":[\"dQw4w9WgXcQ\",\"abcdefghij0\"]");
    assert_null(strstr(requests, "\"files\""));
    assert_contains(r.out, "added 1 track");
    assert_contains(r.err, "abcdefghij0: No entry of the queue and no file of the library");
    free(requests);
    run_finish(&r);
}

int main(void)
{
    setenv("DJAMMS_CONFIG", "/nonexistent", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(add_sorts_words_into_files_folders_and_ids),
        cmocka_unit_test(a_large_folder_is_sent_in_portions_in_order),
        cmocka_unit_test(it_is_said_where_the_first_one_landed),
        cmocka_unit_test(a_full_queue_stops_the_adding_and_says_how_far_it_came),
        cmocka_unit_test(only_ten_refusals_are_shown_and_the_others_counted),
        cmocka_unit_test(a_portion_always_fits_a_line),
        cmocka_unit_test(ids_the_player_does_not_know_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
