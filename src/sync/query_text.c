#include "sync/query_text.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "wire/message.h"

#define PATH_MAX_BYTES 16384

/* Our own ids and constants are short; what does not fit gives a path the server refuses. */
static void append(struct buf *b, const char *text)
{
    (void)!buf_append(b, text, strlen(text));
}

void query_escape(struct buf *b, const char *text)
{
    static const char hex[] = "0123456789ABCDEF";
    for (const unsigned char *s = (const unsigned char *)text; *s; s++) {
        char plain[2] = { (char)*s, 0 }, coded[4] = { '%', hex[*s >> 4], hex[*s & 15], 0 };
        bool is_plain = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
                        (*s >= '0' && *s <= '9') || strchr("-._~", *s);
        append(b, is_plain ? plain : coded);
    }
}

static void begin_documents(struct buf *b, const char *database, const char *collection)
{
    buf_init(b, PATH_MAX_BYTES);
    append(b, "/databases/");
    query_escape(b, database);
    append(b, "/collections/");
    query_escape(b, collection);
    append(b, "/documents");
}

void query_documents(struct query_text *q, const char *database, const char *collection)
{
    q->count = 0;
    begin_documents(&q->path, database, collection);
}

/* Takes `query`. */
static void add_query(struct query_text *q, struct message *query)
{
    char *text = message_text(query, false);
    (void)!buf_printf(&q->path, "%cqueries%%5B%zu%%5D=", q->count ? '&' : '?', q->count);
    query_escape(&q->path, text);
    q->count++;
    free(text);
    message_destroy(query);
}

static struct message *query_of(const char *method, const char *attribute)
{
    struct message *m = message_create();
    message_set_str(m, "method", method);
    if (attribute)
        message_set_str(m, "attribute", attribute);
    return m;
}

void query_equal(struct query_text *q, const char *attribute, const char *value)
{
    query_any_of(q, attribute, value, NULL);
}

void query_any_of(struct query_text *q, const char *attribute, const char *a, const char *b)
{
    struct message *m = query_of("equal", attribute);
    message_append_str(m, "values", a);
    if (b)
        message_append_str(m, "values", b);
    add_query(q, m);
}

void query_is_null(struct query_text *q, const char *attribute)
{
    add_query(q, query_of("isNull", attribute));
}

void query_order(struct query_text *q, const char *method, const char *attribute)
{
    add_query(q, query_of(method, attribute));
}

void query_limit(struct query_text *q, int limit)
{
    (void)!buf_printf(&q->path,
                      "%cqueries%%5B%zu%%5D=%%7B%%22method%%22%%3A%%22limit%%22%%2C"
                      "%%22values%%22%%3A%%5B%d%%5D%%7D",
                      q->count ? '&' : '?', q->count, limit);
    q->count++;
}

void query_cursor_after(struct query_text *q, const char *id)
{
    struct message *m = query_of("cursorAfter", NULL);
    message_append_str(m, "values", id);
    add_query(q, m);
}

char *query_take(struct query_text *q)
{
    char *path = xstrdup(q->path.data);
    buf_finish(&q->path);
    return path;
}

char *document_path(const char *database, const char *collection, const char *id)
{
    struct query_text q = { 0 };
    begin_documents(&q.path, database, collection);
    append(&q.path, "/");
    query_escape(&q.path, id);
    return query_take(&q);
}
