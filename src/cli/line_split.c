#include "cli/line_split.h"

#include <string.h>

void line_split_init(struct line_split *l, line_fn *fn, void *ctx)
{
    l->fn = fn;
    l->ctx = ctx;
    l->len = 0;
}

static void give(struct line_split *l)
{
    l->part[l->len] = '\0';
    l->len = 0;
    l->fn(l->ctx, l->part);
}

void line_split_feed(struct line_split *l, const char *data, size_t len)
{
    while (len) {
        const char *end = memchr(data, '\n', len);
        size_t take = end ? (size_t)(end - data) : len;
        size_t room = sizeof(l->part) - 1 - l->len;
        size_t now = take < room ? take : room;
        memcpy(l->part + l->len, data, now);
        l->len += now;
        data += now;
        len -= now;
        if (now < take) {
            give(l); /* too long: what there is */
        } else if (end) {
            give(l);
            data++;
            len--;
        }
    }
}

void line_split_end(struct line_split *l)
{
    if (l->len)
        give(l);
}
