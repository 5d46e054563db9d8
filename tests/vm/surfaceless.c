/* Preloaded into QEMU, whose display "egl-headless" asks for a render node of the kernel. A machine without a
 * graphics processor has none, but Mesa's software renderer needs none: EGL's surfaceless platform is
 * taken instead. For EGL_PLATFORM=surfaceless and -display egl-headless,rendernode=/dev/null. */
#include <dlfcn.h>
#include <string.h>

#define EGL_NONE         0x3038
#define EGL_SURFACE_TYPE 0x3033
#define EGL_PBUFFER_BIT  1
#define ATTRIBUTES_MAX   64

typedef unsigned choose_config(void *display, const int *attributes, void **configs, int size,
                               int *count);
typedef void *get_display(void *native);

/* Libraries call these with no context of ours: what was there before has to live at file scope. */
static choose_config *real_choose;
static get_display *real_display;

void *gbm_create_device(int fd);
void gbm_device_destroy(void *device);
int epoxy_has_egl_extension(void *display, const char *name);

void *gbm_create_device(int fd)
{
    static int device;
    return &device;
}

void gbm_device_destroy(void *device)
{
}

/* Surfaceless has no windows: QEMU's configuration is asked for with off-screen surfaces. */
static unsigned choose(void *display, const int *attributes, void **configs, int size, int *count)
{
    int own[ATTRIBUTES_MAX + 2], n = 0;
    for (; attributes && attributes[n] != EGL_NONE && n < ATTRIBUTES_MAX; n += 2) {
        own[n] = attributes[n];
        own[n + 1] = attributes[n] == EGL_SURFACE_TYPE ? EGL_PBUFFER_BIT : attributes[n + 1];
    }
    own[n] = EGL_NONE;
    return real_choose(display, own, configs, size, count);
}

static void *default_display(void *native)
{
    return real_display(NULL);
}

/* Makes libepoxy's pointer `name` lead to `ours`; returns EGL's own function `egl_name` by `real`. */
static void redirect(void *egl, const char *name, const char *egl_name, void *real,
                     const void *ours)
{
    void *function = dlsym(egl, egl_name), **pointer = dlsym(RTLD_DEFAULT, name);
    if (!function || !pointer || *(void **)real)
        return;
    memcpy(real, &function, sizeof(function));
    memcpy(pointer, ours, sizeof(*pointer));
}

/* QEMU asks for extensions before it uses EGL: the moment to redirect. EGL's functions are its own, not libepoxy's
 * stubs, which would lead back here. */
int epoxy_has_egl_extension(void *display, const char *name)
{
    choose_config *our_choose = choose;
    get_display *our_display = default_display;
    void *egl = dlopen("libEGL.so.1", RTLD_NOW | RTLD_GLOBAL);
    if (egl) {
        redirect(egl, "epoxy_eglChooseConfig", "eglChooseConfig", &real_choose, &our_choose);
        redirect(egl, "epoxy_eglGetDisplay", "eglGetDisplay", &real_display, &our_display);
    }
    if (strcmp(name, "EGL_EXT_platform_base") == 0)
        return 0; /* so that it calls eglGetDisplay() */
    if (strcmp(name, "EGL_MESA_image_dma_buf_export") == 0)
        return 1; /* asked for, not used */
    int (*real)(void *, const char *);
    void *next = dlsym(RTLD_NEXT, "epoxy_has_egl_extension");
    memcpy(&real, &next, sizeof(next));
    return next ? real(display, name) : strcmp(name, "EGL_KHR_surfaceless_context") == 0;
}
