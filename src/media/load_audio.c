/* The thread of a load that turns its sound into samples. */
#include "media/load_internal.h"

#include "media/audio_decoder.h"
#include "media/sample_clock.h"
#include "media/sample_writer.h"

/* Failed receives in a row, after the last packet, before the codec counts as stuck. */
enum { STUCK = 64 };

/* Samples: sound may end so long before the pictures and still count as ending with them. */
enum { NO_GAP = SAMPLE_RATE / 25 };

/* Samples written at a time. */
enum { PART = SAMPLE_RATE / 4 };

/* Pictures ring when they are published; this is for a ring that was missed. */
#define RECHECK_NS MS(250)

struct audio_run {
    struct load *load;
    struct audio_decoder *decoder;
    struct sample_clock clock;
    struct sample_writer writer;
    AVPacket *pkt;
    int64_t written; /* samples of sound, and of silence within it */
    bool is_silent;  /* nothing of the file came yet, or silence instead of it since */
};

/* Writes `count` pairs; `lr` NULL: silence. false: stopped. */
static bool write_samples(struct audio_run *r, const float *lr, int64_t count)
{
    if (count <= 0)
        return true;
    if (!sample_writer_put(&r->writer, lr, (size_t)count))
        return false;
    sound_levels_feed(r->load->levels, lr, (size_t)count);
    return true;
}

/* In parts, each told of: nobody makes room for a long silence before the load is ready. */
static bool write_sound(struct audio_run *r, const float *lr, int64_t count)
{
    for (int64_t done = 0, n; done < count; done += n) {
        n = min_i64(count - done, PART);
        if (!write_samples(r, lr ? lr + done * 2 : NULL, n))
            return false;
        r->written += n;
        r->is_silent = false;
        load_note_sound(r->load, r->written, sample_clock_end_ns(&r->clock));
    }
    return true;
}

static bool write_block(struct audio_run *r, const struct audio_block *b)
{
    atomic_fetch_add(&r->load->decoded, 1);
    struct sample_place p = sample_clock_place(&r->clock, b->pts_ns, (int64_t)b->count);
    return write_sound(r, NULL, p.silence) &&
           write_sound(r, b->lr + p.skip * 2, (int64_t)b->count - p.skip);
}

/* How far the sound lies behind the pictures. */
static int64_t missing_samples(const struct audio_run *r, int64_t pictures_end_ns)
{
    return (pictures_end_ns - sample_clock_end_ns(&r->clock)) / 1000 * SAMPLE_RATE / 1000000;
}

static bool write_silence(struct audio_run *r, int64_t count)
{
    r->clock.count += count;
    r->is_silent = true;
    return write_samples(r, NULL, count);
}

/* Waits for a packet. Sound that pauses so long that all room is full of packets of video goes on as
 * silence: without samples time would stand still, and the pictures with it. false: stopped. */
static bool await_sound(struct audio_run *r)
{
    struct load *l = r->load;
    for (;;) {
        uint32_t seen = doorbell_rings(l->gate.bell);
        int64_t end_ns;
        if (packet_queue_wait(l->queue, LANE_AUDIO))
            return true;
        if (gate_is_stopped(&l->gate))
            return false;
        (void)load_pictures_end(l, &end_ns);
        int64_t missing = missing_samples(r, end_ns);
        if (missing <= 0)
            gate_wait(&l->gate, seen, RECHECK_NS);
        else if (!write_silence(r, missing))
            return false;
    }
}

/* Gives the decoder the next packet, or the end. false: stopped. */
static bool feed(struct audio_run *r)
{
    if (!await_sound(r))
        return false;
    int ret = packet_queue_take(r->load->queue, LANE_AUDIO, r->pkt);
    if (ret == AVERROR_EXIT)
        return false;
    bool is_end = ret == AVERROR_EOF;
    ret = audio_decoder_send(r->decoder, is_end ? NULL : r->pkt);
    if (ret < 0 && !is_end)
        log_trace(r->load->p.log, "%s: a packet of sound is lost: %s", r->load->name,
                  av_err2str(ret));
    av_packet_unref(r->pkt);
    return true;
}

static void decode(struct audio_run *r)
{
    for (int failed = 0; failed < STUCK;) {
        struct audio_block b;
        int ret = audio_decoder_receive(r->decoder, &b);
        if (ret == AVERROR_EOF)
            return;
        if (ret == 0) {
            failed = 0;
            if (!write_block(r, &b))
                return;
        } else if (ret == AVERROR(EAGAIN)) {
            failed = 0;
            if (!feed(r))
                return;
        } else {
            failed++;
        }
    }
}

/* Samples are the time line of a load: where there is no sound, or no more, silence goes as far as the
 * pictures do. Sound that ends within the last picture gets none: the next track joins it without a gap. */
static void follow_pictures(struct audio_run *r)
{
    struct load *l = r->load;
    bool is_following = r->is_silent;
    for (;;) {
        uint32_t seen = doorbell_rings(l->gate.bell);
        int64_t end_ns;
        bool is_over = load_pictures_end(l, &end_ns);
        int64_t missing = missing_samples(r, end_ns);
        is_following = is_following || missing > NO_GAP;
        if (missing > 0 && is_following) {
            if (!write_silence(r, missing))
                return;
        } else if (is_over || gate_is_stopped(&l->gate)) {
            return;
        } else {
            gate_wait(&l->gate, seen, RECHECK_NS);
        }
    }
}

static void decode_stream(struct audio_run *r, const struct demuxer_stream *st)
{
    struct load *l = r->load;
    int ret = r->pkt ? audio_decoder_open(&r->decoder,
                                          &(struct audio_params){
                                              .codec = st->codec,
                                              .time_base = st->time_base,
                                              .zero_us = demuxer_zero_us(l->demuxer),
                                              .knows_end = demuxer_knows_sound_end(l->demuxer),
                                          })
                     : AVERROR(ENOMEM);
    if (ret == 0)
        decode(r);
    else
        log_warn(l->p.log, "%s: its sound cannot be decoded: %s", l->name, av_err2str(ret));
    packet_queue_close(l->queue, LANE_AUDIO);
    audio_decoder_close(r->decoder);
}

void *load_audio_run(void *arg)
{
    struct load *l = arg;
    struct audio_run r = { .load = l, .pkt = av_packet_alloc(), .is_silent = true };
    const struct demuxer_stream *st = demuxer_stream(l->demuxer, LANE_AUDIO);
    sample_clock_init(&r.clock, l->p.order.start_ns);
    sample_writer_init(&r.writer, l->p.segment, l->p.stage_bell, &l->gate);
    if (st)
        decode_stream(&r, st);
    sound_levels_finish(l->levels);
    load_note_over(l, LANE_AUDIO);
    if (l->has_video)
        follow_pictures(&r);
    av_packet_free(&r.pkt);
    return NULL;
}
