#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "hub/datetime.h"
#include "hub/documents_internal.h"

/* 2100-01-01: a clock that says more was set wrong, and times must not run out of years. */
#define LAST_PLAUSIBLE_MS ((int64_t)4102444800000)

void document_row_finish(struct document_row *r)
{
    free(r->id);
    free(r->permissions);
    message_destroy(r->attributes);
    *r = (struct document_row){ 0 };
}

static char *copy_text(sqlite3_stmt *s, int column)
{
    const char *text = (const char *)sqlite3_column_text(s, column);
    return xstrdup(text ? text : "");
}

bool document_row_read(struct document_row *r, sqlite3_stmt *s)
{
    *r = (struct document_row){
        .sequence = sqlite3_column_int64(s, 0),
        .id = copy_text(s, 1),
        .created_ms = sqlite3_column_int64(s, 2),
        .updated_ms = sqlite3_column_int64(s, 3),
        .permissions = copy_text(s, 4),
    };
    const char *data = (const char *)sqlite3_column_text(s, 5);
    if (data)
        r->attributes = message_parse(data, (size_t)sqlite3_column_bytes(s, 5), NULL, 0);
    return r->attributes != NULL;
}

static void set_time(struct message *m, const char *name, int64_t ms)
{
    char text[DATETIME_TEXT_MAX];
    datetime_text(ms, text);
    message_set_str(m, name, text);
}

struct message *document_row_message(const struct documents *d, const struct collection *c,
                                     const struct document_row *r)
{
    struct message *m = message_create();
    message_set_str(m, "$id", r->id);
    message_set_i64(m, "$sequence", r->sequence);
    message_set_str(m, "$databaseId", d->database_id);
    message_set_str(m, "$collectionId", c->id);
    set_time(m, "$createdAt", r->created_ms);
    set_time(m, "$updatedAt", r->updated_ms);
    if (!message_set_json(m, "$permissions", r->permissions, strlen(r->permissions)))
        message_set_array(m, "$permissions");
    for (size_t i = 0; i < c->attribute_count; i++) {
        const char *name = c->attribute[i].name;
        message_set_null(m, name);
        message_set_field(m, name, r->attributes, name);
    }
    return m;
}

bool documents_load(struct documents *d, const struct collection *c, const char *id,
                    struct document_row *r, bool *found, struct api_error *e)
{
    *r = (struct document_row){ 0 };
    *found = false;
    sqlite3_stmt *s =
        database_statement(d->p.database, "SELECT " DOCUMENT_COLUMNS
                                          " FROM documents WHERE collection = ?1 AND id = ?2");
    if (!s)
        return documents_fail_storage(e);
    sqlite3_bind_text(s, 1, c->id, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, id, -1, SQLITE_TRANSIENT);
    int ret = database_step(d->p.database, s);
    if (ret < 0)
        return documents_fail_storage(e);
    if (ret == 0)
        return true;
    *found = document_row_read(r, s);
    sqlite3_reset(s);
    return *found || documents_fail_storage(e);
}

static bool read_latest(struct documents *d, int64_t *ms)
{
    sqlite3_stmt *s =
        database_statement(d->p.database, "SELECT latest_ms FROM document_clock WHERE id = 1");
    if (!s || database_step(d->p.database, s) != 1)
        return false;
    *ms = sqlite3_column_int64(s, 0);
    sqlite3_reset(s);
    return true;
}

bool documents_stamp(struct documents *d, int64_t old_ms, int64_t *ms, struct api_error *e)
{
    int64_t latest, wall = d->p.wall_ms(d->p.ctx);
    if (!read_latest(d, &latest))
        return documents_fail_storage(e);
    if (wall > LAST_PLAUSIBLE_MS)
        wall = latest;
    *ms = max_i64(max_i64(wall, latest), (old_ms == NO_TIME ? latest : old_ms) + 1);
    sqlite3_stmt *s =
        database_statement(d->p.database, "UPDATE document_clock SET latest_ms = ?1 WHERE id = 1");
    if (!s)
        return documents_fail_storage(e);
    sqlite3_bind_int64(s, 1, *ms);
    return database_step(d->p.database, s) == 0 || documents_fail_storage(e);
}

bool documents_store(struct documents *d, const struct collection *c, struct document_row *r,
                     struct api_error *e)
{
    sqlite3_stmt *s = database_statement(
        d->p.database,
        r->sequence
            ? "UPDATE documents SET updated_ms = ?4, permissions = ?5, data = ?6"
              " WHERE collection = ?1 AND id = ?2"
            : "INSERT INTO documents(collection, id, created_ms, updated_ms, permissions, data)"
              " VALUES(?1, ?2, ?3, ?4, ?5, ?6)");
    if (!s)
        return documents_fail_storage(e);
    char *data = message_text(r->attributes, false);
    sqlite3_bind_text(s, 1, c->id, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, r->id, -1, SQLITE_STATIC);
    if (!r->sequence)
        sqlite3_bind_int64(s, 3, r->created_ms);
    sqlite3_bind_int64(s, 4, r->updated_ms);
    sqlite3_bind_text(s, 5, r->permissions, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 6, data, -1, SQLITE_STATIC);
    int ret = database_step(d->p.database, s);
    sqlite3_clear_bindings(s);
    free(data);
    if (ret == -EEXIST)
        return api_fail(e, API_DOCUMENT_EXISTS,
                        "Document with the requested ID or unique attribute already exists. Try "
                        "again with a different ID or use ID.unique() to generate a unique ID.");
    if (ret != 0)
        return documents_fail_storage(e);
    if (!r->sequence)
        r->sequence = sqlite3_last_insert_rowid(sqlite3_db_handle(s));
    return true;
}

void documents_report(struct documents *d, const struct collection *c, enum change_action action,
                      const struct document_row *r, struct message **out)
{
    if (!d->p.on_change && !out)
        return;
    struct message *m = document_row_message(d, c, r);
    struct change change = { .collection = c, .action = action, .id = r->id, .document = m };
    if (d->p.on_change)
        d->p.on_change(d->p.ctx, &change);
    if (out)
        *out = m;
    else
        message_destroy(m);
}
