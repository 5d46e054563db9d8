#include "media/text_track.h"

#include <ass/ass.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "media/demuxer.h"
#include "media/text_boxes.h"

enum {
    PACKET_BYTES_MAX = 64 * 1024,
    HEADER_BYTES_MAX = 256 * 1024, /* styles */
    GLYPHS_MAX = 2000,             /* libass's caches: glyphs, and ... */
    BITMAPS_MB = 16,               /* ... what was painted of them */
    GAP_DIVISOR = 40,              /* boxes nearer than so much of the canvas are one */
};
/* An event that does not say when it ends, and the longest one. */
#define DEFAULT_MS 5000
#define LONGEST_MS (3600 * 1000)

struct text_track {
    const struct log *log;
    AVCodecContext *decoder;
    int64_t zero_us;
    ASS_Library *library;
    ASS_Renderer *renderer; /* NULL: no canvas yet */
    ASS_Track *track;
    int width, height;
    size_t bytes; /* of all events */
};

static void say(int level, const char *format, va_list args, void *ctx)
{
    char line[256];
    vsnprintf(line, sizeof(line), format, args);
    log_write(ctx, level <= 1 ? LOG_DEBUG : LOG_TRACE, "libass: %s", line);
}

static int open_decoder(struct text_track *t, const AVCodecParameters *p, AVRational time_base)
{
    const AVCodec *codec = avcodec_find_decoder(p->codec_id);
    if (!codec || p->extradata_size > HEADER_BYTES_MAX)
        return AVERROR_DECODER_NOT_FOUND;
    t->decoder = avcodec_alloc_context3(codec);
    if (!t->decoder)
        return AVERROR(ENOMEM);
    int ret = avcodec_parameters_to_context(t->decoder, p);
    if (ret < 0)
        return ret;
    t->decoder->pkt_timebase = time_base;
    t->decoder->sub_charenc_mode = FF_SUB_CHARENC_MODE_IGNORE; /* checked in text_track_add() */
    return avcodec_open2(t->decoder, codec, NULL);
}

static int open_track(struct text_track *t)
{
    t->library = ass_library_init();
    if (!t->library)
        return AVERROR(ENOMEM);
    ass_set_message_cb(t->library, say, (void *)t->log);
    ass_set_extract_fonts(t->library, 0);
    t->track = ass_new_track(t->library);
    if (!t->track)
        return AVERROR(ENOMEM);
    if (t->decoder->subtitle_header_size > 0 &&
        t->decoder->subtitle_header_size <= HEADER_BYTES_MAX)
        ass_process_codec_private(t->track, (char *)t->decoder->subtitle_header,
                                  t->decoder->subtitle_header_size);
    ass_set_check_readorder(t->track, 0);
    return 0;
}

int text_track_create(struct text_track **out, const AVCodecParameters *codec, AVRational time_base,
                      int64_t zero_us, const struct log *log)
{
    struct text_track *t = xcalloc(1, sizeof(*t));
    t->log = log;
    t->zero_us = zero_us;
    int ret = open_decoder(t, codec, time_base);
    if (ret >= 0)
        ret = open_track(t);
    if (ret < 0) {
        text_track_destroy(t);
        return ret;
    }
    *out = t;
    return 0;
}

void text_track_destroy(struct text_track *t)
{
    if (!t)
        return;
    if (t->renderer)
        ass_renderer_done(t->renderer);
    if (t->track)
        ass_free_track(t->track);
    if (t->library)
        ass_library_done(t->library);
    avcodec_free_context(&t->decoder);
    free(t);
}

/* ---- events ------------------------------------------------------------------------------------- */

/* Old files are in Latin-1: what is no UTF-8 is taken for that. The caller frees. */
static char *to_utf8(const char *s, size_t len)
{
    if (utf8_is_valid(s, len))
        return xstrndup(s, len);
    char *out = xcalloc(1, len * 2 + 1);
    for (size_t i = 0, n = 0; i < len; i++) {
        char code[4];
        size_t used = utf8_encode((unsigned char)s[i], code);
        memcpy(out + n, code, used);
        n += used;
    }
    return out;
}

/* The length of a time within a line of lyrics, "<00:12.34>", where `s` is one; else 0. */
static size_t word_time_len(const char *s)
{
    if (*s != '<' || !isdigit((unsigned char)s[1]))
        return 0;
    size_t len = 1 + strspn(s + 1, "0123456789:.");
    return s[len] == '>' && memchr(s, ':', len) ? len + 1 : 0;
}

static void drop_word_times(char *text)
{
    char *to = text;
    while (*text) {
        size_t len = word_time_len(text);
        if (len == 0)
            *to++ = *text++;
        text += len;
    }
    *to = '\0';
}

static void add_event(struct text_track *t, const char *ass, int64_t start_ms, int64_t duration_ms)
{
    size_t len = strlen(ass);
    if (len > TEXT_EVENT_BYTES_MAX || t->track->n_events >= TEXT_EVENTS_MAX ||
        t->bytes + len > TEXT_BYTES_MAX)
        return;
    char *text = to_utf8(ass, len);
    if (t->decoder->codec_id == AV_CODEC_ID_TEXT)
        drop_word_times(text);
    t->bytes += len;
    ass_process_chunk(t->track, text, (int)strlen(text), start_ms, duration_ms);
    free(text);
}

void text_track_add(struct text_track *t, const AVPacket *pkt)
{
    int64_t at_ns = media_time_ns(pkt->pts, t->decoder->pkt_timebase, t->zero_us);
    if (at_ns == NO_TIME || pkt->size > PACKET_BYTES_MAX || t->track->n_events >= TEXT_EVENTS_MAX)
        return;
    AVSubtitle sub;
    int has_sub = 0;
    if (avcodec_decode_subtitle2(t->decoder, &sub, &has_sub, (AVPacket *)pkt) < 0 || !has_sub)
        return;
    int64_t start_ms = at_ns / NS_PER_MS + sub.start_display_time;
    int64_t duration_ms = (int64_t)sub.end_display_time - sub.start_display_time;
    if (duration_ms <= 0 || sub.end_display_time == UINT32_MAX)
        duration_ms = DEFAULT_MS;
    for (unsigned i = 0; i < sub.num_rects; i++) {
        const char *ass = sub.rects[i]->type == SUBTITLE_ASS ? sub.rects[i]->ass : NULL;
        if (ass)
            add_event(t, ass, start_ms, min_i64(duration_ms, LONGEST_MS));
    }
    avsubtitle_free(&sub);
}

static bool moves(const ASS_Event *e)
{
    static const char *const tags[] = { "\\k", "\\K", "\\t(", "\\move", "\\fad" };
    for (size_t i = 0; e->Text && i < ARRAY_LEN(tags); i++) {
        if (strstr(e->Text, tags[i]))
            return true;
    }
    return e->Effect && *e->Effect;
}

struct text_span text_track_span(const struct text_track *t, int64_t from_ns)
{
    struct text_span span = { .until_ns = INT64_MAX };
    int64_t from_ms = from_ns / NS_PER_MS, until_ms = INT64_MAX;
    for (int i = 0; i < t->track->n_events; i++) {
        const ASS_Event *e = &t->track->events[i];
        int64_t end_ms = e->Start + e->Duration;
        if (end_ms <= from_ms)
            continue;
        bool is_active = e->Start <= from_ms;
        until_ms = min_i64(until_ms, is_active ? end_ms : e->Start);
        span.active += is_active;
        span.is_moving = span.is_moving || (is_active && moves(e));
    }
    if (until_ms < INT64_MAX / NS_PER_MS)
        span.until_ns = until_ms * NS_PER_MS;
    return span;
}

/* ---- pictures ----------------------------------------------------------------------------------- */

static int open_renderer(struct text_track *t)
{
    t->renderer = ass_renderer_init(t->library);
    if (!t->renderer)
        return -ENOMEM;
    ass_set_cache_limits(t->renderer, GLYPHS_MAX, BITMAPS_MB);
    ass_set_fonts(t->renderer, NULL, "sans-serif", ASS_FONTPROVIDER_FONTCONFIG, NULL, 1);
    return 0;
}

int text_track_frame(struct text_track *t, int width, int height, int raise)
{
    int ret = t->renderer ? 0 : open_renderer(t);
    if (ret < 0)
        return ret;
    t->width = width;
    t->height = height;
    ass_set_frame_size(t->renderer, width, height);
    ass_set_line_position(t->renderer, raise);
    return 0;
}

/* Where an image of libass's lies, as far as that is on the canvas. false: nowhere. */
static bool box_of(const struct text_track *t, const ASS_Image *image, struct text_box *out)
{
    int64_t x = max_i64(image->dst_x, 0), y = max_i64(image->dst_y, 0);
    int64_t right = min_i64((int64_t)image->dst_x + image->w, t->width);
    int64_t bottom = min_i64((int64_t)image->dst_y + image->h, t->height);
    if (right <= x || bottom <= y)
        return false;
    *out = (struct text_box){ (uint32_t)x, (uint32_t)y, (uint32_t)(right - x),
                              (uint32_t)(bottom - y), 0 };
    return true;
}

static const struct text_box *box_around(const struct text_cue *cue, const struct text_box *b)
{
    for (uint32_t i = 0; i < cue->box_count; i++) {
        const struct text_box *o = &cue->box[i];
        if (b->x >= o->x && b->y >= o->y && b->x + b->w <= o->x + o->w &&
            b->y + b->h <= o->y + o->h)
            return o;
    }
    return NULL;
}

static uint8_t times(unsigned a, unsigned b)
{
    return (uint8_t)((a * b + 127) / 255);
}

/* One colour through a mask, over what is there (premultiplied). `part` is what is on the canvas. */
static void blend(const ASS_Image *image, const struct text_box *part, const struct text_box *box,
                  uint8_t *pixels)
{
    unsigned red = image->color >> 24, green = image->color >> 16 & 255,
             blue = image->color >> 8 & 255, opacity = 255 - (image->color & 255);
    for (uint32_t y = part->y; y < part->y + part->h; y++) {
        const uint8_t *mask = image->bitmap + ((int64_t)y - image->dst_y) * image->stride +
                              ((int64_t)part->x - image->dst_x);
        uint8_t *to = pixels + box->offset + ((size_t)(y - box->y) * box->w + part->x - box->x) * 4;
        for (uint32_t x = 0; x < part->w; x++, to += 4) {
            unsigned alpha = times(mask[x], opacity);
            if (alpha == 0)
                continue;
            to[0] = (uint8_t)(times(blue, alpha) + times(to[0], 255 - alpha));
            to[1] = (uint8_t)(times(green, alpha) + times(to[1], 255 - alpha));
            to[2] = (uint8_t)(times(red, alpha) + times(to[2], 255 - alpha));
            to[3] = (uint8_t)(alpha + times(to[3], 255 - alpha));
        }
    }
}

int text_track_paint(struct text_track *t, int64_t at_ns, struct text_cue *out, uint8_t *pixels)
{
    out->box_count = 0;
    if (text_track_span(t, at_ns).active > TEXT_ACTIVE_MAX)
        return -E2BIG;
    const ASS_Image *first = ass_render_frame(t->renderer, t->track, at_ns / NS_PER_MS, NULL);
    struct text_box part;
    for (const ASS_Image *i = first; i; i = i->next) {
        if (box_of(t, i, &part))
            out->box_count =
                text_boxes_add(out->box, out->box_count, part, (uint32_t)t->height / GAP_DIVISOR);
    }
    if (!text_boxes_place(out->box, out->box_count)) {
        out->box_count = 0;
        return -E2BIG;
    }
    for (uint32_t b = 0; b < out->box_count; b++)
        memset(pixels + out->box[b].offset, 0, (size_t)out->box[b].w * out->box[b].h * 4);
    for (const ASS_Image *i = first; i; i = i->next) {
        if (box_of(t, i, &part))
            blend(i, &part, box_around(out, &part), pixels);
    }
    return 0;
}
