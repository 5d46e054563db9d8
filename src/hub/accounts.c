/* Life of the module, users, and what they are made of. */
#include "hub/accounts.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "hub/accounts_internal.h"
#include "hub/documents.h"

#define FAILURES_PER_HOUR  10
#define ANONYMOUS_PER_HOUR 1000

struct accounts *accounts_create(const struct accounts_params *p)
{
    struct accounts *a = xcalloc(1, sizeof(*a));
    a->database = p->database;
    a->documents = p->documents;
    a->project_id = xstrdup(p->project_id);
    a->failures = attempt_limit_create(FAILURES_PER_HOUR);
    a->anonymous = attempt_limit_create(ANONYMOUS_PER_HOUR);
    struct steady_clock_source source = { p->wall_ms, p->mono_ns, p->ctx };
    if (!accounts_load_time(a, &source)) {
        accounts_destroy(a);
        return NULL;
    }
    return a;
}

void accounts_destroy(struct accounts *a)
{
    if (!a)
        return;
    attempt_limit_destroy(a->failures);
    attempt_limit_destroy(a->anonymous);
    free(a->project_id);
    free(a);
}

/* ---- statements -------------------------------------------------------------------------------- */

bool accounts_fail_storage(struct api_error *e)
{
    return api_fail(e, API_STORAGE, "The hub cannot write to its disk");
}

bool accounts_begin(struct accounts *a, struct api_error *e)
{
    return database_begin_write(a->database) == 0 || accounts_fail_storage(e);
}

bool accounts_run(struct accounts *a, sqlite3_stmt *s, struct api_error *e)
{
    return (s && database_step(a->database, s) == 0) || accounts_fail_storage(e);
}

int accounts_value(struct accounts *a, const char *name, void *out, int max)
{
    sqlite3_stmt *s =
        database_statement(a->database, "SELECT value FROM account_values WHERE name = ?1");
    bind_text(s, 1, name);
    int ret = s ? database_step(a->database, s) : -EIO;
    if (ret != 1)
        return ret;
    int len = sqlite3_column_bytes(s, 0);
    if (len > 0 && len <= max)
        memcpy(out, sqlite3_column_blob(s, 0), (size_t)len);
    sqlite3_reset(s);
    return len <= max ? len : -EMSGSIZE;
}

bool accounts_set_value(struct accounts *a, const char *name, const void *value, int len,
                        struct api_error *e)
{
    if (!accounts_begin(a, e))
        return false;
    sqlite3_stmt *s = database_statement(
        a->database, value ? "INSERT INTO account_values(name, value) VALUES(?1, ?2)"
                             " ON CONFLICT(name) DO UPDATE SET value = ?2"
                           : "DELETE FROM account_values WHERE name = ?1");
    bind_text(s, 1, name);
    if (s && value)
        sqlite3_bind_blob(s, 2, value, len, SQLITE_TRANSIENT);
    return accounts_run(a, s, e);
}

/* ---- what is given ----------------------------------------------------------------------------- */

bool email_normalise(const char *email, char out[256])
{
    size_t len = email ? strlen(email) : 0;
    const char *at = email ? strchr(email, '@') : NULL;
    if (len < 3 || len > 254 || !at || at == email || !at[1] || strchr(at + 1, '@'))
        return false;
    for (size_t i = 0; i <= len; i++) {
        unsigned char c = (unsigned char)email[i];
        if (i < len && (c <= ' ' || c == 127 || strchr("<>()[]\\,;:\"'", c)))
            return false;
        out[i] = (char)tolower(c);
    }
    return true;
}

static bool check_email(const char *email, char out[256], struct api_error *e)
{
    return email_normalise(email, out) ||
           api_fail(e, API_ARGUMENT_INVALID,
                    "Invalid `email` param: Value must be a valid email address");
}

static bool hash_of(const char *password, char **hash, struct api_error *e)
{
    size_t len = password ? strlen(password) : 0;
    *hash = NULL;
    if (len < PASSWORD_MIN || len > PASSWORD_MAX)
        return api_fail(e, API_ARGUMENT_INVALID,
                        "Invalid `password` param: Password must be between %d and %d bytes long",
                        PASSWORD_MIN, PASSWORD_MAX);
    *hash = password_hash(password);
    return *hash || api_fail(e, API_INTERNAL, "No memory to hash the password");
}

bool accounts_check_failures(struct accounts *a, const char *peer, struct api_error *e)
{
    if (!attempt_limit_is_reached(a->failures, peer ? peer : "", accounts_now_ms(a)))
        return true;
    return api_fail(e, API_RATE_LIMIT,
                    "Too many failed sign-ins from this address; try again in an hour");
}

/* ---- account objects --------------------------------------------------------------------------- */

#define USER_COLUMNS "id, email, label, created_ms, updated_ms, password_ms"

static void set_time(struct message *m, const char *field, int64_t ms)
{
    char text[DATETIME_TEXT_MAX];
    datetime_text(ms, text);
    message_set_str(m, field, text);
}

/* The row of a statement with USER_COLUMNS as Appwrite's account object. */
static struct message *user_message(sqlite3_stmt *s)
{
    struct message *m = message_create();
    bool has_email = sqlite3_column_type(s, 1) != SQLITE_NULL;
    message_set_str(m, "$id", column_text(s, 0));
    set_time(m, "$createdAt", sqlite3_column_int64(s, 3));
    set_time(m, "$updatedAt", sqlite3_column_int64(s, 4));
    message_set_str(m, "name", "");
    set_time(m, "registration", sqlite3_column_int64(s, 3));
    message_set_bool(m, "status", true);
    message_set_array(m, "labels");
    if (*column_text(s, 2))
        message_append_str(m, "labels", column_text(s, 2));
    if (has_email)
        set_time(m, "passwordUpdate", sqlite3_column_int64(s, 5));
    else
        message_set_str(m, "passwordUpdate", "");
    message_set_str(m, "email", column_text(s, 1));
    message_set_str(m, "phone", "");
    message_set_bool(m, "emailVerification", false);
    message_set_bool(m, "phoneVerification", false);
    message_set_bool(m, "mfa", false);
    message_set_object(m, "prefs", message_create());
    message_set_array(m, "targets");
    set_time(m, "accessedAt", sqlite3_column_int64(s, 4));
    return m;
}

static bool get_user(struct accounts *a, const char *id, struct message **out, struct api_error *e)
{
    sqlite3_stmt *s =
        database_statement(a->database, "SELECT " USER_COLUMNS " FROM account_users WHERE id = ?1");
    bind_text(s, 1, id);
    int ret = s ? database_step(a->database, s) : -EIO;
    if (ret < 0)
        return accounts_fail_storage(e);
    if (ret == 0)
        return api_fail(e, API_USER_NOT_FOUND, "User with the requested ID could not be found");
    *out = user_message(s);
    sqlite3_reset(s);
    return true;
}

bool accounts_get(struct accounts *a, const struct caller *c, struct message **out,
                  struct api_error *e)
{
    if (c->kind != CALLER_USER)
        return api_fail(e, API_SCOPE_MISSING, "User (role: %s) missing scope (account)",
                        c->kind == CALLER_KEY ? "applications" : "guests");
    return get_user(a, c->user_id, out, e);
}

bool accounts_users(struct accounts *a, struct message **out, struct api_error *e)
{
    sqlite3_stmt *s = database_statement(a->database, "SELECT " USER_COLUMNS " FROM account_users"
                                                      " WHERE email IS NOT NULL ORDER BY email");
    struct message *list = message_create();
    int64_t n = 0;
    int ret = -EIO;
    message_set_i64(list, "total", 0);
    message_set_array(list, "users");
    while (s && (ret = database_step(a->database, s)) == 1) {
        message_append_object(list, "users", user_message(s));
        message_set_i64(list, "total", ++n);
    }
    if (ret < 0) {
        message_destroy(list);
        return accounts_fail_storage(e);
    }
    *out = list;
    return true;
}

/* ---- writing users ----------------------------------------------------------------------------- */

bool accounts_insert_user(struct accounts *a, const char *id, const char *email, const char *hash,
                          const char *label, struct api_error *e)
{
    if (!accounts_begin(a, e))
        return false;
    sqlite3_stmt *s = database_statement(
        a->database, "INSERT INTO account_users(id, email, label, password, created_ms, updated_ms,"
                     " password_ms) VALUES(?1, ?2, ?3, ?4, ?5, ?5, ?5)");
    bind_text(s, 1, id);
    bind_text(s, 2, email);
    bind_text(s, 3, label);
    bind_text(s, 4, hash);
    bind_i64(s, 5, accounts_now_ms(a));
    int ret = s ? database_step(a->database, s) : -EIO;
    if (ret == -EEXIST)
        return api_fail(e, API_USER_EXISTS,
                        "A user with the same id, email, or phone already exists in this project");
    return ret == 0 || accounts_fail_storage(e);
}

/* The DJAMMS document of a user, which the web pages of staff read. */
static bool insert_document(struct accounts *a, const char *id, const char *email,
                            const char *label, struct api_error *e)
{
    const struct collection *users = collection_find("users");
    if (!a->documents || !users)
        return true;
    bool is_owner = strcmp(label, "owner") == 0, is_guest = strcmp(label, "guest") == 0;
    struct message *data = message_create();
    message_set_str(data, "userId", id);
    message_set_str(data, "email", email);
    message_set_str(data, "role", is_owner ? "admin" : is_guest ? "viewer" : "staff");
    set_time(data, "createdAt", accounts_now_ms(a));
    bool is_done = documents_insert(a->documents, NULL, users, id, data, NULL, NULL, e);
    message_destroy(data);
    return is_done || e->kind == API_DOCUMENT_EXISTS; /* imported: it is not ours to change */
}

static bool is_label(const char *label)
{
    return strcmp(label, "owner") == 0 || strcmp(label, "staff") == 0 ||
           strcmp(label, "guest") == 0;
}

bool accounts_add_user(struct accounts *a, const char *email, const char *password,
                       const char *label, struct message **out, struct api_error *e)
{
    char kept[256], id[HUB_ID_MAX + 1], *hash;
    if (!is_label(label))
        return api_fail(e, API_ARGUMENT_INVALID, "The role must be owner, staff or guest");
    if (!check_email(email, kept, e) || !hash_of(password, &hash, e))
        return false;
    id_make(id);
    bool is_done =
        accounts_insert_user(a, id, kept, hash, label, e) && insert_document(a, id, kept, label, e);
    secret_free(hash);
    if (is_done && strcmp(label, "owner") == 0)
        is_done = accounts_set_value(a, "claim_code", NULL, 0, e);
    return is_done && (!out || get_user(a, id, out, e));
}

bool accounts_find_user(struct accounts *a, const char *who, char id[HUB_ID_MAX + 1],
                        struct api_error *e)
{
    char email[256] = "";
    bool is_email = email_normalise(who, email);
    sqlite3_stmt *s = database_statement(
        a->database, "SELECT id FROM account_users WHERE email = ?1 OR id = ?2 AND email NOT NULL");
    bind_text(s, 1, is_email ? email : NULL);
    bind_text(s, 2, who);
    int ret = s ? database_step(a->database, s) : -EIO;
    if (ret < 0)
        return accounts_fail_storage(e);
    if (ret == 0)
        return api_fail(e, API_USER_NOT_FOUND, "There is no user %.100s", who);
    snprintf(id, HUB_ID_MAX + 1, "%.*s", HUB_ID_MAX, column_text(s, 0));
    sqlite3_reset(s);
    return true;
}

bool accounts_set_password(struct accounts *a, const char *email, const char *password,
                           struct api_error *e)
{
    char id[HUB_ID_MAX + 1], *hash;
    if (!accounts_find_user(a, email, id, e) || !hash_of(password, &hash, e))
        return false;
    bool is_done = accounts_begin(a, e);
    if (is_done) {
        sqlite3_stmt *s = database_statement(
            a->database, "UPDATE account_users SET password = ?2, password_ms = ?3,"
                         " updated_ms = ?3 WHERE id = ?1");
        bind_text(s, 1, id);
        bind_text(s, 2, hash);
        bind_i64(s, 3, accounts_now_ms(a));
        is_done = accounts_run(a, s, e) && accounts_end_all(a, id, e);
    }
    secret_free(hash);
    return is_done;
}

bool accounts_remove_user(struct accounts *a, const char *who, struct api_error *e)
{
    char id[HUB_ID_MAX + 1];
    if (!accounts_find_user(a, who, id, e) || !accounts_begin(a, e) || !accounts_end_all(a, id, e))
        return false;
    sqlite3_stmt *s = database_statement(a->database, "DELETE FROM account_users WHERE id = ?1");
    bind_text(s, 1, id);
    if (!accounts_run(a, s, e))
        return false;
    const struct collection *users = collection_find("users");
    if (!a->documents || !users || documents_delete(a->documents, NULL, users, id, NULL, e))
        return true;
    return e->kind == API_DOCUMENT_NOT_FOUND; /* written before documents were kept in step */
}
