#include "cli/extractor_check.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/extractor_update.h"
#include "source/extractor_store.h"

void extractor_check(struct findings *f, const struct config *c, const char *state_dir)
{
    char *dir = extractor_dir(state_dir), version[EXTRACTOR_VERSION_SIZE];
    struct message *last = extractor_last_look(dir);
    bool has_version = extractor_linked(dir, EXTRACTOR_CURRENT, version);
    if (*c->fetch.yt_dlp)
        finding_add(f, FINDING_WARNING, "updates", "leave fetch.yt-dlp or extractor.channel empty",
                    "yt-dlp is not updated: fetch.yt-dlp names the one to use");
    else if (has_version && !extractor_is_whole(dir, version))
        finding_add(f, FINDING_WARNING, "updates",
                    "`djamms extractor rollback` goes back to the one before",
                    "the yt-dlp %s that came is damaged on disk", version);
    else if (!last)
        finding_add(f, FINDING_OK, "updates", NULL, "%.200s was not looked at yet",
                    c->extractor.channel);
    else
        finding_add(f, message_bool(last, "ok", false) ? FINDING_OK : FINDING_WARNING, "updates",
                    message_bool(last, "ok", false) ? NULL
                                                    : "`djamms extractor update` tries again",
                    "%.300s", message_str(last, "text", ""));
    message_destroy(last);
    free(dir);
}
