/* remove, promote, play-now, move, shuffle, clear */
#include <string.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/track_line.h"

/* Prints what was done to the answer's track: `done`, or what `tell` says. */
static int call_for_entry(struct cli *cli, struct message *request, const char *done,
                          void (*tell)(struct cli *cli, const struct message *answer))
{
    struct message *answer;
    message_set_str(request, "entry", cli->args.word[0]);
    int ret = cli_call(cli, request, &answer);
    if (ret != CLI_OK)
        return ret;
    if (!cli_print_json(cli, answer)) {
        const struct message *track = message_object(answer, "track");
        char line[TRACK_LINE_MAX];
        if (tell)
            tell(cli, answer);
        else
            fputs(done, cli->out);
        fputs(": ", cli->out);
        term_put(&cli->term, STYLE_PLAIN,
                 track ? track_line(line, sizeof(line), track) : cli->args.word[0]);
        fputc('\n', cli->out);
    }
    message_destroy(answer);
    return CLI_OK;
}

/* " PREPOSITION main:3"; nothing when the answer does not say where. */
static void put_place(struct cli *cli, const char *preposition, const struct message *track)
{
    const char *list = track ? message_str(track, "list", NULL) : NULL;
    if (!list)
        return;
    fprintf(cli->out, " %s ", preposition);
    term_put(&cli->term, STYLE_PLAIN, list);
    fprintf(cli->out, ":%lld", (long long)message_i64(track, "index", 0));
}

static void tell_move(struct cli *cli, const struct message *answer)
{
    const struct message *track = message_object(answer, "track");
    bool is_moved = message_bool(answer, "is_moved", true);
    fputs(is_moved ? "moved" : "stays", cli->out);
    put_place(cli, is_moved ? "to" : "at", track);
    if (!is_moved && track && message_bool(track, "is_playing", false))
        fputs(", it is playing", cli->out);
}

static void tell_promotion(struct cli *cli, const struct message *answer)
{
    const struct message *track = message_object(answer, "track");
    if (track && message_bool(track, "is_playing", false))
        tell_move(cli, answer);
    else
        fputs("next of its list", cli->out);
}

int remove_run(struct cli *cli)
{
    return call_for_entry(cli, cli_request("remove"), "removed", NULL);
}

int promote_run(struct cli *cli)
{
    return call_for_entry(cli, cli_request("promote"), NULL, tell_promotion);
}

int play_now_run(struct cli *cli)
{
    return call_for_entry(cli, cli_request("play-now"), "now", NULL);
}

int move_run(struct cli *cli)
{
    long index;
    if (!parse_number(cli->args.word[1], 0, 1000000, &index))
        return cli_usage(cli, "move: \"%.60s\" is no index; it counts from 0", cli->args.word[1]);
    struct message *request = cli_request("move");
    message_set_i64(request, "index", index);
    return call_for_entry(cli, request, NULL, tell_move);
}

static int call_for_count(struct cli *cli, struct message *request, const char *field,
                          const char *done)
{
    struct message *answer;
    int ret = cli_call(cli, request, &answer);
    if (ret != CLI_OK)
        return ret;
    int64_t count = message_i64(answer, field, 0);
    fprintf(cli->out, "%lld %s %s\n", (long long)count, count == 1 ? "entry" : "entries", done);
    message_destroy(answer);
    return CLI_OK;
}

int shuffle_run(struct cli *cli)
{
    return call_for_count(cli, cli_request("shuffle"), "count", "shuffled");
}

int clear_run(struct cli *cli)
{
    const char *lists = cli->args.count ? cli->args.word[0] : "main";
    if (strcmp(lists, "main") != 0 && strcmp(lists, "requests") != 0 && strcmp(lists, "all") != 0)
        return cli_usage(cli, "clear: \"%.60s\" is none of main, requests, all", lists);
    struct message *request = cli_request("clear");
    message_set_str(request, "lists", lists);
    return call_for_count(cli, request, "removed", "removed");
}
