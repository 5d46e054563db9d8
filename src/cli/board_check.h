/* Looks at the board's heat and power. */
#pragma once

#include "base/board.h"
#include "cli/finding.h"

void board_check(struct findings *f, const struct board *b);
