/* Which board this is, by what its device tree says of the chip: models that share one share what they can do. */
#pragma once

#include <stddef.h>

enum board_kind {
    BOARD_OTHER, /* a PC, or a board that nothing special is known of */
    BOARD_PI3,   /* also Zero 2 W and Compute Module 3 */
    BOARD_PI4,   /* also 400 and Compute Module 4 */
    BOARD_PI5,   /* also 500 and Compute Module 5 */
};

#define BOARD_FILE "/sys/firmware/devicetree/base/compatible"

/* What the file BOARD_FILE says: names with a NUL behind each. Pure. */
enum board_kind board_kind_of(const char *compatible, size_t len);
/* This machine's. Reads a small file of the kernel's. */
enum board_kind board_kind_here(void);
const char *board_kind_name(enum board_kind b); /* "pi3", "pi4", "pi5", "other" */
