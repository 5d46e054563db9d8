#include "media/inspect.h"

#include <errno.h>
#include <libavutil/mem.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "media/demuxer.h"

#define TAGS_BYTES ((int64_t)64 * 1024 * 1024)
/* What a stream may end before or after the file's end: rounding of whole seconds, a last long sample. */
#define END_NEAR_S    2.0
#define END_NEAR_PART 0.01
#define HOLE_NS       SECONDS(2)

static bool PRINTF_LIKE(2, 3) refuse(char why[INSPECT_WHY_MAX], const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, INSPECT_WHY_MAX, fmt, ap);
    va_end(ap);
    return false;
}

void inspect_limit_memory(size_t bytes)
{
    av_max_alloc(bytes);
}

/* ---- opening ------------------------------------------------------------------------------------ */

struct look {
    struct media_file *file;
    struct demuxer *demuxer;
};

static void look_close(struct look *l)
{
    demuxer_close(l->demuxer);
    media_file_close(l->file);
}

static bool refuse_file(char why[INSPECT_WHY_MAX], int error)
{
    switch (error) {
    case -ENOENT: return refuse(why, "There is no such file.");
    case -EACCES: return refuse(why, "There is no permission to read it.");
    case -EISDIR: return refuse(why, "It is a folder, not a file.");
    case -EINVAL: return refuse(why, "It is not a regular file.");
    case -ENODATA: return refuse(why, "It is empty (0 bytes).");
    default: return refuse(why, "It cannot be read: %s.", strerrordesc_np(-error));
    }
}

static bool refuse_contents(char why[INSPECT_WHY_MAX], int error, const char *codec)
{
    switch (error) {
    case AVERROR_EXIT: return refuse(why, "It took too long to read.");
    case -ENOMEDIUM: return refuse(why, "It is no video or music file.");
    case AVERROR_DECODER_NOT_FOUND: return refuse(why, "Nothing here decodes %s.", codec);
    case AVERROR_STREAM_NOT_FOUND: return refuse(why, "It has neither picture nor sound.");
    default: return refuse(why, "Its beginning is damaged.");
    }
}

/* false: `why` says why, nothing is left open. */
static bool look_open(struct look *l, const char *path, struct gate *gate, int64_t bytes,
                      char why[INSPECT_WHY_MAX])
{
    char codec[DEMUXER_CODEC_MAX] = "";
    *l = (struct look){ 0 };
    int ret = media_file_open(&l->file, path, gate);
    if (ret < 0)
        return refuse_file(why, ret);
    media_file_limit(l->file, bytes);
    ret = demuxer_open(&l->demuxer, l->file, path, NULL, codec);
    if (ret == 0)
        return true;
    look_close(l);
    return refuse_contents(why, ret, codec);
}

/* ---- tags --------------------------------------------------------------------------------------- */

static void name_codec(const struct demuxer *d, enum packet_lane lane, char out[INSPECT_CODEC_MAX])
{
    const struct demuxer_stream *s = demuxer_stream(d, lane);
    snprintf(out, INSPECT_CODEC_MAX, "%s", s ? avcodec_get_name(s->codec->codec_id) : "");
}

static void take_tag(const struct demuxer *d, const char *name, char out[INSPECT_TEXT_MAX])
{
    const char *text = demuxer_tag(d, name);
    text_clean(out, INSPECT_TEXT_MAX, text ? text : "");
}

bool inspect_read_tags(const char *path, struct gate *gate, struct inspect_tags *out,
                       char why[INSPECT_WHY_MAX])
{
    struct look l;
    *out = (struct inspect_tags){ 0 };
    if (!look_open(&l, path, gate, TAGS_BYTES, why))
        return false;
    take_tag(l.demuxer, "title", out->title);
    take_tag(l.demuxer, "artist", out->artist);
    name_codec(l.demuxer, LANE_VIDEO, out->video_codec);
    name_codec(l.demuxer, LANE_AUDIO, out->audio_codec);
    out->duration_s = (double)demuxer_duration_ns(l.demuxer) / (double)NS_PER_S;
    look_close(&l);
    return true;
}

/* ---- the whole ---------------------------------------------------------------------------------- */

/* What was seen of a stream. */
struct lane_seen {
    uint64_t packets;
    int64_t at_ns;      /* of the newest packet, in the order of decoding; NO_TIME: none yet */
    int64_t last_ns;    /* end of the last picture or sound */
    int64_t hole_ns;    /* largest step from one packet to the next */
    int64_t hole_at_ns; /* where it begins */
};

static const char *const lane_name[PACKET_LANES] = {
    [LANE_VIDEO] = "picture",
    [LANE_AUDIO] = "sound",
};

static void see(struct lane_seen *s, const struct demuxer *d, enum packet_lane lane,
                const AVPacket *pkt)
{
    int64_t shown = pkt->pts != AV_NOPTS_VALUE ? pkt->pts : pkt->dts;
    int64_t decoded = pkt->dts != AV_NOPTS_VALUE ? pkt->dts : pkt->pts;
    int64_t at = demuxer_time_ns(d, lane, decoded);
    s->packets++;
    if (at == NO_TIME)
        return;
    if (s->at_ns != NO_TIME && at - s->at_ns > s->hole_ns) {
        s->hole_ns = at - s->at_ns;
        s->hole_at_ns = s->at_ns;
    }
    s->at_ns = at;
    int64_t end = demuxer_time_ns(d, lane, shown + max_i64(pkt->duration, 0));
    s->last_ns = max_i64(s->last_ns, end);
}

static bool read_all(const struct look *l, struct lane_seen seen[PACKET_LANES],
                     char why[INSPECT_WHY_MAX])
{
    enum packet_lane lane;
    AVPacket *pkt = av_packet_alloc();
    int ret = pkt ? 0 : AVERROR(ENOMEM);
    while (ret == 0 && (ret = demuxer_read(l->demuxer, pkt, &lane)) == 0) {
        see(&seen[lane], l->demuxer, lane, pkt);
        av_packet_unref(pkt);
    }
    av_packet_free(&pkt);
    if (ret == AVERROR_EXIT)
        return refuse(why, "It took too long to read.");
    if (ret != AVERROR_EOF || demuxer_damage(l->demuxer))
        return refuse(why, "It is damaged.");
    return true;
}

static bool check_lane(const struct lane_seen *s, const char *name, double duration_s,
                       char why[INSPECT_WHY_MAX])
{
    double end_s = (double)s->last_ns / (double)NS_PER_S;
    double near_s = fmax(END_NEAR_S, END_NEAR_PART * duration_s);
    if (!s->packets)
        return refuse(why, "Its %s is missing.", name);
    if (s->hole_ns >= HOLE_NS)
        return refuse(why, "Its %s has a hole of %.1f s at %.0f s.", name,
                      (double)s->hole_ns / (double)NS_PER_S,
                      (double)s->hole_at_ns / (double)NS_PER_S);
    if (duration_s > 0 && fabs(end_s - duration_s) > near_s)
        return refuse(why, "Its %s ends at %.0f s instead of %.0f s.", name, end_s, duration_s);
    return true;
}

static bool check_all(const struct look *l, double duration_s, char why[INSPECT_WHY_MAX])
{
    struct lane_seen seen[PACKET_LANES];
    for (int i = 0; i < PACKET_LANES; i++)
        seen[i] = (struct lane_seen){ .at_ns = NO_TIME };
    if (!read_all(l, seen, why))
        return false;
    if (duration_s <= 0 && !demuxer_guesses_duration(l->demuxer))
        duration_s = (double)demuxer_duration_ns(l->demuxer) / (double)NS_PER_S;
    for (int i = 0; i < PACKET_LANES; i++)
        if (demuxer_stream(l->demuxer, (enum packet_lane)i) &&
            !check_lane(&seen[i], lane_name[i], duration_s, why))
            return false;
    return true;
}

bool inspect_check(const char *path, double duration_s, struct gate *gate,
                   char why[INSPECT_WHY_MAX])
{
    struct look l;
    if (!look_open(&l, path, gate, INT64_MAX, why))
        return false;
    bool is_whole = check_all(&l, duration_s, why);
    look_close(&l);
    return is_whole;
}
