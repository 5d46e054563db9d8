/* user, key, token, claim. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "hub/admin_internal.h"
#include "hub/secret.h"

#define TOKEN_DIGITS 16 /* it is copied, seldom typed */

/* A word below a command, as in "user add". */
struct action {
    const char *name;
    int (*run)(struct admin *a);
    size_t words; /* behind it */
    const char *usage;
};

static int run_action(struct admin *a, const struct action *actions, size_t count)
{
    const char *name = a->word_count ? a->word[0] : "";
    for (size_t i = 0; i < count; i++) {
        if (strcmp(actions[i].name, name) != 0)
            continue;
        if (a->word_count != 1 + actions[i].words)
            return admin_fail(a, ADMIN_USAGE, "the usage is: djamms-hub %s", actions[i].usage);
        return actions[i].run(a);
    }
    if (!*name)
        return admin_fail(a, ADMIN_USAGE, "%s what? See djamms-hub --help", a->command);
    return admin_fail(a, ADMIN_USAGE, "%s has no %.60s; see djamms-hub --help", a->command, name);
}

/* ---- users ------------------------------------------------------------------------------------- */

static char *read_password(struct admin *a)
{
    const char *file = a->option[ADMIN_PASSWORD_FILE];
    if (file)
        return admin_read_secret(a, file, "password");
    admin_fail(a, ADMIN_USAGE, "--password-file FILE is wanted; - is standard input");
    return NULL;
}

static int add_user(struct admin *a)
{
    struct api_error e;
    struct message *user;
    const char *role = a->option[ADMIN_ROLE];
    if (!role)
        return admin_fail(a, ADMIN_USAGE, "--role owner, staff or guest is wanted");
    char *password = read_password(a);
    if (!password)
        return a->option[ADMIN_PASSWORD_FILE] ? ADMIN_FAILED : ADMIN_USAGE;
    int ret = admin_open(a);
    bool is_done =
        ret == 0 && accounts_add_user(a->accounts, a->word[1], password, role, &user, &e);
    secret_free(password);
    if (!is_done)
        return ret ? ret : admin_fail_api(a, &e);
    struct message *m = message_create();
    message_set_field(m, "userId", user, "$id");
    message_set_field(m, "email", user, "email");
    message_set_str(m, "role", role);
    admin_set_endpoint(a, m);
    message_destroy(user);
    ret = admin_commit(a);
    if (ret == 0 && !a->is_json) {
        fprintf(a->out, "user:     %s\nid:       %s\nrole:     %s\n", message_str(m, "email", ""),
                message_str(m, "userId", ""), role);
        admin_print_endpoint(a);
    }
    if (ret == 0)
        admin_print_json(a, m);
    else
        message_destroy(m);
    return ret;
}

static int list_users(struct admin *a)
{
    struct api_error e;
    struct message *list;
    int ret = admin_open(a);
    if (ret)
        return ret;
    if (!accounts_users(a->accounts, &list, &e))
        return admin_fail_api(a, &e);
    for (size_t i = 0; !a->is_json && i < message_count(list, "users"); i++) {
        const struct message *u = message_object_at(list, "users", i);
        const char *role = message_str_at(u, "labels", 0);
        fprintf(a->out, "%-20s  %-5s  %s\n", message_str(u, "$id", ""), role ? role : "",
                message_str(u, "email", ""));
    }
    admin_print_json(a, list);
    return 0;
}

/* "WHO is ...". */
static int say_done(struct admin *a, const char *who, const char *what)
{
    int ret = admin_commit(a);
    if (ret)
        return ret;
    if (!admin_print_json(a, message_create()))
        fprintf(a->out, "%s %s\n", who, what);
    return 0;
}

static int remove_user(struct admin *a)
{
    struct api_error e;
    int ret = admin_open(a);
    if (ret)
        return ret;
    if (!accounts_remove_user(a->accounts, a->word[1], &e))
        return admin_fail_api(a, &e);
    return say_done(a, a->word[1], "is removed and signed out everywhere");
}

static int set_password(struct admin *a)
{
    struct api_error e;
    char *password = read_password(a);
    if (!password)
        return a->option[ADMIN_PASSWORD_FILE] ? ADMIN_FAILED : ADMIN_USAGE;
    int ret = admin_open(a);
    bool is_done = ret == 0 && accounts_set_password(a->accounts, a->word[1], password, &e);
    secret_free(password);
    if (!is_done)
        return ret ? ret : admin_fail_api(a, &e);
    return say_done(a, a->word[1], "has a new password and is signed out everywhere");
}

int admin_user(struct admin *a)
{
    static const struct action actions[] = {
        { "add", add_user, 1, "user add EMAIL --role owner|staff|guest --password-file FILE" },
        { "list", list_users, 0, "user list" },
        { "remove", remove_user, 1, "user remove EMAIL|ID" },
        { "password", set_password, 1, "user password EMAIL --password-file FILE" },
    };
    return run_action(a, actions, ARRAY_LEN(actions));
}

/* ---- keys -------------------------------------------------------------------------------------- */

static int add_key(struct admin *a)
{
    struct api_error e;
    char secret[SECRET_TEXT_MAX];
    int ret = admin_open(a);
    if (ret)
        return ret;
    if (!accounts_add_key(a->accounts, a->word[1], secret, &e))
        return admin_fail_api(a, &e);
    ret = admin_commit(a);
    if (ret)
        return ret;
    struct message *m = message_create();
    message_set_str(m, "name", a->word[1]);
    message_set_str(m, "secret", secret);
    admin_set_endpoint(a, m);
    if (!admin_print_json(a, m)) {
        fprintf(a->out, "key:      %s\nsecret:   %s\n", a->word[1], secret);
        admin_print_endpoint(a);
        fputs("The secret is not shown again.\n", a->out);
    }
    return 0;
}

static int list_keys(struct admin *a)
{
    struct api_error e;
    struct message *list;
    int ret = admin_open(a);
    if (ret)
        return ret;
    if (!accounts_keys(a->accounts, &list, &e))
        return admin_fail_api(a, &e);
    for (size_t i = 0; !a->is_json && i < message_count(list, "keys"); i++) {
        const struct message *k = message_object_at(list, "keys", i);
        fprintf(a->out, "%s  %s\n", message_str(k, "$createdAt", ""), message_str(k, "name", ""));
    }
    admin_print_json(a, list);
    return 0;
}

static int remove_key(struct admin *a)
{
    struct api_error e;
    int ret = admin_open(a);
    if (ret)
        return ret;
    if (!accounts_remove_key(a->accounts, a->word[1], &e))
        return admin_fail_api(a, &e);
    return say_done(a, a->word[1], "is no key any more");
}

int admin_key(struct admin *a)
{
    static const struct action actions[] = {
        { "add", add_key, 1, "key add NAME" },
        { "list", list_keys, 0, "key list" },
        { "remove", remove_key, 1, "key remove NAME" },
    };
    return run_action(a, actions, ARRAY_LEN(actions));
}

/* ---- token ------------------------------------------------------------------------------------- */

static void print_token(struct admin *a, const struct message *m)
{
    const char *token = message_str(m, "token", "");
    fprintf(a->out, "token:    %s\nexpires:  %s\n", token, message_str(m, "expire", ""));
    admin_print_endpoint(a);
    fprintf(
        a->out,
        "venue:    %s\nIt signs in once, within %d minutes, as `djamms pair --token %s` does.\n",
        a->config.hub.venue, ACCOUNT_TOKEN_S / 60, token);
}

int admin_token(struct admin *a)
{
    struct api_error e;
    struct message *made;
    if (a->word_count != 1)
        return admin_fail(a, ADMIN_USAGE, "the usage is: djamms-hub token EMAIL|ID");
    int ret = admin_open(a);
    if (ret)
        return ret;
    if (!accounts_add_token(a->accounts, a->word[0], TOKEN_DIGITS, ACCOUNT_TOKEN_S, &made, &e))
        return admin_fail_api(a, &e);
    struct message *m = message_create();
    char *token =
        xasprintf("%s:%s", message_str(made, "userId", ""), message_str(made, "secret", ""));
    message_set_field(m, "userId", made, "userId");
    message_set_field(m, "secret", made, "secret");
    message_set_str(m, "token", token);
    message_set_field(m, "expire", made, "expire");
    admin_set_endpoint(a, m);
    message_set_str(m, "venue", a->config.hub.venue);
    message_destroy(made);
    secret_free(token);
    ret = admin_commit(a);
    if (ret == 0 && !a->is_json)
        print_token(a, m);
    if (ret == 0)
        admin_print_json(a, m);
    else
        message_destroy(m);
    return ret;
}

/* ---- claim ------------------------------------------------------------------------------------- */

int admin_claim(struct admin *a)
{
    struct api_error e;
    char code[SECRET_TEXT_MAX];
    if (a->word_count)
        return admin_fail(a, ADMIN_USAGE, "the usage is: djamms-hub claim");
    int ret = admin_open(a);
    if (ret)
        return ret;
    if (!accounts_claim_code(a->accounts, code, &e))
        return admin_fail_api(a, &e);
    ret = admin_commit(a);
    if (ret)
        return ret;
    struct message *m = message_create();
    message_set_bool(m, "isClaimed", !*code);
    if (*code)
        message_set_str(m, "code", code);
    admin_set_endpoint(a, m);
    if (admin_print_json(a, m))
        return 0;
    if (*code)
        fprintf(a->out, "code:     %s\n", code);
    else
        fputs("This hub has an owner.\n", a->out);
    admin_print_endpoint(a);
    return 0;
}
