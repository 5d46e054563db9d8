#include "hub/query.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/compiler.h"
#include "base/text.h"
#include "hub/api_url.h"
#include "hub/datetime.h"
#include "hub/query_internal.h"
#include "wire/message.h"

#define DEPTH_MAX  6
#define OFFSET_MAX 1000000000

enum what { FILTER, PARTS, ORDER_ASC, ORDER_DESC, LIMIT, OFFSET, AFTER, BEFORE, SELECT };

/* What a method is, and how many values it takes. */
struct method {
    const char *name;
    enum what what;
    enum query_method filter;
    size_t min_values, max_values;
    bool is_textual; /* only for attributes that are texts */
};

static const struct method methods[] = {
    { "equal", FILTER, QUERY_EQUAL, 1, QUERY_VALUES_MAX },
    { "notEqual", FILTER, QUERY_NOT_EQUAL, 1, 1 },
    { "lessThan", FILTER, QUERY_LESS, 1, 1 },
    { "lessThanEqual", FILTER, QUERY_LESS_EQUAL, 1, 1 },
    { "greaterThan", FILTER, QUERY_GREATER, 1, 1 },
    { "greaterThanEqual", FILTER, QUERY_GREATER_EQUAL, 1, 1 },
    { "isNull", FILTER, QUERY_IS_NULL, 0, QUERY_VALUES_MAX },
    { "isNotNull", FILTER, QUERY_IS_NOT_NULL, 0, QUERY_VALUES_MAX },
    { "between", FILTER, QUERY_BETWEEN, 2, 2 },
    { "startsWith", FILTER, QUERY_STARTS_WITH, 1, 1, true },
    { "endsWith", FILTER, QUERY_ENDS_WITH, 1, 1, true },
    { "contains", FILTER, QUERY_CONTAINS, 1, QUERY_VALUES_MAX, true },
    { "search", FILTER, QUERY_SEARCH, 1, 1, true },
    { "or", PARTS, QUERY_OR, 2, QUERY_VALUES_MAX },
    { "and", PARTS, QUERY_AND, 2, QUERY_VALUES_MAX },
    { "orderAsc", ORDER_ASC },
    { "orderDesc", ORDER_DESC },
    { "limit", LIMIT },
    { "offset", OFFSET },
    { "cursorAfter", AFTER },
    { "cursorBefore", BEFORE },
    { "select", SELECT },
};

static const struct method *find_method(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        if (!strcmp(methods[i].name, name))
            return &methods[i];
    return NULL;
}

/* ---- life ------------------------------------------------------------------------------------------ */

void query_init(struct query *q)
{
    *q = (struct query){ .limit = 25 };
}

static void filter_finish(struct query_filter *f)
{
    for (size_t i = 0; i < f->value_count; i++)
        free(f->value[i].text);
    for (size_t i = 0; i < f->part_count; i++)
        filter_finish(&f->part[i]);
    free(f->value);
    free(f->part);
    free(f->attribute);
}

void query_finish(struct query *q)
{
    for (size_t i = 0; i < q->filter_count; i++)
        filter_finish(&q->filter[i]);
    for (size_t i = 0; i < q->order_count; i++)
        free(q->order[i].attribute);
    for (size_t i = 0; i < q->select_count; i++)
        free(q->select[i]);
    free(q->filter);
    free(q->order);
    free(q->select);
    free(q->cursor);
    query_init(q);
}

/* ---- values ---------------------------------------------------------------------------------------- */

static bool is_about_time(const struct attribute *a, const char *name)
{
    return a ? a->type == ATTR_DATETIME
             : !strcmp(name, "$createdAt") || !strcmp(name, "$updatedAt");
}

static bool is_text(const struct attribute *a, const char *name)
{
    if (!a)
        return !strcmp(name, "$id");
    return a->type == ATTR_STRING || a->type == ATTR_ENUM || a->type == ATTR_URL;
}

/* Whether the attribute can have such a value at all. `a` NULL: one of the $ names. */
static bool value_fits(const struct attribute *a, const char *name, const struct query_value *v)
{
    if (is_about_time(a, name) || is_text(a, name))
        return v->type == VALUE_TEXT;
    if (!a) /* $sequence */
        return v->type == VALUE_INTEGER ||
               (v->type == VALUE_TEXT && *v->text && !v->text[strspn(v->text, "0123456789")]);
    if (a->type == ATTR_BOOLEAN)
        return v->type == VALUE_BOOLEAN;
    return v->type == VALUE_INTEGER || (a->type == ATTR_FLOAT && v->type == VALUE_FLOAT);
}

/* Value i as it came. false: a list, an object, or a text with a NUL inside. */
static bool read_value(const struct message *m, size_t i, struct query_value *v)
{
    switch (message_kind_at(m, "values", i)) {
    case MESSAGE_NULL: v->type = VALUE_NULL; return true;
    case MESSAGE_BOOL:
        v->type = VALUE_BOOLEAN;
        v->integer = message_bool_at(m, "values", i, false);
        return true;
    case MESSAGE_INTEGER:
        v->type = VALUE_INTEGER;
        v->integer = message_i64_at(m, "values", i, 0);
        return true;
    case MESSAGE_REAL:
        v->type = VALUE_FLOAT;
        v->number = message_f64_at(m, "values", i, 0);
        return true;
    case MESSAGE_STRING:
        v->type = VALUE_TEXT;
        v->text = xstrdup(message_str_at(m, "values", i));
        return v->text != NULL;
    default: return false;
    }
}

static bool normalise_time(struct query_value *v)
{
    int64_t ms;
    char text[DATETIME_TEXT_MAX];
    if (v->type != VALUE_TEXT || !datetime_parse(v->text, &ms))
        return false;
    datetime_text(ms, text);
    free(v->text);
    v->text = xstrdup(text);
    return true;
}

/* ---- filters --------------------------------------------------------------------------------------- */

/* A name the collection knows; *a is NULL for the $ names and when no collection is known. */
static bool find_attribute(const struct collection *c, const char *name, const struct attribute **a,
                           struct api_error *e)
{
    static const char *const system[] = { "$id", "$sequence", "$createdAt", "$updatedAt" };
    *a = NULL;
    for (size_t i = 0; i < ARRAY_LEN(system); i++)
        if (!strcmp(system[i], name))
            return true;
    if (*name && !c)
        return true;
    if (c && (*a = collection_attribute(c, name)))
        return true;
    return api_fail(e, API_QUERY_INVALID, "Invalid query: Attribute not found in schema: %.100s",
                    name);
}

static bool check_count(const struct method *method, const char *attribute, size_t count,
                        struct api_error *e)
{
    if (count > method->max_values)
        return api_fail(e, API_QUERY_INVALID,
                        "Invalid query: Query %s on attribute has greater than %zu values: %.100s",
                        method->name, method->max_values, attribute);
    if (count < method->min_values)
        return api_fail(e, API_QUERY_INVALID,
                        "Invalid query: Query %s needs at least %zu value%s: %.100s", method->name,
                        method->min_values, method->min_values == 1 ? "" : "s", attribute);
    return true;
}

/* `f` is finished by the caller, also after an error. */
static bool read_filter(struct query_filter *f, const struct method *method,
                        const struct collection *c, const struct message *m, struct api_error *e)
{
    const char *name = message_str(m, "attribute", "");
    const struct attribute *a;
    size_t count = message_count(m, "values");
    if (!find_attribute(c, name, &a, e) || !check_count(method, name, count, e))
        return false;
    bool is_known = c || *name == '$';
    if (method->is_textual && is_known && !is_text(a, name))
        return api_fail(e, API_QUERY_INVALID,
                        "Invalid query: Cannot query %s on attribute \"%s\" because it is not a "
                        "string.",
                        method->name, name);
    f->attribute = xstrdup(name);
    if (!method->min_values)
        return true; /* isNull: values are of no meaning */
    f->value = xcalloc(count, sizeof(*f->value));
    for (size_t i = 0; i < count; i++) {
        struct query_value *v = &f->value[f->value_count++];
        bool is_good = read_value(m, i, v) && (!is_known || value_fits(a, name, v)) &&
                       (!is_known || !is_about_time(a, name) || normalise_time(v));
        if (!is_good)
            return api_fail(e, API_QUERY_INVALID,
                            "Invalid query: Query value is invalid for attribute \"%.100s\"", name);
    }
    return true;
}

static bool read_any_filter(struct query_filter *f, const struct method *method,
                            const struct collection *c, const struct message *m, int depth,
                            struct api_error *e);

/* One part of an "or": an object, or its text. */
static bool read_part(struct query_filter *f, const struct collection *c, const struct message *m,
                      int depth, struct api_error *e)
{
    const struct method *method = find_method(message_str(m, "method", ""));
    if (!method || (method->what != FILTER && method->what != PARTS))
        return api_fail(e, API_QUERY_INVALID,
                        "Invalid query: Or and and queries can only contain filter queries");
    return read_any_filter(f, method, c, m, depth + 1, e);
}

static bool read_parts(struct query_filter *f, const struct method *method,
                       const struct collection *c, const struct message *m, int depth,
                       struct api_error *e)
{
    size_t count = message_count(m, "values");
    if (!check_count(method, method->name, count, e))
        return false;
    if (depth == DEPTH_MAX)
        return api_fail(e, API_QUERY_INVALID, "Invalid query: nested deeper than %d", DEPTH_MAX);
    f->part = xcalloc(count, sizeof(*f->part));
    for (size_t i = 0; i < count; i++) {
        struct query_filter *part = &f->part[f->part_count++];
        const char *text = message_str_at(m, "values", i);
        struct message *own = text ? message_parse(text, strlen(text), NULL, 0) : NULL;
        const struct message *inner = own ? own : message_object_at(m, "values", i);
        bool is_good = inner
                           ? read_part(part, c, inner, depth, e)
                           : api_fail(e, API_QUERY_INVALID,
                                      "Invalid query: part %zu of %s is no query", i, method->name);
        message_destroy(own);
        if (!is_good)
            return false;
    }
    return true;
}

static bool read_any_filter(struct query_filter *f, const struct method *method,
                            const struct collection *c, const struct message *m, int depth,
                            struct api_error *e)
{
    f->method = method->filter;
    return method->what == PARTS ? read_parts(f, method, c, m, depth, e)
                                 : read_filter(f, method, c, m, e);
}

static bool add_filter(struct query *q, const struct method *method, const struct collection *c,
                       const struct message *m, struct api_error *e)
{
    if (q->filter_count == QUERIES_MAX)
        return api_fail(e, API_QUERY_INVALID, "Invalid query: more than %d filters", QUERIES_MAX);
    q->filter = xrealloc(q->filter, (q->filter_count + 1) * sizeof(*q->filter));
    struct query_filter *f = &q->filter[q->filter_count++];
    *f = (struct query_filter){ 0 };
    return read_any_filter(f, method, c, m, 0, e);
}

/* ---- the others ------------------------------------------------------------------------------------ */

static bool add_order(struct query *q, bool is_descending, const struct collection *c,
                      const struct message *m, struct api_error *e)
{
    bool is_given = message_has(m, "attribute") && message_kind(m, "attribute") != MESSAGE_NULL;
    const char *name = message_str(m, "attribute", is_given ? NULL : "");
    const struct attribute *a;
    if (!name) /* no text, or one with a NUL */
        return api_fail(e, API_QUERY_INVALID,
                        "Invalid query: the attribute to order by is no name");
    if (!*name)
        name = "$sequence"; /* orderDesc(""): newest first */
    if (!find_attribute(c, name, &a, e))
        return false;
    if (q->order_count == QUERY_ORDERS_MAX)
        return api_fail(e, API_QUERY_INVALID, "Invalid query: more than %d orders",
                        QUERY_ORDERS_MAX);
    q->order = xrealloc(q->order, (q->order_count + 1) * sizeof(*q->order));
    q->order[q->order_count++] = (struct query_order){ xstrdup(name), is_descending };
    return true;
}

/* The first of several counts, as on the cloud. */
static bool set_number(long *number, bool *is_set, const char *name, long min, long max,
                       const struct message *m, struct api_error *e)
{
    int64_t value = message_i64_at(m, "values", 0, -1);
    if (message_kind_at(m, "values", 0) != MESSAGE_INTEGER || value < min || value > max)
        return api_fail(e, API_QUERY_INVALID,
                        "Invalid query: Invalid %s: Value must be a valid range between %ld and "
                        "%ld",
                        name, min, max);
    if (!*is_set)
        *number = (long)value;
    *is_set = true;
    return true;
}

static bool set_cursor(struct query *q, bool is_before, const struct message *m,
                       struct api_error *e)
{
    const char *id = message_str_at(m, "values", 0);
    if (!id || !*id)
        return api_fail(e, API_QUERY_INVALID, "Invalid query: Invalid cursor");
    if (!q->cursor) {
        q->cursor = xstrdup(id);
        q->cursor_is_before = is_before;
    }
    return true;
}

static bool add_select(struct query *q, const struct collection *c, const struct message *m,
                       struct api_error *e)
{
    size_t count = message_count(m, "values");
    if (!count || count > QUERY_VALUES_MAX)
        return api_fail(e, API_QUERY_INVALID, "Invalid query: No attributes selected");
    for (size_t i = 0; i < count; i++) {
        const char *name = message_str_at(m, "values", i);
        const struct attribute *a;
        if (name && !strcmp(name, "*"))
            continue;
        if (!name || (*name != '$' && !find_attribute(c, name, &a, e)))
            return name ? false : api_fail(e, API_QUERY_INVALID, "Invalid query: select: no name");
        if (q->select_count == QUERIES_MAX * QUERY_VALUES_MAX)
            return api_fail(e, API_QUERY_INVALID, "Invalid query: too many names selected");
        q->select = xrealloc(q->select, (q->select_count + 1) * sizeof(*q->select));
        q->select[q->select_count++] = xstrdup(name);
    }
    return true;
}

static bool add_message(struct query *q, const struct collection *c, const struct message *m,
                        struct api_error *e)
{
    const char *name = message_str(m, "method", "");
    const struct method *method = find_method(name);
    if (!method)
        return api_fail(e, API_QUERY_INVALID, "Invalid query: Invalid query method: %.100s", name);
    enum message_kind values = message_kind(m, "values");
    if (values != MESSAGE_ARRAY && values != MESSAGE_MISSING && values != MESSAGE_NULL)
        return api_fail(e, API_QUERY_INVALID,
                        "Invalid query: Invalid query values of %s. Must be an array", name);
    switch (method->what) {
    case FILTER:
    case PARTS: return add_filter(q, method, c, m, e);
    case ORDER_ASC:
    case ORDER_DESC: return add_order(q, method->what == ORDER_DESC, c, m, e);
    case LIMIT: return set_number(&q->limit, &q->has_limit, "limit", 1, QUERY_LIMIT_MAX, m, e);
    case OFFSET: return set_number(&q->offset, &q->has_offset, "offset", 0, OFFSET_MAX, m, e);
    case AFTER:
    case BEFORE: return set_cursor(q, method->what == BEFORE, m, e);
    case SELECT: return add_select(q, c, m, e);
    }
    return false;
}

static size_t count_chars(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

bool query_add(struct query *q, const struct collection *c, const char *text, struct api_error *e)
{
    if (!*text || count_chars(text) > QUERY_CHARS_MAX || !utf8_is_valid(text, strlen(text)))
        return api_fail(e, API_ARGUMENT_INVALID,
                        "Invalid `queries` param: Value must be a valid string and at least 1 "
                        "chars and no longer than %d chars",
                        QUERY_CHARS_MAX);
    char why[128] = "";
    const char *reason = why;
    struct message *m = text[strspn(text, " \t\r\n")] == '{'
                            ? message_parse(text, strlen(text), why, sizeof(why))
                            : query_read_call(text, &reason);
    if (!m)
        return api_fail(e, API_QUERY_INVALID, "Invalid query: Syntax error in %.150s: %s", text,
                        reason);
    bool is_good = add_message(q, c, m, e);
    message_destroy(m);
    return is_good;
}

/* queries, queries[], queries[7] */
static bool is_queries(const char *name)
{
    if (strncmp(name, "queries", 7) != 0)
        return false;
    name += 7;
    if (!*name)
        return true;
    size_t digits = strspn(name + 1, "0123456789");
    return *name == '[' && !strcmp(name + 1 + digits, "]");
}

bool query_parse_url(struct query *q, const struct collection *c, const char *query_string,
                     struct api_error *e)
{
    query_init(q);
    struct url_pair pair;
    bool is_good = true;
    size_t count = 0;
    while (is_good && url_next(&query_string, &pair)) {
        if (is_queries(pair.name)) {
            if (++count > QUERIES_MAX)
                is_good = api_fail(e, API_ARGUMENT_INVALID,
                                   "Invalid `queries` param: Value must a valid array no longer "
                                   "than %d items",
                                   QUERIES_MAX);
            else
                is_good = query_add(q, c, pair.value, e);
        }
        free(pair.value);
    }
    return is_good;
}
