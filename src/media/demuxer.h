/* A container being read: which streams are played, where media time 0 lies, packets in order.
 * One thread at a time. */
#pragma once

#include <libavformat/avformat.h>
#include <stdbool.h>

#include "base/log.h"
#include "media/media_file.h"
#include "media/packet_queue.h"
#include "media/picture_format.h"

#define DEMUXER_CODEC_MAX 64

struct demuxer;

/* 0; AVERROR_EXIT: stopped; -ENOMEDIUM: no container format fits; AVERROR_DECODER_NOT_FOUND: streams, but
 * none that can be decoded (`codec` then names one); AVERROR_STREAM_NOT_FOUND: neither
 * picture nor sound; other AVERROR: the header is damaged. `file` outlives the demuxer. `languages`: of the subtitles
 * that are read as well, best first (see language_place()); NULL: none are. */
WARN_UNUSED int demuxer_open(struct demuxer **out, struct media_file *file, const char *path,
                             const char *languages, char codec[DEMUXER_CODEC_MAX]);
void demuxer_close(struct demuxer *d); /* NULL is fine */

/* What decoders need to know of a stream. Constant while the demuxer lives, so any thread may look. */
struct demuxer_stream {
    AVCodecParameters *codec;
    AVRational time_base;
    AVRational frame_rate;        /* 0/x: unknown */
    struct picture_traits traits; /* of video */
    bool is_order_unknown;        /* nobody says how far pictures are reordered */
};

/* The stream played in a lane, LANE_TEXT too; NULL: none. Owned by the demuxer. */
const struct demuxer_stream *demuxer_stream(const struct demuxer *d, enum packet_lane lane);
/* The cover picture beside the sound; NULL: none. Constant; any thread may look. */
const AVStream *demuxer_cover(const struct demuxer *d);
/* What a person would call the subtitles, "de (Deutsch)"; "": there are none. */
void demuxer_name_text(const struct demuxer *d, char *out, size_t size);
/* The name of a stream's codec that was left out because nothing here decodes it; NULL: none. */
const char *demuxer_undecodable(const struct demuxer *d);
/* Whether the container knows to the sample where its sound ends. */
bool demuxer_knows_sound_end(const struct demuxer *d);
/* Whether the file is a single picture and not a film. */
bool demuxer_is_still(const struct demuxer *d);
/* Length of the file; 0: unknown or absurd. */
int64_t demuxer_duration_ns(const struct demuxer *d);
/* Whether that is only worked out from size and bit rate. */
bool demuxer_guesses_duration(const struct demuxer *d);
/* How many reads have failed, or gave a packet that is damaged, so far. */
uint64_t demuxer_damage(const struct demuxer *d);
/* A tag of the file as it is; NULL: none. */
const char *demuxer_tag(const struct demuxer *d, const char *name);

/* A time stamp (AV_NOPTS_VALUE: unknown) as media time; NO_TIME when unknown or absurd. Pure. */
int64_t media_time_ns(int64_t ts, AVRational time_base, int64_t zero_us);
/* Likewise, of a played stream of this file, LANE_TEXT too. Any thread. */
int64_t demuxer_time_ns(const struct demuxer *d, enum packet_lane lane, int64_t ts);
/* Where media time 0 lies, in the file's own time. */
int64_t demuxer_zero_us(const struct demuxer *d);

/* Goes to the last point at or before `start_ns` from which pictures can be decoded. 0, AVERROR_EXIT, or
 * another AVERROR: it cannot be done, reading goes on from the beginning. */
WARN_UNUSED int demuxer_seek(struct demuxer *d, int64_t start_ns);
/* The next packet of a played stream, or of LANE_TEXT; `pkt` must be blank. 0, AVERROR_EOF, AVERROR_EXIT; another AVERROR:
 * nothing more can be made out of the file. */
WARN_UNUSED int demuxer_read(struct demuxer *d, AVPacket *pkt, enum packet_lane *lane);
