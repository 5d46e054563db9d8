#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "hub/query.h"
#include "wire/message.h"

static const char *const method_names[] = {
    "equal",  "notEqual",  "lessThan", "lessThanEqual", "greaterThan", "greaterThanEqual",
    "isNull", "isNotNull", "between",  "startsWith",    "endsWith",    "contains",
    "search", "or",        "and",
};

static void show(struct buf *b, const char *text)
{
    assert_int_equal(buf_append(b, text, strlen(text)), 0);
}

static void show_filter(struct buf *b, const struct query_filter *f)
{
    int ret = buf_printf(b, "%s%s%s(", f->attribute ? f->attribute : "", f->attribute ? " " : "",
                         method_names[f->method]);
    assert_int_equal(ret, 0);
    for (size_t i = 0; i < f->value_count; i++) {
        const struct query_value *v = &f->value[i];
        show(b, i ? "," : "");
        if (v->type == VALUE_TEXT)
            ret = buf_printf(b, "'%s'", v->text);
        else if (v->type == VALUE_FLOAT)
            ret = buf_printf(b, "%.3f", v->number);
        else if (v->type == VALUE_NULL)
            ret = buf_printf(b, "null");
        else
            ret = buf_printf(b, v->type == VALUE_BOOLEAN ? "b%lld" : "%lld", v->integer);
        assert_int_equal(ret, 0);
    }
    for (size_t i = 0; i < f->part_count; i++) {
        show(b, i ? "," : "");
        show_filter(b, &f->part[i]);
    }
    show(b, ")");
}

/* The whole in one line, to be compared with what was meant. The caller frees. */
static char *line_of(const struct query *q)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    show(&b, "");
    for (size_t i = 0; i < q->filter_count; i++) {
        show(&b, i ? "; " : "");
        show_filter(&b, &q->filter[i]);
    }
    for (size_t i = 0; i < q->order_count; i++) {
        show(&b, q->order[i].is_descending ? " desc " : " asc ");
        show(&b, q->order[i].attribute);
    }
    int ret = 0;
    if (q->has_limit || q->limit != 25)
        ret = buf_printf(&b, " limit %ld", q->limit);
    if (!ret && (q->has_offset || q->offset))
        ret = buf_printf(&b, " offset %ld", q->offset);
    if (!ret && q->cursor)
        ret = buf_printf(&b, " %s %s", q->cursor_is_before ? "before" : "after", q->cursor);
    for (size_t i = 0; !ret && i < q->select_count; i++)
        ret = buf_printf(&b, " select %s", q->select[i]);
    assert_int_equal(ret, 0);
    char *line = xstrdup(b.data ? b.data : "");
    buf_finish(&b);
    return line;
}

struct query_case {
    const char *collection, *text, *want; /* want NULL: refused */
};

static void check_url(const struct query_case *k)
{
    struct query q;
    struct api_error e = { 0 };
    bool is_good = query_parse_url(&q, collection_find(k->collection), k->text, &e);
    char *line = is_good ? line_of(&q) : NULL;
    if (!is_good && k->want)
        fail_msg("%s: %s", k->text, e.message);
    if (is_good && (!k->want || strcmp(line, k->want) != 0))
        fail_msg("%s: %s", k->text, line);
    if (!is_good) {
        assert_true(e.kind == API_QUERY_INVALID || e.kind == API_ARGUMENT_INVALID);
        assert_true(strlen(e.message) > 10);
    }
    free(line);
    query_finish(&q);
}

static void urls_of_old_and_new_clients_mean_the_same(void **state)
{
    static const struct query_case cases[] = {
        { "queues", "", "" },
        { "queues", "total=false&x=1", "" },
        /* as SDK 11 sends it */
        { "queues", "queries[0]=equal(%22venueId%22,+[%22venue-001%22])&queries[1]=limit(1)",
          "venueId equal('venue-001') limit 1" },
        { "requests",
          "queries%5B0%5D=equal(\"venueId\",%20[\"v\"])&queries%5B1%5D=orderDesc(%22timestamp%22)"
          "&queries%5B2%5D=greaterThanEqual(\"timestamp\",+[\"2025-10-16T06:05:33.4Z\"])",
          "venueId equal('v'); timestamp greaterThanEqual('2025-10-16T06:05:33.400+00:00') desc "
          "timestamp" },
        /* as SDK 28 sends it */
        { "queues",
          "queries%5B0%5D=%7B%22method%22%3A%22equal%22%2C%22attribute%22%3A%22venueId%22%2C%22"
          "values%22%3A%5B%22v+1%22%2C%22v2%22%5D%7D&queries%5B1%5D=%7B%22method%22%3A%22limit%22"
          "%2C%22values%22%3A%5B5%5D%7D",
          "venueId equal('v 1','v2') limit 5" },
        { "queues", "queries[]={\"method\":\"orderDesc\",\"attribute\":\"$updatedAt\"}",
          " desc $updatedAt" },
        { "queues", "queries[]={\"method\":\"select\",\"values\":[\"$id\",\"venueId\"]}",
          " select $id select venueId" },
        { "queues", "queries[]={\"method\":\"select\",\"values\":[\"*\"]}", "" },
        { "queues", "queries={\"method\":\"cursorAfter\",\"values\":[\"lastId\"]}",
          " after lastId" },
        { "queues", "queries[12]=cursorBefore(\"x\")&queries[3]=offset(7)", " offset 7 before x" },
        { "queues", "queries[x]=limit(1)&queries[1]x=limit(1)&Queries[]=limit(1)", "" },
        { "queues", "queries[]=limit(3)&queries[]=limit(4)", " limit 3" }, /* the first counts */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_url(&cases[i]);
}

static char *encode(const char *text)
{
    char *out = xcalloc(3, strlen(text) + 16);
    size_t len = (size_t)sprintf(out, "queries[]=");
    for (; *text; text++)
        len += (size_t)sprintf(out + len, "%%%02X", (unsigned char)*text);
    return out;
}

static void check_text(const struct query_case *k)
{
    char *url = encode(k->text);
    struct query_case encoded = { k->collection, url, k->want };
    check_url(&encoded);
    free(url);
}

static void every_method_is_understood_in_both_grammars(void **state)
{
    static const struct query_case cases[] = {
        { "players", "{\"method\":\"notEqual\",\"attribute\":\"status\",\"values\":[\"idle\"]}",
          "status notEqual('idle')" },
        { "players", "notEqual(\"status\", \"idle\")", "status notEqual('idle')" },
        { "players", "lessThan(\"expiresAt\", [5])", "expiresAt lessThan(5)" },
        { "players", "lessThanEqual(\"expiresAt\", -5)", "expiresAt lessThanEqual(-5)" },
        { "players", "greaterThan(\"expiresAt\",[9007199254740993])",
          "expiresAt greaterThan(9007199254740993)" },
        { "players", "between(\"expiresAt\",[1,2])", "expiresAt between(1,2)" },
        { "players", "between(\"expiresAt\",1,2)", "expiresAt between(1,2)" },
        { "players", "isNull('venueId')", "venueId isNull()" },
        { "players", "{\"method\":\"isNotNull\",\"attribute\":\"venueId\"}",
          "venueId isNotNull()" },
        { "players", "{\"method\":\"isNull\",\"attribute\":\"venueId\",\"values\":null}",
          "venueId isNull()" },
        { "players", "startsWith(\"venueId\",[\"a\"])", "venueId startsWith('a')" },
        { "players", "endsWith(\"venueId\",\"a\")", "venueId endsWith('a')" },
        { "players", "contains(\"venueId\",[\"a\",\"b\"])", "venueId contains('a','b')" },
        { "players", "search(\"venueId\",\"AC/DC \\\"live\\\"\")",
          "venueId search('AC/DC \"live\"')" },
        { "players", "equal(\"venueId\", ['it\\'s', \"a\\\\b\", \"c\\d\"])",
          "venueId equal('it's','a\\b','c\\d')" },
        { "players", "equal(\"venueId\",[\"a,b]) limit(3)\"])", "venueId equal('a,b]) limit(3)')" },
        { "players", " equal ( \"venueId\" , [ \"a\" , \"b\" ] ) ", "venueId equal('a','b')" },
        { "users", "equal(\"autoplay\",[true])", "autoplay equal(b1)" },
        { "users", "{\"method\":\"equal\",\"attribute\":\"autoplay\",\"values\":[false]}",
          "autoplay equal(b0)" },
        { "users", "equal(\"$id\",[\"x\"])", "$id equal('x')" },
        { "users", "equal(\"$sequence\",[\"12\",13])", "$sequence equal('12',13)" },
        { "users", "greaterThan(\"$createdAt\",\"2025-10-16\")",
          "$createdAt greaterThan('2025-10-16T00:00:00.000+00:00')" },
        { "users", "orderAsc(\"email\")", " asc email" },
        { "users", "orderDesc(\"\")", " desc $sequence" },
        { "users", "select([\"email\", \"$id\"])", " select email select $id" },
        { "users",
          "{\"method\":\"or\",\"values\":[{\"method\":\"equal\",\"attribute\":\"email\","
          "\"values\":[\"a\"]},{\"method\":\"and\",\"values\":[{\"method\":\"isNull\","
          "\"attribute\":\"role\"},\"{\\\"method\\\":\\\"isNotNull\\\",\\\"attribute\\\":"
          "\\\"email\\\"}\"]}]}",
          "or(email equal('a'),and(role isNull(),email isNotNull()))" },
        { "users", "limit(10000)", " limit 10000" },
        { "users", "equal(\"email\",[\"\"])", "email equal('')" },
        { "users", "equal(\"email\",[\"Bj\xc3\xb6rk\"])", "email equal('Bj\xc3\xb6rk')" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_text(&cases[i]);
}

static void what_makes_no_sense_is_refused_in_words(void **state)
{
    static const char *const texts[] = {
        "",
        "venueId",
        "equal",
        "equal(",
        "equal(\"venueId\"",
        "equal(\"venueId\", [\"a\"",
        "equal(\"venueId\", [\"a\"]",
        "equal(\"venueId\", [\"a\"]) x",
        "equal(\"venueId\", [\"a])",
        "equal(venueId, [\"a\"])",
        "equal(\"venueId\", [a])",
        "equal(\"venueId\", [{}])",
        "equal(\"venueId\", [[1]])",
        "equal(\"venueId\", [])",
        "equal(\"venueId\")",
        "equal(\"venueId\", [null])",
        "equal(\"venueId\", [1])",
        "equal(\"expiresAt\", [\"1\"])",
        "equal(\"expiresAt\", [1.5])",
        "equal(\"expiresAt\", [true])",
        "equal(\"createdAt\", [\"yesterday\"])",
        "equal(\"$createdAt\", [5])",
        "equal(\"$sequence\", [\"1x\"])",
        "equal(\"nowhere\", [\"a\"])",
        "equal(\"data\", [\"a\"])",
        "equal(\"$permissions\", [\"a\"])",
        "equal(\"venueId') OR 1=1 --\", [\"a\"])",
        "equal(\"\", [\"a\"])",
        "notEqual(\"venueId\", [\"a\",\"b\"])",
        "between(\"expiresAt\", [1])",
        "between(\"expiresAt\", [1,2,3])",
        "contains(\"expiresAt\", [1])",
        "search(\"createdAt\", \"2025\")",
        "orderAsc(\"nowhere\")",
        "select([\"nowhere\"])",
        "select([])",
        "select([1])",
        "limit(0)",
        "limit(10001)",
        "limit(-1)",
        "limit(1.5)",
        "limit(\"5\")",
        "limit()",
        "offset(-1)",
        "cursorAfter(5)",
        "cursorAfter(\"\")",
        "drop(\"venueId\")",
        "or(\"venueId\")",
        "{}",
        "{\"method\":\"equal\"",
        "{\"method\":\"drop\",\"attribute\":\"venueId\",\"values\":[1]}",
        "{\"method\":\"equal\",\"attribute\":\"venueId\",\"values\":\"a\"}",
        "{\"method\":\"equal\",\"attribute\":\"venueId\",\"values\":[\"a\\u0000b\"]}",
        "{\"method\":\"equal\",\"attribute\":5,\"values\":[\"a\"]}",
        "{\"method\":\"equal\",\"attribute\":\"venueId\",\"values\":[{\"a\":1}]}",
        "{\"method\":\"or\",\"values\":[]}",
        "{\"method\":\"or\",\"values\":[{\"method\":\"isNull\",\"attribute\":\"venueId\"}]}",
        "{\"method\":\"or\",\"values\":[{\"method\":\"limit\",\"values\":[1]},{}]}",
        "{\"method\":\"or\",\"values\":[1,2]}",
        "equal(\"venueId\", [\"\xff\"])",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        check_text(&(struct query_case){ "players", texts[i], NULL });
}

static void counts_and_sizes_have_an_end(void **state)
{
    struct query q;
    struct api_error e;
    const struct collection *c = collection_find("queues");
    struct buf b;
    buf_init(&b, 1 << 20);
    for (int i = 0; i < QUERIES_MAX; i++)
        assert_int_equal(buf_printf(&b, "&queries[%d]=isNull(\"venueId\")", i), 0);
    assert_true(query_parse_url(&q, c, b.data, &e));
    assert_int_equal(q.filter_count, QUERIES_MAX);
    query_finish(&q);
    show(&b, "&queries[]=limit(1)");
    assert_false(query_parse_url(&q, c, b.data, &e));
    assert_int_equal(e.kind, API_ARGUMENT_INVALID);
    query_finish(&q);
    buf_finish(&b);

    /* characters, not bytes */
    char *text = xcalloc(1, 3 * QUERY_CHARS_MAX + 100);
    size_t len = (size_t)sprintf(text, "equal(\"venueId\",[\""), chars = len + 3;
    for (; chars < QUERY_CHARS_MAX; chars++, len += 3)
        memcpy(text + len, "\xe2\x82\xac", 3);
    memcpy(text + len, "\"])", 4);
    query_init(&q);
    assert_true(query_add(&q, c, text, &e));
    memcpy(text + len, "e\"])", 5);
    assert_false(query_add(&q, c, text, &e));
    free(text);

    buf_init(&b, 1 << 20);
    show(&b, "equal(\"venueId\",[");
    for (int i = 0; i < QUERY_VALUES_MAX; i++)
        show(&b, i ? ",\"a\"" : "\"a\"");
    char *full = xasprintf("%s])", b.data), *over = xasprintf("%s,\"a\"])", b.data);
    assert_true(query_add(&q, c, full, &e));
    assert_false(query_add(&q, c, over, &e));
    for (int i = 0; i < QUERY_ORDERS_MAX; i++)
        assert_true(query_add(&q, c, "orderAsc(\"venueId\")", &e));
    assert_false(query_add(&q, c, "orderAsc(\"venueId\")", &e));
    query_finish(&q);
    free(full);
    free(over);
    buf_finish(&b);

    buf_init(&b, 1 << 20); /* ors in ors */
    for (int i = 0; i < 60; i++)
        show(&b, "{\"method\":\"or\",\"values\":[{\"method\":\"isNull\",\"attribute\":\"$id\"},");
    query_init(&q);
    show(&b, "{\"method\":\"isNull\",\"attribute\":\"$id\"}");
    for (int i = 0; i < 60; i++)
        show(&b, "]}");
    assert_false(query_add(&q, c, b.data, &e));
    query_finish(&q);
    buf_finish(&b);
}

static void a_document_is_compared_strictly(void **state)
{
    static const char document[] =
        "{\"$id\":\"q1\",\"s\":\"b\",\"i\":5,\"f\":1.0,\"t\":true,\"n\":null,\"v\":\"Hello You\"}";
    static const struct {
        const char *text;
        bool want;
    } cases[] = {
        { "equal(\"s\",[\"b\"])", true },
        { "equal(\"s\",[\"a\",\"b\"])", true },
        { "equal(\"s\",[\"B\"])", false },
        { "equal(\"i\",[5])", true },
        { "equal(\"i\",[\"5\"])", false },
        { "equal(\"i\",[5.0])", false },
        { "equal(\"f\",[1])", false },
        { "equal(\"f\",[1.0])", true },
        { "equal(\"t\",[true])", true },
        { "equal(\"t\",[1])", false },
        { "equal(\"i\",[true])", false },
        { "equal(\"n\",[null])", true },
        { "equal(\"gone\",[null])", true },
        { "equal(\"gone\",[\"\"])", false },
        { "equal(\"$id\",[\"q1\"])", true },
        { "notEqual(\"i\",[\"5\"])", true },
        { "notEqual(\"i\",[5])", false },
        { "notEqual(\"n\",[5])", true },
        { "lessThan(\"i\",[6])", true },
        { "lessThan(\"i\",[5])", false },
        { "lessThan(\"i\",[5.5])", true },
        { "lessThanEqual(\"i\",[5])", true },
        { "greaterThan(\"s\",[\"a\"])", true },
        { "greaterThan(\"s\",[1])", false },
        { "greaterThan(\"n\",[1])", false },
        { "greaterThanEqual(\"f\",[1])", true },
        { "between(\"i\",[5,6])", true },
        { "between(\"i\",[6,7])", false },
        { "between(\"i\",[1,4])", false },
        { "isNull(\"n\")", true },
        { "isNull(\"s\")", false },
        { "isNotNull(\"s\")", true },
        { "isNotNull(\"gone\")", false },
        { "startsWith(\"v\",\"Hel\")", true },
        { "startsWith(\"v\",\"Hello You!\")", false },
        { "endsWith(\"v\",\"You\")", true },
        { "endsWith(\"v\",\"Hello\")", false },
        { "contains(\"v\",[\"x\",\"lo Y\"])", true },
        { "contains(\"v\",[\"LO\"])", false },
        { "search(\"v\",\"LO yo\")", true },
        { "{\"method\":\"or\",\"values\":[{\"method\":\"isNull\",\"attribute\":\"s\"},{\"method\":"
          "\"equal\",\"attribute\":\"i\",\"values\":[5]}]}",
          true },
        { "{\"method\":\"and\",\"values\":[{\"method\":\"isNull\",\"attribute\":\"s\"},{\"method\":"
          "\"equal\",\"attribute\":\"i\",\"values\":[5]}]}",
          false },
    };
    struct message *m = message_parse(document, strlen(document), NULL, 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct query q;
        struct api_error e = { 0 };
        query_init(&q);
        if (!query_add(&q, NULL, cases[i].text, &e))
            fail_msg("%s: %s", cases[i].text, e.message);
        if (query_matches(&q, m) != cases[i].want)
            fail_msg("%s", cases[i].text);
        assert_true(query_add(&q, NULL, "isNull(\"s\")", &e)); /* all must hold */
        assert_false(query_matches(&q, m));
        query_finish(&q);
        query_init(&q);
        assert_true(query_matches(&q, m)); /* no query: everything */
    }
    message_destroy(m);
}

static void selecting_keeps_the_named_and_the_systems_own(void **state)
{
    static const char document[] = "{\"$id\":\"q\",\"a\":1,\"b\":2,\"$updatedAt\":\"t\",\"c\":3}";
    struct message *m = message_parse(document, strlen(document), NULL, 0);
    struct query q;
    struct api_error e;
    query_init(&q);
    query_select(&q, m);
    assert_int_equal(message_field_count(m), 5);
    assert_true(query_add(&q, NULL, "select([\"b\"])", &e));
    query_select(&q, m);
    char *text = message_text(m, false);
    assert_string_equal(text, "{\"$id\":\"q\",\"b\":2,\"$updatedAt\":\"t\"}");
    free(text);
    query_finish(&q);
    message_destroy(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_of_old_and_new_clients_mean_the_same),
        cmocka_unit_test(every_method_is_understood_in_both_grammars),
        cmocka_unit_test(what_makes_no_sense_is_refused_in_words),
        cmocka_unit_test(counts_and_sizes_have_an_end),
        cmocka_unit_test(a_document_is_compared_strictly),
        cmocka_unit_test(selecting_keeps_the_named_and_the_systems_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
