#include "cli/download.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <uv.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "net/http_client.h"
#include "net/url.h"

#define FILE_SCHEME   "file://"
#define REDIRECTS_MAX 5

struct answer {
    int status; /* 0: none came */
    char *body, *location;
    size_t len;
    char error[DOWNLOAD_WHY_SIZE];
};

static bool is_file(const char *url)
{
    return strncasecmp(url, FILE_SCHEME, strlen(FILE_SCHEME)) == 0;
}

static bool is_here(const char *host)
{
    bool is_ipv4 = host[strspn(host, "0123456789.")] == '\0';
    return strcasecmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
           (is_ipv4 && strncmp(host, "127.", 4) == 0);
}

bool download_may(const struct download_params *p, char why[DOWNLOAD_WHY_SIZE])
{
    struct url u;
    if (is_file(p->url)) {
        snprintf(why, DOWNLOAD_WHY_SIZE, "a file:// address is not taken from there");
        return p->takes_files && p->url[strlen(FILE_SCHEME)] == '/';
    }
    snprintf(why, DOWNLOAD_WHY_SIZE, "this is no address of a server");
    if (!url_parse(p->url, &u) || u.is_websocket)
        return false;
    snprintf(why, DOWNLOAD_WHY_SIZE,
             "without https anybody on the way could change what comes; a signature "
             "(extractor.key-file) would show it");
    return u.is_tls || p->takes_http || is_here(u.host);
}

/* ---- one address -------------------------------------------------------------------------------- */

static void on_reply(void *ctx, const struct http_reply *r)
{
    struct answer *a = ctx;
    a->status = r->status;
    a->len = r->len;
    a->location = xstrdup(r->location ? r->location : "");
    snprintf(a->error, sizeof(a->error), "%s", r->error);
    a->body = malloc(r->len + 1);
    if (a->body)
        memcpy(a->body, r->body, r->len + 1);
}

static void ask(const struct download_params *p, const char *url, struct answer *a)
{
    uv_loop_t loop;
    struct http_client *client;
    struct log quiet = { .module = "djamms", .level = LOG_ERROR };
    *a = (struct answer){ .error = "the HTTP library does not start" };
    if (uv_loop_init(&loop) < 0)
        return;
    if (http_client_create(&client, &(struct http_client_params){
                                        .loop = &loop,
                                        .user_agent = "djamms/" DJAMMS_VERSION,
                                        .answer_max = p->max,
                                        .log = &quiet,
                                    }) == 0) {
        http_client_start(client,
                          &(struct http_request_params){
                              .method = "GET", .url = url, .timeout_ms = p->timeout_ms },
                          on_reply, a);
        uv_run(&loop, UV_RUN_DEFAULT);
        http_client_destroy(client, NULL, NULL);
        uv_run(&loop, UV_RUN_DEFAULT);
    }
    uv_loop_close(&loop);
}

/* ---- from one to the next ----------------------------------------------------------------------- */

/* Where `location` leads from `url`; the caller frees. */
static char *follow(const char *url, const char *location)
{
    const char *host = strstr(url, "://") + 3;
    if (strstr(location, "://"))
        return xstrdup(location);
    return xasprintf("%.*s%s%s", (int)(host + strcspn(host, "/") - url), url,
                     *location == '/' ? "" : "/", location);
}

static int get_file(const struct download_params *p, char **data, size_t *len,
                    char why[DOWNLOAD_WHY_SIZE])
{
    int ret = file_read(p->url + strlen(FILE_SCHEME), p->max, data, len);
    if (ret == -EFBIG)
        snprintf(why, DOWNLOAD_WHY_SIZE, "it is longer than %zu bytes", p->max);
    else if (ret < 0)
        snprintf(why, DOWNLOAD_WHY_SIZE, "%s", strerror(-ret));
    return ret;
}

/* -EAGAIN: *url is where it leads. */
static int get_once(const struct download_params *p, char **url, char **data, size_t *len,
                    char why[DOWNLOAD_WHY_SIZE])
{
    struct answer a;
    int ret = -EIO;
    ask(p, *url, &a);
    if (a.status == 200 && a.body) {
        *data = a.body;
        *len = a.len;
        a.body = NULL;
        ret = 0;
    } else if (a.status >= 300 && a.status < 400 && *a.location) {
        char *to = follow(*url, a.location);
        free(*url);
        *url = to;
        snprintf(why, DOWNLOAD_WHY_SIZE, "it leads on and on");
        ret = -EAGAIN;
    } else if (a.status) {
        snprintf(why, DOWNLOAD_WHY_SIZE, "the server answers %d", a.status);
    } else {
        snprintf(why, DOWNLOAD_WHY_SIZE, "%s", a.error);
    }
    free(a.body);
    free(a.location);
    return ret;
}

int download_get(const struct download_params *p, char **data, size_t *len,
                 char why[DOWNLOAD_WHY_SIZE])
{
    if (!download_may(p, why))
        return -EPERM;
    if (is_file(p->url))
        return get_file(p, data, len, why);
    char *url = xstrdup(p->url);
    int ret = -EAGAIN;
    for (int i = 0; ret == -EAGAIN && i <= REDIRECTS_MAX; i++) {
        struct download_params next = *p;
        next.url = url;
        next.takes_files = false;
        ret = download_may(&next, why) ? get_once(p, &url, data, len, why) : -EPERM;
    }
    free(url);
    return ret == -EAGAIN ? -ELOOP : ret;
}
