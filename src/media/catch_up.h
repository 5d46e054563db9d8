/* Which pictures a load gives up when it decodes more slowly than its sound plays. Pure.
 *
 * Pictures nobody builds on go first. When that is not enough, decoding goes on from the newest key frame
 * whose time has come; what lies before would be seen late. Only when there is none for so long that nothing
 * that is seen has to do with what is heard, the picture stands until the next key frame. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum catch_up {
    CATCH_UP_NONE, /* every picture is decoded */
    CATCH_UP_THIN, /* all but those that no other is built on */
    CATCH_UP_JUMP, /* likewise, and on from the newest key frame that is due, if there is one */
    CATCH_UP_LEAP, /* nothing before the next key frame, due or not */
};

/* `was`: the last answer. `behind_ns`: from the picture decoded last to what is heard; < 0: it is ahead. While
 * the sound does not move there is all the time in the world. */
enum catch_up catch_up_next(enum catch_up was, int64_t behind_ns, bool sound_moves);
