/* How yt-dlp's updates stand, as findings. */
#pragma once

#include "cli/finding.h"
#include "config/config.h"

/* Reads what the last look at the channel left. */
void extractor_check(struct findings *f, const struct config *c, const char *state_dir);
