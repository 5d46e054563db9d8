/* Which of the files of a song is played. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "source/file_map.h"
#include "source/mounts.h"

static void put(struct file_map *m, int64_t row, unsigned folder, bool is_here, const char *key,
                const char *source)
{
    file_map_put(
        m, &(struct mapped_file){
               .row = row, .folder = folder, .is_here = is_here, .key = key, .source = source });
}

static int64_t row_of(const struct file_map *m, const char *key, const char *source)
{
    const struct mapped_file *f = file_map_find(m, key, source);
    return f ? f->row : 0;
}

static void what_is_here_comes_first_then_the_folder_then_the_name(void **state)
{
    struct file_map *m = file_map_create();
    put(m, 1, 2, false, "k", "/a");
    assert_int_equal(row_of(m, "k", NULL), 1);
    put(m, 2, 2, true, "k", "/z");
    assert_int_equal(row_of(m, "k", NULL), 2);
    put(m, 3, 2, true, "k", "/b");
    assert_int_equal(row_of(m, "k", NULL), 3);
    put(m, 4, 0, true, "k", "/y");
    assert_int_equal(row_of(m, "k", NULL), 4);
    assert_int_equal(row_of(m, "k", "/z"), 2);
    assert_int_equal(row_of(m, "k", "/nowhere"), 0);
    assert_int_equal(row_of(m, "K", NULL), 0);
    put(m, 4, 0, false, "k", "/y"); /* it went */
    assert_int_equal(row_of(m, "k", NULL), 3);
    assert_int_equal(file_map_count(m), 4);
    file_map_remove(m, "k", 3);
    file_map_remove(m, "k", 3);
    file_map_remove(m, "other", 2);
    assert_int_equal(row_of(m, "k", NULL), 2);
    assert_int_equal(file_map_count(m), 3);
    file_map_destroy(m);
}

static void many_songs_are_kept_apart(void **state)
{
    struct file_map *m = file_map_create();
    char key[32], source[32];
    for (int round = 0; round < 2; round++)
        for (int i = 1; i <= 5000; i++) {
            snprintf(key, sizeof(key), "key-%d", i);
            snprintf(source, sizeof(source), "/%d", i);
            put(m, i, 0, true, key, source);
        }
    assert_int_equal(file_map_count(m), 5000);
    for (int i = 1; i <= 5000; i++) {
        snprintf(key, sizeof(key), "key-%d", i);
        assert_int_equal(row_of(m, key, NULL), i);
    }
    file_map_destroy(m);
}

static const struct {
    const char *text;
    const char *paths[2];
} mount_cases[] = {
    { "", { NULL } },
    { "36 25 8:1 / / rw - ext4 /dev/sda1 rw\n", { NULL } },
    { "40 36 8:17 / /media/ana/STICK rw - vfat /dev/sdb1 rw", { "/media/ana/STICK" } },
    { "40 36 8:17 / /media rw - vfat /dev/sdb1 rw\n"
      "41 36 8:17 / /mediathek/x rw - vfat /dev/sdb1 rw\n"
      "42 36 8:18 / /run/media/a\\040b\\134c\\012 rw - vfat x rw\n",
      { "/run/media/a b\\c\n" } },
    { "40 36 8:17 /\n\n \n40\n", { NULL } },
    { "1 2 3 / /media/a rw\n1 2 3 / /media/b rw\n", { "/media/a", "/media/b" } },
};

static void mounts_below_the_given_folders_are_found(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(mount_cases); i++) {
        struct mounts m;
        mounts_parse(&m, mount_cases[i].text, "/media/::/run/media");
        const char *const *want = mount_cases[i].paths;
        assert_int_equal(m.count, (want[0] != NULL) + (want[1] != NULL));
        for (size_t k = 0; k < m.count; k++)
            assert_string_equal(m.path[k], want[k]);
        mounts_finish(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_here_comes_first_then_the_folder_then_the_name),
        cmocka_unit_test(many_songs_are_kept_apart),
        cmocka_unit_test(mounts_below_the_given_folders_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
