/* The one thing SDL knows of X11 and does not tell: whether a window manager runs. libX11 is in the
 * process already when SDL's driver is x11; it is asked for by name, so that we need not link it. */
#include <SDL_syswm.h>
#include <dlfcn.h>
#include <string.h>

#include "output/video_driver.h"

#if defined(SDL_VIDEO_DRIVER_X11)

struct xlib {
    Window (*root_of)(Display *);
    Atom (*intern_atom)(Display *, const char *, Bool);
    int (*get_property)(Display *, Window, Atom, long, long, Bool, Atom, Atom *, int *,
                        unsigned long *, unsigned long *, unsigned char **);
    int (*free)(void *);
};

/* ISO C has no cast from an object pointer to a function pointer. */
static bool look_up(void *lib, const char *name, void *function)
{
    void *address = dlsym(lib, name);
    memcpy(function, &address, sizeof(address));
    return address != NULL;
}

/* The EWMH's sign: a property of the root window. */
static bool has_sign(const struct xlib *x, Display *display)
{
    Atom sign = x->intern_atom(display, "_NET_SUPPORTING_WM_CHECK", True), type;
    int format;
    unsigned long count = 0, left;
    unsigned char *data = NULL;
    if (sign == None || x->get_property(display, x->root_of(display), sign, 0, 1, False, XA_WINDOW,
                                        &type, &format, &count, &left, &data) != Success)
        return false;
    if (data)
        x->free(data);
    return count > 0;
}

bool x11_has_window_manager(SDL_Window *window)
{
    SDL_SysWMinfo wm;
    SDL_VERSION(&wm.version);
    if (!SDL_GetWindowWMInfo(window, &wm) || wm.subsystem != SDL_SYSWM_X11)
        return true;
    void *lib = dlopen("libX11.so.6", RTLD_LAZY | RTLD_NOLOAD);
    if (!lib)
        return true;
    struct xlib x;
    bool has = !look_up(lib, "XDefaultRootWindow", &x.root_of) ||
               !look_up(lib, "XInternAtom", &x.intern_atom) ||
               !look_up(lib, "XGetWindowProperty", &x.get_property) ||
               !look_up(lib, "XFree", &x.free) || has_sign(&x, wm.info.x11.display);
    dlclose(lib);
    return has;
}

#else

bool x11_has_window_manager(SDL_Window *window)
{
    return true;
}

#endif
