#include "hub/permissions.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/compiler.h"
#include "wire/message.h"

#define PERMISSIONS_MAX 100
#define ROLE_MAX        128

static const char *const actions[] = { "read", "update", "delete" };

/* ACTION("ROLE") taken apart. false: it is none. */
static bool read_one(const char *text, char action[16], char role[ROLE_MAX])
{
    size_t len = strcspn(text, "(");
    if (len >= 16 || strncmp(text + len, "(\"", 2) != 0)
        return false;
    memcpy(action, text, len);
    action[len] = '\0';
    text += len + 2;
    len = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:/._-");
    if (!len || len >= ROLE_MAX || strcmp(text + len, "\")") != 0)
        return false;
    memcpy(role, text, len);
    role[len] = '\0';
    return true;
}

static void add(struct message *list, const char *action, const char *role)
{
    char *text = xasprintf("%s(\"%s\")", action, role);
    bool is_there = false;
    for (size_t i = 0; !is_there && i < message_count(list, "p"); i++)
        is_there = !strcmp(message_str_at(list, "p", i), text);
    if (!is_there)
        message_append_str(list, "p", text);
    free(text);
}

static bool add_checked(struct message *list, const struct caller *caller, const char *text,
                        struct api_error *e)
{
    char action[16], role[ROLE_MAX];
    if (!text || !read_one(text, action, role))
        return api_fail(e, API_ARGUMENT_INVALID,
                        "Invalid `permissions` param: no permission like read(\"any\"): %.100s",
                        text ? text : "not a text");
    if (caller && !caller_has_role(caller, role))
        return api_fail(e, API_UNAUTHORIZED, "Permissions must be one of your own roles, not %s",
                        role);
    bool is_write = !strcmp(action, "write"), is_known = false;
    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        if (strcmp(action, actions[i]) != 0 && !(is_write && i > 0))
            continue;
        add(list, actions[i], role);
        is_known = true;
    }
    return is_known || api_fail(e, API_ARGUMENT_INVALID,
                                "Invalid `permissions` param: no such permission: %s", action);
}

char *permissions_read(const struct caller *caller, const struct message *from, const char *field,
                       struct api_error *e)
{
    size_t count = message_count(from, field);
    if (message_kind(from, field) != MESSAGE_ARRAY || count > PERMISSIONS_MAX) {
        api_fail(e, API_ARGUMENT_INVALID,
                 "Invalid `permissions` param: Value must be an array no longer than %d items",
                 PERMISSIONS_MAX);
        return NULL;
    }
    struct message *list = message_create();
    message_set_array(list, "p");
    bool is_good = true;
    for (size_t i = 0; is_good && i < count; i++)
        is_good = add_checked(list, caller, message_str_at(from, field, i), e);
    char *text = is_good ? message_field_text(list, "p") : NULL;
    message_destroy(list);
    return text;
}

char *permissions_default(const struct caller *caller)
{
    if (!caller || caller->kind != CALLER_USER)
        return xstrdup("[]");
    struct message *list = message_create();
    char *role = xasprintf("user:%s", caller->user_id);
    for (size_t i = 0; i < ARRAY_LEN(actions); i++)
        add(list, actions[i], role);
    char *text = message_field_text(list, "p");
    message_destroy(list);
    free(role);
    return text;
}
