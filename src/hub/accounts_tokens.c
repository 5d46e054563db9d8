/* One-time tokens: a secret that signs a user in once, and soon. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hub/accounts_internal.h"

#define LENGTH_MIN 4
#define LENGTH_MAX 128
#define LIFE_MIN_S 60
#define LIFE_MAX_S ((int64_t)365 * 24 * 3600)
#define TOKENS_MAX 10 /* per user */

/* ---- making ------------------------------------------------------------------------------------ */

static bool check_range(const char *name, int64_t value, int64_t min, int64_t max,
                        struct api_error *e)
{
    return (value >= min && value <= max) ||
           api_fail(e, API_ARGUMENT_INVALID,
                    "Invalid `%s` param: Value must be a valid range between %" PRId64
                    " and %" PRId64,
                    name, min, max);
}

/* Takes away what is over, of all users, and the oldest of this one beyond the limit. */
static bool prune(struct accounts *a, const char *user_id, struct api_error *e)
{
    sqlite3_stmt *s =
        database_statement(a->database, "DELETE FROM account_tokens WHERE expires_ms <= ?1"
                                        " OR number IN (SELECT number FROM account_tokens"
                                        " WHERE user_id = ?2 ORDER BY number DESC"
                                        " LIMIT -1 OFFSET ?3)");
    bind_i64(s, 1, accounts_session_now_ms(a));
    bind_text(s, 2, user_id);
    bind_i64(s, 3, TOKENS_MAX);
    return accounts_run(a, s, e);
}

static struct message *token_message(struct accounts *a, const char *user_id, const char *secret,
                                     int64_t life_s)
{
    char id[HUB_ID_MAX + 1], created[DATETIME_TEXT_MAX], expire[DATETIME_TEXT_MAX];
    struct message *m = message_create();
    int64_t now = accounts_now_ms(a);
    id_make(id);
    datetime_text(now, created);
    datetime_text(now + life_s * 1000, expire);
    message_set_str(m, "$id", id);
    message_set_str(m, "$createdAt", created);
    message_set_str(m, "userId", user_id);
    message_set_str(m, "secret", secret);
    message_set_str(m, "expire", expire);
    message_set_str(m, "phrase", "");
    return m;
}

bool accounts_add_token(struct accounts *a, const char *who, int64_t length, int64_t life_s,
                        struct message **out, struct api_error *e)
{
    char user_id[HUB_ID_MAX + 1], secret[LENGTH_MAX + 1];
    unsigned char digest[SECRET_DIGEST_SIZE];
    if (!check_range("length", length, LENGTH_MIN, LENGTH_MAX, e) ||
        !check_range("expire", life_s, LIFE_MIN_S, LIFE_MAX_S, e) ||
        !accounts_find_user(a, who, user_id, e) || !accounts_begin(a, e))
        return false;
    secret_hex(secret, LENGTH_MAX / 2);
    secret[length] = '\0';
    secret_digest(secret, digest);
    sqlite3_stmt *s = database_statement(
        a->database, "INSERT INTO account_tokens(user_id, digest, expires_ms) VALUES(?1, ?2, ?3)");
    bind_text(s, 1, user_id);
    bind_digest(s, 2, digest);
    bind_i64(s, 3, accounts_session_now_ms(a) + life_s * 1000);
    if (!accounts_run(a, s, e) || !prune(a, user_id, e))
        return false;
    *out = token_message(a, user_id, secret, life_s);
    return true;
}

/* ---- using ------------------------------------------------------------------------------------- */

/* Looks through the living tokens of a user. *number: the row of the right one, 0: none is; *has_any: there was
 * something to guess. */
static bool find_token(struct accounts *a, const char *user_id, const char *token, int64_t *number,
                       bool *has_any, struct api_error *e)
{
    unsigned char digest[SECRET_DIGEST_SIZE];
    secret_digest(token, digest);
    sqlite3_stmt *s = database_statement(
        a->database, "SELECT t.number, t.digest FROM account_tokens t"
                     " JOIN account_users u ON u.id = t.user_id"
                     " WHERE t.user_id = ?1 AND t.expires_ms > ?2 ORDER BY t.number");
    bind_text(s, 1, user_id);
    bind_i64(s, 2, accounts_session_now_ms(a));
    int ret = -EIO;
    *number = 0;
    *has_any = false;
    while (s && (ret = database_step(a->database, s)) == 1) {
        *has_any = true;
        if (sqlite3_column_bytes(s, 1) == SECRET_DIGEST_SIZE &&
            secret_is_equal(sqlite3_column_blob(s, 1), digest, SECRET_DIGEST_SIZE))
            *number = sqlite3_column_int64(s, 0);
    }
    return ret == 0 || accounts_fail_storage(e);
}

static bool spend(struct accounts *a, int64_t number, struct api_error *e)
{
    if (!accounts_begin(a, e))
        return false;
    sqlite3_stmt *s =
        database_statement(a->database, "DELETE FROM account_tokens WHERE number = ?1");
    bind_i64(s, 1, number);
    return accounts_run(a, s, e);
}

bool accounts_sign_in_token(struct accounts *a, const char *user_id, const char *token,
                            const char *peer, struct message **out, char secret[SECRET_TEXT_MAX],
                            struct api_error *e)
{
    char of_user[HUB_ID_MAX + 16];
    int64_t number, now = accounts_now_ms(a);
    bool has_any;
    snprintf(of_user, sizeof(of_user), "token %.*s", HUB_ID_MAX, user_id);
    if (!accounts_check_failures(a, peer, e))
        return false;
    if (attempt_limit_is_reached(a->failures, of_user, now))
        return api_fail(e, API_RATE_LIMIT,
                        "Too many wrong tokens for this user; try again in an hour");
    if (!find_token(a, user_id, token, &number, &has_any, e))
        return false;
    if (number)
        return spend(a, number, e) &&
               accounts_begin_session(a, user_id, "token", peer, out, secret, e);
    attempt_limit_count(a->failures, peer ? peer : "", now);
    if (has_any)
        attempt_limit_count(a->failures, of_user, now);
    return api_fail(e, API_TOKEN_INVALID, "Invalid token passed in the request.");
}
