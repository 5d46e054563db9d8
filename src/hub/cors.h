/* Which web pages may talk to the hub with the credentials of their user, and what a browser is told. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "net/server.h"

/* Whether a page of `origin` ("http://192.168.1.20:3000") may: one of this machine (localhost, 127.0.0.0/8), of a
 * private address (RFC 1918, link-local, unique local), of the host that `host` (the request's Host header, may be
 * NULL) names, or of one in `extra`, blank-separated names; "*.lan" stands for all below lan. Ports do not matter.
 * "null", which is what a file or a sandbox sends, may not. */
bool cors_allows(const char *origin, const char *host, const char *extra);

#define CORS_HEADERS_MAX 10

/* The headers of an answer to a page of that origin, which is allowed; they borrow `origin`. Returns how many. */
size_t cors_headers(const char *origin, struct http_header out[CORS_HEADERS_MAX]);
/* Those and what a preflight asks for; `asked` is its Access-Control-Request-Headers or NULL, borrowed, too: headers
 * that are not known yet do not keep a page out. */
size_t cors_preflight_headers(const char *origin, const char *asked,
                              struct http_header out[CORS_HEADERS_MAX]);
