#include "media/text_lane.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/text.h"
#include "media/reader_clock.h"
#include "media/text_choice.h"
#include "media/text_file.h"
#include "media/text_track.h"

enum {
    WAITING_MAX = 512, /* packets not looked at yet */
    CANVAS_WIDTH = 1920,
    CANVAS_HEIGHT = 1080, /* no canvas is larger: outputs that are scale it up */
    NICENESS = 10,
};
#define WAITING_BYTES_MAX ((size_t)1 << 20)
#define AHEAD_NS          MS(700) /* painted so long before it is seen */
#define KEEP_NS           MS(300) /* a cue's place is used again so long after its time */
#define STEP_NS           MS(40)  /* of text that moves */
#define LOOK_AGAIN_NS     MS(200)
/* Painting may take a quarter of the time it is seen, and on top of that at first ... */
#define COST_DIVISOR 4
#define CREDIT_NS    SECONDS(2)

struct text_lane {
    /* Constant after create. */
    struct text_lane_params p;
    char *path;
    char *languages;
    AVCodecParameters *codec; /* of the stream in the file; NULL: it has none */
    AVRational time_base;
    int64_t zero_us;
    char stream_name[64];
    pthread_t thread;

    _Atomic uint64_t picture; /* shown size: width << 32 | height; 0: not known yet */

    /* The lane's thread only. */
    char *file; /* beside it; NULL: none */
    struct text_track *track;
    bool is_hopeless;  /* there is nothing to show, or it takes too much */
    int width, height; /* of the canvas; 0: there is none yet */
    struct reader_clock clock;
    int64_t painted_ns; /* media time up to which it is */
    int64_t debt_ns;    /* processor time above what painting may take */

    pthread_mutex_t lock;
    /* Protected by lock. */
    AVPacket *waiting[WAITING_MAX];
    size_t waiting_count, waiting_bytes;
    char name[sizeof(((struct deck_state *)0)->text)];
};

/* ---- where it comes from ------------------------------------------------------------------------- */

static void set_name(struct text_lane *l, const char *name)
{
    pthread_mutex_lock(&l->lock);
    text_clean(l->name, sizeof(l->name), name);
    pthread_mutex_unlock(&l->lock);
    doorbell_ring(l->p.gate->bell);
}

static void give_up(struct text_lane *l, const char *why)
{
    log_warn(l->p.log, "subtitles %s are not shown: %s", l->file ? l->file : "in the file", why);
    l->is_hopeless = true;
    set_name(l, "");
}

static void look_beside(struct text_lane *l)
{
    l->file = text_file_beside(l->path, l->languages);
    const char *slash = l->file ? strrchr(l->file, '/') : NULL;
    if (l->file)
        set_name(l, slash ? slash + 1 : l->file);
    else if (l->codec)
        set_name(l, l->stream_name);
    else
        l->is_hopeless = true;
}

static void open_track(struct text_lane *l)
{
    int ret = l->file ? text_file_open(&l->track, l->file, l->p.gate, l->p.log)
                      : text_track_create(&l->track, l->codec, l->time_base, l->zero_us, l->p.log);
    if (ret == -EFBIG)
        give_up(l, "the file is too large");
    else if (ret < 0)
        give_up(l, av_err2str(ret));
}

/* Takes the packets that came; events of a stream are kept also while they are not wanted. */
static void take_packets(struct text_lane *l)
{
    AVPacket *taken[WAITING_MAX];
    pthread_mutex_lock(&l->lock);
    size_t count = l->waiting_count;
    memcpy(taken, l->waiting, count * sizeof(taken[0]));
    l->waiting_count = l->waiting_bytes = 0;
    pthread_mutex_unlock(&l->lock);
    for (size_t i = 0; i < count; i++) {
        if (!l->file && l->track)
            text_track_add(l->track, taken[i]);
        av_packet_free(&taken[i]);
    }
}

/* ---- painting ------------------------------------------------------------------------------------ */

/* The size of the largest output, as far as canvases go. */
static void largest_output(const struct text_lane *l, int64_t *width, int64_t *height)
{
    int64_t best = 0;
    *width = CANVAS_WIDTH;
    *height = CANVAS_HEIGHT;
    for (size_t i = 0; l->p.settings.outputs && i < OUTPUTS_MAX; i++) {
        struct output_row row;
        if (!output_row_load(&l->p.settings.outputs[i], &row) || !row.name[0] || row.width == 0 ||
            row.height == 0 || (int64_t)row.width * row.height <= best)
            continue;
        best = (int64_t)row.width * row.height;
        *width = min_i64(row.width, CANVAS_WIDTH);
        *height = min_i64(row.height, CANVAS_HEIGHT);
    }
}

/* The canvas: what the picture covers of the largest output, also when that has changed. */
static bool frame(struct text_lane *l)
{
    uint64_t picture = atomic_load(&l->picture);
    if (picture == 0)
        return false;
    int64_t w = (int64_t)(picture >> 32), h = (int64_t)(picture & UINT32_MAX), max_w, max_h;
    largest_output(l, &max_w, &max_h);
    bool is_wide = w * max_h > h * max_w;
    int width = (int)(is_wide ? max_w : max_i64(w * max_h / h, 1));
    int height = (int)(is_wide ? max_i64(h * max_w / w, 1) : max_h);
    if (width == l->width && height == l->height)
        return true;
    l->width = width;
    l->height = height;
    if (text_track_frame(l->track, width, height, l->p.settings.raise) < 0)
        give_up(l, "no memory");
    return !l->is_hopeless;
}

/* Where the sound is; before it began, where it will begin. */
static int64_t heard_ns(struct text_lane *l)
{
    struct deck_segment *d = l->p.segment;
    struct reader_place place;
    uint64_t tail = atomic_load_explicit(&d->sample_tail, memory_order_acquire);
    uint64_t head = atomic_load_explicit(&d->sample_head, memory_order_acquire);
    return reader_clock_look(&l->clock, tail, head, now_mono_ns(), &place) ? place.media_ns
                                                                           : l->p.start_ns;
}

/* Whether the place of the next cue may be used. */
static bool has_room(const struct text_lane *l, int64_t heard)
{
    struct deck_segment *d = l->p.segment;
    uint64_t head = atomic_load(&d->text_head);
    struct text_cue old;
    return head < TEXT_RING || !text_cue_read(d, head - TEXT_RING, &old) || old.load != l->p.load ||
           old.until_ns <= heard - KEEP_NS;
}

static int64_t thread_cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void account(struct text_lane *l, int64_t cost_ns, int64_t seen_ns)
{
    l->debt_ns = max_i64(l->debt_ns + cost_ns - seen_ns / COST_DIVISOR, 0);
    if (l->debt_ns > CREDIT_NS)
        give_up(l, "they take too long to paint");
}

static void publish(struct text_lane *l, int64_t from_ns, int64_t until_ns)
{
    struct deck_segment *d = l->p.segment;
    uint64_t head = atomic_load(&d->text_head);
    struct text_cue_slot *slot = &d->text[head % TEXT_RING];
    struct text_cue cue = {
        .number = head,
        .load = l->p.load,
        .from_ns = from_ns,
        .until_ns = until_ns,
        .width = (uint32_t)l->width,
        .height = (uint32_t)l->height,
    };
    text_cue_store(slot,
                   &(struct text_cue){ 0 }); /* who copies the old one shall see that it is gone */
    int64_t before_ns = thread_cpu_ns();
    int ret = text_track_paint(l->track, from_ns, &cue, d->text_pixels[head % TEXT_RING]);
    account(l, thread_cpu_ns() - before_ns, until_ns - from_ns);
    if (ret < 0)
        log_debug(l->p.log, "subtitles at %.3f s cover too much", (double)from_ns / NS_PER_S);
    if (ret < 0 || cue.box_count == 0)
        return;
    text_cue_store(slot, &cue);
    atomic_store_explicit(&d->text_head, head + 1, memory_order_release);
    doorbell_ring(l->p.stage_bell);
}

/* Paints what is due soon. */
static void paint(struct text_lane *l)
{
    while (!gate_is_stopped(l->p.gate) && !l->is_hopeless) {
        int64_t heard = heard_ns(l), at = max_i64(l->painted_ns, heard);
        if (at >= heard + AHEAD_NS || !has_room(l, heard))
            return;
        struct text_span span = text_track_span(l->track, at);
        int64_t until = span.until_ns;
        if (span.is_moving)
            until = min_i64(until, at + STEP_NS);
        if (span.active == 0) /* a stream's events of a later time may still come */
            until = min_i64(until, heard + AHEAD_NS);
        else
            publish(l, at, until);
        l->painted_ns = until;
    }
}

/* What was painted while nobody wanted it is of no use: anew from where the sound is. */
static bool look(struct text_lane *l)
{
    bool is_wanted = gate_has(l->p.gate, ORDER_TEXT);
    if (!l->track && (is_wanted || !l->file))
        open_track(l);
    take_packets(l);
    if (!is_wanted)
        l->painted_ns = 0;
    else if (l->track && frame(l))
        paint(l);
    return !l->is_hopeless;
}

static void *run(void *arg)
{
    struct text_lane *l = arg;
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICENESS);
    look_beside(l);
    while (!gate_is_stopped(l->p.gate)) {
        uint32_t seen = doorbell_rings(l->p.gate->bell);
        if (l->is_hopeless || !look(l))
            break;
        gate_wait(l->p.gate, seen, LOOK_AGAIN_NS);
    }
    return NULL;
}

/* ---- from outside -------------------------------------------------------------------------------- */

static void know_stream(struct text_lane *l, const struct demuxer *source)
{
    const struct demuxer_stream *s = demuxer_stream(source, LANE_TEXT);
    l->codec = s ? avcodec_parameters_alloc() : NULL;
    if (l->codec && avcodec_parameters_copy(l->codec, s->codec) < 0)
        avcodec_parameters_free(&l->codec);
    if (!l->codec)
        return;
    l->time_base = s->time_base;
    l->zero_us = demuxer_zero_us(source);
    demuxer_name_text(source, l->stream_name, sizeof(l->stream_name));
}

static void drop_all(struct text_lane *l)
{
    for (size_t i = 0; i < l->waiting_count; i++)
        av_packet_free(&l->waiting[i]);
    text_track_destroy(l->track);
    avcodec_parameters_free(&l->codec);
    pthread_mutex_destroy(&l->lock);
    free(l->file);
    free(l->path);
    free(l->languages);
    free(l);
}

struct text_lane *text_lane_create(const struct text_lane_params *p)
{
    struct text_lane *l = xcalloc(1, sizeof(*l));
    l->p = *p;
    l->path = xstrdup(p->path);
    l->languages = xstrdup(p->settings.languages);
    know_stream(l, p->source);
    l->p.source = NULL; /* borrowed for this call */
    reader_clock_init(&l->clock, p->first_sample, p->start_ns);
    pthread_mutex_init(&l->lock, NULL);
    if (pthread_create(&l->thread, NULL, run, l) != 0) {
        drop_all(l);
        return NULL;
    }
    return l;
}

/* The memory of its cues goes back to the system with it: it may be much. */
void text_lane_destroy(struct text_lane *l)
{
    if (!l)
        return;
    pthread_join(l->thread, NULL);
    struct deck_segment *d = l->p.segment;
    for (size_t i = 0; l->width && i < TEXT_RING; i++)
        text_cue_store(&d->text[i], &(struct text_cue){ 0 });
    if (l->width)
        (void)madvise(d->text_pixels, sizeof(d->text_pixels), MADV_REMOVE);
    drop_all(l);
}

void text_lane_put(struct text_lane *l, AVPacket *pkt)
{
    if (!l) {
        av_packet_unref(pkt);
        return;
    }
    pthread_mutex_lock(&l->lock);
    bool has_place =
        l->waiting_count < WAITING_MAX && l->waiting_bytes + (size_t)pkt->size <= WAITING_BYTES_MAX;
    AVPacket *kept = has_place ? av_packet_clone(pkt) : NULL;
    if (kept) {
        l->waiting[l->waiting_count++] = kept;
        l->waiting_bytes += (size_t)pkt->size;
    }
    pthread_mutex_unlock(&l->lock);
    av_packet_unref(pkt);
}

void text_lane_set_picture(struct text_lane *l, uint32_t width, uint32_t height)
{
    atomic_store(&l->picture, (uint64_t)width << 32 | height);
}

void text_lane_name(struct text_lane *l, char *out, size_t size)
{
    pthread_mutex_lock(&l->lock);
    snprintf(out, size, "%s", l->name);
    pthread_mutex_unlock(&l->lock);
}
