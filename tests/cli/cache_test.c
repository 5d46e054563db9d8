/* djamms cache: on the folder itself, and through a jukebox. */
#include "support.h"

#include "source/cache_rig.h"

static int setup(void **state)
{
    int ret = rig_setup(state);
    struct rig *r = *state;
    setenv("DJAMMS_CACHE_DIR", r->cache_dir, 1);
    setenv("DJAMMS_RUNTIME_DIR", r->dir, 1);
    return ret;
}

static void fill(struct rig *r, const char *keys)
{
    rig_open(r);
    for (; *keys; keys++) {
        assert_int_equal(rig_put(r, (char[]){ *keys, '\0' }, 2 * MEGABYTE, 1, NULL), 0);
        r->now_ns += SECONDS(1);
    }
    rig_close(r);
}

static void assert_run(struct run r, int code, const char *out, const char *err)
{
    assert_int_equal(r.code, code);
    if (out)
        assert_contains(r.out, out);
    if (err)
        assert_contains(r.err, err);
    run_finish(&r);
}

static void damage(struct rig *r, const char *key)
{
    struct cache_found f;
    rig_open(r);
    assert_int_equal(cache_find(r->cache, key, &f), 0);
    int fd = open(f.path, O_WRONLY);
    assert_int_equal(pwrite(fd, "?!", 2, 1000), 2);
    close(fd);
    cache_found_finish(&f);
    rig_close(r);
}

static void an_absent_cache_is_empty_and_stays_absent(void **state)
{
    struct rig *r = *state;
    assert_run(RUN("cache", "list"), 0, "the cache is empty", NULL);
    assert_run(RUN("cache", "list", "--json"), 0, "\"entries\":[]", NULL);
    assert_run(RUN("cache", "verify"), 0, "0 checked, 0 damaged", NULL);
    assert_run(RUN("cache", "prune"), 0, "0 removed", NULL);
    assert_run(RUN("cache", "pin", "x"), 1, NULL, "The cache is empty");
    assert_int_equal(access(r->cache_dir, F_OK), -1);
}

static void entries_are_listed_pinned_and_pruned_without_a_jukebox(void **state)
{
    struct rig *r = *state;
    fill(r, "abc");
    assert_run(RUN("cache", "list"), 0, "Song a", NULL);
    assert_run(RUN("cache", "pin", "id-a"), 0, "a stays", NULL); /* by its id */
    assert_run(RUN("cache", "pin", "c", "--json"), 0, "\"key\":\"c\"", NULL);
    assert_run(RUN("cache", "pin", "nothing"), 1, NULL, "no \"nothing\" in the cache");
    assert_run(RUN("cache", "unpin", "b"), 1, NULL, "not pinned");
    assert_run(RUN("cache", "unpin", "c"), 0, "c may go", NULL);
    assert_run(RUN("cache", "list"), 0, "pinned (staff)", NULL);
    struct run list = RUN("cache", "list", "--json");
    assert_contains(list.out, "\"key\":\"a\",\"id\":\"id-a\",\"title\":\"Song a\"");
    assert_contains(list.out, "\"media\":6000000,\"pinned\":2000000");
    run_finish(&list);
    assert_run(RUN("cache", "prune"), 0, "0 removed", NULL);
    assert_run(RUN("cache", "prune", "--to", "4M"), 0, "1 removed, 2.0 MB freed; 4.0 MB are left",
               NULL);
    assert_run(RUN("cache", "prune", "--to=0"), 1, "1 removed", "pinned or in the queue");
    assert_run(RUN("cache", "prune", "--to=0", "--json"), 1, "\"is_enough\":false", NULL);
    assert_run(RUN("cache", "list", "--json"), 0, "\"key\":\"a\"", NULL);
}

static void damage_is_found_told_and_a_failure(void **state)
{
    struct rig *r = *state;
    fill(r, "abc");
    damage(r, "b");
    assert_run(RUN("cache", "verify"), 0, "3 checked, 0 damaged", NULL); /* its size is right */
    assert_run(RUN("cache", "verify", "--deep"), 1,
               "b is damaged and was dropped\n3 checked, 1 damaged", NULL);
    assert_run(RUN("cache", "verify", "--deep", "--json"), 0,
               "{\"ok\":true,\"checked\":2,\"damaged\":[]}", NULL);
}

static void two_never_write_at_once(void **state)
{
    struct rig *r = *state;
    fill(r, "a");
    rig_open(r);
    assert_run(RUN("cache", "list"), 1, NULL, "another program works on it");
}

static void a_folder_with_other_things_is_refused(void **state)
{
    struct rig *r = *state;
    char *media = xasprintf("%s/media", r->cache_dir);
    assert_int_equal(dir_make(media), 0);
    assert_run(RUN("cache", "list"), 1, NULL, "holds other things");
    free(media);
}

static void wrong_usage_is_told(void **state)
{
    assert_run(RUN("cache"), 2, NULL, "something is missing");
    assert_run(RUN("cache", "lsit"), 2, NULL, "no command lsit");
    assert_run(RUN("cache", "pin"), 2, NULL, "cache pin ID");
    assert_run(RUN("cache", "list", "a"), 2, NULL, "one word too many");
    assert_run(RUN("cache", "list", "--deep"), 2, NULL, "cache list takes no option --deep");
    assert_run(RUN("cache", "verify", "--to", "1"), 2, NULL, "cache verify takes no option --to");
    static const char *const sizes[] = {
        "x", "-1", "5Q", "1MB", "1.5G", "99999999999999999999", "M"
    };
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
        assert_run(RUN("cache", "prune", "--to", sizes[i]), 2, NULL, "is no size");
    assert_run(RUN("cache", "list", "--set", "cache.size=many"), 2, NULL, "cache.size");
}

static void a_jukebox_is_asked_slice_by_slice(void **state)
{
    struct fake_player p = FAKE_PLAYER(
        "{\"ok\":true,\"checked\":5,\"damaged\":[{\"key\":\"x\",\"is_dropped\":false}],\"next\":"
        "\"k\"}",
        "{\"ok\":true,\"checked\":2,\"damaged\":[],\"next\":null}", "{\"ok\":true,\"key\":\"abc\"}",
        "{\"ok\":false,\"code\":\"failed\",\"error\":\"No, thanks.\"}");
    setenv("DJAMMS_RUNTIME_DIR", p.dir, 1);
    assert_run(RUN("cache", "verify", "--deep"), 1,
               "x is damaged and still in use\n7 checked, 1 damaged", NULL);
    assert_run(RUN("cache", "pin", "--", "-abc"), 0, "abc stays", NULL);
    assert_run(RUN("cache", "prune", "--to", "20G"), 1, NULL, "No, thanks.");
    char *requests = fake_player_finish(&p);
    assert_contains(requests, "{\"command\":\"cache\",\"do\":\"verify\",\"deep\":true}");
    assert_contains(requests, "\"deep\":true,\"after\":\"k\"}");
    assert_contains(requests, "\"do\":\"pin\",\"id\":\"-abc\"}");
    assert_contains(requests, "\"do\":\"prune\",\"bytes\":20000000000}");
    free(requests);
}

int main(void)
{
    setenv("DJAMMS_CONFIG", "/nonexistent", 1);
#define IN_RIG(test) cmocka_unit_test_setup_teardown(test, setup, rig_teardown)
    const struct CMUnitTest tests[] = {
        IN_RIG(an_absent_cache_is_empty_and_stays_absent),
        IN_RIG(entries_are_listed_pinned_and_pruned_without_a_jukebox),
        IN_RIG(damage_is_found_told_and_a_failure),
        IN_RIG(two_never_write_at_once),
        IN_RIG(a_folder_with_other_things_is_refused),
        IN_RIG(wrong_usage_is_told),
        IN_RIG(a_jukebox_is_asked_slice_by_slice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
