/* skip, pause, resume, seek, volume, mute */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/track_line.h"

int skip_run(struct cli *cli)
{
    struct message *answer;
    int ret = cli_call(cli, cli_request("skip"), &answer);
    if (ret != CLI_OK)
        return ret;
    char line[TRACK_LINE_MAX];
    const struct message *now = message_object(answer, "now");
    term_put(&cli->term, STYLE_PLAIN,
             now ? track_line(line, sizeof(line), now) : "nothing is left");
    fputc('\n', cli->out);
    message_destroy(answer);
    return CLI_OK;
}

/* Sends the command, then says what is so now; `done` while the sound is still on its way. */
static int call_and_tell(struct cli *cli, const char *command, const char *done)
{
    struct message *answer;
    char line[TRACK_LINE_MAX];
    int ret = cli_call(cli, cli_request(command), &answer);
    message_destroy(answer);
    if (ret == CLI_OK)
        ret = cli_call(cli, cli_request("status"), &answer);
    if (ret != CLI_OK)
        return ret;
    const struct message *now = message_object(answer, "now");
    const char *state = message_str(answer, "state", "?");
    term_put(&cli->term, STYLE_PLAIN, strcmp(state, "waiting") == 0 ? done : state);
    fputs(": ", cli->out);
    term_put(&cli->term, STYLE_PLAIN,
             now ? track_line(line, sizeof(line), now) : "nothing is there to play");
    fputc('\n', cli->out);
    message_destroy(answer);
    return CLI_OK;
}

int pause_run(struct cli *cli)
{
    return call_and_tell(cli, "pause", "paused");
}

int resume_run(struct cli *cli)
{
    return call_and_tell(cli, "resume", "resumed");
}

int seek_run(struct cli *cli)
{
    double seconds;
    bool is_step;
    if (!parse_time(cli->args.word[0], &seconds, &is_step))
        return cli_usage(cli, "seek: \"%.60s\" is no time; write 90, 1:30, +10 or -10",
                         cli->args.word[0]);
    struct message *request = cli_request("seek"), *answer;
    message_set_f64(request, is_step ? "delta_s" : "position_s", seconds);
    int ret = cli_call(cli, request, &answer);
    if (ret != CLI_OK)
        return ret;
    char text[32];
    fprintf(cli->out, "%s\n",
            text_position(text, sizeof(text), message_f64(answer, "position_s", 0)));
    message_destroy(answer);
    return CLI_OK;
}

int volume_run(struct cli *cli)
{
    struct message *request, *answer;
    const char *word = cli->args.word[0];
    long value;
    if (!word) {
        request = cli_request("status");
    } else if (*word == '+' || *word == '-') {
        if (!parse_number(word, -1000000, 1000000, &value))
            return cli_usage(cli, "volume: \"%.60s\" is no step; write +5 or -5", word);
        request = cli_request("volume");
        message_set_i64(request, "delta", min_i64(max_i64(value, -100), 100));
    } else {
        if (!parse_number(word, 0, 100, &value))
            return cli_usage(cli, "volume: \"%.60s\" is no number from 0 to 100", word);
        request = cli_request("volume");
        message_set_i64(request, "value", value);
    }
    int ret = cli_call(cli, request, &answer);
    if (ret != CLI_OK)
        return ret;
    if (args_has(&cli->args, ARG_JSON)) {
        struct message *out = message_create();
        message_set_bool(out, "ok", true);
        message_set_i64(out, "volume", message_i64(answer, "volume", 0));
        cli_print_json(cli, out);
        message_destroy(out);
    } else {
        fprintf(cli->out, "%d\n", (int)message_i64(answer, "volume", 0));
    }
    message_destroy(answer);
    return CLI_OK;
}

int mute_run(struct cli *cli)
{
    struct message *request = cli_request("mute"), *answer;
    const char *word = cli->args.word[0];
    if (word) {
        bool is_on = strcmp(word, "on") == 0;
        if (!is_on && strcmp(word, "off") != 0) {
            message_destroy(request);
            return cli_usage(cli, "mute: \"%.60s\" is neither on nor off", word);
        }
        message_set_bool(request, "on", is_on);
    }
    int ret = cli_call(cli, request, &answer);
    if (ret != CLI_OK)
        return ret;
    fputs(message_bool(answer, "is_muted", false) ? "muted\n" : "not muted\n", cli->out);
    message_destroy(answer);
    return CLI_OK;
}
