#include "cli/args.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "config/nearest.h"

static const struct arg_spec specs[ARG_OPTIONS] = {
    [ARG_HELP] = { "help", 'h', NULL, "show help" },
    [ARG_VERSION] = { "version", 'V', NULL, "show the version" },
    [ARG_JSON] = { "json", 'j', NULL, "one JSON object for programs" },
    [ARG_WATCH] = { "watch", 'w', NULL, "go on and show every change" },
    [ARG_LATENCY] = { "latency", 0, NULL, "how long changes take from one place to the next" },
    [ARG_NEXT] = { "next", 'n', NULL, "play it next instead of last" },
    [ARG_REQUEST] = { "request", 'r', "NAME", "as a request of this guest" },
    [ARG_OUTPUT] = { "output", 'o', "NAME", "of this output (see `djamms status`)" },
    [ARG_LIMIT] = { "limit", 'l', "N", "so many at most" },
    [ARG_WINDOW] = { "window", 0, NULL, "in a window" },
    [ARG_FULLSCREEN] = { "fullscreen", 'f', NULL, "fill the screen" },
    [ARG_SIZE] = { "size", 0, "WxH", "in a window of this size" },
    [ARG_OUTPUTS] = { "outputs", 0, "N", "so many windows" },
    [ARG_LOOP] = { "loop", 0, NULL, "begin again at the end" },
    [ARG_CONFIG] = { "config", 'c', "FILE", "read this settings file" },
    [ARG_SET] = { "set", 's', "KEY=VALUE", "one setting, as section.key=value; may be repeated" },
    [ARG_RUNTIME_DIR] = { "runtime-dir", 0, "DIR", "folder of the running jukebox" },
    [ARG_STATE_DIR] = { "state-dir", 0, "DIR", "folder of the kept queue and history" },
    [ARG_DATA] = { "data", 0, "DIR", "folder of the hub's database" },
    [ARG_ROLE] = { "role", 0, "ROLE", "owner, staff or guest" },
    [ARG_PASSWORD_FILE] = { "password-file", 0, "FILE",
                            "read the password from this file; - is standard input" },
    [ARG_ENDPOINT] = { "endpoint", 0, "URL", "address of another server, with /v1 at its end" },
    [ARG_PROJECT] = { "project", 0, "ID", "project id there" },
    [ARG_DATABASE] = { "database", 0, "ID", "database id there" },
    [ARG_VENUE] = { "venue", 0, "ID", "only what belongs to this venue" },
    [ARG_KEY_FILE] = { "key-file", 0, "FILE",
                       "read an API key from this file; - is standard input" },
    [ARG_DEEP] = { "deep", 0, NULL, "read and compare every byte" },
    [ARG_TO] = { "to", 0, "SIZE", "down to so much: 500M, 20G; a plain number is MB" },
    [ARG_TOKEN] = { "token", 0, "USERID:SECRET",
                    "this token; the list of processes shows it to others" },
    [ARG_TOKEN_FILE] = { "token-file", 0, "FILE",
                         "read the token from this file; - is standard input" },
    [ARG_FOLLOW] = { "follow", 'f', NULL, "go on and show what is written" },
    [ARG_SINCE] = { "since", 0, "TIME", "from then on: \"14:30\", \"yesterday\", \"1 hour ago\"" },
    [ARG_SUMMARY] = { "summary", 0, NULL, "what the last 24 hours were like" },
};

const struct arg_spec *arg_spec(enum arg_option option)
{
    return &specs[option];
}

static bool is_option_word(const char *word)
{
    if (word[0] != '-' || !word[1])
        return false;
    return !isdigit((unsigned char)word[1]) && !(word[1] == '.' || word[1] == ':');
}

static enum arg_option find_long(const char *name, size_t len)
{
    for (int i = 0; i < ARG_OPTIONS; i++) {
        if (strlen(specs[i].name) == len && strncmp(specs[i].name, name, len) == 0)
            return (enum arg_option)i;
    }
    return ARG_OPTIONS;
}

static enum arg_option find_letter(char letter)
{
    for (int i = 0; i < ARG_OPTIONS; i++) {
        if (specs[i].letter == letter)
            return (enum arg_option)i;
    }
    return ARG_OPTIONS;
}

static int fail_unknown(const char *word, char *why, size_t size)
{
    struct nearest near = nearest_to(word + strspn(word, "-"));
    for (int i = 0; i < ARG_OPTIONS && word[1] == '-'; i++)
        nearest_consider(&near, specs[i].name);
    if (near.name)
        snprintf(why, size, "there is no option %.60s; did you mean --%s?", word, near.name);
    else
        snprintf(why, size, "there is no option %.60s", word);
    return -EINVAL;
}

static void store(struct args *a, enum arg_option option, const char *value)
{
    a->value[option] = value;
    if (option == ARG_SET)
        a->set[a->set_count++] = value;
}

/* Reads the option at argv[*i], and its value, which may be the next word. */
static int parse_option(struct args *a, int argc, char **argv, int *i, char *why, size_t size)
{
    const char *word = argv[*i], *value = NULL;
    enum arg_option option;
    if (word[1] == '-') {
        size_t len = strcspn(word + 2, "=");
        option = find_long(word + 2, len);
        value = word[2 + len] ? word + 2 + len + 1 : NULL;
    } else {
        option = find_letter(word[1]);
        value = word[2] ? word + 2 : NULL;
    }
    if (option == ARG_OPTIONS)
        return fail_unknown(word, why, size);
    if (word[1] != '-')
        a->by_letter |= ARG_BIT(option);
    const struct arg_spec *spec = &specs[option];
    if (!spec->value && value && word[1] != '-') {
        snprintf(why, size, "%.60s: short options stand alone, as -%c -%c", word, word[1], word[2]);
        return -EINVAL;
    }
    if (!spec->value && value) {
        snprintf(why, size, "--%s takes no value", spec->name);
        return -EINVAL;
    }
    if (spec->value && !value)
        value = *i + 1 < argc ? argv[++*i] : NULL;
    if (spec->value && (!value || !*value)) {
        snprintf(why, size, "--%s needs a value: --%s %s", spec->name, spec->name, spec->value);
        return -EINVAL;
    }
    store(a, option, value ? value : "");
    return 0;
}

int args_parse(struct args *a, int argc, char **argv, char *why, size_t size)
{
    *a = (struct args){ 0 };
    a->word = xcalloc((size_t)argc + 1, sizeof(*a->word));
    a->set = xcalloc((size_t)argc + 1, sizeof(*a->set));
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--") == 0) {
            while (++i < argc)
                a->word[a->count++] = argv[i];
        } else if (is_option_word(argv[i])) {
            int ret = parse_option(a, argc, argv, &i, why, size);
            if (ret < 0)
                return ret;
        } else {
            a->word[a->count++] = argv[i];
        }
    }
    return 0;
}

void args_finish(struct args *a)
{
    free(a->word);
    free(a->set);
    *a = (struct args){ 0 };
}

void args_settle(struct args *a, uint64_t allowed)
{
    for (int i = 0; i < ARG_OPTIONS; i++) {
        if (!(a->by_letter & ARG_BIT(i) & ~allowed))
            continue;
        for (int k = 0; k < ARG_OPTIONS; k++) {
            if (k == i || specs[k].letter != specs[i].letter || !(allowed & ARG_BIT(k)))
                continue;
            a->value[k] = a->value[i];
            a->value[i] = NULL;
        }
    }
}

enum arg_option args_foreign(const struct args *a, uint64_t allowed)
{
    for (int i = 0; i < ARG_OPTIONS; i++) {
        if (a->value[i] && !(allowed & ARG_BIT(i)))
            return (enum arg_option)i;
    }
    return ARG_OPTIONS;
}

bool parse_number(const char *text, long min, long max, long *out)
{
    const char *digits = text + (*text == '-' || *text == '+');
    if (!isdigit((unsigned char)*digits))
        return false;
    char *end;
    errno = 0;
    long n = strtol(text, &end, 10);
    if (*end || errno || n < min || n > max)
        return false;
    *out = n;
    return true;
}

/* Digits with at most one point between or after them; nothing that strtod() takes besides. */
static bool parse_seconds(const char *text, double *out)
{
    size_t len = strspn(text, "0123456789.");
    if (text[len] || !isdigit((unsigned char)*text) || len > 15)
        return false;
    double whole = 0, part = 0, scale = 1;
    const char *p = text;
    for (; isdigit((unsigned char)*p); p++)
        whole = whole * 10 + (*p - '0');
    if (*p == '.')
        p++;
    for (; isdigit((unsigned char)*p); p++)
        part += (*p - '0') * (scale /= 10);
    if (*p)
        return false;
    *out = whole + part;
    return true;
}

bool parse_time(const char *text, double *seconds, bool *is_step)
{
    double sign = *text == '-' ? -1 : 1, total = 0;
    *is_step = *text == '-' || *text == '+';
    text += *is_step;
    for (int fields = 0; fields < 3; fields++) {
        char field[32];
        size_t len = strcspn(text, ":");
        if (len == 0 || len >= sizeof(field))
            return false;
        snprintf(field, sizeof(field), "%.*s", (int)len, text);
        double value;
        bool is_last = !text[len];
        if (!parse_seconds(field, &value) || (!is_last && strchr(field, '.')) ||
            (fields > 0 && (value >= 60 || !isdigit((unsigned char)field[1]))))
            return false;
        total = total * 60 + value;
        if (is_last) {
            *seconds = sign * total;
            return total < 1e7;
        }
        text += len + 1;
    }
    return false;
}
