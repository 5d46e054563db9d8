/* Bytes of a pipe cut into lines. A line may come in any number of pieces; one longer than the buffer is
 * given in parts. */
#pragma once

#include <stddef.h>

#define LINE_SPLIT_MAX 2048

/* `line` has no newline and is terminated; it lives for the call. */
typedef void line_fn(void *ctx, const char *line);

struct line_split {
    line_fn *fn;
    void *ctx;
    size_t len;
    char part[LINE_SPLIT_MAX];
};

void line_split_init(struct line_split *l, line_fn *fn, void *ctx);
void line_split_feed(struct line_split *l, const char *data, size_t len);
/* At the end: a line without newline is given too. */
void line_split_end(struct line_split *l);
