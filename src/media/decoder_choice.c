#include "media/decoder_choice.h"

#include "base/compiler.h"

/* What each board's devices take. Below `lines_min` the processor does it with ease, and without a device that may
 * hang; the H.264 device is for 1080 lines at most. Pi 5 has none for H.264, and needs none. */
static const struct rule {
    enum board_kind board;
    enum AVCodecID codec;
    int lines_min, width_max, height_max;
    enum deck_hardware hardware;
    bool is_request;
    const char *name;
} rules[] = {
    { BOARD_PI3, AV_CODEC_ID_H264, 481, 1920, 1088, DECK_HARDWARE_H264, false, "h264_v4l2m2m" },
    { BOARD_PI4, AV_CODEC_ID_H264, 721, 1920, 1088, DECK_HARDWARE_H264, false, "h264_v4l2m2m" },
    { BOARD_PI4, AV_CODEC_ID_HEVC, 481, 4096, 2304, DECK_HARDWARE_HEVC, true, "hevc" },
    { BOARD_PI5, AV_CODEC_ID_HEVC, 481, 4096, 2304, DECK_HARDWARE_HEVC, true, "hevc" },
};

/* The profile that a sequence parameter set names, in extradata without a box around it; 0: there is none. */
static int profile_in_stream(const uint8_t *data, int size, bool is_hevc)
{
    for (int i = 0; i + 6 < size; i++) {
        const uint8_t *p = data + i;
        if (p[0] || p[1] || p[2] != 1)
            continue;
        if (!is_hevc && (p[3] & 31) == 7)
            return p[4];
        if (is_hevc && (p[3] >> 1 & 63) == 33)
            return p[6] & 31;
    }
    return 0;
}

/* The header says it before anything is decoded; 0: it does not. */
static int profile_of(const AVCodecParameters *p)
{
    bool is_hevc = p->codec_id == AV_CODEC_ID_HEVC;
    if (p->extradata_size < 4)
        return 0;
    if (p->extradata[0] == 1)
        return is_hevc ? p->extradata[1] & 31 : p->extradata[1];
    return profile_in_stream(p->extradata, p->extradata_size, is_hevc);
}

/* 4:2:0, of 8 bits; H.265 also of 10. What says nothing is tried. */
static bool has_profile(const AVCodecParameters *p)
{
    static const int h264[] = { 0, 66, 77, 88, 100 }; /* Baseline, Main, Extended, High */
    static const int hevc[] = { 0, 1, 2 };            /* Main, Main 10 */
    const int *list = p->codec_id == AV_CODEC_ID_HEVC ? hevc : h264;
    size_t count = p->codec_id == AV_CODEC_ID_HEVC ? ARRAY_LEN(hevc) : ARRAY_LEN(h264);
    for (size_t i = 0; i < count; i++)
        if (list[i] == profile_of(p))
            return true;
    return false;
}

/* Interlaced pictures are for software: the devices do not say which fields they made a picture of. */
static bool is_progressive(const AVCodecParameters *p)
{
    return p->field_order == AV_FIELD_UNKNOWN || p->field_order == AV_FIELD_PROGRESSIVE;
}

static const struct rule *rule_for(enum board_kind board, const AVCodecParameters *p)
{
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        const struct rule *r = &rules[i];
        bool fits = p->width > 0 && p->width <= r->width_max && p->height >= r->lines_min &&
                    p->height <= r->height_max;
        if (r->board == board && r->codec == p->codec_id && fits && has_profile(p) &&
            is_progressive(p))
            return r;
    }
    return NULL;
}

enum deck_hardware decoder_hardware(enum board_kind board, const AVCodecParameters *stream)
{
    const struct rule *r = rule_for(board, stream);
    return r ? r->hardware : DECK_SOFTWARE;
}

struct decoder_choice decoder_choose(const struct decoder_wish *w)
{
    const struct rule *r = rule_for(w->board, w->stream);
    if (!r || w->refused & r->hardware)
        return (struct decoder_choice){ 0 };
    uint32_t nodes = r->is_request ? w->nodes.request : w->nodes.stateful;
    if (!(nodes & r->hardware))
        return (struct decoder_choice){ 0 };
    return (struct decoder_choice){ r->hardware, r->name, r->is_request };
}
