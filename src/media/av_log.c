#include "media/av_log.h"

#include <libavutil/log.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* av_log's callback gets no argument of ours, so its log is the one thing kept at file scope; written
 * once, before there are threads. */
static struct log libav_log;

static void on_line(void *context, int level, const char *fmt, va_list ap)
{
    if (level > av_log_get_level())
        return;
    char text[512];
    int prefix = 1;
    av_log_format_line2(context, level, fmt, ap, text, sizeof(text), &prefix);
    text[strcspn(text, "\n")] = '\0';
    if (text[0])
        log_debug(&libav_log, "%s", text);
}

void av_log_route(const struct log *log)
{
    libav_log = log_child(log, "libav");
    av_log_set_level(log->level >= LOG_TRACE   ? AV_LOG_VERBOSE
                     : log->level >= LOG_DEBUG ? AV_LOG_WARNING
                                               : AV_LOG_QUIET);
    av_log_set_callback(on_line);
}
