/* logs: what the jukebox that systemd runs has written. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "cli/cli.h"
#include "cli/commands.h"

/* Of systemd's library: sd_booted(3) says the same. */
#define SYSTEMD_RUNS "/run/systemd/system"

int logs_run(struct cli *cli)
{
    const char *limit = cli->args.value[ARG_LIMIT], *since = cli->args.value[ARG_SINCE];
    long count;
    if (limit && !parse_number(limit, 1, 1000000, &count))
        return cli_usage(cli, "--limit: \"%.60s\" is no number from 1 to 1000000", limit);
    if (access(SYSTEMD_RUNS, F_OK) < 0)
        return cli_fail(cli, CLI_FAILED,
                        "systemd does not run here and keeps no log; `djamms up` writes its own to "
                        "its terminal: keep it with `djamms up 2> FILE`");
    const char *argv[8] = { "journalctl", "--unit=djamms-*" };
    size_t n = 2;
    char *lines = limit ? xasprintf("--lines=%s", limit) : NULL;
    char *from = since ? xasprintf("--since=%s", since) : NULL;
    if (lines)
        argv[n++] = lines;
    if (from)
        argv[n++] = from;
    if (args_has(&cli->args, ARG_FOLLOW))
        argv[n++] = "--follow";
    if (args_has(&cli->args, ARG_JSON))
        argv[n++] = "--output=json";
    execvp(argv[0], (char *const *)argv);
    int error = errno;
    free(lines);
    free(from);
    return cli_fail(cli, CLI_FAILED, "journalctl cannot be started: %s", strerror(error));
}
