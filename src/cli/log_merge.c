#include "cli/log_merge.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/line_split.h"

/* A pipe that polls writable takes PIPE_BUF bytes at once: a line is never longer. */
#define LINE_MAX_BYTES 4096

void log_merge_init(struct log_merge *m, int fd, bool has_colour, int name_columns)
{
    *m = (struct log_merge){ .fd = fd, .has_colour = has_colour, .name_columns = name_columns };
}

static bool write_line(struct log_merge *m, const char *line, size_t len)
{
    struct pollfd p = { .fd = m->fd, .events = POLLOUT };
    if (poll(&p, 1, 0) != 1 || !(p.revents & POLLOUT))
        return false;
    ssize_t n = write(m->fd, line, len);
    return n == (ssize_t)len;
}

static size_t format(const struct log_merge *m, char *line, size_t size, unsigned index,
                     const char *name, const char *text)
{
    static const char *const colours[] = { "36", "35", "33", "34", "32" };
    char clean[LINE_SPLIT_MAX + LINE_SPLIT_MAX / 2];
    text_clean(clean, sizeof(clean), text);
    int n;
    if (m->has_colour)
        n = snprintf(line, size, "\x1b[%sm%-*s\x1b[0m | %s\n",
                     colours[index % (sizeof(colours) / sizeof(colours[0]))], m->name_columns, name,
                     clean);
    else
        n = snprintf(line, size, "%-*s | %s\n", m->name_columns, name, clean);
    return (size_t)n < size ? (size_t)n : size - 1;
}

static void write_text(struct log_merge *m, unsigned index, const char *name, const char *text)
{
    char line[LINE_MAX_BYTES];
    if (m->lost) {
        char lost[64];
        snprintf(lost, sizeof(lost), "%u lines were lost here", m->lost);
        size_t len = format(m, line, sizeof(line), 0, "djamms", lost);
        if (!write_line(m, line, len)) {
            m->lost++;
            return;
        }
        m->lost = 0;
    }
    size_t len = format(m, line, sizeof(line), index, name, text);
    if (!write_line(m, line, len))
        m->lost++;
}

void log_merge_line(struct log_merge *m, unsigned index, const char *name, const char *text)
{
    if (m->below)
        status_line_hide(m->below);
    write_text(m, index, name, text);
    if (m->below)
        status_line_show(m->below);
}
