/* What FFmpeg's libraries have to say, in our log. */
#pragma once

#include "base/log.h"

/* Routes av_log() to `log` (copied) at debug level; silences it when debug is not logged. Once, at the
 * start of the program, before any other thread. */
void av_log_route(const struct log *log);
