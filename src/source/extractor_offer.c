#include "source/extractor_offer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "wire/message.h"

#define DIGITS_MAX 9 /* of one number of a version: it fits a long everywhere */
#define URL_MAX    2048

/* ---- versions ----------------------------------------------------------------------------------- */

bool extractor_version_is_valid(const char *version)
{
    if (strlen(version) >= EXTRACTOR_VERSION_SIZE)
        return false;
    for (const char *p = version;; p++) {
        size_t digits = strspn(p, "0123456789");
        p += digits;
        if (digits == 0 || digits > DIGITS_MAX || (*p && *p != '.'))
            return false;
        if (!*p)
            return true;
    }
}

int extractor_version_compare(const char *a, const char *b)
{
    if (!extractor_version_is_valid(a) || !extractor_version_is_valid(b))
        return strcmp(a, b);
    while (*a || *b) {
        char *a_end = (char *)a, *b_end = (char *)b;
        long x = *a ? strtol(a, &a_end, 10) : -1, y = *b ? strtol(b, &b_end, 10) : -1;
        if (x != y)
            return x < y ? -1 : 1;
        a = a_end + (*a_end == '.');
        b = b_end + (*b_end == '.');
    }
    return 0;
}

/* ---- offers ------------------------------------------------------------------------------------- */

static bool is_sha256(const char *text)
{
    return strlen(text) == SHA256_TEXT_SIZE - 1 &&
           strspn(text, "0123456789abcdef") == SHA256_TEXT_SIZE - 1;
}

static bool is_url(const char *text)
{
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f)
            return false;
    bool is_name = !strstr(text, "://") && *text != '/' && !strstr(text, "..");
    return *text && strlen(text) <= URL_MAX && (is_name || strstr(text, "://"));
}

PRINTF_LIKE(3, 4) static bool refuse(char *why, size_t size, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, size, fmt, ap);
    va_end(ap);
    return false;
}

static bool read_fields(struct extractor_offer *o, const struct message *m, char *why, size_t size)
{
    const char *version = message_str(m, "version", ""), *sha256 = message_str(m, "sha256", "");
    const char *url = message_str(m, "url", "");
    int64_t bytes = message_i64(m, "size", 0);
    if (!extractor_version_is_valid(version))
        return refuse(why, size, "its version \"%.40s\" is none like 2026.11.05", version);
    if (!is_sha256(sha256))
        return refuse(why, size, "its sha256 is not 64 lower-case hexadecimal digits");
    if (bytes < 1 || bytes > EXTRACTOR_BYTES_MAX)
        return refuse(why, size, "its size is not 1 to %lld bytes", (long long)EXTRACTOR_BYTES_MAX);
    if (!is_url(url))
        return refuse(why, size, "its url is no address and no name");
    snprintf(o->version, sizeof(o->version), "%s", version);
    snprintf(o->sha256, sizeof(o->sha256), "%s", sha256);
    o->size = bytes;
    o->url = xstrdup(url);
    o->signature = xstrdup(message_str(m, "signature", ""));
    return true;
}

bool extractor_offer_read(struct extractor_offer *out, const char *text, size_t len, char *why,
                          size_t why_size)
{
    char syntax[160];
    *out = (struct extractor_offer){ .size = 0 };
    struct message *m = message_parse(text, len, syntax, sizeof(syntax));
    bool is_good = m ? read_fields(out, m, why, why_size)
                     : refuse(why, why_size, "it is no JSON object: %s", syntax);
    message_destroy(m);
    return is_good;
}

void extractor_offer_finish(struct extractor_offer *o)
{
    free(o->url);
    free(o->signature);
    *o = (struct extractor_offer){ .size = 0 };
}

char *extractor_offer_signed_text(const struct extractor_offer *o)
{
    return xasprintf("djamms-extractor %s %lld %s", o->version, (long long)o->size, o->sha256);
}

char *extractor_offer_address(const struct extractor_offer *o, const char *channel)
{
    if (strstr(o->url, "://"))
        return xstrdup(o->url);
    size_t len = strcspn(channel, "?");
    while (len && channel[len - 1] != '/')
        len--;
    return xasprintf("%.*s%s", (int)len, channel, o->url);
}
