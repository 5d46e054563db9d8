/* Drawing with a GPU through SDL_Renderer. A picture is uploaded once; overlay bitmaps are uploaded when
 * their pixels change; the whole output is drawn anew each time, as GL wants it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "output/video_convert.h"
#include "output/video_driver.h"

#define BITMAPS_MAX 32

struct layer {
    SDL_Texture *texture;
    int texture_w, texture_h;
    struct rect place;
    uint64_t hash; /* of the pixels in the texture; 0: none */
};

struct renderer_output {
    SDL_Renderer *renderer;
    SDL_BlendMode premultiplied;
    int texture_max; /* largest width and height */
    struct converter converter;
    uint8_t *bgrx; /* pictures SDL has no format for */
    size_t bgrx_bytes;

    SDL_Texture *frame;
    uint32_t frame_format;
    int frame_w, frame_h;
    SDL_YUV_CONVERSION_MODE frame_mode;
    uint64_t frame_load, frame_number; /* what is in the texture; load 0: nothing */

    /* What was drawn last, to draw it again. */
    bool has_picture;
    struct rect picture;
    uint32_t rotation; /* left for the GPU to do */
    struct layer layer[BITMAPS_MAX];
    int layer_count;
    bool is_drawn; /* the back buffer holds it */
};

/* ---- pictures --------------------------------------------------------------------------------- */

/* SDL's conversions: 601 and 709 limited, 601 full. Others are done on the CPU. */
static bool conversion_mode(const struct frame_desc *f, SDL_YUV_CONVERSION_MODE *out)
{
    if (f->matrix == MATRIX_BT601)
        *out = f->is_full_range ? SDL_YUV_CONVERSION_JPEG : SDL_YUV_CONVERSION_BT601;
    else if (f->matrix == MATRIX_BT709 && !f->is_full_range)
        *out = SDL_YUV_CONVERSION_BT709;
    else
        return false;
    return true;
}

/* Makes st->frame fit. GL chooses its shader by the conversion mode when the texture is made. */
static int frame_texture(struct renderer_output *st, uint32_t format, int w, int h,
                         SDL_YUV_CONVERSION_MODE mode)
{
    SDL_SetYUVConversionMode(mode);
    if (st->frame && st->frame_format == format && st->frame_w == w && st->frame_h == h &&
        st->frame_mode == mode)
        return 0;
    if (st->frame)
        SDL_DestroyTexture(st->frame);
    st->frame_load = 0;
    st->frame = SDL_CreateTexture(st->renderer, format, SDL_TEXTUREACCESS_STREAMING, w, h);
    if (!st->frame)
        return -EIO;
    SDL_SetTextureScaleMode(st->frame, SDL_ScaleModeLinear);
    SDL_SetTextureBlendMode(st->frame, SDL_BLENDMODE_NONE);
    st->frame_format = format;
    st->frame_w = w;
    st->frame_h = h;
    st->frame_mode = mode;
    return 0;
}

/* A picture as the GPU can take it. */
static int upload_yuv(struct renderer_output *st, const struct picture *p,
                      SDL_YUV_CONVERSION_MODE mode)
{
    const struct frame_desc *f = &p->desc;
    bool is_nv12 = f->format == PIXEL_NV12;
    int ret = frame_texture(st, is_nv12 ? SDL_PIXELFORMAT_NV12 : SDL_PIXELFORMAT_IYUV,
                            (int)f->width, (int)f->height, mode);
    if (ret < 0)
        return ret;
    if (is_nv12)
        return SDL_UpdateNVTexture(st->frame, NULL, p->plane[0], (int)f->stride[0], p->plane[1],
                                   (int)f->stride[1]) < 0
                   ? -EIO
                   : 0;
    const uint8_t *plane[3] = { p->plane[0], p->plane[1], p->plane[2] };
    int stride[3] = { (int)f->stride[0], (int)f->stride[1], (int)f->stride[2] };
    if (f->format != PIXEL_I420)
        ret = converter_to_i420(&st->converter, p, plane, stride);
    if (ret == 0 && SDL_UpdateYUVTexture(st->frame, NULL, plane[0], stride[0], plane[1], stride[1],
                                         plane[2], stride[2]) < 0)
        ret = -EIO;
    return ret;
}

/* A picture turned, scaled and converted on the CPU, as large as it is shown. */
static int upload_bgrx(struct renderer_output *st, const struct picture *p, int w, int h)
{
    size_t bytes = (size_t)w * (size_t)h * 4;
    if (bytes > st->bgrx_bytes) {
        free(st->bgrx);
        st->bgrx = malloc(bytes);
        st->bgrx_bytes = st->bgrx ? bytes : 0;
        if (!st->bgrx)
            return -ENOMEM;
    }
    int ret = frame_texture(st, SDL_PIXELFORMAT_ARGB8888, w, h, SDL_YUV_CONVERSION_AUTOMATIC);
    if (ret == 0)
        ret = converter_to_bgrx(&st->converter, p, st->bgrx, w * 4, w, h);
    if (ret == 0 && SDL_UpdateTexture(st->frame, NULL, st->bgrx, w * 4) < 0)
        ret = -EIO;
    return ret;
}

static int upload_picture(struct renderer_output *st, const struct picture *p)
{
    const struct frame_desc *f = &p->desc;
    SDL_YUV_CONVERSION_MODE mode;
    bool is_for_gpu = f->format != PIXEL_BGRA && conversion_mode(f, &mode) &&
                      (int)f->width <= st->texture_max && (int)f->height <= st->texture_max;
    bool is_same = f->load == st->frame_load && f->number == st->frame_number && f->load != 0;
    bool fits_place = is_for_gpu || (st->frame_w == st->picture.w && st->frame_h == st->picture.h);
    st->rotation = is_for_gpu ? f->rotation : 0;
    if (is_same && fits_place) {
        SDL_SetYUVConversionMode(st->frame_mode);
        return 0;
    }
    int ret =
        is_for_gpu ? upload_yuv(st, p, mode) : upload_bgrx(st, p, st->picture.w, st->picture.h);
    st->frame_load = ret == 0 ? f->load : 0;
    st->frame_number = f->number;
    return ret;
}

/* ---- overlay ---------------------------------------------------------------------------------- */

/* Tells whether pixels changed; four lanes, so that it runs at the memory's speed. Never 0. */
static uint64_t hash_pixels(const struct bitmap *b)
{
    const uint64_t prime = 0x9e3779b97f4a7c15u;
    uint64_t lane[4] = { 1, 2, 3, 4 };
    size_t row_bytes = (size_t)b->w * 4;
    for (int y = 0; y < b->h; y++) {
        const uint8_t *row = b->pixels + (ptrdiff_t)y * b->stride;
        size_t i = 0;
        for (; i + 32 <= row_bytes; i += 32) {
            uint64_t word[4];
            memcpy(word, row + i, sizeof(word));
            for (int k = 0; k < 4; k++)
                lane[k] = (lane[k] ^ word[k]) * prime + (lane[k] >> 32);
        }
        for (; i < row_bytes; i += 4) {
            uint32_t word;
            memcpy(&word, row + i, sizeof(word));
            lane[0] = (lane[0] ^ word) * prime + (lane[0] >> 32);
        }
    }
    uint64_t hash = 0;
    for (int k = 0; k < 4; k++)
        hash = (hash ^ lane[k]) * prime + (hash >> 32);
    return hash ? hash : 1;
}

static int upload_layer(struct renderer_output *st, struct layer *l, const struct bitmap *b)
{
    l->place = (struct rect){ b->x, b->y, b->w, b->h };
    uint64_t hash = hash_pixels(b);
    bool fits = l->texture && l->texture_w == b->w && l->texture_h == b->h;
    if (fits && hash == l->hash)
        return 0;
    if (!fits) {
        if (l->texture)
            SDL_DestroyTexture(l->texture);
        l->hash = 0;
        l->texture = SDL_CreateTexture(st->renderer, SDL_PIXELFORMAT_ARGB8888,
                                       SDL_TEXTUREACCESS_STREAMING, b->w, b->h);
        if (!l->texture)
            return -EIO;
        l->texture_w = b->w;
        l->texture_h = b->h;
        SDL_SetTextureBlendMode(l->texture, st->premultiplied);
    }
    l->hash = hash;
    return SDL_UpdateTexture(l->texture, NULL, b->pixels, b->stride) < 0 ? -EIO : 0;
}

/* ---- drawing ---------------------------------------------------------------------------------- */

static int draw_again(struct renderer_output *st)
{
    SDL_SetRenderDrawColor(st->renderer, 0, 0, 0, 255);
    int ret = SDL_RenderClear(st->renderer);
    if (st->has_picture) {
        SDL_Rect to = { st->picture.x, st->picture.y, st->picture.w, st->picture.h };
        if (st->rotation % 180 != 0) {
            /* SDL turns the rectangle about its middle after placing it. */
            to = (SDL_Rect){ st->picture.x + (st->picture.w - st->picture.h) / 2,
                             st->picture.y + (st->picture.h - st->picture.w) / 2, st->picture.h,
                             st->picture.w };
        }
        ret |= st->rotation == 0 ? SDL_RenderCopy(st->renderer, st->frame, NULL, &to)
                                 : SDL_RenderCopyEx(st->renderer, st->frame, NULL, &to,
                                                    st->rotation, NULL, SDL_FLIP_NONE);
    }
    for (int i = 0; i < st->layer_count; i++) {
        const struct layer *l = &st->layer[i];
        SDL_Rect to = { l->place.x, l->place.y, l->place.w, l->place.h };
        ret |= SDL_RenderCopy(st->renderer, l->texture, NULL, &to);
    }
    st->is_drawn = ret == 0;
    return ret == 0 ? 0 : -EIO;
}

static int renderer_draw(struct video_output *o, const struct picture *p,
                         const struct bitmap *const *overlay, int overlay_count)
{
    struct renderer_output *st = o->state;
    int ret = 0;
    st->has_picture = false;
    if (p) {
        st->picture = picture_fit(&p->desc, o->info.width, o->info.height);
        ret = st->picture.w > 0 ? upload_picture(st, p) : -EINVAL;
        st->has_picture = ret == 0;
    }
    st->layer_count = 0;
    for (int i = 0; i < overlay_count && st->layer_count < BITMAPS_MAX; i++) {
        if (overlay[i]->w <= 0 || overlay[i]->h <= 0)
            continue;
        int r = upload_layer(st, &st->layer[st->layer_count], overlay[i]);
        if (r == 0)
            st->layer_count++;
        else
            ret = ret < 0 ? ret : r;
    }
    int drawn = draw_again(st);
    return ret < 0 ? ret : drawn;
}

static int renderer_present(struct video_output *o)
{
    struct renderer_output *st = o->state;
    int ret = st->is_drawn ? 0 : draw_again(st);
    SDL_RenderPresent(st->renderer);
    st->is_drawn = false; /* what a back buffer holds after a flip is not defined */
    return ret;
}

static int renderer_read(struct video_output *o, uint8_t *pixels, size_t size, int *width,
                         int *height, int *stride)
{
    struct renderer_output *st = o->state;
    *width = o->info.width;
    *height = o->info.height;
    *stride = *width * 4;
    if ((size_t)*stride * (size_t)*height > size)
        return -ENOBUFS;
    int ret = draw_again(st);
    if (ret == 0 &&
        SDL_RenderReadPixels(st->renderer, NULL, SDL_PIXELFORMAT_ARGB8888, pixels, *stride) < 0)
        ret = -EIO;
    return ret;
}

/* ---- open and close --------------------------------------------------------------------------- */

static void renderer_renew(struct video_output *o)
{
    struct renderer_output *st = o->state;
    if (SDL_GetRendererOutputSize(st->renderer, &o->info.width, &o->info.height) < 0)
        SDL_GetWindowSize(o->window, &o->info.width, &o->info.height);
}

static void renderer_close(struct video_output *o)
{
    struct renderer_output *st = o->state;
    for (int i = 0; i < BITMAPS_MAX; i++) {
        if (st->layer[i].texture)
            SDL_DestroyTexture(st->layer[i].texture);
    }
    if (st->frame)
        SDL_DestroyTexture(st->frame);
    if (st->renderer)
        SDL_DestroyRenderer(st->renderer);
    converter_finish(&st->converter);
    free(st->bgrx);
    free(st);
    o->state = NULL;
}

/* GL drawn by the CPU: slower than drawing without GL, and its vsync waits for nothing. */
static bool is_software_gl(void)
{
    typedef const unsigned char *get_string(unsigned name);
    get_string *get;
    void *address = SDL_GL_GetProcAddress("glGetString");
    memcpy(&get, &address, sizeof(get)); /* ISO C has no cast from object to function pointer */
    const char *name = get ? (const char *)get(0x1F01 /* GL_RENDERER */) : NULL;
    return name && (strstr(name, "llvmpipe") || strstr(name, "softpipe") || strstr(name, "swrast"));
}

/* SDL takes the first render driver of the list that has what is asked for; the name is asked for by
 * index. */
static int render_driver_index(const char *name)
{
    SDL_RendererInfo info;
    for (int i = 0; i < SDL_GetNumRenderDrivers(); i++) {
        if (SDL_GetRenderDriverInfo(i, &info) == 0 && strcmp(info.name, name) == 0)
            return i;
    }
    return -1;
}

static int renderer_open(struct video_output *o)
{
    const struct video *v = o->video;
    SDL_RendererInfo info;
    int index = render_driver_index(v->driver->name);
    if (index < 0) {
        SDL_SetError("this SDL has no such renderer");
        return -ENOTSUP;
    }
    struct renderer_output *st = xcalloc(1, sizeof(*st));
    o->state = st;
    st->renderer =
        SDL_CreateRenderer(o->window, index, SDL_RENDERER_ACCELERATED | SDL_RENDERER_PRESENTVSYNC);
    if (!st->renderer || SDL_GetRendererInfo(st->renderer, &info) < 0) {
        renderer_close(o);
        return -EIO;
    }
    bool is_slow = is_software_gl();
    if (is_slow && !v->is_renderer_chosen && strcmp(v->sdl_driver, "kmsdrm") != 0) {
        SDL_SetError("its GL runs on the CPU");
        renderer_close(o);
        return -ENOTSUP;
    }
    st->premultiplied = SDL_ComposeCustomBlendMode(
        SDL_BLENDFACTOR_ONE, SDL_BLENDFACTOR_ONE_MINUS_SRC_ALPHA, SDL_BLENDOPERATION_ADD,
        SDL_BLENDFACTOR_ONE, SDL_BLENDFACTOR_ONE_MINUS_SRC_ALPHA, SDL_BLENDOPERATION_ADD);
    st->texture_max = info.max_texture_width > 0 ? info.max_texture_width : 2048;
    o->info.has_vsync = (info.flags & SDL_RENDERER_PRESENTVSYNC) && !is_slow;
    renderer_renew(o);
    return 0;
}

/* The GL versions are those SDL's renderers use: with others it would close the window and open it again.
 */
#define RENDERER_DRIVER(driver_name, profile, major, minor)                                        \
    {                                                                                              \
        .name = driver_name, .window_flags = SDL_WINDOW_OPENGL | SDL_WINDOW_ALLOW_HIGHDPI,         \
        .gl_profile = profile, .gl_major = major, .gl_minor = minor, .open = renderer_open,        \
        .close = renderer_close, .renew = renderer_renew, .draw = renderer_draw,                   \
        .present = renderer_present, .read = renderer_read,                                        \
    }

const struct video_driver video_renderer_opengl = RENDERER_DRIVER("opengl", 0, 2, 1);
const struct video_driver video_renderer_opengles2 =
    RENDERER_DRIVER("opengles2", SDL_GL_CONTEXT_PROFILE_ES, 2, 0);
