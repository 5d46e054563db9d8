/* A text in two files: whatever a power cut, a full disk or a bad sector leaves of a write, the text before it or the new
 * one is read. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/twin_file.h"
#include "support/folder.h"

#define MAX ((size_t)1 << 20)

/* ---- the calls that write: flushes are counted, not done; the nth call fails ---------------------------------------------------------- */

static struct {
    int data_flushes, full_flushes;
    int fail_countdown; /* 0: none fails */
} disk;

static bool fails_now(void)
{
    if (disk.fail_countdown == 0 || --disk.fail_countdown > 0)
        return false;
    errno = EIO;
    return true;
}

int fsync(int fd)
{
    disk.full_flushes++;
    (void)fd;
    return fails_now() ? -1 : 0;
}

int fdatasync(int fd)
{
    disk.data_flushes++;
    (void)fd;
    return fails_now() ? -1 : 0;
}

ssize_t write(int fd, const void *data, size_t len)
{
    return fails_now() ? -1 : (ssize_t)syscall(SYS_write, fd, data, len);
}

/* ---- a folder with the pair, and its writer --------------------------------------------------------------------- */

struct pair {
    char folder[64], path[2][80];
    struct twin_file *file;
};

static int open_pair(void **state)
{
    struct pair *p = xcalloc(1, sizeof(*p));
    folder_make(p->folder);
    snprintf(p->path[0], sizeof(p->path[0]), "%s/a", p->folder);
    snprintf(p->path[1], sizeof(p->path[1]), "%s/a.twin", p->folder);
    p->file = twin_file_create(p->path[0]);
    memset(&disk, 0, sizeof(disk));
    *state = p;
    return 0;
}

static int close_pair(void **state)
{
    struct pair *p = *state;
    disk.fail_countdown = 0;
    twin_file_destroy(p->file);
    folder_remove(p->folder);
    free(p);
    return 0;
}

static void start_again(struct pair *p)
{
    twin_file_destroy(p->file);
    p->file = twin_file_create(p->path[0]);
}

static void put(struct pair *p, const char *text)
{
    assert_int_equal(twin_file_write(p->file, text, strlen(text)), 0);
}

/* The caller frees; NULL: nothing whole is there. */
static char *get(const struct pair *p)
{
    char *text = NULL;
    size_t len = 0;
    if (twin_file_read(p->path[0], MAX, &text, &len) == 0)
        assert_int_equal(strlen(text), len);
    return text;
}

static void assert_text(const struct pair *p, const char *want)
{
    char *text = get(p);
    assert_non_null(text);
    assert_string_equal(text, want);
    free(text);
}

struct image {
    char *data;
    size_t len;
};

static struct image image_of(const char *path)
{
    struct image i = { 0 };
    if (file_read(path, MAX, &i.data, &i.len) < 0)
        i.data = xcalloc(1, 1);
    return i;
}

static void image_write(const struct pair *p, int which, const void *data, size_t len)
{
    folder_write(p->folder, strrchr(p->path[which], '/') + 1, data, len);
}

/* `len` characters that tell texts apart in every sector. */
static char *long_text(char first, size_t len)
{
    char *text = xcalloc(1, len + 1);
    for (size_t i = 0; i < len; i++)
        text[i] = (char)('a' + ((size_t)first + i / 64) % 26);
    return text;
}

/* ---- tests --------------------------------------------------------------------------------------------------------- */

static void what_was_written_last_is_read_also_by_the_next_writer(void **state)
{
    struct pair *p = *state;
    static const size_t lens[] = { 5, 0, 100, 70000, 3, 200000, 0, 65536 - 51, 65536, 1 };
    for (size_t i = 0; i < 3 * sizeof(lens) / sizeof(lens[0]); i++) {
        char *text = long_text((char)i, lens[i % (sizeof(lens) / sizeof(lens[0]))]);
        put(p, text);
        assert_text(p, text);
        free(text);
        if (i % 3 == 2)
            start_again(p);
    }
}

static void one_flush_makes_it_durable(void **state)
{
    struct pair *p = *state;
    put(p, "one");
    put(p, "two");
    assert_int_equal(disk.full_flushes, 2); /* of the folder: the names */
    assert_int_equal(disk.data_flushes, 2);
    for (int i = 0; i < 10; i++) {
        char *text = long_text('x', (size_t)i * 1000);
        put(p, text);
        free(text);
    }
    assert_int_equal(disk.full_flushes, 2);
    assert_int_equal(disk.data_flushes, 12);
    struct stat st;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(stat(p->path[i], &st), 0);
        assert_int_equal(st.st_size, 65536);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
}

static void a_file_that_was_removed_is_named_anew(void **state)
{
    struct pair *p = *state;
    for (int i = 0; i < 4; i++)
        put(p, "before");
    assert_int_equal(disk.full_flushes, 2);
    unlink(p->path[0]);
    unlink(p->path[1]);
    put(p, "after");
    assert_int_equal(disk.full_flushes, 3);
    assert_text(p, "after");
}

/* The first file is what the power left of the write of `new`; the other one holds `old`. */
static void assert_cut(struct pair *p, const void *data, size_t len, const char *old,
                       const char *new)
{
    image_write(p, 0, data, len);
    char *text = get(p);
    assert_non_null(text);
    assert_true(strcmp(text, old) == 0 || strcmp(text, new) == 0);
    free(text);
}

static void a_write_that_is_cut_at_any_byte_leaves_the_text_before(void **state)
{
    struct pair *p = *state;
    put(p, "the first, which is longer than the others");
    put(p, "the second");
    struct image before = image_of(p->path[0]), other = image_of(p->path[1]);
    put(p, "the third");
    struct image after = image_of(p->path[0]);
    for (size_t cut = 0; cut < 120; cut++) {
        memcpy(before.data, after.data, cut);
        for (int is_new = 0; is_new < 2; is_new++) { /* the file was new */
            image_write(p, 1, other.data, other.len);
            assert_cut(p, is_new ? after.data : before.data, is_new ? cut : before.len,
                       "the second", "the third");
            start_again(p);
            put(p, "the fourth");
            assert_text(p, "the fourth");
            put(p, "the fifth"); /* takes its turn, too */
            assert_text(p, "the fifth");
        }
    }
    free(before.data);
    free(other.data);
    free(after.data);
}

static void sectors_that_come_to_the_disk_in_any_order_leave_the_text_before(void **state)
{
    struct pair *p = *state;
    uint64_t random = 1;
    char *text[3];
    for (int i = 0; i < 3; i++) {
        text[i] = long_text((char)(3 * i), 20000 + 700 * (size_t)i);
        put(p, text[i]);
    }
    struct image after = image_of(p->path[0]);
    char *old = xcalloc(1, after.len), *mixed = xcalloc(1, after.len);
    for (int round = 0; round < 300; round++) {
        bool is_all = true;
        for (size_t at = 0; at < after.len; at += 512) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            bool is_new = random >> 63;
            memcpy(mixed + at, is_new ? after.data + at : old + at, 512);
            is_all &= is_new || at > 22000;
        }
        assert_cut(p, mixed, after.len, text[1], is_all ? text[2] : text[1]);
    }
    for (int i = 0; i < 3; i++)
        free(text[i]);
    free(after.data);
    free(old);
    free(mixed);
}

static void a_bit_that_the_disk_changed_costs_one_text(void **state)
{
    struct pair *p = *state;
    put(p, "older");
    put(p, "newer");
    for (int which = 0; which < 2; which++) {
        struct image image = image_of(p->path[which]);
        for (size_t bit = 0; bit < 8 * (51 + 5); bit++) {
            image.data[bit / 8] ^= (char)(1 << bit % 8);
            image_write(p, which, image.data, image.len);
            assert_text(p, which ? "older" : "newer");
            image.data[bit / 8] ^= (char)(1 << bit % 8);
        }
        image_write(p, which, image.data, image.len);
        free(image.data);
    }
    assert_text(p, "newer");
}

static void a_write_that_fails_anywhere_leaves_one_of_both_and_the_next_one_counts(void **state)
{
    struct pair *p = *state;
    bool reached = true;
    for (int n = 1; reached; n++) {
        for (int used = 0; used < 3; used++) { /* new files, and used ones */
            unlink(p->path[0]);
            unlink(p->path[1]);
            start_again(p);
            put(p, "old");
            for (int i = 0; i < used; i++)
                put(p, "old");
            disk.fail_countdown = n;
            int ret = twin_file_write(p->file, "new", 3);
            reached = disk.fail_countdown == 0;
            disk.fail_countdown = 0;
            char *text = get(p);
            assert_string_equal(text, ret == 0 || strcmp(text, "new") == 0 ? "new" : "old");
            assert_int_equal(ret, reached ? -EIO : 0);
            free(text);
            put(p, "next");
            assert_text(p, "next");
        }
        assert_true(reached || n > 2);
    }
}

static void a_full_disk_leaves_the_text_before(void **state)
{
    struct pair *p = *state;
    char *big = long_text('b', 200000);
    put(p, "one");
    put(p, "two");
    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){ 100000, before.rlim_max };
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int ret = twin_file_write(p->file, big, strlen(big));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    assert_int_equal(ret, -EFBIG);
    assert_text(p, "two");
    put(p, big);
    assert_text(p, big);
    free(big);
}

static void what_was_only_made_was_never_written(void **state)
{
    struct pair *p = *state;
    static const char zeros[65536];
    char *text;
    size_t len;
    assert_int_equal(twin_file_read(p->path[0], MAX, &text, &len), -ENOENT);
    image_write(p, 0, "", 0);
    assert_int_equal(twin_file_read(p->path[0], MAX, &text, &len), -ENOENT);
    image_write(p, 1, zeros, sizeof(zeros));
    assert_int_equal(twin_file_read(p->path[0], MAX, &text, &len), -ENOENT);
    put(p, "text");
    assert_text(p, "text");
}

static void files_that_are_both_damaged_are_said_and_can_be_set_aside(void **state)
{
    static const char *const texts[] = { "{}",
                                         "0123456789abcdef 0000000000000001 0000000000000002\n{}",
                                         "0123456789abcdef 0000000000000001 ffffffffffffffff\n{}",
                                         "-123456789abcdef +000000000000001  00000000000000a\n{}" };
    struct pair *p = *state;
    char *text;
    size_t len;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        image_write(p, 0, texts[i], strlen(texts[i]));
        image_write(p, 1, texts[i], strlen(texts[i]));
        assert_int_equal(twin_file_read(p->path[0], MAX, &text, &len), -EBADMSG);
        assert_int_equal(twin_file_set_aside(p->path[0], "damaged"), 0);
        assert_true(folder_has(p->folder, "a.damaged") && folder_has(p->folder, "a.twin.damaged"));
        assert_int_equal(twin_file_read(p->path[0], MAX, &text, &len), -ENOENT);
    }
    assert_int_equal(twin_file_set_aside(p->path[0], "damaged"), 0); /* nothing is there */
    put(p, "text");
    assert_text(p, "text");
}

static void a_folder_in_the_place_of_one_is_no_harm(void **state)
{
    struct pair *p = *state;
    char *text;
    size_t len;
    assert_int_equal(mkdir(p->path[1], 0700), 0);
    assert_int_equal(twin_file_read(p->path[0], MAX, &text, &len), -EISDIR);
    put(p, "text");
    assert_text(p, "text");
    assert_int_equal(twin_file_write(p->file, "more", 4), -EISDIR);
    assert_text(p, "text");
}

static void longer_texts_than_wanted_are_not_read(void **state)
{
    struct pair *p = *state;
    char *text;
    size_t len;
    put(p, "12345");
    assert_int_equal(twin_file_read(p->path[0], 4, &text, &len), -EFBIG);
    assert_int_equal(twin_file_read(p->path[0], 5, &text, &len), 0);
    free(text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_pair, close_pair)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_written_last_is_read_also_by_the_next_writer),
        TEST(one_flush_makes_it_durable),
        TEST(a_file_that_was_removed_is_named_anew),
        TEST(a_write_that_is_cut_at_any_byte_leaves_the_text_before),
        TEST(sectors_that_come_to_the_disk_in_any_order_leave_the_text_before),
        TEST(a_bit_that_the_disk_changed_costs_one_text),
        TEST(a_write_that_fails_anywhere_leaves_one_of_both_and_the_next_one_counts),
        TEST(a_full_disk_leaves_the_text_before),
        TEST(what_was_only_made_was_never_written),
        TEST(files_that_are_both_damaged_are_said_and_can_be_set_aside),
        TEST(a_folder_in_the_place_of_one_is_no_harm),
        TEST(longer_texts_than_wanted_are_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
