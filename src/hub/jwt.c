#include "hub/jwt.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/alloc.h"
#include "hub/base64.h"
#include "wire/message.h"

#define TOKEN_MAX 2048 /* bytes; ours have about 250 */

static const char header[] = "{\"typ\":\"JWT\",\"alg\":\"HS256\"}";

static void sign(const char *text, size_t len, const unsigned char *key,
                 unsigned char out[SECRET_DIGEST_SIZE])
{
    HMAC(EVP_sha256(), key, SECRET_DIGEST_SIZE, (const unsigned char *)text, len, out, NULL);
}

char *jwt_write(const struct message *payload, const unsigned char key[SECRET_DIGEST_SIZE])
{
    unsigned char mac[SECRET_DIGEST_SIZE];
    char *text = message_text(payload, false);
    char *head = base64_write(header, strlen(header), BASE64_URL);
    char *body = base64_write(text, strlen(text), BASE64_URL);
    char *signed_part = xasprintf("%s.%s", head, body);
    sign(signed_part, strlen(signed_part), key, mac);
    char *signature = base64_write(mac, sizeof(mac), BASE64_URL);
    char *token = xasprintf("%s.%s", signed_part, signature);
    free(text);
    free(head);
    free(body);
    secret_free(signed_part);
    free(signature);
    return token;
}

static struct message *read_part(const char *text, size_t len)
{
    size_t n = 0;
    char *json = base64_read(text, len, &n);
    struct message *m = json ? message_parse(json, n, NULL, 0) : NULL;
    free(json);
    return m;
}

static bool is_signed(const char *token, const char *last_dot, const unsigned char *key)
{
    unsigned char mac[SECRET_DIGEST_SIZE];
    size_t n = 0;
    char *given = base64_read(last_dot + 1, strlen(last_dot + 1), &n);
    sign(token, (size_t)(last_dot - token), key, mac);
    bool is_right = given && n == sizeof(mac) && secret_is_equal(given, mac, sizeof(mac));
    free(given);
    return is_right;
}

struct message *jwt_read(const char *token, const unsigned char key[SECRET_DIGEST_SIZE])
{
    const char *first = strchr(token, '.'), *last = strrchr(token, '.');
    if (!first || first == last || strnlen(token, TOKEN_MAX) == TOKEN_MAX ||
        !is_signed(token, last, key))
        return NULL;
    return read_part(first + 1, (size_t)(last - first - 1)); /* whatever alg its header names */
}
