/* config check, config example, config show */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/paths.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "config/config.h"
#include "config/option.h"

#define MISTAKES_SHOWN 50

/* What is wrong with a file; `count` may be more than is kept. */
struct mistakes {
    struct config_error at[MISTAKES_SHOWN];
    size_t count;
};

static size_t shown(const struct mistakes *m)
{
    return m->count < MISTAKES_SHOWN ? m->count : MISTAKES_SHOWN;
}

static void print_check_json(struct cli *cli, const char *file, const struct mistakes *mistakes)
{
    struct message *m = message_create();
    message_set_bool(m, "ok", mistakes->count == 0);
    message_set_str(m, "file", file);
    message_set_i64(m, "count", (int64_t)mistakes->count);
    message_set_array(m, "errors");
    for (size_t i = 0; i < shown(mistakes); i++)
        message_append_str(m, "errors", mistakes->at[i].text);
    cli_print_json(cli, m);
    message_destroy(m);
}

static void print_mistakes(struct cli *cli, const struct mistakes *mistakes)
{
    for (size_t i = 0; i < shown(mistakes); i++)
        cli_fail(cli, CLI_FAILED, "%s", mistakes->at[i].text);
    if (mistakes->count > MISTAKES_SHOWN)
        cli_fail(cli, CLI_FAILED, "and %zu more mistakes", mistakes->count - MISTAKES_SHOWN);
}

static int check(struct cli *cli)
{
    struct mistakes mistakes = { .count = 0 };
    const char *named = cli->args.word[1] ? cli->args.word[1] : cli->args.value[ARG_CONFIG];
    char *usual = path_config_file();
    const char *file = named ? named : usual;
    bool is_missing = !named && access(file, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR);
    if (!is_missing)
        mistakes.count = config_check_file(file, mistakes.at, MISTAKES_SHOWN);
    if (args_has(&cli->args, ARG_JSON)) {
        print_check_json(cli, file, &mistakes);
    } else if (mistakes.count) {
        print_mistakes(cli, &mistakes);
    } else {
        char *places = is_missing ? path_config_places() : xstrdup(file);
        term_put(&cli->term, STYLE_PLAIN, places);
        fprintf(cli->out, ": %s\n",
                is_missing ? "not there; all settings are at their defaults" : "no mistakes");
        free(places);
    }
    free(usual);
    return mistakes.count ? CLI_FAILED : CLI_OK;
}

static void show_options(struct cli *cli, const struct config *c)
{
    char value[OPTION_TEXT_MAX + 1];
    struct message *m = message_create();
    struct table t;
    table_init(&t, 3, 1);
    message_set_bool(m, "ok", true);
    for (size_t i = 0; i < option_count(); i++) {
        const struct option *o = option_at(i);
        bool is_default = strcmp(option_value(o, c, value, sizeof(value)), o->def) == 0;
        message_set_str(m, o->name, value);
        table_add(&t, STYLE_PLAIN, o->name);
        table_add(&t, is_default ? STYLE_PLAIN : STYLE_BOLD, value);
        table_add(&t, STYLE_DIM, is_default ? "" : "changed");
    }
    if (!cli_print_json(cli, m))
        table_print(&t, &cli->term);
    table_finish(&t);
    message_destroy(m);
}

static int show(struct cli *cli)
{
    struct config c;
    struct config_error err;
    int ret =
        config_load_from(&c, cli->args.value[ARG_CONFIG], cli->args.set, cli->args.set_count, &err);
    if (ret == 0)
        show_options(cli, &c);
    else
        cli_fail(cli, CLI_FAILED, "%s", err.text);
    config_finish(&c);
    return ret < 0 ? CLI_FAILED : CLI_OK;
}

int config_run(struct cli *cli)
{
    const char *what = cli->args.word[0];
    if (cli->args.set_count && strcmp(what, "show") != 0)
        return cli_usage(cli, "config %.60s takes no option --set", what);
    if (strcmp(what, "check") == 0)
        return check(cli);
    if (cli->args.count > 1)
        return cli_usage(cli, "config %s: \"%.60s\" is one word too many", what, cli->args.word[1]);
    if (strcmp(what, "show") == 0)
        return show(cli);
    if (strcmp(what, "example") != 0)
        return cli_usage(cli, "config: \"%.60s\" is none of check, example, show", what);
    config_write_example(cli->out);
    return CLI_OK;
}
