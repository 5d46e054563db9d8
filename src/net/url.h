/* Addresses of servers. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

struct url {
    bool is_tls;       /* https, wss */
    bool is_websocket; /* ws, wss */
    char host[256];    /* a name, or a numeric address without brackets */
    int port;          /* 80 or 443 when the text says none */
    const char *path;  /* into the text: with its '/' and query; "" when there is none */
};

/* Reads "scheme://host[:port][/path[?query]]" with http, https, ws or wss; any case of the scheme. False: something
 * else, a user name in it, a fragment, or bytes that have no place in an address. */
WARN_UNUSED bool url_parse(const char *text, struct url *out);
/* "host", "host:port" when the port is not the scheme's, brackets where they belong: for the Host header. */
void url_host_text(const struct url *u, char *out, size_t size);
/* The address for a log: without its query, where secrets travel. */
void url_log_text(const struct url *u, char *out, size_t size);
