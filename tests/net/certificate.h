/* A certificate of "localhost" that is its own authority, made anew in each run. */
#pragma once

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

struct certificate {
    SSL_CTX *server;
    char file[64]; /* what a client is to trust */
};

/* It is valid from `first` to `last`, in days from now. */
static inline X509 *certificate_make(EVP_PKEY *key, int first, int last)
{
    X509 *x = X509_new();
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), first * 86400L);
    X509_gmtime_adj(X509_getm_notAfter(x), last * 86400L);
    X509_set_pubkey(x, key);
    X509_NAME *name = X509_get_subject_name(x);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1,
                               0);
    X509_set_issuer_name(x, name);
    X509_EXTENSION *alternative =
        X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:localhost");
    X509_add_ext(x, alternative, -1);
    X509_EXTENSION_free(alternative);
    assert(X509_sign(x, key, EVP_sha256()) > 0);
    return x;
}

static inline void certificate_init_dated(struct certificate *c, int first, int last)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = certificate_make(key, first, last);
    c->server = SSL_CTX_new(TLS_server_method());
    assert(SSL_CTX_use_certificate(c->server, x) == 1);
    assert(SSL_CTX_use_PrivateKey(c->server, key) == 1);
    snprintf(c->file, sizeof(c->file), "/tmp/djamms-certificate-XXXXXX");
    FILE *file = fdopen(mkstemp(c->file), "w");
    assert(file && PEM_write_X509(file, x) == 1);
    fclose(file);
    X509_free(x);
    EVP_PKEY_free(key);
}

static inline void certificate_init(struct certificate *c)
{
    certificate_init_dated(c, -1, 1);
}

static inline void certificate_finish(struct certificate *c)
{
    SSL_CTX_free(c->server);
    unlink(c->file);
}
