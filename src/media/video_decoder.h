/* Packets in, pictures out, decoded straight into the arena where the codec allows it. One thread. */
#pragma once

#include <libavcodec/avcodec.h>

#include "media/decoder_choice.h"
#include "media/decoder_watch.h"
#include "media/frame_writer.h"

struct video_decoder;

/* The board's decoder cannot be relied on: it gives no pictures for what it gets, or only errors. */
#define VIDEO_DECODER_FAULT AVERROR_EXTERNAL

struct video_params {
    const AVCodecParameters *codec; /* need live for the call only */
    AVRational time_base;           /* of the packets */
    int threads;                    /* 0: one per core */
    bool is_order_unknown;          /* the container does not say how far pictures are reordered */
    struct frame_writer *writer;    /* outlives the decoder and its pictures */
    struct decoder_choice choice;
    struct decoder_watch *watch; /* of hardware; outlives the decoder */
};

/* 0 or AVERROR. */
WARN_UNUSED int video_decoder_open(struct video_decoder **out, const struct video_params *params);
void video_decoder_close(struct video_decoder *d); /* NULL is fine */

/* Pictures that no other is built on need not be decoded, for packets sent from now on. */
void video_decoder_skip(struct video_decoder *d, bool skip);
/* Forgets all it was sent; the next packet is a key frame. */
void video_decoder_flush(struct video_decoder *d);
/* After a receive that gave AVERROR(EAGAIN). `pkt` NULL: the last was sent. 0, or AVERROR: this packet is
 * lost. */
WARN_UNUSED int video_decoder_send(struct video_decoder *d, const AVPacket *pkt);
/* 0: `f` holds a picture, its pts the best guess in the packets' time base. AVERROR(EAGAIN): send another
 * packet. AVERROR_EOF. VIDEO_DECODER_FAULT: no more pictures will come. Other AVERROR: a picture is lost. */
WARN_UNUSED int video_decoder_receive(struct video_decoder *d, AVFrame *f);
