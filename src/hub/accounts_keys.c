/* API keys, and the code that claims a new house. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hub/accounts_internal.h"

#define KEY_NAME_MAX   128
#define KEY_BYTES      48
#define CLAIM_DIGITS   12
#define CLAIM_ALPHABET "ABCDEFGHJKLMNPQRSTUVWXYZ23456789" /* 32; without I, O, 0, 1 */
/* Wrong codes of all addresses count together: the code is short. */
#define CLAIM_PEER "claim"

/* ---- keys -------------------------------------------------------------------------------------- */

static bool is_name(const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)name[i] < ' ' || name[i] == 127)
            return false;
    }
    return len > 0 && len <= KEY_NAME_MAX;
}

bool accounts_add_key(struct accounts *a, const char *name, char secret[SECRET_TEXT_MAX],
                      struct api_error *e)
{
    char id[HUB_ID_MAX + 1];
    unsigned char digest[SECRET_DIGEST_SIZE];
    if (!is_name(name))
        return api_fail(e, API_ARGUMENT_INVALID, "The name of a key has 1 to %d bytes of one line",
                        KEY_NAME_MAX);
    int n = snprintf(secret, SECRET_TEXT_MAX, "standard_");
    secret_hex(secret + n, KEY_BYTES);
    secret_digest(secret, digest);
    id_make(id);
    if (!accounts_begin(a, e))
        return false;
    sqlite3_stmt *s = database_statement(
        a->database, "INSERT INTO account_keys(id, name, digest, created_ms) VALUES(?1,?2,?3,?4)");
    bind_text(s, 1, id);
    bind_text(s, 2, name);
    bind_digest(s, 3, digest);
    bind_i64(s, 4, accounts_now_ms(a));
    int ret = s ? database_step(a->database, s) : -EIO;
    if (ret == -EEXIST)
        return api_fail(e, API_USER_EXISTS, "There is a key %.128s already", name);
    return ret == 0 || accounts_fail_storage(e);
}

bool accounts_remove_key(struct accounts *a, const char *name, struct api_error *e)
{
    if (!accounts_begin(a, e))
        return false;
    sqlite3_stmt *s = database_statement(
        a->database, "DELETE FROM account_keys WHERE name = ?1 OR id = ?1 RETURNING id");
    bind_text(s, 1, name);
    int n = 0, ret = -EIO;
    while (s && (ret = database_step(a->database, s)) == 1)
        n++;
    if (ret < 0)
        return accounts_fail_storage(e);
    return n > 0 || api_fail(e, API_USER_NOT_FOUND, "There is no key %.128s", name);
}

bool accounts_keys(struct accounts *a, struct message **out, struct api_error *e)
{
    sqlite3_stmt *s = database_statement(
        a->database, "SELECT id, name, created_ms FROM account_keys ORDER BY name");
    struct message *list = message_create();
    int64_t n = 0;
    int ret = -EIO;
    message_set_i64(list, "total", 0);
    message_set_array(list, "keys");
    while (s && (ret = database_step(a->database, s)) == 1) {
        char created[DATETIME_TEXT_MAX];
        struct message *key = message_create();
        datetime_text(sqlite3_column_int64(s, 2), created);
        message_set_str(key, "$id", column_text(s, 0));
        message_set_str(key, "$createdAt", created);
        message_set_str(key, "name", column_text(s, 1));
        message_append_object(list, "keys", key);
        message_set_i64(list, "total", ++n);
    }
    if (ret < 0) {
        message_destroy(list);
        return accounts_fail_storage(e);
    }
    *out = list;
    return true;
}

/* ---- claiming ---------------------------------------------------------------------------------- */

/* 1: an owner can sign in. 0: none can. -errno. */
static int has_owner(struct accounts *a)
{
    sqlite3_stmt *s = database_statement(a->database, "SELECT EXISTS(SELECT 1 FROM account_users"
                                                      " WHERE label = 'owner' AND"
                                                      " password IS NOT NULL)");
    int ret = s ? database_step(a->database, s) : -EIO;
    if (ret != 1)
        return ret < 0 ? ret : -EIO;
    ret = sqlite3_column_int(s, 0);
    sqlite3_reset(s);
    return ret;
}

static void make_code(char out[CLAIM_DIGITS + 1])
{
    unsigned char random[CLAIM_DIGITS];
    secret_random(random, sizeof(random));
    for (size_t i = 0; i < CLAIM_DIGITS; i++)
        out[i] = CLAIM_ALPHABET[random[i] % 32];
    out[CLAIM_DIGITS] = '\0';
}

/* The kept code without dashes, "" when there is none. */
static bool kept_code(struct accounts *a, char out[CLAIM_DIGITS + 1], struct api_error *e)
{
    int n = accounts_value(a, "claim_code", out, CLAIM_DIGITS);
    if (n < 0)
        return accounts_fail_storage(e);
    out[n] = '\0';
    return true;
}

bool accounts_claim_code(struct accounts *a, char code[SECRET_TEXT_MAX], struct api_error *e)
{
    char digits[CLAIM_DIGITS + 1];
    int claimed = has_owner(a);
    code[0] = '\0';
    if (claimed < 0)
        return accounts_fail_storage(e);
    if (claimed)
        return true;
    if (!kept_code(a, digits, e))
        return false;
    if (!*digits) {
        make_code(digits);
        if (!accounts_set_value(a, "claim_code", digits, CLAIM_DIGITS, e))
            return false;
    }
    snprintf(code, SECRET_TEXT_MAX, "%.4s-%.4s-%.4s", digits, digits + 4, digits + 8);
    return true;
}

/* What was typed, as the code is kept. */
static void read_code(const char *typed, char out[CLAIM_DIGITS + 1])
{
    size_t n = 0;
    memset(out, 0, CLAIM_DIGITS + 1);
    for (; *typed && n < CLAIM_DIGITS; typed++) {
        if (*typed != ' ' && *typed != '-')
            out[n++] = (char)toupper((unsigned char)*typed);
    }
    if (typed[strspn(typed, " -")])
        out[0] = '\0'; /* too long */
}

bool accounts_claim(struct accounts *a, const char *code, const char *email, const char *password,
                    struct api_error *e)
{
    char kept[CLAIM_DIGITS + 1] = "", given[CLAIM_DIGITS + 1];
    int claimed = has_owner(a);
    if (claimed < 0)
        return accounts_fail_storage(e);
    if (!accounts_check_failures(a, CLAIM_PEER, e))
        return false;
    if (!claimed && !kept_code(a, kept, e))
        return false;
    read_code(code ? code : "", given);
    if (claimed || !*kept || !secret_is_equal(kept, given, CLAIM_DIGITS)) {
        attempt_limit_count(a->failures, CLAIM_PEER, accounts_now_ms(a));
        return api_fail(e, API_CREDENTIALS_INVALID,
                        claimed ? "This house has an owner" : "This is not the code");
    }
    return accounts_add_user(a, email, password, "owner", NULL, e);
}
