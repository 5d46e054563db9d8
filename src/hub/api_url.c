#include "hub/api_url.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes `len` bytes to out, which has room for len + 1. false: there is a NUL in it. What is no %XX stays as it is. */
static bool decode(const char *text, size_t len, char *out)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        char c = text[i] == '+' ? ' ' : text[i];
        if (c == '%' && i + 2 < len && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
            c = (char)(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
            i += 2;
        }
        if (!c)
            return false;
        out[n++] = c;
    }
    out[n] = '\0';
    return true;
}

/* One pair of `len` bytes. false: it is to be passed over. */
static bool read_pair(const char *text, size_t len, struct url_pair *pair)
{
    const char *equals = memchr(text, '=', len);
    size_t name_len = equals ? (size_t)(equals - text) : len;
    if (name_len == 0 || name_len >= sizeof(pair->name) || !decode(text, name_len, pair->name))
        return false;
    size_t value_len = equals ? len - name_len - 1 : 0;
    pair->value = xcalloc(1, value_len + 1);
    if (value_len > 0 && !decode(equals + 1, value_len, pair->value))
        pair->value[0] =
            '\0'; /* not what stands before the NUL, and not as if nothing had been asked */
    return true;
}

bool url_next(const char **at, struct url_pair *pair)
{
    while (**at) {
        const char *text = *at;
        size_t len = strcspn(text, "&");
        *at = text + len + (text[len] == '&');
        if (read_pair(text, len, pair))
            return true;
    }
    pair->value = NULL;
    return false;
}

char *url_value(const char *query, const char *name)
{
    struct url_pair pair;
    while (url_next(&query, &pair)) {
        if (strcmp(pair.name, name) == 0)
            return pair.value;
        free(pair.value);
    }
    return NULL;
}
