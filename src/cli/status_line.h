/* The last line of the terminal while something plays: what plays, how far it is, how loud. It is taken
 * away before anything else is written there. Never blocks: a terminal that takes nothing shows nothing. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "wire/message.h"

#define STATUS_LINE_MAX 1024

struct status_line {
    int fd;
    bool is_shown;
    char text[STATUS_LINE_MAX]; /* empty: none */
};

void status_line_init(struct status_line *l, int fd);
/* Shows another text; "" takes the line away. */
void status_line_set(struct status_line *l, const char *text);
/* Around something else that is written. */
void status_line_hide(struct status_line *l);
void status_line_show(struct status_line *l);

/* One status of the control protocol in at most `columns`; below about 40 the end is cut. Returns `out`. */
const char *status_line_text(char *out, size_t size, const struct message *status, int columns);
