/* What a server's certificate is known by when neither its name nor its authority says who it is: its public key.
 * Thread-safety: any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

#define CERTIFICATE_PIN_SIZE 64 /* with the NUL */

/* "sha256//..." of a public key (SubjectPublicKeyInfo, DER), as libcurl takes it. */
void certificate_pin(const void *key, size_t len, char out[CERTIFICATE_PIN_SIZE]);
/* That of the first certificate in a PEM file, which is the server's own. false: there is none that can be read. */
WARN_UNUSED bool certificate_pin_read(const char *file, char out[CERTIFICATE_PIN_SIZE]);
