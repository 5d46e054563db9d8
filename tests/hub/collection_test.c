#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "hub/api_error.h"
#include "hub/caller.h"
#include "hub/collection.h"
#include "hub/id.h"

static void the_collections_of_a_venue_have_the_attributes_of_the_cloud(void **state)
{
    /* name, type, size, flags: R required, J JSON, U unique */
    static const struct {
        const char *collection, *name;
        enum attribute_type type;
        size_t size;
        const char *flags;
    } cases[] = {
        { "users", "email", ATTR_STRING, 255, "RU" },
        { "users", "role", ATTR_ENUM, 0, "" },
        { "users", "avatar_url", ATTR_URL, 0, "" },
        { "venues", "slug", ATTR_STRING, 255, "RU" },
        { "venues", "users", ATTR_STRING, 1000000, "J" },
        { "venues", "defaultPlaylistId", ATTR_STRING, 255, "" },
        { "queues", "venueId", ATTR_STRING, 255, "RU" },
        { "queues", "nowPlaying", ATTR_STRING, 10000, "J" },
        { "queues", "mainQueue", ATTR_STRING, 100000, "RJ" },
        { "queues", "priorityQueue", ATTR_STRING, 100000, "RJ" },
        { "queues", "createdAt", ATTR_DATETIME, 0, "R" },
        { "queues", "updatedAt", ATTR_DATETIME, 0, "" },
        { "players", "lastHeartbeat", ATTR_INTEGER, 0, "R" },
        { "players", "userAgent", ATTR_STRING, 500, "R" },
        { "requests", "song", ATTR_STRING, 10000, "RJ" },
        { "requests", "status", ATTR_ENUM, 0, "" },
        { "requests", "cancelReason", ATTR_STRING, 500, "" },
        { "playlists", "tracks", ATTR_STRING, 100000, "RJ" },
        { "playlists", "venueId", ATTR_STRING, 255, "" },
        { "magicLinks", "redirectUrl", ATTR_URL, 0, "R" },
        { "magicLinks", "used", ATTR_BOOLEAN, 0, "" },
        { "player_commands", "payload", ATTR_STRING, 10000, "J" },
        { "player_commands", "executedAt", ATTR_INTEGER, 0, "" },
        { "player_state", "venueId", ATTR_STRING, 255, "RU" },
        { "player_state", "volume", ATTR_INTEGER, 0, "" },
        { "player_settings", "settings", ATTR_STRING, 100000, "J" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct collection *c = collection_find(cases[i].collection);
        assert_non_null(c);
        const struct attribute *a = collection_attribute(c, cases[i].name);
        if (!a)
            fail_msg("%s.%s is missing", cases[i].collection, cases[i].name);
        char flags[8];
        snprintf(flags, sizeof(flags), "%s%s%s", a->is_required ? "R" : "", a->is_json ? "J" : "",
                 a->is_unique ? "U" : "");
        if (a->type != cases[i].type || a->size != cases[i].size ||
            strcmp(flags, cases[i].flags) != 0)
            fail_msg("%s.%s: type %d, size %zu, %s", c->id, a->name, a->type, a->size, flags);
    }
    assert_int_equal(collection_count(), 10);
    assert_null(collection_find("states"));
    assert_null(collection_attribute(collection_find("queues"), "currentTrack"));
}

static void names_in_the_schema_can_stand_in_sql_as_they_are(void **state)
{
    for (size_t i = 0; i < collection_count(); i++) {
        const struct collection *c = collection_at(i);
        assert_ptr_equal(collection_find(c->id), c);
        assert_true(id_is_legal(c->id));
        for (size_t k = 0; k < c->attribute_count; k++) {
            const struct attribute *a = &c->attribute[k];
            assert_ptr_equal(collection_attribute(c, a->name), a);
            assert_int_equal(
                strspn(a->name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"),
                strlen(a->name));
            assert_true((a->type == ATTR_STRING) == (a->size > 0));
            assert_true((a->type == ATTR_ENUM) == (a->choices != NULL));
        }
    }
}

static void a_role_is_held_by_those_it_names(void **state)
{
    static const struct caller guest = { .kind = CALLER_GUEST },
                               user = { .kind = CALLER_USER, .user_id = "u1", .label = "staff" },
                               plain = { .kind = CALLER_USER, .user_id = "u" },
                               key = { .kind = CALLER_KEY };
    static const struct {
        const char *roles;
        bool guest, user, plain;
    } cases[] = {
        { "any", true, true, true },
        { "guests", true, false, false },
        { "users", false, true, true },
        { "user:u1", false, true, false },
        { "user:u", false, false, true },
        { "user:", false, false, false },
        { "label:staff", false, true, false },
        { "label:sta", false, false, false },
        { "label:", false, false, false },
        { "user:x label:staff", false, true, false },
        { "  guests   user:u ", true, false, true },
        { "anyone", false, false, false },
        { "team:any", false, false, false },
        { "", false, false, false },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *roles = cases[i].roles;
        if (caller_has_any(&guest, roles) != cases[i].guest ||
            caller_has_any(&user, roles) != cases[i].user ||
            caller_has_any(&plain, roles) != cases[i].plain || !caller_has_any(&key, roles))
            fail_msg("\"%s\"", roles);
    }
    assert_true(caller_has_role(&user, "user:u1"));
    assert_false(caller_has_role(&user, "user:u1 any"));
    assert_true(caller_has_role(&key, "label:owner"));
}

static void ids_are_legal_or_not(void **state)
{
    static const struct {
        const char *id;
        bool want;
    } cases[] = {
        { "a", true },
        { "venue-001", true },
        { "A.b_c-9", true },
        { "0", true },
        { "123456789012345678901234567890123456", true },
        { "1234567890123456789012345678901234567", false },
        { "", false },
        { ".a", false },
        { "-a", false },
        { "_a", false },
        { "a b", false },
        { "a/b", false },
        { "unique()", false },
        { "\xc3\xa4", false },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (id_is_legal(cases[i].id) != cases[i].want)
            fail_msg("%s", cases[i].id);
    char one[HUB_ID_MAX + 1], two[HUB_ID_MAX + 1];
    id_make(one);
    id_make(two);
    assert_true(id_is_legal(one));
    assert_int_equal(strlen(one), 20);
    assert_string_not_equal(one, two);
}

static void every_refusal_has_a_status_and_a_type(void **state)
{
    for (int kind = API_OK + 1; kind < API_ERROR_KINDS; kind++) {
        int status = api_error_status(kind);
        if (status < 400 || status > 503 || !*api_error_type(kind))
            fail_msg("kind %d: %d %s", kind, status, api_error_type(kind));
    }
    assert_int_equal(api_error_status(API_UPDATE_CONFLICT), 409);
    assert_string_equal(api_error_type(API_UPDATE_CONFLICT), "document_update_conflict");
    struct api_error e;
    char longest[1000];
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_false(api_fail(&e, API_QUERY_INVALID, "%s\n%s", "a\xff", longest));
    assert_int_equal(e.kind, API_QUERY_INVALID);
    assert_memory_equal(e.message, "a\xef\xbf\xbd x", 6);
    assert_int_equal(strlen(e.message), sizeof(e.message) - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_collections_of_a_venue_have_the_attributes_of_the_cloud),
        cmocka_unit_test(names_in_the_schema_can_stand_in_sql_as_they_are),
        cmocka_unit_test(a_role_is_held_by_those_it_names),
        cmocka_unit_test(ids_are_legal_or_not),
        cmocka_unit_test(every_refusal_has_a_status_and_a_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
