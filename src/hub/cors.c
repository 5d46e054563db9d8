#include "hub/cors.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#define HOST_MAX 256

/* The host of "host:port" or "[address]:port", whose case does not matter.
 * false: there is none, or more than a host and a port. */
static bool host_of(const char *authority, char host[HOST_MAX])
{
    bool is_v6 = *authority == '[';
    authority += is_v6;
    size_t len = strcspn(authority, is_v6 ? "]" : ":");
    const char *rest = authority + len + is_v6;
    if (len == 0 || len >= HOST_MAX || (is_v6 && authority[len] != ']'))
        return false;
    if (*rest && (*rest != ':' || rest[1 + strspn(rest + 1, "0123456789")]))
        return false;
    memcpy(host, authority, len);
    host[len] = '\0';
    return true;
}

static bool origin_host(const char *origin, char host[HOST_MAX])
{
    static const char *const schemes[] = { "http://", "https://" };
    for (size_t i = 0; i < 2; i++) {
        size_t len = strlen(schemes[i]);
        if (strncasecmp(origin, schemes[i], len) == 0)
            return host_of(origin + len, host);
    }
    return false;
}

/* 10/8, 172.16/12, 192.168/16, 169.254/16, 127/8 */
static bool is_private_v4(uint32_t address)
{
    return address >> 24 == 10 || address >> 20 == (172u << 4 | 1) ||
           address >> 16 == (192u << 8 | 168) || address >> 16 == (169u << 8 | 254) ||
           address >> 24 == 127;
}

static bool is_private_address(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, host, &v4) == 1)
        return is_private_v4(ntohl(v4.s_addr));
    if (inet_pton(AF_INET6, host, &v6) != 1)
        return false;
    if (IN6_IS_ADDR_V4MAPPED(&v6)) {
        memcpy(&v4, &v6.s6_addr[12], sizeof(v4));
        return is_private_v4(ntohl(v4.s_addr));
    }
    return IN6_IS_ADDR_LOOPBACK(&v6) || IN6_IS_ADDR_LINKLOCAL(&v6) ||
           (v6.s6_addr[0] & 0xfe) == 0xfc;
}

/* Whether `host` is a name below `domain`, or `domain` itself when `is_below_only` is false. */
static bool is_below(const char *host, const char *domain, size_t len)
{
    size_t host_len = strlen(host);
    return host_len > len + 1 && host[host_len - len - 1] == '.' &&
           strncasecmp(host + host_len - len, domain, len) == 0;
}

static bool is_listed(const char *host, const char *extra)
{
    while (extra && *(extra += strspn(extra, " \t,"))) {
        size_t len = strcspn(extra, " \t,");
        bool is_match = len > 2 && strncmp(extra, "*.", 2) == 0
                            ? is_below(host, extra + 2, len - 2)
                            : strlen(host) == len && strncasecmp(host, extra, len) == 0;
        if (is_match)
            return true;
        extra += len;
    }
    return false;
}

bool cors_allows(const char *origin, const char *host, const char *extra)
{
    char from[HOST_MAX], own[HOST_MAX];
    if (!origin_host(origin, from))
        return false;
    if (strcasecmp(from, "localhost") == 0 || is_below(from, "localhost", strlen("localhost")) ||
        is_private_address(from))
        return true;
    if (host && host_of(host, own) && strcasecmp(from, own) == 0)
        return true;
    return is_listed(from, extra);
}

size_t cors_headers(const char *origin, struct http_header out[CORS_HEADERS_MAX])
{
    const struct http_header all[] = {
        { "Access-Control-Allow-Origin", origin },
        { "Access-Control-Allow-Credentials", "true" },
        { "Access-Control-Expose-Headers",
          "X-Appwrite-Session, X-Fallback-Cookies, X-RateLimit-Limit, X-RateLimit-Remaining, "
          "X-RateLimit-Reset" },
        { "Vary", "Origin" },
    };
    memcpy(out, all, sizeof(all));
    return ARRAY_LEN(all);
}

static bool is_header_list(const char *text)
{
    return *text && strlen(text) <= 1024 &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_, ") ==
               strlen(text);
}

size_t cors_preflight_headers(const char *origin, const char *asked,
                              struct http_header out[CORS_HEADERS_MAX])
{
    const struct http_header more[] = {
        { "Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE" },
        { "Access-Control-Allow-Headers",
          "Accept, Content-Type, Origin, Range, X-Appwrite-Dev-Key, X-Appwrite-ID, X-Appwrite-JWT, "
          "X-Appwrite-Key, X-Appwrite-Locale, X-Appwrite-Mode, X-Appwrite-Project, "
          "X-Appwrite-Response-Format, X-Appwrite-Session, X-Appwrite-Timestamp, "
          "X-Fallback-Cookies, X-Requested-With, X-SDK-GraphQL, X-SDK-Language, X-SDK-Name, "
          "X-SDK-Platform, X-SDK-Version" },
        { "Access-Control-Max-Age", "7200" },
        /* a page of the internet that the owner listed, talking to an address of the house */
        { "Access-Control-Allow-Private-Network", "true" },
    };
    size_t n = cors_headers(origin, out);
    memcpy(out + n, more, sizeof(more));
    n += ARRAY_LEN(more);
    if (asked && is_header_list(asked))
        out[n++] = (struct http_header){ "Access-Control-Allow-Headers", asked };
    return n;
}
