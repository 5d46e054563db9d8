#include "media/picture_format.h"

#include <libavutil/display.h>
#include <libavutil/pixdesc.h>
#include <math.h>

#include "media/ffmpeg_compat.h"

/* A picture this many times wider or higher than its pixels is a broken header. */
enum { SAR_MAX = 20 };

static const struct {
    enum AVPixelFormat libav;
    enum pixel_format ours;
} direct[] = {
    { AV_PIX_FMT_YUV420P, PIXEL_I420 },
    { AV_PIX_FMT_YUVJ420P, PIXEL_I420 },
    { AV_PIX_FMT_YUV422P, PIXEL_I422 },
    { AV_PIX_FMT_YUVJ422P, PIXEL_I422 },
    { AV_PIX_FMT_YUV444P, PIXEL_I444 },
    { AV_PIX_FMT_YUVJ444P, PIXEL_I444 },
    { AV_PIX_FMT_YUV420P10LE, PIXEL_I010 },
    { AV_PIX_FMT_YUV422P10LE, PIXEL_I210 },
    { AV_PIX_FMT_YUV444P10LE, PIXEL_I410 },
    { AV_PIX_FMT_NV12, PIXEL_NV12 },
    { AV_PIX_FMT_GRAY8, PIXEL_GRAY },
    { AV_PIX_FMT_BGRA, PIXEL_BGRA },
    /* the fourth plane is not shown */
    { AV_PIX_FMT_YUVA420P, PIXEL_I420 },
    { AV_PIX_FMT_YUVA422P, PIXEL_I422 },
    { AV_PIX_FMT_YUVA444P, PIXEL_I444 },
};

enum pixel_format pixel_format_of(int format)
{
    for (size_t i = 0; i < ARRAY_LEN(direct); i++) {
        if ((int)direct[i].libav == format)
            return direct[i].ours;
    }
    return PIXEL_NONE;
}

enum AVPixelFormat pixel_format_nearest(int format)
{
    static const enum AVPixelFormat planar[2][3] = {
        { AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUV422P, AV_PIX_FMT_YUV444P },
        { AV_PIX_FMT_YUV420P10LE, AV_PIX_FMT_YUV422P10LE, AV_PIX_FMT_YUV444P10LE },
    };
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(format);
    if (!d || (d->flags & (AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_BITSTREAM)) != 0)
        return d && d->flags & AV_PIX_FMT_FLAG_BITSTREAM ? AV_PIX_FMT_GRAY8 : AV_PIX_FMT_NONE;
    if (pixel_format_of(format) != PIXEL_NONE)
        return format;
    if (d->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BAYER))
        return AV_PIX_FMT_BGRA;
    if (d->nb_components < 3)
        return AV_PIX_FMT_GRAY8;
    int chroma = d->log2_chroma_w == 0 ? 2 : d->log2_chroma_h == 0 ? 1 : 0;
    return planar[d->comp[0].depth > 8][chroma];
}

uint32_t picture_rotation(const int32_t matrix[9])
{
    if (!matrix)
        return 0;
    double degrees = -av_display_rotation_get(matrix); /* libav counts the other way round */
    if (!isfinite(degrees))
        return 0;
    int quarters = (int)lround(degrees / 90.0);
    return (uint32_t)((quarters % 4 + 4) % 4) * 90;
}

struct picture_traits picture_traits_of(const AVStream *st)
{
    return (struct picture_traits){
        .sar = st->sample_aspect_ratio.num > 0 ? st->sample_aspect_ratio
                                               : st->codecpar->sample_aspect_ratio,
        .rotation = picture_rotation(compat_display_matrix(st)),
    };
}

static enum colour_matrix matrix_of(const AVFrame *f)
{
    switch (f->colorspace) {
    case AVCOL_SPC_BT709: return MATRIX_BT709;
    case AVCOL_SPC_FCC:
    case AVCOL_SPC_BT470BG:
    case AVCOL_SPC_SMPTE170M: return MATRIX_BT601;
    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL: return MATRIX_BT2020;
    default: return f->height >= 720 ? MATRIX_BT709 : MATRIX_BT601;
    }
}

static bool is_full_range(const AVFrame *f, enum pixel_format format)
{
    if (f->format == AV_PIX_FMT_YUVJ420P || f->format == AV_PIX_FMT_YUVJ422P ||
        f->format == AV_PIX_FMT_YUVJ444P || format == PIXEL_BGRA)
        return true;
    return f->color_range == AVCOL_RANGE_JPEG;
}

static void set_aspect(struct frame_desc *out, AVRational sar)
{
    int num = sar.num, den = sar.den;
    bool is_sane = num > 0 && den > 0 && num / den < SAR_MAX && den / num < SAR_MAX;
    if (is_sane)
        av_reduce(&num, &den, num, den, 65535);
    out->sar_num = is_sane && num > 0 && den > 0 ? (uint32_t)num : 1;
    out->sar_den = is_sane && num > 0 && den > 0 ? (uint32_t)den : 1;
}

void picture_describe(const AVFrame *f, const struct picture_traits *traits, struct frame_desc *out)
{
    enum pixel_format format = pixel_format_of(f->format);
    *out = (struct frame_desc){
        .width = (uint32_t)f->width,
        .height = (uint32_t)f->height,
        .format = format,
        .matrix = matrix_of(f),
        .is_full_range = is_full_range(f, format),
        .rotation = traits->rotation,
    };
    set_aspect(out, traits->sar.num > 0 ? traits->sar : f->sample_aspect_ratio);
    const AVFrameSideData *sd = av_frame_get_side_data(f, AV_FRAME_DATA_DISPLAYMATRIX);
    if (sd && sd->size >= 9 * sizeof(int32_t))
        out->rotation = picture_rotation((const int32_t *)(const void *)sd->data);
}

void picture_shown_size(const struct frame_desc *d, uint32_t *width, uint32_t *height)
{
    uint32_t w = d->width, h = d->height;
    if (d->sar_num > d->sar_den)
        w = (uint32_t)((uint64_t)w * d->sar_num / d->sar_den);
    else if (d->sar_num < d->sar_den)
        h = (uint32_t)((uint64_t)h * d->sar_den / d->sar_num);
    bool is_turned = d->rotation == 90 || d->rotation == 270;
    *width = is_turned ? h : w;
    *height = is_turned ? w : h;
}
