/* How far long work is: one line that is overwritten on a terminal, else a line every two seconds. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/compiler.h"

struct progress {
    FILE *out;
    bool is_terminal, is_shown;
    int64_t next_ns; /* CLOCK_MONOTONIC: not before */
};

void progress_init(struct progress *p, FILE *out);
/* Shows the text when it is time to. */
void progress_show(struct progress *p, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Takes the line off the terminal, before something else is printed. */
void progress_clear(struct progress *p);
