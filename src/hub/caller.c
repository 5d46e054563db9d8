#include "hub/caller.h"

#include <stddef.h>
#include <string.h>

static bool is_word(const char *text, size_t len, const char *word)
{
    return strlen(word) == len && !memcmp(text, word, len);
}

static bool has_role(const struct caller *c, const char *role, size_t len)
{
    if (c->kind == CALLER_KEY || is_word(role, len, "any"))
        return true;
    if (is_word(role, len, "guests"))
        return c->kind == CALLER_GUEST;
    if (c->kind != CALLER_USER)
        return false;
    if (is_word(role, len, "users"))
        return true;
    if (len > 5 && !memcmp(role, "user:", 5))
        return is_word(role + 5, len - 5, c->user_id);
    if (len > 6 && !memcmp(role, "label:", 6))
        return is_word(role + 6, len - 6, c->label);
    return false;
}

bool caller_has_role(const struct caller *c, const char *role)
{
    return has_role(c, role, strlen(role));
}

bool caller_has_any(const struct caller *c, const char *roles)
{
    if (c->kind == CALLER_KEY)
        return true;
    for (const char *at = roles; *(at += strspn(at, " ")); at += strcspn(at, " "))
        if (has_role(c, at, strcspn(at, " ")))
            return true;
    return false;
}
