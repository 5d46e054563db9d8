#include "cli/fetch_hello.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/capture.h"
#include "cli/launch.h"
#include "source/fetch_command.h"

#define HELLO_MS 30000 /* Python on a slow board */

char **fetch_words(const struct config *c, const char *state_dir, const char *yt_dlp)
{
    char *dir = launch_program_dir(), *program = xasprintf("%s/djamms-fetch", dir);
    char **words = fetch_command(c, &(struct fetch_params){
                                        .program = program,
                                        .state_dir = state_dir,
                                        .yt_dlp = yt_dlp,
                                    });
    free(program);
    free(dir);
    return words;
}

/* The last line is its answer; what Python or a loader says comes before. */
static struct message *last_line(const char *output)
{
    size_t len = strlen(output);
    while (len && output[len - 1] == '\n')
        len--;
    size_t start = len;
    while (start && output[start - 1] != '\n')
        start--;
    return message_parse(output + start, len - start, NULL, 0);
}

int fetch_hello(const struct config *c, const char *state_dir, char **program,
                struct message **hello)
{
    char output[8192], **words = fetch_words(c, state_dir, NULL);
    size_t n = 0;
    while (words[n])
        n++;
    const char **argv = xcalloc(n + 2, sizeof(*argv));
    memcpy(argv, words, n * sizeof(*argv));
    argv[n] = "--hello";
    int ret = capture_output(argv, output, sizeof(output), HELLO_MS);
    *program = xstrdup(words[0]);
    *hello = ret >= 0 ? last_line(output) : NULL;
    free(argv);
    fetch_command_free(words);
    return ret < 0 ? ret : 0;
}
