#include "hub/secret.h"

#include <crypt.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "base/alloc.h"

/* Of a password nobody has: what an unknown account is compared with, so that it takes as long as a known one. */
static const char nobodys_hash[] =
    "$y$j9T$NDJbWVNYNOdDfajvqq0E60$CTXR2HFdWdK0831IwTLmgXQc3RiyfypK8x1wmICziYB";

void secret_random(void *out, size_t len)
{
    char *at = out;
    while (len) {
        ssize_t n = getrandom(at, len, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            perror("getrandom");
            abort();
        }
        at += n;
        len -= (size_t)n;
    }
}

static void write_hex(char *out, const unsigned char *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        snprintf(out + 2 * i, 3, "%02x", data[i]);
}

void secret_hex(char *out, size_t bytes)
{
    unsigned char data[64];
    for (size_t done = 0, part; done < bytes; done += part) {
        part = bytes - done < sizeof(data) ? bytes - done : sizeof(data);
        secret_random(data, part);
        write_hex(out + 2 * done, data, part);
    }
    OPENSSL_cleanse(data, sizeof(data));
}

void secret_uuid(char out[SECRET_UUID_SIZE])
{
    unsigned char b[16];
    secret_random(b, sizeof(b));
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    snprintf(out, SECRET_UUID_SIZE,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
             b[15]);
}

void secret_digest(const char *text, unsigned char out[SECRET_DIGEST_SIZE])
{
    SHA256((const unsigned char *)text, strlen(text), out);
}

bool secret_is_equal(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}

void secret_free(char *text)
{
    if (text)
        OPENSSL_cleanse(text, strlen(text));
    free(text);
}

/* ---- passwords --------------------------------------------------------------------------------- */

/* The hash of `password` under `setting`; NULL: out of memory, or no setting. The caller frees. */
static char *hash_under(const char *password, const char *setting)
{
    void *work = NULL;
    int size = 0;
    char *hash = xstrdup(crypt_ra(password, setting, &work, &size));
    if (work)
        OPENSSL_cleanse(work, (size_t)size);
    free(work);
    return hash;
}

char *password_hash(const char *password)
{
    char *setting = crypt_gensalt_ra("$y$", 0, NULL, 0);
    char *hash = setting ? hash_under(password, setting) : NULL;
    free(setting);
    return hash;
}

bool password_is_right(const char *password, const char *hash)
{
    const char *want = hash ? hash : nobodys_hash;
    char *got = hash_under(password, want);
    size_t len = strlen(want);
    bool is_right = hash && got && strlen(got) == len && secret_is_equal(got, want, len);
    free(got);
    return is_right;
}
