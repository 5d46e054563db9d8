/* A server whose behaviour is a function: it is called on a thread of its own for each connection that comes. */
#pragma once

#include <arpa/inet.h>
#include <assert.h>
#include <ctype.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libwebsockets.h>
#include <openssl/ssl.h>

#define SCRIPT_CONNECTIONS_MAX 128
#define SCRIPT_HEAD_MAX        65536
#define SCRIPT_BODY_MAX        ((size_t)2 * 1024 * 1024)

struct script_server;

struct script_peer {
    struct script_server *server;
    int fd;
    SSL *ssl; /* NULL: plain */
    pthread_t thread;
};

struct script_server {
    void (*serve)(struct script_peer *peer); /* returns: the connection is closed */
    void *ctx;
    SSL_CTX *tls; /* NULL: plain */
    int port;
    int fd;
    pthread_t thread;
    _Atomic int accepted;
    struct script_peer peers[SCRIPT_CONNECTIONS_MAX];
};

/* ---- bytes -------------------------------------------------------------------------------------- */

static inline ssize_t script_read(struct script_peer *p, void *data, size_t size)
{
    return p->ssl ? SSL_read(p->ssl, data, (int)size) : recv(p->fd, data, size, 0);
}

static inline bool script_read_all(struct script_peer *p, void *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = script_read(p, (char *)data + done, size - done);
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

static inline bool script_write(struct script_peer *p, const void *data, size_t len)
{
    for (size_t done = 0; done < len;) {
        const char *from = (const char *)data + done;
        ssize_t n = p->ssl ? SSL_write(p->ssl, from, (int)(len - done))
                           : send(p->fd, from, len - done, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

static inline bool script_say(struct script_peer *p, const char *text)
{
    return script_write(p, text, strlen(text));
}

/* Until the other end closes. */
static inline void script_wait_end(struct script_peer *p)
{
    char bytes[4096];
    while (script_read(p, bytes, sizeof(bytes)) > 0)
        ;
}

/* ---- HTTP --------------------------------------------------------------------------------------- */

struct script_request {
    char text[SCRIPT_HEAD_MAX]; /* line and headers, NUL-terminated */
    char body[SCRIPT_BODY_MAX];
};

/* Value of a header in `out`; false: none. */
static inline bool script_header(const struct script_request *r, const char *name, char *out,
                                 size_t size)
{
    size_t len = strlen(name);
    for (const char *p = strstr(r->text, "\r\n"); p; p = strstr(p + 2, "\r\n")) {
        if (strncasecmp(p + 2, name, len) != 0 || p[2 + len] != ':')
            continue;
        p += 3 + len;
        p += strspn(p, " ");
        snprintf(out, size, "%.*s", (int)strcspn(p, "\r"), p);
        return true;
    }
    return false;
}

/* false: the connection ended. */
static inline bool script_read_request(struct script_peer *p, struct script_request *r)
{
    size_t len = 0;
    memset(r->text, 0, sizeof(r->text));
    while (len < 4 || memcmp(r->text + len - 4, "\r\n\r\n", 4) != 0) {
        if (len + 1 >= sizeof(r->text) || script_read(p, r->text + len, 1) != 1)
            return false;
        len++;
    }
    char value[32];
    size_t size =
        script_header(r, "Content-Length", value, sizeof(value)) ? strtoul(value, NULL, 10) : 0;
    assert(size < sizeof(r->body));
    r->body[size] = '\0';
    return script_read_all(p, r->body, size);
}

/* `headers`: further lines, each with its \r\n. */
static inline bool script_answer(struct script_peer *p, int status, const char *headers,
                                 const char *body)
{
    char head[1024];
    snprintf(head, sizeof(head), "HTTP/1.1 %d Said\r\nContent-Length: %zu\r\n%s\r\n", status,
             strlen(body), headers);
    return script_say(p, head) && script_say(p, body);
}

/* ---- WebSocket ---------------------------------------------------------------------------------- */

static inline bool script_accept_socket(struct script_peer *p, const struct script_request *r)
{
    char key[256], text[512], answer[512];
    unsigned char hash[20];
    if (!script_header(r, "Sec-WebSocket-Key", key, sizeof(key)))
        return false;
    int len = snprintf(text, sizeof(text), "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
    lws_SHA1((unsigned char *)text, (size_t)len, hash);
    lws_b64_encode_string((char *)hash, sizeof(hash), key, sizeof(key));
    snprintf(answer, sizeof(answer),
             "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Accept: %s\r\n\r\n",
             key);
    return script_say(p, answer);
}

enum { SCRIPT_CONTINUATION = 0, SCRIPT_TEXT = 1, SCRIPT_BINARY = 2, SCRIPT_CLOSE = 8 };

/* `opcode` of an unfinished message is given with is_last false. */
static inline bool script_send_frame(struct script_peer *p, int opcode, bool is_last,
                                     const void *data, size_t len)
{
    unsigned char head[10] = { (unsigned char)(opcode | (is_last ? 0x80 : 0)) };
    size_t n = 2;
    if (len < 126) {
        head[1] = (unsigned char)len;
    } else if (len < 65536) {
        head[1] = 126;
        head[n++] = (unsigned char)(len >> 8);
        head[n++] = (unsigned char)len;
    } else {
        head[1] = 127;
        for (int shift = 56; shift >= 0; shift -= 8)
            head[n++] = (unsigned char)((uint64_t)len >> shift);
    }
    return script_write(p, head, n) && script_write(p, data, len);
}

static inline bool script_send_text(struct script_peer *p, const char *text)
{
    return script_send_frame(p, SCRIPT_TEXT, true, text, strlen(text));
}

/* The opcode, the text in `out`; -1: the connection ended, or it was longer than out. */
static inline int script_read_frame(struct script_peer *p, char *out, size_t size)
{
    unsigned char head[2], more[8], mask[4];
    if (!script_read_all(p, head, 2))
        return -1;
    uint64_t len = head[1] & 0x7f;
    size_t extra = len == 126 ? 2 : len == 127 ? 8 : 0;
    if (!script_read_all(p, more, extra))
        return -1;
    if (extra)
        len = 0;
    for (size_t i = 0; i < extra; i++)
        len = len << 8 | more[i];
    assert(head[1] & 0x80); /* a client masks */
    if (!script_read_all(p, mask, 4) || len >= size || !script_read_all(p, out, (size_t)len))
        return -1;
    for (uint64_t i = 0; i < len; i++)
        out[i] = (char)(out[i] ^ mask[i % 4]);
    out[len] = '\0';
    return head[0] & 0x0f;
}

/* ---- its life ----------------------------------------------------------------------------------- */

static inline void *script_peer_run(void *arg)
{
    struct script_peer *p = arg;
    if (p->server->tls) {
        p->ssl = SSL_new(p->server->tls);
        SSL_set_fd(p->ssl, p->fd);
    }
    if (!p->ssl || SSL_accept(p->ssl) == 1)
        p->server->serve(p);
    if (p->ssl)
        SSL_shutdown(p->ssl);
    shutdown(p->fd, SHUT_RDWR);
    return NULL;
}

static inline void *script_server_run(void *arg)
{
    struct script_server *s = arg;
    for (int fd; (fd = accept(s->fd, NULL, NULL)) >= 0;) {
        assert(s->accepted < SCRIPT_CONNECTIONS_MAX);
        struct script_peer *p = &s->peers[s->accepted];
        *p = (struct script_peer){ .server = s, .fd = fd };
        s->accepted++;
        assert(pthread_create(&p->thread, NULL, script_peer_run, p) == 0);
    }
    return NULL;
}

static inline struct script_server *script_server_start(void (*serve)(struct script_peer *peer),
                                                        void *ctx, SSL_CTX *tls)
{
    struct script_server *s = calloc(1, sizeof(*s));
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(address);
    s->serve = serve;
    s->ctx = ctx;
    s->tls = tls;
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert(bind(s->fd, (struct sockaddr *)&address, len) == 0 && listen(s->fd, 128) == 0);
    assert(getsockname(s->fd, (struct sockaddr *)&address, &len) == 0);
    s->port = ntohs(address.sin_port);
    assert(pthread_create(&s->thread, NULL, script_server_run, s) == 0);
    return s;
}

/* Cuts all connections; serve() sees their end. */
static inline void script_server_stop(struct script_server *s)
{
    shutdown(s->fd, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->fd);
    for (int i = 0; i < s->accepted; i++)
        shutdown(s->peers[i].fd, SHUT_RDWR);
    for (int i = 0; i < s->accepted; i++) {
        pthread_join(s->peers[i].thread, NULL);
        SSL_free(s->peers[i].ssl);
        close(s->peers[i].fd);
    }
    free(s);
}

/* A port at which nothing listens: one that was free a moment ago. */
static inline int script_unused_port(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert(bind(fd, (struct sockaddr *)&address, len) == 0);
    assert(getsockname(fd, (struct sockaddr *)&address, &len) == 0);
    close(fd);
    return ntohs(address.sin_port);
}
