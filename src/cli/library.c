#include "cli/library.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "model/track.h"

char *library_next_folder(const char **at)
{
    *at += strspn(*at, ":");
    size_t len = strcspn(*at, ":");
    char *folder = len ? xstrndup(*at, len) : NULL;
    *at += len;
    return folder;
}

void library_walk(struct walk *w, const char *paths)
{
    for (char *folder; (folder = library_next_folder(&paths)); free(folder)) {
        ssize_t found = walk_add_folder(w, folder);
        if (found < 0)
            walk_note_problem(w, folder, (int)found);
    }
}

const char *library_find(const struct walk *w, const char *id)
{
    const char *found = NULL;
    struct track *t = track_create();
    for (size_t i = 0; !found && i < w->count; i++) {
        if (!strstr(strrchr(w->path[i], '/'), id)) /* most of them: quickly */
            continue;
        track_from_path(t, w->path[i]);
        if (strcmp(t->video_id, id) == 0)
            found = w->path[i];
    }
    track_destroy(t);
    return found;
}
