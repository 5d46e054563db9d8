/* Who asks: what the credentials of one request came to. Plain data. */
#pragma once

#include <stdbool.h>

#define HUB_ID_MAX 36 /* characters of an id */

enum caller_kind { CALLER_GUEST, CALLER_USER, CALLER_KEY };

struct caller {
    enum caller_kind kind;
    char user_id[HUB_ID_MAX + 1];    /* CALLER_USER */
    char session_id[HUB_ID_MAX + 1]; /* CALLER_USER with a session */
    char label[32];                  /* owner, staff, guest; "" */
    char peer[64];                   /* address, for limits and the log */
};

/* any; guests (CALLER_GUEST); users, user:ID, label:L (CALLER_USER). A key has every right anyway. */
bool caller_has_role(const struct caller *c, const char *role);
bool caller_has_any(const struct caller *c, const char *roles); /* blank-separated; a key: always */
