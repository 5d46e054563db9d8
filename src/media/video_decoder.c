#include "media/video_decoder.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "media/ffmpeg_compat.h"
#include "media/picture_format.h"

enum { THREADS_MAX = 16 };

struct video_decoder {
    AVCodecContext *codec;
    struct frame_writer *writer;
};

/* Any thread of the decoder. */
static int get_buffer(AVCodecContext *c, AVFrame *f, int flags)
{
    struct video_decoder *d = c->opaque;
    if (pixel_format_of(f->format) == PIXEL_NONE || !(c->codec->capabilities & AV_CODEC_CAP_DR1))
        return avcodec_default_get_buffer2(c, f, flags);
    int width = f->width, height = f->height;
    int align[AV_NUM_DATA_POINTERS] = { 0 };
    avcodec_align_dimensions2(c, &width, &height, align);
    return frame_writer_buffer(d->writer, f, width, height, align);
}

static int thread_count(int wanted)
{
    long cores = wanted > 0 ? wanted : sysconf(_SC_NPROCESSORS_ONLN);
    return (int)clamp_i64(cores, 1, THREADS_MAX);
}

static int open_codec(struct video_decoder *d, const struct video_params *p)
{
    const AVCodec *codec = avcodec_find_decoder(p->codec->codec_id);
    if (!codec)
        return AVERROR_DECODER_NOT_FOUND;
    d->codec = avcodec_alloc_context3(codec);
    if (!d->codec)
        return AVERROR(ENOMEM);
    int ret = avcodec_parameters_to_context(d->codec, p->codec);
    if (ret < 0)
        return ret;
    d->codec->opaque = d;
    d->codec->pkt_timebase = p->time_base;
    d->codec->thread_count = thread_count(p->threads);
    d->codec->thread_type = FF_THREAD_FRAME | FF_THREAD_SLICE;
    d->codec->get_buffer2 = get_buffer;
    d->codec->max_pixels = PICTURE_PIXELS_MAX;
    /* Rows need not start aligned: cropping is then exact and costs nothing. */
    d->codec->flags |= AV_CODEC_FLAG_UNALIGNED;
    compat_allow_threaded_buffers(d->codec);
    /* Without a word from stream or container the decoder would give pictures out too early and then
     * drop those that turn out to come before. */
    if (p->is_order_unknown && p->codec->codec_id == AV_CODEC_ID_H264)
        d->codec->has_b_frames = (int)max_i64(d->codec->has_b_frames, 2);
    return avcodec_open2(d->codec, codec, NULL);
}

int video_decoder_open(struct video_decoder **out, const struct video_params *params)
{
    struct video_decoder *d = xcalloc(1, sizeof(*d));
    d->writer = params->writer;
    int ret = open_codec(d, params);
    if (ret < 0) {
        video_decoder_close(d);
        return ret;
    }
    *out = d;
    return 0;
}

void video_decoder_close(struct video_decoder *d)
{
    if (!d)
        return;
    avcodec_free_context(&d->codec);
    free(d);
}

void video_decoder_skip(struct video_decoder *d, bool skip)
{
    d->codec->skip_frame = skip ? AVDISCARD_NONREF : AVDISCARD_DEFAULT;
}

void video_decoder_flush(struct video_decoder *d)
{
    avcodec_flush_buffers(d->codec);
}

int video_decoder_send(struct video_decoder *d, const AVPacket *pkt)
{
    return avcodec_send_packet(d->codec, pkt);
}

int video_decoder_receive(struct video_decoder *d, AVFrame *f)
{
    int ret = avcodec_receive_frame(d->codec, f);
    if (ret == 0)
        f->pts = f->best_effort_timestamp;
    return ret;
}
