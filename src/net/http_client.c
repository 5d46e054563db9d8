#include "net/http_client.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/text.h"
#include "net/certificate_pin.h"
#include "net/curl_library.h"
#include "net/header_line.h"
#include "net/tcp.h"
#include "net/url.h"

#define ANSWER_MAX         ((size_t)4 * 1024 * 1024)
#define REQUESTS_MAX       64
#define CONNECTIONS_MAX    6
#define CONNECT_TIMEOUT_MS 10000
#define DEFAULT_TIMEOUT_MS 30000
#define SOON_MS            1 /* not 0: such a timer, started again, keeps the loop from everything else */
#define LOG_TEXT_MAX       200
#define LOCATION_MAX       2048

struct http_client {
    struct http_client_params params;
    struct curl_library lib;
    char *user_agent, *ca_file, *pinned_file;
    CURLM *multi;
    uv_timer_t timer; /* of the library */
    uv_timer_t soon;  /* runs when a request was refused */
    size_t handles;   /* of the loop, not let go of yet */
    struct http_request *requests;
    size_t request_count;
    /* A request failed and none was answered since: kept connections may lead nowhere. */
    bool is_doubtful;
    bool is_closing;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

struct http_request {
    struct http_client *client;
    struct http_request *next;
    http_done *done;
    void *ctx;
    CURL *easy; /* NULL: it was refused */
    struct curl_slist *headers;
    struct buf body;
    char *cookie;        /* name of the wanted one; NULL: none is */
    const char *refusal; /* constant; NULL: none */
    CURLcode result;
    bool is_done, is_too_long;
    char error[CURL_ERROR_SIZE];
    char log_text[LOG_TEXT_MAX]; /* method and address without secrets */
};

/* A socket of the library, watched by the loop. */
struct watch {
    uv_poll_t poll;
    struct http_client *client;
    curl_socket_t fd;
};

static void on_soon(uv_timer_t *timer);

/* ---- end of requests ---------------------------------------------------------------------------- */

static void unlink_request(struct http_request *r)
{
    struct http_request **at = &r->client->requests;
    while (*at != r)
        at = &(*at)->next;
    *at = r->next;
    r->client->request_count--;
}

/* Of one that is unlinked. */
static void free_request(struct http_request *r)
{
    if (r->easy) {
        r->client->lib.multi_remove_handle(r->client->multi, r->easy);
        r->client->lib.easy_cleanup(r->easy);
    }
    r->client->lib.slist_free_all(r->headers);
    buf_finish(&r->body);
    free(r->cookie);
    free(r);
}

void http_request_cancel(struct http_request *r)
{
    unlink_request(r);
    free_request(r);
}

static const char *header_value(const struct http_request *r, const char *name)
{
    struct curl_header *h;
    return r->client->lib.easy_header(r->easy, name, 0, CURLH_HEADER, -1, &h) == CURLHE_OK
               ? h->value
               : NULL;
}

/* Cookies are sent percent-encoded. libcurl frees it. NULL: it was not set. */
static char *cookie_value(const struct http_request *r)
{
    struct curl_header *h;
    size_t len = r->cookie ? strlen(r->cookie) : 0;
    for (size_t i = 0; len && r->client->lib.easy_header(r->easy, "Set-Cookie", i, CURLH_HEADER, -1,
                                                         &h) == CURLHE_OK;
         i++) {
        if (strncmp(h->value, r->cookie, len) == 0 && h->value[len] == '=')
            return r->client->lib.easy_unescape(r->easy, h->value + len + 1,
                                                (int)strcspn(h->value + len + 1, ";"), NULL);
    }
    return NULL;
}

static int64_t read_date(const struct http_request *r)
{
    const char *value = header_value(r, "Date");
    return value ? (int64_t)r->client->lib.getdate(value, NULL) : -1;
}

static int64_t read_seconds(const char *value)
{
    size_t len = value ? strspn(value, "0123456789") : 0;
    return len > 0 && len <= 12 && value[len] == '\0' ? strtoll(value, NULL, 10) : -1;
}

static void say_why(const struct http_request *r, char *out, size_t size)
{
    if (r->refusal)
        text_clean(out, size, r->refusal);
    else if (r->is_too_long)
        snprintf(out, size, "the answer is longer than %zu bytes", r->body.max);
    else
        text_clean(out, size, r->error[0] ? r->error : r->client->lib.easy_strerror(r->result));
}

/* Calls back and frees. `r` is unlinked. */
static void deliver(struct http_request *r)
{
    const struct log *log = r->client->params.log;
    char error[CURL_ERROR_SIZE] = "", location[LOCATION_MAX] = "", *cookie = NULL;
    struct http_reply reply = { .error = error,
                                .body = "",
                                .date_s = -1,
                                .limit_reset_s = -1,
                                .location = location,
                                .fallback_cookies = "",
                                .cookie = "" };
    if (!r->refusal && r->result == CURLE_OK) {
        long status = 0;
        r->client->lib.easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
        reply.status = (int)status;
        reply.body = r->body.data ? r->body.data : "";
        reply.len = r->body.len;
        reply.date_s = read_date(r);
        reply.limit_reset_s = read_seconds(header_value(r, "X-RateLimit-Reset"));
        const char *there = header_value(r, "Location");
        if (there && strlen(there) < sizeof(location)) /* a part of it leads elsewhere */
            memcpy(location, there, strlen(there) + 1);
        cookie = cookie_value(r);
        reply.cookie = cookie ? cookie : "";
        const char *cookies = header_value(r, "X-Fallback-Cookies"); /* read last: it lives on */
        reply.fallback_cookies = cookies ? cookies : "";
        log_debug(log, "%s: %d, %zu bytes", r->log_text, reply.status, reply.len);
    } else {
        say_why(r, error, sizeof(error));
        log_debug(log, "%s: %s", r->log_text, error);
    }
    if (!r->refusal)
        r->client->is_doubtful = reply.status == 0;
    r->done(r->ctx, &reply);
    if (cookie)
        explicit_bzero(cookie, strlen(cookie));
    r->client->lib.free(cookie);
    free_request(r);
}

static void collect(struct http_client *c)
{
    int left;
    for (CURLMsg *m; (m = c->lib.multi_info_read(c->multi, &left));) {
        if (m->msg != CURLMSG_DONE)
            continue;
        CURL *easy = m->easy_handle;
        CURLcode result = m->data.result;
        char *private = NULL;
        c->lib.easy_getinfo(easy, CURLINFO_PRIVATE, &private);
        struct http_request *r = (struct http_request *)private;
        r->result = result;
        r->is_done = true;
        c->lib.multi_remove_handle(c->multi, easy); /* ends the life of `m` */
    }
}

static struct http_request *find_done(const struct http_client *c)
{
    struct http_request *r = c->requests;
    while (r && !r->is_done) /* NOLINT(clang-analyzer-unix.Malloc): what is freed is unlinked */
        r = r->next;
    return r;
}

/* A callback may start and cancel requests and destroy the client: look anew after each. What is refused meanwhile
 * waits for the loop's next turn. */
static void deliver_all(struct http_client *c)
{
    struct http_request *r;
    for (int i = 0; i < REQUESTS_MAX && (r = find_done(c)); i++) {
        unlink_request(r);
        deliver(r);
    }
    if (find_done(c))
        uv_timer_start(&c->soon, on_soon, SOON_MS, 0);
}

static void drive(struct http_client *c, curl_socket_t fd, int events)
{
    int running;
    c->lib.multi_socket_action(c->multi, fd, events, &running);
    collect(c);
    deliver_all(c);
}

/* ---- the loop ----------------------------------------------------------------------------------- */

static void let_go(struct http_client *c)
{
    if (--c->handles > 0)
        return;
    if (c->closed)
        c->closed(c->closed_ctx);
    free(c->user_agent);
    free(c->ca_file);
    free(c->pinned_file);
    c->lib.global_cleanup();
    free(c);
}

static void on_closed(uv_handle_t *handle)
{
    let_go(handle->data);
}

static void on_watch_closed(uv_handle_t *handle)
{
    struct watch *w = handle->data;
    let_go(w->client);
    free(w);
}

static void on_timer(uv_timer_t *timer)
{
    drive(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static void on_soon(uv_timer_t *timer)
{
    deliver_all(timer->data);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct watch *w = poll->data;
    int flags = status < 0 ? CURL_CSELECT_ERR : 0;
    if (events & UV_READABLE)
        flags |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        flags |= CURL_CSELECT_OUT;
    drive(w->client, w->fd, flags);
}

static int on_timeout_wanted(CURLM *multi, long timeout_ms, void *ctx)
{
    struct http_client *c = ctx;
    if (c->is_closing)
        return 0;
    if (timeout_ms < 0)
        uv_timer_stop(&c->timer);
    else
        uv_timer_start(&c->timer, on_timer, (uint64_t)timeout_ms, 0);
    return 0;
}

static struct watch *watch_open(struct http_client *c, curl_socket_t fd)
{
    struct watch *w = xcalloc(1, sizeof(*w));
    if (uv_poll_init(c->params.loop, &w->poll, fd) < 0) {
        free(w);
        return NULL;
    }
    w->poll.data = w;
    w->client = c;
    w->fd = fd;
    c->handles++;
    c->lib.multi_assign(c->multi, fd, w);
    return w;
}

static int on_watch_wanted(CURL *easy, curl_socket_t fd, int what, void *ctx, void *fd_ctx)
{
    struct http_client *c = ctx;
    struct watch *w = fd_ctx;
    if (what == CURL_POLL_REMOVE) {
        if (w) {
            c->lib.multi_assign(c->multi, fd, NULL);
            uv_close((uv_handle_t *)&w->poll, on_watch_closed);
        }
        return 0;
    }
    if (!w)
        w = watch_open(c, fd);
    if (!w)
        return -1;
    int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    return uv_poll_start(&w->poll, events, on_ready) < 0 ? -1 : 0;
}

/* ---- requests ----------------------------------------------------------------------------------- */

static size_t on_body(char *data, size_t size, size_t count, void *ctx)
{
    struct http_request *r = ctx;
    if (buf_append(&r->body, data, size * count) == 0)
        return size * count;
    r->is_too_long = true;
    return 0;
}

static int on_socket_made(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
    tcp_prepare(fd);
    return CURL_SOCKOPT_OK;
}

static bool set_headers(struct http_request *r, const struct http_request_params *p)
{
    bool has_type = false;
    for (size_t i = 0; i < p->header_count; i++) {
        const char *line = p->header[i], *value;
        if (!header_line_check(line, &value))
            return false;
        has_type |= strncasecmp(line, "Content-Type:", strlen("Content-Type:")) == 0;
        if (*value)
            r->headers = r->client->lib.slist_append(r->headers, line);
    }
    if (!has_type) /* else the library says that it is a form */
        r->headers = r->client->lib.slist_append(r->headers, "Content-Type:");
    /* A long body is sent at once, not after a question that few servers answer. */
    r->headers = r->client->lib.slist_append(r->headers, "Expect:");
    return true;
}

/* What is to be sent, and how it is called. */
static void set_message(struct http_request *r, const struct http_request_params *p)
{
    const struct curl_library *lib = &r->client->lib;
    CURL *e = r->easy;
    lib->easy_setopt(e, CURLOPT_URL, p->url);
    lib->easy_setopt(e, CURLOPT_HTTPHEADER, r->headers);
    if (p->body || strcmp(p->method, "POST") == 0) {
        const char *body = p->body ? p->body : "";
        lib->easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
        lib->easy_setopt(e, CURLOPT_COPYPOSTFIELDS, body);
    }
    if (strcmp(p->method, "HEAD") == 0)
        lib->easy_setopt(e, CURLOPT_NOBODY, 1L);
    else
        lib->easy_setopt(e, CURLOPT_CUSTOMREQUEST, p->method);
}

/* Whom it trusts. The pinned certificate is read anew: it may have been renewed. false: it cannot be read. */
static bool set_trust(struct http_request *r)
{
    const struct http_client *c = r->client;
    char pin[CERTIFICATE_PIN_SIZE];
    if (c->pinned_file) {
        if (!certificate_pin_read(c->pinned_file, pin))
            return false;
        c->lib.easy_setopt(r->easy, CURLOPT_PINNEDPUBLICKEY, pin);
        c->lib.easy_setopt(r->easy, CURLOPT_SSL_VERIFYPEER, 0L);
        c->lib.easy_setopt(r->easy, CURLOPT_SSL_VERIFYHOST, 0L);
    } else if (c->ca_file) {
        c->lib.easy_setopt(r->easy, CURLOPT_CAINFO, c->ca_file);
        c->lib.easy_setopt(r->easy, CURLOPT_CAPATH, NULL);
    }
    return true;
}

/* How it is sent. */
static void set_transport(struct http_request *r, const struct http_request_params *p)
{
    const struct http_client *c = r->client;
    const struct curl_library *lib = &r->client->lib;
    CURL *e = r->easy;
    lib->easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    lib->easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    lib->easy_setopt(e, CURLOPT_PROXY, "");
    lib->easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    /* Ending a request does not wait for a name server that does not answer. */
    lib->easy_setopt(e, CURLOPT_QUICK_EXIT, 1L);
    lib->easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
    lib->easy_setopt(e, CURLOPT_TIMEOUT_MS,
                     p->timeout_ms ? (long)p->timeout_ms : DEFAULT_TIMEOUT_MS);
    lib->easy_setopt(e, CURLOPT_SOCKOPTFUNCTION, on_socket_made);
    lib->easy_setopt(e, CURLOPT_FRESH_CONNECT, (long)c->is_doubtful);
    if (c->user_agent)
        lib->easy_setopt(e, CURLOPT_USERAGENT, c->user_agent);
    lib->easy_setopt(e, CURLOPT_ERRORBUFFER, r->error);
    lib->easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
    lib->easy_setopt(e, CURLOPT_WRITEDATA, r);
    lib->easy_setopt(e, CURLOPT_PRIVATE, r);
}

/* NULL, or why it cannot be sent. */
static const char *begin(struct http_request *r, const struct http_request_params *p)
{
    struct url url;
    char where[LOG_TEXT_MAX];
    if (!url_parse(p->url, &url) || url.is_websocket)
        return "this is no address of a server";
    url_log_text(&url, where, sizeof(where));
    snprintf(r->log_text, sizeof(r->log_text), "%.10s %.180s", p->method, where);
    if (r->client->request_count > REQUESTS_MAX)
        return "too many requests at once";
    if (!set_headers(r, p))
        return "a header of the request is malformed";
    r->easy = r->client->lib.easy_init();
    if (!r->easy)
        return "out of memory";
    set_message(r, p);
    set_transport(r, p);
    if (url.is_tls && !set_trust(r))
        return "the server's certificate file cannot be read";
    return r->client->lib.multi_add_handle(r->client->multi, r->easy) == CURLM_OK ? NULL
                                                                                  : "out of memory";
}

struct http_request *http_client_start(struct http_client *c, const struct http_request_params *p,
                                       http_done *done, void *ctx)
{
    assert(!c->is_closing);
    assert(p->method[strspn(p->method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")] == '\0');
    struct http_request *r = xcalloc(1, sizeof(*r));
    *r = (struct http_request){
        .client = c, .done = done, .ctx = ctx, .cookie = xstrdup(p->cookie)
    };
    snprintf(r->log_text, sizeof(r->log_text), "a request");
    buf_init(&r->body, c->params.answer_max ? c->params.answer_max : ANSWER_MAX);
    struct http_request **end = &c->requests;
    while (*end)
        end = &(*end)->next;
    *end = r;
    c->request_count++;
    r->refusal = begin(r, p);
    if (r->refusal) {
        r->is_done = true;
        uv_timer_start(&c->soon, on_soon, SOON_MS, 0);
    }
    return r;
}

/* ---- its life ----------------------------------------------------------------------------------- */

int http_client_create(struct http_client **out, const struct http_client_params *p)
{
    struct curl_library lib;
    int ret = curl_library_open(&lib);
    if (ret < 0)
        return ret;
    if (lib.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return -ENOTSUP;
    struct http_client *c = xcalloc(1, sizeof(*c));
    c->lib = lib;
    c->multi = lib.multi_init();
    if (!c->multi) {
        free(c);
        lib.global_cleanup();
        return -ENOMEM;
    }
    c->params = *p;
    c->user_agent = xstrdup(p->user_agent);
    c->ca_file = xstrdup(p->ca_file);
    c->pinned_file = xstrdup(p->pinned_file);
    uv_timer_init(p->loop, &c->timer);
    uv_timer_init(p->loop, &c->soon);
    c->timer.data = c->soon.data = c;
    c->handles = 2;
    c->lib.multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, on_watch_wanted);
    c->lib.multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
    c->lib.multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, on_timeout_wanted);
    c->lib.multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
    c->lib.multi_setopt(c->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)CONNECTIONS_MAX);
    *out = c;
    return 0;
}

void http_client_destroy(struct http_client *c, void (*closed)(void *ctx), void *ctx)
{
    assert(!c->is_closing);
    c->is_closing = true;
    c->closed = closed;
    c->closed_ctx = ctx;
    while (c->requests)
        http_request_cancel(c->requests); /* NOLINT(clang-analyzer-unix.Malloc) */
    c->lib.multi_cleanup(c->multi);
    c->multi = NULL;
    uv_close((uv_handle_t *)&c->timer, on_closed);
    uv_close((uv_handle_t *)&c->soon, on_closed);
}
