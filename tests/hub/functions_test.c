/* player-registry, and what all executions have in common. */
#include "functions_call.h"

/* ---- player-registry ---------------------------------------------------------------------------- */

static void the_first_player_is_master_and_stays_it(void **state)
{
    struct rig *r = *state;
    struct reply first = registry(r, "register", VENUE, "device_1");
    assert_int_equal(first.status, 200);
    assert_string_equal(message_str(first.body, "status", ""), "registered");
    rig_pass(r, 30000);
    struct reply again = registry(r, "register", VENUE, "device_1");
    assert_string_equal(message_str(again.body, "status", ""), "reconnected");
    assert_string_equal(message_str(again.body, "playerId", "?"),
                        message_str(first.body, "playerId", ""));
    struct message *player;
    rig_must(r, documents_get(r->documents, NULL, collection_find("players"),
                              message_str(first.body, "playerId", ""), &player, &r->e));
    assert_string_equal(message_str(player, "playerId", ""), "player_1760000000000");
    assert_string_equal(message_str(player, "status", ""), "active");
    assert_string_equal(message_str(player, "userAgent", ""), "test");
    assert_int_equal(message_i64(player, "lastHeartbeat", 0), 1760000030000);
    assert_int_equal(message_i64(player, "expiresAt", 0), 1760000150000);
    assert_int_equal(count(r, "players"), 1);
    message_destroy(player);
    message_destroy(first.body);
    message_destroy(again.body);
}

static void a_second_player_hears_who_is_master(void **state)
{
    struct rig *r = *state;
    assert_true(is_master(r, "device_1"));
    rig_pass(r, 1000);
    struct reply reply = registry(r, "register", VENUE, "device_2");
    const struct message *who = message_object(reply.body, "currentMaster");
    assert_false(message_bool(reply.body, "isMaster", true));
    assert_string_equal(message_str(reply.body, "reason", ""), "MASTER_ACTIVE");
    assert_string_equal(message_str(who, "deviceId", ""), "device_1");
    assert_int_equal(message_i64(who, "lastHeartbeat", 0), 1760000000000);
    message_destroy(reply.body);
    struct reply other = registry(r, "register", "another bar", "device_2");
    assert_true(message_bool(other.body, "isMaster", false));
    message_destroy(other.body);
}

static const struct {
    int64_t silence_ms;
    bool is_replaced;
} silences[] = { { 25000, false }, { 119999, false }, { 120000, true }, { 3600000, true } };

static void a_master_is_replaced_after_120_seconds_of_silence(void **state)
{
    struct rig *r = *state;
    for (size_t i = 0; i < ARRAY_LEN(silences); i++) {
        char old[32], new[32];
        snprintf(old, sizeof(old), "old_%zu", i);
        snprintf(new, sizeof(new), "new_%zu", i);
        assert_true(is_master(r, old));
        for (int64_t t = 0; t < silences[i].silence_ms; t += 30000) /* the clock ticks */
            rig_pass(r, min_i64(30000, silences[i].silence_ms - t));
        assert_int_equal(has_master(r), !silences[i].is_replaced);
        assert_int_equal(is_master(r, new), silences[i].is_replaced);
        assert_int_equal(status_of(r, "heartbeat", old), silences[i].is_replaced ? 404 : 200);
        assert_int_equal(status_of(r, "release", silences[i].is_replaced ? new : old), 200);
    }
}

static void heartbeats_keep_the_role_and_are_the_masters_alone(void **state)
{
    struct rig *r = *state;
    assert_int_equal(status_of(r, "heartbeat", "device_1"), 404);
    assert_true(is_master(r, "device_1"));
    for (int i = 0; i < 20; i++) {
        rig_pass(r, 25000);
        assert_int_equal(status_of(r, "heartbeat", "device_1"), 200);
        assert_int_equal(status_of(r, "heartbeat", "device_2"), 404);
    }
    assert_false(is_master(r, "device_2"));
}

static void a_released_role_is_free_at_once(void **state)
{
    struct rig *r = *state;
    assert_true(is_master(r, "device_1"));
    assert_int_equal(status_of(r, "release", "device_2"), 200); /* not his: nothing happens */
    assert_true(has_master(r));
    assert_int_equal(status_of(r, "release", "device_1"), 200);
    assert_false(has_master(r));
    assert_int_equal(status_of(r, "heartbeat", "device_1"), 404);
    assert_true(is_master(r, "device_2"));
}

static void registering_clears_the_dead_of_all_venues(void **state)
{
    struct rig *r = *state;
    struct reply reply = registry(r, "register", "another bar", "device_9");
    message_destroy(reply.body);
    rig_pass(r, 121000);
    assert_true(is_master(r, "device_1"));
    assert_int_equal(count(r, "players"), 1);
}

static const struct {
    const char *body;
    int status;
} bad_calls[] = {
    { "", 400 },
    { "register", 400 },
    { "[]", 400 },
    { "{}", 400 },
    { "{\"action\":\"register\"}", 400 },
    { "{\"action\":\"register\",\"venueId\":\"bar\"}", 400 },
    { "{\"action\":\"register\",\"deviceId\":\"d\"}", 400 },
    { "{\"action\":\"register\",\"venueId\":1,\"deviceId\":\"d\"}", 400 },
    { "{\"action\":\"heartbeat\",\"venueId\":\"bar\"}", 400 },
    { "{\"action\":\"release\",\"venueId\":\"bar\",\"deviceId\":\"\"}", 400 },
    { "{\"action\":\"status\"}", 400 },
    { "{\"action\":\"dance\",\"venueId\":\"bar\",\"deviceId\":\"d\"}", 400 },
    { "{\"action\":\"status\",\"venueId\":\"bar\"}", 200 },
    { "{\"action\":\"register\",\"venueId\":\"b\\\"],[\\\"r\",\"deviceId\":\"d\\\"}\"}", 200 },
};

static void a_call_without_what_it_needs_is_refused_inside(void **state)
{
    struct rig *r = *state;
    for (size_t i = 0; i < ARRAY_LEN(bad_calls); i++) {
        struct reply reply = call(r, REGISTRY, bad_calls[i].body);
        if (reply.status != bad_calls[i].status)
            fail_msg("%s: %d", bad_calls[i].body, reply.status);
        assert_int_equal(message_bool(reply.body, "success", true), reply.status == 200);
        message_destroy(reply.body);
    }
}

static void a_long_name_of_a_program_is_cut(void **state)
{
    struct rig *r = *state;
    char agent[1201];
    for (size_t i = 0; i < 1200; i++)
        agent[i] = i % 3 == 0 ? (char)0xe2 : i % 3 == 1 ? (char)0x82 : (char)0xac;
    agent[1200] = '\0';
    char *body = xasprintf("{\"action\":\"register\",\"venueId\":\"bar\",\"deviceId\":\"d\","
                           "\"userAgent\":\"%s\"}",
                           agent);
    struct reply reply = call(r, REGISTRY, body);
    struct message *all = list(r, "players");
    const char *kept = message_str(message_object_at(all, "documents", 0), "userAgent", "");
    assert_int_equal(reply.status, 200);
    assert_int_equal(strlen(kept), 498); /* whole characters */
    message_destroy(all);
    message_destroy(reply.body);
    free(body);
}

static void of_two_active_players_each_finds_himself(void **state)
{
    struct rig *r = *state;
    assert_true(is_master(r, "device_1"));
    rig_pass(r, 1000);
    struct message *all = list(r, "players");
    struct message *copy = message_copy(message_object_at(all, "documents", 0));
    message_set_str(copy, "deviceId", "device_2"); /* somebody wrote it without the function */
    message_set_i64(copy, "lastHeartbeat", r->wall_ms);
    rig_must(r, documents_insert(r->documents, NULL, collection_find("players"), "unique()", copy,
                                 NULL, NULL, &r->e));
    assert_int_equal(status_of(r, "heartbeat", "device_1"), 200);
    rig_pass(r, 1000);
    assert_int_equal(status_of(r, "heartbeat", "device_2"), 200);
    assert_int_equal(status_of(r, "heartbeat", "device_1"), 200);
    message_destroy(copy);
    message_destroy(all);
}

/* ---- clocks ------------------------------------------------------------------------------------ */

static void a_clock_that_is_set_takes_the_role_from_nobody(void **state)
{
    static const int64_t steps[] = { 3650 * DAY_MS, -3650 * DAY_MS, HOUR_MS, -1700000000000 };
    struct rig *r = *state;
    assert_true(is_master(r, "device_1"));
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        rig_pass(r, 25000);
        r->wall_ms += steps[i];
        assert_false(is_master(r, "device_2"));
        assert_int_equal(status_of(r, "heartbeat", "device_1"), 200);
    }
    for (int i = 0; i < 5; i++) /* and who is silent loses it all the same */
        rig_pass(r, 24000);
    assert_true(is_master(r, "device_2"));
}

static void a_hub_that_boots_in_1970_finds_its_master(void **state)
{
    struct rig *r = *state;
    assert_true(is_master(r, "device_1"));
    rig_reboot(r, 5000);
    assert_false(is_master(r, "device_2"));
    assert_int_equal(status_of(r, "heartbeat", "device_1"), 200);
    rig_reboot(r, 1000);
    assert_true(has_master(r)); /* who may be alive has his time again */
    rig_pass(r, 119999);
    assert_false(is_master(r, "device_2"));
    rig_pass(r, 1);
    assert_true(is_master(r, "device_2"));
}

/* ---- the execution ------------------------------------------------------------------------------ */

static void functions_are_known_by_name_and_by_the_deployed_ids(void **state)
{
    static const char *const known[] = { REGISTRY, "68e5a41f00222cab705b", REQUEST,
                                         "68e5acf100104d806321" };
    struct rig *r = *state;
    struct caller guest = { .kind = CALLER_GUEST };
    struct message *none = message_create(), *out;
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        struct reply reply = call(r, known[i], "{}");
        assert_int_equal(reply.status, 400);
        message_destroy(reply.body);
    }
    rig_must_not(r, functions_execute(r->functions, &guest, "magic-link", none, &out, &r->e),
                 API_FUNCTION_NOT_FOUND);
    message_destroy(none);
}

static void an_execution_has_the_fields_of_appwrite(void **state)
{
    static const char *const fields[] = {
        "$id",
        "$createdAt",
        "$updatedAt",
        "$permissions",
        "functionId",
        "trigger",
        "status",
        "requestMethod",
        "requestPath",
        "requestHeaders",
        "responseStatusCode",
        "responseBody",
        "responseHeaders",
        "logs",
        "errors",
        "duration",
    };
    struct rig *r = *state;
    struct message *m = execute(r, REGISTRY, "{\"action\":\"status\",\"venueId\":\"bar\"}", false);
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        if (!message_has(m, fields[i]))
            fail_msg("an execution has no %s", fields[i]);
    assert_string_equal(message_str(m, "status", ""), "completed");
    assert_string_equal(message_str(m, "$createdAt", ""), "2025-10-09T08:53:20.000+00:00");
    message_destroy(m);
}

static void an_execution_that_nobody_waits_for_is_done_and_says_nothing(void **state)
{
    struct rig *r = *state;
    struct message *m = execute(
        r, REGISTRY, "{\"action\":\"register\",\"venueId\":\"bar\",\"deviceId\":\"d\"}", true);
    assert_string_equal(message_str(m, "responseBody", "x"), "");
    assert_string_equal(message_str(m, "status", ""), "waiting");
    message_destroy(m);
    assert_true(has_master(r));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(the_first_player_is_master_and_stays_it),
        RIG_TEST(a_second_player_hears_who_is_master),
        RIG_TEST(a_master_is_replaced_after_120_seconds_of_silence),
        RIG_TEST(heartbeats_keep_the_role_and_are_the_masters_alone),
        RIG_TEST(a_released_role_is_free_at_once),
        RIG_TEST(registering_clears_the_dead_of_all_venues),
        RIG_TEST(a_call_without_what_it_needs_is_refused_inside),
        RIG_TEST(a_long_name_of_a_program_is_cut),
        RIG_TEST(of_two_active_players_each_finds_himself),
        RIG_TEST(a_clock_that_is_set_takes_the_role_from_nobody),
        RIG_TEST(a_hub_that_boots_in_1970_finds_its_master),
        RIG_TEST(functions_are_known_by_name_and_by_the_deployed_ids),
        RIG_TEST(an_execution_has_the_fields_of_appwrite),
        RIG_TEST(an_execution_that_nobody_waits_for_is_done_and_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
