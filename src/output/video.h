/* Video outputs: windows on the displays of one stage. A driver is a const table of functions.
 *
 * Thread-safety: everything here on the thread that called video_open() (SDL's main thread). */
#pragma once

#include <stdbool.h>

#include "base/log.h"
#include "output/kms_mode.h"
#include "output/picture.h"

struct video;        /* the driver's connection: all windows */
struct video_output; /* one window */

/* The strings are borrowed until video_close(). */
struct video_params {
    const char *driver;   /* "auto", or an SDL video driver: x11 wayland kmsdrm offscreen dummy */
    const char *renderer; /* "auto", "software", or an SDL render driver: opengl opengles2 */
    bool fullscreen;
    int width, height;    /* of a window; 0: 1280x720 */
    int outputs;          /* windows wanted; 0: one per display */
    struct kms_wish mode; /* kmsdrm: of every display */
    const char *title;
    struct log *log; /* borrowed until video_close(); may be NULL */
};

struct output_info {
    char name[48];     /* "HDMI-A-1" where it is known, else "display-1", "window-1" */
    int width, height; /* pixels drawn; may change: see VIDEO_RESIZED */
    int refresh_mhz;   /* 0: unknown */
    bool has_vsync;    /* present() waits for the display; else the caller keeps time */
};

/* 0 or -errno; says in the log what is wrong and what was tried. "auto" takes a display when there is one, else goes
 * off-screen. -EBUSY: another program has the card. On a card without a connected display it goes off-screen until one comes
 * (VIDEO_DISPLAYS). */
int video_open(struct video **out, const struct video_params *p);
/* After VIDEO_DISPLAYS: whether displays are connected that are not used as they should be. Asks them, which may take
 * seconds. */
bool video_has_changed(struct video *v);
/* If so: closes all outputs and opens those that are there now. 0 or -errno: then there are none, and
 * only video_close() may follow. */
int video_reopen(struct video *v);
void video_close(struct video *v); /* v may be NULL */
int video_output_count(const struct video *v);
struct video_output *video_output_at(struct video *v, int i);
bool video_is_offscreen(const struct video *v);
bool video_has_card(
    const struct video *v); /* draws on the kernel's displays, without a window system */
const char *video_driver_name(const struct video *v); /* "x11, software" */

void video_output_info(const struct video_output *o, struct output_info *out);
/* Prepares the next picture, without showing it: `p` NULL is black; overlay bitmaps on top, in order.
 * Nothing of `p` or the bitmaps is kept after the call, except by reference when the same frame number
 * and load comes again: then only the overlay may have changed. 0 or -errno; a picture
 * that cannot be drawn is black. */
int video_output_draw(struct video_output *o, const struct picture *p,
                      const struct bitmap *const *overlay, int overlay_count);
/* Shows what was drawn. With vsync returns after it was handed to the display for the next vblank. */
int video_output_present(struct video_output *o);
/* Reads back what present() showed last (so not between draw and present): B G R x, stride bytes a
 * row. 0 or -errno; -ENOBUFS: `size` is too small, the other three say for what. */
int video_output_read(struct video_output *o, uint8_t *pixels, size_t size, int *width, int *height,
                      int *stride);

/* ---- what people did -------------------------------------------------------------------------- */

enum video_event_kind {
    VIDEO_NONE,
    VIDEO_INPUT,
    VIDEO_RESIZED,
    VIDEO_EXPOSED,
    VIDEO_DISPLAYS, /* something was plugged */
    VIDEO_QUIT
};
struct video_event {
    enum video_event_kind kind;
    struct input_event input; /* VIDEO_INPUT */
    int output;               /* RESIZED, EXPOSED */
};
/* Takes the next event; false: none. Does not wait. */
bool video_poll(struct video *v, struct video_event *out);
/* Makes video_wait() on the main thread return, the next one if it is not waiting now. Any thread,
 * not a signal handler; not during video_close(). Fine during video_reopen(). */
void video_wake(struct video *v);
/* Waits for an event, a wake or the time. */
void video_wait(struct video *v, int64_t deadline_mono_ns);
