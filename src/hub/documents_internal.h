/* For documents*.c only. */
#pragma once

#include <sqlite3.h>

#include "hub/documents.h"
#include "store/database.h"
#include "wire/message.h"

struct documents {
    struct documents_params p;
    char *database_id;
};

/* One document as it is kept. */
struct document_row {
    int64_t sequence;
    char *id;
    int64_t created_ms, updated_ms;
    char *permissions;          /* JSON */
    struct message *attributes; /* without nulls */
};

#define DOCUMENT_COLUMNS "sequence, id, created_ms, updated_ms, permissions, data"

void document_row_finish(struct document_row *r);
/* From a statement at a row, whose first columns are DOCUMENT_COLUMNS. false: what is kept is damaged. */
bool document_row_read(struct document_row *r, sqlite3_stmt *s);
/* As GET gives it; the caller destroys it. */
struct message *document_row_message(const struct documents *d, const struct collection *c,
                                     const struct document_row *r);

bool documents_fail_storage(struct api_error *e);
bool documents_fail_missing(struct api_error *e);
bool documents_check_right(const struct caller *caller, const struct collection *c,
                           enum collection_right right, struct api_error *e);
/* Begins the turn's transaction, so that what is read next is still true when it is written. */
bool documents_begin(struct documents *d, struct api_error *e);
/* *found false: there is none. The caller finishes *r in any case. */
bool documents_load(struct documents *d, const struct collection *c, const char *id,
                    struct document_row *r, bool *found, struct api_error *e);
/* A new time: not before the wall clock nor anything ever written, and later than old_ms. NO_TIME, of a new document:
 * later than anything ever written, so that it differs from a former document of this id. */
bool documents_stamp(struct documents *d, int64_t old_ms, int64_t *ms, struct api_error *e);
/* Inserts when r->sequence is 0, and sets it. API_DOCUMENT_EXISTS: id or a unique attribute is taken. */
bool documents_store(struct documents *d, const struct collection *c, struct document_row *r,
                     struct api_error *e);
/* Tells the listener, and hands the document out. */
void documents_report(struct documents *d, const struct collection *c, enum change_action action,
                      const struct document_row *r, struct message **out);
