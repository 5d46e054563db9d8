/* What keys and pad buttons mean: one table each. Pure; any thread. */
#pragma once

#include <stdbool.h>

#include "shm/control.h"

/* `key` is an SDL_Keycode, `mods` an SDL_Keymod. Fills action and value; the caller knows the time.
 * false: the key means nothing, or it repeats and must not. Keys with Ctrl, Alt or a GUI key held belong
 * to the window manager and mean nothing. */
bool input_from_key(int32_t key, uint16_t mods, bool is_repeat, struct input_event *out);
/* `button` is an SDL_GameControllerButton. */
bool input_from_button(uint8_t button, struct input_event *out);
