#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "store/store_internal.h"

/* Copies all pages, and leaves a single file: no log beside it. The library itself refuses to copy the half of a
 * transaction. */
static int copy_pages(sqlite3 *from, sqlite3 *to)
{
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    if (!backup)
        return store_errno(to, sqlite3_errcode(to));
    int code = sqlite3_backup_step(backup, -1);
    int end = sqlite3_backup_finish(backup);
    if (code != SQLITE_DONE)
        return store_errno(to, code == SQLITE_OK ? SQLITE_BUSY : code);
    if (end != SQLITE_OK)
        return store_errno(to, end);
    return store_exec(to, "PRAGMA journal_mode = DELETE");
}

static int fsync_path(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int ret = fsync(fd) < 0 ? -errno : 0;
    close(fd);
    return ret;
}

static int fsync_folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? xstrndup(path, (size_t)(slash - path) + 1) : xstrdup(".");
    int ret = fsync_path(folder, O_RDONLY | O_DIRECTORY);
    free(folder);
    return ret;
}

/* Into `temporary`, an empty file of mode 0600 that is on disk afterwards. */
static int write_copy(struct database *d, const char *temporary)
{
    sqlite3 *to = NULL;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int code = sqlite3_open_v2(temporary, &to, flags, NULL);
    int ret = store_errno(to, code);
    if (!ret)
        ret = copy_pages(store_sqlite(d), to);
    if (ret < 0)
        store_log_failure(store_log(d), temporary, to, ret);
    sqlite3_close(to);
    return ret < 0 ? ret : fsync_path(temporary, O_RDONLY);
}

int database_backup(struct database *d, const char *path)
{
    char *temporary = xasprintf("%s.tmp-XXXXXX", path);
    int fd = mkostemp(temporary, O_CLOEXEC);
    int ret = fd < 0 ? -errno : 0;
    if (ret < 0) {
        log_err(store_log(d), "%s: %s", temporary, strerror(-ret));
        free(temporary);
        return ret;
    }
    close(fd);
    ret = write_copy(d, temporary);
    if (!ret) {
        ret = rename(temporary, path) < 0 ? -errno : fsync_folder_of(path);
        if (ret < 0)
            log_err(store_log(d), "%s: %s", path, strerror(-ret));
    }
    if (ret < 0)
        unlink(temporary);
    free(temporary);
    return ret;
}

int database_check(const char *path, const struct migrations *m, const struct log *log)
{
    sqlite3 *sqlite = NULL;
    int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int code = sqlite3_open_v2(path, &sqlite, flags, NULL);
    int ret = store_errno(sqlite, code);
    if (ret < 0 && access(path, R_OK) < 0)
        ret = -errno; /* the library only says that it cannot open it */
    int64_t version = 0;
    if (!ret)
        ret = store_number(sqlite, "PRAGMA user_version", &version);
    if (!ret && version > (int64_t)m->count)
        ret = -EPROTO;
    if (!ret && version < 1)
        ret = -EBADMSG;
    if (!ret)
        ret = store_check_whole(sqlite, "PRAGMA integrity_check(1)");
    if (ret < 0)
        store_log_failure(log, path, sqlite, ret);
    sqlite3_close(sqlite);
    return ret;
}
