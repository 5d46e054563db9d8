/* Who asks: from the credentials of a request. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "hub/accounts_internal.h"
#include "hub/base64.h"
#include "hub/jwt.h"

#define SESSION_TEXT_MAX 1024 /* ours have about 150 */

/* ---- rows -------------------------------------------------------------------------------------- */

/* 1: found, with its values; 0: not; -errno. */
static int find_session(struct accounts *a, const char *secret, const char *user_id,
                        struct caller *out)
{
    unsigned char digest[SECRET_DIGEST_SIZE];
    secret_digest(secret, digest);
    sqlite3_stmt *s = database_statement(
        a->database, "SELECT s.id, s.digest, u.id, u.label FROM account_sessions s"
                     " JOIN account_users u ON u.id = s.user_id"
                     " WHERE s.digest = ?1 AND s.expires_ms > ?2");
    bind_digest(s, 1, digest);
    bind_i64(s, 2, accounts_session_now_ms(a));
    int ret = s ? database_step(a->database, s) : -EIO;
    if (ret != 1)
        return ret;
    bool is_his = strcmp(column_text(s, 2), user_id) == 0 &&
                  sqlite3_column_bytes(s, 1) == SECRET_DIGEST_SIZE &&
                  secret_is_equal(sqlite3_column_blob(s, 1), digest, SECRET_DIGEST_SIZE);
    if (is_his) {
        out->kind = CALLER_USER;
        snprintf(out->session_id, sizeof(out->session_id), "%.*s", HUB_ID_MAX, column_text(s, 0));
        snprintf(out->user_id, sizeof(out->user_id), "%.*s", HUB_ID_MAX, column_text(s, 2));
        snprintf(out->label, sizeof(out->label), "%.31s", column_text(s, 3));
    }
    sqlite3_reset(s);
    return is_his;
}

static bool is_text(const char *text)
{
    return text && *text;
}

/* ---- key and JWT ------------------------------------------------------------------------------- */

static bool identify_key(struct accounts *a, const char *key, struct caller *out,
                         struct api_error *e)
{
    unsigned char digest[SECRET_DIGEST_SIZE];
    secret_digest(key, digest);
    sqlite3_stmt *s =
        database_statement(a->database, "SELECT digest FROM account_keys WHERE digest = ?1");
    bind_digest(s, 1, digest);
    int ret = s ? database_step(a->database, s) : -EIO;
    if (ret < 0)
        return api_fail(e, API_STORAGE, "The hub cannot read its disk");
    if (ret == 1) {
        bool is_it = sqlite3_column_bytes(s, 0) == SECRET_DIGEST_SIZE &&
                     secret_is_equal(sqlite3_column_blob(s, 0), digest, SECRET_DIGEST_SIZE);
        sqlite3_reset(s);
        if (is_it) {
            out->kind = CALLER_KEY;
            return true;
        }
    }
    return api_fail(e, API_SCOPE_MISSING, "The API key is not valid");
}

/* 1: the session lives, and is of that user. 0: not. -errno. */
static int find_user_of(struct accounts *a, const char *session_id, const char *user_id,
                        struct caller *out)
{
    sqlite3_stmt *s =
        database_statement(a->database, "SELECT u.id, u.label FROM account_sessions s"
                                        " JOIN account_users u ON u.id = s.user_id"
                                        " WHERE s.id = ?1 AND u.id = ?2 AND s.expires_ms > ?3");
    bind_text(s, 1, session_id);
    bind_text(s, 2, user_id);
    bind_i64(s, 3, accounts_session_now_ms(a));
    int ret = s ? database_step(a->database, s) : -EIO;
    if (ret != 1)
        return ret;
    out->kind = CALLER_USER;
    snprintf(out->user_id, sizeof(out->user_id), "%.*s", HUB_ID_MAX, column_text(s, 0));
    snprintf(out->label, sizeof(out->label), "%.31s", column_text(s, 1));
    sqlite3_reset(s);
    return 1;
}

static bool identify_jwt(struct accounts *a, const char *jwt, struct caller *out,
                         struct api_error *e)
{
    unsigned char key[SECRET_DIGEST_SIZE];
    int ret = accounts_value(a, "jwt_key", key, sizeof(key));
    struct message *payload = ret == SECRET_DIGEST_SIZE ? jwt_read(jwt, key) : NULL;
    int64_t now_s = accounts_now_ms(a) / 1000, end_s = message_i64(payload, "exp", 0);
    bool is_alive = payload && now_s < end_s && end_s - now_s <= ACCOUNT_JWT_MAX_S;
    if (is_alive)
        ret = find_user_of(a, message_str(payload, "sessionId", ""),
                           message_str(payload, "userId", ""), out);
    message_destroy(payload);
    if (ret < 0)
        return api_fail(e, API_STORAGE, "The hub cannot read its disk");
    if (is_alive && ret == 1)
        return true;
    return api_fail(e, API_JWT_INVALID, "Failed to verify JWT. Invalid or expired token");
}

/* ---- sessions ---------------------------------------------------------------------------------- */

/* Whether `text` is the secret of a living session. 1, 0, -errno. */
static int try_session(struct accounts *a, const char *text, size_t len, struct caller *out)
{
    size_t n = 0;
    char *json = len <= SESSION_TEXT_MAX ? base64_read(text, len, &n) : NULL;
    struct message *m = json ? message_parse(json, n, NULL, 0) : NULL;
    const char *secret = message_str(m, "secret", ""), *user_id = message_str(m, "id", "");
    int ret = *secret && *user_id ? find_session(a, secret, user_id, out) : 0;
    message_destroy(m);
    secret_free(json);
    return ret;
}

/* The same of a cookie's value, where %XX stands for some characters. */
static int try_cookie(struct accounts *a, const char *text, size_t len, struct caller *out)
{
    char plain[SESSION_TEXT_MAX + 1];
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        if (n == SESSION_TEXT_MAX)
            return 0;
        char digits[3] = "";
        if (text[i] == '%' && i + 2 < len && isxdigit((unsigned char)text[i + 1]) &&
            isxdigit((unsigned char)text[i + 2])) {
            memcpy(digits, text + i + 1, 2);
            plain[n++] = (char)strtol(digits, NULL, 16);
            i += 2;
        } else {
            plain[n++] = text[i];
        }
    }
    return try_session(a, plain, n, out);
}

/* The session in the cookie of that name: "a=b; name=value". */
static int try_cookies(struct accounts *a, const char *cookies, const char *name,
                       struct caller *out)
{
    size_t name_len = strlen(name);
    for (const char *at = cookies; is_text(at);) {
        at += strspn(at, "; \t");
        size_t len = strcspn(at, ";");
        if (len > name_len && at[name_len] == '=' && strncmp(at, name, name_len) == 0) {
            const char *value = at + name_len + 1;
            size_t value_len = len - name_len - 1;
            while (value_len && isspace((unsigned char)value[value_len - 1]))
                value_len--;
            int ret = try_cookie(a, value, value_len, out);
            if (ret != 0)
                return ret;
        }
        at += len;
    }
    return 0;
}

static int try_fallback(struct accounts *a, const char *text, const char *name, struct caller *out)
{
    struct message *m = is_text(text) ? message_parse(text, strlen(text), NULL, 0) : NULL;
    const char *value = message_str(m, name, "");
    int ret = *value ? try_session(a, value, strlen(value), out) : 0;
    message_destroy(m);
    return ret;
}

/* A browser may hold a dead cookie beside a living session: the first that lives counts. */
static bool identify_session(struct accounts *a, const struct credentials *c, struct caller *out,
                             struct api_error *e)
{
    char *name = xasprintf("a_session_%s", a->project_id);
    char *legacy = xasprintf("%s_legacy", name);
    int ret = try_cookies(a, c->cookie, name, out);
    if (ret == 0)
        ret = try_cookies(a, c->cookie, legacy, out);
    if (ret == 0 && is_text(c->session))
        ret = try_session(a, c->session, strlen(c->session), out);
    if (ret == 0)
        ret = try_fallback(a, c->fallback_cookies, name, out);
    free(name);
    free(legacy);
    return ret >= 0 || api_fail(e, API_STORAGE, "The hub cannot read its disk");
}

bool accounts_identify(struct accounts *a, const struct credentials *c, struct caller *out,
                       struct api_error *e)
{
    *out = (struct caller){ .kind = CALLER_GUEST };
    snprintf(out->peer, sizeof(out->peer), "%.63s", c->peer ? c->peer : "");
    if (is_text(c->key))
        return identify_key(a, c->key, out, e);
    if (is_text(c->jwt))
        return identify_jwt(a, c->jwt, out, e);
    return identify_session(a, c, out, e);
}
