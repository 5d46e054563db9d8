/* A faulty network between a client and a server, for tests:
 *
 *     relay HOST:PORT [LISTEN_PORT]
 *
 * passes TCP connections to 127.0.0.1:LISTEN_PORT (any free one when 0 or missing) on to HOST:PORT, a numeric address.
 * The first line on stdout is "listening PORT". Each line on stdin is a command and is answered, when it is done, by
 * "ok COMMAND open N accepted N requests N", or "error ...":
 *
 *     pass            all is well: ends refuse, stall, slow and delay, and what is to be answered or spoiled
 *     cut             resets all connections
 *     refuse          resets nothing, but new connections are refused
 *     stall           nothing moves any more and nobody is told: a half-open connection
 *     slow BYTES      at most so many bytes a second each way, over all connections
 *     delay MS        every piece arrives so much later
 *     answer WHAT N   the next N requests are answered by 429, 500 or html, and not passed on
 *     drop|double|swap N   does so to the next N text messages that a server sends over a WebSocket; swapped is a message
 *                     with the one after it
 *     hold N          the next such message arrives after the N that follow it
 *     reverse N       the next N such messages arrive in the opposite order
 *     count           nothing
 *
 * It ends when stdin does. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "relay_frames.h"

#define PAIRS_MAX   128
#define WAITING_MAX ((size_t)256 * 1024) /* bytes one way; more is not read */
#define READ_MAX    16384
#define TICK_MS     10 /* of slow sending */
#define NS_PER_MS   ((int64_t)1000000)

/* A piece on its way. */
struct piece {
    struct piece *next;
    int64_t due_ns;
    size_t len, sent;
    char data[];
};

/* One direction of a connection. */
struct way {
    int from, to;
    struct piece *first, **end;
    size_t waiting;
    bool is_over; /* nothing more comes */
    bool is_shut; /* and that was passed on */
};

enum { UP, DOWN };

struct pair {
    struct relay *relay;
    int client, server;
    struct way way[2];
    struct request_framer requests;
    struct message_framer messages;
};

struct relay {
    struct sockaddr_in target, own;
    int listener; /* -1: connections are refused */
    struct pair *pairs[PAIRS_MAX];
    int open, accepted, requests;
    bool is_stalled;
    int64_t delay_ns;
    double rate; /* bytes a second; 0: any */
    double may_send[2];
    int64_t refilled_ns;
    const char *answer; /* of the next requests */
    long answers_left;
    enum fate fate; /* of the next messages */
    long fates_left;
    size_t span; /* of a fate that has one */
    char line[256];
    size_t line_len;
};

static void die(const char *what)
{
    fprintf(stderr, "relay: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 * NS_PER_MS + t.tv_nsec;
}

/* ---- pieces ------------------------------------------------------------------------------------- */

static void way_put(struct way *w, const char *data, size_t len, int64_t due_ns)
{
    struct piece *p = malloc(sizeof(*p) + len);
    if (!p)
        die("out of memory");
    *p = (struct piece){ .due_ns = due_ns, .len = len };
    memcpy(p->data, data, len);
    *w->end = p;
    w->end = &p->next;
    w->waiting += len;
}

static void way_drop_first(struct way *w)
{
    struct piece *p = w->first;
    w->waiting -= p->len;
    w->first = p->next;
    if (!w->first)
        w->end = &w->first;
    free(p);
}

static void pass(struct pair *p, int direction, const char *data, size_t len)
{
    way_put(&p->way[direction], data, len, now_ns() + p->relay->delay_ns);
}

static void pass_up(void *pair, const char *data, size_t len)
{
    pass(pair, UP, data, len);
}

static void pass_down(void *pair, const char *data, size_t len)
{
    pass(pair, DOWN, data, len);
}

/* ---- faults ------------------------------------------------------------------------------------- */

static void put_answer(struct pair *p, const char *what)
{
    char body[300], text[700], date[64];
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &utc);
    bool is_html = strcmp(what, "html") == 0, is_limit = strcmp(what, "429") == 0;
    snprintf(body, sizeof(body),
             is_html ? "<!DOCTYPE html><html><body>Welcome to the guest network</body></html>"
                     : "{\"message\":\"said by the relay\",\"code\":%s,\"type\":\"%s\","
                       "\"version\":\"1.8.1\"}",
             what, is_limit ? "general_rate_limit_exceeded" : "general_unknown");
    snprintf(text, sizeof(text),
             "HTTP/1.1 %s Said by the relay\r\nDate: %s\r\nX-RateLimit-Reset: %lld\r\n"
             "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n%s",
             is_html ? "200" : what, date, (long long)now + 1,
             is_html ? "text/html" : "application/json", strlen(body), body);
    pass(p, DOWN, text, strlen(text));
}

static bool on_request(void *pair)
{
    struct pair *p = pair;
    struct relay *r = p->relay;
    r->requests++;
    if (r->answers_left <= 0)
        return false;
    r->answers_left--;
    put_answer(p, r->answer);
    return true;
}

static enum fate choose_fate(void *pair, size_t *span)
{
    struct relay *r = ((struct pair *)pair)->relay;
    if (r->fates_left <= 0)
        return FATE_PASS;
    r->fates_left--;
    *span = r->span;
    return r->fate;
}

/* ---- connections -------------------------------------------------------------------------------- */

static void pair_close(struct relay *r, int index, bool is_reset)
{
    struct pair *p = r->pairs[index];
    struct linger reset = { .l_onoff = is_reset };
    setsockopt(p->client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    setsockopt(p->server, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(p->client);
    close(p->server);
    for (int i = 0; i < 2; i++) {
        while (p->way[i].first)
            way_drop_first(&p->way[i]);
    }
    bytes_finish(&p->requests.head);
    bytes_finish(&p->messages.in);
    bytes_finish(&p->messages.held);
    free(p);
    r->pairs[index] = r->pairs[--r->open];
}

static void pair_open(struct relay *r)
{
    int one = 1, client = accept4(r->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (client < 0)
        return;
    int server = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (server < 0)
        die("socket");
    int ret = connect(server, (struct sockaddr *)&r->target, sizeof(r->target));
    if (r->open == PAIRS_MAX || (ret < 0 && errno != EINPROGRESS)) {
        close(client);
        close(server);
        return;
    }
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    struct pair *p = calloc(1, sizeof(*p));
    if (!p)
        die("out of memory");
    *p = (struct pair){ .relay = r, .client = client, .server = server };
    p->way[UP] = (struct way){ .from = client, .to = server, .end = &p->way[UP].first };
    p->way[DOWN] = (struct way){ .from = server, .to = client, .end = &p->way[DOWN].first };
    r->pairs[r->open++] = p;
    r->accepted++;
}

/* false: the connection broke. */
static bool way_read(struct pair *p, int direction)
{
    struct way *w = &p->way[direction];
    char data[READ_MAX];
    ssize_t n = recv(w->from, data, sizeof(data), 0);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    if (n == 0)
        w->is_over = true;
    else if (direction == UP)
        request_framer_take(&p->requests, data, (size_t)n,
                            &(struct request_sink){ on_request, pass_up, p });
    else if (p->requests.is_websocket)
        message_framer_take(&p->messages, data, (size_t)n,
                            &(struct message_sink){ choose_fate, pass_down, p });
    else
        pass(p, DOWN, data, (size_t)n);
    return true;
}

static bool way_is_due(const struct way *w, int64_t now)
{
    return w->first && w->first->due_ns <= now;
}

/* false: the connection broke. */
static bool way_write(struct pair *p, int direction, int64_t now)
{
    struct relay *r = p->relay;
    struct way *w = &p->way[direction];
    while (way_is_due(w, now)) {
        struct piece *piece = w->first;
        size_t len = piece->len - piece->sent;
        if (r->rate > 0 && (double)len > r->may_send[direction])
            len = (size_t)r->may_send[direction];
        if (len == 0)
            return true;
        ssize_t n = send(w->to, piece->data + piece->sent, len, MSG_NOSIGNAL);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        r->may_send[direction] -= (double)n;
        piece->sent += (size_t)n;
        if (piece->sent == piece->len)
            way_drop_first(w);
    }
    if (w->is_over && !w->first && !w->is_shut) {
        shutdown(w->to, SHUT_WR);
        w->is_shut = true;
    }
    return true;
}

/* ---- commands ----------------------------------------------------------------------------------- */

static void listen_again(struct relay *r)
{
    int one = 1;
    if (r->listener >= 0)
        return;
    r->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(r->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(r->listener, (struct sockaddr *)&r->own, sizeof(r->own)) < 0 ||
        listen(r->listener, PAIRS_MAX) < 0)
        die("listen");
    socklen_t len = sizeof(r->own);
    getsockname(r->listener, (struct sockaddr *)&r->own, &len);
}

static void set_pass(struct relay *r)
{
    listen_again(r);
    r->is_stalled = false;
    r->rate = 0;
    r->delay_ns = 0;
    r->answers_left = r->fates_left = 0;
}

static bool set_answer(struct relay *r, const char *what, long n)
{
    static const char *const answers[] = { "429", "500", "html" };
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        if (strcmp(what, answers[i]) == 0) {
            r->answer = answers[i];
            r->answers_left = n;
            return true;
        }
    }
    return false;
}

static bool set_fate(struct relay *r, const char *what, long n)
{
    static const char *const fates[] = { "pass", "drop", "double", "swap", "hold", "reverse" };
    for (int i = FATE_DROP; i <= FATE_REVERSE; i++) {
        if (strcmp(what, fates[i]) == 0) {
            bool has_span = i >= FATE_HOLD;
            r->fate = (enum fate)i;
            r->fates_left = has_span ? 1 : n;
            r->span = has_span ? (size_t)n : 1;
            return true;
        }
    }
    return false;
}

static bool obey(struct relay *r, const char *verb, const char *word, long n)
{
    if (strcmp(verb, "count") == 0)
        return true;
    if (strcmp(verb, "pass") == 0) {
        set_pass(r);
    } else if (strcmp(verb, "cut") == 0) {
        while (r->open)
            pair_close(r, 0, true);
    } else if (strcmp(verb, "refuse") == 0) {
        if (r->listener >= 0)
            close(r->listener);
        r->listener = -1;
    } else if (strcmp(verb, "stall") == 0) {
        r->is_stalled = true;
    } else if (strcmp(verb, "slow") == 0 && n > 0) {
        r->rate = (double)n;
        r->may_send[UP] = r->may_send[DOWN] = 0;
    } else if (strcmp(verb, "delay") == 0) {
        r->delay_ns = n * NS_PER_MS;
    } else {
        return strcmp(verb, "answer") == 0 ? set_answer(r, word, n) : set_fate(r, verb, n);
    }
    return true;
}

static void take_line(struct relay *r)
{
    char verb[32] = "", word[32] = "", number[32] = "";
    int words = sscanf(r->line, "%31s %31s %31s", verb, word, number);
    long n = strtol(words == 3 ? number : word, NULL, 10);
    if (n < 0 || !obey(r, verb, word, n))
        printf("error: %s\n", r->line);
    else
        printf("ok %s open %d accepted %d requests %d\n", verb, r->open, r->accepted, r->requests);
    fflush(stdout);
}

/* false: the end. */
static bool read_commands(struct relay *r)
{
    char data[256];
    ssize_t n = read(STDIN_FILENO, data, sizeof(data));
    if (n <= 0)
        return false;
    for (ssize_t i = 0; i < n; i++) {
        if (data[i] != '\n' && r->line_len + 1 < sizeof(r->line)) {
            r->line[r->line_len++] = data[i];
        } else if (data[i] == '\n') {
            r->line[r->line_len] = '\0';
            r->line_len = 0;
            take_line(r);
        }
    }
    return true;
}

/* ---- the loop ----------------------------------------------------------------------------------- */

static void refill(struct relay *r, int64_t now)
{
    double more = r->rate * (double)(now - r->refilled_ns) / 1e9;
    double most = r->rate / 10 > 1 ? r->rate / 10 : 1;
    for (int i = 0; i < 2; i++)
        r->may_send[i] = r->may_send[i] + more > most ? most : r->may_send[i] + more;
    r->refilled_ns = now;
}

/* Until something is due; -1: nothing is. */
static int wait_ms(const struct relay *r, int64_t now)
{
    int64_t wait = -1;
    for (int i = 0; i < 2 * r->open && !r->is_stalled; i++) {
        const struct piece *first = r->pairs[i / 2]->way[i % 2].first;
        if (!first)
            continue;
        int64_t ms = first->due_ns > now ? (first->due_ns - now) / NS_PER_MS + 1 : TICK_MS;
        wait = wait < 0 || ms < wait ? ms : wait;
    }
    return (int)wait;
}

static short wanted(const struct relay *r, const struct pair *p, int fd, int64_t now)
{
    short events = 0;
    for (int i = 0; i < 2; i++) {
        const struct way *w = &p->way[i];
        if (w->from == fd && !w->is_over && w->waiting < WAITING_MAX)
            events |= POLLIN;
        if (w->to == fd && way_is_due(w, now) && (r->rate == 0 || r->may_send[i] >= 1))
            events |= POLLOUT;
    }
    return events;
}

/* What poll() said about one connection. false: it is over. */
static bool serve_pair(struct pair *p, short client_events, short server_events, int64_t now)
{
    if (((client_events | server_events) & (POLLERR | POLLNVAL)) != 0)
        return false;
    bool ok = true;
    if (client_events & (POLLIN | POLLHUP) && !p->way[UP].is_over)
        ok = ok && way_read(p, UP);
    if (server_events & (POLLIN | POLLHUP) && !p->way[DOWN].is_over)
        ok = ok && way_read(p, DOWN);
    ok = ok && way_write(p, UP, now) && way_write(p, DOWN, now);
    return ok && !(p->way[UP].is_shut && p->way[DOWN].is_shut);
}

static bool turn(struct relay *r)
{
    struct pollfd fds[2 + 2 * PAIRS_MAX];
    int64_t now = now_ns();
    int open = r->is_stalled ? 0 : r->open;
    fds[0] = (struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN };
    fds[1] = (struct pollfd){ .fd = r->is_stalled ? -1 : r->listener, .events = POLLIN };
    for (int i = 0; i < open; i++) {
        const struct pair *p = r->pairs[i];
        short client = wanted(r, p, p->client, now), server = wanted(r, p, p->server, now);
        /* Nothing wanted: not even to hear of its end, which would be told again and again. */
        fds[2 + 2 * i] = (struct pollfd){ .fd = client ? p->client : -1, .events = client };
        fds[3 + 2 * i] = (struct pollfd){ .fd = server ? p->server : -1, .events = server };
    }
    if (poll(fds, (nfds_t)(2 + 2 * open), wait_ms(r, now)) < 0 && errno != EINTR)
        die("poll");
    now = now_ns();
    refill(r, now);
    for (int i = open - 1; i >= 0; i--) {
        if (!serve_pair(r->pairs[i], fds[2 + 2 * i].revents, fds[3 + 2 * i].revents, now))
            pair_close(r, i, !r->pairs[i]->way[UP].is_over && !r->pairs[i]->way[DOWN].is_over);
    }
    if (fds[1].revents & POLLIN)
        pair_open(r);
    return !(fds[0].revents & (POLLIN | POLLHUP)) || read_commands(r);
}

static bool parse_target(const char *text, struct sockaddr_in *out)
{
    char host[64];
    int port;
    if (sscanf(text, "%63[0-9.]:%d", host, &port) != 2)
        return false;
    *out = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    return inet_pton(AF_INET, host, &out->sin_addr) == 1;
}

int main(int argc, char **argv)
{
    struct relay *r = calloc(1, sizeof(*r));
    if (!r || argc < 2 || argc > 3 || !parse_target(argv[1], &r->target)) {
        fprintf(stderr, "usage: relay HOST:PORT [LISTEN_PORT]\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    int port = argc == 3 ? atoi(argv[2]) : 0;
    r->own = (struct sockaddr_in){ .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    r->listener = -1;
    listen_again(r);
    printf("listening %d\n", ntohs(r->own.sin_port));
    fflush(stdout);
    while (turn(r))
        ;
    while (r->open)
        pair_close(r, 0, false);
    free(r);
    return 0;
}
