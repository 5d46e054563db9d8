/* Shared by the files of the server only. */
#pragma once

#include <libwebsockets.h>

#include "net/server.h"
#include "net/server_frame.h"
#include "net/server_out.h"
#include "net/server_request.h"

#define SERVER_RECENT 4

enum conn_state {
    CONN_HEAD,    /* a request, or the rest of its head, may come */
    CONN_BODY,    /* its body comes */
    CONN_ASKS,    /* the owner has the request */
    CONN_SOCKET,  /* a WebSocket */
    CONN_ENDS,    /* its last bytes are on their way; what comes in is thrown away */
    CONN_LINGERS, /* all was sent: leaves the other side time to read it before the socket goes */
};

struct exchange {
    struct conn *conn;
    struct server_request request;
};

struct server_socket {
    struct conn *conn;
    void *user;
    struct frame_reader frames;
    bool has_talked; /* in this turn */
    bool has_closed; /* our close frame is queued */
};

struct conn {
    struct server *server;
    struct lws *wsi;
    struct lws_dll2 all, touched, ready;
    enum conn_state state;
    char peer[46];
    struct buf in;    /* came, not yet understood */
    size_t head_seen; /* bytes of a head at the front of `in` that were looked at */
    /* A request whose line is too long: a short line of its method, and the fields behind it as they come. max 0: there
     * is none. */
    struct buf late;
    const struct server_refusal *late_why;
    size_t late_skipped; /* bytes of the line that were read over */
    bool late_has_line;  /* its end came */
    struct out_queue out;
    struct exchange *exchange;    /* CONN_BODY, CONN_ASKS */
    struct server_socket *socket; /* CONN_SOCKET; also CONN_ENDS and CONN_LINGERS after it */
    size_t counted;               /* of server.input_bytes */
    int64_t since_ns;             /* when what the state waits for began */
    int64_t heard_ns;             /* last bytes from the other side */
    int64_t drained_ns;           /* when the other side last took some of what waits */
    uint64_t written;             /* bytes given to the library */
    uint64_t written_before;      /* at the last look */
    int unsent;                   /* bytes the kernel held at the last look */
    bool was_served;              /* had a request before */
    bool has_begun;               /* the first byte of a request came */
    bool is_pinged;               /* and has not answered */
    bool is_surplus;              /* more than connections_max: will be told so */
    bool is_doomed;               /* to be ended at the end of the turn */
    bool is_rx_off;
};

struct server {
    struct server_params params;
    struct log log_copy;
    const struct log *log; /* NULL: silent */
    struct lws_context *context;
    struct lws_vhost *vhost;
    struct lws *listener;
    struct conn *adopting; /* under adoption by the library */
    lws_sorted_usec_list_t timeout;
    struct lws_dll2_owner all;     /* conn.all */
    struct lws_dll2_owner touched; /* has something to settle or to send at the end of the turn */
    struct lws_dll2_owner ready;   /* may go on with what it had sent before */
    struct out_message
        *recent[SERVER_RECENT]; /* texts of this turn: equal ones to several sockets share */
    size_t recent_at;
    size_t input_bytes; /* held by all connections */
    int64_t swept_ns;
    int port;
    int wake_fd;
    bool is_listener_off; /* no descriptors were left */
    bool is_tls;
};

static inline int64_t server_now_ns(const struct server *s)
{
    return s->params.now_ns(s->params.ctx);
}

/* ---- server_conn.c */

struct conn *conn_create(struct server *s, const char *peer);
/* Tells the owner. The library's object is gone, or goes. */
void conn_destroy(struct conn *c);
void conn_take(struct conn *c, const char *data, size_t len);
/* Goes on with bytes that came earlier. */
void conn_resume(struct conn *c);
void conn_push(struct conn *c, struct out_piece piece);
void conn_doom(struct conn *c);
/* Lets the end of the turn look at it. */
void conn_touch(struct conn *c);
/* The handshake's request is done with. */
void conn_become_socket(struct conn *c);
/* What is queued is the last; what still comes is thrown away. */
void conn_end(struct conn *c);
/* The end of a turn: `instead` is NULL, or the answer to give when the turn failed. */
void conn_settle(struct conn *c, const struct http_answer *instead);
/* Writes as much of what is released as goes. */
void conn_flush(struct conn *c);
/* Checks the deadlines. */
void conn_check(struct conn *c, int64_t now_ns);
/* After a request that is not served: answers and ends the connection. */
void conn_refuse(struct conn *c, const struct server_refusal *why);

/* ---- server_late.c */

/* Reads the whole lines of a head that is too large, so that the owner knows who asks. */
void late_read(struct conn *c, const char *data, size_t len);
/* `data` begins with a request line that is too long: it is read over, then the request is refused. */
void late_begin(struct conn *c, const char *data, const struct server_refusal *why);
/* Takes all of what lies behind *used, the line itself at first. False: more is to come. */
bool late_take(struct conn *c, const char *data, size_t len, size_t *used);

/* ---- server_socket.c */

void socket_upgrade(struct conn *c);
/* Returns how many bytes were used. */
size_t socket_take(struct conn *c, const char *data, size_t len);
void socket_ping(struct conn *c);
void socket_forget_recent(struct server *s);
void socket_destroy(struct server_socket *s); /* calls on_closed; s may be NULL */

/* ---- server_answer.c */

/* The bytes of an answer, for a piece with its kind and flags; NULL: no memory. Where the piece has a message, that is
 * the answer whose place this one takes. */
struct out_message *answer_render(const struct http_answer *a, struct out_piece *piece);
const char *http_reason(int status);

/* ---- server_listen.c */

/* A listening socket, or a negative errno. */
WARN_UNUSED int listen_open(const char *address, int port);
int listen_port(int fd);
/* The next connection, its other side's address written to `peer`; -errno: -EAGAIN when there is
 * none. */
WARN_UNUSED int listen_accept(int fd, char *peer, size_t size);
