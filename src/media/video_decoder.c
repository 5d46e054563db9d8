#include "media/video_decoder.h"

#include <libavutil/hwcontext.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "media/ffmpeg_compat.h"
#include "media/picture_format.h"

enum {
    THREADS_MAX = 16,
    /* Hardware: more packets than any stream reorders and any device queues, ... */
    UNANSWERED_MAX = 64,
    FAILURES_MAX = 8, /* ... and errors in a row */
};

struct video_decoder {
    AVCodecContext *codec;
    struct frame_writer *writer;
    struct decoder_choice choice;
    struct decoder_watch *watch;
    int unanswered; /* packets since the last picture, of hardware */
    int failures;   /* errors since then */
    bool has_answered;
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

/* Pictures in the device's memory or none: FFmpeg's own decoder, on its one thread, would be too slow and not be found out. */
static enum AVPixelFormat get_format(AVCodecContext *c, const enum AVPixelFormat *formats)
{
    for (size_t i = 0; formats[i] != AV_PIX_FMT_NONE; i++)
        if (formats[i] == AV_PIX_FMT_DRM_PRIME)
            return AV_PIX_FMT_DRM_PRIME;
    return AV_PIX_FMT_NONE;
}

/* Whether this FFmpeg reaches the device: that of Debian has not the code for it. */
static bool has_request_decoder(const AVCodec *codec)
{
    const AVCodecHWConfig *config;
    for (int i = 0; (config = avcodec_get_hw_config(codec, i)); i++)
        if (config->device_type == AV_HWDEVICE_TYPE_DRM && config->pix_fmt == AV_PIX_FMT_DRM_PRIME)
            return true;
    return false;
}

static int prepare_hardware(struct video_decoder *d, const AVCodec *codec)
{
    d->codec->thread_count = 1;
    if (!d->choice.is_request)
        return 0;
    if (!has_request_decoder(codec))
        return AVERROR_DECODER_NOT_FOUND;
    d->codec->get_format = get_format;
    /* It finds its device by itself, and needs no card. */
    return av_hwdevice_ctx_create(&d->codec->hw_device_ctx, AV_HWDEVICE_TYPE_DRM, NULL, NULL, 0);
}

static int open_codec(struct video_decoder *d, const struct video_params *p)
{
    const AVCodec *codec = d->choice.hardware ? avcodec_find_decoder_by_name(d->choice.name)
                                              : avcodec_find_decoder(p->codec->codec_id);
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
    if (d->choice.hardware)
        ret = prepare_hardware(d, codec);
    if (ret < 0)
        return ret;
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

static void begin_call(struct video_decoder *d)
{
    if (d->choice.hardware)
        decoder_watch_begin(d->watch);
}

static void end_call(struct video_decoder *d)
{
    if (d->choice.hardware)
        decoder_watch_end(d->watch);
}

int video_decoder_open(struct video_decoder **out, const struct video_params *params)
{
    struct video_decoder *d = xcalloc(1, sizeof(*d));
    d->writer = params->writer;
    d->choice = params->choice;
    d->watch = params->watch;
    begin_call(d);
    int ret = open_codec(d, params);
    end_call(d);
    if (ret < 0) {
        video_decoder_close(d);
        return ret;
    }
    *out = d;
    return 0;
}

void video_decoder_skip(struct video_decoder *d, bool skip)
{
    d->codec->skip_frame = skip ? AVDISCARD_NONREF : AVDISCARD_DEFAULT;
}

void video_decoder_close(struct video_decoder *d)
{
    if (!d)
        return;
    begin_call(d);
    avcodec_free_context(&d->codec);
    end_call(d);
    free(d);
}

void video_decoder_flush(struct video_decoder *d)
{
    begin_call(d);
    avcodec_flush_buffers(d->codec);
    end_call(d);
    d->unanswered = 0;
}

/* ---- calls -------------------------------------------------------------------------------------- */

int video_decoder_send(struct video_decoder *d, const AVPacket *pkt)
{
    begin_call(d);
    int ret = avcodec_send_packet(d->codec, pkt);
    end_call(d);
    if (pkt)
        d->unanswered++;
    if (ret < 0)
        d->failures++;
    return ret;
}

/* Copies a picture out of the device's memory. */
static int fetch(AVFrame *f)
{
    AVFrame *out = av_frame_alloc();
    int ret = out ? av_hwframe_transfer_data(out, f, 0) : AVERROR(ENOMEM);
    if (ret >= 0)
        ret = av_frame_copy_props(out, f);
    if (ret >= 0) {
        av_frame_unref(f);
        av_frame_move_ref(f, out);
        ret = 0;
    }
    av_frame_free(&out);
    return ret;
}

/* What hardware answered, and whether it can be relied on. */
static int judge(struct video_decoder *d, int ret)
{
    if (ret == 0) {
        d->unanswered = d->failures = 0;
        d->has_answered = true;
        return 0;
    }
    bool gave_nothing = ret == AVERROR_EOF && d->unanswered > 0 && !d->has_answered;
    if (ret != AVERROR(EAGAIN) && ret != AVERROR_EOF)
        d->failures++;
    bool is_fault = gave_nothing || d->unanswered > UNANSWERED_MAX || d->failures > FAILURES_MAX;
    return is_fault ? VIDEO_DECODER_FAULT : ret;
}

int video_decoder_receive(struct video_decoder *d, AVFrame *f)
{
    begin_call(d);
    int ret = avcodec_receive_frame(d->codec, f);
    if (ret == 0 && f->format == AV_PIX_FMT_DRM_PRIME)
        ret = fetch(f);
    end_call(d);
    if (d->choice.hardware)
        ret = judge(d, ret);
    if (ret == 0)
        f->pts = f->best_effort_timestamp;
    return ret;
}
