/* The library as the player sees it: threads, changes, sticks, tags and searches, on trees that change. */
#include "source/folder.h"

#include <uv.h>

#include "base/file.h"
#include "base/now.h"
#include "source/library.h"

#define PATIENCE_MS 60000 /* a test that waits longer has failed */

struct rig {
    char *dir, *music, *database, *media, *mounts;
    uv_loop_t loop;
    uv_timer_t patience;
    struct library *library;
    size_t changes;
    struct log log;

    /* The newest answer to a search: "key key key". */
    char found[4096];
    uint64_t found_id;
    int found_error;
    bool is_cut;
};

static void on_change(void *ctx)
{
    ((struct rig *)ctx)->changes++;
}

static void on_late(uv_timer_t *t)
{
    fail_msg("waited too long");
}

static void open_library(struct rig *r, const char *probe)
{
    struct library_params p = { .path = r->database,
                                .paths = r->music,
                                .media_tops = r->media,
                                .probe = probe,
                                .log = &r->log,
                                .settle_ns = MS(1),
                                .mounts_file = r->mounts };
    assert_int_equal(library_create(&r->library, &p), 0);
    assert_int_equal(library_attach(r->library, &r->loop, on_change, r), 0);
}

static void close_library(struct rig *r)
{
    library_stop(r->library);
    uv_run(&r->loop, UV_RUN_NOWAIT);
    library_destroy(r->library);
    r->library = NULL;
}

static void rig_init(struct rig *r)
{
    *r = (struct rig){ .log = { "test", LOG_ERROR } };
    r->dir = folder_make();
    r->music = xasprintf("%s/music", r->dir);
    r->database = xasprintf("%s/library.db", r->dir);
    r->media = xasprintf("%s/media", r->dir);
    r->mounts = xasprintf("%s/mounts", r->dir);
    assert_int_equal(mkdir(r->music, 0700), 0);
    folder_write(r->dir, "mounts", "");
    uv_loop_init(&r->loop);
    uv_timer_init(&r->loop, &r->patience);
    uv_timer_start(&r->patience, on_late, PATIENCE_MS, 0);
}

static void rig_finish(struct rig *r)
{
    if (r->library)
        close_library(r);
    uv_close((uv_handle_t *)&r->patience, NULL);
    uv_run(&r->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&r->loop), 0);
    free(r->music);
    free(r->database);
    free(r->media);
    free(r->mounts);
    folder_remove(r->dir);
}

static void wait_scanned(struct rig *r)
{
    struct library_status s;
    for (library_status(r->library, &s); !s.has_scanned || s.is_scanning;
         library_status(r->library, &s))
        uv_run(&r->loop, UV_RUN_ONCE);
}

static void wait_place(struct rig *r, const char *key, enum library_place place)
{
    while (library_find(r->library, key, NULL, NULL, NULL) != place)
        uv_run(&r->loop, UV_RUN_ONCE);
}

/* Of a song; the caller frees. NULL: unknown. */
static char *source_of(struct rig *r, const char *key)
{
    char *found;
    (void)library_find(r->library, key, NULL, &found, NULL);
    return found;
}

static void assert_source(struct rig *r, const char *key, const char *name)
{
    char *found = source_of(r, key), *want = xasprintf("%s/%s", r->dir, name);
    assert_non_null(found);
    assert_string_equal(found, want);
    free(found);
    free(want);
}

static void on_found(void *ctx, uint64_t id, const struct library_songs *songs, int error)
{
    struct rig *r = ctx;
    r->found_id = id;
    r->found_error = error;
    r->found[0] = '\0';
    r->is_cut = songs->is_cut;
    for (size_t i = 0; i < songs->count; i++)
        snprintf(r->found + strlen(r->found), sizeof(r->found) - strlen(r->found), "%s%s - %s",
                 i ? ", " : "", songs->at[i].artist, songs->at[i].title);
}

static const char *search(struct rig *r, const char *text, size_t limit)
{
    static uint64_t id;
    library_search(r->library, text, limit, on_found, r, ++id);
    while (r->found_id != id)
        uv_run(&r->loop, UV_RUN_ONCE);
    assert_int_equal(r->found_error, 0);
    return r->found;
}

static void songs_are_found_by_id_and_by_words(void **state)
{
    struct rig r;
    rig_init(&r);
    folder_write(r.music, "ABBA - Dancing Queen -- xFrGuyw1V8s.mp4", "x");
    folder_write(r.music, "abcdefghijk | Queen - Under Pressure.webm", "x");
    folder_write(r.music, "deep/Bjørk - Jóga.mp4", "x");
    open_library(&r, NULL);
    struct library_status s;
    library_status(r.library, &s);
    assert_true(s.is_scanning || s.has_scanned); /* from the first moment on */
    wait_scanned(&r);
    assert_source(&r, "xFrGuyw1V8s", "music/ABBA - Dancing Queen -- xFrGuyw1V8s.mp4");
    assert_source(&r, "abcdefghijk", "music/abcdefghijk | Queen - Under Pressure.webm");
    assert_null(source_of(&r, "xfrguyw1v8s"));
    assert_null(source_of(&r, ""));
    assert_string_equal(search(&r, "queen", 10), "Queen - Under Pressure, ABBA - Dancing Queen");
    assert_string_equal(search(&r, "queen", 1), "Queen - Under Pressure");
    assert_true(r.is_cut);
    assert_string_equal(search(&r, "BJORK jog", 10), "Bjørk - Jóga");
    assert_string_equal(search(&r, "\"*NEAR(", 10), "");
    library_status(r.library, &s);
    assert_int_equal(s.files, 3);
    assert_int_equal(s.folders, 2);
    rig_finish(&r);
}

static void the_folder_named_first_is_preferred(void **state)
{
    struct rig r;
    rig_init(&r);
    folder_write(r.music, "z/Z -- twice456789.mp4", "x");
    folder_write(r.dir, "other/A -- twice456789.mp4", "x");
    char *paths = xasprintf(":%s:%s/missing:%s/other:", r.music, r.dir, r.dir);
    free(r.music);
    r.music = paths;
    open_library(&r, NULL);
    wait_scanned(&r);
    assert_source(&r, "twice456789", "music/z/Z -- twice456789.mp4");
    struct library_status s;
    library_status(r.library, &s);
    assert_non_null(strstr(s.problem, "/missing: cannot be read: No such file"));
    folder_delete(r.dir, "music/z/Z -- twice456789.mp4");
    char *at;
    while (!strstr(at = source_of(&r, "twice456789"), "/other/")) {
        free(at);
        uv_run(&r.loop, UV_RUN_ONCE);
    }
    free(at);
    rig_finish(&r);
}

static void a_change_in_a_folder_is_seen(void **state)
{
    struct rig r;
    rig_init(&r);
    open_library(&r, NULL);
    wait_scanned(&r);
    uint64_t serial = library_serial(r.library), since = 0;
    size_t changes = r.changes;
    folder_write(r.music, "new folder/A - B -- abcdefghij0.mp4", "x");
    wait_place(&r, "abcdefghij0", LIBRARY_HERE);
    library_find(r.library, "abcdefghij0", NULL, NULL, &since);
    assert_true(since > serial && since <= library_serial(r.library));
    folder_delete(r.music, "new folder/A - B -- abcdefghij0.mp4");
    wait_place(&r, "abcdefghij0", LIBRARY_AWAY);
    assert_string_equal(search(&r, "b", 10), "");
    while (r.changes == changes)
        uv_run(&r.loop, UV_RUN_ONCE);
    rig_finish(&r);
}

static void what_was_found_is_known_at_once_in_the_next_life(void **state)
{
    struct rig r;
    rig_init(&r);
    folder_write(r.music, "A - B -- abcdefghij0.mp4", "x");
    open_library(&r, NULL);
    wait_scanned(&r);
    close_library(&r);
    open_library(&r, NULL);
    library_wait_known(r.library, SECONDS(60));
    uint64_t since = 1;
    assert_int_equal(library_find(r.library, "abcdefghij0", NULL, NULL, &since), LIBRARY_HERE);
    assert_int_equal(since, 0);
    rig_finish(&r);
}

static void a_stick_that_is_plugged_in_belongs_to_it(void **state)
{
    struct rig r;
    rig_init(&r);
    folder_write(r.dir, "media/my stick/A - B -- abcdefghij0.mp4", "x");
    folder_write(r.dir, "media/not mounted/C -- abcdefghij1.mp4", "x");
    open_library(&r, NULL);
    wait_scanned(&r);
    assert_int_equal(library_find(r.library, "abcdefghij0", NULL, NULL, NULL), LIBRARY_UNKNOWN);
    char *line = xasprintf("36 25 8:1 / / rw - ext4 /dev/sda1 rw\n"
                           "40 36 8:17 / %s/my\\040stick rw,nosuid shared:2 - vfat /dev/sdb1 rw\n",
                           r.media);
    folder_write(r.dir, "mounts", line);
    library_rescan(r.library);
    wait_place(&r, "abcdefghij0", LIBRARY_HERE);
    assert_int_equal(library_find(r.library, "abcdefghij1", NULL, NULL, NULL), LIBRARY_UNKNOWN);
    folder_write(r.dir, "mounts", "");
    library_rescan(r.library);
    wait_place(&r, "abcdefghij0", LIBRARY_AWAY);
    free(line);
    rig_finish(&r);
}

static void a_damaged_index_is_made_anew(void **state)
{
    struct rig r;
    rig_init(&r);
    r.log.level = LOG_ERROR;
    folder_write(r.music, "A - B -- abcdefghij0.mp4", "x");
    folder_write(r.dir, "library.db", "This is no database at all. It never was one. Not at all.");
    open_library(&r, NULL);
    wait_scanned(&r);
    assert_source(&r, "abcdefghij0", "music/A - B -- abcdefghij0.mp4");
    rig_finish(&r);
}

static void an_index_that_cannot_be_opened_is_told(void **state)
{
    struct rig r;
    rig_init(&r);
    free(r.database);
    r.database = xasprintf("%s/no/such/folder.db", r.dir);
    open_library(&r, NULL);
    library_wait_known(r.library, SECONDS(60));
    library_search(r.library, "a", 1, on_found, &r, 7);
    while (r.found_id != 7)
        uv_run(&r.loop, UV_RUN_ONCE);
    assert_true(r.found_error < 0);
    struct library_status s;
    library_status(r.library, &s);
    assert_non_null(strstr(s.problem, "cannot be opened: No such file"));
    assert_false(s.is_scanning);
    rig_finish(&r);
}

static void what_is_asked_at_the_end_is_answered_with_nothing(void **state)
{
    struct rig r;
    rig_init(&r);
    open_library(&r, NULL);
    for (uint64_t i = 1; i <= 50; i++)
        library_search(r.library, "a", 1, on_found, &r, i);
    close_library(&r);
    assert_int_equal(r.found_id, 50);
    rig_finish(&r);
}

/* ---- tags: a helper written for the occasion ----------------------------------------------------- */

/* Counts how often it is asked, in `asked`, and answers as the name of the file says. */
static const char helper[] =
    "#!/bin/sh\n"
    "while read -r line; do\n"
    "  echo \"$line\" >> asked\n"
    "  case $line in\n"
    "  *dies*) exit 1 ;;\n"
    "  *bad*) echo '{\"ok\":false,\"error\":\"no\"}' ;;\n"
    "  *title*) echo '{\"ok\":true,\"title\":\"Only\",\"artist\":\"\",\"duration_s\":3}' ;;\n"
    "  *) echo '{\"ok\":true,\"title\":\"Jóga\",\"artist\":\"Björk\",\"duration_s\":5.5}' ;;\n"
    "  esac\n"
    "done\n";

static char *make_helper(const struct rig *r)
{
    char *path = xasprintf("%s/helper", r->dir);
    folder_write(r->dir, "helper", helper);
    assert_int_equal(chmod(path, 0700), 0);
    assert_int_equal(chdir(r->dir), 0);
    return path;
}

static size_t asked_count(const struct rig *r)
{
    char *path = xasprintf("%s/asked", r->dir), *text = NULL;
    size_t len = 0, lines = 0;
    if (file_read(path, 1 << 20, &text, &len) == 0)
        for (size_t i = 0; i < len; i++)
            lines += text[i] == '\n';
    free(text);
    free(path);
    return lines;
}

static void tags_are_read_once_where_the_name_has_no_artist(void **state)
{
    struct rig r;
    rig_init(&r);
    char *probe = make_helper(&r);
    folder_write(r.music, "A - B.mp4", "x");
    folder_write(r.music, "01 track.mp3", "x");
    folder_write(r.music, "02 bad.mp3", "x");
    folder_write(r.music, "03 dies.mp3", "x");
    folder_write(r.music, "04 title.mp3", "x");
    open_library(&r, probe);
    wait_scanned(&r);
    while (strcmp(search(&r, "joga bjork", 10), "Björk - Jóga") != 0 || asked_count(&r) < 4)
        ;
    assert_string_equal(search(&r, "04", 10), " - 04 title");
    close_library(&r);
    open_library(&r, probe);
    wait_scanned(&r);
    folder_write(r.music, "05 new.mp3", "x");
    while (asked_count(&r) < 5)
        uv_run(&r.loop, UV_RUN_NOWAIT);
    while (strcmp(search(&r, "joga", 10), "Björk - Jóga, Björk - Jóga") != 0)
        ;
    assert_int_equal(asked_count(&r), 5);
    folder_write(r.music, "02 bad.mp3", "another version");
    while (asked_count(&r) < 6)
        uv_run(&r.loop, UV_RUN_NOWAIT);
    free(probe);
    rig_finish(&r);
}

static void without_a_helper_names_are_enough(void **state)
{
    struct rig r;
    rig_init(&r);
    r.log.level = LOG_ERROR;
    folder_write(r.music, "01 track.mp3", "x");
    open_library(&r, "/nonexistent/djamms-probe");
    wait_scanned(&r);
    assert_string_equal(search(&r, "track", 10), " - 01 track");
    rig_finish(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(songs_are_found_by_id_and_by_words),
        cmocka_unit_test(the_folder_named_first_is_preferred),
        cmocka_unit_test(a_change_in_a_folder_is_seen),
        cmocka_unit_test(what_was_found_is_known_at_once_in_the_next_life),
        cmocka_unit_test(a_stick_that_is_plugged_in_belongs_to_it),
        cmocka_unit_test(a_damaged_index_is_made_anew),
        cmocka_unit_test(an_index_that_cannot_be_opened_is_told),
        cmocka_unit_test(what_is_asked_at_the_end_is_answered_with_nothing),
        cmocka_unit_test(tags_are_read_once_where_the_name_has_no_artist),
        cmocka_unit_test(without_a_helper_names_are_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
