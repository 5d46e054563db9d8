/* What every command gets, and what it gives back. */
#pragma once

#include <stdio.h>

#include "base/compiler.h"
#include "cli/args.h"
#include "cli/client.h"
#include "cli/term.h"
#include "wire/message.h"

enum cli_exit {
    CLI_OK = 0,
    CLI_FAILED = 1,
    CLI_USAGE = 2,
    CLI_NOT_RUNNING = 3,
};

struct cli {
    FILE *out, *err;
    struct term term;    /* of `out` */
    struct args args;    /* words[0] is the first word after the command */
    const char *command; /* its name */
    char *runtime_dir;
};

/* One line "djamms: ..." on cli->err, cleaned. Returns `code`. */
int cli_fail(struct cli *cli, enum cli_exit code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* The same with a hint to the command's help. Returns CLI_USAGE. */
int cli_usage(struct cli *cli, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* {"command": name}. */
struct message *cli_request(const char *name);
/* Sends `request` (taken) and waits for the answer. CLI_OK: *answer is the caller's to destroy and says
 * ok. Otherwise the reason was printed and *answer is NULL. */
WARN_UNUSED int cli_call(struct cli *cli, struct message *request, struct message **answer);
/* Connects, or says why not. */
WARN_UNUSED int cli_connect(struct cli *cli, struct client *client);
/* One exchange on an open connection. CLI_OK: *answer is the caller's, whether it says ok or not;
 * otherwise the reason was printed. `request` is borrowed. */
WARN_UNUSED int cli_exchange(struct cli *cli, struct client *client, const struct message *request,
                             struct message **answer);
/* Says why an exchange ended with `error` (-errno). Returns CLI_FAILED. */
int cli_fail_exchange(struct cli *cli, int error);
/* CLI_OK when the answer says ok; otherwise prints its sentence. */
WARN_UNUSED int cli_check_answer(struct cli *cli, const struct message *answer);
/* With --json: prints the answer and returns true. */
bool cli_print_json(struct cli *cli, const struct message *answer);

/* The whole program; main() does nothing else. Returns the exit code. */
int cli_run(int argc, char **argv, FILE *out, FILE *err);
