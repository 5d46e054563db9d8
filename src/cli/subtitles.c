/* subtitles: shown or not, and where they come from */
#include <string.h>

#include "cli/cli.h"
#include "cli/commands.h"

static void tell(struct cli *cli, const struct message *subtitles)
{
    const char *source = message_str(subtitles, "source", "");
    fprintf(cli->out, "subtitles are %s\n", message_bool(subtitles, "on", false) ? "on" : "off");
    term_put(&cli->term, STYLE_PLAIN, *source ? "this song: " : "this song has none");
    term_put(&cli->term, STYLE_PLAIN, source);
    fputc('\n', cli->out);
}

int subtitles_run(struct cli *cli)
{
    const char *word = cli->args.word[0];
    bool is_on = strcmp(word, "on") == 0;
    if (!is_on && strcmp(word, "off") != 0 && strcmp(word, "status") != 0)
        return cli_usage(cli, "subtitles: \"%.60s\" is neither on, off nor status", word);
    struct message *request = cli_request("subtitles"), *answer;
    if (strcmp(word, "status") != 0)
        message_set_bool(request, "on", is_on);
    int ret = cli_call(cli, request, &answer);
    if (ret != CLI_OK)
        return ret;
    if (!cli_print_json(cli, answer))
        tell(cli, message_object(answer, "subtitles"));
    message_destroy(answer);
    return CLI_OK;
}
