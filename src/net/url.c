#include "net/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct scheme {
    const char *start;
    bool is_tls, is_websocket;
} schemes[] = {
    { "http://", false, false },
    { "https://", true, false },
    { "ws://", false, true },
    { "wss://", true, true },
};

static int default_port(const struct url *u)
{
    return u->is_tls ? 443 : 80;
}

/* What follows the scheme, or NULL. */
static const char *read_scheme(const char *text, struct url *out)
{
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        size_t len = strlen(schemes[i].start);
        if (strncasecmp(text, schemes[i].start, len) != 0)
            continue;
        out->is_tls = schemes[i].is_tls;
        out->is_websocket = schemes[i].is_websocket;
        return text + len;
    }
    return NULL;
}

/* What follows the host, or NULL. */
static const char *read_host(const char *p, struct url *out)
{
    bool is_bracketed = *p == '[';
    const char *allowed = is_bracketed ? "0123456789abcdefABCDEF:."
                                       : "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                         "0123456789.-_";
    p += is_bracketed;
    size_t len = strspn(p, allowed);
    if (len == 0 || len >= sizeof(out->host))
        return NULL;
    memcpy(out->host, p, len);
    out->host[len] = '\0';
    p += len;
    if (is_bracketed && *p++ != ']')
        return NULL;
    return p;
}

/* What follows the port, or NULL. */
static const char *read_port(const char *p, struct url *out)
{
    out->port = default_port(out);
    if (*p != ':')
        return p;
    size_t len = strspn(++p, "0123456789");
    if (len == 0 || len > 5)
        return NULL;
    out->port = atoi(p);
    return out->port >= 1 && out->port <= 65535 ? p + len : NULL;
}

static bool is_path(const char *p)
{
    if (*p != '\0' && *p != '/')
        return false;
    for (; *p; p++) {
        if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f || *p == '#')
            return false;
    }
    return true;
}

bool url_parse(const char *text, struct url *out)
{
    *out = (struct url){ 0 };
    const char *p = text ? read_scheme(text, out) : NULL;
    p = p ? read_host(p, out) : NULL;
    p = p ? read_port(p, out) : NULL;
    if (!p || !is_path(p))
        return false;
    out->path = p;
    return true;
}

void url_host_text(const struct url *u, char *out, size_t size)
{
    bool is_ipv6 = strchr(u->host, ':') != NULL;
    char port[16] = "";
    if (u->port != default_port(u))
        snprintf(port, sizeof(port), ":%d", u->port);
    snprintf(out, size, is_ipv6 ? "[%s]%s" : "%s%s", u->host, port);
}

void url_log_text(const struct url *u, char *out, size_t size)
{
    char host[300];
    url_host_text(u, host, sizeof(host));
    snprintf(out, size, "%s%.*s", host, (int)strcspn(u->path, "?"), u->path);
}
