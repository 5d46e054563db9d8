#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <SDL.h>

#include "base/compiler.h"
#include "output/input.h"

static const struct {
    const char *name;
    SDL_Keycode key;
    uint16_t mods;
    bool is_repeat;
    enum input_action action; /* INPUT_NONE: the key means nothing */
    int32_t value;
} keys[] = {
    { "space pauses", SDLK_SPACE, 0, false, INPUT_PAUSE_TOGGLE, 0 },
    { "a held space pauses once", SDLK_SPACE, 0, true, INPUT_NONE, 0 },
    { "n skips", SDLK_n, 0, false, INPUT_SKIP, 0 },
    { "s skips", SDLK_s, 0, false, INPUT_SKIP, 0 },
    { "right skips", SDLK_RIGHT, 0, false, INPUT_SKIP, 0 },
    { "a held right skips once", SDLK_RIGHT, 0, true, INPUT_NONE, 0 },
    { "right with shift seeks", SDLK_RIGHT, KMOD_LSHIFT, false, INPUT_SEEK_STEP, 10 },
    { "left restarts", SDLK_LEFT, 0, false, INPUT_RESTART, 0 },
    { "left with shift seeks back", SDLK_LEFT, KMOD_RSHIFT, false, INPUT_SEEK_STEP, -10 },
    { "full stop seeks", SDLK_PERIOD, 0, false, INPUT_SEEK_STEP, 10 },
    { "comma seeks back", SDLK_COMMA, 0, false, INPUT_SEEK_STEP, -10 },
    { "up is louder", SDLK_UP, 0, false, INPUT_VOLUME_STEP, 5 },
    { "a held up is louder again", SDLK_UP, 0, true, INPUT_VOLUME_STEP, 5 },
    { "down is softer", SDLK_DOWN, 0, true, INPUT_VOLUME_STEP, -5 },
    { "m mutes", SDLK_m, 0, false, INPUT_MUTE_TOGGLE, 0 },
    { "q quits", SDLK_q, 0, false, INPUT_QUIT, 0 },
    { "escape quits", SDLK_ESCAPE, 0, false, INPUT_QUIT, 0 },
    { "the media key pauses", SDLK_AUDIOPLAY, 0, false, INPUT_PAUSE_TOGGLE, 0 },
    { "caps and num lock do not matter", SDLK_n, KMOD_CAPS | KMOD_NUM, false, INPUT_SKIP, 0 },
    { "ctrl-q is not ours", SDLK_q, KMOD_LCTRL, false, INPUT_NONE, 0 },
    { "alt-left is not ours", SDLK_LEFT, KMOD_LALT, false, INPUT_NONE, 0 },
    { "page down means nothing", SDLK_PAGEDOWN, 0, false, INPUT_NONE, 0 },
    { "page up means nothing", SDLK_PAGEUP, 0, false, INPUT_NONE, 0 },
    { "shift-q means nothing", SDLK_q, KMOD_LSHIFT, false, INPUT_NONE, 0 },
    { "an unknown key means nothing", SDLK_UNKNOWN, 0, false, INPUT_NONE, 0 },
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
    { SDL_CONTROLLER_BUTTON_DPAD_UP, INPUT_VOLUME_STEP, 5 },
    { SDL_CONTROLLER_BUTTON_DPAD_DOWN, INPUT_VOLUME_STEP, -5 },
    { SDL_CONTROLLER_BUTTON_DPAD_RIGHT, INPUT_SEEK_STEP, 10 },
    { SDL_CONTROLLER_BUTTON_DPAD_LEFT, INPUT_SEEK_STEP, -10 },
    { SDL_CONTROLLER_BUTTON_GUIDE, INPUT_NONE, 0 },
    { SDL_CONTROLLER_BUTTON_LEFTSTICK, INPUT_NONE, 0 },
};

static void keys_mean_what_the_help_says(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        struct input_event e = { 0 };
        bool has = input_from_key(keys[i].key, keys[i].mods, keys[i].is_repeat, &e);
        if (has != (keys[i].action != INPUT_NONE) ||
            (has && (e.action != keys[i].action || e.value != keys[i].value)))
            fail_msg("%s: %d, action %u, value %d", keys[i].name, has, e.action, e.value);
    }
}

static void buttons_mean_what_the_help_says(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(buttons); i++) {
        struct input_event e = { 0 };
        bool has = input_from_button((uint8_t)buttons[i].button, &e);
        if (has != (buttons[i].action != INPUT_NONE) ||
            (has && (e.action != buttons[i].action || e.value != buttons[i].value)))
            fail_msg("button %d: %d, action %u, value %d", buttons[i].button, has, e.action,
                     e.value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_mean_what_the_help_says),
        cmocka_unit_test(buttons_mean_what_the_help_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
