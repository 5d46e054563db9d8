/* The queries of a realtime subscription. Which collection they are about is known only when something was written. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "hub/api_error.h"
#include "hub/collection.h"

struct message;
struct realtime_queries;

/* Reads them: equal, notEqual, less/greater(Equal), isNull, isNotNull, and, or, select(["*"]). *out is NULL when
 * nothing is left to be checked: everything passes. `channel` says which collections they may be about.
 * false: *e says which query and why. */
bool realtime_queries_create(struct realtime_queries **out, const char *const *text, size_t count,
                             const char *channel, struct api_error *e);
void realtime_queries_destroy(struct realtime_queries *q); /* q may be NULL */
/* NULL passes everything. */
bool realtime_queries_pass(struct realtime_queries *q, const struct collection *c,
                           const struct message *document);
