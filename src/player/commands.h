/* The commands of the control socket (docs/control-protocol.md): a line in, an answer and when it is to
 * be given out. No I/O but looking at files that are added. Thread-safety: the loop's thread. */
#pragma once

#include <stddef.h>

#include "player/answers.h"

enum command_when {
    ANSWER_NOW,
    ANSWER_WHEN_SAVED,   /* the queue changed: when that is on disk */
    ANSWER_WATCH,        /* now, and again at every change */
    ANSWER_WITH_SHOT,    /* no answer yet: `output` is the row to read back */
    ANSWER_WITH_HISTORY, /* no answer yet: the newest `limit` lines */
    ANSWER_WITH_SONGS,   /* no answer yet: the library is to be searched for `words` */
    ANSWER_LATER, /* no answer, nothing was done: the same line is to be run once more, when the
                            library has read its folders */
    ANSWER_WITH_CACHE, /* no answer yet: `request` goes to the cache */
    ANSWER_AND_QUIT,
};

struct command_result {
    struct message *answer; /* the caller owns it; NULL where it is still to come */
    enum command_when when;
    uint32_t output;
    size_t limit;
    char *words;             /* the caller frees it */
    struct message *request; /* ANSWER_WITH_CACHE: the caller owns it; else NULL */
};

void command_run(const struct command_world *w, const char *line, size_t len,
                 struct command_result *out);
