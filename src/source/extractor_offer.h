/* What a channel offers: the newest version of yt-dlp that is to be used, and where its file is. A JSON object:
 *
 *     {"version": "2026.11.05", "url": "yt-dlp-2026.11.05", "size": 3123456, "sha256": "0123...", "signature": "..."}
 *
 * The file is yt-dlp's zip file as its makers publish it, from which Python imports the module. `url` is an address, or
 * a name beside the channel's. `signature` is Ed25519, in base64, of the text of extractor_offer_signed_text(). Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/sha256.h"

#define EXTRACTOR_VERSION_SIZE 32
#define EXTRACTOR_BYTES_MAX    ((int64_t)64 * 1024 * 1024)

struct extractor_offer {
    char version[EXTRACTOR_VERSION_SIZE];
    char sha256[SHA256_TEXT_SIZE];
    int64_t size;    /* bytes, 1 .. EXTRACTOR_BYTES_MAX */
    char *url;       /* whole, or a name */
    char *signature; /* "": none */
};

/* false: `why` is one sentence, and *out is empty. Finish *out in any case. */
WARN_UNUSED bool extractor_offer_read(struct extractor_offer *out, const char *text, size_t len,
                                      char *why, size_t why_size);
void extractor_offer_finish(struct extractor_offer *o);
/* "djamms-extractor VERSION SIZE SHA256", without an end of line; the caller frees. */
char *extractor_offer_signed_text(const struct extractor_offer *o);
/* Its file's address, when the offer was read from the address `channel`; the caller frees. */
char *extractor_offer_address(const struct extractor_offer *o, const char *channel);

/* "2026.11.05", "2026.11.05.232845": numbers with points between, so also the name of a folder. */
bool extractor_version_is_valid(const char *version);
/* < 0, 0 or > 0, number by number: "2026.9.1" is before "2026.10.01", and "2026.11.05" before
 * "2026.11.05.1". Both are valid; else as texts. */
int extractor_version_compare(const char *a, const char *b);
