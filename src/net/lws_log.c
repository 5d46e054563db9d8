#include "net/lws_log.h"

#include <string.h>

#include <libwebsockets.h>

#include "base/log.h"

static void on_line(int level, const char *line)
{
    struct log log = log_open("websockets");
    log_debug(&log, "%.*s", (int)strcspn(line, "\n"), line);
}

void lws_log_setup(void)
{
    lws_set_log_level(LLL_ERR | LLL_WARN, on_line);
}
