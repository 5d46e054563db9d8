/* Packets in, stereo float samples at 48 kHz out, priming and padding of the codec taken off. One thread. */
#pragma once

#include <libavcodec/avcodec.h>
#include <stdbool.h>

#include "base/compiler.h"

struct audio_decoder;

struct audio_params {
    const AVCodecParameters *codec; /* need live for the call only */
    AVRational time_base;           /* of the packets */
    int64_t zero_us;                /* where media time 0 lies in the packets' time */
    bool knows_end;                 /* the last packet's duration says where its sound ends */
};

struct audio_block {
    const float *lr; /* left, right, ...; the decoder's, until the next call */
    size_t count;    /* pairs */
    int64_t pts_ns;  /* media time of the first; NO_TIME: unknown */
};

/* 0 or AVERROR. */
WARN_UNUSED int audio_decoder_open(struct audio_decoder **out, const struct audio_params *params);
void audio_decoder_close(struct audio_decoder *d); /* NULL is fine */

/* After a receive that gave AVERROR(EAGAIN). `pkt` NULL: the last was sent. 0, or AVERROR: this packet is
 * lost. */
WARN_UNUSED int audio_decoder_send(struct audio_decoder *d, const AVPacket *pkt);
/* 0; AVERROR(EAGAIN): send another packet; AVERROR_EOF; other AVERROR: a block is lost. */
WARN_UNUSED int audio_decoder_receive(struct audio_decoder *d, struct audio_block *b);
