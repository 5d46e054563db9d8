/* For query*.c only. */
#pragma once

#include "hub/query.h"

struct message;

/* equal("venueId", ["x"]) as {"method":"equal","attribute":"venueId","values":["x"]}; the caller destroys it. NULL: it
 * is not that grammar, and *why (constant) says what was missing. */
struct message *query_read_call(const char *text, const char **why);
