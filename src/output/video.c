#include "output/video.h"

#include <SDL_syswm.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/now.h"
#include "output/video_driver.h"

/* ---- which renderer --------------------------------------------------------------------------- */

static const struct video_driver *const drivers[] = {
    &video_renderer_opengles2,
    &video_renderer_opengl,
    &video_surface,
};

static bool has_render_node(void)
{
    glob_t found;
    bool has = glob("/dev/dri/renderD*", GLOB_NOSORT, NULL, &found) == 0;
    if (has)
        globfree(&found);
    return has;
}

/* "auto": a GPU where there is one. kmsdrm has no other way to the screen than GL. */
static bool is_worth_trying(const struct video *v, const struct video_driver *d, const char *wanted)
{
    if (v->is_renderer_chosen)
        return wanted && strcmp(d->name, wanted) == 0;
    return d == &video_surface || video_has_card(v) || (!v->is_offscreen && has_render_node());
}

static int open_windows(struct video *v)
{
    const char *renderer = v->params.renderer;
    int ret = -EINVAL;
    bool is_known = !v->is_renderer_chosen;
    for (size_t i = 0; i < ARRAY_LEN(drivers); i++) {
        if (!is_worth_trying(v, drivers[i], renderer))
            continue;
        is_known = true;
        v->driver = drivers[i];
        ret = windows_open(v);
        if (ret == 0) {
            snprintf(v->name, sizeof(v->name), "%s, %s", v->sdl_driver, v->driver->name);
            return 0;
        }
        log_warn(v->log, "renderer %s cannot be used on %s: %s", v->driver->name, v->sdl_driver,
                 SDL_GetError());
    }
    if (is_known)
        log_err(v->log, "no window could be opened on %s", v->sdl_driver);
    else
        log_err(v->log, "renderer \"%s\" is unknown; there are auto, software, opengl, opengles2",
                renderer);
    return ret;
}

/* ---- the connection --------------------------------------------------------------------------- */

static int start(struct video *v)
{
    int ret = display_start(v);
    if (ret == 0)
        ret = open_windows(v);
    for (int i = 0; ret == 0 && i < v->output_count; i++)
        log_info(v->log, "%s: %dx%d (%s)", v->output[i].info.name, v->output[i].info.width,
                 v->output[i].info.height, v->name);
    return ret;
}

static void stop(struct video *v)
{
    windows_close(v);
    input_pads_close(&v->pads);
    display_stop(v);
}

int video_open(struct video **out, const struct video_params *p)
{
    *out = NULL;
    struct video *v = xcalloc(1, sizeof(*v));
    v->log = p->log;
    v->params = *p;
    v->pads.next_ns = INT64_MAX;
    v->is_renderer_chosen =
        p->renderer && p->renderer[0] != '\0' && strcmp(p->renderer, "auto") != 0;
    int ret = start(v);
    if (ret < 0) {
        video_close(v);
        return ret;
    }
    *out = v;
    return 0;
}

/* SDL's descriptor of the card, which is the one that displays answer to; -1: it does not use it. */
static int card_of_sdl(const struct video *v)
{
    SDL_SysWMinfo wm;
    SDL_VERSION(&wm.version);
    bool is_known = v->output_count > 0 && SDL_GetWindowWMInfo(v->output[0].window, &wm) &&
                    wm.subsystem == SDL_SYSWM_KMSDRM;
    return is_known ? wm.info.kmsdrm.drm_fd : -1;
}

bool video_has_changed(struct video *v)
{
    return v->card && kms_card_changed(v->card, card_of_sdl(v));
}

int video_reopen(struct video *v)
{
    stop(v);
    v->event_count = 0;
    v->were_pads_tried = false;
    v->first_present_ns = 0;
    if (start(v) == 0)
        return 0;
    stop(v); /* what has come may be gone again */
    return start(v);
}

void video_close(struct video *v)
{
    if (!v)
        return;
    stop(v);
    kms_card_close(v->card);
    free(v);
}

int video_output_count(const struct video *v)
{
    return v->output_count;
}

struct video_output *video_output_at(struct video *v, int i)
{
    return i >= 0 && i < v->output_count ? &v->output[i] : NULL;
}

bool video_is_offscreen(const struct video *v)
{
    return v->is_offscreen;
}

bool video_has_card(const struct video *v)
{
    return strcmp(v->sdl_driver, "kmsdrm") == 0;
}

const char *video_driver_name(const struct video *v)
{
    return v->name;
}

/* ---- one output ------------------------------------------------------------------------------- */

void video_output_info(const struct video_output *o, struct output_info *out)
{
    *out = o->info;
}

int video_output_draw(struct video_output *o, const struct picture *p,
                      const struct bitmap *const *overlay, int overlay_count)
{
    bool is_wrong = p && !picture_is_drawable(p);
    int ret = o->video->driver->draw(o, is_wrong ? NULL : p, overlay, overlay_count);
    return is_wrong ? -EINVAL : ret;
}

int video_output_present(struct video_output *o)
{
    int ret = o->video->driver->present(o);
    if (ret == 0 && o->video->first_present_ns == 0)
        o->video->first_present_ns = now_mono_ns();
    return ret;
}

int video_output_read(struct video_output *o, uint8_t *pixels, size_t size, int *width, int *height,
                      int *stride)
{
    return o->video->driver->read(o, pixels, size, width, height, stride);
}
