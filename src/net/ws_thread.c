#include "net/ws_thread.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libwebsockets.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/now.h"
#include "base/text.h"
#include "net/certificate_pin.h"
#include "net/header_line.h"
#include "net/lws_log.h"
#include "net/tcp.h"
#include "net/url.h"

#define TO_SEND_MAX     ((size_t)256 * 1024)       /* bytes waiting to leave */
#define TO_LOOP_MAX     ((size_t)16 * 1024 * 1024) /* bytes the loop did not take yet */
#define HANDSHAKE_MAX   16384                      /* bytes of an upgrade request or its answer */
#define STAGE_TIMEOUT_S 6 /* of one address, one handshake; another address then has its turn */
#define CLOSE_TIMEOUT_S 2 /* until a close frame could be written */
#define FDS_MAX         32
#define WHY_MAX         160
/* The library looks at nothing: is_trusted() does, before anything is said. */
#define TRUSTS_LATER                                                                               \
    (LCCSCF_ALLOW_SELFSIGNED | LCCSCF_SKIP_SERVER_CERT_HOSTNAME_CHECK | LCCSCF_ALLOW_EXPIRED |     \
     LCCSCF_ALLOW_INSECURE)
#define KEY_MAX 4096 /* of a public key: one of RSA with 16,384 bits has half of it */

struct mailbox {
    struct ws_mail *first, **end;
    size_t bytes;
};

struct ws_thread {
    /* Set in create, constant after. */
    size_t message_max;
    char *pinned_file;
    pthread_t thread;

    /* The thread only. */
    struct connection *connections;

    pthread_mutex_t lock;
    /* Protected by lock. */
    struct lws_context *context; /* the pointer; what it points to belongs to the thread */
    struct mailbox to_thread, to_loop;
    void (*on_mail)(void *ctx); /* NULL: nobody listens any more */
    void *ctx;
    bool is_stopped;
    int holders; /* the thread and its owner */
};

struct connection {
    struct connection *next;
    struct ws_thread *thread;
    uint64_t id;
    struct lws *wsi;      /* NULL: there is none yet, or no more */
    struct ws_mail *dial; /* address and headers */
    struct buf in;        /* a message so far */
    struct mailbox out;
    bool is_open, is_closing;
    bool is_told; /* the loop knows that it is gone */
    char why[WHY_MAX];
};

/* ---- mail --------------------------------------------------------------------------------------- */

struct ws_mail *ws_mail_create(enum ws_mail_kind kind, uint64_t id, const void *text, size_t len)
{
    struct ws_mail *mail = xcalloc(1, sizeof(*mail) + len + 1);
    mail->kind = kind;
    mail->id = id;
    mail->len = len;
    if (len)
        memcpy(mail->text, text, len);
    return mail;
}

static void mailbox_init(struct mailbox *box)
{
    *box = (struct mailbox){ .end = &box->first };
}

static void mailbox_put(struct mailbox *box, struct ws_mail *mail)
{
    mail->next = NULL;
    *box->end = mail;
    box->end = &mail->next;
    box->bytes += mail->len;
}

static struct ws_mail *mailbox_pop(struct mailbox *box)
{
    struct ws_mail *mail = box->first;
    if (!mail)
        return NULL;
    box->first = mail->next;
    if (!box->first)
        box->end = &box->first;
    box->bytes -= mail->len;
    return mail;
}

static void mailbox_finish(struct mailbox *box)
{
    for (struct ws_mail *mail; (mail = mailbox_pop(box));)
        free(mail);
}

static struct ws_mail *take_all(struct ws_thread *t, struct mailbox *box)
{
    pthread_mutex_lock(&t->lock);
    struct ws_mail *first = box->first;
    mailbox_init(box);
    pthread_mutex_unlock(&t->lock);
    return first;
}

struct ws_mail *ws_thread_take(struct ws_thread *t)
{
    return take_all(t, &t->to_loop);
}

/* With the lock held. Takes the mail. */
static void tell_loop_locked(struct ws_thread *t, struct ws_mail *mail)
{
    mailbox_put(&t->to_loop, mail);
    if (t->on_mail)
        t->on_mail(t->ctx);
}

static void tell_loop(struct ws_thread *t, struct ws_mail *mail)
{
    pthread_mutex_lock(&t->lock);
    tell_loop_locked(t, mail);
    pthread_mutex_unlock(&t->lock);
}

static struct ws_mail *gone_mail(uint64_t id, int status, const char *why)
{
    struct ws_mail *mail = ws_mail_create(WS_GONE, id, why, strlen(why));
    mail->status = status;
    return mail;
}

void ws_thread_post(struct ws_thread *t, struct ws_mail *mail)
{
    pthread_mutex_lock(&t->lock);
    if (mail->kind == WS_SEND && t->to_thread.bytes + mail->len > TO_SEND_MAX) {
        tell_loop_locked(t, gone_mail(mail->id, 0, "it does not take what is sent"));
        mail->kind = WS_CLOSE;
        mail->len = 0;
    }
    mailbox_put(&t->to_thread, mail);
    if (t->context)
        lws_cancel_service(t->context);
    pthread_mutex_unlock(&t->lock);
}

/* ---- connections -------------------------------------------------------------------------------- */

static struct connection *find_connection(const struct ws_thread *t, uint64_t id)
{
    struct connection *c = t->connections;
    while (c && c->id != id)
        c = c->next;
    return c;
}

static void destroy_connection(struct connection *c)
{
    struct connection **at = &c->thread->connections;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    free(c->dial);
    buf_finish(&c->in);
    mailbox_finish(&c->out);
    free(c);
}

static void tell_gone(struct connection *c, int status, const char *why)
{
    if (c->is_told)
        return;
    c->is_told = true;
    tell_loop(c->thread, gone_mail(c->id, status, why));
}

/* Ends it; its last callback frees it. */
static void end_connection(struct connection *c)
{
    if (c->is_closing)
        return;
    c->is_closing = true;
    c->is_told = true; /* or it does not care */
    if (c->is_open) {
        lws_set_timeout(c->wsi, PENDING_TIMEOUT_USER_REASON_BASE, CLOSE_TIMEOUT_S);
        lws_callback_on_writable(c->wsi);
    } else {
        lws_set_timeout(c->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
    }
}

static void dial(struct ws_thread *t, struct lws_context *context, struct ws_mail *mail)
{
    struct url url;
    char host[300];
    uint64_t id = mail->id;
    struct connection *c = xcalloc(1, sizeof(*c));
    *c = (struct connection){ .next = t->connections, .thread = t, .id = id, .dial = mail };
    buf_init(&c->in, t->message_max);
    mailbox_init(&c->out);
    t->connections = c;
    if (!url_parse(mail->text, &url)) { /* the sender looked at it */
        tell_gone(c, 0, "this is no address of a server");
        destroy_connection(c);
        return;
    }
    url_host_text(&url, host, sizeof(host));
    struct lws_client_connect_info info = {
        .context = context,
        .address = url.host,
        .port = url.port,
        .host = host,
        .path = *url.path == '/' ? url.path : "/",
        .ssl_connection = LCCSCF_HTTP_NO_FOLLOW_REDIRECT | (url.is_tls ? LCCSCF_USE_SSL : 0) |
                          (url.is_tls && t->pinned_file ? TRUSTS_LATER : 0),
        .alpn = "http/1.1",
        .local_protocol_name = "djamms",
        .opaque_user_data = c,
        .pwsi = &c->wsi,
    };
    if (lws_client_connect_via_info(&info))
        return;
    c = find_connection(t, id); /* it may have had its last callback in there */
    if (c) {
        tell_gone(c, 0, "no connection: the server is not found, or nothing listens there");
        destroy_connection(c);
    }
}

static void queue_text(struct connection *c, struct ws_mail *mail)
{
    if (!c->is_open || c->is_closing) {
        free(mail);
        return;
    }
    mailbox_put(&c->out, mail);
    if (c->out.bytes > TO_SEND_MAX) {
        tell_gone(c, 0, "it does not take what is sent");
        end_connection(c);
        return;
    }
    lws_callback_on_writable(c->wsi);
}

static void take_mail(struct ws_thread *t, struct lws_context *context)
{
    struct ws_mail *mail = take_all(t, &t->to_thread);
    for (struct ws_mail *next; mail; mail = next) {
        next = mail->next;
        struct connection *c = find_connection(t, mail->id);
        if (mail->kind == WS_DIAL) {
            dial(t, context, mail);
        } else if (mail->kind == WS_SEND && c) {
            queue_text(c, mail);
        } else {
            if (mail->kind == WS_CLOSE && c)
                end_connection(c);
            free(mail);
        }
    }
}

/* ---- what the library tells --------------------------------------------------------------------- */

/* Whether the other side of a TLS connection has the key of the pinned certificate, which is read anew: it may have been
 * renewed. */
static bool is_trusted(const struct connection *c, struct lws *wsi)
{
    union {
        union lws_tls_cert_info_results info;
        char room[sizeof(union lws_tls_cert_info_results) + KEY_MAX];
    } key;
    char pin[CERTIFICATE_PIN_SIZE], theirs[CERTIFICATE_PIN_SIZE];
    if (!c->thread->pinned_file || !lws_is_ssl(wsi))
        return true;
    if (lws_tls_peer_cert_info(wsi, LWS_TLS_CERT_INFO_OPAQUE_PUBLIC_KEY, &key.info, KEY_MAX) ||
        !certificate_pin_read(c->thread->pinned_file, pin))
        return false;
    certificate_pin(key.info.ns.name, (size_t)key.info.ns.len, theirs);
    return strcmp(pin, theirs) == 0;
}

static int add_headers(const struct connection *c, struct lws *wsi, unsigned char **at, size_t size)
{
    unsigned char *end = *at + size;
    const char *text = c->dial->text, *stop = text + c->dial->len, *value;
    for (text += strlen(text) + 1; text < stop; text += strlen(text) + 1) {
        if (!header_line_check(text, &value))
            return -1;
        char *name = xstrndup(text, strcspn(text, ":") + 1);
        int ret = lws_add_http_header_by_name(
            wsi, (unsigned char *)name, (const unsigned char *)value, (int)strlen(value), at, end);
        free(name);
        if (ret)
            return -1;
    }
    return 0;
}

static void on_established(struct connection *c)
{
    c->is_open = true;
    tcp_prepare(lws_get_socket_fd(c->wsi));
    if (!c->is_told)
        tell_loop(c->thread, ws_mail_create(WS_OPENED, c->id, NULL, 0));
}

/* -1: the connection ends. */
static int give_up(struct connection *c, const char *why)
{
    tell_gone(c, 0, why);
    c->is_closing = true;
    lws_close_reason(c->wsi, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, NULL, 0);
    return -1;
}

static int on_piece(struct connection *c, const void *data, size_t len)
{
    char why[WHY_MAX];
    if (c->is_told || lws_frame_is_binary(c->wsi))
        return 0;
    if (lws_is_first_fragment(c->wsi))
        buf_consume(&c->in, c->in.len);
    if (buf_append(&c->in, data, len) < 0) {
        snprintf(why, sizeof(why), "a message is longer than %zu bytes", c->in.max);
        return give_up(c, why);
    }
    if (!lws_is_final_fragment(c->wsi))
        return 0;
    struct ws_thread *t = c->thread;
    struct ws_mail *mail = ws_mail_create(WS_TEXT, c->id, c->in.data, c->in.len);
    mail->came_ns = now_mono_ns();
    buf_consume(&c->in, c->in.len);
    pthread_mutex_lock(&t->lock);
    bool has_room = t->to_loop.bytes + mail->len <= TO_LOOP_MAX;
    if (has_room)
        tell_loop_locked(t, mail);
    pthread_mutex_unlock(&t->lock);
    if (has_room)
        return 0;
    free(mail);
    return give_up(c, "more came than could be taken in");
}

/* -1: the connection ends. */
static int on_writable(struct connection *c)
{
    struct ws_mail *mail = mailbox_pop(&c->out);
    if (mail) {
        unsigned char *frame = xcalloc(1, LWS_PRE + mail->len);
        memcpy(frame + LWS_PRE, mail->text, mail->len);
        int ret = lws_write(c->wsi, frame + LWS_PRE, mail->len, LWS_WRITE_TEXT);
        free(frame);
        free(mail);
        if (ret < 0)
            return -1;
    } else if (c->is_closing) {
        lws_close_reason(c->wsi, LWS_CLOSE_STATUS_NORMAL, NULL, 0);
        return -1;
    }
    if (c->out.first || c->is_closing)
        lws_callback_on_writable(c->wsi);
    return 0;
}

static void on_failed(struct connection *c, const char *text, size_t len)
{
    char why[WHY_MAX], clean[100], *raw = xstrndup(text ? text : "", text ? len : 0);
    int status = (int)lws_http_client_http_response(c->wsi);
    text_clean(clean, sizeof(clean), *raw ? raw : "it ended early");
    free(raw);
    if (status == 101) /* it agreed, but in a wrong way */
        status = 0;
    if (status)
        snprintf(why, sizeof(why), "the server refused the upgrade: %d", status);
    else
        snprintf(why, sizeof(why), "no connection: %s", clean);
    tell_gone(c, status, why);
}

static void on_peer_close(struct connection *c, const unsigned char *data, size_t len)
{
    char text[128] = "", clean[128];
    if (len < 2) {
        snprintf(c->why, sizeof(c->why), "the server closed it");
        return;
    }
    snprintf(text, sizeof(text), "%.*s", (int)(len - 2), (const char *)data + 2);
    text_clean(clean, sizeof(clean), text);
    snprintf(c->why, sizeof(c->why), "the server closed it: %d%s%s", data[0] << 8 | data[1],
             *clean ? " " : "", clean);
}

static void on_last(struct connection *c, struct lws *wsi)
{
    tell_gone(c, 0, c->why[0] ? c->why : "the connection was cut");
    lws_set_opaque_user_data(wsi, NULL);
    destroy_connection(c);
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t len)
{
    if (reason == LWS_CALLBACK_EVENT_WAIT_CANCELLED) {
        struct lws_context *context = lws_get_context(wsi);
        take_mail(lws_context_user(context), context);
        return 0;
    }
    switch (reason) {
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
    case LWS_CALLBACK_CLIENT_HTTP_REDIRECT:
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
    case LWS_CALLBACK_CLIENT_RECEIVE:
    case LWS_CALLBACK_CLIENT_WRITEABLE:
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
    case LWS_CALLBACK_CLIENT_CLOSED: break;
    default: return 0;
    }
    struct connection *c = lws_get_opaque_user_data(wsi);
    if (!c)
        return 0;
    c->wsi = wsi;
    switch (reason) {
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        if (is_trusted(c, wsi))
            return add_headers(c, wsi, in, len);
        tell_gone(c, 0, "no connection: the server has another certificate than ours");
        return -1;
    case LWS_CALLBACK_CLIENT_HTTP_REDIRECT: return -1; /* secrets go nowhere else */
    case LWS_CALLBACK_CLIENT_ESTABLISHED: on_established(c); break;
    case LWS_CALLBACK_CLIENT_RECEIVE: return on_piece(c, in, len);
    case LWS_CALLBACK_CLIENT_WRITEABLE: return on_writable(c);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE: on_peer_close(c, in, len); break;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        on_failed(c, in, len);
        on_last(c, wsi);
        break;
    default: on_last(c, wsi); break;
    }
    return 0;
}

/* ---- its life ----------------------------------------------------------------------------------- */

static const struct lws_protocols protocols[] = {
    { .name = "djamms", .callback = on_event },
    { 0 },
};

static struct lws_context *create_context(struct ws_thread *t, const char *ca_file)
{
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = protocols,
        .options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT |
                   (ca_file ? LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS : 0),
        .client_ssl_ca_filepath = ca_file,
        .http_proxy_address = "", /* none, whatever the environment says */
        .timeout_secs = STAGE_TIMEOUT_S,
        .fd_limit_per_thread = FDS_MAX,
        .pt_serv_buf_size = HANDSHAKE_MAX,
        .max_http_header_data = HANDSHAKE_MAX,
        .user = t,
    };
    return lws_create_context(&info);
}

static void let_go(struct ws_thread *t)
{
    pthread_mutex_lock(&t->lock);
    bool is_last = --t->holders == 0;
    pthread_mutex_unlock(&t->lock);
    if (!is_last)
        return;
    mailbox_finish(&t->to_thread);
    mailbox_finish(&t->to_loop);
    pthread_mutex_destroy(&t->lock);
    free(t->pinned_file);
    free(t);
}

static bool is_stopped(struct ws_thread *t)
{
    pthread_mutex_lock(&t->lock);
    bool stopped = t->is_stopped;
    pthread_mutex_unlock(&t->lock);
    return stopped;
}

static void *run(void *arg)
{
    struct ws_thread *t = arg;
    struct lws_context *context = t->context;
    while (!is_stopped(t) && lws_service(context, 0) >= 0)
        ;
    pthread_mutex_lock(&t->lock);
    t->context = NULL;
    pthread_mutex_unlock(&t->lock);
    lws_context_destroy(context);
    while (t->connections)
        destroy_connection(t->connections); /* NOLINT(clang-analyzer-unix.Malloc) */
    tell_loop(t, ws_mail_create(WS_ENDED, 0, NULL, 0));
    let_go(t);
    return NULL;
}

/* Signals are for the thread of the loop. */
static int start(struct ws_thread *t)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int ret = -pthread_create(&t->thread, NULL, run, t);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return ret;
}

int ws_thread_create(struct ws_thread **out, const struct ws_thread_params *p)
{
    struct ws_thread *t = xcalloc(1, sizeof(*t));
    t->message_max = p->message_max;
    t->pinned_file = xstrdup(p->pinned_file);
    t->on_mail = p->on_mail;
    t->ctx = p->ctx;
    t->holders = 2;
    mailbox_init(&t->to_thread);
    mailbox_init(&t->to_loop);
    pthread_mutex_init(&t->lock, NULL);
    lws_log_setup();
    t->context = create_context(t, p->ca_file);
    int ret = t->context ? start(t) : -ENOMEM;
    if (ret == 0) {
        *out = t;
        return 0;
    }
    if (t->context)
        lws_context_destroy(t->context);
    t->holders = 1;
    let_go(t);
    return ret;
}

void ws_thread_stop(struct ws_thread *t)
{
    pthread_mutex_lock(&t->lock);
    t->is_stopped = true;
    if (t->context)
        lws_cancel_service(t->context);
    pthread_mutex_unlock(&t->lock);
}

void ws_thread_join(struct ws_thread *t)
{
    pthread_join(t->thread, NULL);
    let_go(t);
}

void ws_thread_abandon(struct ws_thread *t)
{
    pthread_mutex_lock(&t->lock);
    t->on_mail = NULL;
    pthread_mutex_unlock(&t->lock);
    pthread_detach(t->thread);
    let_go(t);
}
