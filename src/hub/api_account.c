/* Accounts and sessions. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "hub/api_internal.h"

#define YEAR_S 31536000

/* ---- cookies ------------------------------------------------------------------------------------ */

/* The session for browsers: as a cookie for pages of our own host, and as a header that the SDK keeps for pages of
 * other hosts, where no cookie goes without https. Empty `secret`: it is over. */
static void tell_session(struct api_call *call, const char *secret)
{
    const struct api *a = call->api;
    char *name = xasprintf("a_session_%s", a->project_id);
    char *cookie = xasprintf("%s=%s; Path=/; Max-Age=%d; HttpOnly; SameSite=%s", name, secret,
                             *secret ? YEAR_S : 0, a->params.is_encrypted ? "None; Secure" : "Lax");
    struct message *fallback = message_create();
    if (*secret)
        message_set_str(fallback, name, secret);
    api_reply_header(call->reply, "Set-Cookie", api_reply_own(call->reply, cookie));
    api_reply_header(call->reply, "X-Fallback-Cookies",
                     api_reply_own(call->reply, message_text(fallback, false)));
    message_destroy(fallback);
    free(name);
}

/* `session` is taken. A program with a key has no cookies: it reads the secret in the body. */
static bool answer_session(struct api_call *call, struct message *session, const char *secret)
{
    if (call->caller.kind == CALLER_KEY)
        message_set_str(session, "secret", secret);
    tell_session(call, secret);
    api_reply_message(call->reply, 201, session);
    return true;
}

/* ---- routes ------------------------------------------------------------------------------------- */

bool api_sign_in(struct api_call *call)
{
    const char *email = message_str(call->body, "email", NULL);
    const char *password = message_str(call->body, "password", NULL);
    char secret[SECRET_TEXT_MAX];
    struct message *session;
    if (!email || !password)
        return api_fail(&call->error, API_ARGUMENT_INVALID, "Param \"%s\" is not optional.",
                        email ? "password" : "email");
    return accounts_sign_in(call->api->params.accounts, email, password, call->request->peer,
                            &session, secret, &call->error) &&
           answer_session(call, session, secret);
}

bool api_sign_in_anonymous(struct api_call *call)
{
    char secret[SECRET_TEXT_MAX];
    struct message *session;
    return accounts_sign_in_anonymous(call->api->params.accounts, call->request->peer, &session,
                                      secret, &call->error) &&
           answer_session(call, session, secret);
}

bool api_sign_in_token(struct api_call *call)
{
    const char *user_id = message_str(call->body, "userId", NULL);
    const char *token = message_str(call->body, "secret", NULL);
    char secret[SECRET_TEXT_MAX];
    struct message *session;
    if (!user_id || !token)
        return api_fail(&call->error, API_ARGUMENT_INVALID, "Param \"%s\" is not optional.",
                        user_id ? "secret" : "userId");
    return accounts_sign_in_token(call->api->params.accounts, user_id, token, call->request->peer,
                                  &session, secret, &call->error) &&
           answer_session(call, session, secret);
}

/* Old login pages ask for a link by mail. */
bool api_send_mail(struct api_call *call)
{
    return api_fail(&call->error, API_MAIL_OFF,
                    "This hub sends no mail. Sign in with a password, or with a token that "
                    "`djamms hub token` makes.");
}

/* An integer of the body; `unset` when it is not there. */
static bool read_integer(struct api_call *call, const char *name, int64_t unset, int64_t *out)
{
    enum message_kind kind = message_kind(call->body, name);
    bool is_set = message_has(call->body, name) && kind != MESSAGE_NULL;
    *out = message_i64(call->body, name, unset);
    return !is_set || kind == MESSAGE_INTEGER ||
           api_fail(&call->error, API_ARGUMENT_INVALID, "Invalid `%s` param: it must be an integer",
                    name);
}

/* For programs: they give the token to whom they know. */
bool api_create_token(struct api_call *call)
{
    int64_t length, life_s;
    struct message *token;
    if (call->caller.kind != CALLER_KEY)
        return api_fail(&call->error, API_SCOPE_MISSING,
                        "User (role: %s) missing scope (users.write)",
                        call->caller.kind == CALLER_USER ? "users" : "guests");
    if (!read_integer(call, "length", ACCOUNT_TOKEN_LENGTH, &length) ||
        !read_integer(call, "expire", ACCOUNT_TOKEN_S, &life_s) ||
        !accounts_add_token(call->api->params.accounts, call->arg[0], length, life_s, &token,
                            &call->error))
        return false;
    api_reply_message(call->reply, 201, token);
    return true;
}

bool api_get_account(struct api_call *call)
{
    struct message *account;
    if (!accounts_get(call->api->params.accounts, &call->caller, &account, &call->error))
        return false;
    api_reply_message(call->reply, 200, account);
    return true;
}

bool api_list_sessions(struct api_call *call)
{
    struct message *sessions;
    if (!accounts_sessions(call->api->params.accounts, &call->caller, &sessions, &call->error))
        return false;
    api_reply_message(call->reply, 200, sessions);
    return true;
}

/* A copy of the session with that id; NULL: there is none. */
static struct message *session_of(const struct message *sessions, const char *id)
{
    for (size_t i = 0; i < message_count(sessions, "sessions"); i++) {
        const struct message *one = message_object_at(sessions, "sessions", i);
        if (strcmp(message_str(one, "$id", ""), id) != 0)
            continue;
        struct message *copy = message_create();
        for (const char *f = NULL; (f = message_next(one, f));)
            message_set_field(copy, f, one, f);
        return copy;
    }
    return NULL;
}

static bool is_current(const struct api_call *call, const char *id)
{
    return strcmp(id, "current") == 0 || strcmp(id, call->caller.session_id) == 0;
}

bool api_get_session(struct api_call *call)
{
    struct message *sessions;
    const char *id = is_current(call, call->arg[0]) ? call->caller.session_id : call->arg[0];
    if (!accounts_sessions(call->api->params.accounts, &call->caller, &sessions, &call->error))
        return false;
    struct message *session = session_of(sessions, id);
    message_destroy(sessions);
    if (!session)
        return api_fail(&call->error, API_SESSION_NOT_FOUND, "There is no session '%.36s'.",
                        call->arg[0]);
    api_reply_message(call->reply, 200, session);
    return true;
}

bool api_extend_session(struct api_call *call)
{
    struct message *session;
    if (!is_current(call, call->arg[0]))
        return api_fail(&call->error, API_SESSION_NOT_FOUND,
                        "Only the current session can be extended.");
    if (!accounts_extend_session(call->api->params.accounts, &call->caller, &session, &call->error))
        return false;
    api_reply_message(call->reply, 200, session);
    return true;
}

bool api_end_session(struct api_call *call)
{
    if (!accounts_end_session(call->api->params.accounts, &call->caller, call->arg[0],
                              &call->error))
        return false;
    if (is_current(call, call->arg[0]))
        tell_session(call, "");
    api_reply_empty(call->reply, 204);
    return true;
}

bool api_end_sessions(struct api_call *call)
{
    if (!accounts_end_session(call->api->params.accounts, &call->caller, NULL, &call->error))
        return false;
    tell_session(call, "");
    api_reply_empty(call->reply, 204);
    return true;
}

bool api_create_jwt(struct api_call *call)
{
    struct message *jwt;
    int64_t life_s = message_i64(call->body, "duration", ACCOUNT_JWT_S);
    if (!accounts_jwt_for(call->api->params.accounts, &call->caller, life_s, &jwt, &call->error))
        return false;
    api_reply_message(call->reply, 201, jwt);
    return true;
}

/* What the pages of the web system ask to learn whether somebody is signed in. */
bool api_verify_session(struct api_call *call)
{
    if (call->caller.kind != CALLER_USER)
        return api_fail(&call->error, API_SCOPE_MISSING, "Nobody is signed in.");
    struct message *m = message_create();
    message_set_bool(m, "success", true);
    message_set_str(m, "userId", call->caller.user_id);
    api_reply_message(call->reply, 200, m);
    return true;
}

bool api_claim(struct api_call *call)
{
    const char *code = message_str(call->body, "code", NULL);
    const char *email = message_str(call->body, "email", NULL);
    const char *password = message_str(call->body, "password", NULL);
    if (!code || !email || !password)
        return api_fail(&call->error, API_ARGUMENT_INVALID, "Param \"%s\" is not optional.",
                        !code    ? "code"
                        : !email ? "email"
                                 : "password");
    if (!accounts_claim(call->api->params.accounts, code, email, password, &call->error))
        return false;
    struct message *m = message_create();
    message_set_bool(m, "claimed", true);
    api_reply_message(call->reply, 201, m);
    call->is_claim = true;
    return true;
}
