/* backup and restore. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/now.h"
#include "hub/admin_internal.h"
#include "hub/data_dir.h"
#include "hub/schema.h"

#define KEPT_NAMES_MAX 100
#define COPY_BYTES     ((size_t)256 * 1024)

static int fail_file(struct admin *a, const char *path, int error)
{
    return admin_fail(a, ADMIN_FAILED, "%s: %s", path, strerror(error));
}

static int check_words(struct admin *a)
{
    return a->word_count == 1
               ? 0
               : admin_fail(a, ADMIN_USAGE, "the usage is: djamms-hub %s FILE", a->command);
}

int admin_backup(struct admin *a)
{
    int ret = check_words(a);
    if (ret)
        return ret;
    const char *file = a->word[0];
    if (access(file, F_OK) == 0)
        return admin_fail(a, ADMIN_FAILED, "%s is there already; a backup is a new file", file);
    ret = admin_open_database(a);
    if (ret)
        return ret;
    int error = database_backup(a->database, file);
    if (error < 0)
        return fail_file(a, file, -error);
    struct message *m = message_create();
    message_set_str(m, "file", file);
    if (!admin_print_json(a, m))
        fprintf(a->out, "%s holds the whole hub: documents, accounts and keys\n", file);
    return 0;
}

/* ---- restore ----------------------------------------------------------------------------------- */

struct restore {
    char *database, *fresh; /* hub.db, and what is to become it */
    char *kept;             /* where the old one is; NULL: there was none */
    int64_t latest_ms;      /* the latest time of the old one's documents */
};

static void restore_finish(struct restore *r)
{
    if (r->fresh)
        unlink(r->fresh);
    free(r->database);
    free(r->fresh);
    free(r->kept);
}

static int copy_bytes(int from, int to)
{
    char *block = xcalloc(1, COPY_BYTES);
    int ret = 0;
    for (;;) {
        ssize_t n = read(from, block, COPY_BYTES);
        if (n < 0 && errno == EINTR)
            continue;
        ret = n < 0 ? -errno : 0;
        if (n <= 0)
            break;
        ret = file_write_all(to, block, (size_t)n);
        if (ret < 0)
            break;
    }
    free(block);
    return ret == 0 && fsync(to) < 0 ? -errno : ret;
}

/* A database in use has its newest part in a log beside it. */
static bool has_log(const char *file)
{
    char *path = xasprintf("%s-wal", file);
    struct stat st;
    bool ret = stat(path, &st) == 0 && st.st_size > 0;
    free(path);
    return ret;
}

static int copy_file(struct admin *a, const char *from, const char *to)
{
    int in = open(from, O_RDONLY | O_CLOEXEC);
    if (in < 0)
        return fail_file(a, from, errno);
    unlink(to);
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int ret = out < 0 ? -errno : copy_bytes(in, out);
    close(in);
    if (out >= 0)
        close(out);
    return ret < 0 ? fail_file(a, to, -ret) : 0;
}

static int64_t read_latest(struct database *d)
{
    sqlite3_stmt *s = database_statement(d, "SELECT latest_ms FROM document_clock");
    int64_t latest = 0;
    if (s && database_step(d, s) == 1) {
        latest = sqlite3_column_int64(s, 0);
        sqlite3_reset(s);
    }
    return latest;
}

/* Clients take a document only when it is later than theirs: what is restored is written now. */
static int write_times(struct database *d, int64_t latest_ms)
{
    static const char *const sql[] = { "UPDATE documents SET updated_ms = ?1",
                                       "UPDATE document_clock SET latest_ms = ?1" };
    int64_t now = max_i64(max_i64(now_wall_ms(), latest_ms), read_latest(d)) + 1;
    int ret = database_begin_write(d);
    for (size_t i = 0; ret == 0 && i < ARRAY_LEN(sql); i++) {
        sqlite3_stmt *s = database_statement(d, sql[i]);
        if (!s)
            return -EIO;
        sqlite3_bind_int64(s, 1, now);
        ret = database_step(d, s);
    }
    return ret < 0 ? ret : database_commit(d);
}

/* The copy: whole, of our version, its documents written now. */
static int prepare(struct admin *a, struct restore *r, const char *file)
{
    struct database *d = NULL;
    if (has_log(file))
        return admin_fail(a, ADMIN_FAILED, "%s is a database in use; make a backup of it first",
                          file);
    int ret = copy_file(a, file, r->fresh);
    if (ret)
        return ret;
    ret = database_check(r->fresh, hub_migrations(), &a->log);
    if (ret == 0)
        ret = database_open(&d, r->fresh, hub_migrations(), &a->log);
    if (ret < 0)
        return admin_fail(a, ADMIN_FAILED, "%s: %s", file,
                          ret == -EPROTO ? "is of a newer program" : "is no whole backup of a hub");
    ret = write_times(d, r->latest_ms);
    database_close(d);
    return ret < 0 ? fail_file(a, r->fresh, -ret) : 0;
}

/* Takes the log of the old database into it, so that it is one file. A damaged one is not touched. */
static void settle_old(struct admin *a, struct restore *r)
{
    struct database *d;
    if (access(r->database, F_OK) < 0)
        return;
    if (database_check(r->database, hub_migrations(), &a->log) < 0 ||
        database_open(&d, r->database, hub_migrations(), &a->log) < 0)
        return;
    r->latest_ms = read_latest(d);
    database_close(d);
}

static void name_kept(struct restore *r, int n)
{
    char when[32];
    time_t now = (time_t)(now_wall_ms() / 1000);
    struct tm tm;
    gmtime_r(&now, &tm);
    strftime(when, sizeof(when), "%Y%m%d-%H%M%S", &tm);
    free(r->kept);
    r->kept = n ? xasprintf("%s.before-restore-%s-%d", r->database, when, n)
                : xasprintf("%s.before-restore-%s", r->database, when);
}

static int move_log(const struct restore *r, const char *suffix)
{
    char *from = xasprintf("%s%s", r->database, suffix), *to = xasprintf("%s%s", r->kept, suffix);
    int ret = rename(from, to) < 0 && errno != ENOENT ? -errno : 0;
    free(from);
    free(to);
    return ret;
}

/* The old database under a second name; its own stays until the new one replaces it. A log of a damaged one goes
 * along: beside the new one it would be taken for that one's. */
static int keep_old(struct admin *a, struct restore *r)
{
    int ret = -EEXIST;
    if (access(r->database, F_OK) < 0)
        return 0;
    for (int n = 0; ret == -EEXIST && n < KEPT_NAMES_MAX; n++) {
        name_kept(r, n);
        ret = link(r->database, r->kept) < 0 ? -errno : 0;
    }
    if (ret == 0)
        ret = move_log(r, "-wal");
    if (ret == 0)
        ret = move_log(r, "-shm");
    return ret < 0 ? fail_file(a, r->kept, -ret) : 0;
}

static int fsync_folder(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int ret = fd < 0 || (fsync(fd) < 0 && errno != EINVAL) ? -errno : 0;
    if (fd >= 0)
        close(fd);
    return ret;
}

static int replace(struct admin *a, struct restore *r, const char *file)
{
    struct stat old, given;
    bool is_same = stat(r->database, &old) == 0 && stat(file, &given) == 0 &&
                   old.st_dev == given.st_dev && old.st_ino == given.st_ino;
    if (is_same)
        return admin_fail(a, ADMIN_FAILED, "%s is the hub's own database", file);
    settle_old(a, r);
    int ret = prepare(a, r, file);
    if (ret == 0)
        ret = keep_old(a, r);
    if (ret)
        return ret;
    int error = rename(r->fresh, r->database) < 0 ? -errno : fsync_folder(a->data_dir);
    return error < 0 ? fail_file(a, r->database, -error) : 0;
}

static int lock_alone(struct admin *a)
{
    a->lock = data_dir_lock(a->data_dir, DATA_REPLACE);
    if (a->lock >= 0)
        return 0;
    int error = -a->lock;
    a->lock = -1;
    if (error == EWOULDBLOCK)
        return admin_fail(a, ADMIN_FAILED, "%s is in use; end the hub first", a->data_dir);
    return fail_file(a, a->data_dir, error);
}

int admin_restore(struct admin *a)
{
    int ret = check_words(a);
    if (ret == 0)
        ret = lock_alone(a);
    if (ret)
        return ret;
    struct restore r = { .database = data_dir_database(a->data_dir) };
    r.fresh = xasprintf("%s.restoring", r.database);
    ret = replace(a, &r, a->word[0]);
    if (ret == 0) {
        struct message *m = message_create();
        message_set_str(m, "kept", r.kept);
        if (!admin_print_json(a, m)) {
            fprintf(a->out, "restored; accounts, sessions and keys are those of the backup\n");
            if (r.kept)
                fprintf(a->out, "the database before it is %s\n", r.kept);
        }
    }
    restore_finish(&r);
    return ret;
}
