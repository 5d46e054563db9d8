#include "hub/documents_bench.h"

#include <sys/wait.h>

static const struct caller guest = { .kind = CALLER_GUEST },
                           user = { .kind = CALLER_USER, .user_id = "u1", .label = "staff" },
                           key = { .kind = CALLER_KEY };

/* ---- shape and structure --------------------------------------------------------------------------- */

static void a_document_comes_back_whole_with_defaults_and_nulls(void **state)
{
    struct bench *b = *state;
    struct message *data = json("{\"requestId\":\"r\",\"venueId\":\"v\",\"song\":\"{}\","
                                "\"requesterId\":\"u\",\"timestamp\":\"2025-10-16 06:05\"}");
    struct message *out = NULL;
    assert_true(documents_insert(b->documents, NULL, collection_find("requests"), "id1", data, NULL,
                                 &out, &b->e));
    char *text = message_text(out, false);
    assert_string_equal(
        text,
        "{\"$id\":\"id1\",\"$sequence\":1,\"$databaseId\":\"db\",\"$collectionId\":\"requests\","
        "\"$createdAt\":\"2025-10-11T12:34:56.789+00:00\","
        "\"$updatedAt\":\"2025-10-11T12:34:56.789+00:00\",\"$permissions\":[],"
        "\"requestId\":\"r\",\"venueId\":\"v\",\"song\":\"{}\",\"requesterId\":\"u\","
        "\"paymentId\":null,\"status\":\"queued\",\"timestamp\":\"2025-10-16T06:05:00.000+00:00\","
        "\"completedAt\":null,\"cancelledAt\":null,\"cancelReason\":null}");
    struct message *read = bench_get(b, "requests", "id1");
    assert_true(message_equal(out, read));
    free(text);
    message_destroy(out);
    message_destroy(read);
    message_destroy(data);
}

struct structure_case {
    const char *collection, *data, *why; /* why NULL: taken */
};

#define PLAYER                                                                                     \
    "\"playerId\":\"p\",\"venueId\":\"v\",\"deviceId\":\"d\",\"lastHeartbeat\":1,\"expiresAt\":2," \
    "\"userAgent\":\"a\",\"createdAt\":\"2025-10-16\""
#define STATE(more) "{\"venueId\":\"v\"," more "}"

static void a_new_document_must_have_the_structure_of_its_collection(void **state)
{
    static const struct structure_case cases[] = {
        { "players", "{" PLAYER "}", NULL },
        { "players", "{" PLAYER ",\"status\":\"active\"}", NULL },
        { "players", "{" PLAYER ",\"status\":null}", NULL },
        { "players", "{" PLAYER ",\"$id\":\"x\",\"$createdAt\":\"1999\",\"$tableId\":1}", NULL },
        { "players", "{" PLAYER ",\"status\":\"asleep\"}",
          "Attribute \"status\" has invalid format. Value must be one of (active, idle, offline)" },
        { "players", "{" PLAYER ",\"status\":\"active idle\"}", "invalid format" },
        { "players", "{" PLAYER ",\"status\":\"\"}", "invalid format" },
        { "players", "{" PLAYER ",\"status\":1}", "Attribute \"status\" has invalid type" },
        { "players", "{" PLAYER ",\"volume\":1}", "Unknown attribute: \"volume\"" },
        { "players", "{" PLAYER ",\"$volume\":1}", "Unknown attribute: \"$volume\"" },
        { "players", "{\"playerId\":\"p\"}", "Missing required attribute \"venueId\"" },
        { "players", "{" PLAYER ",\"playerId\":null}", "Missing required attribute \"playerId\"" },
        { "players", "{" PLAYER ",\"playerId\":5}",
          "Attribute \"playerId\" has invalid type. Value must be a valid string and no longer "
          "than "
          "255 chars" },
        { "players", "{" PLAYER ",\"playerId\":\"a\\u0000b\"}", "\"playerId\" has invalid type" },
        { "players", "{" PLAYER ",\"playerId\":[\"a\"]}", "\"playerId\" has invalid type" },
        { "players", "{" PLAYER ",\"lastHeartbeat\":\"1\"}",
          "\"lastHeartbeat\" has invalid type. Value must be a valid integer" },
        { "players", "{" PLAYER ",\"lastHeartbeat\":1.0}", "\"lastHeartbeat\" has invalid type" },
        { "players", "{" PLAYER ",\"lastHeartbeat\":true}", "\"lastHeartbeat\" has invalid type" },
        { "players", "{" PLAYER ",\"lastHeartbeat\":-9223372036854775808}", NULL },
        { "players", "{" PLAYER ",\"createdAt\":\"today\"}",
          "\"createdAt\" has invalid type. Value must be a valid date" },
        { "players", "{" PLAYER ",\"createdAt\":1760186096789}", "\"createdAt\" has invalid type" },
        { "player_state", STATE("\"volume\":0"), NULL },
        { "player_state", STATE("\"volume\":100"), NULL },
        { "player_state", STATE("\"volume\":101"),
          "\"volume\" has invalid format. Value must be a valid range between 0 and 100" },
        { "player_state", STATE("\"volume\":-1"), "\"volume\" has invalid format" },
        { "player_state", STATE("\"isPlaying\":true"), NULL },
        { "player_state", STATE("\"isPlaying\":1"),
          "\"isPlaying\" has invalid type. Value must be a valid boolean" },
        { "player_state", STATE("\"nowPlaying\":{\"a\":1}"), "\"nowPlaying\" has invalid type" },
        { "player_state", STATE("\"nowPlaying\":\"no json\""), NULL }, /* text is text */
        { "magicLinks",
          "{\"email\":\"e\",\"token\":\"t\",\"expiresAt\":1,\"redirectUrl\":\"https://a/b?c\"}",
          NULL },
        { "magicLinks", "{\"email\":\"e\",\"token\":\"t\",\"expiresAt\":1,\"redirectUrl\":\"a/b\"}",
          "\"redirectUrl\" has invalid format. Value must be a valid URL" },
        { "magicLinks",
          "{\"email\":\"e\",\"token\":\"t\",\"expiresAt\":1,\"redirectUrl\":\"http://\"}",
          "a valid URL" },
        { "magicLinks",
          "{\"email\":\"e\",\"token\":\"t\",\"expiresAt\":1,\"redirectUrl\":\"http://a b\"}",
          "a valid URL" },
    };
    struct bench *b = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(database_mark(b->database), 0);
        bool is_good = bench_insert(b, cases[i].collection, "unique()", cases[i].data);
        database_undo(b->database);
        if (is_good != !cases[i].why)
            fail_msg("%s: %s", cases[i].data, is_good ? "taken" : b->e.message);
        if (is_good)
            continue;
        assert_int_equal(b->e.kind, API_STRUCTURE_INVALID);
        if (!strstr(b->e.message, cases[i].why) ||
            strncmp(b->e.message, "Invalid document structure: ", 28) != 0)
            fail_msg("%s: %s", cases[i].data, b->e.message);
    }
    assert_false(bench_insert(b, "players", "x", "{}"));
    assert_int_equal(b->e.kind, API_DATA_MISSING);
}

static void a_size_is_counted_in_characters(void **state)
{
    struct bench *b = *state;
    char name[255 * 4 + 5] = "", data[2000];
    for (int i = 0; i < 255; i++)
        strcat(name, i % 2 ? "\xf0\x9f\x8e\xb5" : "\xc3\xa4");
    static const char form[] = "{\"venueId\":\"v\",\"updatedBy\":\"%s%s\"}";
    snprintf(data, sizeof(data), form, name, "");
    assert_true(bench_insert(b, "player_state", "s", data));
    snprintf(data, sizeof(data), form, name, "x");
    assert_false(bench_update(b, "player_state", "s", data, NULL));
    assert_int_equal(b->e.kind, API_STRUCTURE_INVALID);
    assert_true(bench_update(b, "player_state", "s", "{\"updatedBy\":\"\"}", NULL));
}

static void a_change_is_partial_and_null_takes_away(void **state)
{
    struct bench *b = *state;
    assert_true(bench_insert(b, "queues", "q", QUEUE("v")));
    assert_true(bench_update(b, "queues", "q",
                             "{\"nowPlaying\":\"{}\",\"updatedAt\":\"2025-10-16T01:00:00+01:00\"}",
                             NULL));
    assert_field(b, "queues", "q", "mainQueue", "\"[]\"");
    assert_field(b, "queues", "q", "nowPlaying", "\"{}\"");
    assert_field(b, "queues", "q", "updatedAt", "\"2025-10-16T00:00:00.000+00:00\"");
    assert_true(bench_update(b, "queues", "q", "{\"nowPlaying\":null}", NULL));
    assert_field(b, "queues", "q", "nowPlaying", "null");

    static const struct structure_case cases[] = {
        { "queues", "{\"mainQueue\":null}", "\"mainQueue\" has invalid type" },
        { "queues", "{\"mainQueue\":[]}", "\"mainQueue\" has invalid type" },
        { "queues", "{\"currentTrack\":\"x\"}", "Unknown attribute" },
        { "queues", "{\"nowPlaying\":\"ok\",\"updatedAt\":5}", "\"updatedAt\" has invalid type" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_false(bench_update(b, cases[i].collection, "q", cases[i].data, NULL));
        assert_int_equal(b->e.kind, API_STRUCTURE_INVALID);
        assert_non_null(strstr(b->e.message, cases[i].why));
    }
    assert_field(b, "queues", "q", "nowPlaying", "null"); /* nothing by halves */
    assert_false(bench_update(b, "queues", "q", "{}", NULL));
    assert_int_equal(b->e.kind, API_PAYLOAD_MISSING);
    assert_false(bench_update(b, "queues", "none", "{\"nowPlaying\":null}", NULL));
    assert_int_equal(b->e.kind, API_DOCUMENT_NOT_FOUND);

    assert_true(bench_insert(b, "players", "p", "{" PLAYER ",\"status\":\"active\"}"));
    assert_true(bench_update(b, "players", "p", "{\"status\":null}", NULL));
    assert_field(b, "players", "p", "status",
                 "\"idle\""); /* null is the default where there is one */
}

static void arrays_for_json_attributes_are_encoded_when_that_is_wanted(void **state)
{
    struct bench *b = *state;
    bench_close(b);
    b->encodes_arrays = true;
    bench_open(b);
    assert_true(bench_insert(b, "queues", "q", QUEUE("v")));
    assert_true(bench_update(b, "queues", "q",
                             "{\"mainQueue\":[{\"id\":\"a\"}],\"nowPlaying\":{\"b\":[]}}", NULL));
    assert_field(b, "queues", "q", "mainQueue", "\"[{\\\"id\\\":\\\"a\\\"}]\"");
    assert_field(b, "queues", "q", "nowPlaying", "\"{\\\"b\\\":[]}\"");
    assert_false(bench_update(b, "queues", "q", "{\"venueId\":[\"v\"]}", NULL)); /* no JSON one */
    assert_false(bench_update(b, "queues", "q", "{\"mainQueue\":5}", NULL));
}

/* ---- ids and uniqueness ----------------------------------------------------------------------------- */

static void an_id_is_legal_made_or_refused(void **state)
{
    struct bench *b = *state;
    struct message *data = json("{\"venueId\":\"v\",\"command\":\"skip\"}");
    const struct collection *c = collection_find("player_commands");
    struct message *one = NULL, *two = NULL;
    assert_true(documents_insert(b->documents, NULL, c, "unique()", data, NULL, &one, &b->e));
    assert_true(documents_insert(b->documents, NULL, c, "unique()", data, NULL, &two, &b->e));
    assert_string_not_equal(message_str(one, "$id", ""), message_str(two, "$id", ""));
    assert_int_equal(strlen(message_str(one, "$id", "")), 20);
    static const char *const bad[] = { "",       "-a",   "a b",
                                       "unique", "a\"b", "1234567890123456789012345678901234567",
                                       NULL };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        bool is_good = documents_insert(b->documents, NULL, c, bad[i], data, NULL, NULL, &b->e);
        if (bad[i] && !strcmp(bad[i], "unique")) {
            assert_true(is_good);
            continue;
        }
        assert_false(is_good);
        assert_int_equal(b->e.kind, API_ARGUMENT_INVALID);
        assert_false(
            documents_upsert(b->documents, NULL, c, bad[i] ? bad[i] : "-", data, NULL, &b->e));
        assert_int_equal(b->e.kind, API_ARGUMENT_INVALID);
    }
    message_destroy(data);
    message_destroy(one);
    message_destroy(two);
}

static void an_id_is_taken_once_in_each_collection(void **state)
{
    struct bench *b = *state;
    assert_true(
        bench_insert(b, "player_commands", "x", "{\"venueId\":\"v\",\"command\":\"skip\"}"));
    assert_false(
        bench_insert(b, "player_commands", "x", "{\"venueId\":\"w\",\"command\":\"play\"}"));
    assert_int_equal(b->e.kind, API_DOCUMENT_EXISTS);
    assert_true(bench_insert(b, "queues", "x", QUEUE("v")));
    assert_true(
        bench_insert(b, "player_commands", "X", "{\"venueId\":\"v\",\"command\":\"skip\"}"));
    assert_field(b, "player_commands", "x", "command", "\"skip\"");
    assert_int_equal(database_commit(b->database), 0); /* a refusal does not spoil the turn */
    assert_field(b, "player_commands", "X", "command", "\"skip\"");
}

/* A document with every required attribute, all texts `text`. The caller destroys it. */
static struct message *filled(const struct collection *c, const char *text)
{
    struct message *m = message_create();
    for (size_t i = 0; i < c->attribute_count; i++) {
        const struct attribute *a = &c->attribute[i];
        if (!a->is_required)
            continue;
        switch (a->type) {
        case ATTR_STRING: message_set_str(m, a->name, text); break;
        case ATTR_DATETIME: message_set_str(m, a->name, "2025-10-16"); break;
        case ATTR_URL: message_set_str(m, a->name, "http://a/"); break;
        default: message_set_i64(m, a->name, 1); break;
        }
    }
    return m;
}

static void what_the_schema_calls_unique_is_unique_on_disk_and_nothing_else(void **state)
{
    struct bench *b = *state;
    for (size_t i = 0; i < collection_count(); i++) {
        const struct collection *c = collection_at(i);
        bool has_unique = false;
        for (size_t k = 0; k < c->attribute_count; k++)
            has_unique = has_unique || c->attribute[k].is_unique;
        struct message *one = filled(c, "one"), *other = filled(c, "other");
        assert_true(documents_insert(b->documents, NULL, c, "a", one, NULL, NULL, &b->e));
        bool again = documents_insert(b->documents, NULL, c, "b", one, NULL, NULL, &b->e);
        if (again == has_unique)
            fail_msg("%s", c->id);
        if (has_unique) {
            assert_int_equal(b->e.kind, API_DOCUMENT_EXISTS);
            assert_true(documents_insert(b->documents, NULL, c, "b", other, NULL, NULL, &b->e));
            assert_false(documents_update(b->documents, NULL, c, "b", one, NULL, NULL, &b->e));
            assert_int_equal(b->e.kind, API_DOCUMENT_EXISTS);
            assert_true(documents_delete(b->documents, NULL, c, "a", NULL, &b->e));
            assert_true(documents_update(b->documents, NULL, c, "b", one, NULL, NULL, &b->e));
        }
        message_destroy(one);
        message_destroy(other);
    }
}

/* ---- rights ------------------------------------------------------------------------------------------ */

static enum api_error_kind kind_of(bool is_good, const struct api_error *e)
{
    return is_good ? API_OK : e->kind;
}

static void each_collection_is_open_to_those_it_names(void **state)
{
    static const struct {
        const char *collection;
        bool is_open;
    } cases[] = {
        { "users", false },          { "players", false },        { "magicLinks", false },
        { "venues", true },          { "queues", true },          { "playlists", true },
        { "requests", true },        { "player_commands", true }, { "player_state", true },
        { "player_settings", true },
    };
    const struct caller *callers[] = { &guest, &user, &key, NULL };
    struct bench *b = *state;
    struct query q;
    query_init(&q);
    for (size_t i = 0; i < ARRAY_LEN(cases) * ARRAY_LEN(callers); i++) {
        const struct collection *c = collection_find(cases[i / 4].collection);
        const struct caller *who = callers[i % 4];
        bool is_mighty = !who || who->kind == CALLER_KEY;
        bool reads = cases[i / 4].is_open || is_mighty;
        bool writes = is_mighty || (cases[i / 4].is_open && who->kind == CALLER_USER);
        enum api_error_kind write_kind = writes ? API_OK : API_UNAUTHORIZED;
        struct message *data = filled(c, "text");
        struct documents *d = b->documents;
        struct api_error e;
        assert_true(documents_upsert(d, NULL, c, "x", data, NULL, &e));
        enum api_error_kind got[] = {
            kind_of(documents_get(d, who, c, "x", NULL, &e), &e),
            kind_of(documents_list(d, who, c, &q, NULL, &e), &e),
            kind_of(documents_update(d, who, c, "x", data, NULL, NULL, &e), &e),
            kind_of(documents_upsert(d, who, c, "x", data, NULL, &e), &e),
            kind_of(documents_increment(d, who, c, "x", "none", 1, NULL, NULL, &e), &e),
            kind_of(documents_delete(d, who, c, "x", NULL, &e), &e),
            kind_of(documents_insert(d, who, c, "unique()", data, NULL, NULL, &e), &e),
        };
        const enum api_error_kind want[] = {
            reads ? API_OK : API_DOCUMENT_NOT_FOUND,
            reads ? API_OK : API_UNAUTHORIZED,
            write_kind,
            write_kind,
            writes ? API_ATTRIBUTE_NOT_FOUND : API_UNAUTHORIZED,
            write_kind,
            write_kind,
        };
        for (size_t k = 0; k < ARRAY_LEN(want); k++)
            if (got[k] != want[k])
                fail_msg("%s, caller %zu, operation %zu: %d", c->id, i % 4, k, got[k]);
        assert_int_equal(database_commit(b->database), 0);
        struct message *left = NULL; /* for the next caller */
        assert_true(documents_list(d, NULL, c, &q, &left, &e));
        for (size_t k = 0; k < message_count(left, "documents"); k++)
            assert_true(documents_delete(
                d, NULL, c, message_str(message_object_at(left, "documents", k), "$id", ""), NULL,
                &e));
        message_destroy(left);
        message_destroy(data);
    }
    query_finish(&q);
}

static void permissions_are_kept_but_only_own_roles_may_be_granted(void **state)
{
    static const struct {
        const struct caller *caller;
        const char *body, *want;
        enum api_error_kind kind;
    } cases[] = {
        { &user, "{}",
          "[\"read(\\\"user:u1\\\")\",\"update(\\\"user:u1\\\")\",\"delete(\\\"user:u1\\\")\"]",
          0 },
        { &user, "{\"permissions\":null}",
          "[\"read(\\\"user:u1\\\")\",\"update(\\\"user:u1\\\")\",\"delete(\\\"user:u1\\\")\"]",
          0 },
        { &user, "{\"permissions\":[]}", "[]", 0 },
        { &user, "{\"permissions\":[\"read(\\\"any\\\")\",\"read(\\\"any\\\")\"]}",
          "[\"read(\\\"any\\\")\"]", 0 },
        { &user, "{\"permissions\":[\"write(\\\"users\\\")\"]}",
          "[\"update(\\\"users\\\")\",\"delete(\\\"users\\\")\"]", 0 },
        { &user, "{\"permissions\":[\"read(\\\"user:u2\\\")\"]}", NULL, API_UNAUTHORIZED },
        { &user, "{\"permissions\":[\"read(\\\"label:owner\\\")\"]}", NULL, API_UNAUTHORIZED },
        { &user, "{\"permissions\":[\"create(\\\"any\\\")\"]}", NULL, API_ARGUMENT_INVALID },
        { &user, "{\"permissions\":[\"read(any)\"]}", NULL, API_ARGUMENT_INVALID },
        { &user, "{\"permissions\":[5]}", NULL, API_ARGUMENT_INVALID },
        { &user, "{\"permissions\":\"read(\\\"any\\\")\"}", NULL, API_ARGUMENT_INVALID },
        { &key, "{}", "[]", 0 },
        { &key, "{\"permissions\":[\"read(\\\"user:u2\\\")\"]}", "[\"read(\\\"user:u2\\\")\"]", 0 },
    };
    struct bench *b = *state;
    const struct collection *c = collection_find("player_commands");
    struct message *data = json("{\"venueId\":\"v\",\"command\":\"skip\"}");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct message *body = json(cases[i].body), *out = NULL;
        bool is_good =
            documents_insert(b->documents, cases[i].caller, c, "unique()", data, body, &out, &b->e);
        if (is_good != !cases[i].kind || (!is_good && b->e.kind != cases[i].kind))
            fail_msg("%s: %s", cases[i].body, is_good ? "taken" : b->e.message);
        char *text = is_good ? message_field_text(out, "$permissions") : NULL;
        if (is_good)
            assert_string_equal(text, cases[i].want);
        free(text);
        message_destroy(out);
        message_destroy(body);
    }
    assert_true(
        bench_insert(b, "player_commands", "p", "{\"venueId\":\"v\",\"command\":\"skip\"}"));
    int64_t before = bench_time(b, "player_commands", "p", "$updatedAt");
    assert_true(bench_update(b, "player_commands", "p",
                             "{\"$permissions\":[\"read(\\\"any\\\")\"]}", NULL));
    assert_field(b, "player_commands", "p", "$permissions", "[\"read(\\\"any\\\")\"]");
    assert_true(bench_time(b, "player_commands", "p", "$updatedAt") > before);
    message_destroy(data);
}

/* ---- time -------------------------------------------------------------------------------------------- */

#define YEARS(n) ((n) * (int64_t)31557600000)

static void times_never_go_back_whatever_the_clock_does(void **state)
{
    static const int64_t steps[] = {
        0, 1,         -1,          YEARS(10),    0, -YEARS(10), YEARS(-50), 5, YEARS(55),
        0, YEARS(60), YEARS(9000), -YEARS(9065), 0, 1000,       YEARS(-1)
    };
    struct bench *b = *state;
    assert_true(bench_insert(b, "queues", "q", QUEUE("v")));
    int64_t latest = bench_time(b, "queues", "q", "$updatedAt"), own = latest;
    const int64_t created = latest;
    assert_int_equal(latest, START_MS);
    for (int i = 0; i < (int)ARRAY_LEN(steps) * 3; i++) {
        char data[64], id[16];
        b->wall_ms += i % 3 ? 0 : steps[i / 3];
        snprintf(data, sizeof(data), "{\"nowPlaying\":\"%d\"}", i);
        assert_true(bench_update(b, "queues", "q", data, NULL));
        int64_t now = bench_time(b, "queues", "q", "$updatedAt");
        if (now <= own || now < latest)
            fail_msg("step %d: %lld after %lld", i, (long long)now, (long long)latest);
        if (b->wall_ms > latest && b->wall_ms < START_MS + YEARS(60))
            assert_int_equal(now, b->wall_ms); /* a clock that is right is believed */
        own = now;

        latest = now;
        for (int k = 0; k < 3; k++) { /* a new one is later than all */
            snprintf(id, sizeof(id), "c%d-%d", i, k);
            assert_true(
                bench_insert(b, "player_commands", id, "{\"venueId\":\"v\",\"command\":\"x\"}"));
            now = bench_time(b, "player_commands", id, "$createdAt");
            assert_true(now > latest);
            assert_int_equal(now, bench_time(b, "player_commands", id, "$updatedAt"));
            latest = now;
        }
        if (i % 5 == 0) { /* the hub starts anew */
            assert_int_equal(database_commit(b->database), 0);
            bench_close(b);
            bench_open(b);
        }
    }
    assert_int_equal(bench_time(b, "queues", "q", "$createdAt"), created);
    assert_true(latest < START_MS + YEARS(80)); /* the clock of the year 11000 was not believed */
}

static void a_document_made_again_is_later_than_the_one_that_is_gone(void **state)
{
    struct bench *b = *state;
    assert_true(bench_insert(b, "queues", "q", QUEUE("v")));
    assert_true(bench_update(b, "queues", "q", "{\"nowPlaying\":\"1\"}", NULL));
    char *old = bench_field(b, "queues", "q", "$updatedAt");
    old[strlen(old) - 1] = '\0';
    assert_true(documents_delete(b->documents, NULL, collection_find("queues"), "q", NULL, &b->e));
    assert_int_equal(database_commit(b->database), 0);
    bench_close(b);
    bench_open(b);
    b->wall_ms = 0;
    assert_true(bench_insert(b, "queues", "q", QUEUE("v")));
    assert_false(bench_update(b, "queues", "q", "{\"nowPlaying\":\"2\"}", old + 1));
    assert_int_equal(b->e.kind, API_UPDATE_CONFLICT);
    free(old);
}

/* ---- the guard ---------------------------------------------------------------------------------------- */

static void a_guard_lets_pass_who_has_seen_the_last_version(void **state)
{
    static const struct {
        const char *guard;
        enum api_error_kind want;
    } cases[] = {
        { NULL, API_OK },
        { "2025-10-11T12:34:56.789+00:00", API_OK },
        { "2025-10-11T12:34:56.789Z", API_OK },
        { "2025-10-11T14:34:56.789+02:00", API_OK },
        { "2025-10-11T12:34:56.790+00:00", API_OK },
        { "2035-01-01", API_OK },
        { "2025-10-11T12:34:56.788+00:00", API_UPDATE_CONFLICT },
        { "2025-10-11T12:34:56Z", API_UPDATE_CONFLICT },
        { "1970-01-01", API_UPDATE_CONFLICT },
        { "", API_ARGUMENT_INVALID },
        { "null", API_ARGUMENT_INVALID },
        { "1760186096789", API_ARGUMENT_INVALID },
    };
    struct bench *b = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (int deletes = 0; deletes < 2; deletes++) {
            const struct collection *c = collection_find("queues");
            assert_int_equal(database_mark(b->database), 0);
            assert_true(bench_insert(b, "queues", "q", QUEUE("v")));
            free(bench_take_changes(b));
            bool is_good =
                deletes ? documents_delete(b->documents, NULL, c, "q", cases[i].guard, &b->e)
                        : bench_update(b, "queues", "q", "{\"nowPlaying\":\"x\"}", cases[i].guard);
            if (kind_of(is_good, &b->e) != cases[i].want)
                fail_msg("%s: %s", cases[i].guard, is_good ? "passed" : b->e.message);
            char *changes = bench_take_changes(b);
            if (!is_good) {
                assert_field(b, "queues", "q", "nowPlaying", "null");
                assert_string_equal(changes, "");
            }
            free(changes);
            database_undo(b->database);
        }
    }
}

static void a_change_of_nothing_is_reported_and_keeps_its_time(void **state)
{
    struct bench *b = *state;
    assert_true(bench_insert(b, "queues", "q", QUEUE("v")));
    int64_t time = bench_time(b, "queues", "q", "$updatedAt");
    b->wall_ms += 1000;
    static const char *const same[] = {
        "{\"mainQueue\":\"[]\"}",
        "{\"nowPlaying\":null,\"createdAt\":\"2025-10-16T06:05:33.000Z\"}",
        "{\"$id\":\"other\",\"$updatedAt\":\"2030-01-01\",\"venueId\":\"v\"}",
        "{\"$permissions\":[]}",
    };
    for (size_t i = 0; i < ARRAY_LEN(same); i++) {
        free(bench_take_changes(b));
        assert_true(bench_update(b, "queues", "q", same[i], NULL));
        assert_int_equal(bench_time(b, "queues", "q", "$updatedAt"), time);
        char *changes = bench_take_changes(b);
        assert_string_equal(changes, "update q; ");
        free(changes);
    }
    assert_false(bench_update(b, "queues", "q", same[0], "2020-01-01"));
    assert_int_equal(b->e.kind, API_UPDATE_CONFLICT);
    assert_true(bench_update(b, "queues", "q", "{\"mainQueue\":\"[1]\"}", NULL));
    assert_int_equal(bench_time(b, "queues", "q", "$updatedAt"), START_MS + 1000);
}

/* ---- upsert, increment, delete ------------------------------------------------------------------------- */

static void an_upsert_makes_or_changes_and_says_so(void **state)
{
    struct bench *b = *state;
    const struct collection *c = collection_find("queues");
    struct message *data = json(QUEUE("v")), *out = NULL;
    assert_true(documents_upsert(b->documents, &user, c, "q", data, &out, &b->e));
    assert_string_equal(message_str(out, "$id", ""), "q");
    message_destroy(out);
    assert_true(bench_update(b, "queues", "q", "{\"nowPlaying\":\"x\"}", NULL));
    message_set_str(data, "mainQueue", "[1]");
    assert_true(documents_upsert(b->documents, &user, c, "q", data, &out, &b->e));
    assert_string_equal(message_str(out, "nowPlaying", ""), "x"); /* optional: kept */
    assert_string_equal(message_str(out, "mainQueue", ""), "[1]");
    assert_int_equal(message_i64(out, "$sequence", 0), 1);
    message_destroy(out);
    int64_t time = bench_time(b, "queues", "q", "$updatedAt");
    assert_true(documents_upsert(b->documents, &user, c, "q", data, NULL, &b->e));
    assert_int_equal(bench_time(b, "queues", "q", "$updatedAt"), time);
    char *changes = bench_take_changes(b);
    assert_string_equal(changes, "upsert q; update q; upsert q; upsert q; ");
    free(changes);
    message_remove(data, "priorityQueue");
    assert_false(documents_upsert(b->documents, &user, c, "q", data, NULL, &b->e));
    assert_int_equal(b->e.kind,
                     API_STRUCTURE_INVALID); /* required, also when it is there already */
    message_destroy(data);
}

static void counting_stays_within_its_bounds(void **state)
{
    static const double ten = 10, minus_five = -5, zero = 0;
    static const struct {
        const char *attribute, *start;
        double by;
        const double *bound;
        const char *want; /* NULL: refused with `kind` */
        enum api_error_kind kind;
    } cases[] = {
        { "lastUpdated", "5", 1, NULL, "6", 0 },
        { "lastUpdated", "5", -7, NULL, "-2", 0 },
        { "lastUpdated", "null", 3, NULL, "3", 0 },
        { "lastUpdated", "9", 1, &ten, "10", 0 },
        { "lastUpdated", "10", 1, &ten, NULL, API_LIMIT_EXCEEDED },
        { "lastUpdated", "20", -1, &ten, "19", 0 },
        { "lastUpdated", "-4", -1, &minus_five, "-5", 0 },
        { "lastUpdated", "-5", -1, &minus_five, NULL, API_LIMIT_EXCEEDED },
        { "lastUpdated", "5", 1.5, NULL, NULL, API_ARGUMENT_INVALID },
        { "lastUpdated", "5", 0, NULL, NULL, API_ARGUMENT_INVALID },
        { "lastUpdated", "5", 1e300, NULL, NULL, API_ARGUMENT_INVALID },
        { "lastUpdated", "5", -1, &zero, "4", 0 },
        { "lastUpdated", "9223372036854775807", 1, NULL, NULL, API_LIMIT_EXCEEDED },
        { "volume", "99", 1, NULL, "100", 0 },
        { "volume", "99", 2, NULL, NULL, API_LIMIT_EXCEEDED },
        { "volume", "1", -2, NULL, NULL, API_LIMIT_EXCEEDED },
        { "isPlaying", "true", 1, NULL, NULL, API_ATTRIBUTE_TYPE },
        { "updatedBy", "\"5\"", 1, NULL, NULL, API_ATTRIBUTE_TYPE },
        { "nowhere", NULL, 1, NULL, NULL, API_ATTRIBUTE_NOT_FOUND },
        { "$sequence", NULL, 1, NULL, NULL, API_ATTRIBUTE_NOT_FOUND },
    };
    struct bench *b = *state;
    const struct collection *c = collection_find("player_state");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char data[128];
        assert_int_equal(database_mark(b->database), 0);
        snprintf(data, sizeof(data), "{\"venueId\":\"v\"%s%s%s%s}", cases[i].start ? ",\"" : "",
                 cases[i].start ? cases[i].attribute : "", cases[i].start ? "\":" : "",
                 cases[i].start ? cases[i].start : "");
        assert_true(bench_insert(b, "player_state", "s", data));
        int64_t before = bench_time(b, "player_state", "s", "$updatedAt");
        struct message *out = NULL;
        bool is_good = documents_increment(b->documents, &user, c, "s", cases[i].attribute,
                                           cases[i].by, cases[i].bound, &out, &b->e);
        if (is_good != (cases[i].want != NULL) || (!is_good && b->e.kind != cases[i].kind))
            fail_msg("%s %s by %g: %s", cases[i].attribute, cases[i].start, cases[i].by,
                     is_good ? "taken" : b->e.message);
        if (is_good) {
            int64_t after = 0;
            assert_true(datetime_parse(message_str(out, "$updatedAt", ""), &after));
            assert_true(after > before); /* the new one: it may be the next guard */
            assert_field(b, "player_state", "s", cases[i].attribute, cases[i].want);
        }
        message_destroy(out);
        database_undo(b->database);
    }
    assert_false(
        documents_increment(b->documents, NULL, c, "gone", "volume", 1, NULL, NULL, &b->e));
    assert_int_equal(b->e.kind, API_DOCUMENT_NOT_FOUND);
}

static void what_is_deleted_is_gone_and_was_reported_last(void **state)
{
    struct bench *b = *state;
    const struct collection *c = collection_find("queues");
    assert_true(bench_insert(b, "queues", "q", QUEUE("v")));
    assert_true(documents_delete(b->documents, &user, c, "q", NULL, &b->e));
    assert_false(documents_delete(b->documents, &user, c, "q", NULL, &b->e));
    assert_int_equal(b->e.kind, API_DOCUMENT_NOT_FOUND);
    assert_false(documents_get(b->documents, &user, c, "q", NULL, &b->e));
    assert_int_equal(b->e.kind, API_DOCUMENT_NOT_FOUND);
    char *changes = bench_take_changes(b);
    assert_string_equal(changes, "create q; delete q; ");
    free(changes);
    assert_true(bench_insert(b, "queues", "q", QUEUE("v")));
    assert_field(b, "queues", "q", "$sequence", "2"); /* never given twice */
}

/* ---- the venue ------------------------------------------------------------------------------------------ */

static void a_venue_is_made_once_with_all_it_needs(void **state)
{
    struct bench *b = *state;
    assert_true(documents_ensure_venue(b->documents, "venue-001", "owner", &b->e));
    assert_field(b, "venues", "venue-001", "slug", "\"venue-001\"");
    assert_field(b, "venues", "venue-001", "ownerId", "\"owner\"");
    assert_field(b, "queues", "venue-001", "mainQueue", "\"[]\"");
    assert_field(b, "queues", "venue-001", "nowPlaying", "null");
    assert_field(b, "playlists", "default_playlist", "playlistId", "\"default_playlist\"");
    free(bench_take_changes(b));
    assert_true(documents_ensure_venue(b->documents, "venue-001", NULL, &b->e));
    char *changes = bench_take_changes(b);
    assert_string_equal(changes, "");
    free(changes);

    assert_true(bench_insert(b, "queues", "68e5a41f00222cab705b", QUEUE("Bar")));
    free(bench_take_changes(b));
    assert_true(documents_ensure_venue(b->documents, "Bar", NULL, &b->e));
    changes = bench_take_changes(b);
    assert_string_equal(changes, "create Bar; "); /* the venue; its queue has another id */
    free(changes);

    assert_true(documents_ensure_venue(b->documents, "Zum L\xc3\xb6wen \"1\"", NULL, &b->e));
    changes = bench_take_changes(b);
    assert_int_equal(strlen(changes), 2 * strlen("create 0123456789abcdef0123; "));
    free(changes);
    assert_true(documents_ensure_venue(b->documents, "Zum L\xc3\xb6wen \"1\"", NULL, &b->e));
    changes = bench_take_changes(b);
    assert_string_equal(changes, "");
    free(changes);
}

/* ---- faults and races ------------------------------------------------------------------------------------ */

static void a_request_undone_leaves_nothing(void **state)
{
    struct bench *b = *state;
    assert_true(bench_insert(b, "queues", "q", QUEUE("v")));
    assert_int_equal(database_mark(b->database), 0);
    assert_true(bench_update(b, "queues", "q", "{\"nowPlaying\":\"x\"}", NULL));
    assert_true(bench_insert(b, "queues", "q2", QUEUE("v2")));
    database_undo(b->database);
    assert_field(b, "queues", "q", "nowPlaying", "null");
    assert_true(bench_insert(b, "queues", "q2", QUEUE("v2")));
    assert_int_equal(database_commit(b->database), 0);
}

static void a_disk_that_takes_nothing_is_said_to_be_so(void **state)
{
    struct bench *b = *state;
    assert_true(bench_insert(b, "queues", "q", QUEUE("v")));
    assert_int_equal(database_commit(b->database), 0);
    sqlite3_stmt *s = database_statement(b->database, "PRAGMA query_only = 1");
    assert_int_equal(database_step(b->database, s), 0);
    free(bench_take_changes(b));
    const struct collection *c = collection_find("queues");
    assert_false(bench_update(b, "queues", "q", "{\"nowPlaying\":\"x\"}", NULL));
    assert_int_equal(b->e.kind, API_STORAGE);
    assert_false(bench_insert(b, "queues", "q2", QUEUE("v2")));
    assert_int_equal(b->e.kind, API_STORAGE);
    assert_false(documents_delete(b->documents, NULL, c, "q", NULL, &b->e));
    assert_int_equal(b->e.kind, API_STORAGE);
    char *changes = bench_take_changes(b);
    assert_string_equal(changes, "");
    free(changes);
    assert_field(b, "queues", "q", "nowPlaying", "null");
}

#define RACERS 6
#define ROUNDS 8

/* Guarded read-modify-writes until all are in, as phones do; and one create of a fixed id. 1: that create won. */
static int race(struct bench *b)
{
    int won = 0;
    bench_open(b);
    if (bench_insert(b, "queues", "prize", QUEUE("prize")))
        won = 1;
    else if (b->e.kind != API_DOCUMENT_EXISTS)
        return 2;
    if (database_commit(b->database) < 0)
        return 2;
    for (int done = 0; done < ROUNDS;) {
        char data[64];
        struct message *m = bench_get(b, "player_state", "s");
        snprintf(data, sizeof(data), "{\"volume\":%d}", (int)message_i64(m, "volume", 0) + 1);
        if (bench_update(b, "player_state", "s", data, message_str(m, "$updatedAt", "")))
            done++;
        else if (b->e.kind != API_UPDATE_CONFLICT)
            return 2;
        message_destroy(m);
        if (database_commit(b->database) < 0)
            return 2;
    }
    bench_close(b);
    return won;
}

static void many_processes_at_once_lose_nothing_and_share_no_id(void **state)
{
    struct bench *b = *state;
    assert_true(bench_insert(b, "player_state", "s", "{\"venueId\":\"v\",\"volume\":0}"));
    assert_int_equal(database_commit(b->database), 0);
    bench_close(b);
    pid_t child[RACERS];
    for (int i = 0; i < RACERS; i++) {
        child[i] = fork();
        if (child[i] == 0)
            _exit(race(b));
    }
    int winners = 0;
    for (int i = 0; i < RACERS; i++) {
        int status = 0;
        assert_int_equal(waitpid(child[i], &status, 0), child[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
        winners += WEXITSTATUS(status);
    }
    bench_open(b);
    assert_int_equal(winners, 1);
    assert_field(b, "player_state", "s", "volume", "48");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(a_document_comes_back_whole_with_defaults_and_nulls),
        BENCH_TEST(a_new_document_must_have_the_structure_of_its_collection),
        BENCH_TEST(a_size_is_counted_in_characters),
        BENCH_TEST(a_change_is_partial_and_null_takes_away),
        BENCH_TEST(arrays_for_json_attributes_are_encoded_when_that_is_wanted),
        BENCH_TEST(an_id_is_legal_made_or_refused),
        BENCH_TEST(an_id_is_taken_once_in_each_collection),
        BENCH_TEST(what_the_schema_calls_unique_is_unique_on_disk_and_nothing_else),
        BENCH_TEST(each_collection_is_open_to_those_it_names),
        BENCH_TEST(permissions_are_kept_but_only_own_roles_may_be_granted),
        BENCH_TEST(times_never_go_back_whatever_the_clock_does),
        BENCH_TEST(a_document_made_again_is_later_than_the_one_that_is_gone),
        BENCH_TEST(a_guard_lets_pass_who_has_seen_the_last_version),
        BENCH_TEST(a_change_of_nothing_is_reported_and_keeps_its_time),
        BENCH_TEST(an_upsert_makes_or_changes_and_says_so),
        BENCH_TEST(counting_stays_within_its_bounds),
        BENCH_TEST(what_is_deleted_is_gone_and_was_reported_last),
        BENCH_TEST(a_venue_is_made_once_with_all_it_needs),
        BENCH_TEST(a_request_undone_leaves_nothing),
        BENCH_TEST(a_disk_that_takes_nothing_is_said_to_be_so),
        BENCH_TEST(many_processes_at_once_lose_nothing_and_share_no_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
