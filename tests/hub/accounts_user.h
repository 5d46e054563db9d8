/* What the tests of accounts share: one user and his ways in. */
#pragma once

#include "accounts_rig.h"

#define EMAIL    "owner@bar.example"
#define PASSWORD "correct horse battery"
#define PEER     "192.168.1.7"

#define CHARS_16  "0123456789abcdef"
#define CHARS_64  CHARS_16 CHARS_16 CHARS_16 CHARS_16
#define CHARS_256 CHARS_64 CHARS_64 CHARS_64 CHARS_64

static inline void add_user(struct rig *r, const char *label)
{
    rig_must(r, accounts_add_user(r->accounts, EMAIL, PASSWORD, label, NULL, &r->e));
}

/* Signs in; the secret goes to `secret`. */
static inline void sign_in(struct rig *r, char secret[SECRET_TEXT_MAX])
{
    struct message *session;
    rig_must(r, accounts_sign_in(r->accounts, EMAIL, PASSWORD, PEER, &session, secret, &r->e));
    message_destroy(session);
}

static inline struct caller identify(struct rig *r, struct credentials c)
{
    struct caller caller;
    rig_must(r, accounts_identify(r->accounts, &c, &caller, &r->e));
    return caller;
}

static inline struct caller by_session(struct rig *r, const char *secret)
{
    return identify(r, (struct credentials){ .session = secret, .peer = PEER });
}

static inline bool try_sign_in(struct rig *r, const char *password, const char *peer)
{
    char secret[SECRET_TEXT_MAX];
    struct message *session = NULL;
    bool is_in = accounts_sign_in(r->accounts, EMAIL, password, peer, &session, secret, &r->e);
    message_destroy(session);
    return is_in;
}
