#include "output/video_driver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- SDL's video driver ----------------------------------------------------------------------- */

static bool is_set(const char *variable)
{
    const char *value = getenv(variable);
    return value && value[0] != '\0';
}

static bool is_automatic(const char *driver)
{
    return !driver || driver[0] == '\0' || strcmp(driver, "auto") == 0;
}

static bool is_kmsdrm(const char *driver)
{
    return strcasecmp(driver, "kmsdrm") == 0; /* SDL's own name for it is KMSDRM in some versions */
}

/* Whether the displays are driven by us and no window system. */
static bool is_on_metal(const char *driver)
{
    if (is_automatic(driver) && is_set("SDL_VIDEODRIVER"))
        driver = getenv("SDL_VIDEODRIVER");
    if (is_automatic(driver))
        return !is_set("DISPLAY") && !is_set("WAYLAND_DISPLAY");
    return is_kmsdrm(driver);
}

/* "auto" in the order of trying; the same as SDL's own, without what cannot work here. */
static int automatic_drivers(const char **out, bool has_lit)
{
    int n = 0;
    if (is_set("SDL_VIDEODRIVER")) {
        out[n++] = getenv("SDL_VIDEODRIVER");
        return n;
    }
    if (is_set("DISPLAY"))
        out[n++] = "x11";
    if (is_set("WAYLAND_DISPLAY"))
        out[n++] = "wayland";
    if (has_lit)
        out[n++] = "kmsdrm";
    out[n++] = "offscreen";
    out[n++] = "dummy";
    return n;
}

static bool driver_is_offscreen(const char *name)
{
    return strcmp(name, "offscreen") == 0 || strcmp(name, "dummy") == 0;
}

/* What has to be said before SDL starts. The environment still wins over these. */
static void set_hints(const char *driver)
{
    bool has_framebuffer = strcmp(driver, "x11") == 0 || driver_is_offscreen(driver);
    SDL_SetHintWithPriority(SDL_HINT_VIDEODRIVER, driver, SDL_HINT_OVERRIDE);
    SDL_SetHint(SDL_HINT_APP_NAME, "DJAMMS Player");
    SDL_SetHint(SDL_HINT_VIDEO_MINIMIZE_ON_FOCUS_LOSS, "0");
    SDL_SetHint(SDL_HINT_VIDEO_ALLOW_SCREENSAVER, "0");
    SDL_SetHint(SDL_HINT_POLL_SENTINEL, "0");
    /* A window surface is memory of the X server, not a texture drawn by a GPU; on kmsdrm and wayland
     * SDL has only the texture. */
    SDL_SetHint(SDL_HINT_FRAMEBUFFER_ACCELERATION, has_framebuffer ? "0" : "1");
    if (is_kmsdrm(driver))
        SDL_SetHint(SDL_HINT_RENDER_VSYNC, "1");
}

/* SDL must not take SIGINT and SIGTERM: they are the program's. The same hint, though, would also stop
 * SDL's kmsdrm driver from giving the console its keyboard back when the process dies of SIGSEGV and
 * the like, and nobody else does. Events read the hint when they start, the console keyboard when video
 * starts: so it is set for the first and not for the second. */
static int start_sdl(const char *driver)
{
    set_hints(driver);
    SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
    if (SDL_InitSubSystem(SDL_INIT_EVENTS) < 0)
        return -EIO;
    SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "0");
    int ret = SDL_InitSubSystem(SDL_INIT_VIDEO);
    SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
    if (ret < 0 || SDL_GetNumVideoDisplays() < 1) {
        if (ret == 0)
            SDL_QuitSubSystem(SDL_INIT_VIDEO);
        SDL_QuitSubSystem(SDL_INIT_EVENTS);
        return -ENODEV;
    }
    return 0;
}

/* Mouse, touch and text are of no use here and would only wake us. */
static void ignore_events(void)
{
    static const uint32_t unused[] = {
        SDL_TEXTINPUT,   SDL_TEXTEDITING,     SDL_KEYMAPCHANGED, SDL_KEYUP,
        SDL_MOUSEMOTION, SDL_MOUSEBUTTONDOWN, SDL_MOUSEBUTTONUP, SDL_MOUSEWHEEL,
        SDL_FINGERDOWN,  SDL_FINGERUP,        SDL_FINGERMOTION,  SDL_CLIPBOARDUPDATE,
    };
    for (size_t i = 0; i < ARRAY_LEN(unused); i++)
        SDL_EventState(unused[i], SDL_IGNORE);
    SDL_StopTextInput();
    SDL_ShowCursor(SDL_DISABLE);
    SDL_DisableScreenSaver();
}

/* Lights the displays before SDL looks for them: it draws in the mode it finds. How many there are, or -EBUSY. */
static int light_displays(struct video *v)
{
    char number[16];
    if (!v->card)
        v->card = kms_card_open("", v->log);
    int count = kms_card_light(v->card, &v->params.mode);
    if (count < 0)
        return count;
    snprintf(number, sizeof(number), "%d", kms_card_number(v->card));
    SDL_SetHintWithPriority(SDL_HINT_KMSDRM_DEVICE_INDEX, number, SDL_HINT_OVERRIDE);
    return count;
}

/* In small letters, as everybody here compares it. */
static void name_driver(struct video *v, const char *name)
{
    size_t i = 0;
    for (; name[i] && i + 1 < sizeof(v->sdl_name); i++)
        v->sdl_name[i] = (char)SDL_tolower(name[i]);
    v->sdl_name[i] = '\0';
    v->sdl_driver = v->sdl_name;
}

int display_start(struct video *v)
{
    const char *driver = v->params.driver, *candidates[5];
    bool is_auto = is_automatic(driver), is_metal = is_on_metal(driver);
    int count = 1;
    int lit = is_metal ? light_displays(v) : 0;
    if (lit < 0)
        return lit; /* SDL would draw, and nobody see it */
    v->lit = lit;
    candidates[0] = driver;
    if (is_metal && v->lit == 0 && kms_card_number(v->card) >= 0) {
        log_warn(v->log, "no display is connected: waiting for one");
        candidates[0] = "offscreen";
    } else if (is_auto) {
        count = automatic_drivers(candidates, v->lit > 0);
    }
    for (int i = 0; i < count; i++) {
        if (start_sdl(candidates[i]) < 0) {
            bool is_last = i + 1 == count;
            log_write(v->log, is_last ? LOG_ERROR : LOG_WARNING,
                      "video driver %s cannot be used%s%s: %s%s", candidates[i],
                      strcmp(candidates[i], "x11") == 0 && is_set("DISPLAY") ? " on display " : "",
                      strcmp(candidates[i], "x11") == 0 && is_set("DISPLAY") ? getenv("DISPLAY")
                                                                             : "",
                      SDL_GetError(), is_last ? "" : "; trying the next");
            continue;
        }
        name_driver(v, SDL_GetCurrentVideoDriver());
        v->is_offscreen = driver_is_offscreen(v->sdl_driver);
        v->has_event_wait =
            strcmp(v->sdl_driver, "x11") == 0 || strcmp(v->sdl_driver, "wayland") == 0;
        ignore_events();
        if (is_auto && v->is_offscreen)
            log_info(v->log, "no display: pictures are drawn off-screen");
        return 0;
    }
    return -ENODEV;
}

void display_stop(struct video *v)
{
    if (!v->sdl_driver)
        return;
    v->sdl_driver = NULL;
    SDL_QuitSubSystem(SDL_INIT_VIDEO);
    SDL_QuitSubSystem(SDL_INIT_EVENTS);
}
