/* What became of a run of `play`: read from the queue the player left on disk. */
#pragma once

#include <stddef.h>

struct cli;

/* Prints a sentence for each entry that could not be played. Returns how many; 0 when nothing was left. */
size_t outcome_report(struct cli *cli, const char *state_dir);
