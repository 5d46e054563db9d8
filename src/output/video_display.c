#include "output/video_driver.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DRM_SYSFS      "/sys/class/drm"
#define CONNECTORS_MAX 16

/* ---- connectors ------------------------------------------------------------------------------- */

struct connector {
    char name[48];
    long id; /* the kernel's; 0: it does not say (before 6.3) */
};

/* First line of DIR/ENTRY/FILE; empty when there is none. */
static void read_line(const char *dir, const char *entry, const char *file, char out[64])
{
    char path[512];
    out[0] = '\0';
    if (snprintf(path, sizeof(path), "%s/%s/%s", dir, entry, file) >= (int)sizeof(path))
        return;
    FILE *f = fopen(path, "re");
    if (!f)
        return;
    if (!fgets(out, 64, f))
        out[0] = '\0';
    out[strcspn(out, "\n")] = '\0';
    fclose(f);
}

static int by_kernel_order(const void *a, const void *b)
{
    const struct connector *x = a, *y = b;
    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    return strverscmp(x->name, y->name);
}

int display_connectors(const char *sysfs, int card, char (*names)[48], int max)
{
    struct connector found[CONNECTORS_MAX];
    int count = 0;
    DIR *dir = opendir(sysfs);
    if (!dir)
        return 0;
    for (const struct dirent *e; count < CONNECTORS_MAX && (e = readdir(dir));) {
        int number, length = 0;
        char status[64], modes[64], id[64];
        if (sscanf(e->d_name, "card%d-%n", &number, &length) != 1 || length == 0 ||
            (card >= 0 && number != card))
            continue;
        read_line(sysfs, e->d_name, "status", status);
        read_line(sysfs, e->d_name, "modes", modes);
        if (strcmp(status, "connected") != 0 || modes[0] == '\0')
            continue;
        read_line(sysfs, e->d_name, "connector_id", id);
        found[count].id = strtol(id, NULL, 10);
        snprintf(found[count].name, sizeof(found[count].name), "%.47s", e->d_name + length);
        count++;
    }
    closedir(dir);
    qsort(found, (size_t)count, sizeof(found[0]), by_kernel_order);
    count = count < max ? count : max;
    for (int i = 0; i < count; i++)
        memcpy(names[i], found[i].name, sizeof(found[i].name));
    return count;
}

/* ---- SDL's video driver ----------------------------------------------------------------------- */

static bool is_set(const char *variable)
{
    const char *value = getenv(variable);
    return value && value[0] != '\0';
}

/* "auto" in the order of trying; the same as SDL's own, without what cannot work here. */
static int automatic_drivers(const char **out)
{
    char names[1][48];
    int n = 0;
    if (is_set("SDL_VIDEODRIVER")) {
        out[n++] = getenv("SDL_VIDEODRIVER");
        return n;
    }
    if (is_set("DISPLAY"))
        out[n++] = "x11";
    if (is_set("WAYLAND_DISPLAY"))
        out[n++] = "wayland";
    if (display_connectors(DRM_SYSFS, -1, names, 1) > 0)
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
    bool is_kmsdrm = strcmp(driver, "kmsdrm") == 0;
    bool has_framebuffer = strcmp(driver, "x11") == 0 || driver_is_offscreen(driver);
    SDL_SetHintWithPriority(SDL_HINT_VIDEODRIVER, driver, SDL_HINT_OVERRIDE);
    SDL_SetHint(SDL_HINT_APP_NAME, "DJAMMS Player");
    SDL_SetHint(SDL_HINT_VIDEO_MINIMIZE_ON_FOCUS_LOSS, "0");
    SDL_SetHint(SDL_HINT_VIDEO_ALLOW_SCREENSAVER, "0");
    SDL_SetHint(SDL_HINT_POLL_SENTINEL, "0");
    /* A window surface is memory of the X server, not a texture drawn by a GPU; on kmsdrm and wayland
     * SDL has only the texture. */
    SDL_SetHint(SDL_HINT_FRAMEBUFFER_ACCELERATION, has_framebuffer ? "0" : "1");
    if (is_kmsdrm)
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

int display_start(struct video *v, const char *driver)
{
    const char *candidates[5];
    int count = 1;
    bool is_auto = !driver || driver[0] == '\0' || strcmp(driver, "auto") == 0;
    candidates[0] = driver;
    if (is_auto)
        count = automatic_drivers(candidates);
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
        v->sdl_driver = SDL_GetCurrentVideoDriver();
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

void display_stop(void)
{
    SDL_QuitSubSystem(SDL_INIT_VIDEO);
    SDL_QuitSubSystem(SDL_INIT_EVENTS);
}
