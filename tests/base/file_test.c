#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/file.h"
#include "support/permissions.h"

/* Every test runs in a new empty folder. */
static int enter_folder(void **state)
{
    char *folder = xstrdup("/tmp/djamms-file-test-XXXXXX");
    *state = folder;
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static void empty_folder(const char *path)
{
    DIR *dir = opendir(path);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        char *below = xasprintf("%s/%s", path, e->d_name);
        if (unlink(below) < 0) {
            empty_folder(below);
            rmdir(below);
        }
        free(below);
    }
    if (dir)
        closedir(dir);
}

static int leave_folder(void **state)
{
    empty_folder(*state);
    int ret = chdir("/");
    rmdir(*state);
    free(*state);
    return ret;
}

static void assert_file(const char *path, const char *want)
{
    char *data;
    size_t len;
    assert_int_equal(file_read(path, 1 << 20, &data, &len), 0);
    assert_int_equal(len, strlen(want));
    assert_string_equal(data, want);
    free(data);
}

static void a_file_is_replaced_whole_and_private(void **state)
{
    assert_int_equal(file_replace("a", "one", 3), 0);
    assert_file("a", "one");
    assert_int_equal(file_replace("./a", "", 0), 0);
    assert_file("a", "");
    char *absolute = xasprintf("%s/a", (char *)*state);
    assert_int_equal(file_replace(absolute, "two and more", 12), 0);
    assert_file("a", "two and more");
    struct stat st;
    assert_int_equal(stat("a", &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(access("a.new", F_OK), -1);
    free(absolute);
}

static void what_is_published_is_whole_and_for_all(void **state)
{
    struct stat first, st;
    mode_t mask = umask(077);
    assert_int_equal(file_publish("a", "one", 3), 0);
    assert_int_equal(stat("a", &first), 0);
    assert_int_equal(first.st_mode & 0777, 0644);
    assert_int_equal(file_publish("a", "two and more", 12), 0);
    assert_file("a", "two and more");
    assert_int_equal(stat("a", &st), 0);
    assert_int_not_equal(st.st_ino, first.st_ino); /* who reads the former goes on with all of it */
    assert_int_equal(access("a.new", F_OK), -1);
    assert_int_equal(file_publish("nowhere/a", "x", 1), -ENOENT);
    umask(mask);
}

static void what_a_power_cut_left_behind_does_no_harm(void **state)
{
    FILE *f = fopen("a.new", "w");
    assert_non_null(f);
    fputs("half of a longer te", f);
    fclose(f);
    assert_int_equal(file_replace("a", "whole", 5), 0);
    assert_file("a", "whole");
}

/* The disk takes no more than 4096 bytes a file, as if it were full. */
static int replace_on_full_disk(const char *path, const void *data, size_t len)
{
    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){ 4096, before.rlim_max };
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int ret = file_replace(path, data, len);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    return ret;
}

static void a_full_disk_leaves_the_old_file_and_nothing_else(void **state)
{
    static const char big[8192] = "x";
    assert_int_equal(file_replace("a", "old", 3), 0);
    assert_int_equal(replace_on_full_disk("a", big, sizeof(big)), -EFBIG);
    assert_file("a", "old");
    assert_int_equal(access("a.new", F_OK), -1);
}

static void every_other_failure_leaves_what_was_there(void **state)
{
    assert_int_equal(mkdir("dir", 0700), 0);
    assert_int_equal(file_replace("dir", "x", 1), -EISDIR); /* rename fails */
    assert_int_equal(access("dir.new", F_OK), -1);

    assert_int_equal(file_replace("blocked", "old", 3), 0);
    assert_int_equal(mkdir("blocked.new", 0700), 0);
    assert_int_equal(file_replace("blocked", "x", 1), -EISDIR); /* open fails */
    assert_file("blocked", "old");

    assert_int_equal(file_replace("nowhere/a", "x", 1), -ENOENT);
    assert_int_equal(file_replace("blocked/a", "x", 1), -ENOTDIR);
    char name[300];
    memset(name, 'n', sizeof(name));
    name[254] = '\0'; /* a legal name, but not with the ending of the temporary file */
    assert_int_equal(file_replace(name, "x", 1), -ENAMETOOLONG);
    assert_int_equal(access(name, F_OK), -1);

    assert_int_equal(file_replace("dir/a", "old", 3), 0);
    assert_int_equal(chmod("dir", 0500), 0);
    permissions_bind(true);
    assert_int_equal(file_replace("dir/a", "x", 1), -EACCES);
    permissions_bind(false);
    assert_file("dir/a", "old");
    assert_int_equal(chmod("dir", 0700), 0);
}

static void reading_stops_at_the_ceiling(void **state)
{
    char *data = NULL;
    size_t len = 99;
    assert_int_equal(file_replace("a", "12345", 5), 0);
    assert_int_equal(file_read("a", 5, &data, &len), 0);
    assert_int_equal(len, 5);
    assert_string_equal(data, "12345");
    free(data);
    assert_int_equal(file_read("a", 4, &data, &len), -EFBIG);
    assert_int_equal(file_read("a", 0, &data, &len), -EFBIG);
    assert_int_equal(file_read("/dev/zero", 100000, &data, NULL), -EFBIG); /* has no size */
    assert_int_equal(file_read("missing", 5, &data, &len), -ENOENT);
    assert_int_equal(file_read(".", 5, &data, &len), -EISDIR);
}

static void a_file_larger_than_the_first_block_is_read_whole(void **state)
{
    size_t size = 300001;
    char *big = xcalloc(size, 1);
    for (size_t i = 0; i < size; i++)
        big[i] = (char)(i * 7 % 251);
    assert_int_equal(file_replace("big", big, size), 0);
    char *data;
    size_t len;
    assert_int_equal(file_read("big", 1 << 20, &data, &len), 0);
    assert_int_equal(len, size);
    assert_memory_equal(data, big, size);
    assert_int_equal(data[size], '\0');
    free(data);
    free(big);
}

static void folders_are_made_with_their_parents(void **state)
{
    char *deep = xasprintf("%s/x/y//z/", (char *)*state);
    struct stat st;
    assert_int_equal(dir_make(deep), 0);
    assert_int_equal(dir_make(deep), 0);
    assert_int_equal(stat("x/y/z", &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_equal(dir_make("rel/ative"), 0);
    assert_int_equal(dir_make("/"), 0);
    assert_int_equal(dir_make(""), -ENOENT);
    assert_int_equal(file_replace("file", "x", 1), 0);
    assert_int_equal(dir_make("file"), -ENOTDIR);
    assert_int_equal(dir_make("file/below"), -ENOTDIR);
    free(deep);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_file_is_replaced_whole_and_private),
        IN_FOLDER(what_is_published_is_whole_and_for_all),
        IN_FOLDER(what_a_power_cut_left_behind_does_no_harm),
        IN_FOLDER(a_full_disk_leaves_the_old_file_and_nothing_else),
        IN_FOLDER(every_other_failure_leaves_what_was_there),
        IN_FOLDER(reading_stops_at_the_ceiling),
        IN_FOLDER(a_file_larger_than_the_first_block_is_read_whole),
        IN_FOLDER(folders_are_made_with_their_parents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
