/* queue, history */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/local_time.h"
#include "cli/track_line.h"

#define NOTE_COLUMNS 40

static const char *note_of(char *out, size_t size, const struct message *track)
{
    const char *unplayable = message_str(track, "unplayable", "");
    const char *by = message_str(track, "requested_by", "");
    const char *waits = message_str(track, "waits", "");
    if (*unplayable)
        snprintf(out, size, "cannot be played: %s", unplayable);
    else if (message_bool(track, "is_playing", false))
        snprintf(out, size, "playing%s%s", *by ? ", for " : "", by);
    else
        snprintf(out, size, "%s%s%s%s", *by ? "for " : "", by, *by && *waits ? ": " : "", waits);
    return out;
}

static void add_list(const struct cli *cli, struct table *t, const struct message *answer,
                     const char *list)
{
    for (size_t i = 0; i < message_count(answer, list); i++) {
        const struct message *track = message_object_at(answer, list, i);
        if (!track)
            continue;
        char place[48], line[TRACK_LINE_MAX], length[32], note[TRACK_LINE_MAX];
        char fitted[TRACK_LINE_MAX];
        bool is_bad = *message_str(track, "unplayable", "") != '\0';
        bool is_now = message_bool(track, "is_playing", false);
        snprintf(place, sizeof(place), "%s:%lld", list,
                 (long long)message_i64(track, "index", (int64_t)i));
        table_add(t, STYLE_DIM, place);
        table_add(t, is_now ? STYLE_BOLD : STYLE_PLAIN, track_line(line, sizeof(line), track));
        table_add(t, STYLE_PLAIN,
                  text_duration(length, sizeof(length), message_f64(track, "duration_s", 0)));
        text_fit(fitted, sizeof(fitted), note_of(note, sizeof(note), track),
                 cli->term.width ? NOTE_COLUMNS : 0);
        table_add(t, is_bad ? STYLE_BAD : is_now ? STYLE_GOOD : STYLE_PLAIN, fitted);
    }
}

static void add_queue(const struct cli *cli, struct table *t, const struct message *answer)
{
    add_list(cli, t, answer, "requests");
    add_list(cli, t, answer, "main");
}

static void add_history(const struct cli *cli, struct table *t, const struct message *answer)
{
    for (size_t i = 0; i < message_count(answer, "tracks"); i++) {
        const struct message *track = message_object_at(answer, "tracks", i);
        if (!track)
            continue;
        char line[TRACK_LINE_MAX], length[32], started[64];
        const char *how = message_str(track, "how", "");
        double played_s = message_f64(track, "played_s", -1);
        table_add(t, STYLE_DIM,
                  local_time_text(started, sizeof(started), message_str(track, "started_at", "")));
        table_add(t, STYLE_PLAIN, track_line(line, sizeof(line), track));
        table_add(t, STYLE_PLAIN,
                  (played_s < 0 ? text_duration : text_position)(length, sizeof(length), played_s));
        table_add(t, strcmp(how, "failed") == 0 ? STYLE_BAD : STYLE_PLAIN, how);
    }
}

/* A table with a duration in its third column, filled by `add`. */
static void print_table(struct cli *cli, const struct message *answer, const char *when_empty,
                        void (*add)(const struct cli *, struct table *, const struct message *))
{
    struct table t;
    table_init(&t, 4, 1);
    t.right[2] = true;
    add(cli, &t, answer);
    if (t.count == 0)
        fprintf(cli->out, "%s\n", when_empty);
    table_print(&t, &cli->term);
    table_finish(&t);
}

int queue_run(struct cli *cli)
{
    struct message *answer;
    int ret = cli_call(cli, cli_request("queue"), &answer);
    if (ret != CLI_OK)
        return ret;
    if (!cli_print_json(cli, answer))
        print_table(cli, answer, "the queue is empty; `djamms add FILE` fills it", add_queue);
    message_destroy(answer);
    return CLI_OK;
}

static void print_history_json(struct cli *cli, const struct message *answer)
{
    static const char *const times[] = { "started_at", "ended_at" };
    struct message *m = message_create();
    message_set_bool(m, "ok", true);
    message_set_array(m, "tracks");
    for (size_t i = 0; i < message_count(answer, "tracks"); i++) {
        const struct message *track = message_object_at(answer, "tracks", i);
        if (!track)
            continue;
        struct message *copy = message_copy(track);
        for (size_t k = 0; k < ARRAY_LEN(times); k++) {
            char text[64];
            const char *utc = message_str(track, times[k], NULL);
            if (utc)
                message_set_str(copy, times[k], local_time_iso(text, sizeof(text), utc));
        }
        message_append_object(m, "tracks", copy);
    }
    cli_print_json(cli, m);
    message_destroy(m);
}

int history_run(struct cli *cli)
{
    long limit = 50;
    const char *given = cli->args.value[ARG_LIMIT];
    if (given && !parse_number(given, 1, 100000, &limit))
        return cli_usage(cli, "history: \"%.60s\" is no number from 1 to 100000", given);
    struct message *request = cli_request("history"), *answer;
    message_set_i64(request, "limit", limit);
    int ret = cli_call(cli, request, &answer);
    if (ret != CLI_OK)
        return ret;
    if (args_has(&cli->args, ARG_JSON))
        print_history_json(cli, answer);
    else
        print_table(cli, answer, "nothing was played yet", add_history);
    message_destroy(answer);
    return CLI_OK;
}
