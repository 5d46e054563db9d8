#include "base/board_kind.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/file.h"

#define COMPATIBLE_MAX 1024

static const struct {
    const char *chip;
    enum board_kind board;
} chips[] = {
    { "brcm,bcm2837", BOARD_PI3 },
    { "brcm,bcm2711", BOARD_PI4 },
    { "brcm,bcm2712", BOARD_PI5 },
};

enum board_kind board_kind_of(const char *compatible, size_t len)
{
    for (size_t at = 0; at < len; at += strnlen(compatible + at, len - at) + 1)
        for (size_t i = 0; i < ARRAY_LEN(chips); i++) {
            size_t size = strlen(chips[i].chip);
            bool is_whole = strnlen(compatible + at, len - at) == size;
            if (is_whole && memcmp(compatible + at, chips[i].chip, size) == 0)
                return chips[i].board;
        }
    return BOARD_OTHER;
}

enum board_kind board_kind_here(void)
{
    char *text;
    size_t len;
    if (file_read(BOARD_FILE, COMPATIBLE_MAX, &text, &len) < 0)
        return BOARD_OTHER;
    enum board_kind b = board_kind_of(text, len);
    free(text);
    return b;
}

const char *board_kind_name(enum board_kind b)
{
    static const char *const names[] = {
        [BOARD_OTHER] = "other", [BOARD_PI3] = "pi3", [BOARD_PI4] = "pi4", [BOARD_PI5] = "pi5"
    };
    return names[b];
}
