#include "base/text.h"

#include <string.h>

#include "base/alloc.h"

uint32_t utf8_decode(const char *s, size_t len, size_t *used)
{
    const unsigned char *p = (const unsigned char *)s;
    *used = 1;
    if (p[0] < 0x80)
        return p[0];
    size_t n = p[0] >= 0xf0 && p[0] < 0xf5 ? 4 : p[0] >= 0xe0 ? 3 : p[0] >= 0xc2 ? 2 : 0;
    if (p[0] >= 0xf5 || n == 0 || n > len)
        return UNICODE_REPLACEMENT;
    uint32_t code = p[0] & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return UNICODE_REPLACEMENT;
        code = code << 6 | (p[i] & 0x3fu);
    }
    bool overlong = (n == 3 && code < 0x800) || (n == 4 && code < 0x10000);
    if (overlong || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return UNICODE_REPLACEMENT;
    *used = n;
    return code;
}

size_t utf8_encode(uint32_t code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        code = UNICODE_REPLACEMENT;
    size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3f));
    out[0] = (char)((0xf00u >> n & 0xf0u) | code);
    return n;
}

bool utf8_is_valid(const char *s, size_t len)
{
    for (size_t i = 0, used; i < len; i += used) {
        uint32_t code = utf8_decode(s + i, len - i, &used);
        if (code == UNICODE_REPLACEMENT && used == 1)
            return false;
    }
    return true;
}

char *utf8_repair(const char *s)
{
    size_t len = strlen(s), n = 0;
    char *out = xcalloc(3 * len + 1, 1);
    for (size_t i = 0, used; i < len; i += used)
        n += utf8_encode(utf8_decode(s + i, len - i, &used), out + n);
    return xrealloc(out, n + 1);
}

size_t text_clean(char *out, size_t size, const char *text)
{
    size_t len = strlen(text), n = 0;
    for (size_t i = 0, used; i < len; i += used) {
        char bytes[4];
        uint32_t code = utf8_decode(text + i, len - i, &used);
        if (code < 0x20 || (code >= 0x7f && code < 0xa0))
            code = ' ';
        size_t m = utf8_encode(code, bytes);
        if (n + m >= size)
            break;
        memcpy(out + n, bytes, m);
        n += m;
    }
    out[n] = '\0';
    return n;
}

size_t text_chars(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

uint64_t text_hash(const char *s, size_t len)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)s[i]) * 0x100000001b3u;
    return h ? h : 1;
}
