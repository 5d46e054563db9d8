/* The address of a backend. Pure. */
#pragma once

#include <stdbool.h>

#include "base/compiler.h"

struct sync_endpoint {
    char http[320];   /* "https://host/v1": a path is appended */
    char socket[320]; /* "wss://host/v1" */
    bool is_tls;
};

/* From "http(s)://host[:port]/v1", a '/' at its end or not. False: anything else, also one with a
 * query, a user name, or a path that says /realtime already. */
WARN_UNUSED bool sync_endpoint_parse(const char *text, struct sync_endpoint *out);
