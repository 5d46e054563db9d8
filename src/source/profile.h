/* What a board plays with ease: the limits of the setting fetch.profile, those of djamms-fetch. Constant data. */
#pragma once

#include <stdbool.h>

#include "base/board_kind.h"

struct profile {
    const char *name; /* pi3, pi4, pi5, desktop */
    int height;       /* lines of a picture at most */
    int fps;
};

/* Desktop: of any other board. Pure. */
const struct profile *profile_of_board(enum board_kind board);
/* By its name; "auto", and what is none: of this machine. Reads a small file of the kernel's. Never NULL. */
const struct profile *profile_find(const char *name);
/* Whether a picture of so many lines (0: not known) is within its limits. */
bool profile_fits(const struct profile *p, int height);
