/* One HTTP/1.x request: from bytes to head, fields and body (RFC 9112). Pure: no sockets, no clock.
 *
 * libwebsockets has a parser of its own, which is not used: it keeps neither the raw path nor the
 * raw query, walks ".." instead of refusing it, knows no chunked request, and ends what it does not
 * like without a word. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "net/server.h"

#define SERVER_HEAD_MAX   ((size_t)32 * 1024)   /* request line and fields */
#define SERVER_LINE_MAX   ((size_t)2048 * 1024) /* of a request line that is read over */
#define SERVER_FIELDS_MAX ((size_t)100)

/* Why a request is not served; the connection ends after this answer. */
struct server_refusal {
    int status;
    const char *text;
};

enum server_chunk_state {
    CHUNK_SIZE,
    CHUNK_EXTENSION,
    CHUNK_SIZE_END,
    CHUNK_DATA,
    CHUNK_DATA_CR,
    CHUNK_DATA_LF,
    CHUNK_TRAILER, /* at the start of a line */
    CHUNK_TRAILER_LINE,
    CHUNK_TRAILER_LINE_END,
    CHUNK_LAST_LF,
};

struct server_request {
    char *head; /* owned; the texts below lie in it */
    enum http_method method;
    const char *path;  /* decoded */
    const char *query; /* raw */
    struct http_header *field;
    size_t field_count;
    bool is_old;          /* HTTP/1.0 */
    bool keeps_alive;     /* the client wants the connection to stay */
    bool wants_socket;    /* a WebSocket handshake, not yet checked */
    bool awaits_continue; /* sends its body after "100 Continue" */

    struct buf body; /* max: the largest one allowed */
    size_t body_left;
    bool is_chunked, is_whole;
    enum server_chunk_state chunk_state;
    unsigned chunk_digits;
    size_t chunk_extra; /* bytes of extensions and trailers so far */
};

/* Looks for the end of a head. `*seen` is 0 at first and kept between calls for the same head, as
 * more comes. *head_len: its bytes with the empty line, 0 while it is not whole. What cannot become
 * a head is refused without waiting for the rest. */
const struct server_refusal *server_head_find(const char *data, size_t len, size_t *seen,
                                              size_t *head_len);

/* Reads a whole head. NULL: understood. `r` must be zero before, and finished after in either case.
 * */
const struct server_refusal *server_request_parse(struct server_request *r, const char *head,
                                                  size_t len, size_t body_max);
void server_request_finish(struct server_request *r);

/* Takes bytes of the body; *used: how many were part of it. r->is_whole tells the end. */
const struct server_refusal *server_request_take(struct server_request *r, const char *data,
                                                 size_t len, size_t *used);

/* First field of this name; NULL: absent. */
const char *server_request_field(const struct server_request *r, const char *name);
/* Whether a comma-separated list in fields of this name holds `token`. */
bool server_request_has_token(const struct server_request *r, const char *name, const char *token);
