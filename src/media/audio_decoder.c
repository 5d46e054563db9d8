#include "media/audio_decoder.h"

#include <libswresample/swresample.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "media/demuxer.h"
#include "shm/control.h"

enum { BLOCK_MAX = 1 << 20, BLOCK_MAX_S = 30, RATE_MIN = 1000, RATE_MAX = 768000 };

struct audio_decoder {
    struct audio_params params;
    AVCodecContext *codec;
    AVFrame *frame;
    AVFrame *held;   /* if the end is known: the newest, until another follows */
    int64_t end_ts;  /* where the last packet ends, in its time base; AV_NOPTS_VALUE: unknown */
    bool is_drained; /* the codec has no more */

    SwrContext *swr;        /* NULL until the first block */
    AVChannelLayout layout; /* of what swr is made for ... */
    int rate, format;
    float *out;
    int out_cap; /* pairs */
};

static int open_codec(struct audio_decoder *d)
{
    const AVCodec *codec = avcodec_find_decoder(d->params.codec->codec_id);
    if (!codec)
        return AVERROR_DECODER_NOT_FOUND;
    d->codec = avcodec_alloc_context3(codec);
    d->frame = av_frame_alloc();
    d->held = av_frame_alloc();
    if (!d->codec || !d->frame || !d->held)
        return AVERROR(ENOMEM);
    int ret = avcodec_parameters_to_context(d->codec, d->params.codec);
    if (ret < 0)
        return ret;
    d->codec->pkt_timebase = d->params.time_base; /* libavcodec trims priming by it */
    d->codec->thread_count = 1;
    return avcodec_open2(d->codec, codec, NULL);
}

int audio_decoder_open(struct audio_decoder **out, const struct audio_params *params)
{
    struct audio_decoder *d = xcalloc(1, sizeof(*d));
    d->params = *params;
    d->end_ts = AV_NOPTS_VALUE;
    int ret = open_codec(d);
    d->params.codec = NULL;
    if (ret < 0) {
        audio_decoder_close(d);
        return ret;
    }
    *out = d;
    return 0;
}

void audio_decoder_close(struct audio_decoder *d)
{
    if (!d)
        return;
    avcodec_free_context(&d->codec);
    av_frame_free(&d->frame);
    av_frame_free(&d->held);
    swr_free(&d->swr);
    av_channel_layout_uninit(&d->layout);
    free(d->out);
    free(d);
}

int audio_decoder_send(struct audio_decoder *d, const AVPacket *pkt)
{
    bool ends = pkt && pkt->pts != AV_NOPTS_VALUE && pkt->duration > 0 &&
                pkt->pts < INT64_MAX - pkt->duration && !(pkt->flags & AV_PKT_FLAG_DISCARD);
    if (ends && (d->end_ts == AV_NOPTS_VALUE || pkt->pts + pkt->duration > d->end_ts))
        d->end_ts = pkt->pts + pkt->duration;
    return avcodec_send_packet(d->codec, pkt);
}

/* Takes off the last block what the codec added to fill its packet. */
static void trim_padding(const struct audio_decoder *d, AVFrame *f)
{
    if (d->end_ts == AV_NOPTS_VALUE || f->pts == AV_NOPTS_VALUE || f->sample_rate <= 0)
        return;
    int64_t left =
        av_rescale_q(d->end_ts - f->pts, d->params.time_base, (AVRational){ 1, f->sample_rate });
    if (left >= 0 && left < f->nb_samples)
        f->nb_samples = (int)left;
}

static bool is_sane(const AVFrame *f)
{
    return f->nb_samples >= 0 && f->nb_samples <= BLOCK_MAX && f->sample_rate >= RATE_MIN &&
           f->sample_rate <= RATE_MAX && f->nb_samples <= BLOCK_MAX_S * f->sample_rate &&
           f->ch_layout.nb_channels > 0;
}

static int prepare(struct audio_decoder *d, const AVFrame *f)
{
    if (d->swr && d->rate == f->sample_rate && d->format == f->format &&
        av_channel_layout_compare(&d->layout, &f->ch_layout) == 0)
        return 0;
    swr_free(&d->swr);
    int ret = av_channel_layout_copy(&d->layout, &f->ch_layout);
    if (ret < 0)
        return ret;
    d->rate = f->sample_rate;
    d->format = f->format;
    AVChannelLayout stereo = AV_CHANNEL_LAYOUT_STEREO, guessed = { 0 };
    AVChannelLayout *from = &d->layout;
    if (from->order == AV_CHANNEL_ORDER_UNSPEC) {
        av_channel_layout_default(&guessed, from->nb_channels);
        from = &guessed;
    }
    ret = swr_alloc_set_opts2(&d->swr, &stereo, AV_SAMPLE_FMT_FLT, SAMPLE_RATE, from, f->format,
                              f->sample_rate, 0, NULL);
    if (ret >= 0)
        ret = swr_init(d->swr);
    if (ret < 0)
        swr_free(&d->swr);
    av_channel_layout_uninit(&guessed);
    return ret < 0 ? ret : 0;
}

/* Converts `f`, or, when it is NULL, what the resampler still holds. */
static int convert(struct audio_decoder *d, const AVFrame *f, struct audio_block *b)
{
    int in = f ? f->nb_samples : 0;
    int room = swr_get_out_samples(d->swr, in);
    if (room < 0)
        return room;
    if (room > d->out_cap) {
        d->out = xrealloc(d->out, (size_t)room * 2 * sizeof(*d->out));
        d->out_cap = room;
    }
    int64_t delay_ns = swr_get_delay(d->swr, NS_PER_S);
    int64_t pts_ns = f ? media_time_ns(f->pts, d->params.time_base, d->params.zero_us) : NO_TIME;
    int n = swr_convert(d->swr, (uint8_t *[]){ (uint8_t *)d->out }, d->out_cap,
                        f ? (const uint8_t **)f->extended_data : NULL, in);
    if (n < 0)
        return n;
    *b = (struct audio_block){
        .lr = d->out,
        .count = (size_t)n,
        .pts_ns = pts_ns == NO_TIME ? NO_TIME : pts_ns - delay_ns,
    };
    return 0;
}

static int convert_held(struct audio_decoder *d, struct audio_block *b)
{
    int ret = is_sane(d->held) ? prepare(d, d->held) : AVERROR_INVALIDDATA;
    if (ret == 0)
        ret = convert(d, d->held, b);
    av_frame_unref(d->held);
    return ret;
}

/* The codec has ended: the held block, then the resampler's rest. */
static int receive_last(struct audio_decoder *d, struct audio_block *b)
{
    if (d->held->buf[0]) {
        trim_padding(d, d->held);
        return convert_held(d, b);
    }
    if (!d->swr)
        return AVERROR_EOF;
    int ret = convert(d, NULL, b);
    swr_free(&d->swr);
    return ret;
}

int audio_decoder_receive(struct audio_decoder *d, struct audio_block *b)
{
    while (!d->is_drained) {
        int ret = avcodec_receive_frame(d->codec, d->frame);
        if (ret == AVERROR_EOF) {
            d->is_drained = true;
            break;
        }
        if (ret < 0)
            return ret;
        if (d->frame->pts == AV_NOPTS_VALUE)
            d->frame->pts = d->frame->best_effort_timestamp;
        ret = d->held->buf[0] ? convert_held(d, b) : AVERROR(EAGAIN);
        av_frame_move_ref(d->held, d->frame);
        if (ret != AVERROR(EAGAIN))
            return ret;
        if (!d->params.knows_end)
            return convert_held(d, b);
    }
    return receive_last(d, b);
}
