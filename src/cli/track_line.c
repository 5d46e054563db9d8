#include "cli/track_line.h"

#include <stdio.h>

const char *track_line(char *out, size_t size, const struct message *track)
{
    const char *title = message_str(track, "title", "");
    const char *artist = message_str(track, "artist", "");
    if (!*title)
        title = message_str(track, "id", "(no title)");
    snprintf(out, size, "%s%s%s", artist, *artist ? " - " : "", title);
    return out;
}
