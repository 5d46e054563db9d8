#include "cli/progress.h"

#include <stdarg.h>
#include <unistd.h>

#include "base/now.h"

#define FIRST_NS    MS(300) /* short work shows nothing */
#define TERMINAL_NS MS(100)
#define PLAIN_NS    SECONDS(2)

void progress_init(struct progress *p, FILE *out)
{
    int fd = fileno(out);
    bool is_terminal = fd >= 0 && isatty(fd);
    int64_t first_ns = is_terminal ? FIRST_NS : PLAIN_NS;
    *p = (struct progress){ .out = out,
                            .is_terminal = is_terminal,
                            .next_ns = now_mono_ns() + first_ns };
}

void progress_show(struct progress *p, const char *fmt, ...)
{
    int64_t now_ns = now_mono_ns();
    if (now_ns < p->next_ns)
        return;
    p->next_ns = now_ns + (p->is_terminal ? TERMINAL_NS : PLAIN_NS);
    progress_clear(p);
    va_list ap;
    va_start(ap, fmt);
    vfprintf(p->out, fmt, ap);
    va_end(ap);
    if (!p->is_terminal)
        fputc('\n', p->out);
    fflush(p->out);
    p->is_shown = p->is_terminal;
}

void progress_clear(struct progress *p)
{
    if (p->is_shown)
        fputs("\r\x1b[K", p->out);
    p->is_shown = false;
}
