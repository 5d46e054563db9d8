#include "net/server_request.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"

#define METHOD_MAX      ((size_t)32)
#define CHUNK_EXTRA_MAX ((size_t)16 * 1024)

static const struct server_refusal bad_line = { 400, "The request line is not HTTP." };
static const struct server_refusal bad_end = { 400, "Lines must end with CR LF." };
static const struct server_refusal bad_path = { 400, "The path is not allowed." };
static const struct server_refusal bad_field = { 400, "A header field is malformed." };
static const struct server_refusal bad_host = { 400, "Exactly one Host field is needed." };
static const struct server_refusal bad_length = { 400, "The length of the body is not clear." };
static const struct server_refusal bad_chunk = { 400, "The chunked body is malformed." };
static const struct server_refusal long_target = { 414, "The URL is too long." };
static const struct server_refusal large_head = { 431, "The header fields are too large." };
static const struct server_refusal many_fields = { 431, "There are too many header fields." };
static const struct server_refusal large_body = { 413, "The body is too large." };
static const struct server_refusal bad_expect = { 417, "Only 100-continue can be expected." };
static const struct server_refusal bad_coding = {
    501, "Only chunked is understood as transfer coding."
};
static const struct server_refusal bad_version = { 505, "Only HTTP/1.1 is spoken here." };

static const char *const methods[] = {
    [HTTP_GET] = "GET",   [HTTP_POST] = "POST",     [HTTP_PATCH] = "PATCH",
    [HTTP_PUT] = "PUT",   [HTTP_DELETE] = "DELETE", [HTTP_OPTIONS] = "OPTIONS",
    [HTTP_HEAD] = "HEAD",
};

static bool is_token_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* ---- head ------------------------------------------------------------------------------------ */

/* A method, a blank, and the first character of a target; or as much of it as is there. */
static bool starts_like_a_request(const char *data, size_t len)
{
    for (size_t i = 0; i < len && i <= METHOD_MAX; i++) {
        if (data[i] == ' ')
            return i > 0 && (i + 1 == len || (data[i + 1] && strchr("/*hH", data[i + 1])));
        if (!is_token_char(data[i]))
            return false;
    }
    return len <= METHOD_MAX;
}

const struct server_refusal *server_head_find(const char *data, size_t len, size_t *seen,
                                              size_t *head_len)
{
    *head_len = 0;
    if (*seen <= METHOD_MAX + 1 && !starts_like_a_request(data, len))
        return &bad_line;
    size_t end = len < SERVER_HEAD_MAX ? len : SERVER_HEAD_MAX;
    for (size_t i = *seen; i < end; i++) {
        if (data[i] != '\n')
            continue;
        if (i == 0 || data[i - 1] != '\r')
            return &bad_end;
        if (i >= 3 && data[i - 2] == '\n') {
            *head_len = i + 1;
            return NULL;
        }
    }
    *seen = end;
    if (len < SERVER_HEAD_MAX)
        return NULL;
    return memchr(data, '\n', end) ? &large_head : &long_target;
}

static enum http_method method_of(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        if (strcmp(name, methods[i]) == 0)
            return (enum http_method)i;
    return HTTP_OTHER;
}

/* Decodes %XX in place. False: a bad escape, a control character, or a ".." segment. */
static bool decode_path(char *path)
{
    char *to = path;
    for (const char *at = path; *at; at++) {
        char c = *at;
        if (c == '%') {
            int high = hex_value(at[1]), low = high < 0 ? -1 : hex_value(at[2]);
            if (low < 0)
                return false;
            c = (char)(high * 16 + low);
            at += 2;
        }
        if (is_control(c))
            return false;
        *to++ = c;
    }
    *to = '\0';
    for (const char *at = path; (at = strstr(at, "..")); at++) {
        bool starts = at == path || at[-1] == '/' || at[-1] == '\\';
        bool ends = !at[2] || at[2] == '/' || at[2] == '\\';
        if (starts && ends)
            return false;
    }
    return true;
}

static const struct server_refusal *parse_target(struct server_request *r, char *target)
{
    char *path = target;
    if (strncasecmp(target, "http://", 7) == 0 || strncasecmp(target, "https://", 8) == 0)
        path = strchr(target, ':') + 3 + strcspn(strchr(target, ':') + 3, "/?");
    for (const char *at = path; *at; at++)
        if (is_control(*at))
            return &bad_line;
    char *query = strchr(path, '?');
    if (query)
        *query++ = '\0';
    r->query = query ? query : "";
    r->path = path;
    if (path != target && !*path)
        r->path = "/";
    else if (strcmp(path, "*") == 0)
        return r->method == HTTP_OPTIONS ? NULL : &bad_path;
    else if (*path != '/' || !decode_path(path))
        return &bad_path;
    return NULL;
}

/* "METHOD target HTTP/1.x" */
static const struct server_refusal *parse_request_line(struct server_request *r, char *line)
{
    char *target = strchr(line, ' ');
    char *version = target ? strchr(target + 1, ' ') : NULL;
    if (!version || version == target + 1)
        return &bad_line;
    *target++ = '\0';
    *version++ = '\0';
    bool is_http = strncmp(version, "HTTP/", 5) == 0 && strlen(version) == 8 && version[6] == '.' &&
                   version[5] >= '0' && version[5] <= '9' && version[7] >= '0' && version[7] <= '9';
    if (!is_http)
        return &bad_line;
    if (version[5] != '1')
        return &bad_version;
    r->is_old = version[7] == '0';
    r->method = method_of(line);
    return parse_target(r, target);
}

/* "Name: value", blanks around the value cut off. */
static const struct server_refusal *parse_field(struct http_header *field, char *line)
{
    char *at = line;
    while (is_token_char(*at))
        at++;
    if (at == line || *at != ':')
        return &bad_field;
    *at++ = '\0';
    at += strspn(at, " \t");
    size_t len = strlen(at);
    while (len > 0 && (at[len - 1] == ' ' || at[len - 1] == '\t'))
        at[--len] = '\0';
    for (const char *c = at; *c; c++)
        if (is_control(*c) && *c != '\t')
            return &bad_field;
    *field = (struct http_header){ .name = line, .value = at };
    return NULL;
}

static const struct server_refusal *parse_fields(struct server_request *r, char *at, size_t lines)
{
    bool is_too_many = lines > SERVER_FIELDS_MAX;
    if (is_too_many)
        lines = SERVER_FIELDS_MAX;
    r->field = xcalloc(lines ? lines : 1, sizeof(*r->field));
    for (; lines > 0; lines--) {
        char *end = strstr(at, "\r\n");
        *end = '\0';
        const struct server_refusal *no = parse_field(&r->field[r->field_count], at);
        if (no)
            return no;
        r->field_count++;
        at = end + 2;
    }
    return is_too_many ? &many_fields : NULL;
}

static size_t field_count(const struct server_request *r, const char *name)
{
    size_t n = 0;
    for (size_t i = 0; i < r->field_count; i++)
        n += strcasecmp(r->field[i].name, name) == 0;
    return n;
}

const char *server_request_field(const struct server_request *r, const char *name)
{
    for (size_t i = 0; i < r->field_count; i++)
        if (strcasecmp(r->field[i].name, name) == 0)
            return r->field[i].value;
    return NULL;
}

bool server_request_has_token(const struct server_request *r, const char *name, const char *token)
{
    size_t token_len = strlen(token);
    for (size_t i = 0; i < r->field_count; i++) {
        if (strcasecmp(r->field[i].name, name) != 0)
            continue;
        for (const char *at = r->field[i].value; at && *at;) {
            at += strspn(at, ", \t");
            size_t len = strcspn(at, ", \t;");
            if (len == token_len && strncasecmp(at, token, len) == 0)
                return true;
            at += strcspn(at, ",");
        }
    }
    return false;
}

/* How the body is delimited (RFC 9112 6.3). What two readers could understand in two ways is
 * refused. */
static const struct server_refusal *parse_length(struct server_request *r)
{
    const char *coding = server_request_field(r, "Transfer-Encoding");
    const char *length = server_request_field(r, "Content-Length");
    if (coding) {
        if (length || r->is_old || field_count(r, "Transfer-Encoding") > 1)
            return &bad_length;
        if (strcasecmp(coding, "chunked") != 0)
            return &bad_coding;
        r->is_chunked = true;
        return NULL;
    }
    r->is_whole = true;
    if (!length)
        return NULL;
    size_t digits = strspn(length, "0123456789");
    if (field_count(r, "Content-Length") > 1 || digits == 0 || length[digits])
        return &bad_length;
    if (digits > 15 || strtoull(length, NULL, 10) > r->body.max)
        return &large_body;
    r->body_left = (size_t)strtoull(length, NULL, 10);
    r->is_whole = r->body_left == 0;
    return NULL;
}

static const struct server_refusal *parse_meaning(struct server_request *r)
{
    if (field_count(r, "Host") > 1 || (!r->is_old && field_count(r, "Host") == 0))
        return &bad_host;
    const struct server_refusal *no = parse_length(r);
    if (no)
        return no;
    const char *expect = server_request_field(r, "Expect");
    if (expect && strcasecmp(expect, "100-continue") != 0)
        return &bad_expect;
    r->awaits_continue = expect && !r->is_old && !r->is_whole;
    r->keeps_alive = !server_request_has_token(r, "Connection", "close") &&
                     (!r->is_old || server_request_has_token(r, "Connection", "keep-alive"));
    r->wants_socket = r->method == HTTP_GET && !r->is_old &&
                      server_request_has_token(r, "Upgrade", "websocket") &&
                      server_request_has_token(r, "Connection", "upgrade");
    return NULL;
}

const struct server_refusal *server_request_parse(struct server_request *r, const char *head,
                                                  size_t len, size_t body_max)
{
    buf_init(&r->body, body_max);
    if (memchr(head, '\0', len))
        return &bad_field;
    r->head = xstrndup(head, len - 2); /* without the empty line */
    size_t lines = 0;
    for (const char *at = r->head; (at = strchr(at, '\n')); at++)
        lines++;
    char *line_end = strstr(r->head, "\r\n");
    *line_end = '\0';
    /* The fields also where the line is refused: they tell who asks. */
    const struct server_refusal *bad_first = parse_request_line(r, r->head);
    const struct server_refusal *no = parse_fields(r, line_end + 2, lines - 1);
    if (bad_first)
        return bad_first;
    return no ? no : parse_meaning(r);
}

void server_request_finish(struct server_request *r)
{
    buf_finish(&r->body);
    free(r->field);
    free(r->head);
    *r = (struct server_request){ 0 };
}

/* ---- body ------------------------------------------------------------------------------------ */

static const struct server_refusal *take_data(struct server_request *r, const char *data,
                                              size_t len, size_t *used)
{
    size_t n = len < r->body_left ? len : r->body_left;
    if (buf_append(&r->body, data, n) < 0)
        return &large_body;
    r->body_left -= n;
    *used += n;
    return NULL;
}

static const struct server_refusal *take_size_char(struct server_request *r, char c)
{
    int digit = hex_value(c);
    if (digit >= 0) {
        if (++r->chunk_digits > 15)
            return &large_body;
        r->body_left = r->body_left * 16 + (size_t)digit;
        return NULL;
    }
    if (r->chunk_digits == 0)
        return &bad_chunk;
    if (r->body_left > r->body.max - r->body.len)
        return &large_body;
    r->chunk_digits = 0;
    if (c == '\r')
        r->chunk_state = CHUNK_SIZE_END;
    else if (c == ';' || c == ' ' || c == '\t')
        r->chunk_state = CHUNK_EXTENSION;
    else
        return &bad_chunk;
    return NULL;
}

/* Text that is read over: extensions of a chunk, trailers. */
static const struct server_refusal *take_extra_char(struct server_request *r, char c,
                                                    enum server_chunk_state after)
{
    if (++r->chunk_extra > CHUNK_EXTRA_MAX)
        return &large_head;
    if (c == '\r')
        r->chunk_state = after;
    else if (is_control(c) && c != '\t')
        return &bad_chunk;
    return NULL;
}

static const struct server_refusal *take_chunk_char(struct server_request *r, char c)
{
    switch (r->chunk_state) {
    case CHUNK_SIZE: return take_size_char(r, c);
    case CHUNK_EXTENSION: return take_extra_char(r, c, CHUNK_SIZE_END);
    case CHUNK_SIZE_END:
        r->chunk_state = r->body_left > 0 ? CHUNK_DATA : CHUNK_TRAILER;
        return c == '\n' ? NULL : &bad_chunk;
    case CHUNK_DATA: return NULL; /* taken in one piece by the caller */
    case CHUNK_DATA_CR: r->chunk_state = CHUNK_DATA_LF; return c == '\r' ? NULL : &bad_chunk;
    case CHUNK_DATA_LF: r->chunk_state = CHUNK_SIZE; return c == '\n' ? NULL : &bad_chunk;
    case CHUNK_TRAILER:
        r->chunk_state = CHUNK_TRAILER_LINE;
        return take_extra_char(r, c, CHUNK_LAST_LF);
    case CHUNK_TRAILER_LINE: return take_extra_char(r, c, CHUNK_TRAILER_LINE_END);
    case CHUNK_TRAILER_LINE_END:
        r->chunk_state = CHUNK_TRAILER;
        return c == '\n' ? NULL : &bad_chunk;
    case CHUNK_LAST_LF: r->is_whole = true; return c == '\n' ? NULL : &bad_chunk;
    }
    return &bad_chunk;
}

const struct server_refusal *server_request_take(struct server_request *r, const char *data,
                                                 size_t len, size_t *used)
{
    const struct server_refusal *no = NULL;
    *used = 0;
    if (!r->is_chunked) {
        no = take_data(r, data, len, used);
        r->is_whole = r->body_left == 0;
        return no;
    }
    while (!no && *used < len && !r->is_whole) {
        if (r->chunk_state != CHUNK_DATA) {
            no = take_chunk_char(r, data[(*used)++]);
            continue;
        }
        no = take_data(r, data + *used, len - *used, used);
        if (r->body_left == 0)
            r->chunk_state = CHUNK_DATA_CR;
    }
    return no;
}
