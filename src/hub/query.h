/* List queries in both grammars: {"method":"equal",...} and equal("venueId", ["x"]). Pure. */
#pragma once

#include "hub/api_error.h"
#include "hub/collection.h"

#define QUERIES_MAX      100
#define QUERY_CHARS_MAX  4096
#define QUERY_VALUES_MAX 100

enum query_method {
    QUERY_EQUAL,
    QUERY_NOT_EQUAL,
    QUERY_LESS,
    QUERY_LESS_EQUAL,
    QUERY_GREATER,
    QUERY_GREATER_EQUAL,
    QUERY_IS_NULL,
    QUERY_IS_NOT_NULL,
    QUERY_BETWEEN,
    QUERY_STARTS_WITH,
    QUERY_ENDS_WITH,
    QUERY_CONTAINS,
    QUERY_SEARCH,
    QUERY_OR,
    QUERY_AND,
};

#define QUERY_LIMIT_MAX  10000
#define QUERY_ORDERS_MAX 16

/* A value as it came; datetimes are texts, in the documents' form where the attribute is known to be one. */
struct query_value {
    enum { VALUE_TEXT, VALUE_INTEGER, VALUE_FLOAT, VALUE_BOOLEAN, VALUE_NULL } type;
    char *text;
    long long integer; /* BOOLEAN: 0 or 1 */
    double number;
};

struct query_filter {
    enum query_method method;
    char *attribute; /* known to the collection, or $id, $createdAt, ...; NULL: OR, AND */
    struct query_value *value;
    size_t value_count;
    struct query_filter *part; /* OR, AND */
    size_t part_count;
};

struct query_order {
    char *attribute;
    bool is_descending;
};

struct query {
    struct query_filter *filter; /* all must hold */
    size_t filter_count;
    struct query_order *order;
    size_t order_count;
    long limit, offset; /* default 25, 0 */
    bool has_limit, has_offset;
    char *cursor; /* document id; NULL: none */
    bool cursor_is_before;
    char **select; /* names; 0: all */
    size_t select_count;
};

/* `c` NULL: no collection is known, every attribute name will do (realtime on "documents").
 * From the raw query string of a URL ("queries[0]=...&queries%5B%5D=..."). Initialises *q in any case; the
 * caller finishes it. false: *e says which query and why. */
bool query_parse_url(struct query *q, const struct collection *c, const char *query_string,
                     struct api_error *e);
/* One query's text added, for realtime's subscriptions. */
bool query_add(struct query *q, const struct collection *c, const char *text, struct api_error *e);
void query_init(struct query *q);
void query_finish(struct query *q);

struct message;
/* Whether a document (as GET gives it) passes all filters; equal and notEqual are strict about types. */
bool query_matches(const struct query *q, const struct message *document);
/* Takes away what `select` does not name; names beginning with $ stay. */
void query_select(const struct query *q, struct message *document);
