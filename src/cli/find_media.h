/* The media that words of the command line name. Blocks on disk. */
#pragma once

#include <stdbool.h>

#include "cli/media_check.h"
#include "cli/progress.h"
#include "cli/walk.h"

struct cli;

/* Adds what `word` names: a file, or the media below a folder. false: nothing was added, `why` says why. */
bool find_media(struct walk *w, const char *word, char why[MEDIA_WHY_MAX]);
/* From here on `w` shows on `p` how far it is. */
void find_media_show(struct walk *w, struct progress *p);
/* Prints a sentence for what the search left out. false: something was. */
bool find_media_report(struct cli *cli, const struct walk *w);
