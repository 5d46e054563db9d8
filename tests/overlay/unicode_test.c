#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "base/text.h"
#include "overlay/unicode.h"

#define TAG(s) ((uint32_t)(s)[0] << 24 | (uint32_t)(s)[1] << 16 | (uint32_t)(s)[2] << 8 | (s)[3])

static size_t decode(const char *text, uint32_t *code, size_t max)
{
    size_t len = strlen(text), n = 0;
    for (size_t i = 0, used; i < len && n < max; i += used)
        code[n++] = utf8_decode(text + i, len - i, &used);
    return n;
}

static void every_script_of_the_bar_is_known(void **state)
{
    static const struct {
        uint32_t code;
        const char *tag;
    } cases[] = {
        { 'a', "Latn" },    { 0xe9, "Latn" },   { 0x416, "Cyrl" },   { 0x3a9, "Grek" },
        { 0x5d0, "Hebr" },  { 0x633, "Arab" },  { 0xfefb, "Arab" },  { 0xe01, "Thai" },
        { 0x915, "Deva" },  { 0x4e00, "Hani" }, { 0x9fff, "Hani" },  { 0x3042, "Hira" },
        { 0x30a2, "Kana" }, { 0xac00, "Hang" }, { 0x20000, "Hani" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(unicode_script(cases[i].code), TAG(cases[i].tag));
    static const uint32_t common[] = { ' ',     '1',    '.',      0x300,     0x2026,
                                       0x1f600, 0x3001, 0x10ffff, 0xffffffff };
    for (size_t i = 0; i < ARRAY_LEN(common); i++)
        assert_int_equal(unicode_script(common[i]), 0);
}

static void one_character_for_the_reader_is_one_cluster(void **state)
{
    static const struct {
        const char *text;
        size_t clusters;
    } cases[] = {
        { "abc", 3 },
        { "e\u0301a", 2 },
        { "\u0301", 1 },
        { "👍🏽", 1 },
        { "👩‍👩‍👧‍👦x", 2 },
        { "🇩🇪🇯🇵", 2 },
        { "🇩🇪🇯", 2 },
        { "1️⃣2", 2 },
        { "🏴󠁧󠁢󠁳󠁣󠁴󠁿", 1 },
        { "กิน", 2 },
        { "हिन्दी", 3 },
        { "각", 1 },
        { "\u1112\u1161\u11ab\u1100\u1173\u11af", 2 },
        { "می‌خواهم", 7 },
        { "a\u200db", 2 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint32_t code[64];
        size_t count = decode(cases[i].text, code, 64), clusters = 0;
        for (size_t k = 0; k < count; clusters++)
            k += unicode_cluster(code + k, count - k);
        if (clusters != cases[i].clusters)
            fail_msg("%s: %zu clusters, not %zu", cases[i].text, clusters, cases[i].clusters);
    }
}

static void a_cluster_is_bounded(void **state)
{
    uint32_t code[500] = { 'a' };
    for (size_t i = 1; i < ARRAY_LEN(code); i++)
        code[i] = 0x301;
    assert_true(unicode_cluster(code, ARRAY_LEN(code)) <= 64);
}

static void colour_is_for_emoji_and_not_for_text(void **state)
{
    static const struct {
        const char *text;
        bool is_emoji;
    } cases[] = {
        { "😀", true },       { "😀︎", false }, { "❤️", true }, { "❤", false },
        { "☎", false },      { "1️⃣", true },  { "1", false },     { "👍🏽", true },
        { "☝🏽", true }, { "🇩🇪", true },       { "a", false },     { "e\u0301", false },
        { "⌚", true },       { "🫨", true },     { "♥", false },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint32_t code[16];
        size_t count = decode(cases[i].text, code, 16);
        if (unicode_cluster_is_emoji(code, count) != cases[i].is_emoji)
            fail_msg("%s", cases[i].text);
    }
}

static void what_has_no_shape_is_hidden(void **state)
{
    static const uint32_t hidden[] = { 0,      0x1f,   '\n',    0x7f,    0x85,    0xad,
                                       0x200b, 0x200e, 0x202e,  0x2028,  0x2029,  0x2066,
                                       0x2069, 0xfeff, 0xe000,  0xfdd0,  0xfffc,  0xfffd,
                                       0xfffe, 0xffff, 0xf0000, 0x1fffe, 0x10ffff };
    static const uint32_t shown[] = { ' ',      'a',       '\t',   0xa0,   0x301,
                                      CODE_ZWJ, CODE_ZWNJ, 0xfe0f, 0x4e00, 0x1f600 };
    for (size_t i = 0; i < ARRAY_LEN(hidden); i++) {
        if (!unicode_is_hidden(hidden[i]))
            fail_msg("U+%04X is not hidden", hidden[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
        if (unicode_is_hidden(shown[i]))
            fail_msg("U+%04X is hidden", shown[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_script_of_the_bar_is_known),
        cmocka_unit_test(one_character_for_the_reader_is_one_cluster),
        cmocka_unit_test(a_cluster_is_bounded),
        cmocka_unit_test(colour_is_for_emoji_and_not_for_text),
        cmocka_unit_test(what_has_no_shape_is_hidden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
