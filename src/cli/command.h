/* The table of commands: what the parser, the help, the completion, the man page's test walk. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/term.h"

struct cli;

struct command {
    const char *name;
    const char *args;  /* for people: "FILE|DIR|ID..." */
    const char *brief; /* one line */
    const char *help;  /* more lines, each ended by a newline; NULL: none */
    size_t words_min, words_max;
    uint64_t options;    /* ARG_BIT()s, besides ARG_COMMON */
    const char *choices; /* words that its first word is one of, blank between; NULL: free */
    int (*run)(struct cli *cli); /* returns enum cli_exit */
};

size_t command_count(void);
const struct command *command_at(size_t i);
const struct command *command_find(const char *name); /* NULL: no such command */

void command_write_help(const struct command *c, const struct term *term);
void command_write_overview(const struct term *term);
