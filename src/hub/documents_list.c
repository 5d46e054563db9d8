#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "hub/datetime.h"
#include "hub/documents_internal.h"

#define TOTAL_MAX        5000
#define SQL_MAX          (256 * 1024)
#define ANSWER_MAX_BYTES (16 * 1024 * 1024)

struct bound {
    enum { BIND_INTEGER, BIND_NUMBER, BIND_TEXT, BIND_VALUE } type;
    int64_t integer;
    double number;
    char *text;
    sqlite3_value *value;
};

/* A statement under construction: its text is made of constants, what a client said is bound. */
struct selection {
    const struct collection *collection;
    struct buf sql;
    struct bound *bound;
    size_t bound_count;
    bool is_too_long;
};

static void selection_finish(struct selection *s)
{
    for (size_t i = 0; i < s->bound_count; i++) {
        free(s->bound[i].text);
        sqlite3_value_free(s->bound[i].value);
    }
    free(s->bound);
    buf_finish(&s->sql);
}

static void add(struct selection *s, const char *constant)
{
    if (buf_append(&s->sql, constant, strlen(constant)) < 0)
        s->is_too_long = true;
}

static struct bound *bind(struct selection *s)
{
    s->bound = xrealloc(s->bound, (s->bound_count + 1) * sizeof(*s->bound));
    struct bound *b = &s->bound[s->bound_count++];
    *b = (struct bound){ 0 };
    add(s, "?");
    return b;
}

static void bind_text(struct selection *s, const char *text)
{
    struct bound *b = bind(s);
    b->type = BIND_TEXT;
    b->text = xstrdup(text);
}

static void bind_integer(struct selection *s, int64_t value)
{
    struct bound *b = bind(s);
    b->type = BIND_INTEGER;
    b->integer = value;
}

/* ---- text ------------------------------------------------------------------------------------------ */

/* The name comes from a client: what is written is the schema's own. */
static void add_column(struct selection *s, const char *name)
{
    static const struct {
        const char *name, *column;
    } columns[] = {
        { "$id", "id" },
        { "$sequence", "sequence" },
        { "$createdAt", "created_ms" },
        { "$updatedAt", "updated_ms" },
    };
    for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
        if (!strcmp(columns[i].name, name)) {
            add(s, columns[i].column);
            return;
        }
    }
    const struct attribute *a = collection_attribute(s->collection, name);
    if (!a) { /* a query made for another collection */
        add(s, "NULL");
        return;
    }
    add(s, "json_extract(data,'$.");
    add(s, a->name);
    add(s, "')");
}

static void add_value(struct selection *s, const char *name, const struct query_value *v)
{
    int64_t ms = 0;
    switch (v->type) {
    case VALUE_TEXT:
        if (!strcmp(name, "$sequence"))
            bind_integer(s, strtoll(v->text, NULL, 10));
        else if ((!strcmp(name, "$createdAt") || !strcmp(name, "$updatedAt")) &&
                 datetime_parse(v->text, &ms))
            bind_integer(s, ms);
        else
            bind_text(s, v->text);
        break;
    case VALUE_INTEGER:
    case VALUE_BOOLEAN: bind_integer(s, v->integer); break;
    case VALUE_FLOAT: {
        struct bound *b = bind(s);
        b->type = BIND_NUMBER;
        b->number = v->number;
        break;
    }
    case VALUE_NULL: add(s, "NULL"); break;
    }
}

static void add_equal(struct selection *s, const struct query_filter *f)
{
    add_column(s, f->attribute);
    add(s, " IN (");
    for (size_t i = 0; i < f->value_count; i++) {
        add(s, i ? "," : "");
        add_value(s, f->attribute, &f->value[i]);
    }
    add(s, ")");
}

static void add_comparison(struct selection *s, const struct query_filter *f, const char *operator)
{
    add_column(s, f->attribute);
    add(s, operator);
    add_value(s, f->attribute, &f->value[0]);
}

static void add_contains(struct selection *s, const struct query_filter *f)
{
    for (size_t i = 0; i < f->value_count; i++) {
        add(s, i ? " OR instr(" : "instr(");
        add_column(s, f->attribute);
        add(s, ",");
        add_value(s, f->attribute, &f->value[i]);
        add(s, ") > 0");
    }
}

/* LIKE takes %, _ and the escape itself literally only when they are escaped. It takes A for a, but not Ä for ä. */
static void add_pattern(struct selection *s, const struct query_filter *f)
{
    const char *text = f->value[0].type == VALUE_TEXT ? f->value[0].text : "";
    char *pattern = xcalloc(2, strlen(text) + 2), *to = pattern;
    *to++ = '%';
    for (; *text; text++) {
        if (strchr("%_\\", *text))
            *to++ = '\\';
        *to++ = *text;
    }
    *to = '%';
    add_column(s, f->attribute);
    add(s, " LIKE ");
    bind_text(s, pattern);
    add(s, " ESCAPE '\\'");
    free(pattern);
}

/* substr(text, 1, length) = ?, which is also right for "". */
static void add_end(struct selection *s, const struct query_filter *f, bool is_start)
{
    add(s, is_start ? "substr(" : "length(");
    add_column(s, f->attribute);
    if (is_start) {
        add(s, ",1,length(");
    } else {
        add(s, ") >= length(");
        add_value(s, f->attribute, &f->value[0]);
        add(s, ") AND substr(");
        add_column(s, f->attribute);
        add(s, ",length(");
        add_column(s, f->attribute);
        add(s, ")+1-length(");
    }
    add_value(s, f->attribute, &f->value[0]);
    add(s, ")) = ");
    add_value(s, f->attribute, &f->value[0]);
}

static void add_filter(struct selection *s, const struct query_filter *f);

static void add_parts(struct selection *s, const struct query_filter *f, const char *between)
{
    for (size_t i = 0; i < f->part_count; i++) {
        add(s, i ? between : "");
        add_filter(s, &f->part[i]);
    }
}

static void add_between(struct selection *s, const struct query_filter *f)
{
    add_column(s, f->attribute);
    add(s, " BETWEEN ");
    add_value(s, f->attribute, &f->value[0]);
    add(s, " AND ");
    add_value(s, f->attribute, &f->value[1]);
}

static void add_filter(struct selection *s, const struct query_filter *f)
{
    static const char *const operators[] = {
        [QUERY_NOT_EQUAL] = " <> ", [QUERY_LESS] = " < ",           [QUERY_LESS_EQUAL] = " <= ",
        [QUERY_GREATER] = " > ",    [QUERY_GREATER_EQUAL] = " >= ",
    };
    add(s, "(");
    switch (f->method) {
    case QUERY_EQUAL: add_equal(s, f); break;
    case QUERY_NOT_EQUAL:
    case QUERY_LESS:
    case QUERY_LESS_EQUAL:
    case QUERY_GREATER:
    case QUERY_GREATER_EQUAL: add_comparison(s, f, operators[f->method]); break;
    case QUERY_IS_NULL:
    case QUERY_IS_NOT_NULL:
        add_column(s, f->attribute);
        add(s, f->method == QUERY_IS_NULL ? " IS NULL" : " IS NOT NULL");
        break;
    case QUERY_BETWEEN: add_between(s, f); break;
    case QUERY_STARTS_WITH:
    case QUERY_ENDS_WITH: add_end(s, f, f->method == QUERY_STARTS_WITH); break;
    case QUERY_CONTAINS: add_contains(s, f); break;
    case QUERY_SEARCH: add_pattern(s, f); break;
    case QUERY_OR: add_parts(s, f, " OR "); break;
    case QUERY_AND: add_parts(s, f, " AND "); break;
    }
    add(s, ")");
}

/* The collection's id stands as text, so that the indexes made for it serve. */
static void add_where(struct selection *s, const struct query *q)
{
    add(s, " FROM documents WHERE collection = '");
    add(s, s->collection->id);
    add(s, "'");
    for (size_t i = 0; i < q->filter_count; i++) {
        add(s, " AND ");
        add_filter(s, &q->filter[i]);
    }
}

/* The order asked for, then creation order; turned round for the page before a cursor. */
static size_t order_count(const struct query *q)
{
    return q->order_count + 1;
}

static const char *order_name(const struct query *q, size_t i)
{
    return i < q->order_count ? q->order[i].attribute : "$sequence";
}

static bool order_is_descending(const struct query *q, size_t i)
{
    bool is_descending = i < q->order_count && q->order[i].is_descending;
    return is_descending != (q->cursor && q->cursor_is_before);
}

/* ---- running --------------------------------------------------------------------------------------- */

/* Prepared and bound; NULL and *e. */
static sqlite3_stmt *prepare(struct documents *d, const struct selection *s, struct api_error *e)
{
    if (s->is_too_long) {
        api_fail(e, API_QUERY_INVALID, "Invalid query: all queries together are too long");
        return NULL;
    }
    sqlite3_stmt *statement = database_statement(d->p.database, s->sql.data);
    if (!statement) {
        documents_fail_storage(e);
        return NULL;
    }
    for (size_t i = 0; i < s->bound_count; i++) {
        const struct bound *b = &s->bound[i];
        int n = (int)i + 1;
        switch (b->type) {
        case BIND_INTEGER: sqlite3_bind_int64(statement, n, b->integer); break;
        case BIND_NUMBER: sqlite3_bind_double(statement, n, b->number); break;
        case BIND_TEXT: sqlite3_bind_text(statement, n, b->text, -1, SQLITE_STATIC); break;
        case BIND_VALUE: sqlite3_bind_value(statement, n, b->value); break;
        }
    }
    return statement;
}

static bool count_all(struct documents *d, const struct collection *c, const struct query *q,
                      int64_t *total, struct api_error *e)
{
    struct selection s = { .collection = c };
    buf_init(&s.sql, SQL_MAX);
    add(&s, "SELECT count(*) FROM (SELECT 1");
    add_where(&s, q);
    add(&s, " LIMIT ");
    bind_integer(&s, TOTAL_MAX);
    add(&s, ")");
    sqlite3_stmt *statement = prepare(d, &s, e);
    bool is_good = statement != NULL;
    if (statement) {
        is_good = database_step(d->p.database, statement) == 1 || documents_fail_storage(e);
        *total = is_good ? sqlite3_column_int64(statement, 0) : 0;
        sqlite3_reset(statement);
        sqlite3_clear_bindings(statement);
    }
    selection_finish(&s);
    return is_good;
}

/* What the cursor's document has in the columns of the order. The caller frees the `count` values. */
static bool read_cursor(struct documents *d, const struct collection *c, const struct query *q,
                        sqlite3_value **value, struct api_error *e)
{
    struct selection s = { .collection = c };
    buf_init(&s.sql, SQL_MAX);
    add(&s, "SELECT ");
    for (size_t i = 0; i < order_count(q); i++) {
        add(&s, i ? "," : "");
        add_column(&s, order_name(q, i));
    }
    add(&s, " FROM documents WHERE collection = '");
    add(&s, c->id);
    add(&s, "' AND id = ");
    bind_text(&s, q->cursor);
    sqlite3_stmt *statement = prepare(d, &s, e);
    bool is_good = statement != NULL;
    if (statement) {
        int ret = database_step(d->p.database, statement);
        for (size_t i = 0; ret == 1 && i < order_count(q); i++)
            value[i] = sqlite3_value_dup(sqlite3_column_value(statement, (int)i));
        sqlite3_reset(statement);
        sqlite3_clear_bindings(statement);
        is_good = ret == 1 || (ret < 0 ? documents_fail_storage(e)
                                       : api_fail(e, API_CURSOR_NOT_FOUND,
                                                  "Document '%.64s' for the 'cursor' value not "
                                                  "found.",
                                                  q->cursor));
    }
    selection_finish(&s);
    return is_good;
}

static void bind_copy(struct selection *s, const sqlite3_value *value)
{
    struct bound *b = bind(s);
    b->type = BIND_VALUE;
    b->value = sqlite3_value_dup(value);
}

/* Column i lies beyond the cursor's value. NULL comes first in ascending order, last in descending. */
static void add_beyond(struct selection *s, const struct query *q, size_t i, sqlite3_value *value)
{
    bool is_null = sqlite3_value_type(value) == SQLITE_NULL;
    bool is_descending = order_is_descending(q, i);
    if (is_null && is_descending) {
        add(s, "0");
        return;
    }
    add(s, "(");
    add_column(s, order_name(q, i));
    if (is_null) {
        add(s, " IS NOT NULL");
    } else {
        add(s, is_descending ? " < " : " > ");
        bind_copy(s, value);
        if (is_descending) {
            add(s, " OR ");
            add_column(s, order_name(q, i));
            add(s, " IS NULL");
        }
    }
    add(s, ")");
}

/* Beyond it in the first column that differs. */
static void add_cursor(struct selection *s, const struct query *q, sqlite3_value **value)
{
    add(s, " AND (");
    for (size_t i = 0; i < order_count(q); i++) {
        add(s, i ? " OR (" : "(");
        for (size_t k = 0; k < i; k++) {
            add_column(s, order_name(q, k));
            add(s, " IS ");
            bind_copy(s, value[k]);
            add(s, " AND ");
        }
        add_beyond(s, q, i, value[i]);
        add(s, ")");
    }
    add(s, ")");
}

static void add_order(struct selection *s, const struct query *q)
{
    for (size_t i = 0; i < order_count(q); i++) {
        add(s, i ? ", " : " ORDER BY ");
        add_column(s, order_name(q, i));
        add(s, order_is_descending(q, i) ? " DESC" : " ASC");
    }
    add(s, " LIMIT ");
    bind_integer(s, q->limit);
    add(s, " OFFSET ");
    bind_integer(s, q->offset);
}

static size_t answer_bytes(const struct message *m)
{
    size_t bytes = 256;
    for (const char *name = NULL; (name = message_next(m, name));)
        bytes += strlen(name) + message_str_size(m, name);
    return bytes;
}

/* Reads at most q->limit documents into `found`; *count of them are there in any case. */
static bool read_rows(struct documents *d, const struct collection *c, const struct query *q,
                      sqlite3_stmt *statement, struct message **found, size_t *count,
                      struct api_error *e)
{
    size_t bytes = 0;
    int ret;
    while ((ret = database_step(d->p.database, statement)) == 1) {
        struct document_row r;
        if (!document_row_read(&r, statement)) {
            document_row_finish(&r);
            return documents_fail_storage(e);
        }
        struct message *m = document_row_message(d, c, &r);
        document_row_finish(&r);
        query_select(q, m);
        found[(*count)++] = m;
        bytes += answer_bytes(m);
        if (bytes > ANSWER_MAX_BYTES)
            return api_fail(e, API_TOO_LARGE,
                            "The answer would be larger than %d MB: ask for fewer documents or "
                            "select fewer attributes",
                            ANSWER_MAX_BYTES / 1024 / 1024);
    }
    return ret == 0 || documents_fail_storage(e);
}

/* The page in its order; the caller destroys what is in `found`. */
static bool read_page(struct documents *d, const struct collection *c, const struct query *q,
                      struct message **found, size_t *count, struct api_error *e)
{
    struct selection s = { .collection = c };
    sqlite3_value *value[QUERY_ORDERS_MAX + 1] = { NULL };
    buf_init(&s.sql, SQL_MAX);
    add(&s, "SELECT " DOCUMENT_COLUMNS);
    add_where(&s, q);
    bool is_good = !q->cursor || read_cursor(d, c, q, value, e);
    if (is_good && q->cursor)
        add_cursor(&s, q, value);
    if (is_good) {
        add_order(&s, q);
        sqlite3_stmt *statement = prepare(d, &s, e);
        is_good = statement && read_rows(d, c, q, statement, found, count, e);
        if (statement) {
            sqlite3_reset(statement);
            sqlite3_clear_bindings(statement);
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(value); i++)
        sqlite3_value_free(value[i]);
    selection_finish(&s);
    return is_good;
}

bool documents_list(struct documents *d, const struct caller *caller, const struct collection *c,
                    const struct query *q, struct message **out, struct api_error *e)
{
    int64_t total = 0;
    assert(q->limit >= 0 && q->limit <= QUERY_LIMIT_MAX && q->offset >= 0);
    if (!documents_check_right(caller, c, RIGHT_READ, e) || !count_all(d, c, q, &total, e))
        return false;
    struct message **found = xcalloc((size_t)q->limit + 1, sizeof(*found));
    size_t count = 0;
    bool is_good = read_page(d, c, q, found, &count, e);
    struct message *answer = message_create();
    message_set_i64(answer, "total", total);
    message_set_array(answer, "documents");
    bool is_reversed = q->cursor && q->cursor_is_before;
    for (size_t i = 0; i < count; i++)
        message_append_object(answer, "documents", found[is_reversed ? count - 1 - i : i]);
    free(found);
    if (is_good && out)
        *out = answer;
    else
        message_destroy(answer);
    return is_good;
}
