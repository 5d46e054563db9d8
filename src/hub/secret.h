/* What must not be guessed: random ids and secrets, their hashes, passwords. Thread-safety: any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define SECRET_DIGEST_SIZE 32 /* SHA-256 */
#define SECRET_UUID_SIZE   37 /* with the NUL */

/* From the kernel's generator; aborts when it has none. */
void secret_random(void *out, size_t len);
/* 2 * bytes hex digits and a NUL. */
void secret_hex(char *out, size_t bytes);
/* A random UUID (version 4). */
void secret_uuid(char out[SECRET_UUID_SIZE]);
void secret_digest(const char *text, unsigned char out[SECRET_DIGEST_SIZE]);
/* Takes the same time whatever differs. */
bool secret_is_equal(const void *a, const void *b, size_t len);
/* Overwrites the text, which may be NULL, and frees it. */
void secret_free(char *text);

#define PASSWORD_MIN 8 /* bytes */
#define PASSWORD_MAX 256

/* crypt(5) text, yescrypt with a new salt; takes some ten ms and 16 MB. NULL: out of memory. The caller frees. */
char *password_hash(const char *password);
/* Takes as long, and says no, when `hash` is NULL. */
bool password_is_right(const char *password, const char *hash);
