/* The figures of an answer to `status` for a monitoring system: the text format of Prometheus, version 0.0.4. */
#pragma once

#include "base/buf.h"

struct message;

#define METRICS_MAX                                                                                \
    ((size_t)256 * 1024) /* bytes, of a box with all outputs and processes there can be */

/* Appends them, each with its help and type. What the answer does not say, or says to be unknown, has no sample. 0, or
 * -EMSGSIZE at the ceiling of `out`. */
WARN_UNUSED int metrics_write(struct buf *out, const struct message *status);
