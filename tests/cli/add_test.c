/* Adding: words, portions, refusals, and ids that only the library knows. */
#include "support.h"

#include "cli/batch.h"
#include "cli/library.h"

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

/* ---- the library ------------------------------------------------------------------------------------ */

static const char *const library_files[] = {
    "a/Artist - Title -- dQw4w9WgXcQ.mp4",
    "a/abcdefghijk | Old - Name.webm",
    "a/X - has -- in its name -- 01234567890.mkv",
    "a/X - In-the-midle - Y.mp4",
    "a/deep/Z -- twice456789.mp4",
    "b/Z -- twice456789.mp4",
    "b/no media -- txt45678901.txt",
    "b/b\xff -- invalidname.mp4",
};

static const struct {
    const char *id, *file; /* NULL: not found */
} library_cases[] = {
    { "dQw4w9WgXcQ", "a/Artist - Title -- dQw4w9WgXcQ.mp4" },
    { "abcdefghijk", "a/abcdefghijk | Old - Name.webm" },
    { "01234567890", "a/X - has -- in its name -- 01234567890.mkv" },
    { "twice456789", "a/deep/Z -- twice456789.mp4" }, /* the folder named first */
    { "invalidname", "b/b\xff -- invalidname.mp4" },
    { "dqw4w9wgxcq", NULL }, /* case counts */
    { "dQw4w9WgXc", NULL },  /* a part of an id is none */
    { "In-the-midle", NULL },
    { "In-the-midl", NULL }, /* not where an id stands */
    { "txt45678901", NULL },
    { "Artist - Tit", NULL },
    { "a", NULL },
    { "", NULL },
};

static char *make_library(void)
{
    char *dir = temp_dir();
    make_dir(dir, "a");
    make_dir(dir, "a/deep");
    make_dir(dir, "b");
    for (size_t i = 0; i < ARRAY_LEN(library_files); i++)
        free(make_file(dir, library_files[i], "x"));
    return dir;
}

static void the_library_finds_a_file_by_the_id_in_its_name(void **state)
{
    char *dir = make_library(), *paths = xasprintf(":%s/a::%s/missing:%s/b:", dir, dir, dir);
    struct walk w;
    walk_init(&w);
    library_walk(&w, paths);
    for (size_t i = 0; i < ARRAY_LEN(library_cases); i++) {
        const char *got = library_find(&w, library_cases[i].id);
        const char *want = library_cases[i].file;
        if (!got != !want || (got && strcmp(got + strlen(dir) + 1, want) != 0))
            fail_msg("%s: %s", library_cases[i].id, got ? got : "not found");
    }
    assert_int_equal(w.unreadable, 1);
    assert_contains(w.problem, "/missing: cannot be read: No such file");
    walk_finish(&w);
    free(paths);
    remove_dir(dir);
}

#define UNKNOWN(id)                                                                                \
    "{\"file\":\"" id "\",\"code\":\"not-found\",\"error\":\"No entry of the queue has this "      \
    "id.\"}"
#define REFUSE(list) "{\"ok\":true,\"added\":[],\"refused\":[" list "]}"
#define ADDED        "{\"ok\":true,\"added\":[{\"id\":\"n\"}]}"

static const struct {
    const char *ids[2];
    const char *folder; /* of the library; NULL: the setting is empty */
    const char *answers[2];
    int code;
    const char *file;   /* asked for after the ids; NULL: none */
    const char *err[2]; /* parts of it; NULL: nothing is said */
} id_cases[] = {
    { { "dQw4w9WgXcQ" }, "", { ADDED }, 0, NULL, { NULL } }, /* the queue knows it */
    { { "dQw4w9WgXcQ" },
      "",
      { REFUSE(UNKNOWN("dQw4w9WgXcQ")), ADDED },
      0,
      "/a/Artist - Title -- dQw4w9WgXcQ.mp4\"",
      { NULL } },
    { { "dQw4w9WgXcQ", "abcdefghij0" },
      "",
      { REFUSE(UNKNOWN("dQw4w9WgXcQ") "," UNKNOWN("abcdefghij0")), ADDED },
      1,
      "/a/Artist - Title -- dQw4w9WgXcQ.mp4\"",
      { "abcdefghij0: no entry of the queue and no file of the library has this id" } },
    { { "dQw4w9WgXcQ" },
      "/gone",
      { REFUSE(UNKNOWN("dQw4w9WgXcQ")) },
      1,
      NULL,
      { "dQw4w9WgXcQ: no entry of the queue and no file", "/gone: cannot be read: No such file" } },
    { { "dQw4w9WgXcQ" },
      NULL,
      { REFUSE(UNKNOWN("dQw4w9WgXcQ")) },
      1,
      NULL,
      { "has this id, and library.paths names no folder" } },
    { { "main:7" },
      "",
      { REFUSE("{\"file\":\"main:7\",\"code\":\"failed\",\"error\":\"no\"}") },
      1,
      NULL,
      { "main:7: no" } },
};

static void an_id_the_queue_does_not_know_is_added_from_the_library(void **state)
{
    char *dir = make_library();
    for (size_t i = 0; i < ARRAY_LEN(id_cases); i++) {
        const char *id = id_cases[i].ids[0], *second = id_cases[i].ids[1];
        const char *const *err = id_cases[i].err, *folder = id_cases[i].folder;
        struct fake_player p = fake_player_at(temp_dir(), id_cases[i].answers);
        char *set =
            folder ? xasprintf("library.paths=%s%s", dir, folder) : xstrdup("log.level=info");
        struct run r = RUN("add", "--runtime-dir", p.dir, "--set", set, id, second);
        char *requests = fake_player_finish(&p);
        if (r.code != id_cases[i].code)
            fail_msg("case %zu: ended with %d: %s", i, r.code, r.err);
        assert_contains(requests, "\"ids\":[");
        if (id_cases[i].file)
            assert_contains(strchr(requests, '\n'), id_cases[i].file);
        else
            assert_null(strstr(requests, "\"files\""));
        for (size_t k = 0; k < 2 && err[k]; k++)
            assert_contains(r.err, err[k]);
        if (!err[0])
            assert_string_equal(r.err, "");
        free(set);
        free(requests);
        run_finish(&r);
    }
    remove_dir(dir);
}

static void wrong_settings_are_told_when_the_library_is_needed(void **state)
{
    struct fake_player p = FAKE_PLAYER(REFUSE(UNKNOWN("dQw4w9WgXcQ")));
    struct run r = RUN("add", "dQw4w9WgXcQ", "--set", "library.path=/", "--runtime-dir", p.dir);
    assert_int_equal(r.code, 2);
    assert_contains(r.err, "did you mean library.paths?");
    run_finish(&r);
    free(fake_player_finish(&p));
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
        cmocka_unit_test(the_library_finds_a_file_by_the_id_in_its_name),
        cmocka_unit_test(an_id_the_queue_does_not_know_is_added_from_the_library),
        cmocka_unit_test(wrong_settings_are_told_when_the_library_is_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
