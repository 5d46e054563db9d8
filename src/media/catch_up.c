#include "media/catch_up.h"

#include "base/compiler.h"

/* A picture is seen some 150 ms after its packet was decoded: threads and reordering hold some back. */
#define THIN_NS MS(100)
#define JUMP_NS MS(250)
#define LEAP_NS MS(750)

enum catch_up catch_up_next(enum catch_up was, int64_t behind_ns, bool sound_moves)
{
    if (!sound_moves)
        return CATCH_UP_NONE;
    if (behind_ns > LEAP_NS)
        return CATCH_UP_LEAP;
    if (behind_ns > JUMP_NS)
        return CATCH_UP_JUMP;
    /* Until it is ahead again; else it would go to and fro. */
    return behind_ns > THIN_NS || (was != CATCH_UP_NONE && behind_ns > 0) ? CATCH_UP_THIN
                                                                          : CATCH_UP_NONE;
}
