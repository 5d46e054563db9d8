#include "output/input_pads.h"

#include "base/compiler.h"

#define READ_NS   MS(8)    /* with pads: below what a person notices */
#define SEARCH_NS MS(1000) /* without: look for new ones */

void input_pads_open(struct input_pads *p, const struct log *log)
{
    SDL_SetHint(SDL_HINT_AUTO_UPDATE_JOYSTICKS, "0");
    SDL_SetHint(SDL_HINT_JOYSTICK_ALLOW_BACKGROUND_EVENTS, "1");
    SDL_SetHint(SDL_HINT_JOYSTICK_HIDAPI, "0"); /* the kernel has drivers; listing USB is slow */
    p->is_open = SDL_InitSubSystem(SDL_INIT_GAMECONTROLLER) == 0;
    if (!p->is_open)
        log_warn(log, "game controllers cannot be used: %s", SDL_GetError());
    p->next_ns = p->is_open ? 0 : INT64_MAX;
}

void input_pads_close(struct input_pads *p)
{
    for (int i = 0; i < p->count; i++)
        SDL_GameControllerClose(p->pad[i]);
    if (p->is_open)
        SDL_QuitSubSystem(SDL_INIT_GAMECONTROLLER);
    *p = (struct input_pads){ .next_ns = INT64_MAX };
}

void input_pads_update(struct input_pads *p, int64_t now_ns)
{
    if (!p->is_open || now_ns < p->next_ns)
        return;
    SDL_GameControllerUpdate();
    p->next_ns = now_ns + (p->count > 0 ? READ_NS : SEARCH_NS);
}

static void add_pad(struct input_pads *p, int device, const struct log *log)
{
    SDL_GameController *pad = p->count < INPUT_PADS_MAX ? SDL_GameControllerOpen(device) : NULL;
    if (!pad) {
        log_warn(log, "game controller %d is not used: %s", device,
                 p->count < INPUT_PADS_MAX ? SDL_GetError() : "too many");
        return;
    }
    for (int i = 0; i < p->count; i++) {
        if (p->pad[i] == pad) { /* known already: SDL counted another reference */
            SDL_GameControllerClose(pad);
            return;
        }
    }
    p->pad[p->count++] = pad;
    p->next_ns = 0;
    log_info(log, "game controller: %s", SDL_GameControllerName(pad));
}

static void remove_pad(struct input_pads *p, SDL_JoystickID id, const struct log *log)
{
    SDL_GameController *pad = SDL_GameControllerFromInstanceID(id);
    for (int i = 0; pad && i < p->count; i++) {
        if (p->pad[i] != pad)
            continue;
        log_info(log, "game controller gone: %s", SDL_GameControllerName(pad));
        SDL_GameControllerClose(pad);
        p->pad[i] = p->pad[--p->count];
        return;
    }
}

void input_pads_handle(struct input_pads *p, const SDL_Event *e, const struct log *log)
{
    if (e->type == SDL_CONTROLLERDEVICEADDED)
        add_pad(p, e->cdevice.which, log);
    else if (e->type == SDL_CONTROLLERDEVICEREMOVED)
        remove_pad(p, e->cdevice.which, log);
}
