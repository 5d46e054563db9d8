/* Which decoder makes the pictures of a stream: the board's, where it has one and needs it, else FFmpeg's own. Pure. */
#pragma once

#include <libavcodec/avcodec.h>
#include <stdbool.h>

#include "base/board_kind.h"
#include "media/hardware_nodes.h"
#include "shm/control.h"

struct decoder_wish {
    const AVCodecParameters *stream;
    enum board_kind board;
    struct hardware_nodes nodes;
    uint32_t refused; /* set of enum deck_hardware that is not to be used */
};

struct decoder_choice {
    enum deck_hardware hardware; /* DECK_SOFTWARE: the fields below do not matter */
    const char *name;            /* of FFmpeg's decoder */
    bool is_request; /* it leaves pictures in the device's memory, from where they are fetched */
};

/* What the board's hardware is for such a stream, whether or not its device is there: DECK_SOFTWARE: none, and no
 * device need be asked. */
enum deck_hardware decoder_hardware(enum board_kind board, const AVCodecParameters *stream);
struct decoder_choice decoder_choose(const struct decoder_wish *w);
