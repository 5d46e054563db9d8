/* What djamms-fetch says of itself, as findings: which yt-dlp there is, and whether YouTube can work with it. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cli/finding.h"
#include "wire/message.h"

/* `hello` is the answer to the request of that name, or the error in its place; NULL: there was none. `today_ms`: since 1970. */
void fetch_check(struct findings *f, const struct message *hello, bool is_youtube_on,
                 int64_t today_ms);
