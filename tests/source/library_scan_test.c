/* Trees that change, scan after scan: what the index and those who listen are told. */
#include "source/folder.h"

#include <errno.h>

#include "base/text.h"
#include "base/now.h"
#include "model/track.h"
#include "source/library_scan.h"
#include "support/permissions.h"

enum { TOLD_MAX = 64 };

/* An index on an empty tree, and what a scan tells: one line each, "new a/Song.mp4". */
struct rig {
    char *dir, *music, *database;
    char *roots[2];
    struct library_index *index;
    struct folder_watch *watch;
    struct scan *scan;
    size_t files_max;
    char *told[TOLD_MAX];
    size_t told_count, told_total;
    long stop_after; /* files told; -1: never */
    struct log log;
    int64_t wall_ms;
};

static void on_file(void *ctx, const struct library_file *f, unsigned root, enum file_event event)
{
    static const char *const names[] = { "known", "new", "away", "forgotten" };
    struct rig *r = ctx;
    r->told_total++;
    if (r->stop_after > 0)
        r->stop_after--;
    if (r->told_count == TOLD_MAX)
        return;
    const char *folder = f->folder + strlen(r->dir);
    r->told[r->told_count++] =
        xasprintf("%s %s/%s", names[event], folder + (*folder == '/'), f->name);
    assert_true(f->row > 0);
    if (event != FILE_KNOWN)
        assert_int_equal(f->absent_ms > 0, event == FILE_AWAY || event == FILE_FORGOTTEN);
}

static bool is_stopped(void *ctx)
{
    return ((struct rig *)ctx)->stop_after == 0;
}

static void forget_told(struct rig *r)
{
    for (size_t i = 0; i < r->told_count; i++)
        free(r->told[i]);
    r->told_count = r->told_total = 0;
}

static void open_scan(struct rig *r)
{
    struct scan_params p = { .index = r->index,
                             .watch = r->watch,
                             .files_max = r->files_max,
                             .reads_tags = true,
                             .on_file = on_file,
                             .is_stopped = is_stopped,
                             .ctx = r,
                             .log = &r->log };
    assert_int_equal(scan_create(&r->scan, &p, r->roots, 1), 0);
}

static void rig_init(struct rig *r)
{
    *r = (struct rig){ .files_max = 200000, .stop_after = -1, .wall_ms = 1000 };
    r->log = (struct log){ "test", LOG_ERROR };
    r->dir = folder_make();
    r->music = xasprintf("%s/m", r->dir);
    r->database = xasprintf("%s/library.db", r->dir);
    r->roots[0] = r->music;
    assert_int_equal(mkdir(r->music, 0700), 0);
    assert_int_equal(library_index_open(&r->index, r->database, true, &r->log), 0);
    open_scan(r);
}

static void rig_finish(struct rig *r)
{
    forget_told(r);
    scan_destroy(r->scan);
    folder_watch_destroy(r->watch);
    library_index_close(r->index);
    free(r->music);
    free(r->database);
    folder_remove(r->dir);
}

/* A new life on the same index. */
static void rig_restart(struct rig *r)
{
    scan_destroy(r->scan);
    library_index_close(r->index);
    assert_int_equal(library_index_open(&r->index, r->database, true, &r->log), 0);
    open_scan(r);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All that was told since the last time, sorted, with blanks between. */
static void assert_told(struct rig *r, const char *want)
{
    char all[8192] = "";
    qsort(r->told, r->told_count, sizeof(*r->told), by_text);
    for (size_t i = 0; i < r->told_count; i++)
        snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", i ? ", " : "", r->told[i]);
    assert_string_equal(all, want);
    forget_told(r);
}

static void scan(struct rig *r, const char *want)
{
    assert_int_equal(scan_all(r->scan, r->roots, 1, ++r->wall_ms), 0);
    assert_told(r, want);
}

static const char *counts(const struct rig *r)
{
    static char text[128];
    const struct scan_counts *c = scan_counts(r->scan);
    snprintf(text, sizeof(text), "%zu/%zu/%zu", c->folders, c->files, c->away);
    return text;
}

static void new_files_are_found_and_what_has_not_changed_is_not_touched(void **state)
{
    struct rig r;
    rig_init(&r);
    scan(&r, "");
    folder_write(r.music, "A - B.mp4", "x");
    folder_write(r.music, "deep/er/C.mp3", "x");
    folder_write(r.music, "deep/notes.txt", "x");
    folder_write(r.music, ".hidden/D.mp4", "x");
    folder_write(r.music, ".E.mp4", "x");
    scan(&r, "new m/A - B.mp4, new m/deep/er/C.mp3");
    assert_string_equal(counts(&r), "3/2/0");
    scan(&r, "");
    rig_restart(&r);
    assert_told(&r, "known m/A - B.mp4, known m/deep/er/C.mp3");
    assert_string_equal(counts(&r), "0/2/0");
    scan(&r, "");
    assert_string_equal(counts(&r), "3/2/0");
    rig_finish(&r);
}

static void changed_renamed_and_deleted_files_are_told(void **state)
{
    struct rig r;
    rig_init(&r);
    folder_write(r.music, "a.mp4", "x");
    folder_write(r.music, "b.mp4", "x");
    folder_write(r.music, "c.mp4", "x");
    scan(&r, "new m/a.mp4, new m/b.mp4, new m/c.mp4");
    folder_write(r.music, "a.mp4", "longer");
    folder_rename(r.music, "b.mp4", "d.mp4");
    folder_delete(r.music, "c.mp4");
    scan(&r, "away m/b.mp4, away m/c.mp4, new m/a.mp4, new m/d.mp4");
    assert_string_equal(counts(&r), "1/2/2");
    scan(&r, "");
    folder_write(r.music, "c.mp4", "other");  /* another version is back */
    folder_rename(r.music, "d.mp4", "b.mp4"); /* the same one is back */
    scan(&r, "away m/d.mp4, new m/b.mp4, new m/c.mp4");
    assert_string_equal(counts(&r), "1/3/1");
    rig_finish(&r);
}

static void a_folder_that_goes_takes_its_files_along_and_brings_them_back(void **state)
{
    struct rig r;
    rig_init(&r);
    folder_write(r.music, "stick/a.mp4", "x");
    folder_write(r.music, "stick/deep/b.mp4", "x");
    scan(&r, "new m/stick/a.mp4, new m/stick/deep/b.mp4");
    folder_rename(r.music, "stick", "../out");
    scan(&r, "away m/stick/a.mp4, away m/stick/deep/b.mp4");
    assert_string_equal(counts(&r), "1/0/2");
    rig_restart(&r);
    forget_told(&r);
    scan(&r, "");
    folder_rename(r.dir, "out", "m/stick");
    scan(&r, "new m/stick/a.mp4, new m/stick/deep/b.mp4");
    assert_string_equal(counts(&r), "3/2/0");
    folder_rename(r.dir, "m", "elsewhere"); /* all of it, and back */
    scan(&r, "away m/stick/a.mp4, away m/stick/deep/b.mp4");
    assert_non_null(strstr(scan_counts(r.scan)->problem, "/m: cannot be read: No such file"));
    folder_rename(r.dir, "elsewhere", "m");
    scan(&r, "new m/stick/a.mp4, new m/stick/deep/b.mp4");
    assert_string_equal(scan_counts(r.scan)->problem, "");
    rig_finish(&r);
}

static void what_is_away_for_long_is_forgotten(void **state)
{
    struct rig r;
    rig_init(&r);
    folder_write(r.music, "a.mp4", "x");
    folder_write(r.music, "b.mp4", "x");
    scan(&r, "new m/a.mp4, new m/b.mp4");
    folder_delete(r.music, "a.mp4");
    scan(&r, "away m/a.mp4");
    assert_int_equal(scan_forget(r.scan, r.wall_ms), 0);
    assert_told(&r, "");
    assert_int_equal(scan_forget(r.scan, r.wall_ms + 1), 0);
    assert_told(&r, "forgotten m/a.mp4");
    assert_string_equal(counts(&r), "1/1/0");
    folder_write(r.music, "a.mp4", "x");
    scan(&r, "new m/a.mp4");
    rig_finish(&r);
}

static void links_may_form_any_loop(void **state)
{
    struct rig r;
    rig_init(&r);
    folder_write(r.music, "a/song.mp4", "x");
    folder_link(r.music, ".", "a/self");
    folder_link(r.music, "..", "a/up");
    folder_link(r.music, "a", "z");
    folder_link(r.music, "nowhere", "a/dead.mp4");
    folder_link(r.music, "song.mp4", "a/linked.mp4");
    scan(&r, "new m/a/linked.mp4, new m/a/song.mp4");
    scan(&r, "");
    assert_string_equal(counts(&r), "2/2/0");
    rig_finish(&r);
}

static void a_folder_that_cannot_be_read_is_told_and_the_rest_is_found(void **state)
{
    struct rig r;
    rig_init(&r);
    folder_write(r.music, "locked/a.mp4", "x");
    folder_write(r.music, "open/b.mp4", "x");
    char *locked = xasprintf("%s/locked", r.music);
    scan(&r, "new m/locked/a.mp4, new m/open/b.mp4");
    permissions_bind(true);
    chmod(locked, 0);
    scan(&r, "away m/locked/a.mp4");
    assert_int_equal(scan_counts(r.scan)->unreadable, 1);
    assert_non_null(strstr(scan_counts(r.scan)->problem, "/locked: cannot be read: Permission"));
    chmod(locked, 0700);
    scan(&r, "new m/locked/a.mp4");
    permissions_bind(false);
    assert_int_equal(scan_counts(r.scan)->unreadable, 0);
    free(locked);
    rig_finish(&r);
}

static void names_may_hold_any_byte(void **state)
{
    static const char *const names[] = { "line\nbreak.mp4", "bad\xff\xc3 bytes -- abcdefghij0.mp4",
                                         "100% 'quoted\"; DROP TABLE file.mp4", "\x01.mp4" };
    struct rig r;
    rig_init(&r);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        folder_write(r.music, names[i], "x");
    folder_write(r.music, "fol\xff\nder/x.mp4", "x");
    assert_int_equal(scan_all(r.scan, r.roots, 1, 1), 0);
    assert_int_equal(r.told_count, 5);
    forget_told(&r);
    rig_restart(&r);
    assert_int_equal(r.told_count, 5);
    forget_told(&r);
    scan(&r, "");
    struct library_songs songs;
    assert_int_equal(library_index_search(r.index, "bytes", 10, &songs), 0);
    assert_int_equal(songs.count, 1);
    assert_string_equal(songs.at[0].key, "abcdefghij0");
    char *path = path_from_source(songs.at[0].source);
    assert_int_equal(access(path, R_OK), 0);
    free(path);
    library_songs_finish(&songs);
    rig_finish(&r);
}

static void a_large_folder_is_bounded(void **state)
{
    struct rig r;
    rig_init(&r);
    for (int i = 0; i < 100000; i++) {
        char path[128];
        snprintf(path, sizeof(path), "%s/%06d.mp4", r.music, i);
        assert_int_equal(mknod(path, S_IFREG | 0600, 0), 0);
    }
    r.files_max = 99000;
    scan_destroy(r.scan);
    open_scan(&r);
    assert_int_equal(scan_all(r.scan, r.roots, 1, 1), 0);
    assert_true(scan_counts(r.scan)->is_cut);
    assert_int_equal(scan_counts(r.scan)->files, 99000);
    assert_int_equal(r.told_total, 99000);
    forget_told(&r);
    folder_write(r.music, "other/new.mp4", "x"); /* nor elsewhere */
    assert_int_equal(scan_all(r.scan, r.roots, 1, 2), 0);
    assert_int_equal(scan_counts(r.scan)->files, 99000);
    rig_finish(&r);
}

static void a_scan_that_is_stopped_loses_nothing(void **state)
{
    struct rig r;
    rig_init(&r);
    folder_write(r.music, "a.mp4", "x");
    folder_write(r.music, "b.mp4", "x");
    folder_write(r.music, "c/d.mp4", "x");
    scan(&r, "new m/a.mp4, new m/b.mp4, new m/c/d.mp4");
    folder_write(r.music, "a.mp4", "longer");
    folder_write(r.music, "b.mp4", "longer");
    r.stop_after = 1;
    assert_int_equal(scan_all(r.scan, r.roots, 1, 2), -ECANCELED);
    assert_told(&r, "new m/a.mp4");
    r.stop_after = -1;
    rig_restart(&r);
    assert_told(&r, "known m/a.mp4, known m/b.mp4, known m/c/d.mp4");
    scan(&r, "new m/b.mp4");
    rig_finish(&r);
}

/* ---- folders that are told to have changed ------------------------------------------------------- */

static void on_changed(void *ctx, const char *path)
{
    scan_mark(((struct rig *)ctx)->scan, path);
}

/* What inotify tells by now; it tells at once. */
static void follow(struct rig *r, const char *want)
{
    folder_watch_take(r->watch, on_changed, r);
    assert_int_equal(scan_marked(r->scan, ++r->wall_ms), 0);
    assert_told(r, want);
}

static void changes_are_followed_in_the_folders_they_are_in(void **state)
{
    struct rig r;
    rig_init(&r);
    assert_int_equal(folder_watch_create(&r.watch), 0);
    scan_destroy(r.scan);
    open_scan(&r);
    folder_write(r.music, "a/one.mp4", "x");
    scan(&r, "new m/a/one.mp4");
    follow(&r, "");
    folder_write(r.music, "a/two.mp4", "x");
    follow(&r, "new m/a/two.mp4");
    folder_write(r.music, "b/c/three.mp4", "x"); /* folders that nobody watched yet */
    follow(&r, "new m/b/c/three.mp4");
    folder_write(r.music, "b/c/four.mp4", "x"); /* now they do */
    follow(&r, "new m/b/c/four.mp4");
    folder_rename(r.music, "b", "a/b"); /* moved below another */
    follow(&r, "away m/b/c/four.mp4, away m/b/c/three.mp4, new m/a/b/c/four.mp4, "
               "new m/a/b/c/three.mp4");
    folder_delete(r.music, "a/b/c/four.mp4");
    follow(&r, "away m/a/b/c/four.mp4");
    folder_rename(r.music, "a/b", "../out"); /* out of sight */
    follow(&r, "away m/a/b/c/three.mp4");
    folder_write(r.dir, "out/c/three.mp4", "changed there");
    follow(&r, "");
    folder_rename(r.music, "../out", "b");
    follow(&r, "new m/b/c/three.mp4");
    assert_string_equal(counts(&r), "4/3/3");
    folder_rename(r.music, "a", "b/a"); /* its new place is looked at before its old one */
    follow(&r, "away m/a/one.mp4, away m/a/two.mp4, new m/b/a/one.mp4, new m/b/a/two.mp4");
    rig_finish(&r);
}

static void a_folder_that_is_missing_in_another_is_away_though_nobody_watched_it(void **state)
{
    struct rig r;
    rig_init(&r);
    folder_write(r.music, "a/b/one.mp4", "x");
    scan(&r, "new m/a/b/one.mp4");
    folder_rename(r.music, "a", "../out");
    scan_mark(r.scan, r.music);
    assert_true(scan_is_marked(r.scan));
    assert_int_equal(scan_marked(r.scan, 2), 0);
    assert_false(scan_is_marked(r.scan));
    assert_told(&r, "away m/a/b/one.mp4");
    rig_finish(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_files_are_found_and_what_has_not_changed_is_not_touched),
        cmocka_unit_test(changed_renamed_and_deleted_files_are_told),
        cmocka_unit_test(a_folder_that_goes_takes_its_files_along_and_brings_them_back),
        cmocka_unit_test(what_is_away_for_long_is_forgotten),
        cmocka_unit_test(links_may_form_any_loop),
        cmocka_unit_test(a_folder_that_cannot_be_read_is_told_and_the_rest_is_found),
        cmocka_unit_test(names_may_hold_any_byte),
        cmocka_unit_test(a_large_folder_is_bounded),
        cmocka_unit_test(a_scan_that_is_stopped_loses_nothing),
        cmocka_unit_test(changes_are_followed_in_the_folders_they_are_in),
        cmocka_unit_test(a_folder_that_is_missing_in_another_is_away_though_nobody_watched_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
