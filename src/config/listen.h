/* Where a server of ours listens, as a setting says it. Pure. */
#pragma once

#include <stdbool.h>

struct listen_address {
    char address[64]; /* numeric */
    int port;         /* 0: any free one */
    bool has_port;    /* the text named it */
};

/* "localhost", "lan" (every address of the box), "ADDR", or one of them with ":PORT"; an IPv6 address with a port
 * stands in brackets. `port` is taken when the text has none. false: it is none of these. */
bool listen_parse(const char *text, int port, struct listen_address *out);
