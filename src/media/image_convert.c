#include "media/image_convert.h"

#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "media/picture_format.h"

enum { ROW_ALIGN = 64 };

struct image_convert {
    struct frame_writer *writer;
    struct SwsContext *sws; /* of the last conversion; NULL: none yet */
};

struct image_convert *image_convert_create(struct frame_writer *w)
{
    struct image_convert *c = xcalloc(1, sizeof(*c));
    c->writer = w;
    return c;
}

void image_convert_destroy(struct image_convert *c)
{
    if (!c)
        return;
    sws_freeContext(c->sws);
    free(c);
}

/* Whether every row of a plane begins behind the one before. */
static bool is_upright(const AVFrame *f)
{
    for (int i = 0; i < 4; i++) {
        if (f->data[i] && f->linesize[i] < 0)
            return false;
    }
    return true;
}

static void fit(int *width, int *height, int max_side)
{
    int longer = *width > *height ? *width : *height;
    if (max_side <= 0 || longer <= max_side)
        return;
    *width = (int)av_rescale(*width, max_side, longer);
    *height = (int)av_rescale(*height, max_side, longer);
    *width = *width > 0 ? *width : 1;
    *height = *height > 0 ? *height : 1;
}

/* The J formats are the plain ones in full range; named plainly, swscale leaves the range alone. */
static enum AVPixelFormat plain(int format)
{
    switch (format) {
    case AV_PIX_FMT_YUVJ420P: return AV_PIX_FMT_YUV420P;
    case AV_PIX_FMT_YUVJ422P: return AV_PIX_FMT_YUV422P;
    case AV_PIX_FMT_YUVJ444P: return AV_PIX_FMT_YUV444P;
    case AV_PIX_FMT_YUVJ440P: return AV_PIX_FMT_YUV440P;
    case AV_PIX_FMT_YUVJ411P: return AV_PIX_FMT_YUV411P;
    default: return format;
    }
}

static int scale(struct image_convert *c, const AVFrame *from, AVFrame *to)
{
    c->sws = sws_getCachedContext(c->sws, from->width, from->height, plain(from->format), to->width,
                                  to->height, plain(to->format), SWS_BILINEAR | SWS_ACCURATE_RND,
                                  NULL, NULL, NULL);
    if (!c->sws)
        return AVERROR(EINVAL);
    int full = from->color_range == AVCOL_RANGE_JPEG || plain(from->format) != from->format;
    const int *k = sws_getCoefficients(SWS_CS_DEFAULT);
    /* Fails for formats without a matrix, which need none. */
    (void)sws_setColorspaceDetails(c->sws, k, full, k, full, 0, 1 << 16, 1 << 16);
    int rows = sws_scale(c->sws, (const uint8_t *const *)from->data, from->linesize, 0,
                         from->height, to->data, to->linesize);
    to->color_range = full ? AVCOL_RANGE_JPEG : from->color_range;
    return rows < 0 ? rows : 0;
}

int image_bring_in(struct image_convert *c, AVFrame *f, int max_side)
{
    enum AVPixelFormat format = pixel_format_nearest(f->format);
    if (format == AV_PIX_FMT_NONE || f->width <= 0 || f->height <= 0)
        return AVERROR(EINVAL);
    int width = f->width, height = f->height;
    fit(&width, &height, max_side);
    bool is_same = (int)format == f->format && width == f->width && height == f->height;
    if (is_same && is_upright(f) && frame_writer_owns(c->writer, f))
        return 0;

    static const int align[AV_NUM_DATA_POINTERS] = { ROW_ALIGN, ROW_ALIGN, ROW_ALIGN, ROW_ALIGN };
    AVFrame *to = av_frame_alloc();
    int ret = to ? av_frame_copy_props(to, f) : AVERROR(ENOMEM);
    if (ret < 0)
        goto out;
    to->format = format;
    to->width = width;
    to->height = height;
    ret = frame_writer_buffer(c->writer, to, width, height, align);
    if (ret == 0)
        ret = is_same ? av_frame_copy(to, f) : scale(c, f, to);
    if (ret >= 0) {
        av_frame_unref(f);
        av_frame_move_ref(f, to);
        ret = 0;
    }
out:
    av_frame_free(&to);
    return ret;
}
