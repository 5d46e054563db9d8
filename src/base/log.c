#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

static const char *const level_names[] = { "error", "warning", "info", "debug", "trace" };

bool log_level_parse(const char *text, enum log_level *out)
{
    for (size_t i = 0; i < ARRAY_LEN(level_names); i++) {
        if (strcmp(text, level_names[i]) == 0) {
            *out = (enum log_level)i;
            return true;
        }
    }
    return false;
}

struct log log_open(const char *module)
{
    struct log log = { .module = module, .level = LOG_INFO };
    const char *text = getenv("DJAMMS_LOG");
    if (text)
        (void)log_level_parse(text, &log.level);
    return log;
}

struct log log_child(const struct log *parent, const char *module)
{
    return (struct log){ .module = module, .level = parent ? parent->level : LOG_INFO };
}

/* Copies text with what is not printable as \xNN: control characters (terminals obey those of U+0080 to
 * U+009F too) and bytes that are no UTF-8. Returns the length written (always < size). */
static size_t escape(char *out, size_t size, const char *text)
{
    size_t n = 0, len = strlen(text);
    for (size_t i = 0, used; i < len; i += used) {
        uint32_t code = utf8_decode(text + i, len - i, &used);
        bool is_broken = code == UNICODE_REPLACEMENT && used == 1;
        bool is_control = code < 0x20 || (code >= 0x7f && code < 0xa0);
        if (n + 4 * used >= size)
            break;
        if (!is_broken && !is_control) {
            memcpy(out + n, text + i, used);
            n += used;
            continue;
        }
        for (size_t k = 0; k < used; k++)
            n += (size_t)sprintf(out + n, "\\x%02x", (unsigned char)text[i + k]);
    }
    out[n] = '\0';
    return n;
}

void log_write(const struct log *log, enum log_level level, const char *fmt, ...)
{
    if (!log || level > log->level)
        return;
    int saved_errno = errno;
    char text[1024] = "", line[2048];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    /* The levels somebody must act on are named. */
    snprintf(line, sizeof(line), "%s%s%.40s: ", level <= LOG_WARNING ? level_names[level] : "",
             level <= LOG_WARNING ? ": " : "", log->module);
    size_t n = strlen(line);
    n += escape(line + n, sizeof(line) - n - 1, text);
    line[n++] = '\n';
    ssize_t ignored = write(STDERR_FILENO, line, n);
    (void)ignored;
    errno = saved_errno;
}
