#include "source/fetch_command.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/compiler.h"
#include "source/extractor_store.h"

void fetch_command_free(char **argv)
{
    for (char **a = argv; a && *a; a++)
        free(*a);
    free(argv);
}

char **fetch_command(const struct config *c, const struct fetch_params *p)
{
    char *cache = xasprintf("%s/fetch/yt-dlp", p->state_dir);
    char *niceness = p->niceness ? xasprintf("%d", p->niceness) : NULL;
    char *newer = extractor_newest(p->state_dir);
    const struct {
        const char *option, *value;
    } pairs[] = {
        { "--cache", cache },
        { "--nice", niceness },
        { "--yt-dlp", p->yt_dlp ? p->yt_dlp : c->fetch.yt_dlp },
        { "--newer", newer },
        { "--extractors", c->fetch.extractors },
        { "--js-runtime", c->fetch.js_runtime },
        { "--player-client", c->youtube.player_client },
        { "--cookies", c->youtube.cookies },
        { "--remote-component", c->youtube.fetch_solver ? "ejs:github" : NULL },
    };
    char **argv = xcalloc(2 * ARRAY_LEN(pairs) + 2, sizeof(*argv));
    size_t n = 0;
    argv[n++] = xstrdup(p->program);
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        if (!pairs[i].value || !*pairs[i].value)
            continue;
        argv[n++] = xstrdup(pairs[i].option);
        argv[n++] = xstrdup(pairs[i].value);
    }
    free(newer);
    free(niceness);
    free(cache);
    return argv;
}
