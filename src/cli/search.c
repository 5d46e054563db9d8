/* search */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/track_line.h"
#include "model/track.h"

#define LIMIT_MAX     500
#define WHERE_COLUMNS 40

/* The folder that a file lies in: its name is what was found already. */
static const char *where_of(char *out, size_t size, const struct message *song)
{
    char *path = path_from_source(message_str(song, "source", ""));
    char *slash = strrchr(path, '/');
    if (slash)
        *(slash > path ? slash : slash + 1) = '\0';
    text_clean(out, size, path);
    free(path);
    return out;
}

static void print_songs(struct cli *cli, const struct message *answer)
{
    struct table t;
    table_init(&t, 4, 1);
    t.right[2] = true;
    for (size_t i = 0; i < message_count(answer, "songs"); i++) {
        const struct message *song = message_object_at(answer, "songs", i);
        if (!song)
            continue;
        char line[TRACK_LINE_MAX], length[32], where[TRACK_LINE_MAX], fitted[TRACK_LINE_MAX];
        text_fit(fitted, sizeof(fitted), where_of(where, sizeof(where), song),
                 cli->term.width ? WHERE_COLUMNS : 0);
        table_add(&t, STYLE_DIM, message_str(song, "id", ""));
        table_add(&t, STYLE_PLAIN, track_line(line, sizeof(line), song));
        table_add(&t, STYLE_PLAIN,
                  text_duration(length, sizeof(length), message_f64(song, "duration_s", 0)));
        table_add(&t, STYLE_PLAIN, fitted);
    }
    table_print(&t, &cli->term);
    table_finish(&t);
    if (message_bool(answer, "is_cut", false))
        fprintf(cli->out, "and more; --limit N shows them\n");
}

static char *join_words(const struct args *args)
{
    char *text = xstrdup("");
    for (size_t i = 0; i < args->count; i++) {
        char *longer = xasprintf("%s%s%s", text, i ? " " : "", args->word[i]);
        free(text);
        text = longer;
    }
    return text;
}

int search_run(struct cli *cli)
{
    long limit = 20;
    const char *given = cli->args.value[ARG_LIMIT];
    if (given && !parse_number(given, 1, LIMIT_MAX, &limit))
        return cli_usage(cli, "search: \"%.60s\" is no number from 1 to %d", given, LIMIT_MAX);
    struct message *request = cli_request("search"), *answer;
    char *words = join_words(&cli->args);
    message_set_str(request, "words", words);
    message_set_i64(request, "limit", limit);
    free(words);
    int ret = cli_call(cli, request, &answer);
    if (ret != CLI_OK)
        return ret;
    bool is_found = message_count(answer, "songs") > 0;
    if (!cli_print_json(cli, answer)) {
        if (is_found)
            print_songs(cli, answer);
        else
            fprintf(cli->out, "no song of the library has these words\n");
    }
    message_destroy(answer);
    return is_found ? CLI_OK : CLI_FAILED;
}
