#include "output/video_convert.h"

#include <errno.h>
#include <libyuv.h>
#include <libyuv/row.h>
#include <stdlib.h>
#include <string.h>

enum step { STEP_DEPTH, STEP_SIZE, STEP_ROTATION };

struct image {
    enum pixel_format format;
    int w, h;
    uint8_t *plane[FRAME_PLANES]; /* those of a picture are only read */
    int stride[FRAME_PLANES];
};

/* ---- images ----------------------------------------------------------------------------------- */

static struct image image_of_picture(const struct picture *p)
{
    struct image m = { .format = p->desc.format,
                       .w = (int)p->desc.width,
                       .h = (int)p->desc.height };
    for (int i = 0; i < FRAME_PLANES; i++) {
        m.plane[i] = (uint8_t *)(uintptr_t)p->plane[i];
        m.stride[i] = (int)p->desc.stride[i];
    }
    return m;
}

static void plane_size(const struct image *m, int plane, int *row_bytes, int *rows)
{
    struct frame_desc f = { .format = m->format,
                            .width = (uint32_t)m->w,
                            .height = (uint32_t)m->h };
    uint32_t b, r;
    frame_plane_size(&f, plane, &b, &r);
    *row_bytes = (int)b;
    *rows = (int)r;
}

/* Lays an image out in the step's scratch memory. */
static int image_make(struct converter *c, enum step step, enum pixel_format format, int w, int h,
                      struct image *out)
{
    *out = (struct image){ .format = format, .w = w, .h = h };
    size_t offset[FRAME_PLANES], bytes = 0;
    for (int i = 0; i < FRAME_PLANES; i++) {
        int row_bytes, rows;
        plane_size(out, i, &row_bytes, &rows);
        out->stride[i] = (row_bytes + 63) & ~63;
        offset[i] = bytes;
        bytes += (size_t)out->stride[i] * (size_t)rows;
    }
    if (bytes > c->scratch_bytes[step]) {
        free(c->scratch[step]);
        c->scratch[step] = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
        c->scratch_bytes[step] = c->scratch[step] ? bytes : 0;
        if (!c->scratch[step])
            return -ENOMEM;
    }
    for (int i = 0; i < FRAME_PLANES; i++)
        out->plane[i] = c->scratch[step] + offset[i];
    return 0;
}

void converter_finish(struct converter *c)
{
    for (size_t i = 0; i < ARRAY_LEN(c->scratch); i++)
        free(c->scratch[i]);
    *c = (struct converter){ 0 };
}

/* ---- depth ------------------------------------------------------------------------------------ */

static const enum pixel_format reduced[PIXEL_FORMATS] = {
    [PIXEL_I010] = PIXEL_I420, [PIXEL_I210] = PIXEL_I422, [PIXEL_I410] = PIXEL_I444,
    [PIXEL_NV12] = PIXEL_I420, [PIXEL_BGRA] = PIXEL_BGRA,
};

/* Rounds, where libyuv's Convert16To8Plane() cuts off: that would colour the picture. The inner loop of
 * fixed length is what compilers make vector code of. */
static void round_row(const uint8_t *from, uint8_t *to, int count)
{
    enum { BLOCK = 32 };
    uint16_t wide[BLOCK];
    for (; count > 0; count -= BLOCK, from += sizeof(wide), to += BLOCK) {
        int n = count < BLOCK ? count : BLOCK;
        memcpy(wide, from, (size_t)n * sizeof(wide[0]));
        if (n < BLOCK) {
            for (int i = 0; i < n; i++)
                to[i] = (uint8_t)min_i64((wide[i] + 2) >> 2, 255);
            return;
        }
        for (int i = 0; i < BLOCK; i++) {
            uint16_t v = (uint16_t)(wide[i] + 2) >> 2;
            to[i] = (uint8_t)(v < 255 ? v : 255);
        }
    }
}

/* What later steps cannot do, or libyuv does badly: 10 bit becomes 8, U and V of NV12 are parted (scaled
 * together they lose up to two levels), alpha is multiplied in. */
static int reduce(struct converter *c, struct image *m)
{
    if (reduced[m->format] == PIXEL_NONE)
        return 0;
    struct image to;
    int ret = image_make(c, STEP_DEPTH, reduced[m->format], m->w, m->h, &to);
    if (ret < 0)
        return ret;
    if (m->format == PIXEL_BGRA) {
        ARGBAttenuate(m->plane[0], m->stride[0], to.plane[0], to.stride[0], m->w, m->h);
    } else if (m->format == PIXEL_NV12) {
        SplitUVPlane(m->plane[1], m->stride[1], to.plane[1], to.stride[1], to.plane[2],
                     to.stride[2], (m->w + 1) / 2, (m->h + 1) / 2);
        to.plane[0] = m->plane[0];
        to.stride[0] = m->stride[0];
    } else {
        for (int i = 0; i < FRAME_PLANES; i++) {
            int row_bytes, rows;
            plane_size(&to, i, &row_bytes, &rows);
            for (int y = 0; y < rows; y++)
                round_row(m->plane[i] + (ptrdiff_t)y * m->stride[i],
                          to.plane[i] + (ptrdiff_t)y * to.stride[i], row_bytes);
        }
    }
    *m = to;
    return 0;
}

/* ---- size ------------------------------------------------------------------------------------- */

/* Scales to w x h; `format` has as many planes as the image's, of other subsampling if wanted. The box
 * filter is the bilinear one as long as the picture does not shrink below half. */
static int resize(struct converter *c, struct image *m, enum pixel_format format, int w, int h)
{
    if (m->w == w && m->h == h && m->format == format)
        return 0;
    struct image to;
    int ret = image_make(c, STEP_SIZE, format, w, h, &to);
    if (ret < 0)
        return ret;
    if (format == PIXEL_BGRA) {
        ARGBScale(m->plane[0], m->stride[0], m->w, m->h, to.plane[0], to.stride[0], w, h,
                  kFilterBox);
        *m = to;
        return 0;
    }
    for (int i = 0; i < FRAME_PLANES; i++) {
        int from_w, from_h, to_w, to_h;
        plane_size(m, i, &from_w, &from_h);
        plane_size(&to, i, &to_w, &to_h);
        if (to_h == 0)
            continue;
        ScalePlane(m->plane[i], m->stride[i], from_w, from_h, to.plane[i], to.stride[i], to_w, to_h,
                   kFilterBox);
    }
    *m = to;
    return 0;
}

/* ---- rotation --------------------------------------------------------------------------------- */

static int rotate(struct converter *c, struct image *m, uint32_t degrees)
{
    if (degrees == 0)
        return 0;
    bool is_across = degrees % 180 != 0;
    enum RotationMode mode = (enum RotationMode)degrees;
    struct image to;
    int ret = image_make(c, STEP_ROTATION, m->format, is_across ? m->h : m->w,
                         is_across ? m->w : m->h, &to);
    if (ret < 0)
        return ret;
    if (m->format == PIXEL_BGRA) {
        ARGBRotate(m->plane[0], m->stride[0], to.plane[0], to.stride[0], m->w, m->h, mode);
    } else {
        for (int i = 0; i < FRAME_PLANES; i++) {
            int w, h;
            plane_size(m, i, &w, &h);
            if (h > 0)
                RotatePlane(m->plane[i], m->stride[i], to.plane[i], to.stride[i], w, h, mode);
        }
    }
    *m = to;
    return 0;
}

/* ---- colour ----------------------------------------------------------------------------------- */

/* libyuv's constants hold coefficients in units of 1/64 and stop at 2.0, where the part of U in blue is
 * larger in limited range: blue would be up to 12 levels off. Its code computes right with more. */
#if defined(__aarch64__) || defined(__arm__) || defined(__riscv)
static void set_blue(struct YuvConstants *k, int coefficient)
{
    k->kRGBCoeffBias[1] = (int16_t)(k->kRGBCoeffBias[1] + (coefficient - k->kUVCoeff[0]) * 128);
    k->kUVCoeff[0] = (uint8_t)coefficient;
}
#else
static void set_blue(struct YuvConstants *k, int coefficient)
{
    for (size_t i = 0; i < sizeof(k->kUVToB); i += 2)
        k->kUVToB[i] = (uint8_t)coefficient;
}
#endif

static struct YuvConstants constants_for(const struct frame_desc *f)
{
    static const struct {
        const struct YuvConstants *limited, *full;
        int limited_blue; /* 64 x 255 / 224 x 2 (1 - Kb) */
    } table[] = {
        [MATRIX_BT601] = { &kYuvI601Constants, &kYuvJPEGConstants, 129 },
        [MATRIX_BT709] = { &kYuvH709Constants, &kYuvF709Constants, 135 },
        [MATRIX_BT2020] = { &kYuv2020Constants, &kYuvV2020Constants, 137 },
    };
    uint32_t matrix = f->matrix < ARRAY_LEN(table) ? f->matrix : MATRIX_BT709;
    if (f->is_full_range)
        return *table[matrix].full;
    struct YuvConstants k = *table[matrix].limited;
    set_blue(&k, table[matrix].limited_blue);
    return k;
}

#define PLANES_8(m)                                                                                \
    (m)->plane[0], (m)->stride[0], (m)->plane[1], (m)->stride[1], (m)->plane[2], (m)->stride[2]
#define PLANE_16(m, i) (const uint16_t *)(const void *)(m)->plane[i], (m)->stride[i] / 2
#define PLANES_16(m)   PLANE_16(m, 0), PLANE_16(m, 1), PLANE_16(m, 2)

static int paint(const struct image *m, const struct YuvConstants *k, uint8_t *out, int stride)
{
    switch (m->format) {
    case PIXEL_I420: return I420ToARGBMatrix(PLANES_8(m), out, stride, k, m->w, m->h);
    case PIXEL_I422: return I422ToARGBMatrix(PLANES_8(m), out, stride, k, m->w, m->h);
    case PIXEL_I444: return I444ToARGBMatrix(PLANES_8(m), out, stride, k, m->w, m->h);
    case PIXEL_I010: return I010ToARGBMatrix(PLANES_16(m), out, stride, k, m->w, m->h);
    case PIXEL_I210: return I210ToARGBMatrix(PLANES_16(m), out, stride, k, m->w, m->h);
    case PIXEL_I410: return I410ToARGBMatrix(PLANES_16(m), out, stride, k, m->w, m->h);
    case PIXEL_NV12:
        return NV12ToARGBMatrix(m->plane[0], m->stride[0], m->plane[1], m->stride[1], out, stride,
                                k, m->w, m->h);
    case PIXEL_GRAY: return I400ToARGBMatrix(m->plane[0], m->stride[0], out, stride, k, m->w, m->h);
    case PIXEL_BGRA: return ARGBCopy(m->plane[0], m->stride[0], out, stride, m->w, m->h);
    case PIXEL_NONE:
    case PIXEL_FORMATS: break;
    }
    return -1;
}

/* ---- the whole way ---------------------------------------------------------------------------- */

int converter_to_bgrx(struct converter *c, const struct picture *p, uint8_t *out, int stride, int w,
                      int h)
{
    if (!picture_is_drawable(p) || w <= 0 || h <= 0)
        return -EINVAL;
    struct image m = image_of_picture(p);
    uint32_t rotation = p->desc.rotation;
    int scaled_w = rotation % 180 != 0 ? h : w, scaled_h = rotation % 180 != 0 ? w : h;
    bool is_as_it_is = rotation == 0 && m.w == w && m.h == h;
    int ret = is_as_it_is && m.format != PIXEL_BGRA ? 0 : reduce(c, &m);
    if (ret == 0) {
        /* 4:2:2 on its side would be subsampled the other way round. */
        bool is_widened = rotation != 0 && m.format == PIXEL_I422;
        ret = resize(c, &m, is_widened ? PIXEL_I444 : m.format, scaled_w, scaled_h);
    }
    if (ret == 0)
        ret = rotate(c, &m, rotation);
    _Alignas(32) const struct YuvConstants k = constants_for(&p->desc);
    if (ret == 0 && paint(&m, &k, out, stride) != 0)
        ret = -EINVAL;
    return ret;
}

int converter_to_i420(struct converter *c, const struct picture *p, const uint8_t *plane[3],
                      int stride[3])
{
    if (!picture_is_drawable(p) || p->desc.format == PIXEL_BGRA)
        return -EINVAL;
    struct image m = image_of_picture(p);
    int ret = reduce(c, &m);
    if (ret < 0)
        return ret;
    if (m.format == PIXEL_GRAY) {
        struct image to;
        ret = image_make(c, STEP_SIZE, PIXEL_I420, m.w, m.h, &to);
        if (ret < 0)
            return ret;
        I400ToI420(m.plane[0], m.stride[0], PLANES_8(&to), m.w, m.h);
        m = to;
    } else {
        ret = resize(c, &m, PIXEL_I420, m.w, m.h);
    }
    for (int i = 0; i < FRAME_PLANES; i++) {
        plane[i] = m.plane[i];
        stride[i] = m.stride[i];
    }
    return ret;
}
