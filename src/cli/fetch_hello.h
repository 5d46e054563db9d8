/* djamms-fetch, as the settings have it. */
#pragma once

#include "base/compiler.h"
#include "config/config.h"
#include "wire/message.h"

/* Its command line, NULL at the end; freed by fetch_command_free(). `yt_dlp` is the module it shall use; NULL: what the
 * player's would use. */
char **fetch_words(const struct config *c, const char *state_dir, const char *yt_dlp);
/* What it says of itself. 0: *hello is the caller's, NULL when it said nothing; -errno: it did not run. The caller frees
 * *program, its path, in any case. */
WARN_UNUSED int fetch_hello(const struct config *c, const char *state_dir, char **program,
                            struct message **hello);
