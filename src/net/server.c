#include "net/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/now.h"
#include "net/lws_log.h"
#include "net/server_internal.h"

#define PROTOCOL         "djamms"
#define SURPLUS_MAX      64  /* connections beyond the bound that are told so */
#define ACCEPTS_MAX      256 /* in one turn */
#define OTHER_FILES      512 /* descriptors for the rest of the program */
#define FILES_REASONABLE 65536
#define READ_MAX         ((unsigned)64 * 1024)
#define SWEEP_NS         SECONDS(1)
#define SWEEP_MS         1000

/* ---- accepting ------------------------------------------------------------------------------- */

static void adopt(struct server *s, int fd, const char *peer)
{
    if ((int)s->all.count >= s->params.connections_max + SURPLUS_MAX) {
        log_debug(s->log, "%s: one connection too many, ended", peer);
        close(fd);
        return;
    }
    s->adopting = conn_create(s, peer);
    const lws_adopt_desc_t how = {
        .vh = s->vhost,
        .type = LWS_ADOPT_SOCKET | LWS_ADOPT_ALLOW_SSL,
        .fd = { .sockfd = fd },
        .vh_prot_name = PROTOCOL,
        .opaque = s->adopting,
    };
    struct lws *wsi = lws_adopt_descriptor_vhost_via_info(&how);
    if (wsi)
        s->adopting->wsi = wsi;
    else if (s->adopting) /* it failed before there was anything to close */
        conn_destroy(s->adopting);
    s->adopting = NULL;
}

static void accept_all(struct server *s)
{
    char peer[46];
    for (int i = 0; i < ACCEPTS_MAX; i++) {
        int fd = listen_accept(lws_get_socket_fd(s->listener), peer, sizeof(peer));
        if (fd >= 0) {
            adopt(s, fd, peer);
        } else if (fd == -EMFILE || fd == -ENFILE || fd == -ENOBUFS || fd == -ENOMEM) {
            log_warn(s->log, "cannot accept: %s; trying again in a second", strerror(-fd));
            s->is_listener_off = true;
            lws_rx_flow_control(s->listener, 0);
            return;
        } else if (fd == -EAGAIN) {
            return;
        } /* else that one client is gone already */
    }
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *session, void *in,
                    size_t len)
{
    struct server *s;
    struct conn *c;
    uint64_t count;
    switch (reason) {
    case LWS_CALLBACK_RAW_RX_FILE:
        s = lws_get_opaque_user_data(wsi);
        if (wsi == s->listener)
            accept_all(s);
        else if (read(s->wake_fd, &count, sizeof(count)) < 0)
            log_trace(s->log, "woken twice");
        break;
    case LWS_CALLBACK_RAW_RX:
        c = lws_get_opaque_user_data(wsi);
        c->wsi = wsi;
        if (c->server->is_tls) /* the library's own deadline for the handshake is still set */
            lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0);
        conn_take(c, in, len);
        break;
    case LWS_CALLBACK_RAW_WRITEABLE: conn_flush(lws_get_opaque_user_data(wsi)); break;
    case LWS_CALLBACK_RAW_CLOSE:
        c = lws_get_opaque_user_data(wsi);
        if (c->server->adopting == c)
            c->server->adopting = NULL;
        conn_destroy(c);
        break;
    default: break;
    }
    return 0;
}

/* ---- one turn -------------------------------------------------------------------------------- */

static struct conn *first_of(const struct lws_dll2_owner *list, size_t offset)
{
    return list->head ? (struct conn *)((char *)list->head - offset) : NULL;
}

#define FIRST(list, member) first_of((list), offsetof(struct conn, member))

static void on_timeout(lws_sorted_usec_list_t *sul)
{
}

static void wait_for_events(struct server *s, int timeout_ms)
{
    if (s->all.count > 0 && (timeout_ms < 0 || timeout_ms > SWEEP_MS))
        timeout_ms = SWEEP_MS;
    if (s->is_listener_off && (timeout_ms < 0 || timeout_ms > SWEEP_MS))
        timeout_ms = SWEEP_MS;
    if (s->touched.count > 0 || s->ready.count > 0)
        timeout_ms = 0;
    if (timeout_ms > 0)
        lws_sul_schedule(s->context, 0, &s->timeout, on_timeout, (lws_usec_t)timeout_ms * 1000);
    lws_service(s->context,
                timeout_ms == 0 ? -1 : 0); /* the library does not take the time itself */
    lws_sul_cancel(&s->timeout);
}

static void resume_ready(struct server *s)
{
    for (size_t n = s->ready.count; n > 0 && s->ready.head; n--)
        conn_resume(FIRST(&s->ready, ready));
}

static void sweep(struct server *s)
{
    int64_t now_ns = server_now_ns(s);
    if (now_ns - s->swept_ns < SWEEP_NS)
        return;
    s->swept_ns = now_ns;
    if (s->is_listener_off) {
        s->is_listener_off = false;
        lws_rx_flow_control(s->listener, 1);
    }
    for (struct lws_dll2 *at = s->all.head; at; at = at->next)
        conn_check(lws_container_of(at, struct conn, all), now_ns);
}

/* Settles first, all of them, then writes: so that a failing write finds nothing half settled. */
static void end_turn(struct server *s)
{
    struct http_answer instead = { 0 };
    int ret =
        s->params.callbacks->on_turn ? s->params.callbacks->on_turn(s->params.ctx, &instead) : 0;
    if (ret < 0 && instead.status == 0)
        instead.status = 500;
    for (struct lws_dll2 *at = s->touched.head; at; at = at->next)
        conn_settle(lws_container_of(at, struct conn, touched), ret < 0 ? &instead : NULL);
    socket_forget_recent(s);
    for (size_t n = s->touched.count; n > 0 && s->touched.head; n--) {
        struct conn *c = FIRST(&s->touched, touched);
        lws_dll2_remove(&c->touched);
        conn_flush(c);
        if (c->is_doomed)
            lws_set_timeout(c->wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_SYNC);
    }
}

void server_turn(struct server *s, int timeout_ms)
{
    resume_ready(s);
    wait_for_events(s, timeout_ms);
    sweep(s);
    end_turn(s);
}

void server_wake(struct server *s)
{
    const uint64_t one = 1;
    int saved = errno;
    ssize_t n = write(s->wake_fd, &one, sizeof(one)); /* fails only when it is awake already */
    (void)n;
    errno = saved;
}

int server_port(const struct server *s)
{
    return s->port;
}

/* ---- starting and ending --------------------------------------------------------------------- */

static int64_t clock_mono(void *ctx)
{
    return now_mono_ns();
}

static void set_defaults(struct server_params *p)
{
    if (p->body_max == 0)
        p->body_max = (size_t)12 * 1024 * 1024;
    if (p->frame_max == 0)
        p->frame_max = 64000;
    if (p->socket_queue_max == 0)
        p->socket_queue_max = (size_t)4 * 1024 * 1024;
    if (p->connections_max == 0)
        p->connections_max = 2000;
    if (!p->now_ns)
        p->now_ns = clock_mono;
}

/* Raises the soft limit to what `connections` need, or makes that number smaller. */
static void fit_connections(struct server *s)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) < 0)
        return;
    rlim_t needed = (rlim_t)s->params.connections_max + OTHER_FILES;
    if (files.rlim_cur >= needed)
        return;
    files.rlim_cur = needed < files.rlim_max ? needed : files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur == needed)
        return;
    int fitting = (int)files.rlim_cur / 2;
    log_warn(s->log, "only %d of %d connections: the limit of open files is %llu", fitting,
             s->params.connections_max, (unsigned long long)files.rlim_cur);
    s->params.connections_max = fitting;
}

/* The library keeps tables as large as the limit of open files: with a limit of millions they would
 * be most of our memory. It reads the limit only while the context is made. */
static struct lws_context *context_create(const struct lws_context_creation_info *info)
{
    struct rlimit files, fewer;
    bool is_huge = getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur > FILES_REASONABLE;
    if (is_huge) {
        fewer = files;
        fewer.rlim_cur = FILES_REASONABLE;
        is_huge = setrlimit(RLIMIT_NOFILE, &fewer) == 0;
    }
    struct lws_context *context = lws_create_context(info);
    if (is_huge)
        setrlimit(RLIMIT_NOFILE, &files);
    return context;
}

static int open_context(struct server *s)
{
    static const struct lws_protocols protocols[] = { { .name = PROTOCOL, .callback = on_event },
                                                      { 0 } };
    const struct server_params *p = &s->params;
    s->is_tls = p->certificate || p->key;
    if (s->is_tls && (!p->certificate || !p->key)) {
        log_err(s->log, "a certificate needs its key, and a key its certificate");
        return -EINVAL;
    }
    if (s->is_tls && (access(p->certificate, R_OK) < 0 || access(p->key, R_OK) < 0)) {
        int ret = -errno;
        log_err(s->log, "cannot read the certificate %s or its key %s: %s", p->certificate, p->key,
                strerror(-ret));
        return ret;
    }
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .protocols = protocols,
        .pt_serv_buf_size = READ_MAX,
        .timeout_secs = 30, /* of a TLS handshake */
        .alpn = "http/1.1",
        .gid = (gid_t)-1,
        .uid = (uid_t)-1,
        .ssl_cert_filepath = s->is_tls ? p->certificate : NULL,
        .ssl_private_key_filepath = s->is_tls ? p->key : NULL,
        .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
                   (s->is_tls ? LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT : 0),
    };
    lws_log_setup();
    s->context = context_create(&info);
    s->vhost = s->context ? lws_create_vhost(s->context, &info) : NULL;
    if (s->vhost)
        return 0;
    log_err(s->log,
            s->is_tls ? "cannot use the certificate %s with the key %s"
                      : "cannot start the WebSocket library",
            p->certificate, p->key);
    return -EINVAL;
}

/* Gives a descriptor of ours to the library, which closes it in the end. */
static struct lws *watch(struct server *s, int fd)
{
    const lws_adopt_desc_t how = {
        .vh = s->vhost,
        .type = LWS_ADOPT_RAW_FILE_DESC,
        .fd = { .filefd = fd },
        .vh_prot_name = PROTOCOL,
        .opaque = s,
    };
    struct lws *wsi = lws_adopt_descriptor_vhost_via_info(&how);
    if (!wsi)
        close(fd);
    return wsi;
}

static int open_listener(struct server *s)
{
    const struct server_params *p = &s->params;
    int fd = listen_open(p->address, p->port);
    if (fd < 0) {
        log_err(s->log, "cannot listen on %s port %d: %s", p->address, p->port, strerror(-fd));
        return fd;
    }
    s->port = listen_port(fd);
    s->listener = watch(s, fd);
    if (s->listener)
        s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!s->listener || s->wake_fd < 0 || !watch(s, s->wake_fd)) {
        log_err(s->log, "cannot listen on %s port %d: no descriptors left", p->address, p->port);
        return -EMFILE;
    }
    log_info(s->log, "listens on %s port %d%s", p->address, s->port, s->is_tls ? " with TLS" : "");
    return 0;
}

int server_create(struct server **out, const struct server_params *p)
{
    struct server *s = xcalloc(1, sizeof(*s));
    s->params = *p;
    s->wake_fd = -1;
    if (p->log) {
        s->log_copy = *p->log;
        s->log = &s->log_copy;
    }
    set_defaults(&s->params);
    fit_connections(s);
    s->swept_ns = server_now_ns(s);
    int ret = open_context(s);
    if (ret == 0)
        ret = open_listener(s);
    if (ret < 0) {
        server_destroy(s);
        return ret;
    }
    *out = s;
    return 0;
}

/* What the last turn did not settle did not happen. */
static void say_goodbye(struct conn *c)
{
    conn_settle(c, &(struct http_answer){ .status = 503 });
    if (c->socket)
        server_socket_close(c->socket, 1001, "going away");
    out_release(&c->out);
    conn_flush(c);
}

void server_destroy(struct server *s)
{
    if (!s)
        return;
    for (struct lws_dll2 *at = s->all.head; at; at = at->next)
        say_goodbye(lws_container_of(at, struct conn, all));
    while (s->all.head)
        lws_set_timeout(FIRST(&s->all, all)->wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_SYNC);
    socket_forget_recent(s);
    if (s->context)
        lws_context_destroy(s->context);
    free(s);
}
