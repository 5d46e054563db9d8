#include "hub/realtime_queries.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "hub/query.h"
#include "wire/message.h"

struct realtime_queries {
    char **text;
    size_t count;
    /* What it was read for; NULL: no collection was known. */
    const struct collection *collection;
    struct query query;
    bool is_known; /* the collection has all the attributes */
};

/* select(["*"]) in either grammar, which every client of some versions sends. */
static bool is_select_all(const char *text)
{
    if (strcmp(text, "select([\"*\"])") == 0)
        return true;
    struct message *m = message_parse(text, strlen(text), NULL, 0);
    bool is_all =
        m && strcmp(message_str(m, "method", ""), "select") == 0 && message_count(m, "values") == 1;
    const char *value = is_all ? message_str_at(m, "values", 0) : NULL;
    is_all = value && strcmp(value, "*") == 0;
    message_destroy(m);
    return is_all;
}

static bool is_allowed(const struct query_filter *f)
{
    switch (f->method) {
    case QUERY_EQUAL:
    case QUERY_NOT_EQUAL:
    case QUERY_LESS:
    case QUERY_LESS_EQUAL:
    case QUERY_GREATER:
    case QUERY_GREATER_EQUAL:
    case QUERY_IS_NULL:
    case QUERY_IS_NOT_NULL: return true;
    case QUERY_OR:
    case QUERY_AND: break;
    default: return false;
    }
    for (size_t i = 0; i < f->part_count; i++) {
        if (!is_allowed(&f->part[i]))
            return false;
    }
    return true;
}

static bool are_allowed(const struct query *q)
{
    struct query fresh;
    query_init(&fresh);
    bool is_plain = q->order_count == 0 && q->select_count == 0 && !q->cursor &&
                    q->limit == fresh.limit && q->offset == fresh.offset;
    query_finish(&fresh);
    for (size_t i = 0; is_plain && i < q->filter_count; i++)
        is_plain = is_allowed(&q->filter[i]);
    return is_plain;
}

static bool read_for(struct realtime_queries *q, const struct collection *c, struct api_error *e)
{
    query_finish(&q->query);
    query_init(&q->query);
    q->collection = c;
    q->is_known = true;
    for (size_t i = 0; q->is_known && i < q->count; i++)
        q->is_known = query_add(&q->query, c, q->text[i], e);
    return q->is_known;
}

/* Whether the channel names that collection. */
static bool is_about(const char *channel, const struct collection *c)
{
    static const char *const words[] = { ".collections.", ".tables." };
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        const char *at = strstr(channel, words[i]);
        size_t len = strlen(c->id);
        if (at && strncmp(at += strlen(words[i]), c->id, len) == 0 && (at[len] == '.' || !at[len]))
            return true;
    }
    return false;
}

/* The queries must be good for the collections that the channel names; it may name none. */
static bool check(struct realtime_queries *q, const char *channel, struct api_error *e)
{
    bool is_named = false;
    for (size_t i = 0; i < collection_count(); i++) {
        if (!is_about(channel, collection_at(i)))
            continue;
        is_named = true;
        if (!read_for(q, collection_at(i), e))
            return false;
    }
    if (!is_named && !read_for(q, NULL, e))
        return false;
    return are_allowed(&q->query) ||
           api_fail(e, API_QUERY_INVALID,
                    "Queries of a subscription may be equal, notEqual, lessThan, lessThanEqual, "
                    "greaterThan, greaterThanEqual, isNull, isNotNull, and, or, select([\"*\"])");
}

bool realtime_queries_create(struct realtime_queries **out, const char *const *text, size_t count,
                             const char *channel, struct api_error *e)
{
    struct realtime_queries *q = xcalloc(1, sizeof(*q));
    query_init(&q->query);
    q->text = xcalloc(count + 1, sizeof(*q->text));
    for (size_t i = 0; i < count; i++) {
        if (!is_select_all(text[i]))
            q->text[q->count++] = xstrdup(text[i]);
    }
    bool is_good = q->count == 0 || check(q, channel, e);
    *out = is_good && q->count ? q : NULL;
    if (!*out)
        realtime_queries_destroy(q);
    return is_good;
}

void realtime_queries_destroy(struct realtime_queries *q)
{
    if (!q)
        return;
    for (size_t i = 0; i < q->count; i++)
        free(q->text[i]);
    free(q->text);
    query_finish(&q->query);
    free(q);
}

bool realtime_queries_pass(struct realtime_queries *q, const struct collection *c,
                           const struct message *document)
{
    struct api_error ignored;
    if (!q)
        return true;
    if (q->collection != c)
        read_for(q, c, &ignored);
    return q->is_known && query_matches(&q->query, document);
}
