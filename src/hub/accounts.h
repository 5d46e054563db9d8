/* Users, sessions, JWTs and keys of the hub. Passwords are hashed by crypt(3) (yescrypt); of session secrets and
 * keys only SHA-256 is stored; comparisons take constant time; nothing secret is ever logged or part of an error.
 * Writes happen inside the turn's transaction: see store/database.h.
 *
 * Time is the hub's own, steady_clock.h, and its latest value is kept: neither a boot in 1970 nor a clock that is
 * set (a step of more than a day while the hub runs does not count for sessions) logs anybody out.
 * Thread-safety: the hub's only thread. Blocks on disk; a sign-in with password takes some ten ms. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "hub/api_error.h"
#include "hub/caller.h"

struct accounts;
struct database;
struct documents;
struct message;

#define SECRET_TEXT_MAX      256
#define ACCOUNT_JWT_S        900 /* life of a JWT when nothing else is asked for */
#define ACCOUNT_JWT_MAX_S    3600
#define ACCOUNT_SESSIONS_MAX 10
#define ACCOUNT_TOKEN_LENGTH 6   /* of a token's secret when nothing else is asked for */
#define ACCOUNT_TOKEN_S      900 /* life of a token, likewise */

struct accounts_params {
    struct database *database;
    const char *project_id;
    struct documents
        *documents; /* keeps the collection `users` in step; NULL: that is left alone */
    int64_t (*wall_ms)(void *ctx);
    int64_t (*mono_ns)(void *ctx); /* NULL: CLOCK_MONOTONIC */
    void *ctx;
};

/* NULL after a line in the log: the database cannot be read. */
struct accounts *accounts_create(const struct accounts_params *p);
void accounts_destroy(struct accounts *a); /* a may be NULL */

/* Credentials of one request; NULL: not sent. Order of look-up as Appwrite's: key, jwt, session. Unknown or expired
 * sessions make a guest; a bad JWT is API_JWT_INVALID, a bad key API_SCOPE_MISSING. A caller by JWT has no
 * session_id. */
struct credentials {
    const char *key, *jwt, *session, *fallback_cookies, *cookie, *peer;
};
bool accounts_identify(struct accounts *a, const struct credentials *c, struct caller *out,
                       struct api_error *e);

/* label: owner, staff or guest. The id is made. *out (may be NULL) is the account as accounts_get() gives it. */
bool accounts_add_user(struct accounts *a, const char *email, const char *password,
                       const char *label, struct message **out, struct api_error *e);
/* Ends the user's sessions and tokens. */
bool accounts_set_password(struct accounts *a, const char *email, const char *password,
                           struct api_error *e);
/* `who` is an e-mail address or an id. Ends sessions and tokens, too. */
bool accounts_remove_user(struct accounts *a, const char *who, struct api_error *e);
/* {"total":N,"users":[account, ...]} without the anonymous ones. */
bool accounts_users(struct accounts *a, struct message **out, struct api_error *e);

/* A new API key's secret, shown once. Names are unique. */
bool accounts_add_key(struct accounts *a, const char *name, char secret[SECRET_TEXT_MAX],
                      struct api_error *e);
bool accounts_remove_key(struct accounts *a, const char *name, struct api_error *e);
/* {"total":N,"keys":[{"$id","$createdAt","name"}, ...]} */
bool accounts_keys(struct accounts *a, struct message **out, struct api_error *e);

/* No owner has a password yet: the one-time code that claims the house, made at the first call; "" when it is
 * claimed. */
bool accounts_claim_code(struct accounts *a, char code[SECRET_TEXT_MAX], struct api_error *e);
/* With the code (case, blanks and dashes do not matter): the owner's e-mail and password; the code is spent. Wrong
 * codes count as failed sign-ins. */
bool accounts_claim(struct accounts *a, const char *code, const char *email, const char *password,
                    struct api_error *e);

/* Sessions: *out is Appwrite's session object, `secret` what goes into cookie and X-Fallback-Cookies. At most ten
 * per user: the oldest goes. At most 10 failed sign-ins an hour per address: API_RATE_LIMIT. */
bool accounts_sign_in(struct accounts *a, const char *email, const char *password, const char *peer,
                      struct message **out, char secret[SECRET_TEXT_MAX], struct api_error *e);
/* A token signs its user in once, within `life_s` (60 s to a year): *out is Appwrite's token object with the only copy
 * of its secret, `length` (4 to 128) hex digits. `who` is an e-mail address or an id. At most ten per user: the oldest
 * goes. */
bool accounts_add_token(struct accounts *a, const char *who, int64_t length, int64_t life_s,
                        struct message **out, struct api_error *e);
/* Wrong, spent and expired ones are API_TOKEN_INVALID and count as failed sign-ins: of the address, and, as they may be
 * short, of all addresses together for their user. */
bool accounts_sign_in_token(struct accounts *a, const char *user_id, const char *token,
                            const char *peer, struct message **out, char secret[SECRET_TEXT_MAX],
                            struct api_error *e);
/* At most 1,000 an hour per address, and 10,000 in all: the oldest goes. */
bool accounts_sign_in_anonymous(struct accounts *a, const char *peer, struct message **out,
                                char secret[SECRET_TEXT_MAX], struct api_error *e);
/* The zone's own player, staff without a password: `secret` (may be "") as it was given before when it still holds, else
 * a new one, and the one before it ends. */
bool accounts_sign_in_player(struct accounts *a, char secret[SECRET_TEXT_MAX], struct api_error *e);
bool accounts_extend_session(struct accounts *a, const struct caller *c, struct message **out,
                             struct api_error *e);
/* "current", an id of one of the caller's, or NULL: all of them. */
bool accounts_end_session(struct accounts *a, const struct caller *c, const char *session_id,
                          struct api_error *e);
bool accounts_sessions(struct accounts *a, const struct caller *c, struct message **out,
                       struct api_error *e);
/* {"jwt":"..."}, for ACCOUNT_JWT_S; the other for `life_s`, 1..ACCOUNT_JWT_MAX_S. It ends with its session. */
bool accounts_jwt(struct accounts *a, const struct caller *c, struct message **out,
                  struct api_error *e);
bool accounts_jwt_for(struct accounts *a, const struct caller *c, int64_t life_s,
                      struct message **out, struct api_error *e);
bool accounts_get(struct accounts *a, const struct caller *c, struct message **out,
                  struct api_error *e);
