#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/systemd.h"
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

/* "DEVICE:INODE" of a pipe or socket to the journal. */
static bool goes_to_journal(int fd)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat st;
    return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 && fstat(fd, &st) == 0 &&
           st.st_dev == device && st.st_ino == inode;
}

struct log log_open(const char *module)
{
    struct log log = { .module = module, .level = LOG_INFO };
    const char *text = getenv("DJAMMS_LOG");
    if (text)
        (void)log_level_parse(text, &log.level);
    if (goes_to_journal(STDERR_FILENO))
        systemd_function(&log.journal, "sd_journal_sendv");
    return log;
}

struct log log_child(const struct log *parent, const char *module)
{
    return (struct log){ .module = module,
                         .level = parent ? parent->level : LOG_INFO,
                         .journal = parent ? parent->journal : NULL };
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

static bool write_journal(const struct log *log, enum log_level level, const char *text)
{
    static const char *const priorities[] = { "PRIORITY=3", "PRIORITY=4", "PRIORITY=6",
                                              "PRIORITY=7", "PRIORITY=7" };
    if (!log->journal)
        return false;
    char module[64] = "DJAMMS_MODULE=", message[2048] = "MESSAGE=";
    size_t m = strlen(module), n = strlen(message);
    m += escape(module + m, sizeof(module) - m, log->module);
    n += escape(message + n, sizeof(message) - n, text);
    const struct iovec fields[] = { { message, n },
                                    { (void *)priorities[level], strlen(priorities[level]) },
                                    { module, m } };
    return log->journal(fields, ARRAY_LEN(fields)) == 0;
}

static void write_stderr(const struct log *log, enum log_level level, const char *text)
{
    char line[2048];
    /* The levels somebody must act on are named. */
    snprintf(line, sizeof(line), "%s%s%.40s: ", level <= LOG_WARNING ? level_names[level] : "",
             level <= LOG_WARNING ? ": " : "", log->module);
    size_t n = strlen(line);
    n += escape(line + n, sizeof(line) - n - 1, text);
    line[n++] = '\n';
    ssize_t ignored = write(STDERR_FILENO, line, n);
    (void)ignored;
}

void log_write(const struct log *log, enum log_level level, const char *fmt, ...)
{
    if (!log || level > log->level)
        return;
    int saved_errno = errno;
    char text[1024] = "";
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (!write_journal(log, level, text))
        write_stderr(log, level, text);
    errno = saved_errno;
}
