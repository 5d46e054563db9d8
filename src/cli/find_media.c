#include "cli/find_media.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"

bool find_media(struct walk *w, const char *word, char why[MEDIA_WHY_MAX])
{
    struct stat st;
    if (stat(word, &st) == 0 && S_ISDIR(st.st_mode)) {
        ssize_t found = walk_add_folder(w, word);
        if (found <= 0)
            snprintf(why, MEDIA_WHY_MAX, "%s",
                     found < 0 ? strerror((int)-found) : "there is no media file in this folder");
        return found > 0;
    }
    if (!media_check(word, why))
        return false;
    walk_add_file(w, word);
    return true;
}

static void show(void *ctx, const struct walk *w)
{
    progress_show(ctx, "searching: %zu files in %zu folders", w->count, w->folders + 1);
}

void find_media_show(struct walk *w, struct progress *p)
{
    w->progress = show;
    w->progress_ctx = p;
}

bool find_media_report(struct cli *cli, const struct walk *w)
{
    if (w->unreadable)
        cli_fail(cli, CLI_FAILED, "%s%s", w->problem,
                 w->unreadable > 1 ? "; more folders like that" : "");
    if (w->is_cut)
        cli_fail(cli, CLI_FAILED, "the search stopped after %zu files or %d folders deep",
                 WALK_FILES_MAX, WALK_DEPTH_MAX);
    return !w->unreadable && !w->is_cut;
}
