/* Requests that are refused before they are whole: what came of the head tells who asks, and how the answer must be so that
 * a page can read it. */
#include <string.h>

#include "base/alloc.h"
#include "net/server_internal.h"

void late_read(struct conn *c, const char *data, size_t len)
{
    if (len > SERVER_HEAD_MAX)
        len = SERVER_HEAD_MAX;
    while (len > 0 && data[len - 1] != '\n')
        len--;
    if (len == 0)
        return;
    char *head = xcalloc(1, len + 3);
    memcpy(head, data, len);
    memcpy(head + len, "\r\n", 2);
    c->exchange = xcalloc(1, sizeof(*c->exchange));
    c->exchange->conn = c;
    (void)!server_request_parse(&c->exchange->request, head, len + 2, 0);
    free(head);
}

void late_begin(struct conn *c, const char *data, const struct server_refusal *why)
{
    buf_init(&c->late, SERVER_HEAD_MAX);
    (void)!buf_printf(&c->late, "%.*s / HTTP/1.1\r\n", (int)strcspn(data, " "), data);
    c->late_why = why;
    c->late_skipped = c->head_seen = 0;
    c->late_has_line = false;
}

static void refuse(struct conn *c)
{
    late_read(c, c->late.data, c->late.len);
    buf_finish(&c->late);
    c->late.max = 0;
    conn_refuse(c, c->late_why);
}

/* false: its end is not there. */
static bool skip_line(struct conn *c, const char *data, size_t len, size_t *used)
{
    const char *end = memchr(data + *used, '\n', len - *used);
    size_t n = end ? (size_t)(end + 1 - (data + *used)) : len - *used;
    c->late_skipped += n;
    *used += n;
    return end != NULL;
}

/* true: they are there, as far as there is room. */
static bool take_fields(struct conn *c, const char *data, size_t len)
{
    size_t room = c->late.max - c->late.len, head_len = 0;
    size_t n = len < room ? len : room;
    (void)!buf_append(&c->late, data, n);
    const struct server_refusal *no =
        server_head_find(c->late.data, c->late.len, &c->head_seen, &head_len);
    return no || head_len > 0 || n < len;
}

bool late_take(struct conn *c, const char *data, size_t len, size_t *used)
{
    if (!c->late_has_line)
        c->late_has_line = skip_line(c, data, len, used);
    bool is_over = c->late_has_line ? take_fields(c, data + *used, len - *used)
                                    : c->late_skipped >= SERVER_LINE_MAX;
    *used = len;
    if (is_over)
        refuse(c);
    return is_over;
}
