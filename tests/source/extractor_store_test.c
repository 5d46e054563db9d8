/* The versions of yt-dlp on disk: which one is in use after each step, and after a kill between two. */
#include "source/folder.h"

#include <errno.h>
#include <stdbool.h>

#include "source/extractor_store.h"

/* sha256 of "x" */
#define SUM "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"

static void put(const char *dir, const char *version)
{
    struct extractor_offer o = { .sha256 = SUM, .size = 1 };
    snprintf(o.version, sizeof(o.version), "%s", version);
    assert_int_equal(extractor_put(dir, &o, "x", 1), 0);
}

static void use(const char *dir, const char *version)
{
    put(dir, version);
    assert_int_equal(extractor_use(dir, version), 0);
}

/* "" : none is linked. */
static void assert_links(const char *dir, const char *current, const char *previous)
{
    char version[EXTRACTOR_VERSION_SIZE];
    assert_string_equal(extractor_linked(dir, EXTRACTOR_CURRENT, version) ? version : "", current);
    assert_string_equal(extractor_linked(dir, EXTRACTOR_PREVIOUS, version) ? version : "",
                        previous);
}

static bool has(const char *dir, const char *name)
{
    char *path = xasprintf("%s/%s", dir, name);
    bool is_there = access(path, F_OK) == 0;
    free(path);
    return is_there;
}

static void versions_follow_one_another_and_go_back(void **state)
{
    char *dir = folder_make(), why[EXTRACTOR_WHY_SIZE];
    assert_links(dir, "", "");
    put(dir, "1.1");
    assert_links(dir, "", ""); /* it is only there */
    assert_int_equal(extractor_use(dir, "1.1"), 0);
    assert_links(dir, "1.1", "");
    use(dir, "1.2");
    assert_links(dir, "1.2", "1.1");
    use(dir, "1.3");
    assert_links(dir, "1.3", "1.2");
    assert_false(extractor_is_refused(dir, "1.3", why));
    assert_int_equal(extractor_go_back(dir, "It sings badly."), 0);
    assert_links(dir, "1.2", "");
    assert_true(extractor_is_refused(dir, "1.3", why));
    assert_string_equal(why, "It sings badly.");
    assert_int_equal(extractor_go_back(dir, "So does it."), 0);
    assert_links(dir, "", "");
    assert_int_equal(extractor_go_back(dir, "?"), -ENOENT);
    use(dir, "1.3"); /* again, by hand */
    assert_false(extractor_is_refused(dir, "1.3", why));
    assert_links(dir, "1.3", "");
    folder_remove(dir);
}

static void what_is_not_linked_is_dropped_and_reasons_stay_while_they_matter(void **state)
{
    char *dir = folder_make();
    static const char *const there[] = { "1.2/yt-dlp", "1.3/yt-dlp", "1.4/refused" };
    static const char *const gone[] = { "1.0", "1.1", "1.4/yt-dlp", "1.5" };
    put(dir, "1.0");
    assert_int_equal(extractor_refuse(dir, "1.0", "old"), 0);
    use(dir, "1.1");
    use(dir, "1.2");
    use(dir, "1.3");
    put(dir, "1.4");
    assert_int_equal(extractor_refuse(dir, "1.4", "bad"), 0);
    put(dir, "1.5"); /* killed before it was used */
    extractor_clean(dir);
    for (size_t i = 0; i < sizeof(there) / sizeof(there[0]); i++)
        assert_true(has(dir, there[i]));
    for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
        assert_false(has(dir, gone[i]));
    assert_links(dir, "1.3", "1.2");
    folder_remove(dir);
}

static void a_kill_between_two_steps_leaves_a_version_that_works(void **state)
{
    char *dir = folder_make(), why[EXTRACTOR_WHY_SIZE];
    use(dir, "1.1");
    use(dir, "1.2");
    /* In the middle of extractor_use(): a new link is not in place yet, or the other one is still the old one. */
    put(dir, "1.3");
    folder_link(dir, "1.3", "link.new");
    assert_links(dir, "1.2", "1.1");
    assert_int_equal(extractor_use(dir, "1.3"), 0); /* it does not stand in the way */
    assert_links(dir, "1.3", "1.2");
    /* In the middle of extractor_go_back(): it is refused, and still linked. */
    assert_int_equal(extractor_refuse(dir, "1.3", "?"), 0);
    assert_links(dir, "1.3", "1.2");
    assert_int_equal(extractor_go_back(dir, "now"), 0);
    assert_links(dir, "1.2", "");
    assert_true(extractor_is_refused(dir, "1.3", why));
    /* Whatever else is in the folder. */
    folder_write(dir, "1.9/sha256", SUM);
    folder_delete(dir, "current");
    folder_link(dir, "1.9", "current");
    assert_links(dir, "", ""); /* it has no file */
    folder_delete(dir, "current");
    folder_link(dir, "../../etc", "current");
    assert_links(dir, "", "");
    folder_remove(dir);
}

static void a_file_that_changed_is_not_whole(void **state)
{
    char *dir = folder_make();
    put(dir, "1.1");
    assert_true(extractor_is_whole(dir, "1.1"));
    folder_write(dir, "1.1/yt-dlp", "y");
    assert_false(extractor_is_whole(dir, "1.1"));
    assert_false(extractor_is_whole(dir, "1.2"));
    folder_remove(dir);
}

static void a_version_that_came_anew_is_not_proven_yet(void **state)
{
    char *dir = folder_make();
    use(dir, "1.1");
    assert_false(extractor_is_proven(dir, "1.1"));
    assert_int_equal(extractor_prove(dir, "1.1"), 0);
    assert_true(extractor_is_proven(dir, "1.1"));
    put(dir, "1.1");
    assert_false(extractor_is_proven(dir, "1.1"));
    folder_remove(dir);
}

static void only_one_works_on_it(void **state)
{
    char *dir = folder_make(), *below = xasprintf("%s/a/b", dir);
    int lock = extractor_lock(below, 0);
    assert_true(lock >= 0);
    assert_int_equal(extractor_lock(below, 0), -EWOULDBLOCK);
    close(lock);
    lock = extractor_lock(below, 0);
    assert_true(lock >= 0);
    close(lock);
    free(below);
    folder_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_follow_one_another_and_go_back),
        cmocka_unit_test(what_is_not_linked_is_dropped_and_reasons_stay_while_they_matter),
        cmocka_unit_test(a_kill_between_two_steps_leaves_a_version_that_works),
        cmocka_unit_test(a_file_that_changed_is_not_whole),
        cmocka_unit_test(a_version_that_came_anew_is_not_proven_yet),
        cmocka_unit_test(only_one_works_on_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
