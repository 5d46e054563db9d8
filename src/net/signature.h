/* Ed25519 signatures (RFC 8032), over libcrypto. */
#pragma once

#include <stddef.h>

#include "base/compiler.h"

/* Whether `signature`, base64 of its 64 bytes, is one of these bytes by the public key in the PEM file. 0; -EBADMSG: it
 * is not; -EINVAL: the file holds no public Ed25519 key; other -errno: it cannot be read. */
WARN_UNUSED int signature_check(const char *key_file, const void *data, size_t len,
                                const char *signature);
