/* The lines of several programs in one terminal, each behind its name. Never blocks: while the terminal
 * takes nothing (Ctrl-S, a stuck pipe) lines are dropped and counted, so that a program that logs is not
 * held up. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cli/status_line.h"

struct log_merge {
    int fd;
    bool has_colour;
    int name_columns;
    unsigned lost;
    struct status_line *below; /* on the same terminal; NULL: none */
};

void log_merge_init(struct log_merge *m, int fd, bool has_colour, int name_columns);
/* `index` chooses the colour of the name. The text is cleaned. */
void log_merge_line(struct log_merge *m, unsigned index, const char *name, const char *text);
