#include "source/address.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

#define ID_LEN   11
#define HOST_MAX 253

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

bool address_is_youtube_id(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!s[i] || !strchr(letters, s[i]))
            return false;
    }
    return len == ID_LEN;
}

const char *address_verdict_text(enum address_verdict v)
{
    switch (v) {
    case ADDRESS_OK: return "That can be added.";
    case ADDRESS_EMPTY: return "Nothing was given.";
    case ADDRESS_TOO_LONG: return "That is too long for an address.";
    case ADDRESS_NO_VIDEO: return "That is no single video: open the video and copy its address.";
    case ADDRESS_STAFF_ONLY:
        return "Guests can add songs of this house and of YouTube; other addresses only staff.";
    default: return "That is no address of a video.";
    }
}

/* ---- parts of an address ----------------------------------------------------------------------- */

struct span {
    const char *p;
    size_t len;
};

static bool span_is(struct span s, const char *text)
{
    return s.len == strlen(text) && strncasecmp(s.p, text, s.len) == 0;
}

static bool span_starts(struct span s, const char *text)
{
    return s.len >= strlen(text) && strncasecmp(s.p, text, strlen(text)) == 0;
}

static struct span span_skip(struct span s, size_t n)
{
    return (struct span){ s.p + n, s.len - n };
}

/* What comes before the first of the bytes in `ends`. */
static struct span span_until(struct span s, const char *ends)
{
    size_t n = 0;
    while (n < s.len && !strchr(ends, s.p[n]))
        n++;
    return (struct span){ s.p, n };
}

struct parts {
    bool is_tls;
    char host[HOST_MAX + 1]; /* small letters; an IPv6 address without brackets */
    bool is_bracketed;
    int port;                /* 0: the scheme's own */
    struct span path, query; /* without '?' */
};

/* Of the authority, what follows the host; false: it is no host. A user name in front of it is none: "a@b" shows one
 * host and leads to another. */
static bool read_host(struct span *rest, struct parts *out)
{
    struct span s = *rest;
    out->is_bracketed = s.len && s.p[0] == '[';
    struct span host = out->is_bracketed ? span_until(span_skip(s, 1), "]") : span_until(s, ":");
    if (host.len == 0 || host.len > HOST_MAX || (out->is_bracketed && host.len + 2 > s.len))
        return false;
    for (size_t i = 0; i < host.len; i++) {
        char c = (char)tolower((unsigned char)host.p[i]);
        bool is_fine = out->is_bracketed ? isxdigit((unsigned char)c) || c == ':' || c == '.'
                                         : (c && strchr(letters, c)) || c == '.';
        if (!is_fine)
            return false;
        out->host[i] = c;
    }
    out->host[host.len] = '\0';
    struct in6_addr ignored;
    if (out->is_bracketed && inet_pton(AF_INET6, out->host, &ignored) != 1)
        return false;
    if (out->host[0] == '.' || strstr(out->host, ".."))
        return false;
    *rest = span_skip(s, host.len + (out->is_bracketed ? 2 : 0));
    return true;
}

static bool read_port(struct span s, struct parts *out)
{
    if (s.len == 0)
        return true;
    if (s.p[0] != ':' || s.len > 6)
        return false;
    int port = 0;
    for (size_t i = 1; i < s.len; i++) {
        if (!isdigit((unsigned char)s.p[i]))
            return false;
        port = port * 10 + (s.p[i] - '0');
    }
    if (s.len == 1 || port < 1 || port > 65535)
        return false;
    out->port = port == (out->is_tls ? 443 : 80) ? 0 : port;
    return true;
}

/* An address without its scheme. */
static bool read_parts(struct span s, bool is_tls, struct parts *out)
{
    *out = (struct parts){ .is_tls = is_tls };
    struct span authority = span_until(s, "/?#"), rest = authority;
    if (!read_host(&rest, out) || !read_port(rest, out))
        return false;
    s = span_until(span_skip(s, authority.len), "#");
    out->path = span_until(s, "?");
    if (out->path.len < s.len)
        out->query = span_skip(s, out->path.len + 1);
    return true;
}

/* Next "name=value" of a query; false at its end. */
static bool next_field(struct span *query, struct span *name, struct span *whole)
{
    while (query->len && query->p[0] == '&')
        *query = span_skip(*query, 1);
    if (query->len == 0)
        return false;
    *whole = span_until(*query, "&");
    *name = span_until(*whole, "=");
    *query = span_skip(*query, whole->len);
    return true;
}

/* ---- YouTube ----------------------------------------------------------------------------------- */

static bool is_youtube_host(const char *host)
{
    static const char *const hosts[] = {
        "youtube.com",          "www.youtube.com",          "m.youtube.com", "music.youtube.com",
        "youtube-nocookie.com", "www.youtube-nocookie.com", "youtu.be",      "www.youtu.be",
    };
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        if (strcmp(host, hosts[i]) == 0)
            return true;
    }
    return false;
}

static void set_youtube(struct address *out, const char *id)
{
    out->kind = ADDRESS_YOUTUBE;
    snprintf(out->key, sizeof(out->key), "%.*s", ID_LEN, id);
    snprintf(out->target, sizeof(out->target), "https://www.youtube.com/watch?v=%s", out->key);
}

static struct span youtube_id(const struct parts *p)
{
    static const char *const folders[] = { "/shorts/", "/embed/", "/live/", "/v/", "/e/" };
    if (strstr(p->host, "youtu.be"))
        return p->path.len ? span_until(span_skip(p->path, 1), "/") : p->path;
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        if (span_starts(p->path, folders[i]))
            return span_until(span_skip(p->path, strlen(folders[i])), "/");
    }
    struct span query = p->query, name, field;
    bool is_watch = span_is(p->path, "/watch") || span_is(p->path, "/watch/");
    while (is_watch && next_field(&query, &name, &field)) {
        if (span_is(name, "v") && field.len > 2)
            return span_skip(field, 2);
    }
    return (struct span){ 0 };
}

static enum address_verdict read_youtube(const struct parts *p, struct address *out)
{
    struct span id = youtube_id(p);
    if (p->port || !id.p || !address_is_youtube_id(id.p, id.len))
        return ADDRESS_NO_VIDEO;
    set_youtube(out, id.p);
    return ADDRESS_OK;
}

/* ---- other addresses --------------------------------------------------------------------------- */

static bool is_private_v4(uint32_t a)
{
    static const struct {
        uint32_t net;
        int bits;
    } nets[] = {
        { 0x00000000, 8 },  { 0x0a000000, 8 },  { 0x64400000, 10 },
        { 0x7f000000, 8 },  { 0xa9fe0000, 16 }, { 0xac100000, 12 },
        { 0xc0a80000, 16 }, { 0xc6120000, 15 }, { 0xe0000000, 3 },
    };
    for (size_t i = 0; i < ARRAY_LEN(nets); i++) {
        if ((a ^ nets[i].net) >> (32 - nets[i].bits) == 0)
            return true;
    }
    return false;
}

static bool is_private_v6(const struct in6_addr *a)
{
    const uint8_t *b = a->s6_addr;
    uint32_t last;
    memcpy(&last, b + 12, sizeof(last));
    if (IN6_IS_ADDR_V4MAPPED(a) || IN6_IS_ADDR_V4COMPAT(a) || IN6_IS_ADDR_LOOPBACK(a) ||
        IN6_IS_ADDR_UNSPECIFIED(a))
        return !IN6_IS_ADDR_V4MAPPED(a) || is_private_v4(ntohl(last));
    return (b[0] & 0xe0) != 0x20; /* what is public lies in 2000::/3 */
}

/* Every spelling that the C library takes for a number: 127.1, 0x7f000001, 2130706433. */
static bool is_private_host(const struct parts *p)
{
    static const char *const endings[] = { "localhost", "local", "internal", "lan", "home.arpa" };
    struct in_addr v4;
    struct in6_addr v6;
    char host[HOST_MAX + 1];
    snprintf(host, sizeof(host), "%s", p->host);
    size_t len = strlen(host);
    if (len && host[len - 1] == '.')
        host[--len] = '\0';
    if (p->is_bracketed)
        return inet_pton(AF_INET6, host, &v6) != 1 || is_private_v6(&v6);
    if (inet_aton(host, &v4))
        return is_private_v4(ntohl(v4.s_addr));
    if (!strchr(host, '.'))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
        size_t n = strlen(endings[i]);
        if (len > n && host[len - n - 1] == '.' && strcmp(host + len - n, endings[i]) == 0)
            return true;
    }
    return false;
}

static bool is_tracking(struct span name)
{
    static const char *const names[] = { "fbclid", "gclid",  "dclid",  "msclkid", "yclid",
                                         "igshid", "mc_cid", "mc_eid", "_ga" };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (span_is(name, names[i]))
            return true;
    }
    return span_starts(name, "utm_");
}

struct text {
    char *out;
    size_t size, len;
};

static void put(struct text *t, const char *s, size_t len)
{
    for (size_t i = 0; i < len && t->len + 4 < t->size; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c < 0x80 && !strchr("\"<>\\^`{|}", c))
            t->out[t->len++] = (char)c;
        else
            t->len += (size_t)sprintf(t->out + t->len, "%%%02X", c);
    }
    t->out[t->len] = '\0';
}

static void build_url(const struct parts *p, struct address *out)
{
    struct text t = { out->target, sizeof(out->target), 0 };
    t.len = (size_t)snprintf(t.out, t.size, p->is_bracketed ? "%s://[%s]" : "%s://%s",
                             p->is_tls ? "https" : "http", p->host);
    if (p->port)
        t.len += (size_t)sprintf(t.out + t.len, ":%d", p->port);
    put(&t, p->path.len ? p->path.p : "/", p->path.len ? p->path.len : 1);
    struct span query = p->query, name, field;
    for (bool is_first = true; next_field(&query, &name, &field);) {
        if (is_tracking(name))
            continue;
        put(&t, is_first ? "?" : "&", 1);
        put(&t, field.p, field.len);
        is_first = false;
    }
    out->kind = ADDRESS_URL;
    out->is_private = is_private_host(p);
    snprintf(out->key, sizeof(out->key), "url:%016llx",
             (unsigned long long)text_hash(t.out, t.len));
}

static enum address_verdict read_url(struct span s, enum address_who who, struct address *out)
{
    struct parts parts;
    bool is_tls = span_starts(s, "https://");
    if (!read_parts(span_skip(s, is_tls ? 8 : 7), is_tls, &parts))
        return ADDRESS_NOT_ONE;
    if (is_youtube_host(parts.host))
        return read_youtube(&parts, out);
    if (who == ADDRESS_BY_GUEST)
        return ADDRESS_STAFF_ONLY;
    build_url(&parts, out);
    return ADDRESS_OK;
}

/* ---- all of it --------------------------------------------------------------------------------- */

static bool is_library_key(struct span s)
{
    if (s.len != 21 || !span_starts(s, "file:"))
        return false;
    for (size_t i = 5; i < s.len; i++) {
        if (!strchr("0123456789abcdef", s.p[i]))
            return false;
    }
    return true;
}

/* One line of text: no control character hides in a log or ends a line of a protocol. */
static bool is_line(struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return false;
    }
    return utf8_is_valid(s.p, s.len);
}

static enum address_verdict read_file(struct span s, enum address_who who, struct address *out)
{
    if (who == ADDRESS_BY_GUEST)
        return ADDRESS_STAFF_ONLY;
    out->kind = ADDRESS_FILE;
    snprintf(out->target, sizeof(out->target), "%.*s", (int)s.len, s.p);
    snprintf(out->key, sizeof(out->key), "file:%016llx", (unsigned long long)text_hash(s.p, s.len));
    return ADDRESS_OK;
}

/* People copy addresses without the scheme, too; only where there is no doubt. */
static enum address_verdict read_without_scheme(struct span s, struct address *out)
{
    struct parts parts;
    if (!read_parts(s, true, &parts) || !is_youtube_host(parts.host))
        return ADDRESS_NOT_ONE;
    return read_youtube(&parts, out);
}

enum address_verdict address_read(const char *text, size_t len, enum address_who who,
                                  struct address *out)
{
    struct span s = { text, len };
    struct address found = { 0 };
    enum address_verdict verdict = ADDRESS_OK;
    while (s.len && strchr(" \t\r\n", s.p[0]) && s.p[0])
        s = span_skip(s, 1);
    while (s.len && s.p[s.len - 1] && strchr(" \t\r\n", s.p[s.len - 1]))
        s.len--;
    if (s.len == 0)
        return ADDRESS_EMPTY;
    if (s.len > ADDRESS_MAX)
        return ADDRESS_TOO_LONG;
    if (!is_line(s))
        return ADDRESS_NOT_ONE;
    if (s.p[0] == '/') {
        verdict = read_file(s, who, &found);
    } else if (memchr(s.p, ' ', s.len)) {
        return ADDRESS_NOT_ONE;
    } else if (address_is_youtube_id(s.p, s.len)) {
        set_youtube(&found, s.p);
    } else if (is_library_key(s)) {
        found.kind = ADDRESS_LIBRARY;
        snprintf(found.key, sizeof(found.key), "%.*s", (int)s.len, s.p);
    } else if (span_starts(s, "http://") || span_starts(s, "https://")) {
        verdict = read_url(s, who, &found);
    } else {
        verdict = read_without_scheme(s, &found);
    }
    if (verdict == ADDRESS_OK)
        *out = found;
    return verdict;
}
