#include "hub/base64.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static const char alphabets[][65] = {
    [BASE64_STANDARD] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    [BASE64_URL] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
};

char *base64_write(const void *data, size_t len, enum base64_kind kind)
{
    const unsigned char *in = data;
    const char *alphabet = alphabets[kind];
    char *text = xcalloc(1, (len + 2) / 3 * 4 + 1), *out = text;
    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i;
        uint32_t bits = (uint32_t)in[i] << 16;
        bits |= left > 1 ? (uint32_t)in[i + 1] << 8 : 0;
        bits |= left > 2 ? in[i + 2] : 0;
        *out++ = alphabet[bits >> 18];
        *out++ = alphabet[bits >> 12 & 63];
        if (left > 1 || kind == BASE64_STANDARD)
            *out++ = left > 1 ? alphabet[bits >> 6 & 63] : '=';
        if (left > 2 || kind == BASE64_STANDARD)
            *out++ = left > 2 ? alphabet[bits & 63] : '=';
    }
    return text;
}

/* 0..63; -1: no digit of either alphabet. */
static int digit(char c)
{
    for (size_t k = 0; c && k < 2; k++) {
        const char *at = strchr(alphabets[k], c);
        if (at)
            return (int)(at - alphabets[k]);
    }
    return -1;
}

char *base64_read(const char *text, size_t len, size_t *out_len)
{
    for (int i = 0; i < 2 && len && text[len - 1] == '='; i++)
        len--;
    if (len % 4 == 1)
        return NULL;
    char *data = xcalloc(1, len / 4 * 3 + 3);
    size_t n = 0;
    uint32_t bits = 0;
    for (size_t i = 0; i < len; i++) {
        int d = digit(text[i]);
        if (d < 0) {
            free(data);
            return NULL;
        }
        bits = bits << 6 | (uint32_t)d;
        if (i % 4 != 0) /* a new byte is full at the second, third and fourth digit */
            data[n++] = (char)(bits >> (6 - 2 * (i % 4)) & 255);
    }
    data[n] = '\0';
    *out_len = n;
    return data;
}
