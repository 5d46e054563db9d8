/* SHA-256 of what comes in pieces (FIPS 180-4). Pure; plain data. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES     32
#define SHA256_TEXT_SIZE 65 /* lower-case hex digits and the end */

struct sha256 {
    uint32_t state[8];
    uint64_t length; /* bytes so far */
    unsigned char block[64];
};

void sha256_init(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *data, size_t len);
/* Ends it: `s` is to be initialised again before it takes more. */
void sha256_finish(struct sha256 *s, unsigned char out[SHA256_BYTES]);
void sha256_finish_text(struct sha256 *s, char out[SHA256_TEXT_SIZE]);
