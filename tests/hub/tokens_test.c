/* One-time tokens, and whom they sign in. */
#include "accounts_user.h"

/* The user's id goes to `user_id`, the token to `token`. */
static void make_token(struct rig *r, const char *who, char user_id[HUB_ID_MAX + 1],
                       char token[SECRET_TEXT_MAX])
{
    struct message *m;
    rig_must(r, accounts_add_token(r->accounts, who, 6, 900, &m, &r->e));
    snprintf(user_id, HUB_ID_MAX + 1, "%s", message_str(m, "userId", ""));
    snprintf(token, SECRET_TEXT_MAX, "%s", message_str(m, "secret", ""));
    message_destroy(m);
}

/* API_OK, or why it does not sign in. */
static enum api_error_kind use(struct rig *r, const char *user_id, const char *token,
                               const char *peer)
{
    char secret[SECRET_TEXT_MAX];
    struct message *session = NULL;
    r->e = (struct api_error){ 0 };
    if (!accounts_sign_in_token(r->accounts, user_id, token, peer, &session, secret, &r->e))
        return r->e.kind;
    struct caller c = by_session(r, secret);
    assert_int_equal(c.kind, CALLER_USER);
    assert_string_equal(c.user_id, user_id);
    message_destroy(session);
    return API_OK;
}

/* Another one than `token`, of the same form. */
static void make_wrong(const char *token, char wrong[SECRET_TEXT_MAX])
{
    snprintf(wrong, SECRET_TEXT_MAX, "%s", token);
    wrong[0] = token[0] == '0' ? '1' : '0';
}

static void a_token_signs_its_user_in_once(void **state)
{
    struct rig *r = *state;
    char id[HUB_ID_MAX + 1], token[SECRET_TEXT_MAX], secret[SECRET_TEXT_MAX];
    struct message *session;
    add_user(r, "staff");
    make_token(r, EMAIL, id, token);
    rig_must(r, accounts_sign_in_token(r->accounts, id, token, PEER, &session, secret, &r->e));
    assert_string_equal(message_str(session, "provider", ""), "token");
    assert_string_equal(message_str_at(session, "factors", 0), "token");
    message_destroy(session);
    struct caller c = by_session(r, secret);
    assert_string_equal(c.user_id, id);
    assert_string_equal(c.label, "staff");
    assert_int_equal(use(r, id, token, PEER), API_TOKEN_INVALID);
}

static void a_token_has_the_fields_of_appwrite_and_the_length_that_was_asked_for(void **state)
{
    static const char *const fields[] = { "$id",    "$createdAt", "userId",
                                          "secret", "expire",     "phrase" };
    static const int lengths[] = { 4, 5, 6, 64, 128 };
    struct rig *r = *state;
    struct message *m;
    add_user(r, "staff");
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        rig_must(r, accounts_add_token(r->accounts, EMAIL, lengths[i], 60, &m, &r->e));
        for (size_t k = 0; k < ARRAY_LEN(fields); k++)
            assert_int_equal(message_kind(m, fields[k]), MESSAGE_STRING);
        const char *secret = message_str(m, "secret", "");
        assert_int_equal(strlen(secret), lengths[i]);
        assert_int_equal(strspn(secret, "0123456789abcdef"), lengths[i]);
        assert_string_equal(message_str(m, "$createdAt", ""), "2025-10-09T08:53:20.000+00:00");
        assert_string_equal(message_str(m, "expire", ""), "2025-10-09T08:54:20.000+00:00");
        assert_int_equal(use(r, message_str(m, "userId", ""), secret, PEER), API_OK);
        message_destroy(m);
    }
}

static const struct {
    const char *who;
    int64_t length, life_s;
    enum api_error_kind want;
} wishes[] = {
    { EMAIL, 3, 900, API_ARGUMENT_INVALID },
    { EMAIL, 129, 900, API_ARGUMENT_INVALID },
    { EMAIL, -1, 900, API_ARGUMENT_INVALID },
    { EMAIL, 6, 59, API_ARGUMENT_INVALID },
    { EMAIL, 6, 31536001, API_ARGUMENT_INVALID },
    { "nobody@bar.example", 6, 900, API_USER_NOT_FOUND },
    { "nobody", 6, 900, API_USER_NOT_FOUND },
    { "", 6, 900, API_USER_NOT_FOUND },
};

static void what_cannot_be_a_token_is_refused(void **state)
{
    struct rig *r = *state;
    struct message *m;
    add_user(r, "staff");
    for (size_t i = 0; i < ARRAY_LEN(wishes); i++)
        rig_must_not(r,
                     accounts_add_token(r->accounts, wishes[i].who, wishes[i].length,
                                        wishes[i].life_s, &m, &r->e),
                     wishes[i].want);
}

static void no_token_is_made_for_who_has_no_address(void **state)
{
    struct rig *r = *state;
    char secret[SECRET_TEXT_MAX] = "";
    struct message *m;
    rig_must(r, accounts_sign_in_player(r->accounts, secret, &r->e));
    struct caller player = by_session(r, secret);
    rig_must_not(r, accounts_add_token(r->accounts, player.user_id, 6, 900, &m, &r->e),
                 API_USER_NOT_FOUND);
}

static void wrong_unknown_and_foreign_tokens_hear_the_same(void **state)
{
    struct rig *r = *state;
    char id[HUB_ID_MAX + 1], other[HUB_ID_MAX + 1], token[SECRET_TEXT_MAX], wrong[SECRET_TEXT_MAX];
    add_user(r, "staff");
    rig_must(r,
             accounts_add_user(r->accounts, "other@bar.example", PASSWORD, "owner", NULL, &r->e));
    make_token(r, "other@bar.example", other, wrong);
    make_token(r, EMAIL, id, token);
    make_wrong(token, wrong);
    const char *const tries[][2] = { { id, wrong },   { other, token }, { "nobody", token },
                                     { "", token },   { id, "" },       { EMAIL, token },
                                     { id, "      " } };
    for (size_t i = 0; i < ARRAY_LEN(tries); i++)
        assert_int_equal(use(r, tries[i][0], tries[i][1], PEER), API_TOKEN_INVALID);
    assert_int_equal(use(r, id, token, PEER), API_OK);
}

static void a_token_is_over_when_its_time_is(void **state)
{
    struct rig *r = *state;
    char id[HUB_ID_MAX + 1], first[SECRET_TEXT_MAX], second[SECRET_TEXT_MAX];
    add_user(r, "staff");
    make_token(r, EMAIL, id, first);
    make_token(r, EMAIL, id, second);
    rig_pass(r, 900 * 1000 - 1);
    assert_int_equal(use(r, id, first, PEER), API_OK);
    rig_pass(r, 1);
    assert_int_equal(use(r, id, second, PEER), API_TOKEN_INVALID);
}

static void a_token_outlives_a_restart_and_a_clock_that_is_set(void **state)
{
    struct rig *r = *state;
    char id[HUB_ID_MAX + 1], token[SECRET_TEXT_MAX], session[SECRET_TEXT_MAX];
    add_user(r, "staff");
    sign_in(r, session);
    make_token(r, EMAIL, id, token);
    rig_reboot(r, 0);
    rig_pass(r, 1000);
    assert_int_equal(by_session(r, session).kind, CALLER_USER); /* it looks at the clock */
    r->wall_ms = (int64_t)1760000000 * 1000 + 30 * DAY_MS;
    assert_int_equal(use(r, id, token, PEER), API_OK);
}

/* While the clock of a box is not set, a hub's time goes on from what is kept, and a program beside it begins there. */
static void a_token_made_beside_a_hub_whose_clock_was_never_set_is_good_there(void **state)
{
    struct rig *r = *state;
    struct rig tool = { .path = r->path, .wall_ms = 59 * 60 * 1000 };
    char id[HUB_ID_MAX + 1], token[SECRET_TEXT_MAX], session[SECRET_TEXT_MAX];
    add_user(r, "staff");
    sign_in(r, session);
    rig_reboot(r, 0);
    for (int i = 0; i < 59; i++) {
        rig_pass(r, 60 * 1000);
        assert_int_equal(by_session(r, session).kind, CALLER_USER); /* a player that polls */
    }
    assert_int_equal(database_commit(r->database), 0);
    rig_open(&tool);
    make_token(&tool, EMAIL, id, token);
    rig_close(&tool);
    assert_int_equal(use(r, id, token, PEER), API_OK);
}

static void the_eleventh_token_ends_the_first(void **state)
{
    struct rig *r = *state;
    char id[HUB_ID_MAX + 1], token[11][SECRET_TEXT_MAX];
    add_user(r, "staff");
    for (size_t i = 0; i < 11; i++)
        make_token(r, EMAIL, id, token[i]);
    assert_int_equal(use(r, id, token[0], PEER), API_TOKEN_INVALID);
    assert_int_equal(use(r, id, token[1], PEER), API_OK);
    assert_int_equal(use(r, id, token[10], PEER), API_OK);
}

static void tokens_end_with_a_new_password_and_with_their_user(void **state)
{
    struct rig *r = *state;
    char id[HUB_ID_MAX + 1], token[SECRET_TEXT_MAX];
    add_user(r, "staff");
    make_token(r, EMAIL, id, token);
    rig_must(r, accounts_set_password(r->accounts, EMAIL, "another password", &r->e));
    assert_int_equal(use(r, id, token, PEER), API_TOKEN_INVALID);
    make_token(r, id, id, token);
    rig_must(r, accounts_remove_user(r->accounts, EMAIL, &r->e));
    assert_int_equal(use(r, id, token, PEER), API_TOKEN_INVALID);
}

static void ten_wrong_tokens_close_an_address_also_for_passwords(void **state)
{
    struct rig *r = *state;
    char id[HUB_ID_MAX + 1], token[SECRET_TEXT_MAX];
    add_user(r, "staff");
    for (int i = 0; i < 10; i++)
        assert_int_equal(use(r, "nobody", "123456", PEER), API_TOKEN_INVALID);
    make_token(r, EMAIL, id, token);
    assert_int_equal(use(r, id, token, PEER), API_RATE_LIMIT);
    assert_false(try_sign_in(r, PASSWORD, PEER));
    assert_int_equal(use(r, id, token, "192.168.1.8"), API_OK);
}

static void ten_wrong_tokens_of_many_addresses_close_their_user(void **state)
{
    struct rig *r = *state;
    char id[HUB_ID_MAX + 1], token[SECRET_TEXT_MAX], wrong[SECRET_TEXT_MAX], peer[64];
    add_user(r, "staff");
    make_token(r, EMAIL, id, token);
    make_wrong(token, wrong);
    for (int i = 0; i < 10; i++) {
        snprintf(peer, sizeof(peer), "10.0.0.%d", i + 1);
        assert_int_equal(use(r, id, wrong, peer), API_TOKEN_INVALID);
    }
    assert_int_equal(use(r, id, token, "10.0.1.1"), API_RATE_LIMIT);
    assert_true(try_sign_in(r, PASSWORD, "10.0.1.1"));
}

static void guesses_at_a_user_without_a_token_do_not_close_him(void **state)
{
    struct rig *r = *state;
    char id[HUB_ID_MAX + 1], token[SECRET_TEXT_MAX], peer[64];
    add_user(r, "staff");
    make_token(r, EMAIL, id, token);
    assert_int_equal(use(r, id, token, PEER), API_OK);
    for (int i = 0; i < 20; i++) {
        snprintf(peer, sizeof(peer), "10.0.0.%d", i + 1);
        assert_int_equal(use(r, id, token, peer), API_TOKEN_INVALID);
    }
    make_token(r, EMAIL, id, token);
    assert_int_equal(use(r, id, token, PEER), API_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(a_token_signs_its_user_in_once),
        RIG_TEST(a_token_has_the_fields_of_appwrite_and_the_length_that_was_asked_for),
        RIG_TEST(what_cannot_be_a_token_is_refused),
        RIG_TEST(no_token_is_made_for_who_has_no_address),
        RIG_TEST(wrong_unknown_and_foreign_tokens_hear_the_same),
        RIG_TEST(a_token_is_over_when_its_time_is),
        RIG_TEST(a_token_outlives_a_restart_and_a_clock_that_is_set),
        RIG_TEST(a_token_made_beside_a_hub_whose_clock_was_never_set_is_good_there),
        RIG_TEST(the_eleventh_token_ends_the_first),
        RIG_TEST(tokens_end_with_a_new_password_and_with_their_user),
        RIG_TEST(ten_wrong_tokens_close_an_address_also_for_passwords),
        RIG_TEST(ten_wrong_tokens_of_many_addresses_close_their_user),
        RIG_TEST(guesses_at_a_user_without_a_token_do_not_close_him),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
