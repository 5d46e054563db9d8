#include "media/text_file.h"

#include <errno.h>
#include <libavutil/mem.h>
#include <sys/stat.h>

#include "media/demuxer.h"
#include "media/media_file.h"
#include "media/text_choice.h"

/* Subtitle files name no others. */
static int refuse_open(AVFormatContext *fmt, AVIOContext **io, const char *url, int flags,
                       AVDictionary **options)
{
    return AVERROR(EPERM);
}

static int read_all(AVFormatContext *fmt, struct gate *gate, struct text_track *track)
{
    AVPacket *pkt = av_packet_alloc();
    int ret = pkt ? 0 : AVERROR(ENOMEM);
    while (ret == 0 && !gate_is_stopped(gate)) {
        ret = av_read_frame(fmt, pkt);
        if (ret < 0)
            break;
        if (pkt->stream_index == 0)
            text_track_add(track, pkt);
        av_packet_unref(pkt);
    }
    av_packet_free(&pkt);
    return ret == AVERROR_EOF ? 0 : ret;
}

/* The format is known by the name, so nothing else can be made of what is in it. */
static int open_format(AVFormatContext **out, struct media_file *file, const char *path)
{
    const char *name = text_file_format(path);
    const AVInputFormat *format = name ? av_find_input_format(name) : NULL;
    AVFormatContext *fmt = format ? avformat_alloc_context() : NULL;
    if (!fmt)
        return AVERROR_DEMUXER_NOT_FOUND;
    fmt->pb = media_file_io(file);
    fmt->flags |= AVFMT_FLAG_CUSTOM_IO;
    fmt->io_open = refuse_open;
    fmt->protocol_whitelist = av_strdup("none");
    int ret = avformat_open_input(&fmt, path, format, NULL);
    if (ret < 0)
        return ret;
    *out = fmt;
    if (fmt->nb_streams != 1)
        return AVERROR_STREAM_NOT_FOUND;
    return 0;
}

static int read_file(struct text_track **out, struct media_file *file, const char *path,
                     struct gate *gate, const struct log *log)
{
    AVFormatContext *fmt = NULL;
    int ret = open_format(&fmt, file, path);
    if (ret == 0)
        ret = text_track_create(out, fmt->streams[0]->codecpar, fmt->streams[0]->time_base, 0, log);
    if (ret == 0)
        ret = read_all(fmt, gate, *out);
    avformat_close_input(&fmt);
    return ret;
}

int text_file_open(struct text_track **out, const char *path, struct gate *gate,
                   const struct log *log)
{
    struct media_file *file;
    struct stat st;
    *out = NULL;
    if (stat(path, &st) == 0 && st.st_size > TEXT_FILE_MAX)
        return -EFBIG;
    int ret = media_file_open(&file, path, gate);
    if (ret < 0)
        return ret;
    media_file_freeze(file, true);
    media_file_limit(file, TEXT_FILE_MAX * 2); /* looked at twice: what it is, and what it holds */
    ret = read_file(out, file, path, gate, log);
    media_file_close(file);
    if (ret < 0) {
        text_track_destroy(*out);
        *out = NULL;
    }
    return ret;
}
