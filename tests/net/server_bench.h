/* A server and raw clients in one thread: the server's turns are taken by whoever waits for bytes.
 * */
#pragma once

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/server.h"
#include "net/server_frame.h"

#define BENCH_TURNS   20000 /* at most, until something must have happened */
#define BENCH_SOCKETS 256
#define BENCH_TEXT    (64 * 1024)

struct bench {
    struct server *server;
    struct server_params params;
    int64_t now_ns;

    int asked, gone, turns;
    struct exchange *held[16]; /* requests for /hold */
    int held_count;
    bool is_mute; /* gives no reason for it */
    bool fails;   /* the next turns do */
    void (*in_turn)(struct bench *b);
    int watched; /* for in_turn: a client's socket */

    struct server_socket *socket[BENCH_SOCKETS]; /* open ones, in the order they came */
    int opened, closed;
    char said[BENCH_TEXT]; /* all texts that came, each followed by a blank */
    int refuses_upgrade;   /* status; 0: no */
};

/* ---- the owner ------------------------------------------------------------------------------- */

static const char *bench_method(enum http_method m)
{
    static const char *const names[] = { "GET",    "POST",    "PATCH", "PUT",
                                         "DELETE", "OPTIONS", "HEAD",  "OTHER" };
    return names[m];
}

static inline void bench_answer(struct exchange *x, int status, const char *text)
{
    exchange_answer(x, &(struct http_answer){ .status = status,
                                              .content_type = status == 204 ? NULL : "text/plain",
                                              .body = text,
                                              .len = strlen(text) });
}

/* Answers with what it understood; "/hold" waits for the test, "/large" has a body of a megabyte.
 * */
static void bench_on_request(void *ctx, struct exchange *x)
{
    struct bench *b = ctx;
    b->asked++;
    if (strcmp(exchange_path(x), "/hold") == 0) {
        b->held[b->held_count++] = x;
        return;
    }
    if (strcmp(exchange_path(x), "/large") == 0) {
        const size_t len = 1 << 20;
        char *text = malloc(len);
        memset(text, 'x', len);
        exchange_answer(
            x, &(struct http_answer){
                   .status = 200, .content_type = "text/plain", .body = text, .len = len });
        free(text);
        return;
    }
    size_t len;
    const char *body = exchange_body(x, &len);
    const char *custom = exchange_header(x, "X-Custom-Thing");
    char text[8192];
    snprintf(text, sizeof(text), "%s [%s] [%s] [%s] [%.*s] %zu %s",
             bench_method(exchange_method(x)), exchange_path(x), exchange_query(x),
             custom ? custom : "", len < 1000 ? (int)len : 0, body, len, exchange_peer(x));
    const struct http_header header[] = { { "X-Back", custom ? custom : "none" },
                                          { "X-Secret", "of this answer alone" } };
    exchange_answer(x, &(struct http_answer){ .status = 200,
                                              .content_type = "text/plain",
                                              .body = text,
                                              .len = strlen(text),
                                              .header = header,
                                              .header_count = ARRAY_LEN(header),
                                              .lasting_count = 1 });
}

static void bench_on_gone(void *ctx, struct exchange *x)
{
    struct bench *b = ctx;
    b->gone++;
    for (int i = 0; i < b->held_count; i++)
        if (b->held[i] == x)
            b->held[i] = b->held[--b->held_count];
}

static int bench_on_upgrade(void *ctx, struct exchange *x, void **user)
{
    struct bench *b = ctx;
    *user = strdup(exchange_query(x)); /* freed with the socket */
    if (b->refuses_upgrade)
        free(*user);
    return b->refuses_upgrade;
}

static void bench_on_open(void *ctx, struct server_socket *s, void *user)
{
    struct bench *b = ctx;
    char text[256];
    b->socket[b->opened++ - b->closed] = s;
    snprintf(text, sizeof(text), "welcome %s", (const char *)user);
    server_socket_send(s, text, strlen(text));
}

/* Says it again; "bye" closes with 1008, "quiet" says nothing. */
static void bench_on_text(void *ctx, struct server_socket *s, void *user, const char *text,
                          size_t len)
{
    struct bench *b = ctx;
    assert(text[len] == '\0');
    if (strlen(b->said) + len + 2 < sizeof(b->said))
        strcat(strcat(b->said, text), " ");
    if (strcmp(text, "bye") == 0)
        server_socket_close(s, 1008, "as you wish");
    else if (strcmp(text, "quiet") != 0)
        server_socket_send(s, text, len);
}

static void bench_on_closed(void *ctx, struct server_socket *s, void *user)
{
    struct bench *b = ctx;
    int count = b->opened - b->closed, at = 0;
    while (at < count && b->socket[at] != s)
        at++;
    assert(at < count);
    memmove(b->socket + at, b->socket + at + 1, (size_t)(count - at - 1) * sizeof(b->socket[0]));
    b->closed++;
    server_socket_send(s, "nobody", 6); /* must do nothing */
    free(user);
}

static int bench_on_turn(void *ctx, struct http_answer *instead)
{
    struct bench *b = ctx;
    b->turns++;
    if (b->in_turn)
        b->in_turn(b);
    if (!b->fails)
        return 0;
    if (b->is_mute)
        return -EIO;
    *instead = (struct http_answer){
        .status = 503, .content_type = "text/plain", .body = "disk full", .len = 9
    };
    return -ENOSPC;
}

static int64_t bench_now_ns(void *ctx)
{
    return ((struct bench *)ctx)->now_ns;
}

static const struct server_callbacks bench_callbacks = {
    .on_request = bench_on_request,
    .on_gone = bench_on_gone,
    .on_upgrade = bench_on_upgrade,
    .on_open = bench_on_open,
    .on_text = bench_on_text,
    .on_closed = bench_on_closed,
    .on_turn = bench_on_turn,
};

/* params: what differs from the defaults. */
static inline void bench_open(struct bench *b, struct server_params params)
{
    memset(b, 0, sizeof(*b));
    b->now_ns = SECONDS(1000);
    b->params = params;
    b->params.address = params.address ? params.address : "127.0.0.1";
    b->params.callbacks = &bench_callbacks;
    b->params.ctx = b;
    b->params.now_ns = bench_now_ns;
    assert(server_create(&b->server, &b->params) == 0);
}

static inline void bench_close(struct bench *b)
{
    server_destroy(b->server);
    assert(b->opened == b->closed);
    assert(b->held_count == 0);
}

/* Turns the clock. */
static inline void bench_pass(struct bench *b, int64_t ns)
{
    b->now_ns += ns;
    server_turn(b->server, 0);
    server_turn(b->server, 0);
}

/* ---- clients --------------------------------------------------------------------------------- */

static inline int client_connect(struct bench *b)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in where = { .sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)server_port(b->server)) };
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert(connect(fd, (struct sockaddr *)&where, sizeof(where)) == 0);
    return fd;
}

/* Sends all, the server taking turns while there is no room. False: the server ended the
 * connection. */
static inline bool client_send(struct bench *b, int fd, const void *data, size_t len)
{
    size_t done = 0;
    for (int turns = 0; done < len && turns < BENCH_TURNS; turns++) {
        ssize_t n = send(fd, (const char *)data + done, len - done, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN)
            return false;
        done += n > 0 ? (size_t)n : 0;
        if (done < len)
            server_turn(b->server, 20);
    }
    return done == len;
}

static inline bool client_say(struct bench *b, int fd, const char *text)
{
    return client_send(b, fd, text, strlen(text));
}

/* Adds what came to `text` until it holds `until`, or (NULL) until the end of the connection.
 * False: it ended before, or that never came. */
static inline bool client_read(struct bench *b, int fd, char *text, size_t size, const char *until)
{
    size_t len = strlen(text);
    for (int turns = 0; turns < BENCH_TURNS; turns++) {
        if (until && strstr(text, until))
            return true;
        ssize_t n = recv(fd, text + len, size - len - 1, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN))
            return !until && n == 0;
        len += n > 0 ? (size_t)n : 0;
        text[len] = '\0';
        if (n < 0)
            server_turn(b->server, 20);
    }
    return false;
}

/* One request, one connection; the whole answer. */
static inline const char *client_ask(struct bench *b, const char *request, char *text, size_t size)
{
    int fd = client_connect(b);
    text[0] = '\0';
    client_say(b, fd, request);
    client_read(b, fd, text, size, NULL);
    close(fd);
    return text;
}

/* ---- WebSocket clients ----------------------------------------------------------------------- */

static inline bool client_frame(struct bench *b, int fd, int first, const void *payload, size_t len)
{
    unsigned char *frame = malloc(len + 14);
    size_t n = frame_head_write(frame, FRAME_TEXT, len);
    frame[0] = (unsigned char)first;
    frame[1] |= 0x80;
    memset(frame + n, 0x5A, 4);
    for (size_t i = 0; i < len; i++)
        frame[n + 4 + i] = ((const unsigned char *)payload)[i] ^ 0x5A;
    bool ok = client_send(b, fd, frame, n + 4 + len);
    free(frame);
    return ok;
}

static inline bool client_text(struct bench *b, int fd, const char *text)
{
    return client_frame(b, fd, 0x81, text, strlen(text));
}

#define CLIENT_HANDSHAKE(query)                                                                    \
    "GET /v1/realtime?" query                                                                      \
    " HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"                        \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"                 \
    "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"

/* Exactly `len` bytes. */
static inline bool client_read_bytes(struct bench *b, int fd, void *data, size_t len)
{
    size_t done = 0;
    for (int turns = 0; done < len && turns < BENCH_TURNS; turns++) {
        ssize_t n = recv(fd, (char *)data + done, len - done, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN))
            return false;
        done += n > 0 ? (size_t)n : 0;
        if (n < 0)
            server_turn(b->server, 20);
    }
    return done == len;
}

/* The next frame: its first byte, and its payload as text. -1: the connection ended. */
static inline int client_read_frame(struct bench *b, int fd, char *text, size_t size)
{
    unsigned char head[2], more[8];
    if (!client_read_bytes(b, fd, head, 2))
        return -1;
    size_t len = head[1], extra = len == 126 ? 2 : len == 127 ? 8 : 0;
    if (extra && !client_read_bytes(b, fd, more, extra))
        return -1;
    for (size_t i = 0; i < extra; i++)
        len = (i ? len << 8 : 0) | more[i];
    assert(len < size);
    if (len && !client_read_bytes(b, fd, text, len))
        return -1;
    text[len] = '\0';
    return head[0];
}

/* A WebSocket that has read its welcome. */
static inline int client_open(struct bench *b)
{
    char text[256];
    int fd = client_connect(b);
    int before = b->opened;
    assert(client_say(b, fd, CLIENT_HANDSHAKE("a=b")));
    for (int i = 0; i < BENCH_TURNS && b->opened == before; i++)
        server_turn(b->server, 20);
    for (text[0] = '\0'; !strstr(text, "\r\n\r\n");) {
        size_t len = strlen(text);
        assert(client_read_bytes(b, fd, text + len, 1));
        text[len + 1] = '\0';
    }
    assert(strncmp(text, "HTTP/1.1 101 ", 13) == 0);
    assert(client_read_frame(b, fd, text, sizeof(text)) == 0x81);
    assert(strcmp(text, "welcome a=b") == 0);
    return fd;
}

/* The code of the close frame that comes next; 0: another frame, -1: a bare end. */
static inline int client_read_close(struct bench *b, int fd)
{
    char text[BENCH_TEXT];
    int first = client_read_frame(b, fd, text, sizeof(text));
    return first != 0x88 ? (first < 0 ? -1 : 0)
                         : (unsigned char)text[0] << 8 | (unsigned char)text[1];
}
