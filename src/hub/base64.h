/* Base64 (RFC 4648): the standard alphabet with padding, or the one for URLs without. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum base64_kind { BASE64_STANDARD, BASE64_URL };

/* The caller frees. */
char *base64_write(const void *data, size_t len, enum base64_kind kind);
/* A NUL-terminated block that the caller frees; NULL: not base64. Takes both alphabets, with and without padding. */
char *base64_read(const char *text, size_t len, size_t *out_len);
