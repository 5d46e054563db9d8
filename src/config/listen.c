#include "config/listen.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static bool is_address(int family, const char *text)
{
    struct in6_addr a; /* room for either */
    return inet_pton(family, text, &a) == 1;
}

static bool parse_port(const char *text, int *port)
{
    if (!*text || strlen(text) > 5 || text[strspn(text, "0123456789")])
        return false;
    *port = atoi(text);
    return *port <= 65535;
}

/* out->address holds what was written for the host. */
static bool settle_host(struct listen_address *out, bool has_brackets)
{
    static const char *const words[][2] = { { "localhost", "127.0.0.1" }, { "lan", "0.0.0.0" } };
    for (size_t i = 0; i < 2 && !has_brackets; i++) {
        if (strcmp(out->address, words[i][0]) == 0) {
            strcpy(out->address, words[i][1]);
            return true;
        }
    }
    if (!has_brackets && is_address(AF_INET, out->address))
        return true;
    return (has_brackets || !out->has_port) && is_address(AF_INET6, out->address);
}

bool listen_parse(const char *text, int port, struct listen_address *out)
{
    bool has_brackets = *text == '[', is_plain_v6 = is_address(AF_INET6, text);
    *out = (struct listen_address){ .port = port };
    text += has_brackets;
    const char *end = has_brackets ? strchr(text, ']') : is_plain_v6 ? NULL : strchr(text, ':');
    size_t len = end ? (size_t)(end - text) : strlen(text);
    if ((has_brackets && !end) || len == 0 || len >= sizeof(out->address))
        return false;
    memcpy(out->address, text, len);
    out->address[len] = '\0';
    const char *rest = text + len + has_brackets;
    out->has_port = *rest == ':';
    if (*rest && (!out->has_port || !parse_port(rest + 1, &out->port)))
        return false;
    return settle_host(out, has_brackets);
}
