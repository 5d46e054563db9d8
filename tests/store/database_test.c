#include <errno.h>
#include <fcntl.h>
#include <glob.h>
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
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/file.h"
#include "store/database.h"

static const char *const steps[] = {
    "CREATE TABLE song(id INTEGER PRIMARY KEY, name TEXT UNIQUE)",
    "ALTER TABLE song ADD COLUMN plays INTEGER NOT NULL DEFAULT 7; CREATE TABLE extra(x)",
    "INSERT INTO song(name) VALUES('of version 3')",
};
static const struct migrations one = { steps, 1 }, two = { steps, 2 }, three = { steps, 3 };

struct house {
    char folder[64];
    char path[96];
};

static int setup(void **state)
{
    struct house *h = xcalloc(1, sizeof(*h));
    snprintf(h->folder, sizeof(h->folder), "/tmp/djamms-store-XXXXXX");
    assert_non_null(mkdtemp(h->folder));
    snprintf(h->path, sizeof(h->path), "%s/a.db", h->folder);
    *state = h;
    return 0;
}

/* What lies in the folder, and is then removed when `removes`. */
static size_t files(const struct house *h, bool removes)
{
    char pattern[96];
    glob_t found;
    snprintf(pattern, sizeof(pattern), "%s/*", h->folder);
    size_t count = glob(pattern, 0, NULL, &found) ? 0 : found.gl_pathc;
    for (size_t i = 0; removes && i < count; i++)
        unlink(found.gl_pathv[i]);
    if (count)
        globfree(&found);
    return count;
}

static int teardown(void **state)
{
    struct house *h = *state;
    files(h, true);
    rmdir(h->folder);
    free(h);
    return 0;
}

static struct database *open_with(const struct house *h, const struct migrations *m)
{
    struct database *d = NULL;
    assert_int_equal(database_open(&d, h->path, m, NULL), 0);
    return d;
}

static int64_t number(struct database *d, const char *sql)
{
    sqlite3_stmt *s = database_statement(d, sql);
    assert_non_null(s);
    assert_int_equal(database_step(d, s), 1);
    int64_t value = sqlite3_column_int64(s, 0);
    sqlite3_reset(s);
    return value;
}

static int insert(struct database *d, const char *name)
{
    int ret = database_begin_write(d);
    if (ret < 0)
        return ret;
    sqlite3_stmt *s = database_statement(d, "INSERT INTO song(name) VALUES(?1)");
    assert_non_null(s);
    sqlite3_bind_text(s, 1, name, -1, SQLITE_TRANSIENT);
    return database_step(d, s);
}

static bool has(struct database *d, const char *name)
{
    sqlite3_stmt *s = database_statement(d, "SELECT 1 FROM song WHERE name = ?1");
    sqlite3_bind_text(s, 1, name, -1, SQLITE_TRANSIENT);
    int ret = database_step(d, s);
    sqlite3_reset(s);
    return ret == 1;
}

static void a_new_file_is_private_and_durable(void **state)
{
    const struct house *h = *state;
    mode_t mask = umask(0);
    struct database *d = open_with(h, &three);
    umask(mask);
    assert_int_equal(insert(d, "x"), 0);
    assert_int_equal(database_commit(d), 0);
    static const char *const suffix[] = { "", "-wal", "-shm" };
    for (size_t i = 0; i < ARRAY_LEN(suffix); i++) {
        struct stat st;
        char *path = xasprintf("%s%s", h->path, suffix[i]);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
        free(path);
    }
    sqlite3_stmt *s = database_statement(d, "PRAGMA journal_mode");
    assert_int_equal(database_step(d, s), 1);
    assert_string_equal((const char *)sqlite3_column_text(s, 0), "wal");
    sqlite3_reset(s);
    assert_int_equal(number(d, "PRAGMA synchronous"), 2); /* FULL */
    assert_int_equal(number(d, "PRAGMA user_version"), 3);
    database_close(d);
    database_close(NULL);
}

static void an_existing_file_is_made_private(void **state)
{
    const struct house *h = *state;
    database_close(open_with(h, &one));
    assert_int_equal(chmod(h->path, 0644), 0);
    database_close(open_with(h, &one));
    struct stat st;
    assert_int_equal(stat(h->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_file_of_any_older_version_is_brought_up_with_its_rows(void **state)
{
    const struct house *h = *state;
    struct database *d = open_with(h, &one);
    assert_int_equal(insert(d, "old"), 0);
    assert_int_equal(database_commit(d), 0);
    database_close(d);
    for (const struct migrations *const *m = (const struct migrations *[]){ &two, &three, NULL };
         *m; m++) {
        d = open_with(h, *m);
        assert_int_equal(number(d, "PRAGMA user_version"), (int64_t)(*m)->count);
        assert_int_equal(number(d, "SELECT plays FROM song WHERE name = 'old'"), 7);
        database_close(d);
    }
    d = open_with(h, &three); /* nothing is done twice */
    assert_int_equal(number(d, "SELECT count(*) FROM song"), 2);
    database_close(d);
}

static void a_migration_that_fails_leaves_the_version_before_it(void **state)
{
    const struct house *h = *state;
    static const char *const bad[] = {
        "CREATE TABLE song(id INTEGER PRIMARY KEY, name TEXT UNIQUE)",
        "CREATE TABLE half(x); CREATE TABLE song(again)",
    };
    struct database *d = NULL;
    assert_true(database_open(&d, h->path, &(struct migrations){ bad, 2 }, NULL) < 0);
    assert_null(d);
    d = open_with(h, &one);
    assert_int_equal(number(d, "SELECT count(*) FROM sqlite_schema WHERE name = 'half'"), 0);
    database_close(d);
}

static void put(const char *path, const char *bytes, size_t len, off_t at)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, len, at), (ssize_t)len);
    close(fd);
}

static void what_is_newer_foreign_or_damaged_is_refused(void **state)
{
    const struct house *h = *state;
    struct database *d = NULL;
    database_close(open_with(h, &three));
    assert_int_equal(database_open(&d, h->path, &two, NULL), -EPROTO);
    assert_int_equal(database_check(h->path, &two, NULL), -EPROTO);
    assert_int_equal(database_check(h->path, &three, NULL), 0);

    char page[2048];
    memset(page, 0x5a, sizeof(page));
    put(h->path, page, sizeof(page), 4096); /* page 2: the table */
    assert_int_equal(database_open(&d, h->path, &three, NULL), -EBADMSG);
    assert_int_equal(database_check(h->path, &three, NULL), -EBADMSG);
    files(h, true);

    memset(page, 'x', sizeof(page));
    put(h->path, page, sizeof(page), 0);
    assert_int_equal(database_open(&d, h->path, &three, NULL), -EBADMSG);
    assert_int_equal(database_check(h->path, &three, NULL), -EBADMSG);
    files(h, true);

    assert_int_equal(database_check(h->path, &three, NULL), -ENOENT);
    assert_int_equal(files(h, false), 0); /* looking makes no file */
    put(h->path, "", 0, 0);
    assert_int_equal(database_check(h->path, &three, NULL), -EBADMSG); /* empty: nothing of ours */
    char *nowhere = xasprintf("%s/none/a.db", h->folder);
    assert_int_equal(database_open(&d, nowhere, &three, NULL), -ENOENT);
    free(nowhere);
    assert_null(d);
}

static void only_what_was_committed_is_there_afterwards(void **state)
{
    const struct house *h = *state;
    struct database *d = open_with(h, &one);
    assert_int_equal(database_commit(d), 0); /* nothing written: fine */
    assert_int_equal(insert(d, "kept"), 0);
    assert_int_equal(insert(d, "kept too"), 0);
    assert_int_equal(database_commit(d), 0);
    assert_int_equal(insert(d, "lost"), 0);
    assert_true(has(d, "lost")); /* the turn sees its own writes */
    database_close(d);
    d = open_with(h, &one);
    assert_true(has(d, "kept") && has(d, "kept too"));
    assert_false(has(d, "lost"));
    database_close(d);
}

static void a_commit_outlives_the_sudden_death_of_the_process(void **state)
{
    const struct house *h = *state;
    pid_t child = fork();
    if (child == 0) {
        struct database *d = NULL;
        if (database_open(&d, h->path, &one, NULL) < 0 || insert(d, "kept") < 0 ||
            database_commit(d) < 0 || insert(d, "lost") < 0)
            _exit(1);
        raise(SIGKILL);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    struct database *d = open_with(h, &one);
    assert_true(has(d, "kept"));
    assert_false(has(d, "lost"));
    database_close(d);
}

static void a_part_is_undone_alone(void **state)
{
    struct database *d = open_with(*state, &one);
    assert_int_equal(database_mark(d), 0);
    assert_int_equal(insert(d, "first"), 0);
    database_keep(d);
    assert_int_equal(database_mark(d), 0);
    assert_int_equal(insert(d, "second"), 0);
    assert_int_equal(insert(d, "second too"), 0);
    database_undo(d);
    assert_int_equal(database_mark(d), 0); /* writes nothing */
    database_undo(d);
    assert_int_equal(database_mark(d), 0);
    database_keep(d);
    assert_int_equal(insert(d, "third"), 0);
    assert_int_equal(database_commit(d), 0);
    database_close(d);
    d = open_with(*state, &one);
    assert_true(has(d, "first") && has(d, "third"));
    assert_false(has(d, "second") || has(d, "second too"));
    database_close(d);
}

static void a_turn_whose_only_part_was_undone_writes_nothing(void **state)
{
    struct database *d = open_with(*state, &one);
    assert_int_equal(database_mark(d), 0);
    assert_int_equal(insert(d, "gone"), 0);
    database_undo(d);
    assert_false(has(d, "gone"));
    assert_int_equal(database_commit(d), 0);
    assert_false(has(d, "gone"));
    database_close(d);
}

static void a_taken_unique_value_is_an_answer_and_the_turn_goes_on(void **state)
{
    struct database *d = open_with(*state, &one);
    assert_int_equal(insert(d, "a"), 0);
    assert_int_equal(insert(d, "a"), -EEXIST);
    assert_int_equal(insert(d, "b"), 0);
    assert_int_equal(database_commit(d), 0);
    assert_int_equal(number(d, "SELECT count(*) FROM song"), 2);
    database_close(d);
}

/* One turn whose second write meets the end of the disk. */
static void fill_up(struct database *d, bool has_parts)
{
    char *large = xcalloc(1, 64 * 1024);
    memset(large, 'x', 64 * 1024 - 1);
    assert_int_equal(has_parts ? database_mark(d) : 0, 0);
    assert_int_equal(insert(d, "small"), 0);
    if (has_parts)
        database_keep(d);
    assert_int_equal(has_parts ? database_mark(d) : 0, 0);
    assert_int_equal(insert(d, large), -ENOSPC);
    if (has_parts)
        database_undo(d);
    assert_int_equal(insert(d, "afterwards"), -ENOSPC); /* it must not be kept without the first */
    assert_int_equal(database_commit(d), -ENOSPC);
    assert_false(has(d, "small") || has(d, "afterwards"));
    free(large);
}

static void a_full_disk_fails_the_whole_turn_and_not_the_next(void **state)
{
    struct database *d = open_with(*state, &one);
    assert_int_equal(insert(d, "before"), 0);
    assert_int_equal(database_commit(d), 0);
    char *sql = xasprintf("PRAGMA max_page_count = %d", (int)number(d, "PRAGMA page_count"));
    (void)number(d, sql);
    free(sql);

    fill_up(d, false);
    fill_up(d, true);
    assert_int_equal(insert(d, "next turn"), 0);
    assert_int_equal(database_commit(d), 0);
    assert_true(has(d, "before") && has(d, "next turn"));
    database_close(d);
}

/* The disk takes no byte beyond `limit` of any file. */
static void limit_files(rlim_t limit)
{
    struct rlimit r;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &r), 0);
    r.rlim_cur = limit == RLIM_INFINITY ? r.rlim_max : limit;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &r), 0);
}

static void wherever_writing_stops_a_turn_is_there_wholly_or_not_at_all(void **state)
{
    const struct house *h = *state;
    signal(SIGXFSZ, SIG_IGN);
    char filler[700];
    memset(filler, 'f', sizeof(filler));
    size_t refused = 0, accepted = 0;
    for (rlim_t limit = 0; limit < 90000; limit += 1111) {
        struct database *d = open_with(h, &one);
        int before = (int)number(d, "SELECT count(*) FROM song");
        limit_files(limit);
        int ret = 0, rows = 8;
        for (int i = 0; i < rows && !ret; i++) {
            snprintf(filler, 64, "%d of %d", i, (int)limit);
            filler[strlen(filler)] = ' ';
            filler[sizeof(filler) - 1] = '\0';
            ret = insert(d, filler);
        }
        int end = database_commit(d);
        assert_true(!ret || end < 0 || number(d, "SELECT count(*) FROM song") == before);
        limit_files(RLIM_INFINITY);
        database_close(d);
        d = open_with(h, &one);
        int after = (int)number(d, "SELECT count(*) FROM song");
        if (!ret && !end)
            accepted++;
        else
            refused++;
        if (after != before + (!ret && !end ? rows : 0))
            fail_msg("limit %d: ret %d, commit %d, rows %d -> %d", (int)limit, ret, end, before,
                     after);
        database_close(d);
    }
    signal(SIGXFSZ, SIG_DFL);
    assert_true(refused > 5 && accepted > 5);
}

static void a_statement_in_use_stays_while_many_others_come_and_go(void **state)
{
    struct database *d = open_with(*state, &three);
    assert_int_equal(insert(d, "second row"), 0);
    sqlite3_stmt *held = database_statement(d, "SELECT name FROM song ORDER BY id");
    assert_int_equal(database_step(d, held), 1);
    for (int i = 0; i < 500; i++) {
        char sql[40];
        snprintf(sql, sizeof(sql), "SELECT %d", i);
        assert_int_equal(number(d, sql), i);
    }
    assert_int_equal(database_step(d, held), 1);
    assert_string_equal((const char *)sqlite3_column_text(held, 0), "second row");
    assert_int_equal(database_step(d, held), 0);
    assert_null(database_statement(d, "SELECT nonsense FROM nowhere"));
    sqlite3_stmt *s = database_statement(d, "SELECT ?1");
    sqlite3_bind_int(s, 1, 5);
    assert_int_equal(database_step(d, s), 1);
    assert_ptr_equal(database_statement(d, "SELECT ?1"), s); /* cached, and clean again */
    assert_int_equal(database_step(d, s), 1);
    assert_int_equal(sqlite3_column_type(s, 0), SQLITE_NULL);
    database_close(d);
}

static void a_backup_is_one_private_file_with_everything_committed(void **state)
{
    const struct house *h = *state;
    struct database *d = open_with(h, &three);
    assert_int_equal(insert(d, "x"), 0);
    char *path = xasprintf("%s/copy", h->folder);
    size_t before = files(h, false);
    assert_int_equal(database_backup(d, path), -EBUSY); /* in the middle of a turn */
    assert_int_equal(files(h, false), before);
    assert_int_equal(database_commit(d), 0);
    assert_int_equal(database_backup(d, path), 0);
    assert_int_equal(files(h, false), before + 1);
    assert_int_equal(insert(d, "later"), 0);
    assert_int_equal(database_commit(d), 0);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(database_check(path, &three, NULL), 0);
    assert_int_equal(files(h, false), before + 1);
    database_close(d);

    struct database *copy = NULL;
    assert_int_equal(database_open(&copy, path, &three, NULL), 0);
    assert_true(has(copy, "x") && has(copy, "of version 3"));
    assert_false(has(copy, "later"));
    database_close(copy);
    free(path);
}

static void a_backup_that_cannot_be_written_leaves_the_old_one_and_no_litter(void **state)
{
    const struct house *h = *state;
    struct database *d = open_with(h, &three);
    char *path = xasprintf("%s/copy", h->folder), *nowhere = xasprintf("%s/no/copy", h->folder);
    assert_int_equal(file_replace(path, "old", 3), 0);
    size_t before = files(h, false);
    signal(SIGXFSZ, SIG_IGN);
    limit_files(5000);
    int ret = database_backup(d, path);
    limit_files(RLIM_INFINITY);
    signal(SIGXFSZ, SIG_DFL);
    assert_true(ret < 0);
    assert_int_equal(files(h, false), before);
    char *data = NULL;
    size_t len = 0;
    assert_int_equal(file_read(path, 100, &data, &len), 0);
    assert_string_equal(data, "old");
    assert_int_equal(database_backup(d, nowhere), -ENOENT);
    free(data);
    free(path);
    free(nowhere);
    database_close(d);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_file_is_private_and_durable),
        TEST(an_existing_file_is_made_private),
        TEST(a_file_of_any_older_version_is_brought_up_with_its_rows),
        TEST(a_migration_that_fails_leaves_the_version_before_it),
        TEST(what_is_newer_foreign_or_damaged_is_refused),
        TEST(only_what_was_committed_is_there_afterwards),
        TEST(a_commit_outlives_the_sudden_death_of_the_process),
        TEST(a_part_is_undone_alone),
        TEST(a_turn_whose_only_part_was_undone_writes_nothing),
        TEST(a_taken_unique_value_is_an_answer_and_the_turn_goes_on),
        TEST(a_full_disk_fails_the_whole_turn_and_not_the_next),
        TEST(wherever_writing_stops_a_turn_is_there_wholly_or_not_at_all),
        TEST(a_statement_in_use_stays_while_many_others_come_and_go),
        TEST(a_backup_is_one_private_file_with_everything_committed),
        TEST(a_backup_that_cannot_be_written_leaves_the_old_one_and_no_litter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
