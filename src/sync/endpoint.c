#include "sync/endpoint.h"

#include <stdio.h>
#include <string.h>

#include "net/url.h"

bool sync_endpoint_parse(const char *text, struct sync_endpoint *out)
{
    struct url url;
    char host[300];
    *out = (struct sync_endpoint){ 0 };
    if (!url_parse(text, &url) || url.is_websocket)
        return false;
    size_t len = strlen(url.path);
    while (len > 0 && url.path[len - 1] == '/')
        len--;
    url_host_text(&url, host, sizeof(host));
    /* Long ones are refused, so nothing is cut below. */
    if (len == 0 || strlen(host) + len + 10 > sizeof(out->http) || strchr(url.path, '?') ||
        strstr(url.path, "/realtime"))
        return false;
    out->is_tls = url.is_tls;
    const char *s = url.is_tls ? "s" : "";
    snprintf(out->http, sizeof(out->http), "http%s://%s%.*s", s, host, (int)len, url.path);
    snprintf(out->socket, sizeof(out->socket), "ws%s://%s%.*s", s, host, (int)len, url.path);
    return true;
}
