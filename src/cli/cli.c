#include "cli/cli.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/now.h"
#include "base/paths.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/up_lock.h"
#include "config/nearest.h"

#define RESTART_MS 2000 /* a player that died is back by then */
#define RETRY_MS   20

static void print_error(struct cli *cli, const char *fmt, va_list ap)
{
    char *text = NULL, clean[4096];
    if (vasprintf(&text, fmt, ap) < 0)
        abort();
    text_clean(clean, sizeof(clean), text);
    free(text);
    fprintf(cli->err, "djamms: %s\n", clean);
}

int cli_fail(struct cli *cli, enum cli_exit code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    print_error(cli, fmt, ap);
    va_end(ap);
    return code;
}

int cli_usage(struct cli *cli, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    print_error(cli, fmt, ap);
    va_end(ap);
    fprintf(cli->err, "See `djamms help%s%s`.\n", cli->command ? " " : "",
            cli->command ? cli->command : "");
    return CLI_USAGE;
}

struct message *cli_request(const char *name)
{
    struct message *m = message_create();
    message_set_str(m, "command", name);
    return m;
}

/* 0 or -errno. A player that is not there is waited for while `djamms up` stands behind it. */
static int open_client(const struct cli *cli, struct client *client, bool *is_supervised)
{
    int64_t until_ns = now_mono_ns() + MS(RESTART_MS);
    for (;;) {
        int ret = client_open(client, cli->runtime_dir);
        if (ret == 0)
            return 0;
        client_close(client);
        bool is_absent = ret == -ENOENT || ret == -ECONNREFUSED;
        *is_supervised = is_absent && up_lock_is_held(cli->runtime_dir);
        if (!*is_supervised || now_mono_ns() >= until_ns)
            return ret;
        poll(NULL, 0, RETRY_MS);
    }
}

int cli_connect(struct cli *cli, struct client *client)
{
    bool is_supervised;
    int ret = open_client(cli, client, &is_supervised);
    if (ret == 0)
        return CLI_OK;
    if (ret != -ENOENT && ret != -ECONNREFUSED)
        return cli_fail_exchange(cli, ret);
    return cli_fail(cli, CLI_NOT_RUNNING,
                    is_supervised
                        ? "the player of the jukebox is being started again; the terminal of "
                          "`djamms up` says why"
                        : "the jukebox is not running; start it with `djamms up`");
}

int cli_fail_exchange(struct cli *cli, int error)
{
    switch (error) {
    case -EPIPE:
    case -ECONNRESET: return cli_fail(cli, CLI_FAILED, "the jukebox ended before it answered");
    case -ETIMEDOUT:
        return cli_fail(cli, CLI_FAILED, "the jukebox does not answer; `djamms doctor` tells more");
    case -EPROTO: return cli_fail(cli, CLI_FAILED, "the jukebox answered what is no JSON object");
    case -EMSGSIZE: return cli_fail(cli, CLI_FAILED, "the message is longer than 1 MiB");
    default:
        return cli_fail(cli, CLI_FAILED, "%s/control.sock: %s", cli->runtime_dir, strerror(-error));
    }
}

int cli_exchange(struct cli *cli, struct client *client, const struct message *request,
                 struct message **answer)
{
    *answer = NULL;
    int ret = client_send(client, request);
    if (ret == 0)
        ret = client_read(client, CLIENT_TIMEOUT_MS, answer);
    if (ret < 0)
        return cli_fail_exchange(cli, ret);
    return CLI_OK;
}

int cli_check_answer(struct cli *cli, const struct message *answer)
{
    if (message_bool(answer, "ok", false))
        return CLI_OK;
    bool is_usage = strcmp(message_str(answer, "code", ""), "usage") == 0;
    return cli_fail(cli, is_usage ? CLI_USAGE : CLI_FAILED, "%s",
                    message_str(answer, "error", "the jukebox refused"));
}

int cli_call(struct cli *cli, struct message *request, struct message **answer)
{
    struct client client;
    *answer = NULL;
    int ret = cli_connect(cli, &client);
    if (ret == CLI_OK) {
        ret = cli_exchange(cli, &client, request, answer);
        client_close(&client);
    }
    if (ret == CLI_OK)
        ret = cli_check_answer(cli, *answer);
    if (ret != CLI_OK) {
        message_destroy(*answer);
        *answer = NULL;
    }
    message_destroy(request);
    return ret;
}

bool cli_print_json(struct cli *cli, const struct message *answer)
{
    if (!args_has(&cli->args, ARG_JSON))
        return false;
    char *text = message_text(answer, cli->term.is_terminal);
    fprintf(cli->out, "%s\n", text);
    free(text);
    return true;
}

/* ---- choosing the command ---------------------------------------------------------------------- */

static int fail_unknown_command(struct cli *cli, const char *word)
{
    struct nearest near = nearest_to(word);
    for (size_t i = 0; i < command_count(); i++)
        nearest_consider(&near, command_at(i)->name);
    if (near.name)
        return cli_usage(cli, "there is no command %.60s; did you mean %s?", word, near.name);
    return cli_usage(cli, "there is no command %.60s", word);
}

static int check_words(struct cli *cli, const struct command *command)
{
    args_settle(&cli->args, command->options | ARG_COMMON);
    enum arg_option foreign = args_foreign(&cli->args, command->options | ARG_COMMON);
    if (foreign != ARG_OPTIONS)
        return cli_usage(cli, "%s takes no option --%s", command->name, arg_spec(foreign)->name);
    if (cli->args.count < command->words_min)
        return cli_usage(cli, "%s: something is missing: djamms %s %s", command->name,
                         command->name, command->args);
    if (cli->args.count > command->words_max)
        return cli_usage(cli, "%s: \"%.60s\" is one word too many", command->name,
                         cli->args.word[command->words_max]);
    for (size_t i = 0; i < cli->args.count; i++) {
        if (!*cli->args.word[i])
            return cli_usage(cli, "%s: an empty word names nothing", command->name);
    }
    return CLI_OK;
}

static int run_command(struct cli *cli, const struct command *command)
{
    cli->command = command->name;
    if (args_has(&cli->args, ARG_HELP)) {
        command_write_help(command, &cli->term);
        return CLI_OK;
    }
    int ret = check_words(cli, command);
    if (ret != CLI_OK)
        return ret;
    const char *dir = cli->args.value[ARG_RUNTIME_DIR];
    cli->runtime_dir = dir ? xstrdup(dir) : path_runtime_dir();
    ret = command->run(cli);
    free(cli->runtime_dir);
    return ret;
}

static int dispatch(struct cli *cli)
{
    struct args *args = &cli->args;
    if (args_has(args, ARG_VERSION)) {
        fprintf(cli->out, "djamms %s\n", DJAMMS_VERSION);
        return CLI_OK;
    }
    if (args->count == 0) {
        bool is_asked = args_has(args, ARG_HELP);
        struct term term = is_asked ? cli->term : term_of(cli->err);
        command_write_overview(&term);
        return is_asked ? CLI_OK : CLI_USAGE;
    }
    const struct command *command = command_find(args->word[0]);
    if (!command)
        return fail_unknown_command(cli, args->word[0]);
    memmove(args->word, args->word + 1, args->count * sizeof(*args->word)); /* with the NULL */
    args->count--;
    return run_command(cli, command);
}

/* Whether all that was printed is written; only a reader that went away does not want to know. */
static int check_output(struct cli *cli)
{
    errno = 0;
    if (fflush(cli->out) == 0 && !ferror(cli->out))
        return CLI_OK;
    if (errno != EPIPE)
        cli_fail(cli, CLI_FAILED, "not all output could be written%s%s", errno ? ": " : "",
                 errno ? strerror(errno) : "");
    return CLI_FAILED;
}

int cli_run(int argc, char **argv, FILE *out, FILE *err)
{
    term_use_utf8();
    signal(SIGPIPE, SIG_IGN); /* what is written to says so by itself */
    struct cli cli = { .out = out, .err = err, .term = term_of(out) };
    char why[256];
    int ret = args_parse(&cli.args, argc, argv, why, sizeof(why));
    if (ret < 0)
        ret = cli_usage(&cli, "%s", why);
    else
        ret = dispatch(&cli);
    args_finish(&cli.args);
    int written = check_output(&cli);
    return ret == CLI_OK ? written : ret;
}
