/* The thread of a load that makes its pictures: from its video, else its cover, else the visual. */
#include "media/load_internal.h"

#include <stdio.h>

#include "media/catch_up.h"
#include "media/deinterlace.h"
#include "media/ffmpeg_compat.h"
#include "media/image_convert.h"
#include "media/picture_format.h"
#include "media/pts_repair.h"
#include "media/video_decoder.h"
#include "media/visual.h"

enum {
    STUCK = 64,            /* failed receives in a row before the codec counts as stuck */
    COVER_SIDE_MAX = 1920, /* larger pictures beside sound are made smaller */
    STILL_SIDE_MAX = 3840,
    TRIM_AT = 3, /* pictures out: the former load's larger ones are gone by then */
};
#define STILL_NS SECONDS(10)        /* how long a single picture is shown */
#define COVER_NS SECONDS(24 * 3600) /* a cover stands until the sound ends */

struct video_run {
    struct load *load;
    const struct demuxer_stream *stream;
    struct video_decoder *decoder;
    struct deinterlace *deinterlace; /* NULL until an interlaced picture came */
    struct image_convert *convert;
    struct pts_repair repair;
    struct reader_clock sound;
    enum catch_up pace;
    int64_t sent_ns; /* place in time of the packet that was decoded last; NO_TIME: none yet */
    AVPacket *pkt;
    AVFrame *frame;
    AVFrame *last; /* the newest that lies before the start */
    int64_t last_pts_ns, last_duration_ns;
    enum deck_hardware hardware;
    bool is_draining;
    bool has_fault; /* of the board's decoder: no more pictures */
    bool has_complained;
    uint64_t published;
};

/* ---- video --------------------------------------------------------------------------------------- */

/* Looks how far the sound is, and gives up what would come too late. false: that is all there is. */
static bool keep_pace(struct video_run *r)
{
    struct packet_queue *q = r->load->queue;
    struct reader_place place;
    bool is_over;
    if (!r->load->p.keeps_pace || r->sent_ns == NO_TIME ||
        !load_reader_place(r->load, &r->sound, &place, &is_over))
        return true;
    int64_t heard_ns = place.media_ns - r->repair.shift_ns;
    if (is_over && packet_queue_ends_before(q, LANE_VIDEO, heard_ns))
        return false;
    enum catch_up was = r->pace;
    r->pace = catch_up_next(was, heard_ns - r->sent_ns, place.is_moving);
    if ((r->pace == CATCH_UP_NONE) != (was == CATCH_UP_NONE))
        log_debug(r->load->p.log, "%s: at %.1f s the pictures %s", r->load->name,
                  (double)heard_ns / NS_PER_S, was == CATCH_UP_NONE ? "fall behind" : "keep up");
    if (r->pace >= CATCH_UP_JUMP && packet_queue_jump(q, LANE_VIDEO, heard_ns) > 0)
        video_decoder_flush(r->decoder);
    return true;
}

/* What nothing is built on need not be decoded on the way to the start, and when there is no time. */
static void choose_skip(struct video_run *r, int64_t at_ns)
{
    int64_t start_ns = r->load->p.order.start_ns;
    bool is_early = start_ns > 0 && at_ns != NO_TIME && at_ns < start_ns - MS(200);
    video_decoder_skip(r->decoder, is_early || r->pace != CATCH_UP_NONE);
}

/* Whether the packet is to be decoded. */
static bool is_wanted(struct video_run *r)
{
    int64_t at_ns = demuxer_time_ns(r->load->demuxer, LANE_VIDEO,
                                    r->pkt->pts != AV_NOPTS_VALUE ? r->pkt->pts : r->pkt->dts);
    if (r->pace == CATCH_UP_LEAP && !(r->pkt->flags & AV_PKT_FLAG_KEY))
        return false;
    if (r->pace == CATCH_UP_LEAP)
        video_decoder_flush(r->decoder);
    if (r->pace != CATCH_UP_NONE && at_ns != NO_TIME)
        pts_repair_pass(&r->repair, at_ns + r->repair.shift_ns);
    r->sent_ns = at_ns != NO_TIME ? at_ns : r->sent_ns;
    choose_skip(r, at_ns);
    return true;
}

/* Gives the decoder the next packet, or the end. AVERROR_EXIT: stopped. */
static int feed(struct video_run *r)
{
    if (!keep_pace(r))
        return AVERROR_EOF;
    int ret = packet_queue_take(r->load->queue, LANE_VIDEO, r->pkt);
    if (ret == AVERROR_EXIT)
        return ret;
    r->is_draining = ret == AVERROR_EOF;
    if (!r->is_draining && !is_wanted(r)) {
        av_packet_unref(r->pkt);
        return 0;
    }
    ret = video_decoder_send(r->decoder, r->is_draining ? NULL : r->pkt);
    if (ret < 0 && !r->is_draining)
        log_trace(r->load->p.log, "%s: a packet of video is lost: %s", r->load->name,
                  av_err2str(ret));
    av_packet_unref(r->pkt);
    return 0;
}

/* The decoder's next picture. 0, AVERROR_EOF, AVERROR_EXIT. */
static int decode(struct video_run *r)
{
    for (int failed = 0; failed < STUCK;) {
        int ret = video_decoder_receive(r->decoder, r->frame);
        if (ret == 0 || ret == AVERROR_EOF)
            return ret;
        if (gate_is_stopped(&r->load->gate))
            return AVERROR_EXIT;
        if (ret == VIDEO_DECODER_FAULT && r->hardware) {
            r->has_fault = true;
            load_note_hardware_fault(r->load, r->hardware, "gives no pictures");
            return AVERROR_EXIT;
        }
        if (ret != AVERROR(EAGAIN)) {
            failed++;
            continue;
        }
        if (r->is_draining)
            return AVERROR_EOF;
        failed = 0;
        ret = feed(r);
        if (ret < 0)
            return ret;
    }
    if (!r->hardware)
        load_note_software_fault(r->load);
    return AVERROR_EOF;
}

static bool wants_deinterlace(const struct video_run *r)
{
    return r->load->p.deinterlace && compat_frame_is_interlaced(r->frame);
}

/* The next picture to show. 0, AVERROR_EOF, AVERROR_EXIT. */
static int next_picture(struct video_run *r)
{
    for (;;) {
        if (r->deinterlace) {
            int got = deinterlace_receive(r->deinterlace, r->frame);
            if (got != AVERROR(EAGAIN))
                return got == 0 ? 0 : AVERROR_EOF;
        }
        int ret = decode(r);
        if (ret == 0 && !r->deinterlace && !wants_deinterlace(r))
            return 0;
        if (ret < 0 && (ret != AVERROR_EOF || !r->deinterlace))
            return ret;
        if (!r->deinterlace)
            r->deinterlace = deinterlace_create(r->stream->time_base, r->load->p.log);
        ret = deinterlace_send(r->deinterlace, ret == 0 ? r->frame : NULL);
        av_frame_unref(r->frame);
        if (ret < 0)
            return AVERROR_EOF;
    }
}

/* false: stopped. */
static bool publish(struct video_run *r, int64_t pts_ns, int64_t duration_ns)
{
    int max_side = demuxer_is_still(r->load->demuxer) ? STILL_SIDE_MAX : PICTURE_SIDE_MAX;
    int ret = image_bring_in(r->convert, r->frame, max_side);
    if (ret < 0) {
        if (ret != AVERROR_EXIT && !r->has_complained)
            log_warn(r->load->p.log, "%s: pictures cannot be shown: %s", r->load->name,
                     av_err2str(ret));
        r->has_complained = true;
        return ret != AVERROR_EXIT;
    }
    struct frame_desc d;
    picture_describe(r->frame, &r->stream->traits, &d);
    d.pts_ns = pts_ns;
    d.duration_ns = duration_ns;
    if (!frame_writer_wait(r->load->p.frames))
        return false;
    frame_writer_publish(r->load->p.frames, &d, r->frame);
    if (++r->published == TRIM_AT)
        frame_writer_trim(r->load->p.frames);
    load_note_picture(r->load, &d, false);
    return true;
}

/* Places a decoded picture in time and shows it if it is not before the start. false: stopped. */
static bool show(struct video_run *r)
{
    const struct load *l = r->load;
    AVRational tb = r->stream->time_base, rate = r->stream->frame_rate;
    int64_t packet_ns = r->deinterlace ? 0 : media_time_ns(compat_frame_duration(r->frame), tb, 0);
    int64_t duration_ns = picture_duration(packet_ns, rate.num, rate.den);
    if (demuxer_is_still(l->demuxer))
        duration_ns = STILL_NS;
    int64_t told_ns = demuxer_time_ns(l->demuxer, LANE_VIDEO, r->frame->pts);
    int64_t pts_ns = pts_repair_next(&r->repair, told_ns, duration_ns);
    atomic_fetch_add(&r->load->decoded, 1);
    if (pts_ns + duration_ns > l->p.order.start_ns)
        return publish(r, pts_ns, duration_ns);
    av_frame_unref(r->last);
    av_frame_move_ref(r->last, r->frame);
    r->last_pts_ns = pts_ns;
    r->last_duration_ns = duration_ns;
    return true;
}

static void play_video(struct video_run *r)
{
    int ret = 0;
    while (ret == 0) {
        /* With one picture out, the next is not decoded before it is wanted. */
        if (r->published > 0 && !frame_writer_wait(r->load->p.frames))
            return;
        ret = next_picture(r);
        if (ret == 0 && !show(r))
            return;
        av_frame_unref(r->frame);
    }
    if (ret == AVERROR_EOF && r->published == 0 && !r->hardware)
        load_note_software_fault(r->load);
    /* The start lies behind the last picture: that one stands while the sound goes on. */
    if (ret == AVERROR_EOF && r->published == 0 && r->last->buf[0]) {
        av_frame_move_ref(r->frame, r->last);
        (void)publish(r, r->last_pts_ns, r->last_duration_ns);
        av_frame_unref(r->frame);
    }
}

static struct decoder_choice choose_decoder(const struct video_run *r)
{
    const struct load_params *p = &r->load->p;
    struct decoder_wish wish = {
        .stream = r->stream->codec,
        .board = p->hardware.board,
        .refused = p->order.no_hardware,
    };
    bool may_be = p->hardware.dev_dir && !demuxer_is_still(r->load->demuxer) &&
                  decoder_hardware(wish.board, wish.stream);
    if (!may_be)
        return (struct decoder_choice){ 0 };
    hardware_probe(p->hardware.dev_dir, &wish.nodes);
    return decoder_choose(&wish);
}

/* 0 or AVERROR. */
static int open_decoder(struct video_run *r, struct video_params params)
{
    struct load *l = r->load;
    params.choice = choose_decoder(r);
    params.watch = &l->watch;
    load_note_hardware(l, params.choice.hardware); /* who is to blame when opening hangs */
    int ret = video_decoder_open(&r->decoder, &params);
    if (ret < 0 && params.choice.hardware) {
        char why[96];
        snprintf(why, sizeof(why), "cannot be opened: %s", av_err2str(ret));
        load_note_hardware_fault(l, params.choice.hardware, why);
        params.choice = (struct decoder_choice){ 0 };
        ret = video_decoder_open(&r->decoder, &params);
    }
    r->hardware = params.choice.hardware;
    load_note_hardware(l, r->hardware);
    if (r->hardware)
        log_debug(l->p.log, "%s: decoded by %s", l->name, params.choice.name);
    return ret;
}

static void run_video(struct video_run *r)
{
    struct load *l = r->load;
    r->stream = demuxer_stream(l->demuxer, LANE_VIDEO);
    pts_repair_init(&r->repair, l->p.order.start_ns);
    reader_clock_init(&r->sound, l->first_sample, l->p.order.start_ns);
    r->sent_ns = NO_TIME;
    const struct video_params params = {
        .codec = r->stream->codec,
        .time_base = r->stream->time_base,
        .threads = l->p.threads,
        .is_order_unknown = r->stream->is_order_unknown,
        .writer = l->p.frames,
    };
    int ret = open_decoder(r, params);
    if (ret == 0) {
        play_video(r);
    } else {
        load_note_software_fault(l);
        log_warn(l->p.log, "%s: its video cannot be decoded: %s", l->name, av_err2str(ret));
    }
    deinterlace_destroy(r->deinterlace);
    video_decoder_close(r->decoder);
}

/* ---- sound without video ------------------------------------------------------------------------- */

/* Decodes the cover into r->frame. 0 or AVERROR. */
static int decode_cover(struct video_run *r, const AVStream *st)
{
    const AVCodec *codec = avcodec_find_decoder(st->codecpar->codec_id);
    AVCodecContext *c = codec ? avcodec_alloc_context3(codec) : NULL;
    int ret = c ? avcodec_parameters_to_context(c, st->codecpar) : AVERROR_DECODER_NOT_FOUND;
    if (ret >= 0) {
        c->thread_count = 1;
        c->max_pixels = PICTURE_PIXELS_MAX;
        ret = avcodec_open2(c, codec, NULL);
    }
    if (ret >= 0)
        ret = avcodec_send_packet(c, &st->attached_pic);
    if (ret >= 0)
        ret = avcodec_send_packet(c, NULL);
    if (ret >= 0)
        ret = avcodec_receive_frame(c, r->frame);
    avcodec_free_context(&c);
    return ret;
}

static bool show_cover(struct video_run *r)
{
    const AVStream *st = demuxer_cover(r->load->demuxer);
    if (!st || decode_cover(r, st) < 0 || image_bring_in(r->convert, r->frame, COVER_SIDE_MAX) < 0)
        return false;
    struct frame_desc d;
    picture_describe(r->frame, &(struct picture_traits){ { 0, 1 }, 0 }, &d);
    d.pts_ns = r->load->p.order.start_ns;
    d.duration_ns = COVER_NS;
    if (frame_writer_wait(r->load->p.frames)) {
        frame_writer_publish(r->load->p.frames, &d, r->frame);
        load_note_picture(r->load, &d, true);
    }
    av_frame_unref(r->frame);
    return true;
}

static bool draw_visual(struct video_run *r, struct visual *v, float level)
{
    static const int align[AV_NUM_DATA_POINTERS] = { 64, 64, 64 };
    int64_t at_ns = r->load->p.order.start_ns + (int64_t)(v->index * (NS_PER_S / VISUAL_RATE));
    r->frame->format = AV_PIX_FMT_YUV420P;
    r->frame->width = VISUAL_WIDTH;
    r->frame->height = VISUAL_HEIGHT;
    if (!frame_writer_wait(r->load->p.frames) ||
        frame_writer_buffer(r->load->p.frames, r->frame, VISUAL_WIDTH, VISUAL_HEIGHT, align) < 0)
        return false;
    visual_draw(v, level, r->frame);
    struct frame_desc d;
    picture_describe(r->frame, &(struct picture_traits){ { 0, 1 }, 0 }, &d);
    d.pts_ns = at_ns;
    d.duration_ns = NS_PER_S / VISUAL_RATE;
    frame_writer_publish(r->load->p.frames, &d, r->frame);
    load_note_picture(r->load, &d, false);
    av_frame_unref(r->frame);
    return true;
}

static void run_visual(struct video_run *r)
{
    struct visual v = { 0 };
    float level;
    while (sound_levels_take(r->load->levels, &level, &v.index) && draw_visual(r, &v, level))
        continue;
}

void *load_video_run(void *arg)
{
    struct load *l = arg;
    struct video_run r = {
        .load = l,
        .convert = image_convert_create(l->p.frames),
        .pkt = av_packet_alloc(),
        .frame = av_frame_alloc(),
        .last = av_frame_alloc(),
    };
    bool has_memory = r.pkt && r.frame && r.last;
    if (l->has_video && has_memory)
        run_video(&r);
    packet_queue_close(l->queue, LANE_VIDEO);
    if (r.published == 0 && !r.has_fault && l->has_audio && has_memory && !show_cover(&r))
        run_visual(&r);
    load_note_over(l, LANE_VIDEO);
    image_convert_destroy(r.convert);
    av_packet_free(&r.pkt);
    av_frame_free(&r.frame);
    av_frame_free(&r.last);
    return NULL;
}
