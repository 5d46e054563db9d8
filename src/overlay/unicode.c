#include "overlay/unicode.h"

#include <fribidi.h>

#include "base/compiler.h"
#include "overlay/unicode_tables.h"

#define TAG(a, b, c, d)                                                                            \
    ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

#define CLUSTER_MAX 32

static bool code_in(uint32_t code, const struct code_range *range, size_t count)
{
    size_t lo = 0, hi = count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (code > range[mid].last)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < count && code >= range[lo].first;
}

uint32_t unicode_script(uint32_t code)
{
    size_t lo = 0, hi = ARRAY_LEN(scripts);
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (code > scripts[mid].last)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == ARRAY_LEN(scripts) || code < scripts[lo].first)
        return 0;
    const char *tag = scripts[lo].tag;
    return TAG(tag[0], tag[1], tag[2], tag[3]);
}

bool unicode_is_silent(uint32_t code)
{
    return code == CODE_ZWNJ || code == CODE_ZWJ || code == 0x034f ||
           (code >= 0xfe00 && code <= 0xfe0f) || (code >= 0x180b && code <= 0x180f) ||
           (code >= 0xe0020 && code <= 0xe007f) || (code >= 0xe0100 && code <= 0xe01ef);
}

bool unicode_is_hidden(uint32_t code)
{
    if (unicode_is_silent(code))
        return false;
    if ((code >= 0xe000 && code <= 0xf8ff) || code >= 0xe0000 || (code & 0xfffe) == 0xfffe)
        return true;
    if ((code >= 0xfff9 && code <= 0xfffd) || (code >= 0xfdd0 && code <= 0xfdef))
        return true;
    FriBidiCharType type = fribidi_get_bidi_type(code);
    return FRIBIDI_IS_EXPLICIT_OR_BN(type) || FRIBIDI_IS_ISOLATE(type) || code == 0x200e ||
           code == 0x200f || code == 0x061c || code == 0x2028 ||
           (FRIBIDI_IS_SEPARATOR(type) && code != '\t');
}

bool unicode_is_blank(uint32_t code)
{
    return code == ' ' || code == '\t' || code == 0xa0 || code == 0x1680 ||
           (code >= 0x2000 && code <= 0x200a) || code == 0x202f || code == 0x205f || code == 0x3000;
}

bool unicode_is_mark(uint32_t code)
{
    if (code < 0x300)
        return false;
    return unicode_is_silent(code) || (code >= 0x1f3fb && code <= 0x1f3ff) ||
           fribidi_get_bidi_type(code) == FRIBIDI_TYPE_NSM ||
           code_in(code, spacing_marks, ARRAY_LEN(spacing_marks));
}

static bool is_pictograph(uint32_t code)
{
    return code_in(code, pictographs, ARRAY_LEN(pictographs));
}

bool unicode_is_emoji(uint32_t code)
{
    /* The last block is still being filled: new emoji there are ours without a new table. */
    return code_in(code, emoji, ARRAY_LEN(emoji)) || (code >= 0x1fa70 && code <= 0x1faff);
}

bool unicode_is_ideograph(uint32_t code)
{
    uint32_t script = unicode_script(code);
    return script == TAG('H', 'a', 'n', 'i') || script == TAG('H', 'i', 'r', 'a') ||
           script == TAG('K', 'a', 'n', 'a') || script == TAG('H', 'a', 'n', 'g') ||
           script == TAG('B', 'o', 'p', 'o') || (code >= 0x3000 && code <= 0x303f) ||
           (code >= 0xff00 && code <= 0xff60);
}

static bool is_regional(uint32_t code)
{
    return code >= 0x1f1e6 && code <= 0x1f1ff;
}

/* Hangul that is written as parts: a syllable goes on with a vowel or a final consonant. */
static bool joins_hangul(uint32_t before, uint32_t code)
{
    bool is_lead = before >= 0x1100 && before <= 0x115f;
    bool was_syllable = before >= 0xac00 && before <= 0xd7a3;
    bool was_part = before >= 0x1160 && before <= 0x11ff;
    return (is_lead && code >= 0x1100 && code <= 0x11ff) ||
           ((was_syllable || was_part) && code >= 0x1160 && code <= 0x11ff);
}

size_t unicode_cluster(const uint32_t *code, size_t count)
{
    size_t n = 1;
    bool has_picture = is_pictograph(code[0]);
    if (is_regional(code[0]) && count > 1 && is_regional(code[1]))
        n = 2;
    for (; n < count && n < CLUSTER_MAX; n++) {
        if (unicode_is_mark(code[n]) || joins_hangul(code[n - 1], code[n]))
            continue;
        if (!(has_picture && code[n - 1] == CODE_ZWJ && is_pictograph(code[n])))
            break;
    }
    return n;
}

bool unicode_cluster_is_emoji(const uint32_t *code, size_t count)
{
    bool wants_text = count > 1 && code[1] == CODE_TEXT_VARIANT;
    if (unicode_is_emoji(code[0]) && !wants_text)
        return true;
    bool can_be = is_pictograph(code[0]) || (code[0] < 0x80 && count > 1);
    for (size_t i = 1; can_be && i < count; i++) {
        if (code[i] == CODE_EMOJI_VARIANT || (code[i] >= 0x1f3fb && code[i] <= 0x1f3ff) ||
            (code[i - 1] == CODE_ZWJ && is_pictograph(code[i])))
            return true;
    }
    return false;
}
