/* The cache on disk: what comes in stays whole, what must stay stays, what is in the way goes. */
#include "source/cache_rig.h"

#include <dirent.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>

#include "base/now.h"

static bool exists(const struct rig *r, const char *below)
{
    char *path = xasprintf("%s/%s", r->cache_dir, below);
    bool is_there = access(path, F_OK) == 0;
    free(path);
    return is_there;
}

static char *path_of(struct rig *r, const char *key)
{
    struct cache_found f;
    assert_int_equal(cache_find(r->cache, key, &f), 0);
    char *path = f.path;
    cache_meta_finish(&f.meta);
    return path;
}

/* ---- names ------------------------------------------------------------------------------------------ */

static void only_plain_keys_are_keys(void **state)
{
    static const char *const good[] = { "a", "-dQw4w9WgXcQ", "_", "0123456789abcdef", "A-Z_z" };
    static const char *const bad[] = { "",    ".",    "..",       "a/b",         "../../etc/passwd",
                                       "a b", "a\nb", "--exec x", "k\xc3\xa4se", "a.b",
                                       "~",   "$(x)", "a\\b",     "a:b",         "*" };
    char longest[CACHE_KEY_MAX + 2];
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(cache_key_is_valid(good[i]));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(cache_key_is_valid(bad[i]));
    memset(longest, 'k', sizeof(longest));
    longest[CACHE_KEY_MAX + 1] = '\0';
    assert_false(cache_key_is_valid(longest));
    longest[CACHE_KEY_MAX] = '\0';
    assert_true(cache_key_is_valid(longest));
}

static void hostile_names_are_refused_everywhere_and_touch_nothing(void **state)
{
    static const char *const keys[] = { "", "..", "../x", "/etc", "a/../../b", "a\n", "." };
    static const char *const names[] = { "../song.mp4", "/etc/passwd", "",         ".mp4",
                                         "song",        "song.",       "song.m/4", "song.toolong",
                                         ".",           "..",          "song.m p" };
    struct rig *r = *state;
    char *folder;
    rig_open(r);
    assert_int_equal(rig_put(r, "good", 100, 1, NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        struct cache_found f;
        struct cache_meta m = { .bytes = 0 };
        const char *class;
        int64_t left_s;
        assert_int_equal(cache_begin(r->cache, keys[i], 1, NULL, &folder), -EINVAL);
        assert_null(folder);
        assert_int_equal(cache_publish(r->cache, keys[i], "a.mp4", &m, NULL, 0), -EINVAL);
        assert_int_equal(cache_find(r->cache, keys[i], &f), -ENOENT);
        assert_int_equal(cache_drop(r->cache, keys[i]), -ENOENT);
        assert_int_equal(cache_verify(r->cache, keys[i], true, NULL), -ENOENT);
        assert_int_equal(cache_pin(r->cache, keys[i], "x"), -EINVAL);
        cache_abandon(r->cache, keys[i]);
        cache_pause(r->cache, keys[i]);
        cache_refuse(r->cache, keys[i], "X", 100, r->now_ns);
        assert_false(cache_is_refused(r->cache, keys[i], r->now_ns, &class, &left_s));
    }
    assert_int_equal(cache_begin(r->cache, "next", 1, NULL, &folder), 0);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct cache_meta m = { .bytes = 0 };
        assert_int_equal(cache_publish(r->cache, "next", names[i], &m, NULL, 0), -EINVAL);
    }
    free(folder);
    assert_true(cache_has(r->cache, "good"));
    assert_int_equal(cache_count(r->cache), 1);
}

/* ---- publishing -------------------------------------------------------------------------------------- */

static void subtitles_stay_with_a_song_when_they_are_good(void **state)
{
    static const struct {
        const char *name, *text;
        size_t len;
        bool is_kept;
    } files[] = {
        { "media.en.vtt", "WEBVTT\n", 7, true },
        { "media.pt-BR.srt", "1\n", 2, true },
        { "media.de.ass", "[Events]", 8, true },
        { "media.fr.srt", "a\0b", 3, false },         /* no text */
        { "media.it.srt", "\xff\xfe\xfd", 3, false }, /* no UTF-8 */
        { "media.nl.srt", "", 0, false },
        { "media.en.mp4", "x", 1, false },
        { "media.e n.srt", "x", 1, false },
        { "media.-en.srt", "x", 1, false },
        { "media.en.srt.part", "x", 1, false },
        { "media.srt", "x", 1, false },
        { "other.en.srt", "x", 1, false },
    };
    struct rig *r = *state;
    struct cache_meta m = { .bytes = 0 };
    struct cache_found f;
    char *folder, *path;
    rig_open(r);
    assert_int_equal(cache_begin(r->cache, "key", 1000, NULL, &folder), 0);
    rig_write(folder, "media.mp4", 1000, 3);
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        path = xasprintf("%s/%s", folder, files[i].name);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fwrite(files[i].text, 1, files[i].len, file);
        fclose(file);
        free(path);
    }
    path = xasprintf("%s/media.sv.srt", folder);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    free(path);
    rig_write(folder, "media.da.srt", (uint64_t)3 << 20, 3); /* too large */
    assert_int_equal(cache_publish(r->cache, "key", "media.mp4", &m, NULL, r->now_ns), 0);
    free(folder);
    assert_int_equal(cache_find(r->cache, "key", &f), 0);
    *strrchr(f.path, '/') = '\0';
    size_t kept = 0, bytes = 1000;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        path = xasprintf("%s/%s", f.path, files[i].name);
        bool is_kept = access(path, F_OK) == 0;
        if (is_kept != files[i].is_kept)
            fail_msg("%s is %skept", files[i].name, is_kept ? "" : "not ");
        kept += is_kept;
        bytes += is_kept ? files[i].len : 0;
        free(path);
    }
    DIR *dir = opendir(f.path);
    size_t names = 0;
    while (readdir(dir))
        names++;
    closedir(dir);
    assert_int_equal(names, kept + 4); /* the song, its meta.json, "." and ".." */
    assert_int_equal(cache_verify(r->cache, "key", true, NULL), 0);
    char *gone = xstrdup(f.path);
    cache_found_finish(&f);
    assert_int_equal(cache_item_at(r->cache, 0).bytes, bytes); /* they take room like the song */
    rig_close(r);
    path = xasprintf("%s/index.json", r->cache_dir);
    assert_int_equal(unlink(path), 0);
    free(path);
    rig_open(r);
    assert_int_equal(cache_item_at(r->cache, 0).bytes,
                     bytes); /* and it is known from its meta.json alone */
    assert_int_equal(cache_drop(r->cache, "key"), 0);
    assert_int_not_equal(access(gone, F_OK), 0);
    free(gone);
}

static void a_published_file_is_found_with_all_that_is_known_of_it(void **state)
{
    struct rig *r = *state;
    char *folder, title[] = "Zur\xc3\xbc\x63k \"now\"\n", artist[] = "Someone",
                  id[] = "dQw4w9WgXcQ", url[] = "https://example.org/v", profile[] = "h264-1080p30",
                  codecs[] = "h264 aac", version[] = "2026.10.26";
    struct cache_meta m = {
        .id = id,
        .title = title,
        .artist = artist,
        .url = url,
        .profile = profile,
        .height = 720,
        .codecs = codecs,
        .extractor = version,
        .duration_s = 212.5,
        .fetched_ms = WALL_MS,
    };
    rig_open(r);
    assert_int_equal(cache_begin(r->cache, "key", 10000, NULL, &folder), 0);
    rig_write(folder, "Some Title.MKV", 10000, 3);
    rig_write(folder, "Some Title.mkv.part", 77, 3);
    assert_int_equal(cache_publish(r->cache, "key", "Some Title.MKV", &m, NULL, r->now_ns), 0);
    free(folder);
    for (int life = 0; life < 2; life++) {
        struct cache_found f;
        struct stat st;
        assert_int_equal(cache_find(r->cache, "key", &f), 0);
        assert_non_null(strstr(f.path, "/key/media.mkv"));
        assert_int_equal(stat(f.path, &st), 0);
        assert_int_equal(st.st_size, 10000);
        assert_string_equal(f.meta.title, title);
        assert_string_equal(f.meta.artist, "Someone");
        assert_string_equal(f.meta.id, "dQw4w9WgXcQ");
        assert_string_equal(f.meta.url, "https://example.org/v");
        assert_string_equal(f.meta.profile, "h264-1080p30");
        assert_int_equal(f.meta.height, 720);
        assert_string_equal(f.meta.codecs, "h264 aac");
        assert_string_equal(f.meta.extractor, "2026.10.26");
        assert_true(f.meta.duration_s == 212.5);
        assert_int_equal(f.meta.fetched_ms, WALL_MS);
        assert_int_equal(f.meta.bytes, 10000);
        assert_int_equal(strlen(f.meta.sha256), 64);
        assert_int_equal(f.meta.has_loudness, life);
        assert_int_equal(f.meta.has_ends, life);
        if (life)
            assert_true(f.meta.loudness_lufs == -9.5 && f.meta.last_sound_s == 210.25);
        cache_found_finish(&f);
        struct cache_meta sound = { .has_loudness = true,
                                    .loudness_lufs = -9.5,
                                    .peak_db = -0.25,
                                    .has_ends = true,
                                    .first_sound_s = 1,
                                    .last_sound_s = 210.25 };
        assert_int_equal(cache_set_sound(r->cache, "key", &sound), 0);
        assert_int_equal(cache_verify(r->cache, "key", true, NULL), 0);
        rig_close(r);
        rig_open(r);
    }
    char key[CACHE_KEY_MAX + 1];
    assert_true(cache_key_of(r->cache, "dQw4w9WgXcQ", key));
    assert_string_equal(key, "key");
    assert_true(cache_key_of(r->cache, "key", key));
    assert_false(cache_key_of(r->cache, "other", key));
    assert_false(exists(r, "partial/key"));
    char *path = path_of(r, "key"),
         *part = xasprintf("%.*s/Some Title.mkv.part", (int)(strrchr(path, '/') - path), path);
    assert_int_equal(access(part, F_OK), -1); /* what else lay there did not come along */
    assert_true(cache_key_of_path(r->cache, path, key));
    assert_string_equal(key, "key");
    assert_false(cache_key_of_path(r->cache, "/m/media/00/key/media.mkv", key));
    assert_false(cache_key_of_path(r->cache, "media.mkv", key));
    assert_false(cache_key_of_path(r->cache, "", key));
    free(part);
    free(path);
}

static void what_is_no_file_is_never_published(void **state)
{
    struct rig *r = *state;
    struct cache_meta m = { .bytes = 0 };
    char *folder;
    rig_open(r);
    assert_int_equal(cache_publish(r->cache, "key", "a.mp4", &m, NULL, 0), -ENOENT);
    assert_int_equal(cache_begin(r->cache, "key", 100, NULL, &folder), 0);
    char *path = xasprintf("%s/a.mp4", folder), *secret = xasprintf("%s/secret.mp4", r->dir);
    rig_write(r->dir, "secret.mp4", 100, 1);
    assert_int_equal(cache_publish(r->cache, "key", "a.mp4", &m, NULL, 0), -ENOENT);
    assert_int_equal(symlink(secret, path), 0);
    assert_int_equal(cache_publish(r->cache, "key", "a.mp4", &m, NULL, 0), -ENODATA);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(cache_publish(r->cache, "key", "a.mp4", &m, NULL, 0), -ENODATA);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(cache_publish(r->cache, "key", "a.mp4", &m, NULL, 0), -ENODATA);
    assert_int_equal(unlink(path), 0);
    rig_write(folder, "a.mp4", 0, 0);
    assert_int_equal(cache_publish(r->cache, "key", "a.mp4", &m, NULL, 0), -ENODATA);
    assert_int_equal(cache_count(r->cache), 0);
    rig_write(folder, "a.mp4", 10, 0);
    char *link = xasprintf("%s/beside", folder); /* goes, and what it points at stays */
    assert_int_equal(symlink(r->dir, link), 0);
    assert_int_equal(cache_publish(r->cache, "key", "a.mp4", &m, NULL, 0), 0);
    assert_int_equal(access(secret, F_OK), 0);
    free(link);
    free(path);
    free(secret);
    free(folder);
}

static void a_second_file_of_a_key_takes_the_place_of_the_first(void **state)
{
    struct rig *r = *state;
    struct cache_found f;
    rig_open(r);
    assert_int_equal(rig_put(r, "key", 1000, 1, NULL), 0);
    rig_close(r);
    rig_open(r);
    assert_int_equal(rig_put(r, "key", 2000, 2, NULL), 0);
    assert_int_equal(cache_count(r->cache), 1);
    assert_int_equal(cache_find(r->cache, "key", &f), 0);
    assert_int_equal(f.meta.bytes, 2000);
    cache_found_finish(&f);
    assert_int_equal(cache_verify(r->cache, "key", true, NULL), 0);
    assert_false(exists(r, "partial/key"));
    rig_crash(r); /* the index is of the time before the second one */
    rig_open(r);
    assert_int_equal(cache_item_at(r->cache, 0).bytes, 2000);
}

/* ---- opening ------------------------------------------------------------------------------------------ */

static void one_process_has_it_at_a_time(void **state)
{
    struct rig *r = *state, other = *r;
    rig_open(r);
    assert_int_equal(rig_try_open(&other), -EWOULDBLOCK);
    assert_null(other.cache);
    rig_close(r);
    rig_open(r);
}

static void a_folder_of_somebody_else_is_left_alone(void **state)
{
    struct rig *r = *state;
    char *media = xasprintf("%s/media/00/key", r->cache_dir);
    assert_int_equal(dir_make(media), 0);
    rig_write(media, "holiday.mp4", 100, 1);
    assert_int_equal(rig_try_open(r), -ENOTEMPTY);
    assert_true(exists(r, "media/00/key/holiday.mp4"));
    assert_false(exists(r, "CACHEDIR.TAG"));
    free(media);
}

static void halves_are_removed_when_it_opens(void **state)
{
    struct rig *r = *state;
    char *folder;
    rig_open(r);
    assert_int_equal(rig_put(r, "whole", 1000, 1, NULL), 0);
    assert_int_equal(rig_put(r, "half", 1000, 1, NULL), 0);
    char *path = path_of(r, "half"), *half = xstrndup(path, (size_t)(strrchr(path, '/') - path));
    char *meta = xasprintf("%s/meta.json", half);
    assert_int_equal(unlink(meta), 0);
    assert_int_equal(cache_begin(r->cache, "sealed", 10, NULL, &folder), 0);
    rig_write(folder, "media.mp4", 10, 1);
    rig_write(folder, "meta.json", 10, 1); /* anybody could have written that */
    free(folder);
    rig_crash(r);
    rig_open(r);
    assert_int_equal(cache_count(r->cache), 1);
    assert_true(cache_has(r->cache, "whole"));
    assert_int_equal(access(half, F_OK), -1);
    assert_false(exists(r, "partial/sealed"));
    free(meta);
    free(half);
    free(path);
}

static void set_age(struct rig *r, const char *below, int64_t wall_ms)
{
    char *path = xasprintf("%s/%s", r->cache_dir, below);
    struct timespec t = { .tv_sec = wall_ms / 1000 };
    assert_int_equal(utimensat(AT_FDCWD, path, (struct timespec[]){ t, t }, AT_SYMLINK_NOFOLLOW),
                     0);
    free(path);
}

static void partials_live_three_days_and_a_clock_in_1970_removes_none(void **state)
{
    static const struct {
        int64_t now_ms, file_ms;
        bool stays;
    } cases[] = {
        { WALL_MS, WALL_MS - INT64_C(2) * 86400000, true },
        { WALL_MS, WALL_MS - INT64_C(4) * 86400000, false },
        { 60000, WALL_MS, true },          /* the box does not know the time yet */
        { WALL_MS, WALL_MS + 1000, true }, /* it went back */
    };
    struct rig *r = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *folder;
        rig_open(r);
        assert_int_equal(cache_begin(r->cache, "old", 10, NULL, &folder), 0);
        rig_write(folder, "song.part", 10, 1);
        set_age(r, "partial/old/song.part", cases[i].file_ms);
        set_age(r, "partial/old", cases[i].file_ms - 1000);
        rig_close(r);
        r->params.wall_ms = cases[i].now_ms;
        rig_open(r);
        assert_int_equal(exists(r, "partial/old/song.part"), cases[i].stays);
        rig_close(r);
        free(folder);
    }
}

static void a_lost_or_damaged_index_costs_nothing_but_the_order(void **state)
{
    static const char odd[] = "{\"entries\":[1,null,{\"key\":7},{\"key\":\"a\",\"bytes\":-5,"
                              "\"plays\":-1,\"worth\":\"x\",\"stamp\":1}]}";
    static const char *const texts[] = { "", "{", "[]", odd };
    struct rig *r = *state;
    rig_open(r);
    assert_int_equal(rig_put(r, "a", 3000, 1, NULL), 0);
    assert_int_equal(rig_put(r, "b", 5000, 1, NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        char *index = xasprintf("%s/index.json", r->cache_dir);
        rig_close(r);
        assert_int_equal(file_replace(index, texts[i], strlen(texts[i])), 0);
        rig_open(r);
        assert_int_equal(cache_count(r->cache), 2);
        assert_int_equal(cache_item_at(r->cache, 0).bytes, 3000);
        assert_int_equal(cache_item_at(r->cache, 1).bytes, 5000);
        free(index);
    }
}

/* Only what opening looks at, not what publishing would sync. */
static void put_many(struct rig *r, int count)
{
    for (int i = 0; i < count; i++) {
        char key[32], hash[SHA256_TEXT_SIZE], file[] = "media.mp4";
        snprintf(key, sizeof(key), "key%05d", i);
        memset(hash, 'a', sizeof(hash) - 1);
        hash[sizeof(hash) - 1] = '\0';
        struct cache_meta m = { .title = key, .bytes = 1000 };
        memcpy(m.file, file, sizeof(file));
        memcpy(m.sha256, hash, sizeof(hash));
        /* The hash of a key names its folder: find it as the cache does, by asking. */
        uint64_t h = 0xcbf29ce484222325u;
        for (const char *p = key; *p; p++)
            h = (h ^ (unsigned char)*p) * 0x100000001b3u;
        char *folder = xasprintf("%s/media/%02x/%s", r->cache_dir, (unsigned)(h & 0xff), key);
        char *path = xasprintf("%s/meta.json", folder), *text = cache_meta_text(&m, key);
        assert_int_equal(dir_make(folder), 0);
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        fputs(text, f);
        fclose(f);
        free(text);
        free(path);
        free(folder);
    }
}

/* Of this process: what others do to the machine meanwhile is none of the cache's. */
static int64_t cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void twenty_thousand_entries_open_in_a_second(void **state)
{
    struct rig *r = *state;
    rig_open(r);
    rig_close(r);
    put_many(r, 20000);
    int64_t begin = cpu_ns();
    rig_open(r); /* reads them all */
    int64_t first = cpu_ns() - begin;
    assert_int_equal(cache_count(r->cache), 20000);
    rig_close(r);
    begin = cpu_ns();
    rig_open(r);
    int64_t second = cpu_ns() - begin;
    assert_int_equal(cache_count(r->cache), 20000);
    assert_int_equal(cache_item_at(r->cache, 19999).bytes, 1000);
    print_message("20000 entries: %.0f ms without index, %.0f ms with it\n", (double)first / 1e6,
                  (double)second / 1e6);
    assert_true(second < SECONDS(1));
}

/* ---- room --------------------------------------------------------------------------------------------- */

/* The keys that are there, each a letter, in order. */
static const char *keys_of(const struct rig *r, char out[64])
{
    size_t n = 0;
    for (size_t i = 0; i < cache_count(r->cache); i++)
        out[n++] = cache_item_at(r->cache, i).key[0];
    out[n] = '\0';
    return out;
}

static void the_least_played_and_longest_unused_go_first_and_the_larger_of_two_alike(void **state)
{
    struct rig *r = *state;
    char keys[64];
    r->params.max_bytes = 9 * MEGABYTE;
    rig_open(r);
    assert_int_equal(rig_put(r, "a", MEGABYTE, 1, NULL), 0);
    assert_int_equal(rig_put(r, "b", MEGABYTE, 1, NULL), 0);
    assert_int_equal(rig_put(r, "c", MEGABYTE, 1, NULL), 0);
    assert_int_equal(rig_put(r, "d", 2 * MEGABYTE, 1, NULL), 0);
    cache_touch(r->cache, "a", r->now_ns);
    cache_touch(r->cache, "a", r->now_ns);
    r->now_ns += 100 * SECONDS(86400);
    cache_touch(r->cache, "b", r->now_ns); /* a's two plays of long ago are worth less */
    assert_int_equal(rig_put(r, "e", 5 * MEGABYTE, 1, NULL), 0);
    assert_string_equal(keys_of(r, keys), "abce"); /* d: larger than c, else alike */
    assert_int_equal(rig_put(r, "f", MEGABYTE, 1, NULL), 0);
    assert_string_equal(keys_of(r, keys), "abcef");
    assert_int_equal(cache_prune(r->cache, 8 * MEGABYTE, NULL), 0);
    assert_string_equal(keys_of(r, keys), "abef");
    rig_close(r);
    rig_open(r); /* plays and last uses live on */
    assert_int_equal(cache_item_at(r->cache, 0).plays, 2);
    assert_int_equal(cache_prune(r->cache, 7 * MEGABYTE + 1, NULL), 0);
    assert_string_equal(keys_of(r, keys), "bef");
    assert_int_equal(cache_prune(r->cache, 0, NULL), 0);
    assert_int_equal(cache_count(r->cache), 0);
}

static void pinned_and_used_entries_never_go(void **state)
{
    static const char *const used[] = { "b", "c" };
    const struct cache_use use = { used, ARRAY_LEN(used) };
    struct rig *r = *state;
    char keys[64], *folder;
    r->params.max_bytes = 4 * MEGABYTE;
    rig_open(r);
    assert_int_equal(cache_pin(r->cache, "a", "house"), 0); /* before it is there */
    for (const char *k = "abcd"; *k; k++)
        assert_int_equal(rig_put(r, (char[]){ *k, '\0' }, MEGABYTE, 1, &use), 0);
    assert_int_equal(rig_put(r, "e", MEGABYTE, 1, &use), 0);
    assert_string_equal(keys_of(r, keys), "abce");
    /* Only e may go, and that would not be enough: then it stays, too. */
    assert_int_equal(cache_begin(r->cache, "f", 2 * MEGABYTE, &use, &folder), -ENOSPC);
    assert_null(folder);
    assert_string_equal(keys_of(r, keys), "abce");
    assert_int_equal(cache_prune(r->cache, 0, &use), -ENOSPC);
    assert_string_equal(keys_of(r, keys), "abc");
    assert_int_equal(cache_make_room(r->cache, 1, &use), -ENOSPC);
    rig_crash(r);
    rig_open(r); /* the pin is on disk */
    assert_int_equal(cache_prune(r->cache, 0, NULL), -ENOSPC);
    assert_string_equal(keys_of(r, keys), "a");
    assert_string_equal(cache_item_at(r->cache, 0).pin, "house");
    assert_int_equal(cache_drop(r->cache, "a"), 0);
    assert_int_equal(cache_pin_count(r->cache), 1); /* fetched again, it is pinned again */
    assert_int_equal(rig_put(r, "a", 1000, 1, NULL), 0);
    assert_string_equal(cache_item_at(r->cache, 0).pin, "house");
    assert_int_equal(cache_unpin(r->cache, "a"), 0);
    assert_int_equal(cache_unpin(r->cache, "a"), -ENOENT);
    assert_int_equal(cache_prune(r->cache, 0, NULL), 0);
}

static void the_disk_keeps_its_floor_free(void **state)
{
    struct rig *r = *state;
    struct cache_space s;
    char keys[64];
    r->disk_bytes = 10 * MEGABYTE;
    r->params.floor_bytes = 4 * MEGABYTE;
    rig_open(r);
    for (const char *k = "abcdefgh"; *k; k++) {
        assert_int_equal(rig_put(r, (char[]){ *k, '\0' }, MEGABYTE, 1, NULL), 0);
        r->now_ns += SECONDS(1);
        assert_int_equal(cache_space(r->cache, &s), 0);
        assert_true(s.free >= 4 * MEGABYTE - 20000);
    }
    assert_string_equal(keys_of(r, keys) + strlen(keys) - 2, "gh");
    assert_true(strlen(keys) >= 4);
    r->params.floor_bytes = 20 * MEGABYTE; /* somebody else filled the disk */
    rig_close(r);
    rig_open(r);
    assert_int_equal(rig_put(r, "z", 1000, 1, NULL), -ENOSPC);
    assert_true(cache_has(r->cache, "h")); /* for nothing, nothing goes */
}

static void what_is_being_fetched_is_reserved_and_what_was_put_aside_goes_first(void **state)
{
    struct rig *r = *state;
    char *folder, *other;
    r->params.max_bytes = 5 * MEGABYTE;
    rig_open(r);
    assert_int_equal(rig_put(r, "a", MEGABYTE, 1, NULL), 0);
    assert_int_equal(cache_begin(r->cache, "x", 3 * MEGABYTE, NULL, &folder), 0);
    rig_write(folder, "x.part", MEGABYTE, 1);
    assert_int_equal(cache_begin(r->cache, "y", MEGABYTE, NULL, &other), 0);
    assert_true(cache_has(r->cache, "a"));
    free(other);
    assert_int_equal(cache_begin(r->cache, "z", MEGABYTE, NULL, &other), 0);
    assert_false(cache_has(r->cache, "a")); /* x will need its 3 */
    free(other);
    cache_abandon(r->cache, "y");
    cache_abandon(r->cache, "z");
    assert_int_equal(rig_put(r, "b", MEGABYTE, 1, NULL), 0);
    cache_pause(r->cache, "x");
    assert_true(exists(r, "partial/x/x.part"));
    static const char *const used[] = { "x" };
    const struct cache_use use = { used, 1 };
    assert_int_equal(cache_make_room(r->cache, 1, &use), 0);
    assert_true(exists(r, "partial/x/x.part")); /* it is wanted: b went */
    assert_false(cache_has(r->cache, "b"));
    assert_int_equal(rig_put(r, "c", MEGABYTE, 1, NULL), 0);
    assert_int_equal(cache_make_room(r->cache, 1, NULL), 0);
    assert_false(exists(r, "partial/x"));
    assert_true(cache_has(r->cache, "c"));
    free(folder);
}

/* ---- a small disk --------------------------------------------------------------------------------------- */

#define DISK_BYTES "2m"

/* On a disk of 2 MB that is full but for what goes. NULL, or what is wrong. */
static const char *fill_disk(struct rig *r)
{
    static const char *const used[] = { "q" };
    const struct cache_use use = { used, 1 };
    char *folder;
    if (rig_try_open(r) < 0)
        return "it does not open";
    if (cache_pin(r->cache, "p", "house") < 0 || rig_put(r, "p", 400000, 1, &use) < 0 ||
        rig_put(r, "q", 400000, 1, &use) < 0 || rig_put(r, "x", 400000, 1, &use) < 0)
        return "the first songs do not fit";
    /* Others fill the disk to the last block. */
    char block[4096] = "x", *path = xasprintf("%s/others", r->cache_dir);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    while (write(fd, block, sizeof(block)) == sizeof(block))
        ;
    close(fd);
    if (cache_pin(r->cache, "n", "house") != -ENOSPC || cache_pin_count(r->cache) != 1)
        return "a pin that is not on disk is said to be";
    int ret = cache_begin(r->cache, "n", 300000, &use, &folder);
    if (ret < 0 || cache_has(r->cache, "x"))
        return "nothing makes room";
    rig_write(folder, "n.mp4", 300000, 1);
    fd = open(path, O_WRONLY | O_APPEND);
    while (write(fd, block, sizeof(block)) == sizeof(block))
        ;
    close(fd);
    struct cache_meta m = { .bytes = 0 };
    if (cache_publish(r->cache, "n", "n.mp4", &m, &use, 0) != -ENOSPC || cache_has(r->cache, "n"))
        return "what cannot be written is published";
    unlink(path);
    if (cache_publish(r->cache, "n", access(folder, F_OK) == 0 ? "media.mp4" : "n.mp4", &m, &use,
                      0) != 0)
        return "it is not published with room";
    if (cache_verify(r->cache, "p", true, NULL) < 0 ||
        cache_verify(r->cache, "q", true, NULL) < 0 || cache_verify(r->cache, "n", true, NULL) < 0)
        return "something that had to stay is damaged";
    free(folder);
    free(path);
    rig_close(r);
    return NULL;
}

static bool mount_disk(const char *dir)
{
    int flags = CLONE_NEWNS | (geteuid() ? CLONE_NEWUSER : 0);
    if (unshare(flags) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return false;
    return mount("disk", dir, "tmpfs", 0, "size=" DISK_BYTES) == 0;
}

static void a_full_disk_loses_nothing_that_is_pinned_or_queued(void **state)
{
    struct rig *r = *state;
    assert_int_equal(dir_make(r->cache_dir), 0);
    pid_t child = fork();
    if (child == 0) {
        if (!mount_disk(r->cache_dir))
            _exit(77);
        const char *wrong = fill_disk(r);
        if (wrong)
            fprintf(stderr, "a small disk: %s\n", wrong);
        _exit(wrong ? 1 : 0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        fail_msg("a small disk cannot be made here: run it as root, or allow user namespaces");
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* ---- damage --------------------------------------------------------------------------------------------- */

static void damage(struct rig *r, const char *key, bool cuts)
{
    char *path = path_of(r, key);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    if (cuts)
        assert_int_equal(ftruncate(fd, 100), 0);
    else
        assert_int_equal(pwrite(fd, "!", 1, 500), 1);
    close(fd);
    free(path);
}

static void damaged_entries_are_found_said_and_dropped(void **state)
{
    static const char *const used[] = { "u" };
    const struct cache_use use = { used, 1 };
    struct rig *r = *state;
    struct cache_found f;
    rig_open(r);
    for (const char *k = "cfgu"; *k; k++)
        assert_int_equal(rig_put(r, (char[]){ *k, '\0' }, 1000, 1, NULL), 0);
    damage(r, "c", true);
    damage(r, "f", false);
    damage(r, "u", false);
    assert_int_equal(cache_verify(r->cache, "c", false, NULL), -EBADMSG);
    assert_false(cache_has(r->cache, "c"));
    assert_int_equal(cache_verify(r->cache, "f", false, NULL), 0);
    assert_int_equal(cache_verify(r->cache, "f", true, NULL), -EBADMSG);
    assert_false(cache_has(r->cache, "f"));
    assert_int_equal(cache_verify(r->cache, "g", true, NULL), 0);
    assert_int_equal(cache_verify(r->cache, "u", true, &use), -EBADMSG);
    assert_true(cache_has(r->cache, "u"));
    damage(r, "g", true);
    assert_int_equal(cache_find(r->cache, "g", &f), -ENOENT); /* seen before it is played */
    assert_false(cache_has(r->cache, "g"));
}

/* ---- refusals ------------------------------------------------------------------------------------------- */

static void refusals_outlive_a_restart_and_no_clock_of_1970_ends_them(void **state)
{
    struct rig *r = *state;
    const char *class;
    int64_t left_s;
    rig_open(r);
    cache_refuse(r->cache, "gone", "REMOVED", 7 * 86400, r->now_ns);
    cache_refuse(r->cache, "soon", "RATE", 100, r->now_ns);
    r->now_ns += SECONDS(60);
    assert_true(cache_is_refused(r->cache, "soon", r->now_ns, &class, &left_s));
    assert_string_equal(class, "RATE");
    assert_int_equal(left_s, 40);
    rig_close(r);
    /* Days later, or in 1970, with the monotonic clock at its beginning. */
    r->now_ns = SECONDS(5);
    r->params.wall_ms = 1000;
    rig_open(r);
    assert_true(cache_is_refused(r->cache, "gone", r->now_ns, &class, &left_s));
    assert_string_equal(class, "REMOVED");
    assert_int_equal(left_s, 7 * 86400 - 60);
    assert_true(cache_is_refused(r->cache, "soon", r->now_ns + SECONDS(39), &class, &left_s));
    assert_false(cache_is_refused(r->cache, "soon", r->now_ns + SECONDS(40), &class, &left_s));
    rig_crash(r); /* the time since the last flush is not counted: it lasts longer, not less */
    rig_open(r);
    assert_true(cache_is_refused(r->cache, "gone", r->now_ns, &class, &left_s));
    cache_forgive(r->cache, "gone");
    assert_false(cache_is_refused(r->cache, "gone", r->now_ns, &class, &left_s));
    rig_close(r);
    rig_open(r);
    assert_false(cache_is_refused(r->cache, "gone", r->now_ns, &class, &left_s));
}

static void plays_are_written_rarely(void **state)
{
    struct rig *r = *state;
    rig_open(r);
    assert_int_equal(rig_put(r, "a", 1000, 1, NULL), 0);
    cache_touch(r->cache, "a", r->now_ns);
    assert_int_equal(cache_flush(r->cache, false, r->now_ns + SECONDS(599)), 0);
    assert_false(exists(r, "index.json"));
    assert_int_equal(cache_flush(r->cache, false, r->now_ns + SECONDS(600)), 0);
    assert_true(exists(r, "index.json"));
}

int main(void)
{
#define IN_RIG(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_plain_keys_are_keys),
        IN_RIG(hostile_names_are_refused_everywhere_and_touch_nothing),
        IN_RIG(a_published_file_is_found_with_all_that_is_known_of_it),
        IN_RIG(subtitles_stay_with_a_song_when_they_are_good),
        IN_RIG(what_is_no_file_is_never_published),
        IN_RIG(a_second_file_of_a_key_takes_the_place_of_the_first),
        IN_RIG(one_process_has_it_at_a_time),
        IN_RIG(a_folder_of_somebody_else_is_left_alone),
        IN_RIG(halves_are_removed_when_it_opens),
        IN_RIG(partials_live_three_days_and_a_clock_in_1970_removes_none),
        IN_RIG(a_lost_or_damaged_index_costs_nothing_but_the_order),
        IN_RIG(twenty_thousand_entries_open_in_a_second),
        IN_RIG(the_least_played_and_longest_unused_go_first_and_the_larger_of_two_alike),
        IN_RIG(pinned_and_used_entries_never_go),
        IN_RIG(the_disk_keeps_its_floor_free),
        IN_RIG(what_is_being_fetched_is_reserved_and_what_was_put_aside_goes_first),
        IN_RIG(a_full_disk_loses_nothing_that_is_pinned_or_queued),
        IN_RIG(damaged_entries_are_found_said_and_dropped),
        IN_RIG(refusals_outlive_a_restart_and_no_clock_of_1970_ends_them),
        IN_RIG(plays_are_written_rarely),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
