#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/now.h"
#include "net/server_internal.h"

#define ANSWER_HEAD_MAX ((size_t)64 * 1024)

const char *http_reason(int status)
{
    static const struct {
        int status;
        const char *text;
    } reasons[] = {
        { 100, "Continue" },
        { 101, "Switching Protocols" },
        { 200, "OK" },
        { 201, "Created" },
        { 202, "Accepted" },
        { 204, "No Content" },
        { 301, "Moved Permanently" },
        { 302, "Found" },
        { 304, "Not Modified" },
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 408, "Request Timeout" },
        { 409, "Conflict" },
        { 410, "Gone" },
        { 413, "Content Too Large" },
        { 414, "URI Too Long" },
        { 417, "Expectation Failed" },
        { 426, "Upgrade Required" },
        { 429, "Too Many Requests" },
        { 431, "Request Header Fields Too Large" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 503, "Service Unavailable" },
        { 505, "HTTP Version Not Supported" },
    };
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].text;
    return "Unknown";
}

static bool has_field(const struct http_answer *a, const char *name)
{
    for (size_t i = 0; i < a->header_count; i++)
        if (strcasecmp(a->header[i].name, name) == 0)
            return true;
    return false;
}

/* Not by strftime(): the names are English whatever the locale. */
static int put_date(struct buf *b)
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t now = (time_t)(now_wall_ms() / 1000);
    struct tm t;
    gmtime_r(&now, &t);
    return buf_printf(b, "Date: %.3s, %02d %.3s %04d %02d:%02d:%02d GMT\r\n", days + 3 * t.tm_wday,
                      t.tm_mday, months + 3 * t.tm_mon, t.tm_year + 1900, t.tm_hour, t.tm_min,
                      t.tm_sec);
}

/* What would end the line, and with it begin a field or a body of somebody else's making, becomes a
 * blank. */
static int put_field(struct buf *b, const struct http_header *h)
{
    int ret = buf_printf(b, "%s: ", h->name);
    for (const char *c = h->value; ret == 0 && *c; c++)
        ret = buf_append(b, (unsigned char)*c < 0x20 || *c == 0x7f ? " " : c, 1);
    return ret < 0 ? ret : buf_append(b, "\r\n", 2);
}

static int put_fields(struct buf *b, const struct http_answer *a, size_t first, size_t end)
{
    int ret = 0;
    for (size_t i = first; ret == 0 && i < end; i++)
        ret = put_field(b, &a->header[i]);
    return ret;
}

/* Those of the answer whose place this one takes, and its own. */
static int put_lasting(struct buf *b, const struct http_answer *a, struct out_piece *piece)
{
    size_t start = b->len;
    int ret = 0;
    if (piece->message)
        ret = buf_append(b, piece->message->data + piece->lasting_at, piece->lasting_len);
    if (ret == 0)
        ret = put_fields(b, a, 0, a->lasting_count);
    piece->lasting_at = start;
    piece->lasting_len = b->len - start;
    return ret;
}

static int put_head(struct buf *b, const struct http_answer *a, struct out_piece *piece)
{
    int ret = buf_printf(b, "HTTP/1.1 %d %s\r\n", a->status, http_reason(a->status));
    if (ret == 0 && a->status >= 200 && !has_field(a, "Date"))
        ret = put_date(b);
    if (ret == 0 && a->content_type)
        ret = put_field(b, &(struct http_header){ "Content-Type", a->content_type });
    if (ret == 0)
        ret = put_lasting(b, a, piece);
    if (ret == 0)
        ret = put_fields(b, a, a->lasting_count, a->header_count);
    if (ret == 0 && a->status >= 200 && a->status != 204 && a->status != 304)
        ret = buf_printf(b, "Content-Length: %zu\r\n", a->content_type ? a->len : 0);
    if (ret == 0 && a->status >= 200)
        ret = buf_printf(b, "Connection: %s\r\n", piece->ends ? "close" : "keep-alive");
    return ret < 0 ? ret : buf_append(b, "\r\n", 2);
}

struct out_message *answer_render(const struct http_answer *a, struct out_piece *piece)
{
    bool has_body = a->content_type && a->status >= 200 && a->status != 204 && a->status != 304;
    size_t body = has_body && !piece->has_no_body ? a->len : 0;
    struct out_message *m = NULL;
    struct buf head;
    buf_init(&head, ANSWER_HEAD_MAX);
    if (put_head(&head, a, piece) == 0)
        m = out_message_create(head.len + body);
    if (m) {
        memcpy(m->data, head.data, head.len);
        if (body > 0)
            memcpy(m->data + head.len, a->body, body);
    }
    buf_finish(&head);
    return m;
}
