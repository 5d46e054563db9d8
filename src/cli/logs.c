/* logs: what the jukebox that systemd runs has written, and what it comes to. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/now.h"
#include "base/systemd.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/log_summary.h"

#define SUMMARY_HOURS 24
#define LABEL_COLUMNS 11
/* What of an entry the summary looks at. */
#define SUMMARY_FIELDS "MESSAGE,MESSAGE_ID,PRIORITY,UNIT,DJAMMS_MODULE"

static int fail_without_systemd(struct cli *cli)
{
    return cli_fail(
        cli, CLI_FAILED,
        "systemd does not run here and keeps no log; `djamms up` writes its own to "
        "its terminal: keep it with `djamms up 2> FILE`%s",
        args_has(&cli->args, ARG_SUMMARY) ? ", then `djamms logs --summary FILE` reads it" : "");
}

/* ---- the summary -------------------------------------------------------------------------------- */

static void take_entry(struct log_summary *s, const char *line)
{
    struct message *entry = message_parse(line, strlen(line), NULL, 0);
    if (entry)
        log_summary_entry(s, entry);
    message_destroy(entry);
}

static void take_lines(struct log_summary *s, FILE *in,
                       void (*take)(struct log_summary *s, const char *line))
{
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, in) >= 0) {
        line[strcspn(line, "\n")] = '\0';
        take(s, line);
    }
    free(line);
}

static int read_journal(struct cli *cli, struct log_summary *s)
{
    long long since = (long long)(now_wall_ms() / 1000) - SUMMARY_HOURS * 3600;
    char *command = xasprintf("exec journalctl --quiet --unit='djamms-*' --output=json "
                              "--output-fields=" SUMMARY_FIELDS " --since=@%lld",
                              since);
    FILE *in = popen(command, "re");
    free(command);
    if (!in)
        return cli_fail(cli, CLI_FAILED, "journalctl cannot be started: %s", strerror(errno));
    take_lines(s, in, take_entry);
    int status = pclose(in);
    return status == 0 ? CLI_OK : cli_fail(cli, CLI_FAILED, "journalctl failed");
}

static int read_log_file(struct cli *cli, struct log_summary *s, const char *path)
{
    FILE *in = fopen(path, "re");
    if (!in)
        return cli_fail(cli, CLI_FAILED, "%s: %s", path, strerror(errno));
    take_lines(s, in, log_summary_line);
    fclose(in);
    return CLI_OK;
}

/* What came since the last figures of the log; without a jukebox there is no more. */
static void take_running(const struct cli *cli, struct log_summary *s)
{
    struct client client;
    struct message *request = cli_request("status"), *status = NULL;
    int ret = client_open(&client, cli->runtime_dir);
    if (ret == 0)
        ret = client_send(&client, request);
    if (ret == 0)
        ret = client_read(&client, CLIENT_TIMEOUT_MS, &status);
    if (ret == 0)
        log_summary_status(s, status);
    message_destroy(status);
    message_destroy(request);
    client_close(&client);
}

/* One entry of the journal. */
static void write_record(const struct log *log, const struct summary_part part[SUMMARY_PARTS])
{
    char text[1024];
    size_t n = (size_t)snprintf(text, sizeof(text), "the last %d hours", SUMMARY_HOURS);
    for (size_t i = 0; i < SUMMARY_PARTS && n < sizeof(text); i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s %s: %s", i ? ";" : ":", part[i].label,
                              part[i].text);
    log_info(log, "%s", text);
}

static void print_parts(struct cli *cli, const struct summary_part part[SUMMARY_PARTS])
{
    for (size_t i = 0; i < SUMMARY_PARTS; i++) {
        term_put_padded(&cli->term, STYLE_DIM, part[i].label, LABEL_COLUMNS);
        term_put(&cli->term, STYLE_PLAIN, part[i].text);
        fputc('\n', cli->out);
    }
}

static void tell(struct cli *cli, const struct log_summary *s)
{
    struct summary_part part[SUMMARY_PARTS];
    struct log log = log_open("summary");
    if (args_has(&cli->args, ARG_JSON)) {
        struct message *m = log_summary_message(s);
        cli_print_json(cli, m);
        message_destroy(m);
        return;
    }
    log_summary_parts(s, part);
    if (log.journal) /* what a service says is one entry */
        write_record(&log, part);
    else
        print_parts(cli, part);
}

static int summarise(struct cli *cli)
{
    const char *file = cli->args.count ? cli->args.word[0] : NULL;
    struct log_summary *s = xcalloc(1, sizeof(*s));
    int ret = CLI_OK;
    log_summary_init(s, file);
    if (args_has(&cli->args, ARG_FOLLOW) || args_has(&cli->args, ARG_SINCE) ||
        args_has(&cli->args, ARG_LIMIT))
        ret = cli_usage(cli, "--summary is of the last %d hours, or of FILE", SUMMARY_HOURS);
    else if (file)
        ret = read_log_file(cli, s, file);
    else if (!systemd_runs())
        ret = fail_without_systemd(cli);
    else
        ret = read_journal(cli, s);
    if (ret == CLI_OK && !file)
        take_running(cli, s);
    if (ret == CLI_OK)
        tell(cli, s);
    free(s);
    return ret;
}

/* ---- the log itself ----------------------------------------------------------------------------- */

int logs_run(struct cli *cli)
{
    const char *limit = cli->args.value[ARG_LIMIT], *since = cli->args.value[ARG_SINCE];
    long count;
    if (args_has(&cli->args, ARG_SUMMARY))
        return summarise(cli);
    if (cli->args.count)
        return cli_usage(cli, "a FILE is read with --summary");
    if (limit && !parse_number(limit, 1, 1000000, &count))
        return cli_usage(cli, "--limit: \"%.60s\" is no number from 1 to 1000000", limit);
    if (!systemd_runs())
        return fail_without_systemd(cli);
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
