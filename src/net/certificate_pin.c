#include "net/certificate_pin.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

void certificate_pin(const void *key, size_t len, char out[CERTIFICATE_PIN_SIZE])
{
    unsigned char digest[SHA256_DIGEST_LENGTH], text[48]; /* base64 of 32 bytes: 44 and a NUL */
    SHA256(key, len, digest);
    EVP_EncodeBlock(text, digest, sizeof(digest));
    snprintf(out, CERTIFICATE_PIN_SIZE, "sha256//%s", (const char *)text);
}

bool certificate_pin_read(const char *file, char out[CERTIFICATE_PIN_SIZE])
{
    FILE *f = fopen(file, "re");
    if (!f)
        return false;
    X509 *certificate = PEM_read_X509(f, NULL, NULL, NULL);
    fclose(f);
    unsigned char *key = NULL;
    int len = certificate ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &key) : -1;
    if (len > 0)
        certificate_pin(key, (size_t)len, out);
    OPENSSL_free(key);
    X509_free(certificate);
    return len > 0;
}
