#include "output/picture.h"

#include "base/compiler.h"

struct rect picture_fit(const struct frame_desc *f, int w, int h)
{
    int64_t shape_w = (int64_t)f->width * f->sar_num;
    int64_t shape_h = (int64_t)f->height * f->sar_den;
    if (shape_w <= 0 || shape_h <= 0 || w <= 0 || h <= 0)
        return (struct rect){ 0 };
    if (f->rotation % 180 != 0) {
        int64_t turned = shape_w;
        shape_w = shape_h;
        shape_h = turned;
    }
    /* Products of 14 + 32 + 16 bits stay below 63. */
    struct rect r = { .w = w, .h = h };
    if (shape_w * h > shape_h * w)
        r.h = (int)max_i64((shape_h * w + shape_w / 2) / shape_w, 1);
    else
        r.w = (int)max_i64((shape_w * h + shape_h / 2) / shape_h, 1);
    r.x = (w - r.w) / 2;
    r.y = (h - r.h) / 2;
    return r;
}

bool picture_is_drawable(const struct picture *p)
{
    const struct frame_desc *f = &p->desc;
    if (f->format == PIXEL_NONE || f->format >= PIXEL_FORMATS || f->width == 0 || f->height == 0 ||
        f->width > 16384 || f->height > 16384 || f->sar_num == 0 || f->sar_den == 0 ||
        f->rotation % 90 != 0 || f->rotation > 270)
        return false;
    for (int i = 0; i < FRAME_PLANES; i++) {
        uint32_t row_bytes, rows;
        frame_plane_size(f, i, &row_bytes, &rows);
        if (rows == 0)
            continue;
        if (!p->plane[i] || f->stride[i] < row_bytes || f->stride[i] > INT32_MAX)
            return false;
        if (f->format >= PIXEL_I010 && f->format <= PIXEL_I410 && f->stride[i] % 2 != 0)
            return false;
    }
    return true;
}
