#include "output/video_driver.h"

#include <SDL_syswm.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DEFAULT_WIDTH  1280
#define DEFAULT_HEIGHT 720

static bool is_driver(const struct video *v, const char *sdl_driver)
{
    return strcmp(v->sdl_driver, sdl_driver) == 0;
}

/* Where a window that is not the fullscreen one of its display goes: side by side, row by row. */
static SDL_Rect place_in_grid(SDL_Rect bounds, int i, int w, int h)
{
    int columns = bounds.w / w > 0 ? bounds.w / w : 1;
    int rows = bounds.h / h > 0 ? bounds.h / h : 1;
    return (SDL_Rect){ bounds.x + i % columns * w, bounds.y + i / columns % rows * h, w, h };
}

/* Fullscreen, at birth or by settle():
 * kmsdrm: the windows of SDL before 2.30.7 all land on the first display when they are born fullscreen.
 *   They are born borderless at the display's bounds, put there once more before anything else, and made
 *   fullscreen when their renderer exists.
 * x11: a borderless window of the display's size covers it where there is no window manager; SDL would
 *   wait 100 ms for one. Where there is one, it is asked.
 * wayland: the display is chosen at birth. */
static uint32_t flags_of(const struct video *v, bool is_fullscreen)
{
    uint32_t flags = v->driver->window_flags;
    if (v->is_offscreen)
        return flags;
    if (!is_fullscreen)
        return flags | SDL_WINDOW_RESIZABLE;
    return flags | SDL_WINDOW_BORDERLESS |
           (is_driver(v, "kmsdrm") || is_driver(v, "x11") ? 0 : SDL_WINDOW_FULLSCREEN_DESKTOP);
}

static void settle(struct video_output *o)
{
    if (is_driver(o->video, "x11") && !x11_has_window_manager(o->window))
        return;
    if (SDL_SetWindowFullscreen(o->window, SDL_WINDOW_FULLSCREEN_DESKTOP) < 0)
        log_warn(o->video->log, "a window does not become fullscreen: %s", SDL_GetError());
}

/* SDL and the card list the same displays in the same order. */
static void describe_output(struct video_output *o, int index, int display, bool is_fullscreen)
{
    const struct video *v = o->video;
    SDL_DisplayMode mode = { 0 };
    if (is_driver(v, "kmsdrm") && SDL_GetNumVideoDisplays() == v->lit) {
        const struct kms_output *k = kms_card_output(v->card, display);
        memcpy(o->info.name, k->name, sizeof(o->info.name));
        o->info.refresh_mhz = k->refresh_mhz;
        o->info.has_vsync &= k->has_vblank;
        return;
    }
    snprintf(o->info.name, sizeof(o->info.name), "%s-%d", is_fullscreen ? "display" : "window",
             index + 1);
    if (!v->is_offscreen && SDL_GetCurrentDisplayMode(display, &mode) == 0)
        o->info.refresh_mhz = mode.refresh_rate * 1000;
}

static int open_output(struct video *v, int index)
{
    const struct video_params *p = &v->params;
    struct video_output *o = &v->output[index];
    int displays = SDL_GetNumVideoDisplays();
    int display = index < displays ? index : 0;
    bool is_fullscreen =
        !v->is_offscreen && index < displays && (p->fullscreen || is_driver(v, "kmsdrm"));
    SDL_Rect place;
    if (SDL_GetDisplayBounds(display, &place) < 0)
        return -EIO;
    SDL_Rect bounds = place;
    if (!is_fullscreen)
        place = place_in_grid(bounds, index < displays ? 0 : index,
                              p->width > 0 ? p->width : DEFAULT_WIDTH,
                              p->height > 0 ? p->height : DEFAULT_HEIGHT);
    *o = (struct video_output){ .video = v };
    o->window = SDL_CreateWindow(p->title ? p->title : "DJAMMS", place.x, place.y, place.w, place.h,
                                 flags_of(v, is_fullscreen));
    if (!o->window)
        return -EIO;
    if (is_fullscreen && is_driver(v, "kmsdrm"))
        SDL_SetWindowPosition(o->window, bounds.x, bounds.y);
    int ret = v->driver->open(o);
    if (ret < 0) {
        SDL_DestroyWindow(o->window);
        o->window = NULL;
        return ret;
    }
    if (is_fullscreen)
        settle(o);
    describe_output(o, index, display, is_fullscreen);
    v->driver->renew(o);
    return 0;
}

static void close_output(struct video_output *o)
{
    o->video->driver->close(o);
    SDL_DestroyWindow(o->window);
    o->window = NULL;
}

/* Two windows on one display of kmsdrm would fight for it: rather one picture that is right. */
static bool stands_on_its_display(const struct video_output *o, int index)
{
    return !is_driver(o->video, "kmsdrm") || SDL_GetWindowDisplayIndex(o->window) == index;
}

int windows_open(struct video *v)
{
    int displays = SDL_GetNumVideoDisplays();
    int wanted = v->params.outputs > 0 ? v->params.outputs : displays;
    if (is_driver(v, "kmsdrm") && wanted > displays) {
        log_warn(v->log, "%d outputs wanted, %d displays connected: using those", wanted, displays);
        wanted = displays;
    }
    wanted = wanted < OUTPUTS_MAX ? wanted : OUTPUTS_MAX;
    if (v->driver->window_flags & SDL_WINDOW_OPENGL) {
        SDL_GL_SetAttribute(SDL_GL_CONTEXT_PROFILE_MASK, v->driver->gl_profile);
        SDL_GL_SetAttribute(SDL_GL_CONTEXT_MAJOR_VERSION, v->driver->gl_major);
        SDL_GL_SetAttribute(SDL_GL_CONTEXT_MINOR_VERSION, v->driver->gl_minor);
    }
    for (int i = 0; i < wanted; i++) {
        int ret = open_output(v, i);
        if (ret < 0) {
            windows_close(v);
            return ret;
        }
        if (!stands_on_its_display(&v->output[i], i)) {
            log_warn(v->log,
                     "%s: the window does not come to stand on its display; using %d "
                     "output(s)",
                     v->output[i].info.name, i);
            close_output(&v->output[i]);
            break;
        }
        v->output_count = i + 1;
    }
    return v->output_count > 0 ? 0 : -ENODEV;
}

void windows_close(struct video *v)
{
    while (v->output_count > 0)
        close_output(&v->output[--v->output_count]);
}
