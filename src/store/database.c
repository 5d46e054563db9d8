#include "store/database.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "store/store_internal.h"

#define BUSY_MS        5000 /* another process (a command line tool) holds the file */
#define STATEMENTS_MAX 96
#define SQL_LARGE      4096 /* bytes: such a statement is the first to be given up */

struct cached_statement {
    char *sql;
    sqlite3_stmt *statement;
    uint64_t used; /* turn of the counter when last asked for; 0: give up first */
};

struct database {
    sqlite3 *sqlite;
    char *path;
    const struct log *log;
    bool is_writing; /* we began a transaction */
    bool is_marked;  /* a part is open; its savepoint is made by its first write */
    bool has_savepoint;
    int failure; /* the transaction was lost under way: what commit has to say */
    struct cached_statement cache[STATEMENTS_MAX];
    uint64_t use_counter;
};

int store_errno(sqlite3 *sqlite, int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE: return 0;
    case SQLITE_FULL: return -ENOSPC;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return -EBUSY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return -EBADMSG;
    case SQLITE_READONLY: return -EROFS;
    case SQLITE_PERM:
    case SQLITE_AUTH: return -EACCES;
    case SQLITE_NOMEM: return -ENOMEM;
    case SQLITE_TOOBIG: return -EMSGSIZE;
    case SQLITE_CONSTRAINT:
        return code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY ? -EEXIST
                                                                                        : -EINVAL;
    default: {
        int number = sqlite ? sqlite3_system_errno(sqlite) : 0;
        return number > 0 ? -number : -EIO;
    }
    }
}

/* ---- opening ------------------------------------------------------------------------------------- */

int store_exec(sqlite3 *sqlite, const char *sql)
{
    return store_errno(sqlite, sqlite3_exec(sqlite, sql, NULL, NULL, NULL));
}

int store_number(sqlite3 *sqlite, const char *sql, int64_t *out)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(sqlite, sql, -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    int ret = code == SQLITE_ROW ? 0 : code == SQLITE_DONE ? -EIO : store_errno(sqlite, code);
    if (!ret)
        *out = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return ret;
}

int store_check_whole(sqlite3 *sqlite, const char *pragma)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(sqlite, pragma, -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    int ret = code == SQLITE_ROW ? 0 : store_errno(sqlite, code);
    if (!ret) {
        const char *text = (const char *)sqlite3_column_text(statement, 0);
        ret = text && !strcmp(text, "ok") ? 0 : -EBADMSG;
    }
    sqlite3_finalize(statement);
    return ret;
}

/* The file, mode 0600, before the library makes it with the process's mask. An existing one is not opened: closing
 * it would drop the locks that this process holds on it. */
static int make_private(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0) {
        close(fd);
        return 0;
    }
    if (errno != EEXIST)
        return -errno;
    struct stat st;
    if (stat(path, &st) < 0)
        return -errno;
    if ((st.st_mode & 077) && chmod(path, 0600) < 0)
        return -errno;
    return 0;
}

static int configure(sqlite3 *sqlite)
{
    sqlite3_extended_result_codes(sqlite, 1);
    sqlite3_busy_timeout(sqlite, BUSY_MS);
    sqlite3_db_config(sqlite, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    int ret = store_exec(sqlite, "PRAGMA journal_mode = WAL");
    if (ret < 0)
        return ret;
    return store_exec(sqlite, "PRAGMA synchronous = FULL;"
                              "PRAGMA foreign_keys = ON;"
                              "PRAGMA temp_store = MEMORY;"
                              "PRAGMA cache_size = -4096;"
                              "PRAGMA journal_size_limit = 16777216");
}

/* Version `from` to `from` + 1, wholly or not at all: after an error closing rolls back, and until then the library still
 * knows what was wrong. Another process may have been faster. */
static int migrate_once(sqlite3 *sqlite, const struct migrations *m, int64_t from)
{
    int ret = store_exec(sqlite, "BEGIN IMMEDIATE");
    if (ret < 0)
        return ret;
    int64_t version = -1;
    ret = store_number(sqlite, "PRAGMA user_version", &version);
    if (!ret && version == from) {
        char sql[48];
        snprintf(sql, sizeof(sql), "PRAGMA user_version = %" PRId64, from + 1);
        ret = store_exec(sqlite, m->sql[from]);
        if (!ret)
            ret = store_exec(sqlite, sql);
    }
    return ret < 0 ? ret : store_exec(sqlite, "COMMIT");
}

static int migrate(sqlite3 *sqlite, const struct migrations *m)
{
    for (;;) {
        int64_t version = 0;
        int ret = store_number(sqlite, "PRAGMA user_version", &version);
        if (ret < 0)
            return ret;
        if (version < 0 || version > (int64_t)m->count)
            return -EPROTO;
        if (version == (int64_t)m->count)
            return 0;
        ret = migrate_once(sqlite, m, version);
        if (ret < 0)
            return ret;
    }
}

void store_log_failure(const struct log *log, const char *path, sqlite3 *sqlite, int ret)
{
    if (ret == -EPROTO)
        log_err(log, "%s: was written by a newer version of this program", path);
    else if (ret == -EBADMSG)
        log_err(log, "%s: is no database of ours, or damaged", path);
    else if (sqlite && sqlite3_errcode(sqlite) != SQLITE_OK)
        log_err(log, "%s: %s (%s)", path, sqlite3_errmsg(sqlite), strerror(-ret));
    else
        log_err(log, "%s: %s", path, strerror(-ret));
}

int database_open(struct database **out, const char *path, const struct migrations *m,
                  const struct log *log)
{
    struct database *d = xcalloc(1, sizeof(*d));
    d->path = xstrdup(path);
    d->log = log;
    int ret = make_private(path);
    if (!ret) {
        int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
        int code = sqlite3_open_v2(path, &d->sqlite, flags, NULL);
        ret = store_errno(d->sqlite, code);
    }
    if (!ret)
        ret = configure(d->sqlite);
    if (!ret)
        ret = store_check_whole(d->sqlite, "PRAGMA quick_check(1)");
    if (!ret)
        ret = migrate(d->sqlite, m);
    if (ret < 0) {
        store_log_failure(log, path, d->sqlite, ret);
        database_close(d);
        return ret;
    }
    *out = d;
    return 0;
}

void database_close(struct database *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < STATEMENTS_MAX; i++) {
        sqlite3_finalize(d->cache[i].statement);
        free(d->cache[i].sql);
    }
    if (d->sqlite && !sqlite3_get_autocommit(d->sqlite))
        (void)store_exec(d->sqlite, "ROLLBACK");
    if (sqlite3_close(d->sqlite) != SQLITE_OK)
        log_warn(d->log, "%s: closed while a statement was in use", d->path);
    free(d->path);
    free(d);
}

/* ---- the turn's transaction ---------------------------------------------------------------------- */

/* Runs constant SQL; says once what went wrong. */
static int run(struct database *d, const char *sql)
{
    int ret = store_exec(d->sqlite, sql);
    if (ret < 0)
        log_err(d->log, "%s: %s: %s", d->path, sql, sqlite3_errmsg(d->sqlite));
    return ret;
}

/* After some errors (disk full, I/O) the library rolls the whole transaction back by itself. What was
 * written before in this turn is then gone, and the turn must not succeed with the rest. */
static void notice_lost_transaction(struct database *d, int why)
{
    if (d->is_writing && !d->failure && sqlite3_get_autocommit(d->sqlite))
        d->failure = why < 0 ? why : -EIO;
}

int database_begin_write(struct database *d)
{
    notice_lost_transaction(d, -EIO);
    if (d->failure)
        return d->failure;
    if (!d->is_writing) {
        int ret = run(d, "BEGIN IMMEDIATE");
        if (ret < 0)
            return ret;
        d->is_writing = true;
    }
    if (d->is_marked && !d->has_savepoint) {
        int ret = run(d, "SAVEPOINT part");
        if (ret < 0)
            return ret;
        d->has_savepoint = true;
    }
    return 0;
}

/* A statement left at a row would keep its snapshot open, and the log could not be emptied. */
static void reset_statements(struct database *d)
{
    for (size_t i = 0; i < STATEMENTS_MAX; i++)
        if (d->cache[i].statement && sqlite3_stmt_busy(d->cache[i].statement))
            sqlite3_reset(d->cache[i].statement);
}

int database_commit(struct database *d)
{
    assert(!d->is_marked);
    reset_statements(d);
    notice_lost_transaction(d, -EIO);
    int ret = d->failure;
    if (d->is_writing && !ret)
        ret = run(d, "COMMIT");
    if (!sqlite3_get_autocommit(d->sqlite))
        (void)run(d, "ROLLBACK");
    d->is_writing = false;
    d->has_savepoint = false;
    d->failure = 0;
    return ret;
}

int database_mark(struct database *d)
{
    assert(!d->is_marked);
    notice_lost_transaction(d, -EIO);
    if (d->failure)
        return d->failure;
    d->is_marked = true;
    return 0;
}

void database_keep(struct database *d)
{
    notice_lost_transaction(d, -EIO);
    if (d->has_savepoint && !d->failure) {
        int ret = run(d, "RELEASE part");
        if (ret < 0)
            d->failure = ret;
    }
    d->has_savepoint = false;
    d->is_marked = false;
}

void database_undo(struct database *d)
{
    notice_lost_transaction(d, -EIO);
    if (d->has_savepoint && !d->failure) {
        int ret = run(d, "ROLLBACK TO part; RELEASE part");
        if (ret < 0)
            d->failure = ret;
    }
    d->has_savepoint = false;
    d->is_marked = false;
}

/* ---- statements ---------------------------------------------------------------------------------- */

/* The slot of `sql`, or the one to give up for it: never one that is in use. NULL: all are. */
static struct cached_statement *find_slot(struct database *d, const char *sql)
{
    struct cached_statement *oldest = NULL;
    for (size_t i = 0; i < STATEMENTS_MAX; i++) {
        struct cached_statement *slot = &d->cache[i];
        if (slot->sql && !strcmp(slot->sql, sql))
            return slot;
        if (slot->statement && sqlite3_stmt_busy(slot->statement))
            continue;
        if (!oldest || slot->used < oldest->used)
            oldest = slot;
    }
    return oldest;
}

sqlite3_stmt *database_statement(struct database *d, const char *sql)
{
    struct cached_statement *slot = find_slot(d, sql);
    if (!slot) {
        log_err(d->log, "%s: too many statements in use at once", d->path);
        return NULL;
    }
    slot->used = strlen(sql) > SQL_LARGE ? 0 : ++d->use_counter;
    if (slot->sql && !strcmp(slot->sql, sql)) {
        sqlite3_reset(slot->statement);
        sqlite3_clear_bindings(slot->statement);
        return slot->statement;
    }
    sqlite3_finalize(slot->statement);
    free(slot->sql);
    *slot = (struct cached_statement){ .used = slot->used };
    if (sqlite3_prepare_v3(d->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT, &slot->statement, NULL) !=
        SQLITE_OK) {
        log_err(d->log, "%s: %.200s: %s", d->path, sql, sqlite3_errmsg(d->sqlite));
        slot->used = 0;
        return NULL;
    }
    slot->sql = xstrdup(sql);
    return slot->statement;
}

int database_step(struct database *d, sqlite3_stmt *statement)
{
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        return 1;
    int ret = store_errno(d->sqlite, code);
    if (ret < 0 && ret != -EEXIST)
        log_err(d->log, "%s: %s", d->path, sqlite3_errmsg(d->sqlite));
    sqlite3_reset(statement);
    if (ret < 0)
        notice_lost_transaction(d, ret);
    return ret;
}

sqlite3 *store_sqlite(struct database *d)
{
    return d->sqlite;
}

const struct log *store_log(const struct database *d)
{
    return d->log;
}
