/* The order of names and the search for media. */
#include "support.h"

#include "cli/natural.h"
#include "cli/walk.h"

static const char *const in_order[] = {
    "",
    " a",
    "1",
    "01",
    "2",
    "10",
    "10a",
    "99999999999999999999999999999998",
    "99999999999999999999999999999999",
    "100000000000000000000000000000000",
    "A - 2 - x.mp4",
    "a - 10 - x.mp4",
    "Track 1",
    "track 1",
    "track 01",
    "Track 1 b",
    "track 2",
    "Zebra",
    "\xc3\xa4",
    "\xff",
};

static int sign(int n)
{
    return (n > 0) - (n < 0);
}

static void names_are_in_the_order_a_person_counts(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(in_order); i++) {
        for (size_t k = 0; k < ARRAY_LEN(in_order); k++) {
            int want = (i > k) - (i < k);
            /* "1" before "01" and "Track 1" before "track 1" is decided by bytes alone. */
            bool is_by_bytes = (i == 2 && k == 3) || (i == 3 && k == 2) ||
                               (i >= 12 && i <= 14 && k >= 12 && k <= 14);
            int got = sign(natural_compare(in_order[i], in_order[k]));
            if (is_by_bytes)
                want = sign(strcmp(in_order[i], in_order[k]));
            if (got != want)
                fail_msg("\"%s\" and \"%s\": %d", in_order[i], in_order[k], got);
        }
    }
}

static void assert_found(const struct walk *w, const char *dir, const char *const names[],
                         size_t count)
{
    assert_int_equal(w->count, count);
    for (size_t i = 0; i < count; i++) {
        char *want = xasprintf("%s/%s", dir, names[i]);
        assert_string_equal(w->path[i], want);
        free(want);
    }
}

static void make_files(const char *dir, const char *const names[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(make_file(dir, names[i], "x"));
}

static void media_is_found_below_in_order_whatever_its_name(void **state)
{
    static const char *const names[] = {
        "10.mp4",    "9.MP4",       "new\nline.mkv", "quo\"te's.webm", "bad\xff\xfe.mp3",
        "notes.txt", ".hidden.mp4", "mp4",           "sub/2.flac",     "sub/deep/1.opus"
    };
    static const char *const want[] = { "9.MP4",          "10.mp4",         "bad\xff\xfe.mp3",
                                        "new\nline.mkv",  "quo\"te's.webm", "sub/2.flac",
                                        "sub/deep/1.opus" };
    char *dir = temp_dir();
    make_dir(dir, "sub");
    make_dir(dir, "sub/deep");
    make_dir(dir, "empty.mp4");
    make_files(dir, names, ARRAY_LEN(names));
    struct walk w;
    walk_init(&w);
    assert_int_equal(walk_add_folder(&w, dir), ARRAY_LEN(want));
    assert_found(&w, dir, want, ARRAY_LEN(want));
    assert_int_equal(w.folders, 4);
    assert_false(w.is_cut);
    walk_finish(&w);
    remove_dir(dir);
}

static void links_in_circles_end_and_no_folder_is_read_twice(void **state)
{
    char *dir = temp_dir(), *path, *sub = xasprintf("%s/a", dir);
    make_dir(dir, "a");
    free(make_file(sub, "1.mp4", "x"));
    const char *const links[][2] = { { ".", "a/self" },
                                     { "..", "a/up" },
                                     { "a", "b" },
                                     { "c", "c" },
                                     { "nowhere.mp4", "broken.mp4" },
                                     { "a/1.mp4", "z.mp4" } };
    for (size_t i = 0; i < ARRAY_LEN(links); i++) {
        path = xasprintf("%s/%s", dir, links[i][1]);
        assert_int_equal(symlink(links[i][0], path), 0);
        free(path);
    }
    static const char *const want[] = { "a/1.mp4", "z.mp4" };
    struct walk w;
    walk_init(&w);
    assert_int_equal(walk_add_folder(&w, dir), 2);
    assert_found(&w, dir, want, 2);
    walk_finish(&w);
    free(sub);
    remove_dir(dir);
}

static void a_folder_too_deep_is_said_and_not_followed(void **state)
{
    char *dir = temp_dir(), *deep = xstrdup(dir);
    for (int i = 0; i < WALK_DEPTH_MAX + 3; i++) {
        char *below = xasprintf("%s/d", deep);
        assert_int_equal(mkdir(below, 0700), 0);
        free(deep);
        deep = below;
    }
    free(make_file(deep, "1.mp4", "x"));
    struct walk w;
    walk_init(&w);
    assert_int_equal(walk_add_folder(&w, dir), 0);
    assert_true(w.is_cut);
    walk_finish(&w);
    free(deep);
    remove_dir(dir);
}

static void a_missing_folder_is_an_error_and_an_empty_one_is_none(void **state)
{
    char *dir = temp_dir(), *missing = xasprintf("%s/missing", dir);
    struct walk w;
    walk_init(&w);
    assert_int_equal(walk_add_folder(&w, missing), -ENOENT);
    assert_int_equal(walk_add_folder(&w, dir), 0);
    assert_int_equal(w.count, 0);
    walk_finish(&w);
    free(missing);
    remove_dir(dir);
}

#define MANY 100000

static void count_call(void *ctx, const struct walk *w)
{
    (*(int *)ctx)++;
}

static void a_hundred_thousand_entries_are_found_in_order_with_progress(void **state)
{
    char *dir = temp_dir();
    int folder = open(dir, O_RDONLY | O_DIRECTORY), calls = 0;
    for (int i = 0; i < MANY; i++) {
        char name[32];
        snprintf(name, sizeof(name), "%d.mp4",
                 (int)((int64_t)i * 77773 % MANY)); /* a permutation */
        assert_int_equal(mknodat(folder, name, S_IFREG | 0600, 0), 0);
    }
    close(folder);
    struct walk w;
    walk_init(&w);
    w.progress = count_call;
    w.progress_ctx = &calls;
    assert_int_equal(walk_add_folder(&w, dir), MANY);
    for (int i = 0; i < MANY; i++) {
        const char *slash = strrchr(w.path[i], '/');
        assert_int_equal(atoi(slash + 1), i);
    }
    assert_true(calls > 10);
    walk_finish(&w);
    remove_dir(dir);
}

static const struct {
    const char *path, *below; /* NULL: the path itself comes back */
} absolute_cases[] = {
    { "x.mp4", "/x.mp4" }, { "./x.mp4", "/x.mp4" }, { "././/a/x", "/a/x" },    { ".", "" },
    { "./", "" },          { "../x", "/../x" },     { ".hidden", "/.hidden" }, { "/x.mp4", NULL },
    { "/./x", NULL },
};

static void a_relative_path_becomes_absolute(void **state)
{
    char *cwd = getcwd(NULL, 0);
    for (size_t i = 0; i < ARRAY_LEN(absolute_cases); i++) {
        const char *below = absolute_cases[i].below;
        char *want = below ? xasprintf("%s%s", cwd, below) : xstrdup(absolute_cases[i].path);
        char *got = path_absolute(absolute_cases[i].path);
        assert_string_equal(got, want);
        free(got);
        free(want);
    }
    free(cwd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_in_the_order_a_person_counts),
        cmocka_unit_test(media_is_found_below_in_order_whatever_its_name),
        cmocka_unit_test(links_in_circles_end_and_no_folder_is_read_twice),
        cmocka_unit_test(a_folder_too_deep_is_said_and_not_followed),
        cmocka_unit_test(a_missing_folder_is_an_error_and_an_empty_one_is_none),
        cmocka_unit_test(a_hundred_thousand_entries_are_found_in_order_with_progress),
        cmocka_unit_test(a_relative_path_becomes_absolute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
