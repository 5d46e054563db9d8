/* Realtime in its three dialects: who hears what, in which words. */
#include "hub_rig.h"

#define LIST "databases.db.collections.queues.documents"

/* A write of a queue document, told to all. */
static void publish(struct rig *r, enum change_action action, const char *json)
{
    struct message *document = message_parse(json, strlen(json), NULL, 0);
    assert_non_null(document);
    realtime_publish(r->realtime, &(struct change){ .collection = collection_find("queues"),
                                                    .action = action,
                                                    .id = message_str(document, "$id", "q1"),
                                                    .document = document });
    message_destroy(document);
}

static void publish_in(struct rig *r, const char *collection)
{
    struct message *document = message_create();
    realtime_publish(r->realtime, &(struct change){ .collection = collection_find(collection),
                                                    .action = CHANGE_CREATE,
                                                    .id = "d1",
                                                    .document = document });
    message_destroy(document);
}

#define QUEUE "{\"$id\":\"q1\",\"$collectionId\":\"queues\",\"venueId\":\"bar\",\"n\":1}"

/* The last message as text, type and data. */
static void assert_error(const struct rig_socket *s, int code)
{
    struct message *m = rig_last(s);
    assert_string_equal(message_str(m, "type", ""), "error");
    assert_int_equal(message_i64(message_object(m, "data"), "code", 0), code);
    assert_true(*message_str(message_object(m, "data"), "message", ""));
    message_destroy(m);
}

static bool has_text(const struct message *m, const char *field, const char *text)
{
    for (size_t i = 0; i < message_count(m, field); i++) {
        const char *at = message_str_at(m, field, i);
        if (at && strcmp(at, text) == 0)
            return true;
    }
    return false;
}

/* ---- connecting ---------------------------------------------------------------------------------- */

static void a_guest_is_connected_at_once_with_user_null(void **state)
{
    struct rig *r = *state;
    struct rig_socket s;
    struct realtime_client *c = rig_open(r, &s, "project=prj");
    assert_non_null(c);
    assert_int_equal(s.count, 1);
    assert_string_equal(s.sent[0], "{\"type\":\"connected\",\"data\":{\"channels\":[],"
                                   "\"subscriptions\":{},\"user\":null}}");
    rig_hang_up(r, &s, c);
}

static void url_channels_and_slots_are_announced_as_subscriptions(void **state)
{
    struct rig *r = *state;
    struct rig_socket s;
    struct realtime_client *c = rig_open(
        r, &s,
        "project=prj&channels%5B%5D=a&channels[]=b&channels[1]=c&channels[]=a"
        "&b%5B2%5D%5B%5D=%7B%22method%22%3A%22select%22%2C%22values%22%3A%5B%22%2A%22%5D%7D"
        "&c[1][]=isNull(%22venueId%22)&c[2][]=isNull(%22venueId%22)&unknown=x");
    assert_string_equal(s.sent[0],
                        "{\"type\":\"connected\",\"data\":{\"channels\":[\"a\",\"b\",\"c\"],"
                        "\"subscriptions\":{\"0\":\"slot-0\",\"1\":\"slot-1\",\"2\":\"slot-2\"},"
                        "\"user\":null}}");
    assert_int_equal(s.count, 1);
    rig_hang_up(r, &s, c);
}

static void a_wrong_project_is_refused_with_a_real_close(void **state)
{
    struct rig *r = *state;
    static const char *const queries[] = { "", "project=other", "channels[]=documents",
                                           "project=prj2" };
    for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
        struct rig_socket s;
        assert_null(rig_open(r, &s, queries[i]));
        assert_int_equal(s.count, 1);
        assert_error(&s, 1008);
        assert_int_equal(s.close_code, 1008);
        rig_forget(&s);
    }
    assert_int_equal(realtime_count(r->realtime), 0);
}

static void the_project_may_come_in_a_header(void **state)
{
    struct rig *r = *state;
    struct rig_socket s = { 0 };
    struct realtime_client *c = realtime_open(
        r->realtime, &(struct realtime_opening){ .socket = &s,
                                                 .query_string = "channels[]=documents",
                                                 .project = "prj",
                                                 .caller = &r->caller });
    assert_non_null(c);
    rig_hang_up(r, &s, c);
}

static void refused_credentials_and_bad_tokens_close(void **state)
{
    struct rig *r = *state;
    struct rig_socket s = { 0 };
    struct api_error e = { .kind = API_ORIGIN_UNKNOWN, .message = "Invalid Origin." };
    assert_null(realtime_open(
        r->realtime,
        &(struct realtime_opening){ .socket = &s, .query_string = "project=prj", .refusal = &e }));
    assert_int_equal(s.close_code, 1008);
    assert_contains(s.sent[0], "Invalid Origin.");
    rig_forget(&s);
    assert_null(rig_open(r, &s, "project=prj&jwt=nonsense"));
    assert_int_equal(s.close_code, 1008);
    rig_forget(&s);
}

static void a_bad_query_in_the_url_is_told_and_the_rest_is_connected(void **state)
{
    struct rig *r = *state;
    struct rig_socket s;
    struct realtime_client *c =
        rig_open(r, &s, "project=prj&channels[]=documents&documents[1][]=nonsense");
    assert_non_null(c);
    assert_int_equal(s.count, 2);
    assert_contains(s.sent[0], "\"connected\"");
    assert_error(&s, 1003);
    assert_int_equal(s.close_code, 0);
    rig_hang_up(r, &s, c);
}

static void all_queries_of_a_slot_must_hold(void **state)
{
    struct rig *r = *state;
    struct rig_socket s;
    struct realtime_client *c =
        rig_open(r, &s,
                 "project=prj&channels[]=documents&documents[1][]=equal(%22venueId%22,[%22bar%22])"
                 "&documents[1][]=isNull(%22nowPlaying%22)");
    publish(r, CHANGE_UPDATE, "{\"venueId\":\"bar\",\"nowPlaying\":\"x\"}");
    publish(r, CHANGE_UPDATE, "{\"venueId\":\"pub\",\"nowPlaying\":null}");
    assert_int_equal(s.count, 1);
    publish(r, CHANGE_UPDATE, "{\"venueId\":\"bar\",\"nowPlaying\":null}");
    assert_int_equal(s.count, 2);
    assert_contains(s.sent[1], "\"subscriptions\":[\"slot-1\"]");
    rig_hang_up(r, &s, c);
}

/* ---- messages of a client ------------------------------------------------------------------------ */

static void ping_is_answered_with_pong(void **state)
{
    struct rig *r = *state;
    struct rig_socket s;
    struct realtime_client *c = rig_open(r, &s, "project=prj");
    rig_say(r, c, "{\"type\":\"ping\"}");
    assert_string_equal(s.sent[1], "{\"type\":\"pong\"}");
    rig_hang_up(r, &s, c);
}

static void bad_messages_are_told_and_the_socket_stays(void **state)
{
    static const char *const bad[] = {
        "",
        "x",
        "[]",
        "{}",
        "{\"type\":7}",
        "{\"type\":\"dance\"}",
        "{\"type\":\"subscribe\"}",
        "{\"type\":\"subscribe\",\"data\":{}}",
        "{\"type\":\"subscribe\",\"data\":[]}",
        "{\"type\":\"subscribe\",\"data\":[7]}",
        "{\"type\":\"subscribe\",\"data\":[{\"subscriptionId\":\"\",\"channels\":[\"c\"]}]}",
        "{\"type\":\"subscribe\",\"data\":[{\"channels\":\"c\"}]}",
        "{\"type\":\"subscribe\",\"data\":[{\"channels\":[7]}]}",
        "{\"type\":\"subscribe\",\"data\":[{\"channels\":[\"\"]}]}",
        "{\"type\":\"subscribe\",\"data\":[{\"channels\":[\"c\"],\"queries\":[\"limit(1)\"]}]}",
        "{\"type\":\"subscribe\",\"data\":[{\"channels\":[\"c\"],\"queries\":[\"select([\\\"a\\\"])"
        "\"]}]}",
        "{\"type\":\"subscribe\",\"data\":[{\"channels\":[\"c\"],"
        "\"queries\":[\"{\\\"method\\\":\\\"search\\\",\\\"attribute\\\":\\\"a\\\",\\\"values\\\":["
        "\\\"b\\\"]}\"]}]}",
        "{\"type\":\"subscribe\",\"data\":[{\"channels\":[\"" LIST "\"],"
        "\"queries\":[\"isNull(\\\"nonsense\\\")\"]}]}",
        "{\"type\":\"subscribe\",\"data\":[{\"channels\":[\"c\"],\"queries\":[\"orderAsc(\\\"$"
        "id\\\")\"]}]}",
        "{\"type\":\"unsubscribe\",\"data\":[{}]}",
        "{\"type\":\"authentication\"}",
        "{\"type\":\"authentication\",\"data\":{\"session\":\"nonsense\"}}",
        "{\"type\":\"authentication\",\"data\":{\"jwt\":\"nonsense\"}}",
    };
    struct rig *r = *state;
    struct rig_socket s;
    struct realtime_client *c = rig_open(r, &s, "project=prj&channels[]=documents");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        rig_forget(&s);
        rig_say(r, c, bad[i]);
        if (s.count != 1)
            fail_msg("%s: %zu answers", bad[i], s.count);
        assert_error(&s, 1003);
        assert_int_equal(s.close_code, 0);
    }
    publish(r, CHANGE_CREATE, QUEUE);
    assert_int_equal(s.count, 2); /* what it had is untouched */
    rig_hang_up(r, &s, c);
}

static void authentication_keeps_project_and_subscriptions(void **state)
{
    struct rig *r = *state;
    struct rig_socket s;
    struct realtime_client *c = rig_open(r, &s, "project=prj&channels[]=documents");
    char *text =
        xasprintf("{\"type\":\"authentication\",\"data\":{\"session\":\"%s\"}}", r->session);
    rig_say(r, c, text);
    struct message *m = rig_last(&s);
    const struct message *data = message_object(m, "data");
    assert_string_equal(message_str(m, "type", ""), "response");
    assert_string_equal(message_str(data, "to", ""), "authentication");
    assert_true(message_bool(data, "success", false));
    assert_string_equal(message_str(message_object(data, "user"), "email", ""), "u@bar.example");
    message_destroy(m);
    rig_say(
        r, c,
        "{\"type\":\"subscribe\",\"data\":[{\"subscriptionId\":\"x\",\"channels\":[\"rows\"]}]}");
    publish(r, CHANGE_CREATE, QUEUE);
    assert_contains(s.sent[s.count - 1], "\"subscriptions\":[\"slot-0\",\"x\"]");
    free(text);
    rig_hang_up(r, &s, c);
}

static void subscribe_adds_and_unsubscribe_removes(void **state)
{
    struct rig *r = *state;
    struct rig_socket s;
    struct realtime_client *c = rig_open(r, &s, "project=prj");
    rig_say(
        r, c,
        "{\"type\":\"subscribe\",\"data\":[{\"subscriptionId\":\"a\",\"channels\":[\"documents\"],"
        "\"queries\":[]},{\"subscriptionId\":\"b\",\"channels\":[\"" LIST "\"],"
        "\"queries\":[\"{\\\"method\\\":\\\"select\\\",\\\"values\\\":[\\\"*\\\"]}\"]}]}");
    assert_string_equal(
        s.sent[1],
        "{\"type\":\"response\",\"data\":{\"to\":\"subscribe\",\"success\":true,\"subscriptions\":["
        "{\"subscriptionId\":\"a\",\"channels\":[\"documents\"],\"queries\":[]},"
        "{\"subscriptionId\":\"b\",\"channels\":[\"" LIST "\"],"
        "\"queries\":[\"{\\\"method\\\":\\\"select\\\",\\\"values\\\":[\\\"*\\\"]}\"]}]}}");
    publish(r, CHANGE_UPDATE, QUEUE);
    assert_int_equal(s.count, 3); /* one message, though both match */
    assert_contains(s.sent[2], "\"subscriptions\":[\"a\",\"b\"]");
    rig_say(r, c,
            "{\"type\":\"unsubscribe\",\"data\":[{\"subscriptionId\":\"a\"},{\"subscriptionId\":"
            "\"z\"}]}");
    assert_string_equal(s.sent[3], "{\"type\":\"response\",\"data\":{\"to\":\"unsubscribe\","
                                   "\"success\":true,\"subscriptions\":["
                                   "{\"subscriptionId\":\"a\",\"removed\":true},{"
                                   "\"subscriptionId\":\"z\",\"removed\":false}]}}");
    publish(r, CHANGE_UPDATE, QUEUE);
    assert_contains(s.sent[4], "\"subscriptions\":[\"b\"]");
    rig_hang_up(r, &s, c);
}

static void a_repeated_subscription_keeps_its_channels_and_changes_its_queries(void **state)
{
    struct rig *r = *state;
    struct rig_socket s;
    struct realtime_client *c = rig_open(r, &s, "project=prj");
    rig_say(r, c,
            "{\"type\":\"subscribe\",\"data\":[{\"subscriptionId\":\"a\",\"channels\":["
            "\"documents\",\"" LIST "\"],\"queries\":[\"isNull(\\\"venueId\\\")\"]}]}");
    publish(r, CHANGE_UPDATE, QUEUE);
    assert_int_equal(s.count, 2);
    rig_say(r, c,
            "{\"type\":\"subscribe\",\"data\":[{\"subscriptionId\":\"a\",\"channels\":["
            "\"documents\"]}]}");
    publish(r, CHANGE_UPDATE, QUEUE);
    assert_int_equal(s.count, 4); /* "documents" has no query now */
    publish(r, CHANGE_UPDATE, "{\"$id\":\"q2\",\"venueId\":null}");
    assert_int_equal(s.count, 5);
    rig_hang_up(r, &s, c);
}

static void a_connection_has_a_bounded_number_of_subscriptions_and_channels(void **state)
{
    struct rig *r = *state;
    struct rig_socket s;
    struct realtime_client *c = rig_open(r, &s, "project=prj");
    for (int i = 0; i <= 100; i++) {
        char text[160];
        snprintf(
            text, sizeof(text),
            "{\"type\":\"subscribe\",\"data\":[{\"subscriptionId\":\"s%d\",\"channels\":[\"c\"]}]}",
            i);
        rig_forget(&s);
        rig_say(r, c, text);
        assert_contains(s.sent[0], i < 100 ? "\"success\":true" : "\"code\":1003");
    }
    rig_say(r, c,
            "{\"type\":\"subscribe\",\"data\":[{\"subscriptionId\":\"s0\",\"channels\":[\"d\"]}]}");
    assert_contains(s.sent[1], "\"success\":true"); /* one it has may still be changed */
    rig_hang_up(r, &s, c);

    struct buf url;
    buf_init(&url, 1 << 20);
    assert_int_equal(buf_printf(&url, "project=prj"), 0);
    for (int i = 0; i <= 500; i++)
        assert_int_equal(buf_printf(&url, "&channels[]=c%d", i), 0);
    assert_null(rig_open(r, &s, url.data));
    assert_int_equal(s.close_code, 1008);
    assert_contains(s.sent[0], "at most 500 channels");
    buf_finish(&url);
    rig_forget(&s);

    c = rig_open(r, &s, "project=prj");
    for (int i = 0; i <= 5; i++) {
        struct message *wish = message_create(), *frame = message_create();
        for (int k = 0; k < 100; k++) {
            char channel[16];
            snprintf(channel, sizeof(channel), "c%d", k);
            message_append_str(wish, "channels", channel);
        }
        message_set_str(wish, "subscriptionId", &"012345"[i]);
        message_set_str(frame, "type", "subscribe");
        message_append_object(frame, "data", wish);
        char *text = message_text(frame, false);
        rig_say(r, c, text);
        assert_contains(s.sent[i + 1], i < 5 ? "\"success\":true" : "\"code\":1003");
        free(text);
        message_destroy(frame);
    }
    rig_hang_up(r, &s, c);
}

/* ---- events -------------------------------------------------------------------------------------- */

static void an_event_has_every_name_channel_and_the_document(void **state)
{
    static const char *const names[] = {
        "databases.db.collections.queues.documents.q1",
        "databases.*.collections.queues.documents.q1.update",
        "databases.db.collections.*.documents.q1.update",
        "databases.db.collections.queues.documents.*.update",
        "databases.*.collections.*.documents.*.update",
        "databases.*.collections.*.documents.*",
        "databases.db.collections.queues",
        "databases.*.collections.*",
        "databases.db",
        "databases.*",
        "databases.db.tables.queues.rows.q1.update",
        "databases.*.tables.*.rows.*.update",
        "databases.*.tables.*.rows.*",
        "databases.db.tables.queues",
    };
    static const char *const channels[] = {
        "documents",
        "documents.update",
        LIST,
        LIST ".update",
        LIST ".q1",
        LIST ".q1.update",
        "rows",
        "rows.update",
        "databases.db.tables.queues.rows",
        "databases.db.tables.queues.rows.q1",
        "databases.db.tables.queues.rows.q1.update",
        "tablesdb.db.tables.queues.rows",
        "tablesdb.db.tables.queues.rows.q1",
    };
    struct rig *r = *state;
    struct rig_socket s;
    struct realtime_client *c = rig_open(r, &s, "project=prj&channels[]=" LIST);
    r->now_ms = 1760185416901;
    publish(r, CHANGE_UPDATE, QUEUE);
    struct message *m = rig_last(&s);
    const struct message *data = message_object(m, "data");
    assert_string_equal(message_str(m, "type", ""), "event");
    assert_string_equal(message_str_at(data, "events", 0),
                        "databases.db.collections.queues.documents.q1.update");
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (!has_text(data, "events", names[i]))
            fail_msg("no event %s in %s", names[i], s.sent[1]);
    }
    assert_int_equal(message_count(data, "events"), 42); /* 20 of each family, 2 of the database */
    for (size_t i = 0; i < ARRAY_LEN(channels); i++) {
        if (!has_text(data, "channels", channels[i]))
            fail_msg("no channel %s in %s", channels[i], s.sent[1]);
    }
    assert_int_equal(message_count(data, "channels"), 16);
    assert_string_equal(message_str(data, "timestamp", ""), "2025-10-11T12:23:36.901+00:00");
    char *payload = message_field_text(data, "payload");
    assert_string_equal(payload, QUEUE);
    free(payload);
    message_destroy(m);
    rig_hang_up(r, &s, c);
}

static void each_action_has_its_own_name(void **state)
{
    static const char *const want[] = { [CHANGE_CREATE] = ".q1.create\"",
                                        [CHANGE_UPDATE] = ".q1.update\"",
                                        [CHANGE_UPSERT] = ".q1.upsert\"",
                                        [CHANGE_DELETE] = ".q1.delete\"" };
    struct rig *r = *state;
    struct rig_socket s;
    struct realtime_client *c = rig_open(r, &s, "project=prj&channels[]=documents");
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        publish(r, (enum change_action)i, QUEUE);
        assert_contains(s.sent[i + 1], want[i]);
    }
    rig_hang_up(r, &s, c);
}

static const struct {
    const char *channel;
    bool hears, as_row;
} channel_cases[] = {
    { "documents", true, false },
    { "documents.update", true, false },
    { LIST, true, false },
    { LIST ".q1", true, false },
    { LIST ".q1.update", true, false },
    { "rows", true, true },
    { "rows.update", true, true },
    { "databases.db.tables.queues.rows", true, true },
    { "tablesdb.db.tables.queues.rows.q1.update", true, true },
    { "documents.create", false, false },
    { LIST ".q2", false, false },
    { LIST ".q1.create", false, false },
    { "databases.other.collections.queues.documents", false, false },
    { "databases.db.collections.requests.documents", false, false },
    { "databases.*.collections.*.documents.*", false, false },
    { "queues", false, false },
    { "q1", false, false },
};

static void channels_hear_exactly_their_own_in_their_own_words(void **state)
{
    struct rig *r = *state;
    for (size_t i = 0; i < ARRAY_LEN(channel_cases); i++) {
        struct rig_socket s;
        char url[200];
        snprintf(url, sizeof(url), "project=prj&channels[]=%s", channel_cases[i].channel);
        struct realtime_client *c = rig_open(r, &s, url);
        publish(r, CHANGE_UPDATE, QUEUE);
        if ((s.count == 2) != channel_cases[i].hears)
            fail_msg("%s: %zu", channel_cases[i].channel, s.count);
        if (channel_cases[i].hears)
            assert_contains(s.sent[1], channel_cases[i].as_row ? "\"$tableId\":\"queues\""
                                                               : "\"$collectionId\":\"queues\"");
        rig_hang_up(r, &s, c);
    }
}

static const struct {
    const char *query, *document;
    bool want;
} query_cases[] = {
    { "equal(\"venueId\", [\"bar\"])", "{\"venueId\":\"bar\"}", true },
    { "equal(\"venueId\", [\"a\",\"bar\"])", "{\"venueId\":\"bar\"}", true },
    { "equal(\"venueId\", [\"pub\"])", "{\"venueId\":\"bar\"}", false },
    { "{\"method\":\"equal\",\"attribute\":\"venueId\",\"values\":[\"1\"]}", "{\"venueId\":\"1\"}",
      true },
    { "{\"method\":\"equal\",\"attribute\":\"venueId\",\"values\":[1]}", "{\"venueId\":\"1\"}",
      false },
    { "{\"method\":\"notEqual\",\"attribute\":\"venueId\",\"values\":[\"bar\"]}",
      "{\"venueId\":\"bar\"}", false },
    { "{\"method\":\"isNull\",\"attribute\":\"nowPlaying\"}", "{\"nowPlaying\":null}", true },
    { "{\"method\":\"isNotNull\",\"attribute\":\"nowPlaying\"}", "{\"nowPlaying\":null}", false },
    { "{\"method\":\"or\",\"values\":[{\"method\":\"equal\",\"attribute\":\"venueId\",\"values\":["
      "\"a\"]},"
      "{\"method\":\"equal\",\"attribute\":\"venueId\",\"values\":[\"b\"]}]}",
      "{\"venueId\":\"b\"}", true },
    { "{\"method\":\"equal\",\"attribute\":\"$id\",\"values\":[\"q1\"]}", "{\"$id\":\"q1\"}",
      true },
    { "equal(\"status\", [\"queued\"])", "{\"venueId\":\"bar\"}", false }, /* no queue has that */
    { "isNull(\"status\")", "{\"venueId\":\"bar\"}", false },
};

static void queries_decide_with_strict_types(void **state)
{
    struct rig *r = *state;
    for (size_t i = 0; i < ARRAY_LEN(query_cases); i++) {
        struct rig_socket s;
        struct realtime_client *c = rig_open(r, &s, "project=prj");
        struct message *wish = message_create(), *frame = message_create();
        message_set_str(wish, "subscriptionId", "s");
        message_append_str(wish, "channels", "documents");
        message_append_str(wish, "queries", query_cases[i].query);
        message_set_str(frame, "type", "subscribe");
        message_append_object(frame, "data", wish);
        char *text = message_text(frame, false);
        rig_say(r, c, text);
        assert_contains(s.sent[1], "\"success\":true");
        publish(r, CHANGE_UPDATE, query_cases[i].document);
        if ((s.count == 3) != query_cases[i].want)
            fail_msg("%s on %s: %zu", query_cases[i].query, query_cases[i].document, s.count);
        free(text);
        message_destroy(frame);
        rig_hang_up(r, &s, c);
    }
}

static void only_those_who_may_read_hear_of_it(void **state)
{
    struct rig *r = *state;
    struct rig_socket guest, key;
    struct realtime_client *a = rig_open(r, &guest, "project=prj&channels[]=documents");
    r->caller.kind = CALLER_KEY;
    struct realtime_client *b = rig_open(r, &key, "project=prj&channels[]=documents");
    publish_in(r, "magicLinks"); /* read by keys alone */
    assert_int_equal(guest.count, 1);
    assert_int_equal(key.count, 2);
    publish_in(r, "queues"); /* read by anybody */
    assert_int_equal(guest.count, 2);
    assert_int_equal(key.count, 3);
    rig_hang_up(r, &guest, a);
    rig_hang_up(r, &key, b);
}

static void many_sockets_come_and_go_and_the_rest_hears(void **state)
{
    struct rig *r = *state;
    struct rig_socket s[200];
    struct realtime_client *c[200];
    for (size_t i = 0; i < ARRAY_LEN(s); i++)
        c[i] = rig_open(r, &s[i], "project=prj&channels[]=documents");
    assert_int_equal(realtime_count(r->realtime), 200);
    for (size_t i = 0; i < ARRAY_LEN(s); i += 2)
        rig_hang_up(r, &s[i], c[i]);
    publish(r, CHANGE_UPDATE, QUEUE);
    for (size_t i = 1; i < ARRAY_LEN(s); i += 2) {
        assert_int_equal(s[i].count, 2);
        assert_string_equal(s[i].sent[1], s[1].sent[1]);
    }
    for (size_t i = 1; i < ARRAY_LEN(s); i += 2)
        rig_hang_up(r, &s[i], c[i]);
    assert_int_equal(realtime_count(r->realtime), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_guest_is_connected_at_once_with_user_null),
        TEST(url_channels_and_slots_are_announced_as_subscriptions),
        TEST(a_wrong_project_is_refused_with_a_real_close),
        TEST(the_project_may_come_in_a_header),
        TEST(refused_credentials_and_bad_tokens_close),
        TEST(a_bad_query_in_the_url_is_told_and_the_rest_is_connected),
        TEST(all_queries_of_a_slot_must_hold),
        TEST(ping_is_answered_with_pong),
        TEST(bad_messages_are_told_and_the_socket_stays),
        TEST(authentication_keeps_project_and_subscriptions),
        TEST(subscribe_adds_and_unsubscribe_removes),
        TEST(a_repeated_subscription_keeps_its_channels_and_changes_its_queries),
        TEST(a_connection_has_a_bounded_number_of_subscriptions_and_channels),
        TEST(an_event_has_every_name_channel_and_the_document),
        TEST(each_action_has_its_own_name),
        TEST(channels_hear_exactly_their_own_in_their_own_words),
        TEST(queries_decide_with_strict_types),
        TEST(only_those_who_may_read_hear_of_it),
        TEST(many_sockets_come_and_go_and_the_rest_hears),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
