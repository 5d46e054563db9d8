/* JSON Web Tokens signed with HMAC-SHA-256 (RFC 7519, alg HS256). Thread-safety: any thread. */
#pragma once

#include "hub/secret.h"

struct message;

/* The caller frees with secret_free(). */
char *jwt_write(const struct message *payload, const unsigned char key[SECRET_DIGEST_SIZE]);
/* The payload of a token signed with this key, whatever it says, which the caller destroys; NULL: it is none. */
struct message *jwt_read(const char *token, const unsigned char key[SECRET_DIGEST_SIZE]);
