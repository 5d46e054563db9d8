/* Log lines on stderr, one object per module.
 *
 * error: this venue is broken now. warning: it is degraded. info: what staff would tell support.
 * debug: per track. trace: per frame, never on in the field.
 * A line is written with one write(2), so lines of several processes do not mix. Control characters
 * and bytes that are no UTF-8 (a file name may hold any byte) are printed as \xNN. A text is cut at 1023
 * bytes. errno is left as it was.
 *
 * Where stderr goes to the journal of systemd, a line goes there as fields instead: MESSAGE, PRIORITY, and DJAMMS_MODULE,
 * which is then not in front of the text. */
#pragma once

#include <stdbool.h>
#include <sys/uio.h>

#include "base/compiler.h"

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG, LOG_TRACE };

/* As sd_journal_sendv(3). */
typedef int log_journal(const struct iovec *fields, int count);

struct log {
    const char *module;   /* printed before the text */
    enum log_level level; /* lines above it are dropped */
    log_journal *journal; /* NULL: lines go to stderr */
};

/* The log of a program: `module`, level from $DJAMMS_LOG (error..trace), else info; to the journal if $JOURNAL_STREAM says
 * that stderr goes there. */
struct log log_open(const char *module);
/* Same level and way, another module name. */
struct log log_child(const struct log *parent, const char *module);
bool log_level_parse(const char *text, enum log_level *out);

/* Thread-safety: any thread. `log` may be NULL: nothing is printed. */
void log_write(const struct log *log, enum log_level level, const char *fmt, ...) PRINTF_LIKE(3, 4);

#define log_err(log, ...)   log_write((log), LOG_ERROR, __VA_ARGS__)
#define log_warn(log, ...)  log_write((log), LOG_WARNING, __VA_ARGS__)
#define log_info(log, ...)  log_write((log), LOG_INFO, __VA_ARGS__)
#define log_debug(log, ...) log_write((log), LOG_DEBUG, __VA_ARGS__)
#define log_trace(log, ...) log_write((log), LOG_TRACE, __VA_ARGS__)
