/* Loads of files of the corpus: seeking, growing files, limits, being stopped. $DJAMMS_CORPUS names it. */
#include "media/support.h"
#include "support/permissions.h"

#include <fcntl.h>
#include <libavformat/avformat.h>
#include <libavutil/log.h>
#include <sys/stat.h>

#include "media/demuxer.h"
#include "media/load_internal.h"

static const char *corpus(const char *name, char path[1024])
{
    const char *folder = getenv("DJAMMS_CORPUS");
    if (!folder)
        fail_msg("DJAMMS_CORPUS is not set: run make_corpus.py FOLDER and name the folder");
    snprintf(path, 1024, "%s/%s", folder, name);
    return path;
}

static struct played played; /* too large for a stack */

/* ---- starting in the middle ----------------------------------------------------------------------- */

static const char *const seekable[] = {
    "h264-aac.mp4",
    "h264-bframes.mp4",
    "h264-bframes.mkv",
    "h264-fragmented.mp4",
    "h264-aac.ts",
    "h264-mp3.avi",
    "hevc-10bit.mkv",
    "vp9-opus.webm",
    "av1-aac.mp4",
    "vp8-vorbis.webm",
    "mpeg2-mp2.ts",
    "mpeg4-aac.mp4",
    "mpeg4-bframes.avi",
    "vorbis.ogg",
    "h264-only.mp4",
    "h264-vfr.mp4",
    "mp3.mp3",
    "aac.m4a",
    "opus.opus",
    "flac.flac",
    "pcm-s16.wav",
    "cover.mp3",
    "h264-interlaced.mp4",
    "h264-one-key.ts",
    "h264-begins-late.mkv",
};

static void check_start(const char *name, int64_t start_ns, const struct played *whole,
                        const struct played *p)
{
    if (p->state.phase != DECK_DONE)
        fail_msg("%s from %.3f: %s", name, start_ns / 1e9, p->state.error);
    if (p->state.sample_base_ns != start_ns)
        fail_msg("%s: sound begins at %.4f", name, p->state.sample_base_ns / 1e9);
    int64_t left = (int64_t)whole->samples - start_ns * SAMPLE_RATE / NS_PER_S;
    if (whole->samples > 0 && llabs((int64_t)p->samples - left) > 32)
        fail_msg("%s from %.3f: %llu samples, not %lld", name, start_ns / 1e9,
                 (unsigned long long)p->samples, (long long)left);
    if (p->frames == 0)
        fail_msg("%s from %.3f: no picture", name, start_ns / 1e9);
    const struct frame_desc *f = &p->frame[0];
    if (!p->state.is_cover &&
        (f->pts_ns > start_ns + MS(1) || f->pts_ns + f->duration_ns <= start_ns))
        fail_msg("%s from %.3f: the first picture is at %.4f", name, start_ns / 1e9,
                 f->pts_ns / 1e9);
}

/* The pictures must be those that the whole file has at these times. */
static void check_same_pictures(const char *name, const struct played *whole,
                                const struct played *p)
{
    for (uint64_t i = 0; i < p->frames && i < FRAMES_KEPT; i++) {
        uint64_t n = 0;
        while (n < whole->frames && llabs(whole->frame[n].pts_ns - p->frame[i].pts_ns) > MS(1))
            n++;
        if (n < whole->frames && abs(whole->code[n] - p->code[i]) > 3)
            fail_msg("%s: the picture at %.3f is another one", name, p->frame[i].pts_ns / 1e9);
    }
}

static void a_start_in_the_middle_is_exact(void **state)
{
    static struct played whole;
    char path[1024];
    for (size_t i = 0; i < ARRAY_LEN(seekable); i++) {
        for (int64_t start_ns = MS(123); start_ns < MS(560); start_ns += MS(212)) {
            struct rig r;
            rig_init(&r);
            rig_play(&r, corpus(seekable[i], path), 0, &whole);
            rig_play(&r, path, start_ns, &played);
            check_start(seekable[i], start_ns, &whole, &played);
            if (played.samples == 0 || whole.frame[0].width != 640) /* not the visual */
                check_same_pictures(seekable[i], &whole, &played);
            rig_finish(&r);
        }
    }
}

static void ogg_keeps_sound_and_pictures_together_after_a_start_in_the_middle(void **state)
{
    char path[1024];
    for (int64_t start_ns = MS(2000); start_ns < MS(3400); start_ns += MS(270)) {
        struct rig r;
        rig_init(&r);
        rig_play(&r, corpus("theora-flac.ogv", path), start_ns, &played);
        int64_t late =
            (int64_t)played.first_loud - MS(3400 - start_ns / 1000000) * SAMPLE_RATE / NS_PER_S;
        if (llabs(late) > 64)
            fail_msg("from %.3f: the tone is %lld samples late", start_ns / 1e9, (long long)late);
        rig_finish(&r);
    }
}

static void a_file_of_absurd_times_is_played_wherever_it_is_to_start(void **state)
{
    char path[1024];
    for (int64_t start_ns = 0; start_ns < SECONDS(1); start_ns += MS(300)) {
        struct rig r;
        rig_init(&r);
        rig_play(&r, corpus("h264-begins-far.mkv", path), start_ns, &played);
        assert_int_equal(played.state.phase, DECK_DONE);
        assert_int_equal(played.frames, 15);
        rig_finish(&r);
    }
}

static void a_start_behind_the_end_is_done_at_once(void **state)
{
    static const char *const names[] = { "h264-aac.mp4", "mp3.mp3", "h264-aac.ts",
                                         "vp9-opus.webm" };
    char path[1024];
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct rig r;
        rig_init(&r);
        rig_play(&r, corpus(names[i], path), SECONDS(100), &played);
        assert_int_equal(played.state.phase, DECK_DONE);
        assert_int_equal(played.samples, 0);
        assert_true(played.frames <= 1); /* at most the last picture */
        assert_int_equal(played.state.end_ns, SECONDS(100));
        rig_finish(&r);
    }
}

static void interlaced_pictures_are_made_whole_unless_told_otherwise(void **state)
{
    static struct played raw;
    char path[1024];
    struct rig r;
    rig_init(&r);
    r.deinterlaces = false;
    rig_play(&r, corpus("combed.mkv", path), 0, &raw);
    r.deinterlaces = true;
    rig_play(&r, path, 0, &played);
    assert_int_equal(played.frames, raw.frames);
    for (uint64_t i = 0; i < raw.frames; i++)
        assert_int_equal(played.frame[i].pts_ns, raw.frame[i].pts_ns);
    assert_true(played.combs < raw.combs / 2);
    rig_finish(&r);
}

/* ---- growing files --------------------------------------------------------------------------------- */

struct growing {
    char path[128];
    char *data;
    size_t size, written;
    int fd;
};

static void grow(struct growing *g, size_t upto)
{
    assert_int_equal(write(g->fd, g->data + g->written, upto - g->written), upto - g->written);
    g->written = upto;
}

static void growing_init(struct growing *g, const struct rig *r, const char *name)
{
    char path[1024];
    struct stat st;
    int fd = open(corpus(name, path), O_RDONLY);
    assert_true(fd >= 0 && fstat(fd, &st) == 0);
    g->size = (size_t)st.st_size;
    g->data = malloc(g->size);
    assert_int_equal(read(fd, g->data, g->size), st.st_size);
    close(fd);
    snprintf(g->path, sizeof(g->path), "%s/growing", r->dir);
    g->fd = open(g->path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(g->fd >= 0);
    g->written = 0;
}

static void growing_finish(struct growing *g)
{
    close(g->fd);
    unlink(g->path);
    free(g->data);
}

/* Reads until `frames` came or the load ended. */
static void follow_until(struct rig *r, struct load *l, struct played *p, uint64_t frames)
{
    *p = (struct played){ .first_loud = UINT64_MAX };
    while (p->frames < frames) {
        uint32_t seen = doorbell_rings(&r->bell);
        bool took = false;
        load_state(l, &p->state);
        take_samples(r, p, &took);
        take_frames(r, p, 1, &took);
        if (took)
            doorbell_ring(&r->bell);
        else if (p->state.phase == DECK_DONE || p->state.phase == DECK_FAILED)
            return;
        else
            doorbell_wait(&r->bell, seen, now_mono_ns() + MS(100));
    }
}

static void a_growing_file_is_played_to_its_real_end(void **state)
{
    static const struct {
        const char *name;
        double part; /* written when the load begins */
        int seen;    /* pictures that must come out of it */
        int slack;   /* samples that may be more or less than in the whole file */
    } cases[] = {
        { "long.ts", 0.6, 2, 32 },
        { "h264-bframes.mkv", 0.6, 2, 32 },
        { "vp9-opus.webm", 0.6, 2, 32 },
        { "h264-aac.mp4", 0.6, 2, 32 },
        { "h264-fragmented.mp4", 0.7, 2, 32 },
        { "h264-bframes.mp4", 0.5, 0,
          32 }, /* its index is at the end: nothing before that is there */
        { "mp3.mp3", 0.5, 0,
          1152 }, /* its padding is taken off only when the size was known at the opening */
        { "long.ts", 0, 0, 32 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        static struct played whole, rest;
        char path[1024];
        struct rig r;
        struct growing g;
        rig_init(&r);
        rig_play(&r, corpus(cases[i].name, path), 0, &whole);
        growing_init(&g, &r, cases[i].name);
        grow(&g, (size_t)((double)g.size * cases[i].part));
        struct load *l = rig_load(&r, g.path, 0, ORDER_ACTIVE | ORDER_GROWING);
        follow_until(&r, l, &played, (uint64_t)cases[i].seen);
        if (played.state.phase > DECK_READY)
            fail_msg("%s: ended too early: %s", cases[i].name, played.state.error);
        grow(&g, g.size);
        load_set_flags(l, ORDER_ACTIVE);
        rig_follow(&r, l, &rest);
        load_destroy(l);
        if (rest.state.phase != DECK_DONE || played.frames + rest.frames != whole.frames)
            fail_msg("%s: %llu and %llu pictures: %s", cases[i].name,
                     (unsigned long long)played.frames, (unsigned long long)rest.frames,
                     rest.state.error);
        if (llabs((int64_t)(played.samples + rest.samples - whole.samples)) > cases[i].slack)
            fail_msg("%s: %llu and %llu samples", cases[i].name, (unsigned long long)played.samples,
                     (unsigned long long)rest.samples);
        growing_finish(&g);
        rig_finish(&r);
    }
}

static void a_growing_file_is_entered_in_its_middle(void **state)
{
    static const char *const names[] = { "long.mkv", "long.ts" };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        static struct played rest;
        struct rig r;
        struct growing g;
        rig_init(&r);
        growing_init(&g, &r, names[i]);
        grow(&g, g.size * 8 / 10);
        struct load *l = rig_load(&r, g.path, SECONDS(3), ORDER_ACTIVE | ORDER_GROWING);
        follow_until(&r, l, &played, 2);
        assert_true(played.frames >= 2);
        assert_true(played.frame[0].pts_ns <= SECONDS(3) + MS(1));
        assert_true(played.frame[0].pts_ns + played.frame[0].duration_ns > SECONDS(3));
        grow(&g, g.size);
        load_set_flags(l, ORDER_ACTIVE);
        rig_follow(&r, l, &rest);
        load_destroy(l);
        assert_int_equal(rest.state.phase, DECK_DONE);
        assert_in_range(played.frames + rest.frames, 74, 77);
        growing_finish(&g);
        rig_finish(&r);
    }
}

static void a_growing_file_is_not_decoded_from_its_beginning_to_its_middle(void **state)
{
    static const char *const names[] = { "long.mkv", "long.ts" };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char path[1024], codec[DEMUXER_CODEC_MAX];
        struct doorbell bell = { 0 };
        struct gate gate = { .bell = &bell, .flags = ORDER_GROWING };
        struct media_file *file;
        struct demuxer *d;
        AVPacket *pkt = av_packet_alloc();
        assert_int_equal(media_file_open(&file, corpus(names[i], path), &gate), 0);
        assert_int_equal(demuxer_open(&d, file, path, NULL, codec), 0);
        assert_int_equal(demuxer_seek(d, SECONDS(4)), 0);
        enum packet_lane lane;
        do {
            av_packet_unref(pkt);
            assert_int_equal(demuxer_read(d, pkt, &lane), 0);
        } while (lane != LANE_VIDEO);
        assert_true(pkt->flags & AV_PKT_FLAG_KEY);
        assert_in_range(demuxer_time_ns(d, lane, pkt->pts), SECONDS(1), SECONDS(4));
        av_packet_free(&pkt);
        demuxer_close(d);
        media_file_close(file);
    }
}

static void a_growing_file_that_stops_growing_ends_where_it_ends(void **state)
{
    struct rig r;
    struct growing g;
    rig_init(&r);
    growing_init(&g, &r, "long.ts");
    grow(&g, g.size * 6 / 10);
    struct load *l = rig_load(&r, g.path, 0, ORDER_ACTIVE | ORDER_GROWING);
    follow_until(&r, l, &played, 2);
    load_set_flags(l, ORDER_ACTIVE); /* the download failed */
    rig_follow(&r, l, &played);
    load_destroy(l);
    assert_int_equal(played.state.phase, DECK_DONE);
    assert_true(played.frames > 2 && played.frames < 120);
    growing_finish(&g);
    rig_finish(&r);
}

/* ---- how much is kept ready ------------------------------------------------------------------------- */

/* Waits until the load is as far as it goes without a reader. */
static void wait_ahead(struct rig *r, struct load *l, uint64_t frames, uint64_t samples)
{
    for (;;) {
        struct deck_state s;
        uint32_t seen = doorbell_rings(&r->bell);
        load_state(l, &s);
        if (s.phase == DECK_READY && atomic_load(&r->ring->frame_head) >= frames &&
            atomic_load(&r->ring->sample_head) >= samples)
            return;
        assert_true(s.phase < DECK_DONE);
        doorbell_wait(&r->bell, seen, now_mono_ns() + MS(100));
    }
}

static void an_idle_deck_keeps_little_ready_an_active_one_more(void **state)
{
    char path[1024];
    struct rig r;
    rig_init(&r);
    struct load *l = rig_load(&r, corpus("long.mkv", path), 0, 0);
    wait_ahead(&r, l, 3, SAMPLE_RATE / 2);
    assert_int_equal(atomic_load(&r.ring->frame_head), 3);
    assert_true(atomic_load(&r.ring->sample_head) <= SAMPLE_RATE * 7 / 10);
    load_set_flags(l, ORDER_ACTIVE);
    wait_ahead(&r, l, 8, SAMPLE_RATE);
    assert_int_equal(atomic_load(&r.ring->frame_head), 8);
    assert_true(atomic_load(&r.ring->sample_head) <= SAMPLE_RATE * 3 / 2);
    load_destroy(l);
    rig_finish(&r);
}

static void a_load_is_ready_when_several_pictures_are(void **state)
{
    static const char *const names[] = { "long.mkv", "h264-bframes.mp4", "vp9-opus.webm" };
    for (size_t i = 0; i < 4 * ARRAY_LEN(names); i++) {
        char path[1024];
        struct rig r;
        struct deck_state s;
        rig_init(&r);
        struct load *l = rig_load(&r, corpus(names[i % ARRAY_LEN(names)], path), 0, 0);
        for (;;) {
            uint32_t seen = doorbell_rings(&r.bell);
            load_state(l, &s);
            if (s.phase != DECK_OPENING)
                break;
            doorbell_wait(&r.bell, seen, now_mono_ns() + MS(100));
        }
        uint64_t ready = atomic_load(&r.ring->frame_head) - s.first_frame;
        if (s.phase != DECK_READY || ready < frame_writer_ahead(false, MS(40)))
            fail_msg("%s: phase %d with %llu pictures", path, s.phase, (unsigned long long)ready);
        load_destroy(l);
        rig_finish(&r);
    }
}

static void loads_go_on_counting_and_stale_samples_are_no_burden(void **state)
{
    char path[1024];
    struct rig r;
    rig_init(&r);
    corpus("long.mkv", path);
    uint64_t frames = 0, samples = 0;
    for (int i = 0; i < 8; i++) { /* more than the sample ring holds, and nobody takes any */
        struct load *l = rig_load(&r, path, 0, 0);
        struct deck_state s;
        atomic_store(&r.ring->sample_tail, 0);
        load_state(l, &s);
        assert_int_equal(s.first_frame, frames);
        assert_int_equal(s.first_sample, samples);
        wait_ahead(&r, l, frames + 3, samples + SAMPLE_RATE / 2);
        load_destroy(l);
        frames = atomic_load(&r.ring->frame_head);
        samples = atomic_load(&r.ring->sample_head);
    }
    rig_finish(&r);
}

static void a_load_is_stopped_wherever_it_is(void **state)
{
    static const char *const names[] = { "h264-aac.mp4", "hevc-10bit.mkv", "av1-opus.webm",
                                         "mp3.mp3",      "h264-aac.ts",    "h264-interlaced.mp4",
                                         "no such file", "noise.mp4",      "cover.flac" };
    char path[1024];
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        for (int turns = 0; turns < 6; turns++) {
            struct rig r;
            struct deck_state s;
            rig_init(&r);
            struct load *l = rig_load(&r, corpus(names[i], path), 0, turns % 2 ? ORDER_GROWING : 0);
            for (int n = 0; n < turns * turns; n++) {
                doorbell_wait(&r.bell, doorbell_rings(&r.bell), now_mono_ns() + MS(1));
                load_state(l, &s);
            }
            load_destroy(l); /* hangs, or leaves something, if it is not so */
            rig_finish(&r);
        }
    }
    load_destroy(NULL);
}

/* ---- sound that pauses ----------------------------------------------------------------------------- */

enum { BIG_WIDTH = 640, BIG_HEIGHT = 360, BIG_RATE = 25, BIG_SECONDS = 11 };

static void write_packet(AVFormatContext *f, int stream, int64_t at_ms, int size, int fill)
{
    AVPacket *p = av_packet_alloc();
    assert_non_null(p);
    assert_int_equal(av_new_packet(p, size), 0);
    memset(p->data, fill, (size_t)size);
    p->stream_index = stream;
    p->flags = AV_PKT_FLAG_KEY;
    p->pts = p->dts = av_rescale_q(at_ms, (AVRational){ 1, 1000 }, f->streams[stream]->time_base);
    assert_int_equal(av_write_frame(f, p), 0);
    av_packet_free(&p);
}

static AVStream *add_stream(AVFormatContext *f, enum AVMediaType type, enum AVCodecID codec)
{
    AVStream *st = avformat_new_stream(f, NULL);
    assert_non_null(st);
    st->codecpar->codec_type = type;
    st->codecpar->codec_id = codec;
    return st;
}

/* Video of that size, and sound. */
static AVFormatContext *begin_file(const char *path, enum AVCodecID codec, int width, int height)
{
    AVFormatContext *f;
    assert_true(avformat_alloc_output_context2(&f, NULL, "matroska", path) >= 0);
    AVCodecParameters *video = add_stream(f, AVMEDIA_TYPE_VIDEO, codec)->codecpar;
    video->width = width;
    video->height = height;
    if (codec == AV_CODEC_ID_RAWVIDEO) {
        video->codec_tag = MKTAG('I', '4', '2', '0');
        video->format = AV_PIX_FMT_YUV420P;
    }
    AVCodecParameters *audio = add_stream(f, AVMEDIA_TYPE_AUDIO, AV_CODEC_ID_PCM_S16LE)->codecpar;
    av_channel_layout_default(&audio->ch_layout, 1);
    audio->sample_rate = SAMPLE_RATE;
    audio->bits_per_coded_sample = 16;
    assert_true(avio_open(&f->pb, path, AVIO_FLAG_WRITE) >= 0);
    assert_true(avformat_write_header(f, NULL) >= 0);
    return f;
}

static void end_file(AVFormatContext *f)
{
    assert_int_equal(av_write_trailer(f), 0);
    avio_closep(&f->pb);
    avformat_free_context(f);
}

/* Sound in the first and, if it `resumes`, the last second; then more video than a lane may hold. */
static void make_pausing_file(const char *path, bool resumes)
{
    AVFormatContext *f = begin_file(path, AV_CODEC_ID_RAWVIDEO, BIG_WIDTH, BIG_HEIGHT);
    for (int i = 0; i < BIG_SECONDS * BIG_RATE; i++) {
        int at_ms = i * 1000 / BIG_RATE;
        write_packet(f, 0, at_ms, BIG_WIDTH * BIG_HEIGHT * 3 / 2, 100);
        if (i < BIG_RATE || (resumes && i >= (BIG_SECONDS - 1) * BIG_RATE))
            write_packet(f, 1, at_ms, SAMPLE_RATE / BIG_RATE * 2, 16);
    }
    end_file(f);
}

static void while_sound_pauses_the_pictures_go_on(void **state)
{
    for (int resumes = 0; resumes <= 1; resumes++) {
        struct rig r;
        char path[128];
        rig_init(&r);
        snprintf(path, sizeof(path), "%s/pausing.mkv", r.dir);
        make_pausing_file(path, resumes);
        rig_play(&r, path, 0, &played); /* hangs if time stands still */
        assert_int_equal(played.state.phase, DECK_DONE);
        assert_int_equal(played.state.hardware_fault, 0);
        assert_int_equal(played.frames, BIG_SECONDS * BIG_RATE);
        assert_int_equal(played.samples, BIG_SECONDS * SAMPLE_RATE);
        assert_int_equal(played.first_loud, 0);
        assert_int_equal(played.last_loud, (resumes ? BIG_SECONDS : 1) * SAMPLE_RATE - 1);
        double loud = played.energy / ((double)played.peak * played.peak);
        assert_in_range((uint64_t)(loud + 0.5), (resumes + 1) * SAMPLE_RATE - 32,
                        (resumes + 1) * SAMPLE_RATE + 32);
        unlink(path);
        rig_finish(&r);
    }
}

/* A whole song in sound; it is told, for a board that fails it, too, is not to blame. */
static void pictures_that_nothing_can_decode_are_told_and_the_sound_is_whole(void **state)
{
    struct rig r;
    char path[128];
    rig_init(&r);
    snprintf(path, sizeof(path), "%s/broken.mkv", r.dir);
    AVFormatContext *f = begin_file(path, AV_CODEC_ID_VP8, 64, 64);
    for (int i = 0; i < 3 * BIG_RATE; i++) {
        write_packet(f, 0, i * 1000 / BIG_RATE, 2000, 0x11);
        write_packet(f, 1, i * 1000 / BIG_RATE, SAMPLE_RATE / BIG_RATE * 2, 16);
    }
    end_file(f);
    rig_play(&r, path, 0, &played);
    assert_int_equal(played.state.phase, DECK_DONE);
    assert_int_equal(played.samples, 3 * SAMPLE_RATE);
    assert_int_equal(played.state.hardware_fault, DECK_SOFTWARE_FAULT);
    unlink(path);
    rig_finish(&r);
}

/* ---- decoding that is too slow ----------------------------------------------------------------------- */

/* A reader as fast as that is ahead of any decoder: the sound is whole, the pictures are few and in order, and the
 * load is over with its sound. */
static void pictures_that_come_too_late_are_left_out_and_the_sound_is_whole(void **state)
{
    static struct played whole;
    static const char *const names[] = { "long.mkv", "long.ts", "theora-flac.ogv",
                                         "h264-bframes.mp4" };
    char path[1024];
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct rig r;
        rig_init(&r);
        rig_play(&r, corpus(names[i], path), 0, &whole);
        r.keeps_pace = true;
        rig_play(&r, path, 0, &played);
        assert_int_equal(played.state.phase, DECK_DONE);
        assert_int_equal(played.samples, whole.samples);
        assert_true(played.frames > 0 && played.frames <= whole.frames);
        for (uint64_t n = 1; n < played.frames; n++)
            assert_true(played.frame[n].pts_ns > played.frame[n - 1].pts_ns);
        check_same_pictures(names[i], &whole, &played);
        rig_finish(&r);
    }
}

/* Takes sound up to `until` samples of the load, as far as there is any. */
static uint64_t take_sound(struct rig *r, uint64_t until)
{
    uint64_t head = atomic_load(&r->ring->sample_head);
    atomic_store(&r->ring->sample_tail, until < head ? until : head);
    doorbell_ring(&r->bell);
    return atomic_load(&r->ring->sample_tail);
}

static void when_the_pictures_are_far_behind_they_come_again_where_the_sound_is(void **state)
{
    char path[1024];
    struct rig r;
    struct frame_desc f = { 0 };
    uint64_t heard = 0, frames = 0;
    rig_init(&r);
    r.keeps_pace = true;
    struct load *l = rig_load(&r, corpus("long.mkv", path), 0, ORDER_ACTIVE);
    wait_ahead(&r, l, 8, SAMPLE_RATE);
    while (heard < 3 * SAMPLE_RATE) { /* nobody takes a picture meanwhile */
        uint32_t seen = doorbell_rings(&r.bell);
        uint64_t now = take_sound(&r, 3 * SAMPLE_RATE);
        if (now == heard)
            doorbell_wait(&r.bell, seen, now_mono_ns() + MS(100));
        heard = now;
    }
    while (f.pts_ns < SECONDS(3)) {
        heard = take_sound(&r, heard + SAMPLE_RATE / 200);
        uint32_t seen = doorbell_rings(&r.bell);
        uint64_t head = atomic_load(&r.ring->frame_head);
        for (; frames < head; frames++)
            assert_true(frame_desc_read(r.ring, frames, &f));
        atomic_store(&r.ring->reader[0].need, head);
        doorbell_wait(&r.bell, seen, now_mono_ns() + MS(5));
    }
    assert_true(frames < 50); /* of 75 */
    load_destroy(l);
    rig_finish(&r);
}

static void await_end_of_sound(struct rig *r, struct load *l)
{
    for (bool is_over = false; !is_over;) {
        uint32_t seen = doorbell_rings(&r->bell);
        pthread_mutex_lock(&l->lock);
        is_over = l->lane[LANE_AUDIO] == LANE_OVER;
        pthread_mutex_unlock(&l->lock);
        if (!is_over)
            doorbell_wait(&r->bell, seen, now_mono_ns() + MS(20));
    }
}

static void when_all_sound_was_heard_late_pictures_do_not_hold_up_the_next_track(void **state)
{
    enum { HELD = 105, ALL = 125 }; /* pictures; the sound is as long as all of them */
    const uint64_t samples = (uint64_t)ALL * SAMPLE_RATE / 25;
    char path[1024];
    struct rig r;
    struct deck_state s;
    rig_init(&r);
    r.keeps_pace = true;
    struct load *l = rig_load(&r, corpus("long.mkv", path), 0, ORDER_ACTIVE);
    for (uint64_t heard = 0, frames = 0; heard < samples;) {
        uint32_t seen = doorbell_rings(&r.bell);
        load_state(l, &s);
        if (s.phase >= DECK_READY && frames < HELD)
            frames = atomic_load(&r.ring->frame_head);
        uint64_t want = frames < HELD ? frames * SAMPLE_RATE / 25 : samples, before = heard;
        atomic_store(&r.ring->reader[0].need, frames < HELD ? frames : HELD);
        if (want > heard)
            heard = take_sound(&r, want);
        if (heard == before)
            doorbell_wait(&r.bell, seen, now_mono_ns() + MS(20));
    }
    await_end_of_sound(&r, l);
    take_sound(&r, UINT64_MAX); /* what fills the codec's last packet */
    uint64_t held = atomic_load(&r.ring->frame_head);
    do {
        uint32_t seen = doorbell_rings(&r.bell);
        atomic_store(&r.ring->reader[0].need, atomic_load(&r.ring->frame_head));
        doorbell_ring(&r.bell);
        load_state(l, &s);
        doorbell_wait(&r.bell, seen + 1, now_mono_ns() + MS(5));
    } while (s.phase == DECK_READY);
    assert_int_equal(s.phase, DECK_DONE);
    assert_true(held < ALL - 5);
    assert_true(atomic_load(&r.ring->frame_head) <= held + 3);
    load_destroy(l);
    rig_finish(&r);
}

static void nothing_is_left_out_while_nobody_listens(void **state)
{
    char path[1024];
    struct rig r;
    rig_init(&r);
    r.keeps_pace = true;
    struct load *l = rig_load(&r, corpus("long.mkv", path), 0, ORDER_ACTIVE);
    wait_ahead(&r, l, 8, SAMPLE_RATE);
    for (uint64_t n = 0; n < 8; n++) {
        struct frame_desc f;
        assert_true(frame_desc_read(r.ring, n, &f));
        assert_int_equal(f.pts_ns / MS(40), n);
    }
    load_destroy(l);
    rig_finish(&r);
}

/* ---- files that are none ---------------------------------------------------------------------------- */

static void what_cannot_be_opened_is_told_in_a_sentence(void **state)
{
    static const struct {
        const char *path, *want;
    } cases[] = {
        { "/nowhere/song.mp4", "song.mp4 is missing" },
        { "/etc/passwd/song.mp4", "song.mp4 is missing" },
        { "/usr", "usr is a folder, not a media file" },
        { "/dev/null", "null is not a regular file" },
        { "", "(no name) is missing" },
        { "/etc/passwd", "passwd is not a media file" },
        { "/nowhere/a\nb\tc\xff.mp4", "a b c\xef\xbf\xbd.mp4 is missing" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rig r;
        rig_init(&r);
        rig_play(&r, cases[i].path, 0, &played);
        assert_int_equal(played.state.phase, DECK_FAILED);
        assert_string_equal(played.state.error, cases[i].want);
        rig_finish(&r);
    }
}

static void a_long_name_leaves_room_for_the_cause(void **state)
{
    char path[300] = "/nowhere/";
    struct rig r;
    rig_init(&r);
    memset(path + 9, 'x', 250);
    rig_play(&r, path, 0, &played);
    assert_non_null(strstr(played.state.error, "xxx... is missing"));
    rig_finish(&r);
}

static void a_file_without_permission_is_told(void **state)
{
    struct rig r;
    char path[128];
    rig_init(&r);
    snprintf(path, sizeof(path), "%s/secret.mp4", r.dir);
    int fd = open(path, O_WRONLY | O_CREAT, 0);
    assert_true(fd >= 0);
    close(fd);
    permissions_bind(true);
    rig_play(&r, path, 0, &played);
    permissions_bind(false);
    assert_string_equal(played.state.error, "secret.mp4 may not be read: no permission");
    unlink(path);
    rig_finish(&r);
}

static void what_is_no_container_is_no_media_file_whatever_its_name(void **state)
{
    static const struct {
        const char *name, *text;
        size_t len;
        const char *says;
    } cases[] = {
        { "notes.mp4", "Milk, bread.\n", 13, "notes.mp4 is not a media file" },
        { "notes.mkv", "Milk, bread.\n", 13, "notes.mkv is not a media file" },
        { "cut.mkv", "\x1a\x45\xdf\xa3\x8b\x42\x82\x88matroska", 16, "cut.mkv is damaged" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rig r;
        char path[128];
        rig_init(&r);
        snprintf(path, sizeof(path), "%s/%s", r.dir, cases[i].name);
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        assert_int_equal(fwrite(cases[i].text, cases[i].len, 1, f), 1);
        fclose(f);
        struct load *l = rig_load(&r, path, 0, 0);
        rig_follow(&r, l, &played);
        load_destroy(l);
        assert_int_equal(played.state.phase, DECK_FAILED);
        if (!strstr(played.state.error, cases[i].says))
            fail_msg("%s: %s", cases[i].name, played.state.error);
        unlink(path);
        rig_finish(&r);
    }
}

static void a_file_of_nothing_but_undecodable_packets_is_given_up(void **state)
{
    /* Far more than is worth trying, of pictures that all build on one that never came. */
    static const uint8_t header[32] = { 'D', 'K', 'I', 'F', 0,  0, 32, 0, 'V', 'P', '8', '0',
                                        64,  0,   64,  0,   25, 0, 0,  0, 1,   0,   0,   0 };
    static uint8_t frame[12 + 0x10000] = { 0, 0, 1 };
    struct rig r;
    char path[128];
    rig_init(&r);
    memset(frame + 12, 0x11, sizeof(frame) - 12);
    snprintf(path, sizeof(path), "%s/endless.ivf", r.dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(header, sizeof(header), 1, f), 1);
    for (int i = 0; i < 1600; i++) {
        memcpy(frame + 4, &i, sizeof(i));
        assert_int_equal(fwrite(frame, sizeof(frame), 1, f), 1);
    }
    fclose(f);
    /* As if more were to come: its end is not what ends the trying. */
    struct load *l = rig_load(&r, path, 0, ORDER_GROWING);
    rig_follow(&r, l, &played);
    load_destroy(l);
    assert_int_equal(played.state.phase, DECK_FAILED);
    assert_non_null(strstr(played.state.error, "endless.ivf is damaged: no picture or sound"));
    unlink(path);
    rig_finish(&r);
}

/* A file that is sound up to a part of it, and then noise or nothing. */
static void make_broken(const char *path, const char *name, double part, size_t noise)
{
    char from[1024];
    static uint8_t data[1 << 20];
    FILE *f = fopen(corpus(name, from), "r");
    assert_non_null(f);
    size_t size = fread(data, 1, sizeof(data) / 2, f);
    fclose(f);
    size = (size_t)((double)size * part);
    uint32_t random = 1;
    for (size_t i = 0; i < noise; i++)
        data[size + i] = (uint8_t)((random = random * 1664525 + 1013904223) >> 24);
    f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, size + noise, f), size + noise);
    fclose(f);
}

static void a_file_that_breaks_off_is_told_with_its_end_and_played_until_there(void **state)
{
    static const struct {
        const char *name;
        double part;
        size_t noise;
        int64_t from_ns, to_ns; /* where its end lies */
    } cases[] = {
        { "long.mkv", 0.1, 300000, 1, SECONDS(1) },
        { "long.mkv", 0.4, 300000, SECONDS(1), SECONDS(3) },
        { "long.mkv", 0.4, 0, SECONDS(1), SECONDS(3) },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rig r;
        char path[128];
        rig_init(&r);
        snprintf(path, sizeof(path), "%s/broken.mkv", r.dir);
        make_broken(path, cases[i].name, cases[i].part, cases[i].noise);
        rig_play(&r, path, 0, &played);
        assert_int_equal(played.state.phase, DECK_FAILED);
        assert_non_null(strstr(played.state.error, "broken.mkv is damaged: it breaks off after"));
        assert_in_range(played.state.end_ns, cases[i].from_ns, cases[i].to_ns);
        assert_true(played.frames > 0 && played.samples > 0);
        assert_int_equal(played.ready.phase, DECK_READY);
        rig_play(&r, path, SECONDS(4), &played); /* behind the break: no fault of its own */
        assert_int_equal(played.state.phase, DECK_DONE);
        assert_int_equal(played.state.end_ns, SECONDS(4));
        unlink(path);
        rig_finish(&r);
    }
}

int main(void)
{
    av_log_set_level(AV_LOG_QUIET);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_breaks_off_is_told_with_its_end_and_played_until_there),
        cmocka_unit_test(a_start_in_the_middle_is_exact),
        cmocka_unit_test(ogg_keeps_sound_and_pictures_together_after_a_start_in_the_middle),
        cmocka_unit_test(a_file_of_absurd_times_is_played_wherever_it_is_to_start),
        cmocka_unit_test(a_start_behind_the_end_is_done_at_once),
        cmocka_unit_test(interlaced_pictures_are_made_whole_unless_told_otherwise),
        cmocka_unit_test(a_growing_file_is_played_to_its_real_end),
        cmocka_unit_test(a_growing_file_is_entered_in_its_middle),
        cmocka_unit_test(a_growing_file_is_not_decoded_from_its_beginning_to_its_middle),
        cmocka_unit_test(a_growing_file_that_stops_growing_ends_where_it_ends),
        cmocka_unit_test(an_idle_deck_keeps_little_ready_an_active_one_more),
        cmocka_unit_test(a_load_is_ready_when_several_pictures_are),
        cmocka_unit_test(loads_go_on_counting_and_stale_samples_are_no_burden),
        cmocka_unit_test(a_load_is_stopped_wherever_it_is),
        cmocka_unit_test(pictures_that_nothing_can_decode_are_told_and_the_sound_is_whole),
        cmocka_unit_test(while_sound_pauses_the_pictures_go_on),
        cmocka_unit_test(pictures_that_come_too_late_are_left_out_and_the_sound_is_whole),
        cmocka_unit_test(when_the_pictures_are_far_behind_they_come_again_where_the_sound_is),
        cmocka_unit_test(when_all_sound_was_heard_late_pictures_do_not_hold_up_the_next_track),
        cmocka_unit_test(nothing_is_left_out_while_nobody_listens),
        cmocka_unit_test(what_cannot_be_opened_is_told_in_a_sentence),
        cmocka_unit_test(a_long_name_leaves_room_for_the_cause),
        cmocka_unit_test(a_file_without_permission_is_told),
        cmocka_unit_test(what_is_no_container_is_no_media_file_whatever_its_name),
        cmocka_unit_test(a_file_of_nothing_but_undecodable_packets_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
