#include "media/demuxer.h"

#include <errno.h>
#include <libavutil/avstring.h>
#include <libavutil/common.h>
#include <libavutil/intreadwrite.h>
#include <libavutil/mem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "media/language.h"
#include "media/text_choice.h"

enum {
    PRIMED_MAX = 64,       /* packets read to find where time begins */
    KEY_SEARCH_MAX = 2048, /* packets read to find a key frame behind a seek */
    ERRORS_MAX = 256,      /* failed reads in a row before the rest is given up */
};
#define PROBE_BYTES  (1024 * 1024)
#define SOUND_RUN_UP MS(250) /* decoders of sound need some packets to be exact again */
#define REORDER_NS   MS(200) /* how much later than it is decoded a picture may be shown */
#define DURATION_MAX SECONDS(24 * 3600)
#define TIME_MAX_NS  (INT64_MAX / 4) /* further from 0 is nonsense; sums of three cannot overflow */

struct demuxer {
    struct media_file *file;
    AVFormatContext *fmt;
    int index[PACKET_LANES + 1]; /* of the played streams and LANE_TEXT; -1: none */
    struct demuxer_stream stream[PACKET_LANES + 1]; /* what is told of them */
    int cover;                                      /* -1: none */
    const char *undecodable;                        /* NULL, or owned by libavcodec */
    bool is_mov, is_ogg, is_matroska;
    int64_t zero_us;
    AVPacket *primed[PRIMED_MAX]; /* read ahead, to be given out first */
    size_t primed_from, primed_to;
    uint64_t damage;
};

/* ---- opening ------------------------------------------------------------------------------------ */

/* A media file may name other files and addresses (playlists, external tracks): never opened, neither
 * through this nor through a demuxer inside a demuxer, which only obeys the list of protocols. */
static int refuse_open(AVFormatContext *fmt, AVIOContext **io, const char *url, int flags,
                       AVDictionary **options)
{
    return AVERROR(EPERM);
}

/* Opens fmt; on failure libavformat has freed it. */
static int open_format(struct demuxer *d, const char *path)
{
    AVIOContext *io = media_file_io(d->file);
    const AVInputFormat *format = NULL;
    int score = av_probe_input_buffer2(io, &format, path, NULL, 0, PROBE_BYTES);
    if (score == AVERROR_EXIT)
        return score;
    if (score < 0 || !format)
        return -ENOMEDIUM;
    d->is_mov = av_match_name("mov", format->name);
    d->is_ogg = av_match_name("ogg", format->name);
    d->is_matroska = av_match_name("matroska", format->name);
    media_file_allow_ahead(d->file, d->is_mov);
    d->fmt = avformat_alloc_context();
    if (!d->fmt)
        return AVERROR(ENOMEM);
    d->fmt->pb = io;
    d->fmt->flags |= AVFMT_FLAG_CUSTOM_IO;
    if (media_file_is_growing(d->file)) /* an index may lie where nothing is yet */
        d->fmt->flags |= AVFMT_FLAG_IGNIDX;
    d->fmt->io_open = refuse_open;
    d->fmt->protocol_whitelist = av_strdup("none");
    int ret = avformat_open_input(&d->fmt, path, format, NULL);
    bool is_by_name = score < AVPROBE_SCORE_RETRY; /* what is in it looks like no container */
    return ret < 0 && ret != AVERROR_EXIT && is_by_name ? -ENOMEDIUM : ret;
}

static bool is_cover(const AVStream *st)
{
    return (st->disposition & AV_DISPOSITION_ATTACHED_PIC) != 0;
}

/* Higher is better; 0: not at all. */
static int rank(const AVStream *st, enum AVMediaType type)
{
    if (st->codecpar->codec_type != type || is_cover(st) ||
        !avcodec_find_decoder(st->codecpar->codec_id))
        return 0;
    int impaired = AV_DISPOSITION_HEARING_IMPAIRED | AV_DISPOSITION_VISUAL_IMPAIRED;
    return 1 + (st->disposition & AV_DISPOSITION_DEFAULT ? 1 : 0) +
           (st->disposition & impaired ? 0 : 2);
}

static int best_stream(const AVFormatContext *fmt, enum AVMediaType type)
{
    int best = -1, best_rank = 0;
    for (unsigned i = 0; i < fmt->nb_streams; i++) {
        int r = rank(fmt->streams[i], type);
        if (r > best_rank) {
            best = (int)i;
            best_rank = r;
        }
    }
    return best;
}

static int lane_of(const struct demuxer *d, int stream)
{
    for (int i = 0; i <= LANE_TEXT; i++) {
        if (stream == d->index[i])
            return i;
    }
    return -1;
}

static void select_streams(struct demuxer *d, const char *languages)
{
    d->index[LANE_TEXT] = languages ? text_stream_best(d->fmt, languages) : -1;
    d->index[LANE_VIDEO] = best_stream(d->fmt, AVMEDIA_TYPE_VIDEO);
    d->index[LANE_AUDIO] = best_stream(d->fmt, AVMEDIA_TYPE_AUDIO);
    d->cover = -1;
    d->undecodable = NULL;
    for (unsigned i = 0; i < d->fmt->nb_streams; i++) {
        AVStream *st = d->fmt->streams[i];
        enum AVMediaType type = st->codecpar->codec_type;
        bool is_played = lane_of(d, (int)i) >= 0;
        st->discard = is_played ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
        if (is_cover(st) && d->cover < 0 && st->attached_pic.size > 0)
            d->cover = (int)i;
        int lane = type == AVMEDIA_TYPE_VIDEO ? LANE_VIDEO : LANE_AUDIO;
        if ((type == AVMEDIA_TYPE_VIDEO || type == AVMEDIA_TYPE_AUDIO) && !is_cover(st) &&
            d->index[lane] < 0 && !d->undecodable)
            d->undecodable = avcodec_get_name(st->codecpar->codec_id);
    }
}

/* Whether the container's header says all that decoders need. Looking into the stream instead means
 * decoding its first pictures twice. */
static bool header_is_enough(const struct demuxer *d)
{
    if (!d->is_mov && !d->is_matroska)
        return false;
    for (unsigned i = 0; i < d->fmt->nb_streams; i++) {
        const AVCodecParameters *p = d->fmt->streams[i]->codecpar;
        if (is_cover(d->fmt->streams[i]))
            continue;
        if (p->codec_type == AVMEDIA_TYPE_VIDEO &&
            (p->codec_id == AV_CODEC_ID_NONE || p->width <= 0 || p->height <= 0))
            return false;
        if (p->codec_type == AVMEDIA_TYPE_AUDIO &&
            (p->codec_id == AV_CODEC_ID_NONE || p->sample_rate <= 0 ||
             p->ch_layout.nb_channels <= 0))
            return false;
    }
    return d->fmt->nb_streams > 0;
}

/* Looks into the streams for what the header does not say. 0 or AVERROR. */
static int look_into(struct demuxer *d)
{
    unsigned count = d->fmt->nb_streams; /* it may find more */
    AVDictionary **options = xcalloc(count + 1, sizeof(AVDictionary *));
    for (unsigned i = 0; i < count; i++)
        av_dict_set_int(&options[i], "max_pixels", PICTURE_PIXELS_MAX, 0);
    int ret = avformat_find_stream_info(d->fmt, options);
    for (unsigned i = 0; i < count; i++)
        av_dict_free(&options[i]);
    free(options);
    return d->fmt->pb->error == AVERROR_EXIT ? AVERROR_EXIT : ret;
}

/* Names the codec of a stream that nothing here decodes. */
static void name_codec(const struct demuxer *d, char codec[DEMUXER_CODEC_MAX])
{
    snprintf(codec, DEMUXER_CODEC_MAX, "%s", d->undecodable);
    for (unsigned i = 0; i < d->fmt->nb_streams; i++) {
        const AVCodecParameters *p = d->fmt->streams[i]->codecpar;
        if (p->codec_id != AV_CODEC_ID_NONE || p->codec_tag == 0 ||
            (p->codec_type != AVMEDIA_TYPE_VIDEO && p->codec_type != AVMEDIA_TYPE_AUDIO))
            continue;
        snprintf(codec, DEMUXER_CODEC_MAX, "%s", av_fourcc2str(p->codec_tag));
        return;
    }
}

/* Reads one packet of a played stream. */
static int read_packet(struct demuxer *d, AVPacket *pkt, enum packet_lane *lane)
{
    for (int errors = 0; errors < ERRORS_MAX;) {
        int ret = av_read_frame(d->fmt, pkt);
        if (ret == AVERROR_EOF || ret == AVERROR_EXIT)
            return d->fmt->pb->error == AVERROR_EXIT ? AVERROR_EXIT : ret;
        if (ret < 0) {
            errors++;
            d->damage++;
            continue;
        }
        d->damage += (pkt->flags & AV_PKT_FLAG_CORRUPT) != 0;
        int which = lane_of(d, pkt->stream_index);
        if (which >= 0) {
            *lane = (enum packet_lane)which;
            return 0;
        }
        av_packet_unref(pkt);
    }
    return AVERROR_INVALIDDATA;
}

static void drop_primed(struct demuxer *d)
{
    while (d->primed_from < d->primed_to)
        av_packet_free(&d->primed[d->primed_from++]);
    d->primed_from = d->primed_to = 0;
}

/* Moves pkt into the list of those given out first. */
static int prime(struct demuxer *d, AVPacket *pkt)
{
    AVPacket *copy = av_packet_alloc();
    if (!copy)
        return AVERROR(ENOMEM);
    av_packet_move_ref(copy, pkt);
    d->primed[d->primed_to++] = copy;
    return 0;
}

/* `ts` of a stream and `skip` samples later; AV_NOPTS_VALUE: unknown or absurd. */
static int64_t start_us(const AVStream *st, int64_t ts, int64_t skip)
{
    if (ts == AV_NOPTS_VALUE)
        return AV_NOPTS_VALUE;
    int64_t us = av_rescale_q(ts, st->time_base, AV_TIME_BASE_Q);
    if (skip > 0 && st->codecpar->sample_rate > 0)
        us = av_sat_add64(us, av_rescale(skip, AV_TIME_BASE, st->codecpar->sample_rate));
    return us >= -TIME_MAX_NS / 1000 && us <= TIME_MAX_NS / 1000 ? us : AV_NOPTS_VALUE;
}

/* Samples that libavcodec's decoder drops at its beginning, of which neither container nor packet tells. */
static int64_t untold_priming(const AVCodecParameters *p)
{
    if (p->codec_id != AV_CODEC_ID_WMAV1 && p->codec_id != AV_CODEC_ID_WMAV2)
        return 0;
    int low = p->codec_id == AV_CODEC_ID_WMAV1 ? 32000 : 22050;
    int frame = p->sample_rate <= 16000 ? 512 : p->sample_rate <= low ? 1024 : 2048;
    return 2 * (int64_t)frame;
}

/* Where the packet's first heard or seen part lies; AV_NOPTS_VALUE: unknown. */
static int64_t packet_start_us(const struct demuxer *d, const AVPacket *pkt)
{
    const AVStream *st = d->fmt->streams[pkt->stream_index];
    size_t size;
    const uint8_t *side = av_packet_get_side_data(pkt, AV_PKT_DATA_SKIP_SAMPLES, &size);
    int64_t skip = side && size >= 4 ? (int64_t)AV_RL32(side) : st->codecpar->initial_padding;
    return start_us(st, pkt->pts != AV_NOPTS_VALUE ? pkt->pts : pkt->dts,
                    skip + untold_priming(st->codecpar));
}

/* Where the first played stream begins, as far as libavformat has found out; AV_NOPTS_VALUE: unknown. */
static int64_t found_start_us(const struct demuxer *d)
{
    int64_t first = AV_NOPTS_VALUE;
    for (int i = 0; i < PACKET_LANES && d->fmt->start_time != AV_NOPTS_VALUE; i++) {
        const AVStream *st = d->index[i] >= 0 ? d->fmt->streams[d->index[i]] : NULL;
        int64_t us =
            st ? start_us(st, st->start_time, untold_priming(st->codecpar)) : AV_NOPTS_VALUE;
        if (us != AV_NOPTS_VALUE && (first == AV_NOPTS_VALUE || us < first))
            first = us;
    }
    return first;
}

/* Media time 0 is where the first played stream begins. */
static int find_zero(struct demuxer *d)
{
    int64_t found = found_start_us(d);
    if (found != AV_NOPTS_VALUE) {
        d->zero_us = found;
        return 0;
    }
    AVPacket *pkt = av_packet_alloc();
    int64_t first = INT64_MAX;
    bool is_seen[PACKET_LANES] = { d->index[LANE_VIDEO] < 0, d->index[LANE_AUDIO] < 0 };
    int ret = pkt ? 0 : AVERROR(ENOMEM);
    while (ret == 0 && d->primed_to < PRIMED_MAX && !(is_seen[LANE_VIDEO] && is_seen[LANE_AUDIO])) {
        enum packet_lane lane;
        ret = read_packet(d, pkt, &lane);
        if (ret < 0)
            break;
        int64_t us = packet_start_us(d, pkt);
        if (lane != LANE_TEXT && us != AV_NOPTS_VALUE) {
            first = is_seen[lane] ? first : min_i64(first, us);
            is_seen[lane] = true;
        }
        ret = prime(d, pkt);
    }
    av_packet_free(&pkt);
    d->zero_us = first != INT64_MAX ? first : 0;
    return ret == AVERROR_EXIT || ret == AVERROR(ENOMEM) ? ret
                                                         : 0; /* others come again on reading */
}

/* Copied, because reading on may change the originals. */
static int describe_streams(struct demuxer *d, bool was_looked_into)
{
    for (int i = 0; i <= LANE_TEXT; i++) {
        if (d->index[i] < 0)
            continue;
        const AVStream *st = d->fmt->streams[d->index[i]];
        struct demuxer_stream *s = &d->stream[i];
        *s = (struct demuxer_stream){
            .codec = avcodec_parameters_alloc(),
            .time_base = st->time_base,
            .frame_rate = st->avg_frame_rate,
            .traits = picture_traits_of(st),
            .is_order_unknown = !was_looked_into && !d->is_mov,
        };
        int ret = s->codec ? avcodec_parameters_copy(s->codec, st->codecpar) : AVERROR(ENOMEM);
        if (ret < 0)
            return ret;
    }
    return 0;
}

static int open_all(struct demuxer *d, const char *path, const char *languages,
                    char codec[DEMUXER_CODEC_MAX])
{
    int ret = open_format(d, path);
    if (ret < 0)
        return ret;
    bool needs_look = !header_is_enough(d);
    if (needs_look && look_into(d) == AVERROR_EXIT)
        return AVERROR_EXIT;
    select_streams(d, languages);
    if (d->index[LANE_VIDEO] < 0 && d->index[LANE_AUDIO] < 0) {
        if (!d->undecodable)
            return AVERROR_STREAM_NOT_FOUND;
        name_codec(d, codec);
        return AVERROR_DECODER_NOT_FOUND;
    }
    ret = describe_streams(d, needs_look);
    return ret < 0 ? ret : find_zero(d);
}

int demuxer_open(struct demuxer **out, struct media_file *file, const char *path,
                 const char *languages, char codec[DEMUXER_CODEC_MAX])
{
    struct demuxer *d = xcalloc(1, sizeof(*d));
    d->file = file;
    int ret = open_all(d, path, languages, codec);
    if (ret < 0) {
        demuxer_close(d);
        return ret;
    }
    *out = d;
    return 0;
}

void demuxer_close(struct demuxer *d)
{
    if (!d)
        return;
    drop_primed(d);
    for (int i = 0; i <= LANE_TEXT; i++)
        avcodec_parameters_free(&d->stream[i].codec);
    avformat_close_input(&d->fmt);
    free(d);
}

/* ---- what it found ------------------------------------------------------------------------------ */

const struct demuxer_stream *demuxer_stream(const struct demuxer *d, enum packet_lane lane)
{
    return d->index[lane] >= 0 ? &d->stream[lane] : NULL;
}

static const AVStream *played(const struct demuxer *d, int lane)
{
    return d->index[lane] >= 0 ? d->fmt->streams[d->index[lane]] : NULL;
}

const AVStream *demuxer_cover(const struct demuxer *d)
{
    return d->cover >= 0 ? d->fmt->streams[d->cover] : NULL;
}

void demuxer_name_text(const struct demuxer *d, char *out, size_t size)
{
    char name[64];
    *out = '\0';
    if (d->index[LANE_TEXT] < 0)
        return;
    const AVDictionary *tags = d->fmt->streams[d->index[LANE_TEXT]]->metadata;
    const AVDictionaryEntry *language = av_dict_get(tags, "language", NULL, 0);
    const AVDictionaryEntry *title = av_dict_get(tags, "title", NULL, 0);
    bool is_named = language && !language_is_unknown(language->value);
    snprintf(name, sizeof(name), "%.16s%s%.40s%s", is_named ? language->value : "in the file",
             title ? " (" : "", title ? title->value : "", title ? ")" : "");
    text_clean(out, size, name);
}

const char *demuxer_undecodable(const struct demuxer *d)
{
    return d->undecodable;
}

bool demuxer_knows_sound_end(const struct demuxer *d)
{
    return d->is_mov;
}

bool demuxer_is_still(const struct demuxer *d)
{
    const char *name = d->fmt->iformat->name;
    return strstr(name, "_pipe") || strcmp(name, "image2") == 0;
}

int64_t demuxer_duration_ns(const struct demuxer *d)
{
    int64_t us = d->fmt->duration;
    if (d->is_matroska && us > 0) /* it says where its time ends, which need not begin at 0 */
        us -= max_i64(d->zero_us, 0);
    for (int i = 0; i < PACKET_LANES && us <= 0; i++) {
        const AVStream *st = played(d, i);
        if (st && st->duration > 0)
            us = av_rescale_q(st->duration, st->time_base, AV_TIME_BASE_Q);
    }
    return us > 0 && us <= DURATION_MAX / 1000 ? us * 1000 : 0;
}

bool demuxer_guesses_duration(const struct demuxer *d)
{
    return d->fmt->duration_estimation_method == AVFMT_DURATION_FROM_BITRATE;
}

uint64_t demuxer_damage(const struct demuxer *d)
{
    int error = d->fmt->pb->error; /* the disk's: libavformat takes it for the end of the file */
    return d->damage + (error < 0 && error != AVERROR_EOF && error != AVERROR_EXIT);
}

const char *demuxer_tag(const struct demuxer *d, const char *name)
{
    const AVDictionaryEntry *e = av_dict_get(d->fmt->metadata, name, NULL, 0);
    for (int i = 0; i < PACKET_LANES && !e; i++) { /* Ogg keeps tags with the stream */
        const AVStream *st = played(d, i);
        e = st ? av_dict_get(st->metadata, name, NULL, 0) : NULL;
    }
    return e ? e->value : NULL;
}

int64_t demuxer_zero_us(const struct demuxer *d)
{
    return d->zero_us;
}

int64_t demuxer_time_ns(const struct demuxer *d, enum packet_lane lane, int64_t ts)
{
    return media_time_ns(ts, d->stream[lane].time_base, d->zero_us);
}

int64_t media_time_ns(int64_t ts, AVRational time_base, int64_t zero_us)
{
    if (ts == AV_NOPTS_VALUE || time_base.num <= 0 || time_base.den <= 0)
        return NO_TIME;
    int64_t ns = av_rescale_q(ts, time_base, (AVRational){ 1, NS_PER_S });
    if (ns < -TIME_MAX_NS || ns > TIME_MAX_NS)
        return NO_TIME;
    return ns - zero_us * 1000;
}

/* ---- reading and seeking ------------------------------------------------------------------------ */

int demuxer_read(struct demuxer *d, AVPacket *pkt, enum packet_lane *lane)
{
    if (d->primed_from == d->primed_to)
        return read_packet(d, pkt, lane);
    AVPacket *first = d->primed[d->primed_from++];
    *lane = (enum packet_lane)lane_of(d, first->stream_index);
    av_packet_move_ref(pkt, first);
    av_packet_free(&first);
    return 0;
}

static int64_t packet_time_ns(const struct demuxer *d, enum packet_lane lane, const AVPacket *pkt)
{
    return demuxer_time_ns(d, lane, pkt->pts != AV_NOPTS_VALUE ? pkt->pts : pkt->dts);
}

/* Reads on until `at_ns`, so that a file without an index yet (a download) learns where its key frames
 * are. */
static int read_until(struct demuxer *d, AVPacket *pkt, int64_t at_ns)
{
    enum packet_lane lane, leading = d->index[LANE_VIDEO] >= 0 ? LANE_VIDEO : LANE_AUDIO;
    for (;;) {
        int ret = demuxer_read(d, pkt, &lane);
        if (ret < 0)
            return ret == AVERROR_EOF ? 0 : ret;
        int64_t at = packet_time_ns(d, lane, pkt);
        av_packet_unref(pkt);
        if (lane == leading && at != NO_TIME && at >= at_ns)
            return 0;
    }
}

static int seek_to(struct demuxer *d, int64_t at_ns)
{
    enum packet_lane lane = d->index[LANE_VIDEO] >= 0 ? LANE_VIDEO : LANE_AUDIO;
    int64_t ts = av_rescale_q(at_ns + d->zero_us * 1000, (AVRational){ 1, NS_PER_S },
                              d->stream[lane].time_base);
    int ret = avformat_seek_file(d->fmt, d->index[lane], INT64_MIN, ts, ts, 0);
    if (ret >= 0)
        drop_primed(d);
    return ret < 0 ? ret : 0;
}

/* Containers without an index miss the first key frame when asked for exactly its time; those with one
 * may refuse a time before it. */
static int rewind_all(struct demuxer *d)
{
    int ret = seek_to(d, -SECONDS(10));
    return ret < 0 && ret != AVERROR_EXIT ? seek_to(d, 0) : ret;
}

/* Finds the key frame that decoding begins with and keeps it; what lies before is of no use.
 * 0; AVERROR(EAGAIN): it comes after `start_ns`, go further back; other AVERROR. */
static int take_key(struct demuxer *d, AVPacket *pkt, int64_t start_ns)
{
    for (int i = 0; i < KEY_SEARCH_MAX; i++) {
        enum packet_lane lane;
        int ret = read_packet(d, pkt, &lane);
        if (ret < 0)
            return ret == AVERROR_EOF ? AVERROR(EAGAIN) : ret;
        if (lane == LANE_VIDEO && (pkt->flags & AV_PKT_FLAG_KEY)) {
            int64_t at = packet_time_ns(d, lane, pkt);
            int64_t shown_later = pkt->pts == AV_NOPTS_VALUE ? REORDER_NS : 0;
            if (at == NO_TIME || at + shown_later <= max_i64(start_ns, shown_later))
                return prime(d, pkt);
            return AVERROR(EAGAIN);
        }
        av_packet_unref(pkt);
    }
    return AVERROR(EAGAIN);
}

static int seek_back(struct demuxer *d, AVPacket *pkt, int64_t start_ns)
{
    /* Containers without an index land between key frames: then from further back. */
    static const int64_t further[] = { 0, SECONDS(3), SECONDS(12), INT64_MAX };
    /* Ogg knows the times of sound from the second page on, and a page may last a second. */
    size_t first = d->is_ogg ? 1 : 0;
    if (d->index[LANE_VIDEO] < 0)
        return seek_to(d, max_i64(start_ns - SOUND_RUN_UP, 0));
    int ret = 0;
    for (size_t i = first; i < ARRAY_LEN(further); i++) {
        ret = further[i] < start_ns ? seek_to(d, start_ns - further[i]) : rewind_all(d);
        if (ret == 0)
            ret = take_key(d, pkt, start_ns);
        if (ret != AVERROR(EAGAIN))
            return ret;
        av_packet_unref(pkt);
    }
    return rewind_all(d);
}

int demuxer_seek(struct demuxer *d, int64_t start_ns)
{
    AVPacket *pkt = av_packet_alloc();
    if (!pkt)
        return AVERROR(ENOMEM);
    int ret = 0;
    if (media_file_is_growing(d->file) && !d->is_mov)
        ret = read_until(d, pkt, start_ns);
    media_file_freeze(d->file, !d->is_mov); /* the start lies within it by now */
    if (ret == 0)
        ret = seek_back(d, pkt, start_ns);
    media_file_freeze(d->file, false);
    av_packet_free(&pkt);
    return ret;
}
