/* The game controllers plugged in now. SDL would poll them a thousand times a second while it waits; we
 * read them ourselves, less often. Thread-safety: SDL's main thread. */
#pragma once

#include <SDL.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"

#define INPUT_PADS_MAX 8

struct input_pads {
    bool is_open;
    int count;
    SDL_GameController *pad[INPUT_PADS_MAX];
    int64_t next_ns; /* CLOCK_MONOTONIC time of the next input_pads_update() */
};

/* Starts SDL's controller subsystem: takes some milliseconds, so not before the first picture. */
void input_pads_open(struct input_pads *p, const struct log *log);
void input_pads_close(struct input_pads *p);
/* Reads the pads when it is time to; what they did is in SDL's event queue afterwards. */
void input_pads_update(struct input_pads *p, int64_t now_ns);
/* Opens a pad that was plugged in, closes one that was pulled out. */
void input_pads_handle(struct input_pads *p, const SDL_Event *e, const struct log *log);
