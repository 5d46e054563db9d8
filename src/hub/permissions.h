/* The permissions of a document: ["read(\"any\")", ...]. Document security is off in all collections, so they are kept
 * and given back, and decide nothing. */
#pragma once

#include <stdbool.h>

#include "hub/api_error.h"
#include "hub/caller.h"

struct message;

/* The array in that field as JSON text, write(...) taken apart; the caller frees. NULL and *e: it is no such array, or
 * grants a role that the caller has not. `caller` NULL: the hub. */
char *permissions_read(const struct caller *caller, const struct message *from, const char *field,
                       struct api_error *e);
/* Of a new document that names none: a user's own; else []. The caller frees. */
char *permissions_default(const struct caller *caller);
