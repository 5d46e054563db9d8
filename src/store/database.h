/* One SQLite file: WAL, synchronous FULL, numbered migrations, cached statements, values always bound.
 * Thread-safety: one thread. Blocks on disk. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "base/compiler.h"
#include "base/log.h"

struct database;

/* Migration n (index n - 1) brings version n - 1 to n; several statements; never changed once released. */
struct migrations {
    const char *const *sql;
    size_t count;
};

/* Opens or makes `path` (mode 0600) and migrates it. 0, or negative errno after a sentence in the log naming
 * the file: -EBADMSG no database or damaged, -EPROTO written by a newer program. */
WARN_UNUSED int database_open(struct database **out, const char *path, const struct migrations *m,
                              const struct log *log);
void database_close(struct database *d); /* rolls back what was not committed */

/* The turn's transaction: begun by the first write, ended by commit. database_commit() returns 0 also when
 * nothing was written; else negative errno (disk full: -ENOSPC), and everything since is undone. */
WARN_UNUSED int database_begin_write(struct database *d);
WARN_UNUSED int database_commit(struct database *d);
/* A part that can be undone alone, inside the turn: one request. Parts do not nest. */
WARN_UNUSED int database_mark(struct database *d);
void database_keep(struct database *d); /* the part since the mark stays */
void database_undo(struct database *d); /* the part since the mark never was */

/* A cached statement, reset and without bindings. Borrowed. NULL after a line in the log. `sql` is constant
 * text, or built from constant parts only. */
sqlite3_stmt *database_statement(struct database *d, const char *sql);

/* 1: a row is there. 0: done. Negative errno, logged unless -EEXIST (a unique value is taken). Unless 1, the statement
 * is reset; who stops at a row resets it himself, else its snapshot stays open. */
WARN_UNUSED int database_step(struct database *d, sqlite3_stmt *statement);

/* Between turns only (-EBUSY). Copies the whole to a new file while in use (SQLite's online backup); 0600, complete or not there. */
WARN_UNUSED int database_backup(struct database *d, const char *path);
/* Whether `path` is a whole database of at most this version: integrity check. */
WARN_UNUSED int database_check(const char *path, const struct migrations *m, const struct log *log);
