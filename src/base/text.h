/* UTF-8 text of unknown origin (file names, tags, servers) made safe to keep and to show. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UNICODE_REPLACEMENT 0xFFFDu

/* Decodes one code point at s (len bytes left, len > 0); *used is 1..4. Bytes that are no valid UTF-8
 * (RFC 3629) give U+FFFD and *used = 1. */
uint32_t utf8_decode(const char *s, size_t len, size_t *used);
/* Writes 1..4 bytes to out; returns how many. What is no code point is written as U+FFFD. */
size_t utf8_encode(uint32_t code, char out[4]);
bool utf8_is_valid(const char *s, size_t len);
/* A copy in which every byte that is no valid UTF-8 became U+FFFD; nothing else changes. The caller
 * frees. */
char *utf8_repair(const char *s);

/* Copies text into out (size > 0, always terminated), cut at a code point boundary; invalid bytes
 * become U+FFFD, control characters (newline included) become a blank. Returns the length written. */
size_t text_clean(char *out, size_t size, const char *text);

/* Characters (code points) of valid UTF-8. */
size_t text_chars(const char *text);

/* FNV-1a, 64 bit; never 0. */
uint64_t text_hash(const char *s, size_t len);
