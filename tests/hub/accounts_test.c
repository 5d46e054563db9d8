/* Users, their sessions, and what is kept of them. */
#include "accounts_user.h"

/* ---- passwords --------------------------------------------------------------------------------- */

static void a_password_signs_in_whatever_the_case_of_the_address(void **state)
{
    struct rig *r = *state;
    char secret[SECRET_TEXT_MAX];
    struct message *session;
    add_user(r, "staff");
    rig_must(r, accounts_sign_in(r->accounts, "Owner@BAR.example", PASSWORD, PEER, &session, secret,
                                 &r->e));
    struct caller c = by_session(r, secret);
    assert_int_equal(c.kind, CALLER_USER);
    assert_string_equal(c.label, "staff");
    assert_string_equal(c.peer, PEER);
    assert_string_equal(c.user_id, message_str(session, "userId", ""));
    assert_string_equal(c.session_id, message_str(session, "$id", ""));
    message_destroy(session);
}

static const struct {
    const char *name, *email, *password;
} wrong_sign_ins[] = {
    { "wrong password", EMAIL, "correct horse batterz" },
    { "unknown address", "nobody@bar.example", PASSWORD },
    { "no address at all", "nobody", PASSWORD },
    { "empty password", EMAIL, "" },
    { "a beginning of it", EMAIL, "correct horse" },
};

static void who_is_unknown_hears_the_same_as_who_is_wrong(void **state)
{
    struct rig *r = *state;
    char secret[SECRET_TEXT_MAX], first[sizeof(r->e.message)] = "";
    struct message *session;
    add_user(r, "owner");
    for (size_t i = 0; i < ARRAY_LEN(wrong_sign_ins); i++) {
        rig_must_not(r,
                     accounts_sign_in(r->accounts, wrong_sign_ins[i].email,
                                      wrong_sign_ins[i].password, PEER, &session, secret, &r->e),
                     API_CREDENTIALS_INVALID);
        if (i == 0)
            snprintf(first, sizeof(first), "%s", r->e.message);
        assert_string_equal(r->e.message, first);
    }
}

static void ten_failures_an_hour_close_an_address_and_no_other(void **state)
{
    struct rig *r = *state;
    add_user(r, "owner");
    for (int i = 0; i < 10; i++) {
        assert_false(try_sign_in(r, "wrong password", PEER));
        assert_int_equal(r->e.kind, API_CREDENTIALS_INVALID);
        rig_pass(r, 60 * 1000);
    }
    assert_false(try_sign_in(r, PASSWORD, PEER)); /* even the right one */
    assert_int_equal(r->e.kind, API_RATE_LIMIT);
    assert_true(try_sign_in(r, PASSWORD, "192.168.1.8"));
    rig_pass(r, 50 * 60 * 1000 - 1);
    assert_false(try_sign_in(r, PASSWORD, PEER));
    rig_pass(r, 1); /* an hour after the first */
    assert_true(try_sign_in(r, PASSWORD, PEER));
}

static void a_network_of_addresses_counts_as_one(void **state)
{
    struct rig *r = *state;
    char peer[64];
    for (int i = 0; i < 10; i++) {
        snprintf(peer, sizeof(peer), "2001:db8:1:2::%x", i + 1);
        assert_false(try_sign_in(r, "wrong password", peer));
    }
    assert_false(try_sign_in(r, "wrong password", "2001:db8:1:2:ffff::1"));
    assert_int_equal(r->e.kind, API_RATE_LIMIT);
    assert_false(try_sign_in(r, "wrong password", "2001:db8:1:3::1"));
    assert_int_equal(r->e.kind, API_CREDENTIALS_INVALID);
}

static const struct {
    const char *email, *password, *label;
    enum api_error_kind want; /* API_OK: taken */
} new_users[] = {
    { "a@b.c", "12345678", "guest", API_OK },
    { "b@b.c", CHARS_256, "staff", API_OK },
    { "c@b.c", "1234567", "staff", API_ARGUMENT_INVALID },
    { "c@b.c", CHARS_256 "0", "staff", API_ARGUMENT_INVALID },
    { "c@b.c", NULL, "staff", API_ARGUMENT_INVALID },
    { "c@b.c", PASSWORD, "admin", API_ARGUMENT_INVALID },
    { "c@b.c", PASSWORD, "", API_ARGUMENT_INVALID },
    { NULL, PASSWORD, "staff", API_ARGUMENT_INVALID },
    { "", PASSWORD, "staff", API_ARGUMENT_INVALID },
    { "nobody", PASSWORD, "staff", API_ARGUMENT_INVALID },
    { "@b.c", PASSWORD, "staff", API_ARGUMENT_INVALID },
    { "c@", PASSWORD, "staff", API_ARGUMENT_INVALID },
    { "c@b@c", PASSWORD, "staff", API_ARGUMENT_INVALID },
    { "c d@b.c", PASSWORD, "staff", API_ARGUMENT_INVALID },
    { "c\n@b.c", PASSWORD, "staff", API_ARGUMENT_INVALID },
    { CHARS_256 "@b.c", PASSWORD, "staff", API_ARGUMENT_INVALID },
    { "A@B.C", PASSWORD, "staff", API_USER_EXISTS },
};

static void a_new_user_needs_an_address_a_password_and_a_role(void **state)
{
    struct rig *r = *state;
    for (size_t i = 0; i < ARRAY_LEN(new_users); i++) {
        r->e = (struct api_error){ 0 };
        bool is_made = accounts_add_user(r->accounts, new_users[i].email, new_users[i].password,
                                         new_users[i].label, NULL, &r->e);
        assert_int_equal(is_made, new_users[i].want == API_OK);
        if (!is_made)
            assert_int_equal(r->e.kind, new_users[i].want);
    }
    struct message *list;
    rig_must(r, accounts_users(r->accounts, &list, &r->e));
    assert_int_equal(message_i64(list, "total", 0), 2);
    assert_string_equal(message_str(message_object_at(list, "users", 0), "email", ""), "a@b.c");
    message_destroy(list);
}

static void a_new_password_replaces_the_old_and_ends_its_sessions(void **state)
{
    struct rig *r = *state;
    char secret[SECRET_TEXT_MAX];
    add_user(r, "owner");
    sign_in(r, secret);
    rig_must(r, accounts_set_password(r->accounts, EMAIL, "another password", &r->e));
    assert_int_equal(by_session(r, secret).kind, CALLER_GUEST);
    assert_false(try_sign_in(r, PASSWORD, PEER));
    assert_true(try_sign_in(r, "another password", PEER));
    rig_must_not(r, accounts_set_password(r->accounts, "nobody@b.c", "another password", &r->e),
                 API_USER_NOT_FOUND);
}

static void a_removed_user_is_nobody(void **state)
{
    struct rig *r = *state;
    char secret[SECRET_TEXT_MAX];
    add_user(r, "owner");
    sign_in(r, secret);
    rig_must(r, accounts_remove_user(r->accounts, EMAIL, &r->e));
    assert_int_equal(by_session(r, secret).kind, CALLER_GUEST);
    assert_false(try_sign_in(r, PASSWORD, PEER));
    rig_must_not(r, accounts_remove_user(r->accounts, EMAIL, &r->e), API_USER_NOT_FOUND);
}

/* ---- the objects ------------------------------------------------------------------------------- */

static const char *const account_fields[] = {
    "$id",
    "$createdAt",
    "$updatedAt",
    "name",
    "registration",
    "status",
    "labels",
    "passwordUpdate",
    "email",
    "phone",
    "emailVerification",
    "phoneVerification",
    "mfa",
    "prefs",
    "targets",
    "accessedAt",
};

static const char *const session_fields[] = {
    "$id",
    "$createdAt",
    "$updatedAt",
    "userId",
    "expire",
    "provider",
    "providerUid",
    "providerAccessToken",
    "providerAccessTokenExpiry",
    "providerRefreshToken",
    "ip",
    "osCode",
    "osName",
    "osVersion",
    "clientType",
    "clientCode",
    "clientName",
    "clientVersion",
    "clientEngine",
    "clientEngineVersion",
    "deviceName",
    "deviceBrand",
    "deviceModel",
    "countryCode",
    "countryName",
    "current",
    "factors",
    "secret",
    "mfaUpdatedAt",
};

static void accounts_and_sessions_have_the_fields_of_appwrite(void **state)
{
    struct rig *r = *state;
    char secret[SECRET_TEXT_MAX];
    struct message *session, *account;
    add_user(r, "owner");
    rig_must(r, accounts_sign_in(r->accounts, EMAIL, PASSWORD, PEER, &session, secret, &r->e));
    struct caller c = by_session(r, secret);
    rig_must(r, accounts_get(r->accounts, &c, &account, &r->e));
    for (size_t i = 0; i < ARRAY_LEN(account_fields); i++)
        if (!message_has(account, account_fields[i]))
            fail_msg("an account has no %s", account_fields[i]);
    for (size_t i = 0; i < ARRAY_LEN(session_fields); i++)
        if (!message_has(session, session_fields[i]))
            fail_msg("a session has no %s", session_fields[i]);
    assert_string_equal(message_str(account, "email", ""), EMAIL);
    assert_string_equal(message_str_at(account, "labels", 0), "owner");
    assert_int_equal(message_kind(account, "prefs"), MESSAGE_OBJECT);
    assert_true(message_bool(account, "status", false));
    assert_string_equal(message_str(session, "secret", "x"), "");
    assert_string_equal(message_str(session, "ip", ""), PEER);
    assert_string_equal(message_str(session, "$createdAt", ""), "2025-10-09T08:53:20.000+00:00");
    assert_string_equal(message_str(session, "expire", ""), "2026-10-09T08:53:20.000+00:00");
    message_destroy(session);
    message_destroy(account);
}

static void a_secret_has_the_form_of_appwrite(void **state)
{
    struct rig *r = *state;
    char secret[SECRET_TEXT_MAX];
    size_t len;
    add_user(r, "owner");
    sign_in(r, secret);
    char *json = base64_read(secret, strlen(secret), &len);
    struct message *m = message_parse(json, len, NULL, 0);
    assert_string_equal(message_str(m, "id", ""), by_session(r, secret).user_id);
    assert_int_equal(strlen(message_str(m, "secret", "")), 64);
    message_destroy(m);
    free(json);
}

/* ---- life of a session ------------------------------------------------------------------------- */

static void the_eleventh_session_ends_the_first(void **state)
{
    struct rig *r = *state;
    char secret[11][SECRET_TEXT_MAX];
    struct message *list;
    add_user(r, "owner");
    for (int i = 0; i < 11; i++)
        sign_in(r, secret[i]);
    assert_int_equal(by_session(r, secret[0]).kind, CALLER_GUEST);
    struct caller second = by_session(r, secret[1]);
    assert_int_equal(second.kind, CALLER_USER);
    rig_must(r, accounts_sessions(r->accounts, &second, &list, &r->e));
    assert_int_equal(message_count(list, "sessions"), 10);
    assert_true(message_bool(message_object_at(list, "sessions", 0), "current", false));
    assert_false(message_bool(message_object_at(list, "sessions", 9), "current", true));
    message_destroy(list);
}

static void a_session_ends_by_itself_by_id_or_with_all_others(void **state)
{
    struct rig *r = *state;
    char secret[4][SECRET_TEXT_MAX];
    add_user(r, "owner");
    for (int i = 0; i < 4; i++)
        sign_in(r, secret[i]);
    struct caller first = by_session(r, secret[0]), second = by_session(r, secret[1]);
    rig_must(r, accounts_end_session(r->accounts, &first, "current", &r->e));
    assert_int_equal(by_session(r, secret[0]).kind, CALLER_GUEST);
    rig_must(
        r, accounts_end_session(r->accounts, &second, by_session(r, secret[2]).session_id, &r->e));
    assert_int_equal(by_session(r, secret[2]).kind, CALLER_GUEST);
    rig_must_not(r, accounts_end_session(r->accounts, &second, "nobodys", &r->e),
                 API_SESSION_NOT_FOUND);
    rig_must(r, accounts_end_session(r->accounts, &second, NULL, &r->e));
    assert_int_equal(by_session(r, secret[1]).kind, CALLER_GUEST);
    assert_int_equal(by_session(r, secret[3]).kind, CALLER_GUEST);
}

static void nobody_ends_the_session_of_another(void **state)
{
    struct rig *r = *state;
    char mine[SECRET_TEXT_MAX], other[SECRET_TEXT_MAX];
    struct message *session;
    add_user(r, "owner");
    sign_in(r, mine);
    rig_must(r, accounts_sign_in_anonymous(r->accounts, PEER, &session, other, &r->e));
    message_destroy(session);
    struct caller owner = by_session(r, mine), guest = by_session(r, other);
    rig_must_not(r, accounts_end_session(r->accounts, &guest, owner.session_id, &r->e),
                 API_SESSION_NOT_FOUND);
    assert_int_equal(by_session(r, mine).kind, CALLER_USER);
}

/* A box that is used: somebody asks every half day. */
static void live(struct rig *r, int days)
{
    for (int i = 0; i < 2 * days; i++) {
        rig_pass(r, DAY_MS / 2);
        by_session(r, "");
        assert_int_equal(database_commit(r->database), 0);
    }
}

static void a_session_lasts_a_year_from_its_last_extension(void **state)
{
    struct rig *r = *state;
    char first[SECRET_TEXT_MAX], second[SECRET_TEXT_MAX];
    struct message *session;
    add_user(r, "owner");
    sign_in(r, first);
    sign_in(r, second);
    live(r, 300);
    struct caller c = by_session(r, first);
    rig_must(r, accounts_extend_session(r->accounts, &c, &session, &r->e));
    assert_string_equal(message_str(session, "expire", ""), "2027-08-05T08:53:20.000+00:00");
    message_destroy(session);
    live(r, 64);
    assert_int_equal(by_session(r, second).kind, CALLER_USER);
    live(r, 2);
    assert_int_equal(by_session(r, second).kind, CALLER_GUEST);
    assert_int_equal(by_session(r, first).kind, CALLER_USER);
    live(r, 300);
    assert_int_equal(by_session(r, first).kind, CALLER_GUEST);
}

static void a_box_that_boots_in_1970_logs_nobody_out(void **state)
{
    struct rig *r = *state;
    char secret[SECRET_TEXT_MAX], young[SECRET_TEXT_MAX];
    struct message *session;
    add_user(r, "owner");
    sign_in(r, secret);
    rig_reboot(r, 5000);
    assert_int_equal(by_session(r, secret).kind, CALLER_USER);
    rig_must(r, accounts_sign_in(r->accounts, EMAIL, PASSWORD, PEER, &session, young, &r->e));
    assert_string_equal(message_str(session, "$createdAt", ""), "2025-10-09T08:53:20.000+00:00");
    message_destroy(session);
    rig_pass(r, DAY_MS / 2); /* the time goes on, though the clock is wrong */
    struct caller c = by_session(r, young);
    rig_must(r, accounts_extend_session(r->accounts, &c, &session, &r->e));
    assert_string_equal(message_str(session, "$updatedAt", ""), "2025-10-09T20:53:20.000+00:00");
    message_destroy(session);
}

static void a_clock_that_is_set_forward_logs_nobody_out_also_after_a_restart(void **state)
{
    struct rig *r = *state;
    char secret[SECRET_TEXT_MAX];
    add_user(r, "owner");
    sign_in(r, secret);
    r->wall_ms += 3650 * DAY_MS;
    assert_int_equal(by_session(r, secret).kind, CALLER_USER);
    rig_reboot(r, r->wall_ms);
    assert_int_equal(by_session(r, secret).kind, CALLER_USER);
    r->wall_ms -= 3650 * DAY_MS;
    assert_int_equal(by_session(r, secret).kind, CALLER_USER);
    live(r, 366);
    assert_int_equal(by_session(r, secret).kind, CALLER_GUEST); /* it ends all the same */
    sign_in(r, secret);
    live(r, 364);
    assert_int_equal(by_session(r, secret).kind, CALLER_USER);
    live(r, 2);
    assert_int_equal(by_session(r, secret).kind, CALLER_GUEST);
}

static void a_session_from_before_the_clock_was_first_set_lives_on(void **state)
{
    struct rig *r = *state;
    char secret[SECRET_TEXT_MAX];
    int64_t now = r->wall_ms;
    rig_close(r);
    assert_int_equal(unlink(r->path), 0);
    r->wall_ms = 60000; /* a box fresh from the factory */
    rig_open(r);
    add_user(r, "owner");
    sign_in(r, secret);
    rig_reboot(r, now);
    assert_int_equal(by_session(r, secret).kind, CALLER_USER);
    live(r, 366);
    assert_int_equal(by_session(r, secret).kind, CALLER_GUEST);
}

/* ---- anonymous --------------------------------------------------------------------------------- */

static void an_anonymous_session_is_a_user_who_goes_with_it(void **state)
{
    struct rig *r = *state;
    char secret[SECRET_TEXT_MAX];
    struct message *session, *account;
    rig_must(r, accounts_sign_in_anonymous(r->accounts, PEER, &session, secret, &r->e));
    struct caller c = by_session(r, secret);
    assert_int_equal(c.kind, CALLER_USER);
    assert_string_equal(c.label, "guest");
    assert_string_equal(message_str(session, "provider", ""), "anonymous");
    message_destroy(session);
    rig_must(r, accounts_get(r->accounts, &c, &account, &r->e));
    assert_string_equal(message_str(account, "email", "x"), "");
    message_destroy(account);
    rig_must(r, accounts_end_session(r->accounts, &c, "current", &r->e));
    rig_must_not(r, accounts_get(r->accounts, &c, &account, &r->e), API_USER_NOT_FOUND);
}

static void the_zone_s_player_keeps_its_session_until_it_is_lost(void **state)
{
    struct rig *r = *state;
    char first[SECRET_TEXT_MAX] = "", same[SECRET_TEXT_MAX], other[SECRET_TEXT_MAX] = "lost";
    rig_must(r, accounts_sign_in_player(r->accounts, first, &r->e));
    struct caller c = by_session(r, first);
    assert_int_equal(c.kind, CALLER_USER);
    assert_string_equal(c.label, "staff");
    memcpy(same, first, sizeof(same));
    rig_must(r, accounts_sign_in_player(r->accounts, same, &r->e));
    assert_string_equal(same, first);
    rig_must(r, accounts_sign_in_player(r->accounts, other, &r->e));
    assert_int_equal(by_session(r, other).kind, CALLER_USER);
    assert_int_equal(by_session(r, first).kind, CALLER_GUEST); /* there is one player in a zone */
}

static void anonymous_sign_ins_of_an_address_have_a_limit(void **state)
{
    struct rig *r = *state;
    char secret[SECRET_TEXT_MAX];
    struct message *session;
    for (int i = 0; i < 1000; i++) {
        rig_must(r, accounts_sign_in_anonymous(r->accounts, PEER, &session, secret, &r->e));
        message_destroy(session);
    }
    rig_must_not(r, accounts_sign_in_anonymous(r->accounts, PEER, &session, secret, &r->e),
                 API_RATE_LIMIT);
    rig_must(r, accounts_sign_in_anonymous(r->accounts, "10.0.0.1", &session, secret, &r->e));
    message_destroy(session);
}

static void guests_and_keys_have_no_account(void **state)
{
    struct rig *r = *state;
    struct message *m;
    struct caller callers[] = { { .kind = CALLER_GUEST }, { .kind = CALLER_KEY } };
    for (size_t i = 0; i < ARRAY_LEN(callers); i++) {
        struct caller *c = &callers[i];
        rig_must_not(r, accounts_get(r->accounts, c, &m, &r->e), API_SCOPE_MISSING);
        rig_must_not(r, accounts_sessions(r->accounts, c, &m, &r->e), API_SCOPE_MISSING);
        rig_must_not(r, accounts_jwt(r->accounts, c, &m, &r->e), API_SCOPE_MISSING);
        rig_must_not(r, accounts_extend_session(r->accounts, c, &m, &r->e), API_SCOPE_MISSING);
        rig_must_not(r, accounts_end_session(r->accounts, c, "current", &r->e), API_SCOPE_MISSING);
    }
}

/* ---- documents, turns and secrets --------------------------------------------------------------- */

static const struct {
    const char *label, *role;
} document_roles[] = { { "owner", "admin" }, { "staff", "staff" }, { "guest", "viewer" } };

static void the_collection_of_users_is_kept_in_step(void **state)
{
    struct rig *r = *state;
    const struct collection *users = collection_find("users");
    for (size_t i = 0; i < ARRAY_LEN(document_roles); i++) {
        struct message *account, *document;
        rig_must(r, accounts_add_user(r->accounts, EMAIL, PASSWORD, document_roles[i].label,
                                      &account, &r->e));
        const char *id = message_str(account, "$id", "");
        rig_must(r, documents_get(r->documents, NULL, users, id, &document, &r->e));
        assert_string_equal(message_str(document, "role", ""), document_roles[i].role);
        assert_string_equal(message_str(document, "userId", ""), id);
        assert_string_equal(message_str(document, "email", ""), EMAIL);
        message_destroy(document);
        rig_must(r, accounts_remove_user(r->accounts, EMAIL, &r->e));
        rig_must_not(r, documents_get(r->documents, NULL, users, id, &document, &r->e),
                     API_DOCUMENT_NOT_FOUND);
        message_destroy(account);
    }
}

static void what_is_undone_never_was(void **state)
{
    struct rig *r = *state;
    char secret[SECRET_TEXT_MAX];
    add_user(r, "owner");
    assert_int_equal(database_mark(r->database), 0);
    sign_in(r, secret);
    rig_must(r, accounts_add_user(r->accounts, "x@bar.example", PASSWORD, "staff", NULL, &r->e));
    database_undo(r->database);
    assert_int_equal(by_session(r, secret).kind, CALLER_GUEST);
    rig_must_not(r, accounts_remove_user(r->accounts, "x@bar.example", &r->e), API_USER_NOT_FOUND);
    sign_in(r, secret);
    assert_int_equal(by_session(r, secret).kind, CALLER_USER);
}

static bool file_holds(const char *path, const char *text)
{
    char *data;
    size_t len;
    if (file_read(path, (size_t)64 * 1024 * 1024, &data, &len) < 0)
        return false;
    bool holds = memmem(data, len, text, strlen(text)) != NULL;
    free(data);
    return holds;
}

static void no_secret_is_on_disk_or_in_an_error(void **state)
{
    struct rig *r = *state;
    char session[SECRET_TEXT_MAX], key[SECRET_TEXT_MAX], *wal = xasprintf("%s-wal", r->path);
    struct message *out, *token;
    size_t len;
    add_user(r, "owner");
    sign_in(r, session);
    rig_must(r, accounts_add_key(r->accounts, "k", key, &r->e));
    rig_must(r, accounts_add_token(r->accounts, EMAIL, 32, 900, &token, &r->e));
    assert_int_equal(database_commit(r->database), 0);
    char *json = base64_read(session, strlen(session), &len);
    struct message *m = message_parse(json, len, NULL, 0);
    const char *const secrets[] = { PASSWORD, session, message_str(m, "secret", "?"), key,
                                    message_str(token, "secret", "?") };
    for (size_t i = 0; i < ARRAY_LEN(secrets); i++) {
        assert_false(file_holds(r->path, secrets[i]));
        assert_false(file_holds(wal, secrets[i]));
    }
    assert_true(file_holds(wal, EMAIL)); /* the search finds what is there */
    rig_must_not(r, accounts_add_user(r->accounts, EMAIL, PASSWORD, "owner", NULL, &r->e),
                 API_USER_EXISTS);
    assert_null(strstr(r->e.message, PASSWORD));
    rig_must_not(r, accounts_add_user(r->accounts, "x@b.c", "secret7", "owner", NULL, &r->e),
                 API_ARGUMENT_INVALID);
    assert_null(strstr(r->e.message, "secret7"));
    rig_must_not(r, accounts_sign_in(r->accounts, EMAIL, "secret77", PEER, &out, session, &r->e),
                 API_CREDENTIALS_INVALID);
    assert_null(strstr(r->e.message, "secret77"));
    message_destroy(token);
    message_destroy(m);
    free(json);
    free(wal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(a_password_signs_in_whatever_the_case_of_the_address),
        RIG_TEST(who_is_unknown_hears_the_same_as_who_is_wrong),
        RIG_TEST(ten_failures_an_hour_close_an_address_and_no_other),
        RIG_TEST(a_network_of_addresses_counts_as_one),
        RIG_TEST(a_new_user_needs_an_address_a_password_and_a_role),
        RIG_TEST(a_new_password_replaces_the_old_and_ends_its_sessions),
        RIG_TEST(a_removed_user_is_nobody),
        RIG_TEST(accounts_and_sessions_have_the_fields_of_appwrite),
        RIG_TEST(a_secret_has_the_form_of_appwrite),
        RIG_TEST(the_eleventh_session_ends_the_first),
        RIG_TEST(a_session_ends_by_itself_by_id_or_with_all_others),
        RIG_TEST(nobody_ends_the_session_of_another),
        RIG_TEST(a_session_lasts_a_year_from_its_last_extension),
        RIG_TEST(a_box_that_boots_in_1970_logs_nobody_out),
        RIG_TEST(a_clock_that_is_set_forward_logs_nobody_out_also_after_a_restart),
        RIG_TEST(a_session_from_before_the_clock_was_first_set_lives_on),
        RIG_TEST(the_zone_s_player_keeps_its_session_until_it_is_lost),
        RIG_TEST(an_anonymous_session_is_a_user_who_goes_with_it),
        RIG_TEST(anonymous_sign_ins_of_an_address_have_a_limit),
        RIG_TEST(guests_and_keys_have_no_account),
        RIG_TEST(the_collection_of_users_is_kept_in_step),
        RIG_TEST(what_is_undone_never_was),
        RIG_TEST(no_secret_is_on_disk_or_in_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
