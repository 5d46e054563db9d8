/* A byte buffer that grows up to a ceiling named when it is born. */
#pragma once

#include <stddef.h>

#include "base/compiler.h"

struct buf {
    char *data; /* always followed by a NUL once something was appended; else NULL */
    size_t len;
    size_t cap;
    size_t max; /* bytes; appending past it fails */
};

void buf_init(struct buf *b, size_t max);
void buf_finish(struct buf *b);
/* 0, or -EMSGSIZE at the ceiling: contents are then unchanged. */
WARN_UNUSED int buf_append(struct buf *b, const void *data, size_t len);
WARN_UNUSED int buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Drops the first `len` bytes (len <= b->len). */
void buf_consume(struct buf *b, size_t len);
