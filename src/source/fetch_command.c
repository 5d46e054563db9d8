#include "source/fetch_command.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/compiler.h"

void fetch_command_free(char **argv)
{
    for (char **a = argv; a && *a; a++)
        free(*a);
    free(argv);
}

char **fetch_command(const struct fetch_options *o)
{
    char *niceness = o->niceness ? xasprintf("%d", o->niceness) : NULL;
    const struct {
        const char *option, *value;
    } pairs[] = {
        { "--cache", o->cache },
        { "--nice", niceness },
        { "--yt-dlp", o->yt_dlp },
        { "--newer", o->newer },
        { "--extractors", o->extractors },
        { "--js-runtime", o->js_runtime },
        { "--player-client", o->player_client },
        { "--cookies", o->cookies },
        { "--remote-component", o->fetch_solver ? "ejs:github" : NULL },
    };
    char **argv = xcalloc(2 * ARRAY_LEN(pairs) + 2, sizeof(*argv));
    size_t n = 0;
    argv[n++] = xstrdup(o->program);
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        if (!pairs[i].value || !*pairs[i].value)
            continue;
        argv[n++] = xstrdup(pairs[i].option);
        argv[n++] = xstrdup(pairs[i].value);
    }
    free(niceness);
    return argv;
}
