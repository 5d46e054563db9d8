#include "source/library_index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "model/track.h"
#include "source/search_text.h"
#include "store/database.h"

/* Of so many songs that have the words the best are chosen: what everything begins with finds everything. */
#define CANDIDATES_START 400
#define CANDIDATES_ALL   800

static const char *const migration_sql[] = {
    "CREATE TABLE folder(id INTEGER PRIMARY KEY, path BLOB NOT NULL UNIQUE);"
    "CREATE TABLE file("
    " id INTEGER PRIMARY KEY,"
    " folder INTEGER NOT NULL REFERENCES folder(id),"
    " name BLOB NOT NULL,"
    " size INTEGER NOT NULL,"
    " mtime_ns INTEGER NOT NULL,"
    " key TEXT NOT NULL,"
    " title TEXT NOT NULL,"
    " artist TEXT NOT NULL,"
    " duration_s REAL NOT NULL,"
    " wants_tags INTEGER NOT NULL,"
    " absent_ms INTEGER NOT NULL,"
    " UNIQUE(folder, name));"
    "CREATE INDEX file_untagged ON file(id) WHERE wants_tags = 1;"
    "CREATE INDEX file_absent ON file(absent_ms) WHERE absent_ms > 0;"
    "CREATE VIRTUAL TABLE words USING fts5(artist, title, prefix = '1 2 3',"
    " tokenize = 'unicode61 remove_diacritics 2');",
};

#define FILE_COLUMNS                                                                               \
    "f.id, f.folder, d.path, f.name, f.size, f.mtime_ns, f.key, f.title, f.artist, f.duration_s, " \
    "f.wants_tags, f.absent_ms FROM file f JOIN folder d ON d.id = f.folder "

static const char sql_folders[] = "SELECT id, path FROM folder";
static const char sql_folder_add[] = "INSERT INTO folder(path) VALUES(?1)";
static const char sql_files[] = "SELECT " FILE_COLUMNS;
static const char sql_files_of[] = "SELECT " FILE_COLUMNS "WHERE f.folder = ?1 ORDER BY f.name";
static const char sql_untagged[] =
    "SELECT " FILE_COLUMNS "WHERE f.wants_tags = 1 AND f.absent_ms = 0 ORDER BY f.id LIMIT 1";
static const char sql_absent[] =
    "SELECT " FILE_COLUMNS "WHERE f.absent_ms > 0 AND f.absent_ms < ?1 ORDER BY f.absent_ms";
static const char sql_add[] =
    "INSERT INTO file(folder, name, size, mtime_ns, key, title, artist, duration_s, wants_tags, "
    "absent_ms) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0)";
static const char sql_change[] =
    "UPDATE file SET folder = ?1, name = ?2, size = ?3, mtime_ns = ?4, key = ?5, title = ?6, "
    "artist = ?7, duration_s = ?8, wants_tags = ?9, absent_ms = 0 WHERE id = ?10";
static const char sql_set_absent[] = "UPDATE file SET absent_ms = ?2 WHERE id = ?1";
static const char sql_set_tags[] =
    "UPDATE file SET title = coalesce(?2, title), artist = coalesce(?3, artist), duration_s = ?4, "
    "wants_tags = 0 WHERE id = ?1";
static const char sql_names[] = "SELECT artist, title FROM file WHERE id = ?1";
static const char sql_words_put[] =
    "INSERT OR REPLACE INTO words(rowid, artist, title) VALUES(?1, ?2, ?3)";
static const char sql_words_remove[] = "DELETE FROM words WHERE rowid = ?1";
static const char sql_remove[] = "DELETE FROM file WHERE id = ?1";
static const char sql_search[] =
    "SELECT w.rowid, w.artist, w.title FROM words w JOIN file f ON f.id = w.rowid "
    "WHERE words MATCH ?1 AND f.absent_ms = 0 LIMIT ?2";
static const char sql_song[] = "SELECT " FILE_COLUMNS "WHERE f.id = ?1";

struct library_index {
    struct database *database;
};

/* ---- opening ------------------------------------------------------------------------------------ */

static void remove_all(const char *path)
{
    static const char *const endings[] = { "", "-wal", "-shm" };
    for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
        char *file = xasprintf("%s%s", path, endings[i]);
        unlink(file);
        free(file);
    }
}

int library_index_open(struct library_index **out, const char *path, bool may_remake,
                       const struct log *log)
{
    static const struct migrations migrations = { migration_sql, ARRAY_LEN(migration_sql) };
    struct database *d;
    int ret = database_open(&d, path, &migrations, log);
    if (may_remake && (ret == -EBADMSG || ret == -EPROTO)) {
        log_warn(log, "%s: the index of the library is made anew", path);
        remove_all(path);
        ret = database_open(&d, path, &migrations, log);
    }
    if (ret < 0)
        return ret;
    struct library_index *ix = xcalloc(1, sizeof(*ix));
    ix->database = d;
    *out = ix;
    return 0;
}

void library_index_close(struct library_index *ix)
{
    if (!ix)
        return;
    database_close(ix->database);
    free(ix);
}

int library_index_commit(struct library_index *ix)
{
    return database_commit(ix->database);
}

/* ---- statements --------------------------------------------------------------------------------- */

static void bind_bytes(sqlite3_stmt *s, int at, const char *bytes)
{
    sqlite3_bind_blob(s, at, bytes, (int)strlen(bytes), SQLITE_STATIC);
}

static void bind_text(sqlite3_stmt *s, int at, const char *text)
{
    sqlite3_bind_text(s, at, text, -1, SQLITE_STATIC);
}

/* The caller frees. */
static char *column_bytes(sqlite3_stmt *s, int at)
{
    const void *bytes = sqlite3_column_blob(s, at);
    return xstrndup(bytes ? bytes : "", (size_t)sqlite3_column_bytes(s, at));
}

static const char *column_text(sqlite3_stmt *s, int at)
{
    const char *text = (const char *)sqlite3_column_text(s, at);
    return text ? text : "";
}

/* NULL: the reason was logged. Within a transaction that writes. */
static sqlite3_stmt *statement_to_write(struct library_index *ix, const char *sql)
{
    return database_begin_write(ix->database) < 0 ? NULL : database_statement(ix->database, sql);
}

/* Takes the rows of FILE_COLUMNS until there are no more, or `most` were taken: how many, or -errno. */
static int give_files(struct library_index *ix, sqlite3_stmt *s, int most, library_file_fn *fn,
                      void *ctx)
{
    int count = 0, ret = 0;
    while (count < most && (ret = database_step(ix->database, s)) == 1) {
        char *folder = column_bytes(s, 2), *name = column_bytes(s, 3);
        struct library_file f = {
            .row = sqlite3_column_int64(s, 0),
            .folder_row = sqlite3_column_int64(s, 1),
            .folder = folder,
            .name = name,
            .size = sqlite3_column_int64(s, 4),
            .mtime_ns = sqlite3_column_int64(s, 5),
            .key = column_text(s, 6),
            .title = column_text(s, 7),
            .artist = column_text(s, 8),
            .duration_s = sqlite3_column_double(s, 9),
            .wants_tags = sqlite3_column_int(s, 10),
            .absent_ms = sqlite3_column_int64(s, 11),
        };
        fn(ctx, &f);
        free(folder);
        free(name);
        count++;
    }
    if (ret == 1)
        sqlite3_reset(s);
    return ret < 0 ? ret : count;
}

int library_index_each_folder(struct library_index *ix, library_folder_fn *fn, void *ctx)
{
    sqlite3_stmt *s = database_statement(ix->database, sql_folders);
    int ret = s ? 0 : -EIO;
    while (s && (ret = database_step(ix->database, s)) == 1) {
        char *path = column_bytes(s, 1);
        fn(ctx, sqlite3_column_int64(s, 0), path);
        free(path);
    }
    return ret;
}

int library_index_each_file(struct library_index *ix, int64_t folder_row, library_file_fn *fn,
                            void *ctx)
{
    sqlite3_stmt *s = database_statement(ix->database, folder_row ? sql_files_of : sql_files);
    if (!s)
        return -EIO;
    if (folder_row)
        sqlite3_bind_int64(s, 1, folder_row);
    int ret = give_files(ix, s, INT32_MAX, fn, ctx);
    return ret < 0 ? ret : 0;
}

int library_index_next_untagged(struct library_index *ix, library_file_fn *fn, void *ctx)
{
    sqlite3_stmt *s = database_statement(ix->database, sql_untagged);
    return s ? give_files(ix, s, 1, fn, ctx) : -EIO;
}

/* ---- writing ------------------------------------------------------------------------------------ */

/* Of a statement that gives no rows. */
static int finish(struct library_index *ix, sqlite3_stmt *s)
{
    int ret = database_step(ix->database, s);
    return ret > 0 ? 0 : ret;
}

int library_index_add_folder(struct library_index *ix, const char *path, int64_t *row)
{
    sqlite3_stmt *s = statement_to_write(ix, sql_folder_add);
    if (!s)
        return -EIO;
    bind_bytes(s, 1, path);
    int ret = finish(ix, s);
    *row = sqlite3_last_insert_rowid(sqlite3_db_handle(s));
    return ret;
}

static int put_words(struct library_index *ix, int64_t row, const char *artist, const char *title)
{
    sqlite3_stmt *s = statement_to_write(ix, sql_words_put);
    if (!s)
        return -EIO;
    char *folded_artist = search_fold(artist), *folded_title = search_fold(title);
    sqlite3_bind_int64(s, 1, row);
    bind_text(s, 2, folded_artist);
    bind_text(s, 3, folded_title);
    int ret = finish(ix, s);
    free(folded_artist);
    free(folded_title);
    return ret;
}

int library_index_put(struct library_index *ix, struct library_file *f)
{
    sqlite3_stmt *s = statement_to_write(ix, f->row ? sql_change : sql_add);
    if (!s)
        return -EIO;
    sqlite3_bind_int64(s, 1, f->folder_row);
    bind_bytes(s, 2, f->name);
    sqlite3_bind_int64(s, 3, f->size);
    sqlite3_bind_int64(s, 4, f->mtime_ns);
    bind_text(s, 5, f->key);
    bind_text(s, 6, f->title);
    bind_text(s, 7, f->artist);
    sqlite3_bind_double(s, 8, f->duration_s);
    sqlite3_bind_int(s, 9, f->wants_tags);
    if (f->row)
        sqlite3_bind_int64(s, 10, f->row);
    int ret = finish(ix, s);
    if (ret == 0 && !f->row)
        f->row = sqlite3_last_insert_rowid(sqlite3_db_handle(s));
    return ret < 0 ? ret : put_words(ix, f->row, f->artist, f->title);
}

int library_index_set_absent(struct library_index *ix, int64_t row, int64_t absent_ms)
{
    sqlite3_stmt *s = statement_to_write(ix, sql_set_absent);
    if (!s)
        return -EIO;
    sqlite3_bind_int64(s, 1, row);
    sqlite3_bind_int64(s, 2, absent_ms);
    return finish(ix, s);
}

int library_index_set_tags(struct library_index *ix, int64_t row, const char *title,
                           const char *artist, double duration_s)
{
    sqlite3_stmt *s = statement_to_write(ix, sql_set_tags);
    if (!s)
        return -EIO;
    sqlite3_bind_int64(s, 1, row);
    bind_text(s, 2, title);
    bind_text(s, 3, artist);
    sqlite3_bind_double(s, 4, duration_s);
    int ret = finish(ix, s);
    if (ret < 0 || (!title && !artist))
        return ret;
    s = database_statement(ix->database, sql_names);
    if (!s)
        return -EIO;
    sqlite3_bind_int64(s, 1, row);
    ret = database_step(ix->database, s);
    if (ret != 1)
        return ret;
    char *new_artist = xstrdup(column_text(s, 0)), *new_title = xstrdup(column_text(s, 1));
    sqlite3_reset(s);
    ret = put_words(ix, row, new_artist, new_title);
    free(new_artist);
    free(new_title);
    return ret;
}

static int run_on(struct library_index *ix, const char *sql, int64_t row)
{
    sqlite3_stmt *s = statement_to_write(ix, sql);
    if (!s)
        return -EIO;
    sqlite3_bind_int64(s, 1, row);
    return finish(ix, s);
}

/* The rows that are to go: collected before the table changes below the statement. */
struct forgotten {
    library_file_fn *fn;
    void *ctx;
    int64_t *row;
    size_t count;
};

static void note_forgotten(void *ctx, const struct library_file *f)
{
    struct forgotten *all = ctx;
    all->row = xrealloc(all->row, (all->count + 1) * sizeof(*all->row));
    all->row[all->count++] = f->row;
    all->fn(all->ctx, f);
}

int library_index_forget(struct library_index *ix, int64_t before_ms, library_file_fn *fn,
                         void *ctx)
{
    struct forgotten all = { .fn = fn, .ctx = ctx };
    sqlite3_stmt *s = database_statement(ix->database, sql_absent);
    if (!s)
        return -EIO;
    sqlite3_bind_int64(s, 1, before_ms);
    int ret = give_files(ix, s, INT32_MAX, note_forgotten, &all);
    for (size_t i = 0; ret >= 0 && i < all.count; i++) {
        ret = run_on(ix, sql_words_remove, all.row[i]);
        if (ret == 0)
            ret = run_on(ix, sql_remove, all.row[i]);
    }
    free(all.row);
    return ret < 0 ? ret : 0;
}

/* ---- searching ---------------------------------------------------------------------------------- */

struct candidate {
    int64_t row;
    int score;
    size_t length; /* of the names: of equals the shorter is nearer */
};

struct candidates {
    struct candidate at[CANDIDATES_START + CANDIDATES_ALL];
    size_t count;
};

static int by_row(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    return x->row < y->row ? -1 : x->row > y->row;
}

static int by_score(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    if (x->length != y->length)
        return x->length < y->length ? -1 : 1;
    return by_row(a, b);
}

static int find_candidates(struct library_index *ix, const char *query, bool at_start, int most,
                           struct candidates *found)
{
    sqlite3_stmt *s = database_statement(ix->database, sql_search);
    if (!s)
        return -EIO;
    char *match = search_match(query, at_start);
    bind_text(s, 1, match);
    sqlite3_bind_int(s, 2, most);
    int ret;
    while ((ret = database_step(ix->database, s)) == 1 && found->count < ARRAY_LEN(found->at)) {
        const char *artist = column_text(s, 1), *title = column_text(s, 2);
        found->at[found->count++] = (struct candidate){
            .row = sqlite3_column_int64(s, 0),
            .score = search_score(query, artist, title),
            .length = strlen(artist) + strlen(title),
        };
    }
    if (ret == 1)
        sqlite3_reset(s);
    sqlite3_clear_bindings(s);
    free(match);
    return ret < 0 ? ret : 0;
}

static void drop_doubles(struct candidates *found)
{
    size_t kept = 0;
    qsort(found->at, found->count, sizeof(*found->at), by_row);
    for (size_t i = 0; i < found->count; i++)
        if (kept == 0 || found->at[i].row != found->at[kept - 1].row)
            found->at[kept++] = found->at[i];
    found->count = kept;
    qsort(found->at, found->count, sizeof(*found->at), by_score);
}

static void take_song(void *ctx, const struct library_file *f)
{
    struct library_songs *songs = ctx;
    char *path = xasprintf("%s/%s", strcmp(f->folder, "/") == 0 ? "" : f->folder, f->name);
    songs->at[songs->count++] = (struct library_song){
        .key = xstrdup(f->key),
        .title = xstrdup(f->title),
        .artist = xstrdup(f->artist),
        .source = path_to_source(path),
        .duration_s = f->duration_s,
    };
    free(path);
}

static int take_songs(struct library_index *ix, const struct candidates *found, size_t limit,
                      struct library_songs *out)
{
    size_t count = found->count < limit ? found->count : limit;
    int ret = 0;
    out->is_cut = found->count > limit;
    out->at = xcalloc(count + 1, sizeof(*out->at));
    for (size_t i = 0; ret >= 0 && i < count; i++) {
        sqlite3_stmt *s = database_statement(ix->database, sql_song);
        if (!s)
            return -EIO;
        sqlite3_bind_int64(s, 1, found->at[i].row);
        ret = give_files(ix, s, 1, take_song, out);
    }
    return ret < 0 ? ret : 0;
}

int library_index_search(struct library_index *ix, const char *text, size_t limit,
                         struct library_songs *out)
{
    char *query = search_fold_query(text);
    struct candidates *found = xcalloc(1, sizeof(*found));
    int ret = 0;
    *out = (struct library_songs){ 0 };
    if (*query) {
        ret = find_candidates(ix, query, true, CANDIDATES_START, found);
        if (ret == 0)
            ret = find_candidates(ix, query, false, CANDIDATES_ALL, found);
        drop_doubles(found);
        if (ret == 0)
            ret = take_songs(ix, found, limit, out);
    }
    free(found);
    free(query);
    return ret;
}

void library_songs_finish(struct library_songs *songs)
{
    for (size_t i = 0; i < songs->count; i++) {
        free(songs->at[i].key);
        free(songs->at[i].title);
        free(songs->at[i].artist);
        free(songs->at[i].source);
    }
    free(songs->at);
    *songs = (struct library_songs){ 0 };
}
