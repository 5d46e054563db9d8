#include "output/input.h"

#include <SDL.h>

#define VOLUME_STEP 5
#define SEEK_STEP_S 10

struct key_action {
    SDL_Keycode key;
    bool has_shift;
    bool can_repeat;
    enum input_action action;
    int32_t value;
};

static const struct key_action keys[] = {
    { SDLK_SPACE, .action = INPUT_PAUSE_TOGGLE },
    { SDLK_n, .action = INPUT_SKIP },
    { SDLK_s, .action = INPUT_SKIP },
    { SDLK_RIGHT, .action = INPUT_SKIP },
    { SDLK_LEFT, .action = INPUT_RESTART },
    { SDLK_RIGHT, .has_shift = true, .action = INPUT_SEEK_STEP, .value = SEEK_STEP_S },
    { SDLK_LEFT, .has_shift = true, .action = INPUT_SEEK_STEP, .value = -SEEK_STEP_S },
    { SDLK_PERIOD, .action = INPUT_SEEK_STEP, .value = SEEK_STEP_S },
    { SDLK_COMMA, .action = INPUT_SEEK_STEP, .value = -SEEK_STEP_S },
    { SDLK_UP, .can_repeat = true, .action = INPUT_VOLUME_STEP, .value = VOLUME_STEP },
    { SDLK_DOWN, .can_repeat = true, .action = INPUT_VOLUME_STEP, .value = -VOLUME_STEP },
    { SDLK_m, .action = INPUT_MUTE_TOGGLE },
    { SDLK_q, .action = INPUT_QUIT },
    { SDLK_ESCAPE, .action = INPUT_QUIT },
    /* media keys of keyboards and remotes */
    { SDLK_AUDIOPLAY, .action = INPUT_PAUSE_TOGGLE },
    { SDLK_AUDIONEXT, .action = INPUT_SKIP },
    { SDLK_AUDIOPREV, .action = INPUT_RESTART },
    { SDLK_AUDIOMUTE, .action = INPUT_MUTE_TOGGLE },
    { SDLK_VOLUMEUP, .can_repeat = true, .action = INPUT_VOLUME_STEP, .value = VOLUME_STEP },
    { SDLK_VOLUMEDOWN, .can_repeat = true, .action = INPUT_VOLUME_STEP, .value = -VOLUME_STEP },
};

static const struct {
    SDL_GameControllerButton button;
    enum input_action action;
    int32_t value;
} buttons[] = {
    { SDL_CONTROLLER_BUTTON_START, INPUT_PAUSE_TOGGLE, 0 },
    { SDL_CONTROLLER_BUTTON_A, INPUT_SKIP, 0 },
    { SDL_CONTROLLER_BUTTON_RIGHTSHOULDER, INPUT_SKIP, 0 },
    { SDL_CONTROLLER_BUTTON_LEFTSHOULDER, INPUT_RESTART, 0 },
    { SDL_CONTROLLER_BUTTON_Y, INPUT_MUTE_TOGGLE, 0 },
    { SDL_CONTROLLER_BUTTON_DPAD_UP, INPUT_VOLUME_STEP, VOLUME_STEP },
    { SDL_CONTROLLER_BUTTON_DPAD_DOWN, INPUT_VOLUME_STEP, -VOLUME_STEP },
    { SDL_CONTROLLER_BUTTON_DPAD_RIGHT, INPUT_SEEK_STEP, SEEK_STEP_S },
    { SDL_CONTROLLER_BUTTON_DPAD_LEFT, INPUT_SEEK_STEP, -SEEK_STEP_S },
};

bool input_from_key(int32_t key, uint16_t mods, bool is_repeat, struct input_event *out)
{
    if (mods & (KMOD_CTRL | KMOD_ALT | KMOD_GUI))
        return false;
    bool has_shift = mods & KMOD_SHIFT;
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        const struct key_action *k = &keys[i];
        if (k->key != key || k->has_shift != has_shift)
            continue;
        *out = (struct input_event){ .action = k->action, .value = k->value };
        return !is_repeat || k->can_repeat;
    }
    return false;
}

bool input_from_button(uint8_t button, struct input_event *out)
{
    for (size_t i = 0; i < ARRAY_LEN(buttons); i++) {
        if (buttons[i].button != button)
            continue;
        *out = (struct input_event){ .action = buttons[i].action, .value = buttons[i].value };
        return true;
    }
    return false;
}
