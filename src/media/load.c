#include "media/load.h"

#include <errno.h>
#include <libavutil/error.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/text.h"
#include "media/load_internal.h"
#include "media/picture_format.h"
#include "media/visual.h"

#define QUEUE_BYTES      ((size_t)4 * 1024 * 1024)
#define QUEUE_NS         SECONDS(3)
#define QUEUE_HARD_BYTES ((size_t)64 * 1024 * 1024)
/* A file that gives nothing within this much of it, or this much time and work, gives nothing at all. */
#define BARREN_BYTES   ((int64_t)64 * 1024 * 1024)
#define BARREN_NS      SECONDS(2)
#define BARREN_CPU_NS  SECONDS(1)
#define BARREN_LAST_NS SECONDS(10)
/* Sound ready before a load counts as ready: a hiccup of disk or scheduler so long is not heard. */
enum { READY_SAMPLES = SAMPLE_RATE * 3 / 20 };
/* Packets of sound that begin so long before the start are not even decoded. */
#define SOUND_RUN_UP MS(300)
/* A file that ends so much before its own word breaks off. */
#define MISSING_END_NS SECONDS(2)

static int64_t cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* ---- state --------------------------------------------------------------------------------------- */

/* The name of a file, safe to show and short enough to leave room for what is wrong with it. */
static void name_file(char *out, size_t size, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash && slash[1] ? slash + 1 : path;
    if (!*base)
        base = "(no name)";
    size_t n = text_clean(out, size - 4, base);
    if (n + 4 >= size - 4)
        memcpy(out + n, "...", 4);
}

/* The lock is held. */
static void set_phase(struct load *l, enum deck_phase phase)
{
    if (l->state.phase == phase)
        return;
    l->state.phase = phase;
    doorbell_ring(l->p.deck_bell);
}

/* The first of several failures is the one told. */
static void fail(struct load *l, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void fail(struct load *l, const char *fmt, ...)
{
    char cause[sizeof(l->state.error)];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(cause, sizeof(cause), fmt, ap);
    va_end(ap);
    pthread_mutex_lock(&l->lock);
    bool is_first = l->state.phase != DECK_FAILED && !gate_is_stopped(&l->gate);
    if (is_first) {
        snprintf(l->state.error, sizeof(l->state.error), "%s %.120s", l->name, cause);
        l->state.end_ns = l->end_ns;
        log_debug(l->p.log, "load %llu: %s", (unsigned long long)l->p.order.load, l->state.error);
        set_phase(l, DECK_FAILED);
    }
    pthread_mutex_unlock(&l->lock);
}

/* The lock is held. Whether nothing more need be waited for in this lane before the load is ready. */
static bool is_settled(const struct load *l, enum packet_lane lane)
{
    return l->lane[lane] != LANE_PENDING ||
           (l->watched && packet_queue_is_starved(l->watched, lane));
}

/* The lock is held. */
static void look_whether_ready(struct load *l)
{
    if (l->state.phase != DECK_OPENING || !is_settled(l, LANE_VIDEO) ||
        !is_settled(l, LANE_AUDIO) || (!l->state.has_video && !l->state.has_audio))
        return;
    if (l->watched_file)
        media_file_trust_mtime(l->watched_file);
    set_phase(l, DECK_READY);
}

void load_note_picture(struct load *l, const struct frame_desc *d, bool is_cover)
{
    uint32_t width, height;
    picture_shown_size(d, &width, &height);
    pthread_mutex_lock(&l->lock);
    struct deck_state *s = &l->state;
    bool is_news = !s->has_video || s->width != width || s->height != height;
    if (!s->has_video && !l->has_audio)
        s->start_ns = max_i64(s->start_ns, d->pts_ns);
    s->has_video = 1;
    s->is_cover = is_cover;
    s->width = width;
    s->height = height;
    /* Fresh memory and a cold decoder are slow: with one picture ready the second would come too late. */
    if (is_cover || ++l->pictures >= frame_writer_ahead(false, d->duration_ns))
        l->lane[LANE_VIDEO] = LANE_PLAYING;
    if (is_news && l->text)
        text_lane_set_picture(l->text, width, height);
    if (!is_cover) {
        l->pictures_end_ns = d->pts_ns + d->duration_ns;
        l->end_ns = max_i64(l->end_ns, l->pictures_end_ns);
    }
    look_whether_ready(l);
    if (is_news || l->pictures_ring)
        doorbell_ring(l->p.deck_bell);
    pthread_mutex_unlock(&l->lock);
}

void load_note_sound(struct load *l, int64_t samples, int64_t end_ns)
{
    pthread_mutex_lock(&l->lock);
    l->end_ns = max_i64(l->end_ns, end_ns);
    if (samples >= READY_SAMPLES && l->lane[LANE_AUDIO] == LANE_PENDING) {
        l->state.has_audio = 1;
        l->lane[LANE_AUDIO] = LANE_PLAYING;
        doorbell_ring(l->p.deck_bell);
        look_whether_ready(l);
    } else if (samples > 0) {
        l->state.has_audio = 1;
    }
    pthread_mutex_unlock(&l->lock);
}

bool load_pictures_end(struct load *l, int64_t *end_ns)
{
    pthread_mutex_lock(&l->lock);
    l->pictures_ring = true;
    *end_ns = l->pictures_end_ns;
    bool is_over = l->lane[LANE_VIDEO] == LANE_OVER;
    pthread_mutex_unlock(&l->lock);
    return is_over;
}

bool load_reader_place(struct load *l, struct reader_clock *clock, struct reader_place *out,
                       bool *is_over)
{
    const struct deck_segment *d = l->p.segment;
    pthread_mutex_lock(&l->lock);
    bool has_ended = l->has_audio && l->lane[LANE_AUDIO] == LANE_OVER;
    pthread_mutex_unlock(&l->lock);
    uint64_t tail = atomic_load_explicit(&d->sample_tail, memory_order_acquire);
    uint64_t head = atomic_load_explicit(&d->sample_head, memory_order_acquire);
    bool is_there = reader_clock_look(clock, tail, head, now_mono_ns(), out);
    *is_over = is_there && has_ended && out->is_dry;
    return is_there;
}

void load_note_hardware(struct load *l, enum deck_hardware hardware)
{
    pthread_mutex_lock(&l->lock);
    l->state.hardware = hardware;
    pthread_mutex_unlock(&l->lock);
}

/* The lock is held. */
static void note_fault(struct load *l, uint32_t hardware, const char *why)
{
    if (!hardware || l->state.hardware_fault & hardware)
        return;
    log_warn(l->p.log, "%s: the board's decoder %s", l->name, why);
    l->state.hardware_fault |= hardware;
    doorbell_ring(l->p.deck_bell);
}

void load_note_hardware_fault(struct load *l, enum deck_hardware hardware, const char *why)
{
    pthread_mutex_lock(&l->lock);
    note_fault(l, hardware, why);
    pthread_mutex_unlock(&l->lock);
}

void load_note_software_fault(struct load *l)
{
    pthread_mutex_lock(&l->lock);
    l->state.hardware_fault |= DECK_SOFTWARE_FAULT;
    pthread_mutex_unlock(&l->lock);
}

void load_note_over(struct load *l, enum packet_lane lane)
{
    pthread_mutex_lock(&l->lock);
    l->lane[lane] = LANE_OVER;
    look_whether_ready(l);
    if (l->pictures_ring)
        doorbell_ring(l->p.deck_bell);
    pthread_mutex_unlock(&l->lock);
}

/* The lock is held. */
static bool is_barren(struct load *l)
{
    if (l->state.phase != DECK_OPENING || atomic_load(&l->decoded) > 0)
        return false;
    int64_t now = now_mono_ns(), cpu = cpu_ns();
    if (l->watched_file && media_file_is_waiting(l->watched_file)) {
        l->work_since_ns = now;
        l->work_cpu_ns = cpu;
    }
    int64_t took = now - l->work_since_ns;
    return took > BARREN_LAST_NS || (took > BARREN_NS && cpu - l->work_cpu_ns > BARREN_CPU_NS);
}

void load_state(struct load *l, struct deck_state *out)
{
    bool hangs = decoder_watch_hangs(&l->watch, now_mono_ns());
    pthread_mutex_lock(&l->lock);
    if (hangs)
        note_fault(l, l->state.hardware, "hangs");
    look_whether_ready(l);
    bool gives_up = is_barren(l);
    pthread_mutex_unlock(&l->lock);
    if (gives_up) {
        fail(l, "is damaged: no picture or sound could be decoded");
        gate_stop(&l->gate);
    }
    pthread_mutex_lock(&l->lock);
    if (gives_up && l->watched)
        packet_queue_stop(l->watched);
    if (l->text)
        text_lane_name(l->text, l->state.text, sizeof(l->state.text));
    *out = l->state;
    pthread_mutex_unlock(&l->lock);
}

/* ---- the reading thread -------------------------------------------------------------------------- */

static void fail_file(struct load *l, int ret)
{
    switch (-ret) {
    case ENOENT:
    case ENOTDIR: fail(l, "is missing"); break;
    case EACCES:
    case EPERM: fail(l, "may not be read: no permission"); break;
    case EISDIR: fail(l, "is a folder, not a media file"); break;
    case EINVAL: fail(l, "is not a regular file"); break;
    case ENODATA: fail(l, "is empty"); break;
    default: fail(l, "cannot be opened: %s", strerrordesc_np(-ret));
    }
}

static void fail_demuxer(struct load *l, int ret, const char *codec)
{
    switch (ret) {
    case -ENOMEDIUM: fail(l, "is not a media file"); break;
    case AVERROR_DECODER_NOT_FOUND:
        fail(l, "uses the codec %s, which cannot be decoded here", codec);
        break;
    case AVERROR_STREAM_NOT_FOUND: fail(l, "holds neither picture nor sound"); break;
    case AVERROR_EXIT: fail(l, "is damaged: no picture or sound could be found"); break;
    default: fail(l, "is damaged: its header cannot be read");
    }
}

/* The file, its streams, what is known before decoding. false: failed or stopped. */
static bool open_source(struct load *l)
{
    int ret = media_file_open(&l->file, l->p.order.path, &l->gate);
    if (ret < 0) {
        fail_file(l, ret);
        return false;
    }
    pthread_mutex_lock(&l->lock);
    l->watched_file = l->file;
    pthread_mutex_unlock(&l->lock);
    char codec[DEMUXER_CODEC_MAX] = "";
    media_file_limit(l->file, BARREN_BYTES);
    ret = demuxer_open(&l->demuxer, l->file, l->p.order.path, l->p.text.languages, codec);
    media_file_limit(l->file, INT64_MAX);
    if (ret < 0) {
        fail_demuxer(l, ret, codec);
        return false;
    }
    if (demuxer_undecodable(l->demuxer))
        log_warn(l->p.log, "%s: %s cannot be decoded here and is left out", l->name,
                 demuxer_undecodable(l->demuxer));
    l->has_video = demuxer_stream(l->demuxer, LANE_VIDEO) != NULL;
    l->has_audio = demuxer_stream(l->demuxer, LANE_AUDIO) != NULL;
    return true;
}

/* The lane for subtitles; without one the load plays all the same. */
static struct text_lane *open_text(struct load *l)
{
    if (!l->p.text.languages)
        return NULL;
    return text_lane_create(&(struct text_lane_params){
        .path = l->p.order.path,
        .source = l->demuxer,
        .settings = l->p.text,
        .load = l->p.order.load,
        .first_sample = l->first_sample,
        .start_ns = l->p.order.start_ns,
        .segment = l->p.segment,
        .gate = &l->gate,
        .stage_bell = l->p.stage_bell,
        .log = l->p.log,
    });
}

static void tell_source(struct load *l)
{
    struct text_lane *text = open_text(l);
    const char *title = demuxer_tag(l->demuxer, "title");
    const char *artist = demuxer_tag(l->demuxer, "artist");
    pthread_mutex_lock(&l->lock);
    l->state.duration_ns = demuxer_duration_ns(l->demuxer);
    text_clean(l->state.title, sizeof(l->state.title), title ? title : "");
    text_clean(l->state.artist, sizeof(l->state.artist), artist ? artist : "");
    if (!l->has_audio)
        l->lane[LANE_AUDIO] = LANE_OVER;
    l->text = text;
    l->watched = l->queue;
    if (gate_is_stopped(&l->gate)) /* load_destroy() came before it could see the queue */
        packet_queue_stop(l->queue);
    l->work_since_ns = now_mono_ns();
    l->work_cpu_ns = cpu_ns();
    pthread_mutex_unlock(&l->lock);
}

static bool is_before_start(const struct load *l, int64_t at_ns)
{
    return at_ns != NO_TIME && l->p.order.start_ns > 0 &&
           at_ns < l->p.order.start_ns - SOUND_RUN_UP;
}

/* Packets from the demuxer to the lanes until the end. 0 or the AVERROR that ended it. */
static int pump(struct load *l, AVPacket *pkt)
{
    int64_t bytes = 0;
    for (;;) {
        enum packet_lane lane;
        int ret = demuxer_read(l->demuxer, pkt, &lane);
        if (ret < 0)
            return ret == AVERROR_EOF ? 0 : ret;
        if (lane == LANE_TEXT) {
            text_lane_put(l->text, pkt);
            continue;
        }
        int64_t ts = pkt->dts != AV_NOPTS_VALUE ? pkt->dts : pkt->pts;
        int64_t at_ns = demuxer_time_ns(l->demuxer, lane, ts);
        if (lane == LANE_AUDIO && is_before_start(l, at_ns)) {
            av_packet_unref(pkt);
            continue;
        }
        bytes += pkt->size;
        if (bytes > BARREN_BYTES && atomic_load(&l->decoded) == 0)
            return AVERROR_INVALIDDATA;
        ret = packet_queue_put(l->queue, lane, pkt, at_ns);
        if (ret < 0)
            return ret;
    }
}

/* Runs both lanes and feeds them. 0 or AVERROR. */
static int play(struct load *l)
{
    AVPacket *pkt = av_packet_alloc();
    pthread_t video, audio;
    bool has_audio_thread;
    int ret = AVERROR(EAGAIN);
    if (!pkt || pthread_create(&video, NULL, load_video_run, l) != 0)
        goto out;
    has_audio_thread = pthread_create(&audio, NULL, load_audio_run, l) == 0;
    if (has_audio_thread)
        ret = pump(l, pkt);
    else
        packet_queue_stop(l->queue);
    packet_queue_finish(l->queue);
    if (has_audio_thread)
        pthread_join(audio, NULL);
    sound_levels_finish(l->levels);
    pthread_join(video, NULL);
out:
    av_packet_free(&pkt);
    return ret;
}

/* Whether the file ends before its own word. A start behind its end gives nothing, and that is no fault of
 * the file. */
static bool breaks_off(const struct load *l, int ret, int64_t end_ns, int64_t duration_ns)
{
    int64_t start_ns = l->p.order.start_ns;
    bool is_short = duration_ns > 0 && end_ns < duration_ns - MISSING_END_NS;
    return (ret < 0 || is_short) && (start_ns <= 0 || end_ns > start_ns);
}

/* All is decoded: whether there was anything, and where it ends. */
static void conclude(struct load *l, int ret)
{
    pthread_mutex_lock(&l->lock);
    bool is_over = l->state.phase == DECK_FAILED || gate_is_stopped(&l->gate);
    bool has_any = l->state.has_video || l->state.has_audio;
    int64_t end_ns = l->end_ns, duration_ns = l->state.duration_ns;
    pthread_mutex_unlock(&l->lock);
    if (is_over)
        return;
    if (!has_any && l->p.order.start_ns <= 0) {
        fail(l, "is damaged: no picture or sound could be decoded");
        return;
    }
    if (breaks_off(l, ret, end_ns, duration_ns)) {
        fail(l, "is damaged: it breaks off after %.1f s (its header says %.1f s)",
             (double)end_ns / NS_PER_S, (double)duration_ns / NS_PER_S);
        return;
    }
    pthread_mutex_lock(&l->lock);
    l->state.end_ns = end_ns;
    set_phase(l, DECK_DONE);
    pthread_mutex_unlock(&l->lock);
}

static void close_source(struct load *l)
{
    pthread_mutex_lock(&l->lock);
    l->watched = NULL;
    l->watched_file = NULL;
    pthread_mutex_unlock(&l->lock);
    packet_queue_destroy(l->queue);
    sound_levels_destroy(l->levels);
    demuxer_close(l->demuxer);
    media_file_close(l->file);
}

static void *reader_run(void *arg)
{
    struct load *l = arg;
    if (open_source(l)) {
        static const struct packet_queue_limits limits = { QUEUE_BYTES, QUEUE_NS,
                                                           QUEUE_HARD_BYTES };
        l->queue = packet_queue_create(&limits, (l->has_video ? 1u << LANE_VIDEO : 0) |
                                                    (l->has_audio ? 1u << LANE_AUDIO : 0));
        l->levels = sound_levels_create(SAMPLE_RATE / VISUAL_RATE);
        tell_source(l);
        int64_t start_ns = l->p.order.start_ns;
        if (start_ns > 0 && demuxer_seek(l->demuxer, start_ns) < 0)
            log_debug(l->p.log, "%s cannot be sought in: decoded from its beginning", l->name);
        conclude(l, play(l));
    }
    close_source(l);
    return NULL;
}

/* ---- from outside -------------------------------------------------------------------------------- */

struct load *load_create(const struct load_params *p)
{
    struct load *l = xcalloc(1, sizeof(*l));
    l->p = *p;
    l->p.order.path[sizeof(l->p.order.path) - 1] = '\0';
    l->p.order.start_ns = clamp_i64(p->order.start_ns, 0, SECONDS(24 * 3600));
    name_file(l->name, sizeof(l->name), l->p.order.path);
    l->gate.bell = p->deck_bell;
    atomic_init(&l->gate.flags, p->order.flags);
    pthread_mutex_init(&l->lock, NULL);
    l->first_frame = frame_writer_begin(p->frames, p->order.load, &l->gate);
    l->first_sample = atomic_load(&p->segment->sample_head);
    l->end_ns = l->pictures_end_ns = l->p.order.start_ns;
    l->work_since_ns = now_mono_ns();
    l->work_cpu_ns = cpu_ns();
    l->state = (struct deck_state){
        .load = p->order.load,
        .entry = p->order.entry,
        .phase = DECK_OPENING,
        .start_ns = l->p.order.start_ns,
        .end_ns = NO_TIME,
        .first_frame = l->first_frame,
        .first_sample = l->first_sample,
        .sample_base_ns = l->p.order.start_ns,
    };
    if (pthread_create(&l->reader, NULL, reader_run, l) != 0) {
        frame_writer_end(p->frames);
        pthread_mutex_destroy(&l->lock);
        free(l);
        return NULL;
    }
    return l;
}

void load_destroy(struct load *l)
{
    if (!l)
        return;
    gate_stop(&l->gate);
    pthread_mutex_lock(&l->lock);
    if (l->watched)
        packet_queue_stop(l->watched);
    pthread_mutex_unlock(&l->lock);
    pthread_join(l->reader, NULL);
    text_lane_destroy(l->text);
    frame_writer_end(l->p.frames);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

uint64_t load_decoded(const struct load *l)
{
    return atomic_load_explicit(&l->decoded, memory_order_relaxed);
}

void load_set_flags(struct load *l, uint32_t flags)
{
    atomic_store(&l->gate.flags, flags);
    doorbell_ring(l->gate.bell);
}
