/* Paths below the endpoint, with list queries. Pure. */
#pragma once

#include <stddef.h>

#include "base/buf.h"

/* Appends `text` percent-encoded, so that it is one part of a path or a value of a query. */
void query_escape(struct buf *b, const char *text);

/* A path being built: "/databases/d/collections/c/documents" and queries after it. */
struct query_text {
    struct buf path;
    size_t count;
};

void query_documents(struct query_text *q, const char *database, const char *collection);
void query_equal(struct query_text *q, const char *attribute, const char *value);
void query_any_of(struct query_text *q, const char *attribute, const char *a, const char *b);
void query_is_null(struct query_text *q, const char *attribute);
void query_order(struct query_text *q, const char *method, const char *attribute);
void query_limit(struct query_text *q, int limit);
void query_cursor_after(struct query_text *q, const char *id); /* what follows that document */
char *query_take(struct query_text *q);                        /* the path; the caller frees */

/* The path of one document; the caller frees. */
char *document_path(const char *database, const char *collection, const char *id);
