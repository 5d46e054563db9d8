/* One update of yt-dlp over its channel: look, get, check, try, switch. Whatever goes wrong, and whenever it is killed,
 * the version that was in use stays so. */
#pragma once

#include <stdbool.h>

#include "base/compiler.h"
#include "config/config.h"
#include "wire/message.h"

struct extractor_update {
    const struct config *config;
    const char *state_dir;
    bool again; /* also a version that was refused before */
};

/* {"ok", "result", "version", "text", "at_ms"}: `result` is updated, newest, off, busy, unreachable, bad-offer,
 * bad-signature, refused-before, bad-file, refused, untried or failed; `text` a sentence or two; `ok` is true of the first
 * two. The caller owns it; it is also kept as the last look. Blocks for minutes; runs behind all other programs. */
struct message *extractor_update(const struct extractor_update *u);
/* What was kept; NULL: there was none. The caller owns it. */
struct message *extractor_last_look(const char *dir);
