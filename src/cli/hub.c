/* hub: hands over to djamms-hub, which knows the accounts and the database. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "cli/cli.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/launch.h"

static bool is_choice(const char *choices, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = choices; *at; at += strcspn(at, " "), at += strspn(at, " ")) {
        if (strcspn(at, " ") == len && strncmp(at, word, len) == 0)
            return true;
    }
    return false;
}

/* Everything but where the zone runs: program, command, options, "--", the other words. The texts of `owned` are the
 * caller's to free. */
static const char **make_arguments(struct cli *cli, char **owned, size_t *owned_count)
{
    const struct args *args = &cli->args;
    const char **argv =
        xcalloc(args->count + 2 * args->set_count + 2 * ARG_OPTIONS + 4, sizeof(*argv));
    size_t n = 0;
    argv[n++] = "djamms-hub";
    argv[n++] = args->word[0];
    for (int i = 0; i < ARG_OPTIONS; i++) {
        if (!args->value[i] || i == ARG_RUNTIME_DIR || i == ARG_SET)
            continue;
        argv[n++] = owned[(*owned_count)++] = xasprintf("--%s", arg_spec((enum arg_option)i)->name);
        if (arg_spec((enum arg_option)i)->value)
            argv[n++] = args->value[i];
    }
    for (size_t i = 0; i < args->set_count; i++) {
        argv[n++] = "--set";
        argv[n++] = args->set[i];
    }
    argv[n++] = "--";
    for (size_t i = 1; i < args->count; i++)
        argv[n++] = args->word[i];
    return argv;
}

int hub_run(struct cli *cli)
{
    const char *choices = command_find("hub")->choices;
    if (!is_choice(choices, cli->args.word[0]))
        return cli_usage(cli, "hub has no command %.60s; it has: %s", cli->args.word[0], choices);
    char *owned[ARG_OPTIONS];
    size_t owned_count = 0;
    char *dir = launch_program_dir(), *program = xasprintf("%s/djamms-hub", dir);
    const char **argv = make_arguments(cli, owned, &owned_count);
    fflush(cli->out);
    execv(program, (char *const *)argv);
    int ret = cli_fail(cli, CLI_FAILED, "%s: %s; it belongs beside the program djamms", program,
                       strerror(errno));
    for (size_t i = 0; i < owned_count; i++)
        free(owned[i]);
    free(argv);
    free(program);
    free(dir);
    return ret;
}
