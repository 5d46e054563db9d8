#include "source/profile.h"

#include <string.h>

#include "base/compiler.h"

static const struct profile profiles[] = {
    [BOARD_OTHER] = { "desktop", 1080, 60 },
    [BOARD_PI3] = { "pi3", 720, 30 },
    [BOARD_PI4] = { "pi4", 1080, 30 },
    [BOARD_PI5] = { "pi5", 1080, 60 },
};

const struct profile *profile_of_board(enum board_kind board)
{
    return &profiles[board];
}

const struct profile *profile_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(profiles); i++)
        if (strcmp(profiles[i].name, name) == 0)
            return &profiles[i];
    return profile_of_board(board_kind_here());
}

bool profile_fits(const struct profile *p, int height)
{
    return height <= p->height;
}
