#include "cli/outcome.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/twin_file.h"
#include "cli/cli.h"
#include "model/track.h"

#define JOURNAL_MAX ((size_t)4 * 1024 * 1024)
#define SAID_MAX    20

static size_t report_list(struct cli *cli, const struct message *queue, const char *list)
{
    size_t bad = 0;
    for (size_t i = 0; i < message_count(queue, list); i++) {
        const struct message *track = message_object_at(queue, list, i);
        const char *reason = track ? message_str(track, "unplayable", "") : "";
        if (!*reason)
            continue;
        char *path = path_from_source(message_str(track, "source", "?"));
        if (bad++ < SAID_MAX)
            cli_fail(cli, CLI_FAILED, "%s: could not be played: %s", path, reason);
        free(path);
    }
    return bad;
}

size_t outcome_report(struct cli *cli, const char *state_dir)
{
    char *path = xasprintf("%s/journal.json", state_dir), *text = NULL;
    size_t len = 0, bad = 0;
    struct message *journal = NULL;
    if (twin_file_read(path, JOURNAL_MAX, &text, &len) == 0) /* the second line is the backend's */
        journal = message_parse(text, strcspn(text, "\n"), NULL, 0);
    const struct message *queue = journal ? message_object(journal, "queue") : NULL;
    if (queue) {
        bad += report_list(cli, queue, "priorityQueue");
        bad += report_list(cli, queue, "mainQueue");
    }
    if (bad > SAID_MAX)
        cli_fail(cli, CLI_FAILED, "and %zu more could not be played", bad - SAID_MAX);
    message_destroy(journal);
    free(text);
    free(path);
    return bad;
}
