#include "cli/jukebox_check.h"

#include <string.h>

/* Of the pictures; fewer late ones nobody sees. */
#define LATE_SHARE 0.005
#define LATE_MIN   20

static void check_backend(struct findings *f, const struct message *b)
{
    const char *kind = message_str(b, "kind", "backend"), *link = message_str(b, "link", "unknown");
    const char *problem = message_str(b, "problem", "");
    long long pending = (long long)message_i64(b, "pending", 0);
    if (strcmp(link, "connected") == 0 && !*problem)
        finding_add(f, FINDING_OK, "backend", NULL, "%s: connected, venue %.80s", kind,
                    message_str(b, "venue", "?"));
    else
        finding_add(f, FINDING_WARNING, "backend",
                    strcmp(kind, "hub") == 0
                        ? "`djamms logs` says what the hub has"
                        : "check network and backend.endpoint; `djamms pair` signs in anew",
                    "%s: %s; %lld changes wait; the music goes on. %.120s", kind, link, pending,
                    problem);
}

static void check_output(struct findings *f, const struct message *o)
{
    long long late = (long long)message_i64(o, "late", 0),
              presented = (long long)message_i64(o, "presented", 0);
    const char *name = message_str(o, "name", "?");
    if (late >= LATE_MIN && (double)late > (double)presented * LATE_SHARE)
        finding_add(f, FINDING_WARNING, "pictures",
                    "choose a smaller mode or fetch.profile, and end other programs",
                    "%s: %lld of %lld came late", name, late, presented);
    else
        finding_add(f, FINDING_OK, "pictures", NULL, "%s: %lld of %lld came late", name, late,
                    presented);
}

void jukebox_check(struct findings *f, const struct message *status)
{
    const struct message *backend = message_object(status, "backend");
    const struct message *fetching = message_object(status, "fetching");
    const char *trouble = fetching ? message_str(fetching, "problem", "") : "";
    long long underruns = (long long)message_i64(status, "underruns", 0);
    finding_add(f, FINDING_OK, "jukebox", NULL, "it runs: %s",
                message_str(status, "state", "unknown state"));
    if (backend)
        check_backend(f, backend);
    for (size_t i = 0; i < message_count(status, "outputs"); i++) {
        const struct message *output = message_object_at(status, "outputs", i);
        if (output)
            check_output(f, output);
    }
    if (underruns)
        finding_add(f, FINDING_WARNING, "underruns", "end other programs; see `djamms logs`",
                    "the sound was interrupted, times: %lld", underruns);
    if (*trouble)
        finding_add(f, FINDING_WARNING, "songs", "see `djamms extractor status`",
                    "they cannot be fetched now: %.200s", trouble);
}
