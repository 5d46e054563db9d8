/* The pairs of a URL's query string. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define URL_NAME_MAX 1024 /* bytes of a decoded name, NUL included */

struct url_pair {
    char name[URL_NAME_MAX]; /* decoded: "channels[]" */
    char *value;             /* decoded; the caller frees */
};

/* Takes the next pair at *at, which moves on; %XX and '+' are decoded once. Pairs whose name is too long or has
 * a NUL in it are passed over; a value with a NUL in it is empty. false: no more; pair->value is NULL then. */
bool url_next(const char **at, struct url_pair *pair);
/* The value of the first pair with that name; NULL: there is none. The caller frees. */
char *url_value(const char *query, const char *name);
