#include "cli/status_line.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/term.h"
#include "cli/track_line.h"

#define TITLE_MIN 8 /* columns */

void status_line_init(struct status_line *l, int fd)
{
    *l = (struct status_line){ .fd = fd };
}

static bool write_now(const struct status_line *l, const char *text)
{
    struct pollfd p = { .fd = l->fd, .events = POLLOUT };
    if (poll(&p, 1, 0) != 1 || !(p.revents & POLLOUT))
        return false;
    return write(l->fd, text, strlen(text)) == (ssize_t)strlen(text);
}

void status_line_hide(struct status_line *l)
{
    if (l->is_shown && write_now(l, "\r\x1b[K"))
        l->is_shown = false;
}

void status_line_show(struct status_line *l)
{
    if (*l->text && !l->is_shown)
        l->is_shown = write_now(l, l->text);
}

void status_line_set(struct status_line *l, const char *text)
{
    if (strcmp(l->text, text) == 0)
        return;
    snprintf(l->text, sizeof(l->text), "%s", text);
    status_line_hide(l);
    status_line_show(l);
}

const char *status_line_text(char *out, size_t size, const struct message *status, int columns)
{
    char title[TRACK_LINE_MAX], fitted[TRACK_LINE_MAX], tail[128], position[32], length[32];
    char line[STATUS_LINE_MAX];
    const struct message *now = message_object(status, "now");
    const char *state = message_str(status, "state", "?");
    size_t n = 0;
    if (now)
        n = (size_t)snprintf(
            tail, sizeof(tail), "  %s / %s",
            text_position(position, sizeof(position), message_f64(now, "position_s", 0)),
            text_duration(length, sizeof(length), message_f64(now, "duration_s", 0)));
    snprintf(tail + n, sizeof(tail) - n, "  volume %d%s", (int)message_i64(status, "volume", 0),
             message_bool(status, "is_muted", false) ? " (muted)" : "");
    int room = columns - text_columns(state) - 2 - text_columns(tail);
    text_fit(fitted, sizeof(fitted), now ? track_line(title, sizeof(title), now) : "nothing plays",
             room < TITLE_MIN ? TITLE_MIN : room);
    snprintf(line, sizeof(line), "%.40s  %s%s", state, fitted, tail);
    text_fit(out, size, line, columns);
    return out;
}
