/* Which of a display's modes is used. Pure. */
#pragma once

#include <stdbool.h>

struct kms_mode {
    int width, height;
    int refresh_mhz; /* pictures a second, of interlaced ones half pictures */
    bool is_interlaced;
    bool is_preferred; /* the display says so */
};

/* What is wanted; all zero: automatic. */
struct kms_wish {
    int width, height;
    int refresh_mhz; /* 0: as near 60 Hz as there is */
};

/* Index of the best of `count` modes (> 0); never an interlaced one where there is another.
 * Automatic: the preferred one; but 4K costs more than it shows, so of displays that prefer more than
 * 2560x1600 it is 1920x1080 at 60 Hz, or the largest below.
 * -1: the display does not have the size wanted. */
int kms_mode_choose(const struct kms_mode *modes, int count, const struct kms_wish *wish);
