/* Signing in, and what a session can do. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "hub/accounts_internal.h"
#include "hub/base64.h"
#include "hub/jwt.h"

#define SESSION_MS    ((int64_t)365 * 24 * 3600 * 1000)
#define ANONYMOUS_MAX 10000
#define SECRET_BYTES  32
#define SESSION_COLUMNS                                                                            \
    "s.id, s.user_id, s.created_ms, s.updated_ms, s.expires_ms, s.provider, s.peer, u.email"
#define SESSION_TABLES "account_sessions s JOIN account_users u ON u.id = s.user_id"

/* ---- objects ----------------------------------------------------------------------------------- */

static void set_time(struct message *m, const char *field, int64_t ms)
{
    char text[DATETIME_TEXT_MAX];
    datetime_text(ms, text);
    message_set_str(m, field, text);
}

static const char *factor_of(const char *provider, bool is_anonymous)
{
    if (is_anonymous)
        return "anonymous";
    return strcmp(provider, "token") == 0 ? "token" : "password";
}

/* The row of a statement with SESSION_COLUMNS as Appwrite's session object. The secret is for its header only. */
static struct message *session_message(struct accounts *a, sqlite3_stmt *s, const char *current)
{
    static const char *const unknown[] = {
        "providerAccessToken",
        "providerAccessTokenExpiry",
        "providerRefreshToken",
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
        "mfaUpdatedAt",
    };
    struct message *m = message_create();
    bool is_anonymous = sqlite3_column_type(s, 7) == SQLITE_NULL;
    message_set_str(m, "$id", column_text(s, 0));
    set_time(m, "$createdAt", sqlite3_column_int64(s, 2));
    set_time(m, "$updatedAt", sqlite3_column_int64(s, 3));
    message_set_str(m, "userId", column_text(s, 1));
    set_time(m, "expire", sqlite3_column_int64(s, 4) + a->skipped_ms);
    message_set_str(m, "provider", column_text(s, 5));
    message_set_str(m, "providerUid", column_text(s, 7));
    message_set_str(m, "ip", column_text(s, 6));
    for (size_t i = 0; i < ARRAY_LEN(unknown); i++)
        message_set_str(m, unknown[i], "");
    message_set_str(m, "countryCode", "--");
    message_set_str(m, "countryName", "Unknown");
    message_set_bool(m, "current", strcmp(column_text(s, 0), current) == 0);
    message_set_array(m, "factors");
    message_append_str(m, "factors", factor_of(column_text(s, 5), is_anonymous));
    message_set_str(m, "secret", "");
    return m;
}

static bool get_session(struct accounts *a, const char *id, struct message **out,
                        struct api_error *e)
{
    sqlite3_stmt *s = database_statement(a->database, "SELECT " SESSION_COLUMNS
                                                      " FROM " SESSION_TABLES " WHERE s.id = ?1");
    bind_text(s, 1, id);
    int ret = s ? database_step(a->database, s) : -EIO;
    if (ret < 0)
        return accounts_fail_storage(e);
    if (ret == 0)
        return api_fail(e, API_SESSION_NOT_FOUND, "The current user session could not be found");
    *out = session_message(a, s, id);
    sqlite3_reset(s);
    return true;
}

/* ---- beginning --------------------------------------------------------------------------------- */

/* Appwrite's form of a session's secret: base64 of {"id": user, "secret": ...}. */
static void write_secret(char out[SECRET_TEXT_MAX], const char *user_id, const char *secret)
{
    struct message *m = message_create();
    message_set_str(m, "id", user_id);
    message_set_str(m, "secret", secret);
    char *json = message_text(m, false);
    char *text = base64_write(json, strlen(json), BASE64_STANDARD);
    snprintf(out, SECRET_TEXT_MAX, "%s", text);
    secret_free(json);
    secret_free(text);
    message_destroy(m);
}

/* Takes away what is over: expired sessions and their nobodies, and the oldest beyond the limits. */
static bool prune(struct accounts *a, const char *user_id, struct api_error *e)
{
    sqlite3_stmt *s =
        database_statement(a->database, "DELETE FROM account_sessions WHERE expires_ms <= ?1"
                                        " OR number IN (SELECT number FROM account_sessions"
                                        " WHERE user_id = ?2 ORDER BY number DESC"
                                        " LIMIT -1 OFFSET ?3)"
                                        " OR number IN (SELECT number FROM account_sessions"
                                        " WHERE provider = 'anonymous' ORDER BY number DESC"
                                        " LIMIT -1 OFFSET ?4) RETURNING provider = 'anonymous'");
    bool has_nobodies = false;
    int ret = -EIO;
    bind_i64(s, 1, accounts_session_now_ms(a));
    bind_text(s, 2, user_id);
    bind_i64(s, 3, ACCOUNT_SESSIONS_MAX);
    bind_i64(s, 4, ANONYMOUS_MAX);
    while (s && (ret = database_step(a->database, s)) == 1)
        has_nobodies |= sqlite3_column_int(s, 0) != 0;
    if (ret < 0)
        return accounts_fail_storage(e);
    if (!has_nobodies)
        return true;
    s = database_statement(a->database, "DELETE FROM account_users WHERE email IS NULL AND"
                                        " id NOT IN (SELECT user_id FROM account_sessions)");
    return accounts_run(a, s, e);
}

bool accounts_begin_session(struct accounts *a, const char *user_id, const char *provider,
                            const char *peer, struct message **out, char secret[SECRET_TEXT_MAX],
                            struct api_error *e)
{
    char id[HUB_ID_MAX + 1], hex[2 * SECRET_BYTES + 1];
    unsigned char digest[SECRET_DIGEST_SIZE];
    id_make(id);
    secret_hex(hex, SECRET_BYTES);
    secret_digest(hex, digest);
    write_secret(secret, user_id, hex);
    if (!accounts_begin(a, e))
        return false;
    int64_t now = accounts_now_ms(a);
    sqlite3_stmt *s = database_statement(
        a->database, "INSERT INTO account_sessions(id, user_id, digest, provider, peer, created_ms,"
                     " updated_ms, expires_ms) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7)");
    bind_text(s, 1, id);
    bind_text(s, 2, user_id);
    bind_digest(s, 3, digest);
    bind_text(s, 4, provider);
    bind_text(s, 5, peer ? peer : "");
    bind_i64(s, 6, now);
    bind_i64(s, 7, now - a->skipped_ms + SESSION_MS);
    return accounts_run(a, s, e) && prune(a, user_id, e) && get_session(a, id, out, e);
}

/* The user with that address and password. Takes as long when there is none. */
static bool check_password(struct accounts *a, const char *email, const char *password,
                           char user_id[HUB_ID_MAX + 1], bool *is_right, struct api_error *e)
{
    char kept[256], *hash = NULL;
    bool is_email = email_normalise(email, kept);
    sqlite3_stmt *s =
        database_statement(a->database, "SELECT id, password FROM account_users WHERE email = ?1");
    bind_text(s, 1, is_email ? kept : NULL);
    int ret = s ? database_step(a->database, s) : -EIO;
    if (ret < 0)
        return accounts_fail_storage(e);
    if (ret == 1) {
        snprintf(user_id, HUB_ID_MAX + 1, "%.*s", HUB_ID_MAX, column_text(s, 0));
        hash = xstrdup((const char *)sqlite3_column_text(s, 1));
        sqlite3_reset(s);
    }
    bool is_possible = password && strlen(password) <= PASSWORD_MAX;
    *is_right = password_is_right(is_possible ? password : "", hash) && is_possible;
    secret_free(hash);
    return true;
}

bool accounts_sign_in(struct accounts *a, const char *email, const char *password, const char *peer,
                      struct message **out, char secret[SECRET_TEXT_MAX], struct api_error *e)
{
    char user_id[HUB_ID_MAX + 1];
    bool is_right = false;
    if (!accounts_check_failures(a, peer, e) ||
        !check_password(a, email, password, user_id, &is_right, e))
        return false;
    if (!is_right) {
        attempt_limit_count(a->failures, peer ? peer : "", accounts_now_ms(a));
        return api_fail(e, API_CREDENTIALS_INVALID,
                        "Invalid credentials. Please check the email and password.");
    }
    return accounts_begin_session(a, user_id, "email", peer, out, secret, e);
}

bool accounts_sign_in_anonymous(struct accounts *a, const char *peer, struct message **out,
                                char secret[SECRET_TEXT_MAX], struct api_error *e)
{
    char user_id[HUB_ID_MAX + 1];
    const char *address = peer ? peer : "";
    if (attempt_limit_is_reached(a->anonymous, address, accounts_now_ms(a)))
        return api_fail(e, API_RATE_LIMIT, "Too many sign-ins from this address");
    attempt_limit_count(a->anonymous, address, accounts_now_ms(a));
    id_make(user_id);
    return accounts_insert_user(a, user_id, NULL, NULL, "guest", e) &&
           accounts_begin_session(a, user_id, "anonymous", peer, out, secret, e);
}

static bool end_players(struct accounts *a, struct api_error *e)
{
    static const char *const ends[] = {
        "DELETE FROM account_sessions WHERE provider = 'player'",
        "DELETE FROM account_users WHERE email IS NULL AND"
        " id NOT IN (SELECT user_id FROM account_sessions)",
    };
    bool is_done = accounts_begin(a, e);
    for (size_t i = 0; is_done && i < ARRAY_LEN(ends); i++)
        is_done = accounts_run(a, database_statement(a->database, ends[i]), e);
    return is_done;
}

bool accounts_sign_in_player(struct accounts *a, char secret[SECRET_TEXT_MAX], struct api_error *e)
{
    struct caller caller = { 0 };
    struct message *session = NULL;
    char user_id[HUB_ID_MAX + 1];
    if (*secret && !accounts_identify(a, &(struct credentials){ .session = secret }, &caller, e))
        return false;
    if (caller.kind == CALLER_USER)
        return true;
    id_make(user_id);
    bool is_done = end_players(a, e) && accounts_insert_user(a, user_id, NULL, NULL, "staff", e) &&
                   accounts_begin_session(a, user_id, "player", NULL, &session, secret, e);
    message_destroy(session);
    return is_done;
}

/* ---- the caller's own -------------------------------------------------------------------------- */

static bool check_user(const struct caller *c, struct api_error *e)
{
    if (c->kind == CALLER_USER)
        return true;
    return api_fail(e, API_SCOPE_MISSING, "User (role: %s) missing scope (account)",
                    c->kind == CALLER_KEY ? "applications" : "guests");
}

/* The caller is a user with a session. */
static bool check_session(const struct caller *c, struct api_error *e)
{
    if (!check_user(c, e))
        return false;
    return *c->session_id ||
           api_fail(e, API_SESSION_NOT_FOUND, "The current user session could not be found");
}

bool accounts_extend_session(struct accounts *a, const struct caller *c, struct message **out,
                             struct api_error *e)
{
    if (!check_session(c, e) || !accounts_begin(a, e))
        return false;
    sqlite3_stmt *s = database_statement(
        a->database, "UPDATE account_sessions SET expires_ms = ?2, updated_ms = ?3 WHERE id = ?1");
    bind_text(s, 1, c->session_id);
    bind_i64(s, 2, accounts_session_now_ms(a) + SESSION_MS);
    bind_i64(s, 3, accounts_now_ms(a));
    return accounts_run(a, s, e) && get_session(a, c->session_id, out, e);
}

/* An anonymous user is gone with his session: nobody can ever be him again. */
static bool end_nobody(struct accounts *a, const char *user_id, struct api_error *e)
{
    sqlite3_stmt *s = database_statement(
        a->database, "DELETE FROM account_users WHERE id = ?1 AND email IS NULL AND"
                     " NOT EXISTS (SELECT 1 FROM account_sessions WHERE user_id = ?1)");
    bind_text(s, 1, user_id);
    return accounts_run(a, s, e);
}

bool accounts_end_all(struct accounts *a, const char *user_id, struct api_error *e)
{
    static const char *const ends[] = { "DELETE FROM account_sessions WHERE user_id = ?1",
                                        "DELETE FROM account_tokens WHERE user_id = ?1" };
    bool is_done = accounts_begin(a, e);
    for (size_t i = 0; is_done && i < ARRAY_LEN(ends); i++) {
        sqlite3_stmt *s = database_statement(a->database, ends[i]);
        bind_text(s, 1, user_id);
        is_done = accounts_run(a, s, e);
    }
    return is_done && end_nobody(a, user_id, e);
}

bool accounts_end_session(struct accounts *a, const struct caller *c, const char *session_id,
                          struct api_error *e)
{
    if (!check_session(c, e))
        return false;
    if (!session_id)
        return accounts_end_all(a, c->user_id, e);
    if (!accounts_begin(a, e))
        return false;
    sqlite3_stmt *s = database_statement(
        a->database, "DELETE FROM account_sessions WHERE id = ?1 AND user_id = ?2 RETURNING id");
    bind_text(s, 1, strcmp(session_id, "current") == 0 ? c->session_id : session_id);
    bind_text(s, 2, c->user_id);
    int n = 0, ret = -EIO;
    while (s && (ret = database_step(a->database, s)) == 1)
        n++;
    if (ret < 0)
        return accounts_fail_storage(e);
    if (n == 0)
        return api_fail(e, API_SESSION_NOT_FOUND, "The session could not be found");
    return end_nobody(a, c->user_id, e);
}

bool accounts_sessions(struct accounts *a, const struct caller *c, struct message **out,
                       struct api_error *e)
{
    if (!check_user(c, e))
        return false;
    sqlite3_stmt *s = database_statement(
        a->database, "SELECT " SESSION_COLUMNS " FROM " SESSION_TABLES
                     " WHERE s.user_id = ?1 AND s.expires_ms > ?2 ORDER BY s.number");
    struct message *list = message_create();
    int64_t n = 0;
    int ret = -EIO;
    message_set_i64(list, "total", 0);
    message_set_array(list, "sessions");
    bind_text(s, 1, c->user_id);
    bind_i64(s, 2, accounts_session_now_ms(a));
    while (s && (ret = database_step(a->database, s)) == 1) {
        message_append_object(list, "sessions", session_message(a, s, c->session_id));
        message_set_i64(list, "total", ++n);
    }
    if (ret < 0) {
        message_destroy(list);
        return accounts_fail_storage(e);
    }
    *out = list;
    return true;
}

/* ---- JWTs -------------------------------------------------------------------------------------- */

static bool jwt_key(struct accounts *a, unsigned char key[SECRET_DIGEST_SIZE], struct api_error *e)
{
    int n = accounts_value(a, "jwt_key", key, SECRET_DIGEST_SIZE);
    if (n == SECRET_DIGEST_SIZE)
        return true;
    if (n < 0)
        return accounts_fail_storage(e);
    secret_random(key, SECRET_DIGEST_SIZE);
    return accounts_set_value(a, "jwt_key", key, SECRET_DIGEST_SIZE, e);
}

bool accounts_jwt_for(struct accounts *a, const struct caller *c, int64_t life_s,
                      struct message **out, struct api_error *e)
{
    unsigned char key[SECRET_DIGEST_SIZE];
    if (life_s < 1 || life_s > ACCOUNT_JWT_MAX_S)
        return api_fail(e, API_ARGUMENT_INVALID,
                        "Invalid `duration` param: Value must be a valid range between 1 and %d",
                        ACCOUNT_JWT_MAX_S);
    if (!check_session(c, e) || !jwt_key(a, key, e))
        return false;
    int64_t now_s = accounts_now_ms(a) / 1000;
    struct message *payload = message_create();
    message_set_str(payload, "userId", c->user_id);
    message_set_str(payload, "sessionId", c->session_id);
    message_set_i64(payload, "iat", now_s);
    message_set_i64(payload, "exp", now_s + life_s);
    char *token = jwt_write(payload, key);
    *out = message_create();
    message_set_str(*out, "jwt", token);
    message_destroy(payload);
    secret_free(token);
    return true;
}

bool accounts_jwt(struct accounts *a, const struct caller *c, struct message **out,
                  struct api_error *e)
{
    return accounts_jwt_for(a, c, ACCOUNT_JWT_S, out, e);
}
