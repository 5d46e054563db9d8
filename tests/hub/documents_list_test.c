#include "hub/documents_bench.h"

/* Eight requests: id, venue, status, timestamp, song, reason. */
static const struct {
    const char *id, *venue, *status, *timestamp, *requester, *reason;
} rows[] = {
    { "a", "v1", "queued", "2025-10-01T10:00:00Z", "Anna", "\"100% sure\"" },
    { "b", "v1", "playing", "2025-10-01T09:00:00Z", "bert", "null" },
    { "c", "v2", "queued", "2025-10-03T10:00:00Z", "Anna", "\"skip_ped\"" },
    { "d", "v1", "completed", "2025-10-02T10:00:00Z", "carla", "null" },
    { "e", "v1", "queued", "2025-10-02T10:00:00Z", "DORA", "\"a\\\\b\"" },
    { "f", "v2", "cancelled", "2025-09-01T10:00:00+02:00", "\\u00c4nne", "\"\"" },
    { "g", "v1' OR 1=1 --", "queued", "2025-10-05T10:00:00Z", "x", "null" },
    { "h", "v1", "queued", "2025-10-02T10:00:00Z", "bert", "\"Skipped by admin\"" },
};

static int fill(void **state)
{
    bench_setup(state);
    struct bench *b = *state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char data[512];
        snprintf(data, sizeof(data),
                 "{\"requestId\":\"r\",\"venueId\":\"%s\",\"song\":\"{}\",\"requesterId\":\"%s\","
                 "\"timestamp\":\"%s\",\"status\":\"%s\",\"cancelReason\":%s}",
                 rows[i].venue, rows[i].requester, rows[i].timestamp, rows[i].status,
                 rows[i].reason);
        b->wall_ms += 1000;
        if (!bench_insert(b, "requests", rows[i].id, data))
            fail_msg("%s", b->e.message);
    }
    b->wall_ms += 1000;
    assert_true(bench_update(b, "requests", "b", "{\"cancelReason\":\"x\"}", NULL));
    assert_true(bench_update(b, "requests", "b", "{\"cancelReason\":null}", NULL));
    return 0;
}

/* The list for queries that are divided by ';'. NULL: refused, b->e. The caller destroys it. */
static struct message *list(struct bench *b, const char *collection, const char *queries)
{
    const struct collection *c = collection_find(collection);
    struct message *out = NULL;
    struct query q;
    query_init(&q);
    bool is_good = true;
    for (const char *at = queries; is_good && *at;) {
        size_t len = strcspn(at, ";");
        char *text = xstrndup(at, len);
        is_good = !len || query_add(&q, c, text, &b->e);
        free(text);
        at += len + (at[len] == ';');
    }
    if (is_good && !documents_list(b->documents, NULL, c, &q, &out, &b->e))
        out = NULL;
    query_finish(&q);
    return out;
}

/* The ids in order, each followed by a blank. The caller frees. */
static char *ids_of(const struct message *m)
{
    struct buf ids;
    buf_init(&ids, 1 << 20);
    for (size_t i = 0; i < message_count(m, "documents"); i++) {
        const struct message *one = message_object_at(m, "documents", i);
        int ret = buf_printf(&ids, "%s ", message_str(one, "$id", "?"));
        assert_int_equal(ret, 0);
    }
    char *text = xstrdup(ids.data ? ids.data : "");
    buf_finish(&ids);
    return text;
}

static void queries_find_what_they_say_in_the_order_they_say(void **state)
{
    static const struct {
        const char *queries, *ids;
        int total;
    } cases[] = {
        { "", "a b c d e f g h ", 8 },
        { "equal(\"venueId\",[\"v1\"])", "a b d e h ", 5 },
        { "equal(\"venueId\",[\"v1\",\"v2\"])", "a b c d e f h ", 7 },
        { "equal(\"venueId\",[\"v1' OR 1=1 --\"])", "g ", 1 },
        { "equal(\"venueId\",[\"V1\"])", "", 0 },
        { "equal(\"venueId\",[\"v1\"]);equal(\"status\",[\"queued\"])", "a e h ", 3 },
        { "notEqual(\"status\",\"queued\")", "b d f ", 3 },
        { "notEqual(\"cancelReason\",\"\")", "a c e h ", 4 }, /* a null is not unequal */
        { "isNull(\"cancelReason\")", "b d g ", 3 },
        { "isNotNull(\"cancelReason\")", "a c e f h ", 5 },
        { "isNull(\"$id\")", "", 0 },
        { "lessThan(\"timestamp\",\"2025-10-01T10:00:00.000Z\")", "b f ", 2 },
        { "lessThanEqual(\"timestamp\",\"2025-10-01T11:00:00+01:00\")", "a b f ", 3 },
        { "greaterThan(\"timestamp\",\"2025-10-02T10:00:00Z\")", "c g ", 2 },
        { "greaterThanEqual(\"timestamp\",\"2025-10-02T10:00:00Z\")", "c d e g h ", 5 },
        { "between(\"timestamp\",\"2025-10-01T10:00:00Z\",\"2025-10-02T10:00:00Z\")", "a d e h ",
          4 },
        { "startsWith(\"requesterId\",\"b\")", "b h ", 2 },
        { "startsWith(\"requesterId\",\"B\")", "", 0 },
        { "startsWith(\"cancelReason\",\"\")", "a c e f h ", 5 },
        { "endsWith(\"requesterId\",\"a\")", "a c d ", 3 },
        { "endsWith(\"requesterId\",\"xx\")", "", 0 },
        { "endsWith(\"cancelReason\",\"\")", "a c e f h ", 5 },
        { "endsWith(\"requesterId\",\"nne\")", "f ", 1 },
        { "contains(\"requesterId\",[\"nn\"])", "a c f ", 3 },
        { "contains(\"requesterId\",[\"ert\",\"OR\"])", "b e h ", 3 },
        { "search(\"requesterId\",\"dora\")", "e ", 1 },
        { "search(\"requesterId\",\"ANNA\")", "a c ", 2 },
        { "search(\"cancelReason\",\"%\")", "a ", 1 },
        { "search(\"cancelReason\",\"_\")", "c ", 1 },
        { "search(\"cancelReason\",\"\\\\\")", "e ", 1 },
        { "search(\"cancelReason\",\"skip\")", "c h ", 2 },
        { "equal(\"$id\",[\"c\",\"nothing\"])", "c ", 1 },
        { "equal(\"$sequence\",[\"3\",4])", "c d ", 2 },
        { "greaterThan(\"$sequence\",6)", "g h ", 2 },
        { "lessThan(\"$createdAt\",\"2025-10-11T12:34:58.789Z\")", "a ", 1 },
        { "lessThanEqual(\"$createdAt\",\"2025-10-11T12:34:58.789Z\")", "a b ", 2 },
        { "orderDesc(\"$updatedAt\");limit(2)", "b h ", 8 },
        { "orderDesc(\"timestamp\")", "g c d e h a b f ", 8 },
        { "orderAsc(\"timestamp\")", "f b a d e h c g ", 8 },
        { "orderAsc(\"cancelReason\")", "b d g f a h e c ", 8 }, /* null first */
        { "orderDesc(\"cancelReason\")", "c e h a f b d g ", 8 },
        { "orderAsc(\"venueId\");orderDesc(\"timestamp\")", "d e h a b g c f ", 8 },
        { "orderDesc(\"\")", "h g f e d c b a ", 8 },
        { "orderDesc(\"$id\");limit(3)", "h g f ", 8 },
        { "limit(3)", "a b c ", 8 },
        { "limit(3);offset(6)", "g h ", 8 },
        { "offset(100)", "", 8 },
        { "cursorAfter(\"c\");limit(2)", "d e ", 8 },
        { "cursorBefore(\"d\");limit(2)", "b c ", 8 },
        { "cursorBefore(\"b\");limit(5)", "a ", 8 },
        { "cursorAfter(\"h\")", "", 8 },
        { "equal(\"venueId\",[\"v1\"]);cursorAfter(\"c\")", "d e h ", 5 },
        { "orderDesc(\"timestamp\");cursorAfter(\"d\");limit(3)", "e h a ", 8 },
        { "orderDesc(\"timestamp\");cursorBefore(\"h\");limit(2)", "d e ", 8 },
        { "{\"method\":\"or\",\"values\":[{\"method\":\"equal\",\"attribute\":\"status\","
          "\"values\":[\"playing\"]},{\"method\":\"and\",\"values\":[{\"method\":\"equal\","
          "\"attribute\":\"venueId\",\"values\":[\"v2\"]},{\"method\":\"isNotNull\","
          "\"attribute\":\"cancelReason\"}]}]}",
          "b c f ", 3 },
        { "{\"method\":\"or\",\"values\":[{\"method\":\"isNull\",\"attribute\":\"venueId\"},"
          "{\"method\":\"isNull\",\"attribute\":\"status\"}]};equal(\"venueId\",[\"v1\"])",
          "", 0 },
    };
    struct bench *b = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct message *m = list(b, "requests", cases[i].queries);
        if (!m)
            fail_msg("%s: %s", cases[i].queries, b->e.message);
        char *ids = ids_of(m);
        if (strcmp(ids, cases[i].ids) != 0 || message_i64(m, "total", -1) != cases[i].total)
            fail_msg("%s: %s of %d", cases[i].queries, ids, (int)message_i64(m, "total", -1));
        free(ids);
        message_destroy(m);
    }
}

static void typed_values_are_compared_as_what_they_are(void **state)
{
    static const struct {
        const char *queries, *ids;
    } cases[] = {
        { "equal(\"isPlaying\",[true])", "s1 " },
        { "equal(\"isPlaying\",[false])", "s2 " },
        { "isNull(\"isPlaying\")", "s3 " },
        { "equal(\"volume\",[9])", "s1 " },
        { "greaterThan(\"volume\",9)", "s2 " }, /* 10 is more than 9 */
        { "orderDesc(\"volume\")", "s2 s1 s3 " },
        { "equal(\"lastUpdated\",[9007199254740993])", "s3 " },
        { "lessThan(\"lastUpdated\",0)", "s2 " },
    };
    struct bench *b = *state;
    assert_true(bench_insert(b, "player_state", "s1",
                             "{\"venueId\":\"1\",\"isPlaying\":true,\"volume\":9}"));
    assert_true(
        bench_insert(b, "player_state", "s2",
                     "{\"venueId\":\"2\",\"isPlaying\":false,\"volume\":10,\"lastUpdated\":-5}"));
    assert_true(bench_insert(b, "player_state", "s3",
                             "{\"venueId\":\"3\",\"lastUpdated\":9007199254740993}"));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct message *m = list(b, "player_state", cases[i].queries);
        char *ids = ids_of(m);
        if (strcmp(ids, cases[i].ids) != 0)
            fail_msg("%s: %s", cases[i].queries, ids);
        free(ids);
        message_destroy(m);
    }
}

/* Page by page from an end of the list to the other: the ids in the list's order. */
static char *walk(struct bench *b, const char *order, int page, bool is_back)
{
    struct buf all;
    buf_init(&all, 1 << 16);
    int ret = buf_append(&all, "", 0);
    char cursor[32] = "";
    if (is_back) { /* nothing lies behind the last one: begin with it */
        char *text = xasprintf("%s;limit(100)", order);
        struct message *m = list(b, "requests", text);
        size_t count = message_count(m, "documents");
        snprintf(cursor, sizeof(cursor), "%s",
                 message_str(message_object_at(m, "documents", count - 1), "$id", ""));
        ret = buf_printf(&all, "%s ", cursor);
        message_destroy(m);
        free(text);
    }
    for (int turn = 0; turn < 20 && !ret; turn++) {
        char *text = *cursor ? xasprintf("%s;limit(%d);cursor%s(\"%s\")", order, page,
                                         is_back ? "Before" : "After", cursor)
                             : xasprintf("%s;limit(%d)", order, page);
        struct message *m = list(b, "requests", text);
        assert_non_null(m);
        size_t count = message_count(m, "documents");
        char *ids = ids_of(m);
        if (is_back) {
            char *joined = xasprintf("%s%s", ids, all.data);
            buf_consume(&all, all.len);
            ret = buf_printf(&all, "%s", joined);
            free(joined);
        } else {
            ret = buf_printf(&all, "%s", ids);
        }
        if (count)
            snprintf(
                cursor, sizeof(cursor), "%s",
                message_str(message_object_at(m, "documents", is_back ? 0 : count - 1), "$id", ""));
        free(ids);
        free(text);
        message_destroy(m);
        if (!count)
            break;
    }
    assert_int_equal(ret, 0);
    char *text = xstrdup(all.data);
    buf_finish(&all);
    return text;
}

static void pages_by_cursor_join_to_the_whole_in_both_directions(void **state)
{
    static const char *const orders[] = {
        "",
        "orderDesc(\"\")",
        "orderAsc(\"timestamp\")",
        "orderDesc(\"timestamp\")",
        "orderAsc(\"cancelReason\")", /* with nulls */
        "orderDesc(\"cancelReason\")",
        "orderDesc(\"venueId\");orderAsc(\"status\")",
        "orderAsc(\"status\");orderDesc(\"cancelReason\");orderDesc(\"$id\")",
        "orderDesc(\"$createdAt\")",
        "orderAsc(\"completedAt\")", /* nothing but nulls */
    };
    struct bench *b = *state;
    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        struct message *m = list(b, "requests", orders[i]);
        char *want = ids_of(m);
        assert_int_equal(strlen(want), 16);
        for (int page = 1; page <= 5; page++) {
            char *forth = walk(b, orders[i], page, false), *back = walk(b, orders[i], page, true);
            if (strcmp(forth, want) != 0 || strcmp(back, want) != 0)
                fail_msg("%s by %d: %s, back %s, want %s", orders[i], page, forth, back, want);
            free(forth);
            free(back);
        }
        free(want);
        message_destroy(m);
    }
}

static void a_cursor_that_is_gone_is_said_to_be(void **state)
{
    struct bench *b = *state;
    assert_null(list(b, "requests", "cursorAfter(\"none\")"));
    assert_int_equal(b->e.kind, API_CURSOR_NOT_FOUND);
    assert_true(bench_insert(b, "queues", "elsewhere", QUEUE("v")));
    assert_null(list(b, "requests", "cursorAfter(\"elsewhere\")"));
    assert_int_equal(b->e.kind, API_CURSOR_NOT_FOUND);
}

static void selected_attributes_come_alone_with_the_systems(void **state)
{
    struct bench *b = *state;
    struct message *m = list(b, "requests", "select([\"status\"]);limit(1)");
    const struct message *one = message_object_at(m, "documents", 0);
    assert_string_equal(message_str(one, "status", ""), "queued");
    assert_string_equal(message_str(one, "$id", ""), "a");
    assert_true(message_has(one, "$updatedAt"));
    assert_false(message_has(one, "venueId"));
    message_destroy(m);
}

static void the_total_stops_at_5000_and_a_page_at_its_limit(void **state)
{
    struct bench *b = *state;
    for (int i = 0; i < 5003; i++)
        assert_true(bench_insert(b, "player_commands", "unique()",
                                 "{\"venueId\":\"v\",\"command\":\"x\"}"));
    struct message *m = list(b, "player_commands", "limit(10000)");
    assert_int_equal(message_i64(m, "total", 0), 5000);
    assert_int_equal(message_count(m, "documents"), 5003);
    message_destroy(m);
    m = list(b, "player_commands", "");
    assert_int_equal(message_count(m, "documents"), 25);
    message_destroy(m);
}

static void an_answer_too_large_for_the_box_is_refused_in_words(void **state)
{
    struct bench *b = *state;
    size_t size = 100000;
    char *data = xcalloc(1, size + 200);
    int len = sprintf(data, "{\"playlistId\":\"p\",\"name\":\"n\",\"ownerId\":\"o\","
                            "\"createdAt\":\"2025-10-16\",\"tracks\":\"");
    memset(data + len, 'x', size);
    strcpy(data + len + size, "\"}");
    for (int i = 0; i < 200; i++)
        assert_true(bench_insert(b, "playlists", "unique()", data));
    assert_null(list(b, "playlists", "limit(200)"));
    assert_int_equal(b->e.kind, API_TOO_LARGE);
    struct message *m = list(b, "playlists", "limit(200);select([\"name\"])");
    assert_int_equal(message_count(m, "documents"), 200);
    message_destroy(m);
    m = list(b, "playlists", "limit(100)");
    assert_int_equal(message_count(m, "documents"), 100);
    message_destroy(m);
    free(data);
}

/* The plan of a list of a collection, for a filter. The caller frees. */
static void assert_uses_index(struct bench *b, const char *sql, const char *index)
{
    char *text = xasprintf("EXPLAIN QUERY PLAN %s", sql);
    sqlite3_stmt *s = database_statement(b->database, text);
    assert_non_null(s);
    assert_int_equal(database_step(b->database, s), 1);
    const char *plan = (const char *)sqlite3_column_text(s, 3);
    if (!strstr(plan, index))
        fail_msg("%s: %s", sql, plan);
    sqlite3_reset(s);
    free(text);
}

static void the_look_ups_of_a_venue_are_served_by_indexes(void **state)
{
    struct bench *b = *state;
#define BY(collection, attribute)                                                                  \
    "SELECT 1 FROM documents WHERE collection = '" collection                                      \
    "' AND (json_extract(data,'$." attribute "') IN (?))"
    assert_uses_index(b, BY("queues", "venueId"), "queues_venue");
    assert_uses_index(b, BY("venues", "venueId"), "venues_venue");
    assert_uses_index(b, BY("venues", "slug"), "venues_slug");
    assert_uses_index(b, BY("players", "venueId"), "players_venue");
    assert_uses_index(b, BY("playlists", "venueId"), "playlists_venue");
    assert_uses_index(b, BY("users", "email"), "users_email");
    assert_uses_index(b, BY("magicLinks", "token"), "magic_links_token");
    assert_uses_index(b, BY("player_commands", "venueId"), "player_commands_venue");
    assert_uses_index(b, BY("requests", "venueId") " AND (json_extract(data,'$.status') IN (?))",
                      "requests_status");
    assert_uses_index(b,
                      BY("requests", "venueId") " AND (json_extract(data,'$.timestamp') >= ?)"
                                                " ORDER BY json_extract(data,'$.timestamp') DESC",
                      "requests_time");
}

#define FILLED_TEST(f) cmocka_unit_test_setup_teardown(f, fill, bench_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILLED_TEST(queries_find_what_they_say_in_the_order_they_say),
        BENCH_TEST(typed_values_are_compared_as_what_they_are),
        FILLED_TEST(pages_by_cursor_join_to_the_whole_in_both_directions),
        FILLED_TEST(a_cursor_that_is_gone_is_said_to_be),
        FILLED_TEST(selected_attributes_come_alone_with_the_systems),
        BENCH_TEST(the_total_stops_at_5000_and_a_page_at_its_limit),
        BENCH_TEST(an_answer_too_large_for_the_box_is_refused_in_words),
        BENCH_TEST(the_look_ups_of_a_venue_are_served_by_indexes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
