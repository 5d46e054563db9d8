#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "hub/query_internal.h"
#include "wire/message.h"

/* Which of a field and a value is greater: < 0, 0, > 0. false: they cannot be compared. */
static bool compare(const struct message *m, const char *name, const struct query_value *v,
                    int *result)
{
    switch (message_kind(m, name)) {
    case MESSAGE_STRING: {
        const char *text = message_str(m, name, NULL);
        if (v->type != VALUE_TEXT || !text)
            return false;
        *result = strcmp(text, v->text);
        return true;
    }
    case MESSAGE_INTEGER: {
        int64_t number = message_i64(m, name, 0);
        if (v->type == VALUE_INTEGER) {
            *result = (number > v->integer) - (number < v->integer);
            return true;
        }
        *result = ((double)number > v->number) - ((double)number < v->number);
        return v->type == VALUE_FLOAT;
    }
    case MESSAGE_REAL: {
        double number = message_f64(m, name, 0);
        double other = v->type == VALUE_INTEGER ? (double)v->integer : v->number;
        *result = (number > other) - (number < other);
        return v->type == VALUE_INTEGER || v->type == VALUE_FLOAT;
    }
    case MESSAGE_BOOL:
        *result = (int)message_bool(m, name, false) - (int)v->integer;
        return v->type == VALUE_BOOLEAN;
    default: return false;
    }
}

/* Same type and same value: 1 is neither "1" nor 1.0. */
static bool is_same(const struct message *m, const char *name, const struct query_value *v)
{
    enum message_kind kind = message_kind(m, name);
    if (v->type == VALUE_NULL)
        return kind == MESSAGE_NULL || kind == MESSAGE_MISSING;
    if ((kind == MESSAGE_INTEGER) != (v->type == VALUE_INTEGER))
        return false;
    int order;
    return compare(m, name, v, &order) && order == 0;
}

static bool is_any(const struct message *m, const struct query_filter *f)
{
    for (size_t i = 0; i < f->value_count; i++)
        if (is_same(m, f->attribute, &f->value[i]))
            return true;
    return false;
}

static bool passes_order(const struct message *m, const struct query_filter *f)
{
    int order;
    if (!compare(m, f->attribute, &f->value[0], &order))
        return false;
    switch (f->method) {
    case QUERY_LESS: return order < 0;
    case QUERY_LESS_EQUAL: return order <= 0;
    case QUERY_GREATER: return order > 0;
    case QUERY_GREATER_EQUAL: return order >= 0;
    default: { /* between */
        int to;
        return order >= 0 && compare(m, f->attribute, &f->value[1], &to) && to <= 0;
    }
    }
}

static bool passes_text(const struct message *m, const struct query_filter *f)
{
    const char *text = message_str(m, f->attribute, NULL);
    for (size_t i = 0; text && i < f->value_count; i++) {
        const char *part = f->value[i].text;
        if (f->value[i].type != VALUE_TEXT)
            continue;
        size_t len = strlen(text), part_len = strlen(part);
        bool is_fit = part_len <= len;
        switch (f->method) {
        case QUERY_STARTS_WITH: is_fit = is_fit && !memcmp(text, part, part_len); break;
        case QUERY_ENDS_WITH:
            is_fit = is_fit && !memcmp(text + len - part_len, part, part_len);
            break;
        case QUERY_SEARCH: is_fit = strcasestr(text, part) != NULL; break;
        default: is_fit = strstr(text, part) != NULL; break;
        }
        if (is_fit)
            return true;
    }
    return false;
}

static bool passes(const struct message *m, const struct query_filter *f)
{
    enum message_kind kind = f->attribute ? message_kind(m, f->attribute) : MESSAGE_MISSING;
    switch (f->method) {
    case QUERY_EQUAL: return is_any(m, f);
    case QUERY_NOT_EQUAL: return !is_any(m, f);
    case QUERY_IS_NULL: return kind == MESSAGE_NULL || kind == MESSAGE_MISSING;
    case QUERY_IS_NOT_NULL: return kind != MESSAGE_NULL && kind != MESSAGE_MISSING;
    case QUERY_STARTS_WITH:
    case QUERY_ENDS_WITH:
    case QUERY_CONTAINS:
    case QUERY_SEARCH: return passes_text(m, f);
    case QUERY_OR:
        for (size_t i = 0; i < f->part_count; i++)
            if (passes(m, &f->part[i]))
                return true;
        return false;
    case QUERY_AND:
        for (size_t i = 0; i < f->part_count; i++)
            if (!passes(m, &f->part[i]))
                return false;
        return true;
    default: return passes_order(m, f);
    }
}

bool query_matches(const struct query *q, const struct message *document)
{
    for (size_t i = 0; i < q->filter_count; i++)
        if (!passes(document, &q->filter[i]))
            return false;
    return true;
}

static bool is_selected(const struct query *q, const char *name)
{
    for (size_t i = 0; i < q->select_count; i++)
        if (!strcmp(q->select[i], name))
            return true;
    return false;
}

void query_select(const struct query *q, struct message *document)
{
    if (!q->select_count)
        return;
    for (const char *name = message_next(document, NULL); name;) {
        const char *next = message_next(document, name);
        if (*name != '$' && !is_selected(q, name))
            message_remove(document, name);
        name = next;
    }
}
