/* Who a request comes from: sessions, JWTs, keys; and the code that claims a house. */
#include "accounts_user.h"

/* ---- where a session is found ------------------------------------------------------------------- */

static void a_session_is_found_in_every_place_that_carries_it(void **state)
{
    struct rig *r = *state;
    char secret[SECRET_TEXT_MAX], encoded[3 * SECRET_TEXT_MAX];
    add_user(r, "owner");
    sign_in(r, secret);
    size_t len = 0;
    for (size_t i = 0; secret[i]; i++)
        len += (size_t)snprintf(encoded + len, sizeof(encoded) - len, i % 2 ? "%c" : "%%%02X",
                                secret[i]);
    const char *dead = "eyJpZCI6IngiLCJzZWNyZXQiOiJ5In0=";
    char *texts[] = {
        xasprintf("a_session_prj=%s", secret),
        xasprintf("a_session_prj_legacy=%s", secret),
        xasprintf("other=1; a_session_prj=%s; more=2", encoded),
        xasprintf("x=a_session_prj; a_session_prj=%s;a_session_prj_legacy=%s", dead, secret),
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        assert_int_equal(identify(r, (struct credentials){ .cookie = texts[i] }).kind, CALLER_USER);
        free(texts[i]);
    }
    char *fallback = xasprintf("{\"a_session_prj\":\"%s\"}", secret);
    char *foreign = xasprintf("a_session_other=%s", secret);
    char *dead_cookie = xasprintf("a_session_prj=%s", dead);
    assert_int_equal(identify(r, (struct credentials){ .fallback_cookies = fallback }).kind,
                     CALLER_USER);
    assert_int_equal(
        identify(r, (struct credentials){ .cookie = dead_cookie, .session = secret }).kind,
        CALLER_USER);
    assert_int_equal(identify(r, (struct credentials){ .cookie = foreign }).kind, CALLER_GUEST);
    free(fallback);
    free(foreign);
    free(dead_cookie);
}

static const char *const bad_sessions[] = {
    "",
    "x",
    "=",
    "%",
    "not base64!",
    "e30=",                         /* {} */
    "W10=",                         /* [] */
    "eyJpZCI6MSwic2VjcmV0IjoxfQ==", /* numbers */
    "eyJpZCI6IngiLCJzZWNyZXQiOiJ5In0=",
    CHARS_256 CHARS_256 CHARS_256 CHARS_256 CHARS_256,
};

static void what_is_no_session_makes_a_guest(void **state)
{
    struct rig *r = *state;
    for (size_t i = 0; i < ARRAY_LEN(bad_sessions); i++) {
        char *cookie = xasprintf("a_session_prj=%s", bad_sessions[i]);
        char *json = xasprintf("{\"a_session_prj\":\"%s\"}", bad_sessions[i]);
        assert_int_equal(by_session(r, bad_sessions[i]).kind, CALLER_GUEST);
        assert_int_equal(identify(r, (struct credentials){ .cookie = cookie }).kind, CALLER_GUEST);
        assert_int_equal(identify(r, (struct credentials){ .fallback_cookies = json }).kind,
                         CALLER_GUEST);
        free(cookie);
        free(json);
    }
    assert_int_equal(identify(r, (struct credentials){ .fallback_cookies = "[1" }).kind,
                     CALLER_GUEST);
    assert_int_equal(identify(r, (struct credentials){ 0 }).kind, CALLER_GUEST);
}

static void a_secret_under_another_users_id_is_none(void **state)
{
    struct rig *r = *state;
    char secret[SECRET_TEXT_MAX];
    size_t len;
    add_user(r, "owner");
    sign_in(r, secret);
    char *json = base64_read(secret, strlen(secret), &len);
    json[8] = json[8] == 'a' ? 'b' : 'a'; /* in the id */
    char *changed = base64_write(json, len, BASE64_STANDARD);
    assert_int_equal(by_session(r, changed).kind, CALLER_GUEST);
    free(json);
    free(changed);
}

/* ---- JWT --------------------------------------------------------------------------------------- */

static char *make_jwt(struct rig *r, const struct caller *c, int64_t life_s)
{
    struct message *m;
    rig_must(r, accounts_jwt_for(r->accounts, c, life_s, &m, &r->e));
    char *jwt = xstrdup(message_str(m, "jwt", ""));
    message_destroy(m);
    return jwt;
}

/* Whether the JWT is taken; a refused one must be refused as such. */
static bool jwt_is_taken(struct rig *r, const char *jwt)
{
    struct credentials c = { .jwt = jwt };
    struct caller caller;
    bool is_taken = accounts_identify(r->accounts, &c, &caller, &r->e);
    if (is_taken)
        assert_int_equal(caller.kind, CALLER_USER);
    else
        assert_int_equal(r->e.kind, API_JWT_INVALID);
    return is_taken;
}

static void a_jwt_is_its_user_until_its_time_or_its_session_is_over(void **state)
{
    struct rig *r = *state;
    char secret[SECRET_TEXT_MAX];
    struct message *m;
    add_user(r, "staff");
    sign_in(r, secret);
    struct caller c = by_session(r, secret);
    char *jwt = make_jwt(r, &c, 3600), *quick = make_jwt(r, &c, 60);
    struct caller by_jwt = identify(r, (struct credentials){ .jwt = jwt, .session = "x" });
    assert_string_equal(by_jwt.user_id, c.user_id);
    assert_string_equal(by_jwt.label, "staff");
    assert_string_equal(by_jwt.session_id, "");
    rig_must_not(r, accounts_jwt(r->accounts, &by_jwt, &m, &r->e), API_SESSION_NOT_FOUND);
    rig_pass(r, 59 * 1000);
    assert_true(jwt_is_taken(r, quick));
    rig_pass(r, 1000);
    assert_false(jwt_is_taken(r, quick));
    rig_reboot(r, r->wall_ms);
    assert_true(jwt_is_taken(r, jwt)); /* the key is kept */
    sign_in(r, secret);                /* another one of his does not help */
    rig_must(r, accounts_end_session(r->accounts, &c, "current", &r->e));
    assert_false(jwt_is_taken(r, jwt));
    free(jwt);
    free(quick);
}

static void a_jwt_lives_an_hour_at_most(void **state)
{
    struct rig *r = *state;
    char secret[SECRET_TEXT_MAX];
    struct message *m;
    add_user(r, "staff");
    sign_in(r, secret);
    struct caller c = by_session(r, secret);
    rig_must_not(r, accounts_jwt_for(r->accounts, &c, 3601, &m, &r->e), API_ARGUMENT_INVALID);
    rig_must_not(r, accounts_jwt_for(r->accounts, &c, 0, &m, &r->e), API_ARGUMENT_INVALID);
    char *jwt = make_jwt(r, &c, 3600);
    rig_pass(r, HOUR_MS);
    assert_false(jwt_is_taken(r, jwt));
    free(jwt);
}

/* A token with this header and payload and, where it has one, the signature of another. */
static char *forge(const char *header, const char *payload, const char *signature)
{
    char *a = base64_write(header, strlen(header), BASE64_URL);
    char *b = base64_write(payload, strlen(payload), BASE64_URL);
    char *token = xasprintf("%s.%s.%s", a, b, signature);
    free(a);
    free(b);
    return token;
}

static void a_jwt_that_was_not_signed_here_is_refused(void **state)
{
    struct rig *r = *state;
    char secret[SECRET_TEXT_MAX];
    size_t len;
    assert_false(jwt_is_taken(r, "a.b.c")); /* no key was made yet */
    add_user(r, "owner");
    sign_in(r, secret);
    struct caller c = by_session(r, secret);
    char *jwt = make_jwt(r, &c, 900);
    char *body = strchr(jwt, '.') + 1, *signature = strrchr(jwt, '.') + 1;
    char *payload = base64_read(body, (size_t)(signature - 1 - body), &len);
    char *bad[] = {
        forge("{\"alg\":\"none\"}", payload, ""),
        forge("{\"alg\":\"none\"}", payload, signature),
        forge("{\"typ\":\"JWT\",\"alg\":\"HS256\"}", "{\"userId\":\"x\"}", signature),
        forge("", "", ""),
        xasprintf("%.*s", (int)(signature - 1 - jwt), jwt), /* without signature */
        xasprintf("%.*s.", (int)(signature - 1 - jwt), jwt),
        xasprintf("%s.%s", jwt, signature),
        xasprintf(".%s", jwt),
        xstrdup("..."),
        xstrdup(CHARS_256 CHARS_256 "." CHARS_256 CHARS_256
                                    "." CHARS_256 CHARS_256 CHARS_256 CHARS_256 CHARS_256),
    };
    assert_true(jwt_is_taken(r, jwt));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (jwt_is_taken(r, bad[i]))
            fail_msg("taken: %s", bad[i]);
        free(bad[i]);
    }
    for (size_t i = 0; jwt[i]; i++) { /* any bit */
        char was = jwt[i];
        jwt[i] = was == 'A' ? 'Q' : 'A'; /* the highest bit of its six, which is never padding */
        if (was != '.' && was != jwt[i] && was != 'Q' && jwt_is_taken(r, jwt) &&
            jwt[i + 1]) /* the last has unused bits */
            fail_msg("taken with another character %zu", i);
        jwt[i] = was;
    }
    free(payload);
    free(jwt);
}

/* ---- keys -------------------------------------------------------------------------------------- */

static void a_key_is_all_of_its_text_until_it_is_removed(void **state)
{
    struct rig *r = *state;
    char secret[SECRET_TEXT_MAX], other[SECRET_TEXT_MAX];
    struct caller c;
    struct message *list;
    rig_must(r, accounts_add_key(r->accounts, "provisioning", secret, &r->e));
    rig_must_not(r, accounts_add_key(r->accounts, "provisioning", other, &r->e), API_USER_EXISTS);
    rig_must_not(r, accounts_add_key(r->accounts, "", other, &r->e), API_ARGUMENT_INVALID);
    rig_must_not(r, accounts_add_key(r->accounts, "a\nb", other, &r->e), API_ARGUMENT_INVALID);
    assert_int_equal(identify(r, (struct credentials){ .key = secret }).kind, CALLER_KEY);
    rig_must(r, accounts_keys(r->accounts, &list, &r->e));
    assert_int_equal(message_i64(list, "total", 0), 1);
    message_destroy(list);
    secret[strlen(secret) - 1] ^= 1;
    struct credentials wrong = { .key = secret };
    rig_must_not(r, accounts_identify(r->accounts, &wrong, &c, &r->e), API_SCOPE_MISSING);
    secret[strlen(secret) - 1] ^= 1;
    rig_must(r, accounts_remove_key(r->accounts, "provisioning", &r->e));
    rig_must_not(r, accounts_identify(r->accounts, &wrong, &c, &r->e), API_SCOPE_MISSING);
    rig_must_not(r, accounts_remove_key(r->accounts, "provisioning", &r->e), API_USER_NOT_FOUND);
}

static void a_key_counts_before_a_jwt_and_a_jwt_before_a_session(void **state)
{
    struct rig *r = *state;
    char secret[SECRET_TEXT_MAX], key[SECRET_TEXT_MAX];
    struct caller c;
    add_user(r, "owner");
    sign_in(r, secret);
    rig_must(r, accounts_add_key(r->accounts, "k", key, &r->e));
    struct credentials all = { .key = key, .jwt = "bad", .session = secret };
    assert_int_equal(identify(r, all).kind, CALLER_KEY);
    all.key = ""; /* an empty header is none */
    rig_must_not(r, accounts_identify(r->accounts, &all, &c, &r->e), API_JWT_INVALID);
    all.jwt = "";
    assert_int_equal(identify(r, all).kind, CALLER_USER);
}

/* ---- claiming ---------------------------------------------------------------------------------- */

static void a_new_house_is_claimed_once_with_its_code(void **state)
{
    struct rig *r = *state;
    char code[SECRET_TEXT_MAX], again[SECRET_TEXT_MAX];
    rig_must(r, accounts_claim_code(r->accounts, code, &r->e));
    assert_int_equal(strlen(code), 14);
    rig_reboot(r, r->wall_ms);
    rig_must(r, accounts_claim_code(r->accounts, again, &r->e));
    assert_string_equal(again, code);
    rig_must_not(r, accounts_claim(r->accounts, "AAAA-BBBB-CCCC", EMAIL, PASSWORD, &r->e),
                 API_CREDENTIALS_INVALID);
    rig_must_not(r, accounts_claim(r->accounts, code, EMAIL, "short", &r->e), API_ARGUMENT_INVALID);
    for (char *c = code; *c; c++) /* as somebody types it */
        *c = (char)(*c == '-' ? ' ' : *c >= 'A' ? *c + 32 : *c);
    rig_must(r, accounts_claim(r->accounts, code, EMAIL, PASSWORD, &r->e));
    assert_true(try_sign_in(r, PASSWORD, PEER));
    rig_must_not(r, accounts_claim(r->accounts, code, "x@bar.example", PASSWORD, &r->e),
                 API_CREDENTIALS_INVALID);
    rig_must(r, accounts_claim_code(r->accounts, again, &r->e));
    assert_string_equal(again, "");
    rig_must(r, accounts_remove_user(r->accounts, EMAIL, &r->e));
    rig_must_not(r, accounts_claim(r->accounts, code, EMAIL, PASSWORD, &r->e),
                 API_CREDENTIALS_INVALID); /* it was spent */
}

static void codes_cannot_be_tried_for_long(void **state)
{
    struct rig *r = *state;
    static const char *const wrong[] = { "", "-", "AAAA-BBBB-CCCC", "AAAABBBBCCCCDDDD", NULL };
    char code[SECRET_TEXT_MAX], longer[SECRET_TEXT_MAX + 1];
    rig_must_not(r, accounts_claim(r->accounts, "", EMAIL, PASSWORD, &r->e),
                 API_CREDENTIALS_INVALID); /* none was made yet */
    rig_must(r, accounts_claim_code(r->accounts, code, &r->e));
    snprintf(longer, sizeof(longer), "%sX", code);
    rig_must_not(r, accounts_claim(r->accounts, longer, EMAIL, PASSWORD, &r->e),
                 API_CREDENTIALS_INVALID);
    for (size_t i = 0; i < 8; i++)
        rig_must_not(
            r, accounts_claim(r->accounts, wrong[i % ARRAY_LEN(wrong)], EMAIL, PASSWORD, &r->e),
            API_CREDENTIALS_INVALID);
    rig_must_not(r, accounts_claim(r->accounts, code, EMAIL, PASSWORD, &r->e), API_RATE_LIMIT);
    rig_pass(r, HOUR_MS);
    rig_must(r, accounts_claim(r->accounts, code, EMAIL, PASSWORD, &r->e));
}

static void only_an_owner_makes_the_house_claimed(void **state)
{
    struct rig *r = *state;
    char code[SECRET_TEXT_MAX];
    add_user(r, "staff");
    rig_must(r, accounts_claim_code(r->accounts, code, &r->e));
    assert_int_not_equal(strlen(code), 0);
    rig_must(r, accounts_add_user(r->accounts, "o@bar.example", PASSWORD, "owner", NULL, &r->e));
    rig_must(r, accounts_claim_code(r->accounts, code, &r->e));
    assert_string_equal(code, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(a_session_is_found_in_every_place_that_carries_it),
        RIG_TEST(what_is_no_session_makes_a_guest),
        RIG_TEST(a_secret_under_another_users_id_is_none),
        RIG_TEST(a_jwt_is_its_user_until_its_time_or_its_session_is_over),
        RIG_TEST(a_jwt_lives_an_hour_at_most),
        RIG_TEST(a_jwt_that_was_not_signed_here_is_refused),
        RIG_TEST(a_key_is_all_of_its_text_until_it_is_removed),
        RIG_TEST(a_key_counts_before_a_jwt_and_a_jwt_before_a_session),
        RIG_TEST(a_new_house_is_claimed_once_with_its_code),
        RIG_TEST(codes_cannot_be_tried_for_long),
        RIG_TEST(only_an_owner_makes_the_house_claimed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
