/* The few places where FFmpeg 5.1 and 7.x spell the same thing differently. */
#pragma once

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/frame.h>
#include <stdbool.h>
#include <stdint.h>

/* Length of a picture in units of its packet's time base; 0: unknown. */
static inline int64_t compat_frame_duration(const AVFrame *f)
{
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(58, 2, 100)
    return f->duration;
#else
    return f->pkt_duration;
#endif
}

static inline bool compat_frame_is_interlaced(const AVFrame *f)
{
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(58, 29, 100)
    return (f->flags & AV_FRAME_FLAG_INTERLACED) != 0;
#else
    return f->interlaced_frame != 0;
#endif
}

/* The nine numbers of the stream's display matrix, or NULL. Owned by the stream. */
static inline const int32_t *compat_display_matrix(const AVStream *st)
{
    const void *data = NULL;
    size_t size = 0;
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(60, 31, 102)
    const AVPacketSideData *sd = av_packet_side_data_get(
        st->codecpar->coded_side_data, st->codecpar->nb_coded_side_data, AV_PKT_DATA_DISPLAYMATRIX);
    if (sd) {
        data = sd->data;
        size = sd->size;
    }
#else
    data = av_stream_get_side_data(st, AV_PKT_DATA_DISPLAYMATRIX, &size);
#endif
    return size >= 9 * sizeof(int32_t) ? (const int32_t *)data : NULL;
}

/* Says that our buffer callback may be called from any decoder thread; from FFmpeg 6 on it must. */
static inline void compat_allow_threaded_buffers(AVCodecContext *c)
{
#if LIBAVCODEC_VERSION_MAJOR < 60
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    c->thread_safe_callbacks = 1;
#pragma GCC diagnostic pop
#else
    (void)c;
#endif
}
