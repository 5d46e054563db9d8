/* Documents, by the names of collections and documents and by those of tables and rows. */
#include <stdlib.h>
#include <string.h>

#include "hub/api_internal.h"
#include "hub/query.h"

/* ---- what a request names ----------------------------------------------------------------------- */

/* arg: database, collection, document, attribute. NULL after call->error. */
static const struct collection *collection_of(struct api_call *call)
{
    if (strcmp(call->arg[0], call->api->database_id) != 0) {
        api_fail(&call->error, API_DATABASE_NOT_FOUND,
                 "Database with the requested ID '%.36s' could not be found.", call->arg[0]);
        return NULL;
    }
    const struct collection *c = collection_find(call->arg[1]);
    if (!c)
        api_fail(&call->error, API_COLLECTION_NOT_FOUND,
                 "%s with the requested ID '%.36s' could not be found.",
                 call->is_rows ? "Table" : "Collection", call->arg[1]);
    return c;
}

/* Of a write. The hub has no transactions, and what was to wait for the others of one is not done at once. */
static const struct collection *written_collection(struct api_call *call)
{
    const struct collection *c = collection_of(call);
    const char *transaction = message_str(call->body, "transactionId", "");
    if (!c || !*transaction)
        return c;
    api_fail(&call->error, API_NO_TRANSACTION,
             "Transaction with the requested ID '%.36s' could not be found.", transaction);
    return NULL;
}

static const char *guard_of(struct api_call *call)
{
    return call->request->header(call->request->ctx, "x-appwrite-timestamp");
}

/* The attributes of a request, as an object of the caller's: with "$permissions" when the body has permissions. Old
 * clients give the data as text. NULL after call->error. */
static struct message *data_of(struct api_call *call)
{
    const struct message *body = call->body;
    struct message *data = message_create();
    const char *text = message_str(body, "data", NULL);
    if (text) {
        message_destroy(data);
        data = message_parse(text, strlen(text), NULL, 0);
    } else if (message_kind(body, "data") == MESSAGE_OBJECT) {
        const struct message *given = message_object(body, "data");
        for (const char *f = NULL; (f = message_next(given, f));)
            message_set_field(data, f, given, f);
    } else if (message_has(body, "data") && message_kind(body, "data") != MESSAGE_NULL) {
        message_destroy(data);
        data = NULL;
    }
    if (!data)
        api_fail(&call->error, API_ARGUMENT_INVALID, "Invalid `data` param: it must be an object");
    else if (message_kind(body, "permissions") == MESSAGE_ARRAY)
        message_set_field(data, "$permissions", body, "permissions");
    return data;
}

static bool has_data(const struct message *body)
{
    return message_has(body, "data") && message_kind(body, "data") != MESSAGE_NULL;
}

/* ---- what is answered --------------------------------------------------------------------------- */

/* A document under the names of rows. `document` is taken. */
static struct message *row_of(struct message *document)
{
    struct message *row = message_create();
    for (const char *f = NULL; (f = message_next(document, f));)
        message_set_field(row, strcmp(f, "$collectionId") == 0 ? "$tableId" : f, document, f);
    message_destroy(document);
    return row;
}

static bool answer_document(struct api_call *call, int status, struct message *document)
{
    api_reply_message(call->reply, status, call->is_rows ? row_of(document) : document);
    return true;
}

/* The list under the names of rows. `list` is taken. */
static struct message *rows_of(struct message *list)
{
    struct message *rows = message_create();
    message_set_field(rows, "total", list, "total");
    message_set_array(rows, "rows");
    for (size_t i = 0; i < message_count(list, "documents"); i++) {
        struct message *row = message_create();
        const struct message *document = message_object_at(list, "documents", i);
        for (const char *f = NULL; (f = message_next(document, f));)
            message_set_field(row, strcmp(f, "$collectionId") == 0 ? "$tableId" : f, document, f);
        message_append_object(rows, "rows", row);
    }
    message_destroy(list);
    return rows;
}

/* ---- routes ------------------------------------------------------------------------------------- */

bool api_list_documents(struct api_call *call)
{
    const struct collection *c = collection_of(call);
    if (!c)
        return false;
    struct query query;
    struct message *list;
    bool is_good =
        query_parse_url(&query, c, call->request->query, &call->error) &&
        documents_list(call->api->params.documents, &call->caller, c, &query, &list, &call->error);
    if (is_good)
        api_reply_message(call->reply, 200, call->is_rows ? rows_of(list) : list);
    query_finish(&query);
    return is_good;
}

bool api_get_document(struct api_call *call)
{
    const struct collection *c = collection_of(call);
    struct message *document;
    struct query query;
    if (!c)
        return false;
    bool is_good = query_parse_url(&query, c, call->request->query, &call->error) &&
                   documents_get(call->api->params.documents, &call->caller, c, call->arg[2],
                                 &document, &call->error);
    if (is_good)
        query_select(&query, document);
    query_finish(&query);
    return is_good && answer_document(call, 200, document);
}

bool api_create_document(struct api_call *call)
{
    const struct collection *c = written_collection(call);
    const char *id_name = call->is_rows ? "rowId" : "documentId";
    const char *id = message_str(call->body, id_name, NULL);
    struct message *document;
    if (!c)
        return false;
    const char *list_name = call->is_rows ? "rows" : "documents";
    if (message_kind(call->body, list_name) == MESSAGE_ARRAY)
        return api_fail(&call->error, API_ROUTE_NOT_FOUND, "This hub takes %s one by one.",
                        list_name);
    if (!has_data(call->body))
        return api_fail(&call->error, API_DATA_MISSING, "The document data is missing.");
    if (!id)
        return api_fail(&call->error, API_ARGUMENT_INVALID, "Param \"%s\" is not optional.",
                        id_name);
    struct message *data = data_of(call);
    bool is_good = data && documents_insert(call->api->params.documents, &call->caller, c, id, data,
                                            call->body, &document, &call->error);
    message_destroy(data);
    return is_good && answer_document(call, 201, document);
}

bool api_update_document(struct api_call *call)
{
    const struct collection *c = written_collection(call);
    struct message *document;
    if (!c)
        return false;
    if (!has_data(call->body) && !message_count(call->body, "permissions"))
        return api_fail(&call->error, API_PAYLOAD_MISSING,
                        "The document data and permissions are missing.");
    struct message *data = data_of(call);
    bool is_good =
        data && documents_update(call->api->params.documents, &call->caller, c, call->arg[2], data,
                                 guard_of(call), &document, &call->error);
    message_destroy(data);
    return is_good && answer_document(call, 200, document);
}

bool api_upsert_document(struct api_call *call)
{
    const struct collection *c = written_collection(call);
    struct message *document;
    if (!c)
        return false;
    if (!has_data(call->body) && !message_count(call->body, "permissions"))
        return api_fail(&call->error, API_PAYLOAD_MISSING,
                        "The document data and permissions are missing.");
    struct message *data = data_of(call);
    bool is_good = data && documents_upsert(call->api->params.documents, &call->caller, c,
                                            call->arg[2], data, &document, &call->error);
    message_destroy(data);
    return is_good && answer_document(call, 200, document);
}

bool api_delete_document(struct api_call *call)
{
    const struct collection *c = collection_of(call);
    if (!c || !documents_delete(call->api->params.documents, &call->caller, c, call->arg[2],
                                guard_of(call), &call->error))
        return false;
    api_reply_empty(call->reply, 204);
    return true;
}

static bool is_number(const struct message *m, const char *field)
{
    enum message_kind kind = message_kind(m, field);
    return kind == MESSAGE_INTEGER || kind == MESSAGE_REAL;
}

/* `bound_name`: "max" or "min". */
static bool change_by(struct api_call *call, double sign, const char *bound_name)
{
    const struct collection *c = written_collection(call);
    double value = message_f64(call->body, "value", 1),
           bound = message_f64(call->body, bound_name, 0);
    struct message *document;
    if (!c)
        return false;
    if ((message_has(call->body, "value") && !is_number(call->body, "value")) || !(value > 0))
        return api_fail(&call->error, API_ARGUMENT_INVALID,
                        "Invalid `value` param: it must be a number above 0");
    bool has_bound = is_number(call->body, bound_name);
    if (!has_bound && message_has(call->body, bound_name) &&
        message_kind(call->body, bound_name) != MESSAGE_NULL)
        return api_fail(&call->error, API_ARGUMENT_INVALID,
                        "Invalid `%s` param: it must be a number", bound_name);
    return documents_increment(call->api->params.documents, &call->caller, c, call->arg[2],
                               call->arg[3], sign * value, has_bound ? &bound : NULL, &document,
                               &call->error) &&
           answer_document(call, 200, document);
}

bool api_increment_document(struct api_call *call)
{
    return change_by(call, 1, "max");
}

bool api_decrement_document(struct api_call *call)
{
    return change_by(call, -1, "min");
}
