/* Inside the video output: what its files share. A driver turns pictures into what a window shows. */
#pragma once

#include <SDL.h>
#include <stdatomic.h>

#include "output/input_pads.h"
#include "output/kms_card.h"
#include "output/video.h"
#include "shm/doorbell.h"

#define VIDEO_INPUTS_MAX 32 /* keys and buttons kept; more of them are dropped */
/* The other events wait at most once each, so that all of them have room. */
#define VIDEO_EVENTS_MAX (VIDEO_INPUTS_MAX + 2 * OUTPUTS_MAX + 2)

struct video_output {
    struct video *video;
    SDL_Window *window;
    struct output_info info;
    void *state; /* the driver's */
};

struct video_driver {
    const char *name;                   /* of the render driver, as in video_params.renderer */
    uint32_t window_flags;              /* SDL_WindowFlags its windows are born with */
    int gl_profile, gl_major, gl_minor; /* of a window with SDL_WINDOW_OPENGL */
    /* The window exists. Fills info.width, height and has_vsync. 0 or -errno, with SDL_GetError() set;
     * then close() is not called. */
    int (*open)(struct video_output *o);
    void (*close)(struct video_output *o);
    /* The window has another size or lost what it showed: updates info.width and height; the next
     * present() hands over all of it. */
    void (*renew)(struct video_output *o);
    int (*draw)(struct video_output *o, const struct picture *p,
                const struct bitmap *const *overlay, int overlay_count);
    int (*present)(struct video_output *o);
    int (*read)(struct video_output *o, uint8_t *pixels, size_t size, int *width, int *height,
                int *stride);
};

extern const struct video_driver video_surface;         /* no GPU: SDL window surfaces */
extern const struct video_driver video_renderer_opengl; /* SDL_Renderer */
extern const struct video_driver video_renderer_opengles2;

struct video {
    const struct log *log;
    struct video_params params;
    const struct video_driver *driver;
    const char *sdl_driver; /* "x11", ...; NULL: SDL does not run */
    char sdl_name[24];
    struct kms_card *card; /* looked at for changes; NULL: a window system has the displays */
    int lit;               /* displays that the card shows something on */
    char name[48];
    bool is_offscreen;
    bool is_renderer_chosen; /* by name: then no other one is tried */
    int output_count;
    struct video_output output[OUTPUTS_MAX];

    /* Events taken from SDL and not yet asked for. */
    struct video_event event[VIDEO_EVENTS_MAX];
    unsigned event_first, event_count;
    struct input_pads pads;
    bool were_pads_tried;
    int64_t first_present_ns; /* 0: nothing was shown yet */
    bool has_event_wait;      /* SDL can sleep until the display sends something */
    uint32_t rings_seen;

    /* Any thread. */
    struct doorbell bell;
    _Atomic bool is_in_sdl; /* the main thread sleeps in SDL: the bell alone does not wake it */
};

/* ---- video_display.c: what there is to draw on ------------------------------------------------ */

/* Starts SDL's events and video with the driver of v->params ("auto": the first that works). Without a window
 * system lights the displays of the card first. 0 or -errno, with the reasons in the log. */
int display_start(struct video *v);
void display_stop(struct video *v); /* fine when it was not started */

/* ---- video_window.c: windows on displays ------------------------------------------------------ */

/* Makes v->output_count windows and opens the driver on each. 0 or -errno; nothing is left on error. May
 * lower output_count when a further window does not come to stand on its display. */
int windows_open(struct video *v);
void windows_close(struct video *v);

/* ---- video_x11.c ------------------------------------------------------------------------------ */

/* Whether a window manager looks after the window; true when it cannot be known. */
bool x11_has_window_manager(SDL_Window *window);
