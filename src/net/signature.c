#include "net/signature.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#define BYTES       64
#define TEXT_LENGTH 88 /* of base64: 86 digits and two '=' */

/* Both padding signs are read as further bytes. */
static bool read_text(const char *text, unsigned char out[BYTES + 2])
{
    return strlen(text) == TEXT_LENGTH && strcmp(text + TEXT_LENGTH - 2, "==") == 0 &&
           EVP_DecodeBlock(out, (const unsigned char *)text, TEXT_LENGTH) == BYTES + 2;
}

int signature_check(const char *key_file, const void *data, size_t len, const char *signature)
{
    unsigned char bytes[BYTES + 2];
    FILE *f = fopen(key_file, "re");
    if (!f)
        return -errno;
    EVP_PKEY *key = PEM_read_PUBKEY(f, NULL, NULL, NULL);
    fclose(f);
    EVP_MD_CTX *check = EVP_MD_CTX_new();
    int ret = -EBADMSG;
    if (!key || EVP_PKEY_id(key) != EVP_PKEY_ED25519)
        ret = -EINVAL;
    else if (check && read_text(signature, bytes) &&
             EVP_DigestVerifyInit(check, NULL, NULL, NULL, key) == 1 &&
             EVP_DigestVerify(check, bytes, BYTES, data, len) == 1)
        ret = 0;
    EVP_MD_CTX_free(check);
    EVP_PKEY_free(key);
    return ret;
}
