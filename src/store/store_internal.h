/* For the files of this folder only. */
#pragma once

#include "store/database.h"

/* A result code of the library as negative errno; 0 for OK, ROW and DONE. `sqlite` may be NULL. */
int store_errno(sqlite3 *sqlite, int code);
int store_exec(sqlite3 *sqlite, const char *sql);
/* The first column of the first row. */
int store_number(sqlite3 *sqlite, const char *sql, int64_t *out);
/* 0 when quick_check or integrity_check says "ok"; -EBADMSG when it finds damage. */
int store_check_whole(sqlite3 *sqlite, const char *pragma);
void store_log_failure(const struct log *log, const char *path, sqlite3 *sqlite, int ret);

sqlite3 *store_sqlite(struct database *d);
const struct log *store_log(const struct database *d);
