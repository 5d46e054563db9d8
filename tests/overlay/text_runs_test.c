#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "overlay/text_runs.h"
#include "overlay/unicode.h"

/* Fonts of the tests, in their order: Latin with Greek, Cyrillic and what is common; then one per
 * script, and emoji with digits, as the real one has them. */
enum { FONT_BASE, FONT_ARABIC, FONT_HEBREW, FONT_CJK, FONT_THAI, FONT_EMOJI, FONTS };
static const char letter[] = "LAHCTE";

static bool in(uint32_t code, uint32_t first, uint32_t last)
{
    return code >= first && code <= last;
}

static bool has(int font, uint32_t code)
{
    switch (font) {
    case FONT_BASE: return in(code, 0x20, 0x4ff) || in(code, 0x2010, 0x2027) || code == 0x263a;
    case FONT_ARABIC: return in(code, 0x600, 0x6ff) || code == ' ' || code == '(' || code == ')';
    case FONT_HEBREW: return in(code, 0x590, 0x5ff) || code == ' ';
    case FONT_CJK: return in(code, 0x3000, 0x9fff) || in(code, 0x20, 0x7e);
    case FONT_THAI: return in(code, 0xe00, 0xe7f) || code == ' ';
    default:
        return in(code, 0x1f1e6, 0x1faff) || code == 0x263a || in(code, '0', '9') ||
               code == 0x20e3 || code == ' ' || code == 0x2764;
    }
}

static int pick(void *ctx, uint32_t code, int previous)
{
    int wish = previous == PICK_EMOJI ? FONT_EMOJI : previous;
    if (wish >= 0 && has(wish, code))
        return wish;
    for (int font = 0; font < FONTS; font++) {
        if (has(font, code))
            return font;
    }
    return -1;
}

/* "L>abc|A<..." : font, direction, text of each run from left to right. */
static void describe(const char *text, char *out)
{
    struct text_run runs[64];
    size_t count = text_runs(text, pick, NULL, runs, ARRAY_LEN(runs));
    out[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        sprintf(out + strlen(out), "%s%c%c%.*s", i > 0 ? "|" : "", letter[runs[i].font],
                runs[i].is_rtl ? '<' : '>', (int)runs[i].len, text + runs[i].start);
    }
}

static void lines_are_cut_by_font_and_direction_in_visual_order(void **state)
{
    static const struct {
        const char *name, *text, *want;
    } cases[] = {
        { "nothing", "", "" },
        { "plain", "Take On Me", "L>Take On Me" },
        { "Latin and Cyrillic are two scripts", "Kino Кино", "L>Kino |L>Кино" },
        { "common characters join what is before", "a-ha (2024)!", "L>a-ha (2024)!" },
        { "Arabic", "سلام", "A<سلام" },
        { "Arabic words keep their blank", "عبد حافظ", "A<عبد حافظ" },
        { "Arabic line with Latin", "حب Live", "L>Live|A<حب " },
        { "Latin line with Arabic", "Live حب now", "L>Live |A<حب|A> |L>now" },
        { "digits in Arabic stay left to right", "حب 2024 حب", "A<حب|L< |L>2024|A<حب " },
        { "Hebrew with Latin in brackets", "שיר (Song)", "L<)|L>Song|L<(|H<שיר " },
        { "CJK and Latin", "夜 Night", "C>夜 |L>Night" },
        { "kana and ideographs are two scripts of one font", "夜に", "C>夜|C>に" },
        { "Thai marks stay on their letters", "กินข้าว", "T>กินข้าว" },
        { "accents stay on their letters", "e\u0301a", "L>e\u0301a" },
        { "emoji sequence", "a 👩‍👧 b", "L>a |E>👩‍👧|L> b" },
        { "skin tone", "👍🏽", "E>👍🏽" },
        { "flags", "🇩🇪🇯🇵", "E>🇩🇪🇯🇵" },
        { "keycap", "1️⃣ 1", "E>1️⃣|L> 1" },
        { "emoji wanted by its variation", "☺️☺", "E>☺️|L>☺" },
        { "text wanted by its variation", "☺︎", "L>☺︎" },
        { "emoji in Arabic", "حب 😀 حب", "A<حب|L< |E<😀|A<حب " },
        { "ZWNJ stays inside a word", "می‌خواهم", "A<می‌خواهم" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char got[512];
        describe(cases[i].text, got);
        if (strcmp(got, cases[i].want) != 0)
            fail_msg("%s: \"%s\" gives \"%s\", not \"%s\"", cases[i].name, cases[i].text, got,
                     cases[i].want);
    }
}

static void what_cannot_be_drawn_is_in_no_run(void **state)
{
    static const struct {
        const char *name, *text, *want;
    } cases[] = {
        { "no font has it", "a\u0b95b", "L>a|L>b" },
        { "its marks go with it", "a\u0b95\u0301b", "L>a|L>b" },
        { "a mark no font has", "a\u1dc0b", "L>a|L>b" },
        { "a mark without a letter", "\u0301a", "L>a" },
        { "invalid bytes", "Beyonc\xe9!", "L>Beyonc|L>!" },
        { "only invalid bytes", "\xff\xfe\x80", "" },
        { "truncated character", "ab\xe2\x80", "L>ab" },
        { "private use", "a\ue000b", "L>a|L>b" },
        { "byte order mark", "\ufeffab", "L>ab" },
        { "direction override, not obeyed as text", "a\u202eb\u202c", "L>a|L<b" },
        { "line feed", "a\nb", "L>a|L>b" },
        { "object replacement", "a\ufffcb", "L>a|L>b" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char got[512];
        describe(cases[i].text, got);
        if (strcmp(got, cases[i].want) != 0)
            fail_msg("%s: gives \"%s\", not \"%s\"", cases[i].name, got, cases[i].want);
    }
}

static void scripts_are_told_to_the_shaper(void **state)
{
    struct text_run runs[8];
    assert_int_equal(text_runs("(حب)", pick, NULL, runs, 8), 3);
    for (int i = 0; i < 3; i++) { /* the brackets, of two scripts, too */
        assert_true(runs[i].is_rtl);
        assert_int_equal(runs[i].script, 0x41726162);
    }
    assert_int_equal(text_runs("123", pick, NULL, runs, 8), 1);
    assert_int_equal(runs[0].script, 0);
}

static void jokes_with_a_hundred_accents_are_thinned(void **state)
{
    char text[2 + 100 * 2 + 1] = "a";
    for (int i = 0; i < 100; i++)
        strcat(text, "\u0301");
    struct text_run runs[128];
    size_t count = text_runs(text, pick, NULL, runs, 128), bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += runs[i].len;
    assert_true(bytes >= 3 && bytes <= 1 + 4 * 2);
}

static void more_runs_than_room_give_the_first_ones(void **state)
{
    struct text_run runs[3];
    memset(runs, 0x55, sizeof(runs));
    assert_int_equal(text_runs("aЖaЖaЖ", pick, NULL, runs, 2), 2);
    assert_int_equal(runs[0].start, 0);
    assert_int_equal(runs[1].start, 1);
    assert_int_equal(runs[2].font, 0x55555555);
    assert_int_equal(text_runs("abc", pick, NULL, NULL, 0), 0);
}

/* Whatever the bytes: runs lie inside the text, do not overlap, and hold whole code points. */
static void random_bytes_give_sound_runs(void **state)
{
    uint32_t seed = 20240607;
    for (int round = 0; round < 20000; round++) {
        static const char *const bits[] = { "a",      " ",      "س", "ש",     "夜",     "😀",
                                            "\u200d", "\u0301", "1", "\xff",  "\u202e", "\u2067",
                                            "\u2069", "(",      "🇩", "\ufe0f" };
        char text[256] = "", seen[256] = { 0 };
        for (int i = 0; i < 24; i++) {
            seed = seed * 1664525 + 1013904223;
            strcat(text, bits[seed >> 28]);
        }
        struct text_run runs[64];
        size_t count = text_runs(text, pick, NULL, runs, 64);
        for (size_t i = 0; i < count; i++) {
            assert_true(runs[i].len > 0 && runs[i].start + runs[i].len <= strlen(text));
            assert_true((text[runs[i].start] & 0xc0) != 0x80);
            assert_true((text[runs[i].start + runs[i].len] & 0xc0) != 0x80 ||
                        runs[i].start + runs[i].len == strlen(text));
            for (size_t k = 0; k < runs[i].len; k++)
                assert_int_equal(seen[runs[i].start + k]++, 0);
        }
    }
}

static void a_very_long_line_is_bounded(void **state)
{
    size_t len = 100000;
    char *text = malloc(len + 1);
    memset(text, 'a', len);
    text[len] = '\0';
    struct text_run run;
    assert_int_equal(text_runs(text, pick, NULL, &run, 1), 1);
    assert_int_equal(run.len, TEXT_RUNS_CHARS);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_cut_by_font_and_direction_in_visual_order),
        cmocka_unit_test(what_cannot_be_drawn_is_in_no_run),
        cmocka_unit_test(scripts_are_told_to_the_shaper),
        cmocka_unit_test(jokes_with_a_hundred_accents_are_thinned),
        cmocka_unit_test(more_runs_than_room_give_the_first_ones),
        cmocka_unit_test(random_bytes_give_sound_runs),
        cmocka_unit_test(a_very_long_line_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
