/* For accounts*.c only: what an account is made of, and statements with their bindings. */
#pragma once

#include <sqlite3.h>

#include "base/compiler.h"
#include "hub/accounts.h"
#include "hub/attempt_limit.h"
#include "hub/datetime.h"
#include "hub/id.h"
#include "hub/secret.h"
#include "hub/steady_clock.h"
#include "store/database.h"
#include "wire/message.h"

struct accounts {
    struct database *database;
    struct documents *documents; /* may be NULL */
    char *project_id;
    struct steady_clock clock;
    int64_t skipped_ms; /* time the clock was set over: now - skipped_ms is what sessions live in */
    int64_t kept_ms;    /* the time that is on disk */
    struct attempt_limit *failures, *anonymous;
};

/* ---- time (accounts_time.c) -------------------------------------------------------------------- */

/* Reads what is kept. false after a line in the log. */
bool accounts_load_time(struct accounts *a, const struct steady_clock_source *source);
int64_t accounts_now_ms(struct accounts *a);
/* The time in which sessions live. */
int64_t accounts_session_now_ms(struct accounts *a);

/* ---- statements -------------------------------------------------------------------------------- */

/* The value kept under a name: bytes read, at most `max`; 0: none; -errno. */
int accounts_value(struct accounts *a, const char *name, void *out, int max);
/* All below: false and *e (API_STORAGE) when the disk does not take it. `value` NULL: forgets it. */
bool accounts_set_value(struct accounts *a, const char *name, const void *value, int len,
                        struct api_error *e);
bool accounts_begin(struct accounts *a, struct api_error *e);
/* A statement that gives no rows, inside the turn. */
bool accounts_run(struct accounts *a, sqlite3_stmt *s, struct api_error *e);
bool accounts_fail_storage(struct api_error *e);

static inline void bind_text(sqlite3_stmt *s, int i, const char *text)
{
    if (s)
        sqlite3_bind_text(s, i, text, -1, SQLITE_TRANSIENT);
}

static inline void bind_i64(sqlite3_stmt *s, int i, int64_t value)
{
    if (s)
        sqlite3_bind_int64(s, i, value);
}

static inline void bind_digest(sqlite3_stmt *s, int i, const unsigned char *digest)
{
    if (s)
        sqlite3_bind_blob(s, i, digest, SECRET_DIGEST_SIZE, SQLITE_TRANSIENT);
}

static inline const char *column_text(sqlite3_stmt *s, int i)
{
    const char *text = (const char *)sqlite3_column_text(s, i);
    return text ? text : "";
}

/* ---- users (accounts.c) ------------------------------------------------------------------------ */

/* The e-mail address as it is kept, in small letters. false: it is none. */
bool email_normalise(const char *email, char out[256]);
/* A new user's row; NULL e-mail and hash: an anonymous one. */
bool accounts_insert_user(struct accounts *a, const char *id, const char *email, const char *hash,
                          const char *label, struct api_error *e);
/* The id of the user with that e-mail address or id, who is no anonymous one. */
bool accounts_find_user(struct accounts *a, const char *who, char id[HUB_ID_MAX + 1],
                        struct api_error *e);
/* Wrong secrets of all kinds, against the limit. */
bool accounts_check_failures(struct accounts *a, const char *peer, struct api_error *e);

/* ---- sessions (accounts_session.c) ------------------------------------------------------------- */

bool accounts_begin_session(struct accounts *a, const char *user_id, const char *provider,
                            const char *peer, struct message **out, char secret[SECRET_TEXT_MAX],
                            struct api_error *e);
/* All of a user's, and his tokens. */
bool accounts_end_all(struct accounts *a, const char *user_id, struct api_error *e);
