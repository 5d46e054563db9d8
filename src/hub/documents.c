#include "hub/documents.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "hub/datetime.h"
#include "hub/documents_internal.h"
#include "hub/id.h"
#include "hub/permissions.h"
#include "hub/structure.h"

struct documents *documents_create(const struct documents_params *p)
{
    sqlite3_stmt *s = database_statement(p->database, "SELECT latest_ms FROM document_clock");
    if (!s || database_step(p->database, s) != 1)
        return NULL;
    sqlite3_reset(s);
    struct documents *d = xcalloc(1, sizeof(*d));
    d->p = *p;
    d->database_id = xstrdup(p->database_id);
    return d;
}

void documents_destroy(struct documents *d)
{
    if (!d)
        return;
    free(d->database_id);
    free(d);
}

/* ---- refusals -------------------------------------------------------------------------------------- */

bool documents_fail_storage(struct api_error *e)
{
    return api_fail(e, API_STORAGE, "The server could not read or keep the data.");
}

bool documents_fail_missing(struct api_error *e)
{
    return api_fail(e, API_DOCUMENT_NOT_FOUND,
                    "Document with the requested ID could not be found.");
}

bool documents_check_right(const struct caller *caller, const struct collection *c,
                           enum collection_right right, struct api_error *e)
{
    return !caller || caller_has_any(caller, c->roles[right]) ||
           api_fail(e, API_UNAUTHORIZED,
                    "The current user is not authorized to perform the requested action.");
}

bool documents_begin(struct documents *d, struct api_error *e)
{
    return database_begin_write(d->p.database) == 0 || documents_fail_storage(e);
}

/* The document to be changed, inside the transaction. The caller finishes *r in any case. */
static bool load_for_write(struct documents *d, const struct collection *c, const char *id,
                           struct document_row *r, struct api_error *e)
{
    bool found;
    *r = (struct document_row){ 0 };
    return documents_begin(d, e) && documents_load(d, c, id, r, &found, e) &&
           (found || documents_fail_missing(e));
}

static bool check_guard(const struct document_row *r, const char *guard, struct api_error *e)
{
    int64_t ms;
    if (!guard)
        return true;
    if (!datetime_parse(guard, &ms))
        return api_fail(e, API_ARGUMENT_INVALID,
                        "Invalid X-Appwrite-Timestamp header value: %.100s", guard);
    return r->updated_ms <= ms ||
           api_fail(e, API_UPDATE_CONFLICT, "Remote document is newer than local.");
}

/* ---- reading --------------------------------------------------------------------------------------- */

bool documents_get(struct documents *d, const struct caller *caller, const struct collection *c,
                   const char *id, struct message **out, struct api_error *e)
{
    if (!documents_check_right(caller, c, RIGHT_READ, e))
        return documents_fail_missing(e);
    struct document_row r;
    bool found;
    bool is_good = documents_load(d, c, id, &r, &found, e) && (found || documents_fail_missing(e));
    if (is_good && out)
        *out = document_row_message(d, c, &r);
    document_row_finish(&r);
    return is_good;
}

/* ---- writing --------------------------------------------------------------------------------------- */

/* The id a new document gets; the caller frees. NULL and *e: it cannot be one. */
static char *new_id(const char *id, struct api_error *e)
{
    char made[HUB_ID_MAX + 1];
    if (id && !strcmp(id, "unique()")) {
        id_make(made);
        return xstrdup(made);
    }
    if (id && id_is_legal(id))
        return xstrdup(id);
    api_fail(e, API_ARGUMENT_INVALID,
             "Invalid `documentId` param: UID must contain at most %d chars. Valid chars are a-z, "
             "A-Z, 0-9, period, hyphen, and underscore. Can't start with a special char",
             HUB_ID_MAX);
    return NULL;
}

/* Those the request gives, else those of a new document. NULL and *e: refused. The caller frees. */
static char *new_permissions(const struct caller *caller, const struct message *data,
                             const struct message *permissions_of, struct api_error *e)
{
    if (message_has(data, "$permissions"))
        return permissions_read(caller, data, "$permissions", e);
    if (permissions_of && message_kind(permissions_of, "permissions") > MESSAGE_NULL)
        return permissions_read(caller, permissions_of, "permissions", e);
    return permissions_default(caller);
}

/* A row that is not there yet: checked, stamped, stored, reported. */
static bool insert(struct documents *d, const struct caller *caller, const struct collection *c,
                   const char *id, const struct message *data, const struct message *permissions_of,
                   enum change_action action, struct message **out, struct api_error *e)
{
    struct document_row r = { .attributes = message_create() };
    bool is_good = structure_set_whole(r.attributes, c, data, d->p.encodes_arrays, e) &&
                   (r.id = new_id(id, e)) &&
                   (r.permissions = new_permissions(caller, data, permissions_of, e)) &&
                   documents_begin(d, e);
    if (is_good) {
        is_good = documents_stamp(d, NO_TIME, &r.created_ms, e);
        r.updated_ms = r.created_ms;
    }
    is_good = is_good && documents_store(d, c, &r, e);
    if (is_good)
        documents_report(d, c, action, &r, out);
    document_row_finish(&r);
    return is_good;
}

bool documents_insert(struct documents *d, const struct caller *caller, const struct collection *c,
                      const char *id, const struct message *data,
                      const struct message *permissions_of, struct message **out,
                      struct api_error *e)
{
    if (!documents_check_right(caller, c, RIGHT_CREATE, e))
        return false;
    if (!data || !message_field_count(data))
        return api_fail(e, API_DATA_MISSING,
                        "The document data is missing. Try again with "
                        "document data populated");
    return insert(d, caller, c, id, data, permissions_of, CHANGE_CREATE, out, e);
}

/* Stamps and stores `r` when it differs from what was kept: `before` and its own permissions otherwise. */
static bool store_change(struct documents *d, const struct caller *caller,
                         const struct collection *c, struct document_row *r,
                         const struct message *before, const struct message *data,
                         struct api_error *e)
{
    bool is_changed = !message_equal(before, r->attributes);
    if (message_has(data, "$permissions")) {
        char *permissions = permissions_read(caller, data, "$permissions", e);
        if (!permissions)
            return false;
        is_changed = is_changed || strcmp(permissions, r->permissions) != 0;
        free(r->permissions);
        r->permissions = permissions;
    }
    return !is_changed ||
           (documents_stamp(d, r->updated_ms, &r->updated_ms, e) && documents_store(d, c, r, e));
}

bool documents_update(struct documents *d, const struct caller *caller, const struct collection *c,
                      const char *id, const struct message *data, const char *guard,
                      struct message **out, struct api_error *e)
{
    if (!documents_check_right(caller, c, RIGHT_UPDATE, e))
        return false;
    if (!data || !message_field_count(data))
        return api_fail(e, API_PAYLOAD_MISSING,
                        "The document data and permissions are missing. You must provide either "
                        "document data or permissions to be updated.");
    struct document_row r;
    bool is_good = load_for_write(d, c, id, &r, e) && check_guard(&r, guard, e);
    if (is_good) {
        struct message *before = message_copy(r.attributes);
        is_good = structure_set(r.attributes, c, data, d->p.encodes_arrays, e) &&
                  store_change(d, caller, c, &r, before, data, e);
        message_destroy(before);
    }
    if (is_good)
        documents_report(d, c, CHANGE_UPDATE, &r, out);
    document_row_finish(&r);
    return is_good;
}

static bool upsert_existing(struct documents *d, const struct caller *caller,
                            const struct collection *c, struct document_row *r,
                            const struct message *data, struct message **out, struct api_error *e)
{
    if (!documents_check_right(caller, c, RIGHT_UPDATE, e))
        return false;
    struct message *before = message_copy(r->attributes);
    bool is_good = structure_set_whole(r->attributes, c, data, d->p.encodes_arrays, e) &&
                   store_change(d, caller, c, r, before, data, e);
    message_destroy(before);
    if (is_good)
        documents_report(d, c, CHANGE_UPSERT, r, out);
    return is_good;
}

bool documents_upsert(struct documents *d, const struct caller *caller, const struct collection *c,
                      const char *id, const struct message *data, struct message **out,
                      struct api_error *e)
{
    if (!data || !message_field_count(data))
        return api_fail(e, API_PAYLOAD_MISSING,
                        "The document data and permissions are missing. You must provide either "
                        "document data or permissions to be updated.");
    struct document_row r = { 0 };
    bool found = false;
    bool is_good = (documents_check_right(caller, c, RIGHT_CREATE, e) ||
                    documents_check_right(caller, c, RIGHT_UPDATE, e)) &&
                   documents_begin(d, e) && documents_load(d, c, id, &r, &found, e);
    if (is_good && found)
        is_good = upsert_existing(d, caller, c, &r, data, out, e);
    else if (is_good)
        is_good = documents_check_right(caller, c, RIGHT_CREATE, e) &&
                  insert(d, caller, c, id, data, NULL, CHANGE_UPSERT, out, e);
    document_row_finish(&r);
    return is_good;
}

bool documents_delete(struct documents *d, const struct caller *caller, const struct collection *c,
                      const char *id, const char *guard, struct api_error *e)
{
    if (!documents_check_right(caller, c, RIGHT_DELETE, e))
        return false;
    struct document_row r;
    bool is_good = load_for_write(d, c, id, &r, e) && check_guard(&r, guard, e);
    if (is_good) {
        sqlite3_stmt *s =
            database_statement(d->p.database, "DELETE FROM documents WHERE sequence = ?1");
        if (s)
            sqlite3_bind_int64(s, 1, r.sequence);
        is_good = (s && database_step(d->p.database, s) == 0) || documents_fail_storage(e);
    }
    if (is_good)
        documents_report(d, c, CHANGE_DELETE, &r, NULL);
    document_row_finish(&r);
    return is_good;
}

/* ---- counting -------------------------------------------------------------------------------------- */

static bool fail_limit(struct api_error *e, const char *name, double by, double bound)
{
    return api_fail(e, API_LIMIT_EXCEEDED, "Attribute \"%s\" has reached its %s value of %.15g",
                    name, by > 0 ? "maximum" : "minimum", bound);
}

static bool is_beyond(double value, double by, const double *bound)
{
    return bound && (by > 0 ? value > *bound : value < *bound);
}

static bool add_integer(struct document_row *r, const struct attribute *a, double by,
                        const double *bound, struct api_error *e)
{
    if (by != floor(by) || fabs(by) > 9e15)
        return api_fail(e, API_ARGUMENT_INVALID,
                        "Invalid `value` param: attribute \"%s\" is an integer", a->name);
    bool is_ranged = a->min || a->max;
    long long low = is_ranged ? a->min : INT64_MIN, high = is_ranged ? a->max : INT64_MAX;
    long long value;
    if (__builtin_add_overflow((long long)message_i64(r->attributes, a->name, 0), (long long)by,
                               &value) ||
        value < low || value > high)
        return fail_limit(e, a->name, by, by > 0 ? (double)high : (double)low);
    if (is_beyond((double)value, by, bound))
        return fail_limit(e, a->name, by, *bound);
    message_set_i64(r->attributes, a->name, value);
    return true;
}

static bool add_number(struct document_row *r, const struct attribute *a, double by,
                       const double *bound, struct api_error *e)
{
    if (a->type == ATTR_INTEGER)
        return add_integer(r, a, by, bound, e);
    double value = message_f64(r->attributes, a->name, 0) + by;
    if (is_beyond(value, by, bound))
        return fail_limit(e, a->name, by, *bound);
    message_set_f64(r->attributes, a->name, value);
    return true;
}

bool documents_increment(struct documents *d, const struct caller *caller,
                         const struct collection *c, const char *id, const char *attribute,
                         double by, const double *bound, struct message **out, struct api_error *e)
{
    if (!documents_check_right(caller, c, RIGHT_UPDATE, e))
        return false;
    const struct attribute *a = collection_attribute(c, attribute);
    if (!a)
        return api_fail(e, API_ATTRIBUTE_NOT_FOUND,
                        "Attribute with the requested ID could not be found.");
    if (a->type != ATTR_INTEGER && a->type != ATTR_FLOAT)
        return api_fail(e, API_ATTRIBUTE_TYPE, "Attribute \"%s\" is not a number", a->name);
    if (!isfinite(by) || by == 0)
        return api_fail(e, API_ARGUMENT_INVALID,
                        "Invalid `value` param: Value must be a number other than 0");
    struct document_row r;
    bool is_good = load_for_write(d, c, id, &r, e) && add_number(&r, a, by, bound, e) &&
                   documents_stamp(d, r.updated_ms, &r.updated_ms, e) &&
                   documents_store(d, c, &r, e);
    if (is_good)
        documents_report(d, c, CHANGE_UPDATE, &r, out);
    document_row_finish(&r);
    return is_good;
}
