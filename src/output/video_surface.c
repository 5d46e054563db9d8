/* Drawing without a GPU: the picture is scaled and converted straight into the window's memory, overlay
 * bitmaps are blended over it, and the display is given the rectangle that may have changed. */
#include <errno.h>
#include <libyuv.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "output/video_convert.h"
#include "output/video_driver.h"

#define BYTES_PER_PIXEL 4

struct surface_output {
    struct converter converter;
    SDL_Surface *shadow; /* where we draw when the window is not B G R x; else NULL */
    /* What the window's memory holds. */
    const void *pixels;
    int w, h;
    struct rect picture; /* outside of it all is black, but for ... */
    struct rect overlay; /* ... the bitmaps, all inside this */
    struct rect unseen;  /* drawn and not presented yet */
};

/* ---- rectangles ------------------------------------------------------------------------------- */

static bool rect_is_empty(struct rect r)
{
    return r.w <= 0 || r.h <= 0;
}

static struct rect rect_common(struct rect a, struct rect b)
{
    int64_t x = max_i64(a.x, b.x), y = max_i64(a.y, b.y);
    int64_t right = min_i64((int64_t)a.x + a.w, (int64_t)b.x + b.w);
    int64_t bottom = min_i64((int64_t)a.y + a.h, (int64_t)b.y + b.h);
    if (right <= x || bottom <= y)
        return (struct rect){ 0 };
    return (struct rect){ (int)x, (int)y, (int)(right - x), (int)(bottom - y) };
}

static struct rect rect_around(struct rect a, struct rect b)
{
    if (rect_is_empty(a))
        return b;
    if (rect_is_empty(b))
        return a;
    int x = a.x < b.x ? a.x : b.x, y = a.y < b.y ? a.y : b.y;
    int right = a.x + a.w > b.x + b.w ? a.x + a.w : b.x + b.w;
    int bottom = a.y + a.h > b.y + b.h ? a.y + a.h : b.y + b.h;
    return (struct rect){ x, y, right - x, bottom - y };
}

static bool rect_is_same(struct rect a, struct rect b)
{
    return a.x == b.x && a.y == b.y && a.w == b.w && a.h == b.h;
}

static uint8_t *pixel_at(const SDL_Surface *s, int x, int y)
{
    return (uint8_t *)s->pixels + (size_t)y * (size_t)s->pitch + (size_t)x * BYTES_PER_PIXEL;
}

/* ---- painting --------------------------------------------------------------------------------- */

static void paint_black(SDL_Surface *s, struct rect r)
{
    r = rect_common(r, (struct rect){ 0, 0, s->w, s->h });
    for (int y = 0; y < r.h; y++)
        memset(pixel_at(s, r.x, r.y + y), 0, (size_t)r.w * BYTES_PER_PIXEL);
}

/* What of `r` is not in the picture. */
static void paint_bars(SDL_Surface *s, struct rect picture, struct rect r)
{
    if (rect_is_empty(picture)) {
        paint_black(s, r);
        return;
    }
    struct rect bars[] = {
        { 0, 0, s->w, picture.y },
        { 0, picture.y + picture.h, s->w, s->h - picture.y - picture.h },
        { 0, picture.y, picture.x, picture.h },
        { picture.x + picture.w, picture.y, s->w - picture.x - picture.w, picture.h },
    };
    for (size_t i = 0; i < ARRAY_LEN(bars); i++)
        paint_black(s, rect_common(bars[i], r));
}

/* Returns the part of the surface that was painted. */
static struct rect blend(SDL_Surface *s, const struct bitmap *b)
{
    struct rect r =
        rect_common((struct rect){ b->x, b->y, b->w, b->h }, (struct rect){ 0, 0, s->w, s->h });
    if (rect_is_empty(r))
        return r;
    const uint8_t *from =
        b->pixels + (ptrdiff_t)(r.y - b->y) * b->stride + (ptrdiff_t)(r.x - b->x) * BYTES_PER_PIXEL;
    uint8_t *to = pixel_at(s, r.x, r.y);
    ARGBBlend(from, b->stride, to, s->pitch, to, s->pitch, r.w, r.h);
    return r;
}

/* ---- the window's memory ---------------------------------------------------------------------- */

static bool is_bgrx(const SDL_Surface *s)
{
    return s->format->format == SDL_PIXELFORMAT_RGB888 ||
           s->format->format == SDL_PIXELFORMAT_ARGB8888;
}

/* Where to draw now; NULL: the window has no memory. A new size or a new place starts from black. */
static SDL_Surface *surface_to_draw_on(struct video_output *o)
{
    struct surface_output *st = o->state;
    SDL_Surface *s = SDL_GetWindowSurface(o->window);
    if (!s)
        return NULL;
    if (!is_bgrx(s)) {
        if (!st->shadow || st->shadow->w != s->w || st->shadow->h != s->h) {
            SDL_FreeSurface(st->shadow);
            st->shadow = SDL_CreateRGBSurfaceWithFormat(0, s->w, s->h, 32, SDL_PIXELFORMAT_RGB888);
        }
        s = st->shadow;
        if (!s)
            return NULL;
    }
    struct rect all = { 0, 0, s->w, s->h };
    if (s->pixels != st->pixels || s->w != st->w || s->h != st->h) {
        paint_black(s, all);
        st->pixels = s->pixels;
        st->w = s->w;
        st->h = s->h;
        st->picture = st->overlay = (struct rect){ 0 };
        st->unseen = all;
    }
    return s;
}

/* ---- the driver ------------------------------------------------------------------------------- */

static void surface_renew(struct video_output *o)
{
    struct surface_output *st = o->state;
    SDL_GetWindowSize(o->window, &o->info.width, &o->info.height);
    st->unseen = (struct rect){ 0, 0, o->info.width, o->info.height };
}

static void surface_close(struct video_output *o)
{
    struct surface_output *st = o->state;
    SDL_FreeSurface(st->shadow);
    converter_finish(&st->converter);
    free(st);
    o->state = NULL;
}

static int surface_open(struct video_output *o)
{
    o->state = xcalloc(1, sizeof(struct surface_output));
    if (!surface_to_draw_on(o)) {
        surface_close(o);
        return -EIO;
    }
    surface_renew(o);
    return 0;
}

static int surface_draw(struct video_output *o, const struct picture *p,
                        const struct bitmap *const *overlay, int overlay_count)
{
    struct surface_output *st = o->state;
    SDL_Surface *s = surface_to_draw_on(o);
    if (!s)
        return -EIO;
    struct rect all = { 0, 0, s->w, s->h };
    struct rect picture = p ? picture_fit(&p->desc, s->w, s->h) : (struct rect){ 0 };
    bool has_moved = !rect_is_same(picture, st->picture);
    paint_bars(s, picture, has_moved ? all : st->overlay);
    int ret = 0;
    if (p)
        ret = converter_to_bgrx(&st->converter, p, pixel_at(s, picture.x, picture.y), s->pitch,
                                picture.w, picture.h);
    if (ret < 0)
        paint_black(s, picture);
    struct rect changed = has_moved ? all : rect_around(picture, st->overlay);
    st->picture = picture;
    st->overlay = (struct rect){ 0 };
    for (int i = 0; i < overlay_count; i++)
        st->overlay = rect_around(st->overlay, blend(s, overlay[i]));
    st->unseen = rect_around(st->unseen, rect_around(changed, st->overlay));
    return ret;
}

static int surface_present(struct video_output *o)
{
    struct surface_output *st = o->state;
    SDL_Surface *window = SDL_GetWindowSurface(o->window);
    if (!window)
        return -EIO;
    struct rect r =
        rect_is_empty(st->unseen) ? (struct rect){ 0, 0, window->w, window->h } : st->unseen;
    SDL_Rect area = { r.x, r.y, r.w, r.h };
    if (st->shadow && SDL_BlitSurface(st->shadow, &area, window, &(SDL_Rect){ r.x, r.y, 0, 0 }) < 0)
        return -EIO;
    if (SDL_UpdateWindowSurfaceRects(o->window, &area, 1) < 0)
        return -EIO;
    st->unseen = (struct rect){ 0 };
    return 0;
}

static int surface_read(struct video_output *o, uint8_t *pixels, size_t size, int *width,
                        int *height, int *stride)
{
    const SDL_Surface *s = surface_to_draw_on(o);
    if (!s)
        return -EIO;
    *width = s->w;
    *height = s->h;
    *stride = s->w * BYTES_PER_PIXEL;
    if ((size_t)*stride * (size_t)s->h > size)
        return -ENOBUFS;
    for (int y = 0; y < s->h; y++)
        memcpy(pixels + (size_t)y * (size_t)*stride, pixel_at(s, 0, y), (size_t)*stride);
    return 0;
}

const struct video_driver video_surface = {
    .name = "software",
    .open = surface_open,
    .close = surface_close,
    .renew = surface_renew,
    .draw = surface_draw,
    .present = surface_present,
    .read = surface_read,
};
