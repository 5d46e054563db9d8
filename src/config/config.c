#include "config/config.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/paths.h"
#include "base/text.h"
#include "config/config_error.h"
#include "config/nearest.h"
#include "config/option.h"

int config_fail(struct config_error *err, int code, const char *fmt, ...)
{
    char text[sizeof(err->text) * 2];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    text_clean(err->text, sizeof(err->text), text);
    return code;
}

void config_init(struct config *c)
{
    *c = (struct config){ 0 };
    for (size_t i = 0; i < option_count(); i++) {
        bool is_allowed = option_set(option_at(i), c, option_at(i)->def);
        if (!is_allowed)
            abort(); /* a default outside its own range is a bug of the table */
    }
}

static bool is_string(const struct option *o)
{
    return o->type == OPTION_TEXT || o->type == OPTION_PATHS || o->type == OPTION_CHOICE ||
           o->type == OPTION_LISTEN || o->type == OPTION_MODE;
}

void config_finish(struct config *c)
{
    for (size_t i = 0; i < option_count(); i++) {
        const struct option *o = option_at(i);
        if (is_string(o))
            free(*(char **)((char *)c + o->offset));
    }
    *c = (struct config){ 0 };
}

static bool in_section(const struct option *o, const char *section, size_t len)
{
    return option_section_len(o) == len && strncmp(o->name, section, len) == 0;
}

/* Appends the keys of a section, or all sections, as "a, b, c". */
static void list_names(char *out, size_t size, const char *section, size_t section_len)
{
    size_t n = 0;
    const struct option *last = NULL;
    out[0] = '\0';
    for (size_t i = 0; i < option_count() && n < size; i++) {
        const struct option *o = option_at(i);
        bool is_new_section = !last || !in_section(o, last->name, option_section_len(last));
        last = o;
        if (section ? !in_section(o, section, section_len) : !is_new_section)
            continue;
        const char *comma = n ? ", " : "";
        if (section)
            n += (size_t)snprintf(out + n, size - n, "%s%s", comma, option_key(o));
        else
            n += (size_t)snprintf(out + n, size - n, "%s%.*s", comma, (int)option_section_len(o),
                                  o->name);
    }
}

static int fail_unknown(const char *where, const char *name, struct config_error *err)
{
    char known[300], hint[96] = "";
    struct nearest near = nearest_to(name);
    for (size_t i = 0; i < option_count(); i++)
        nearest_consider(&near, option_at(i)->name);
    if (near.name)
        snprintf(hint, sizeof(hint), "did you mean %s? ", near.name);
    size_t section = strcspn(name, ".");
    list_names(known, sizeof(known), name, section);
    if (known[0])
        return config_fail(err, -ENOENT, "%s%.80s: no such setting; %s[%.*s] has %s", where, name,
                           hint, (int)section, name, known);
    list_names(known, sizeof(known), NULL, 0);
    return config_fail(err, -ENOENT, "%s%.80s: no such section; %sthe sections are %s", where, name,
                       hint, known);
}

int config_set_from(struct config *c, const char *where, const char *name, const char *value,
                    struct config_error *err)
{
    const struct option *o = option_find(name);
    if (!o)
        return fail_unknown(where, name, err);
    if (option_set(o, c, value))
        return 0;
    char allowed[160];
    return config_fail(err, -EINVAL, "%s%s: \"%.80s\" is not allowed; allowed is %s", where, name,
                       value, option_allowed(o, allowed, sizeof(allowed)));
}

int config_set(struct config *c, const char *name, const char *value, struct config_error *err)
{
    return config_set_from(c, "", name, value, err);
}

void config_read_credentials(struct config *c)
{
    const char *dir = getenv("CREDENTIALS_DIRECTORY");
    for (size_t i = 0; dir && *dir && i < option_count(); i++) {
        const struct option *o = option_at(i);
        char *path = o->is_credential ? xasprintf("%s/%s", dir, o->name) : NULL;
        bool is_allowed = !path || access(path, R_OK) < 0 || option_set(o, c, path);
        assert(is_allowed); /* any text of one line is */
        (void)is_allowed;
        free(path);
    }
}

/* Whether an environment variable is meant for us: DJAMMS_ and one of our sections. */
static bool is_setting_variable(const char *variable)
{
    char env[64];
    for (size_t i = 0; i < option_count(); i++) {
        option_env_name(option_at(i), env, sizeof(env));
        size_t len = strlen("DJAMMS_") + option_section_len(option_at(i)) + 1;
        if (strncmp(variable, env, len) == 0)
            return true;
    }
    return false;
}

static const struct option *option_nearest_env(const char *name, size_t *distance)
{
    const struct option *best = NULL;
    char env[64];
    for (size_t i = 0; i < option_count(); i++) {
        size_t d = edit_distance(name, option_env_name(option_at(i), env, sizeof(env)));
        if (!best || d < *distance) {
            best = option_at(i);
            *distance = d;
        }
    }
    return best;
}

static int set_from_variable(struct config *c, const char *variable, struct config_error *err)
{
    char name[96], where[128], env[64];
    const char *equals = strchr(variable, '=');
    if (!equals || (size_t)(equals - variable) >= sizeof(name) || !is_setting_variable(variable))
        return 0;
    snprintf(name, sizeof(name), "%.*s", (int)(equals - variable), variable);
    snprintf(where, sizeof(where), "environment: $%s: ", name);
    size_t distance = 0;
    const struct option *o = option_nearest_env(name, &distance);
    option_env_name(o, env, sizeof(env));
    if (strcmp(env, name) == 0)
        return config_set_from(c, where, o->name, equals + 1, err);
    return config_fail(err, -ENOENT, "%sno such setting; did you mean $%s?", where, env);
}

int config_read_environment(struct config *c, struct config_error *err)
{
    extern char **environ;
    const char *level = getenv("DJAMMS_LOG"); /* the short name, which log_open() reads too */
    int ret = level ? config_set_from(c, "environment: $DJAMMS_LOG: ", "log.level", level, err) : 0;
    for (char **v = environ; ret == 0 && v && *v; v++)
        ret = set_from_variable(c, *v, err);
    return ret;
}

/* ---- command line ------------------------------------------------------------------------------ */

/* The value of "--NAME VALUE" or "--NAME=VALUE" at argv[*i], which moves to its last word. NULL: argv[*i]
 * is another argument; "": the value is missing. */
static const char *option_argument(const char *name, int argc, char **argv, int *i)
{
    const char *arg = argv[*i];
    size_t len = strlen(name);
    if (!arg || strncmp(arg, name, len) != 0)
        return NULL;
    if (arg[len] == '=')
        return arg + len + 1;
    if (arg[len])
        return NULL;
    return *i + 1 < argc ? argv[++*i] : "";
}

static int set_from_argument(struct config *c, const char *text, struct config_error *err)
{
    const char *equals = strchr(text, '=');
    if (!equals || equals == text)
        return config_fail(err, -EINVAL, "--set %.80s: section.key=value is wanted", text);
    char *name = xstrndup(text, (size_t)(equals - text));
    int ret = config_set_from(c, "--set ", name, equals + 1, err);
    free(name);
    return ret;
}

/* Takes --config and --set out of argv. The texts stay borrowed from argv. */
static int take_arguments(int *argc, char **argv, const char **file, const char **sets,
                          size_t *set_count, struct config_error *err)
{
    int kept = 1;
    for (int i = 1; i < *argc; i++) {
        if (strcmp(argv[i], "--") == 0) {
            while (i < *argc)
                argv[kept++] = argv[i++];
            break;
        }
        const char *value;
        if ((value = option_argument("--config", *argc, argv, &i))) {
            if (!*value)
                return config_fail(err, -EINVAL, "--config: a file is wanted");
            *file = value;
        } else if ((value = option_argument("--set", *argc, argv, &i))) {
            sets[(*set_count)++] = value;
        } else {
            argv[kept++] = argv[i];
        }
    }
    *argc = kept;
    argv[kept] = NULL;
    return 0;
}

static int read_file_of(struct config *c, const char *named, struct config_error *err)
{
    if (named)
        return config_read_file(c, named, err);
    char *path = path_config_file();
    bool is_missing = access(path, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR);
    int ret = is_missing ? 0 : config_read_file(c, path, err);
    free(path);
    return ret;
}

int config_load_from(struct config *c, const char *file, const char *const *sets, size_t set_count,
                     struct config_error *err)
{
    config_init(c);
    config_read_credentials(c);
    int ret = read_file_of(c, file, err);
    if (ret == 0)
        ret = config_read_environment(c, err);
    for (size_t i = 0; ret == 0 && i < set_count; i++)
        ret = set_from_argument(c, sets[i], err);
    return ret;
}

int config_load(struct config *c, int *argc, char **argv, struct config_error *err)
{
    const char *file = NULL;
    const char **sets = xcalloc((size_t)*argc + 1, sizeof(*sets));
    size_t set_count = 0;
    int ret = take_arguments(argc, argv, &file, sets, &set_count, err);
    if (ret < 0)
        config_init(c);
    else
        ret = config_load_from(c, file, sets, set_count, err);
    free(sets);
    return ret;
}
