#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "overlay/fake_metrics.h"
#include "overlay/text_fit.h"

/* At this size 'a' is 55 wide, an ideograph 100, a blank 30, the ellipsis 55. */
static const struct text_style style = { .size = 100, .weight = WEIGHT_REGULAR };

static void texts_are_cut_between_characters(void **state)
{
    static const struct {
        const char *text;
        int max_w;
        const char *want;
    } cases[] = {
        { "aaaa", 220, "aaaa" },
        { "aaaa", 219, "aa…" },
        { "aaaa", 110, "a…" },
        { "aaaa", 109, "" },
        { "aaaa", 0, "" },
        { "aaaa", -5, "" },
        { NULL, 500, "" },
        { "", 500, "" },
        { "   ", 500, "" },
        { "  a b  ", 500, "a b" },
        { "aaa aaa", 250, "aaa…" }, /* no blank before the ellipsis */
        { "a\nb\tc", 500, "a b c" },
        { "aaae\u0301aa", 275, "aaae\u0301…" },          /* the accent stays */
        { "👩‍👩‍👧‍👦aaaaaaa", 400, "" }, /* a family is whole or not there */
        { "夜夜夜夜", 300, "夜夜…" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char out[DRAW_TEXT_MAX];
        int w = text_fit(&fake_metrics, style, cases[i].text, cases[i].max_w, out);
        if (strcmp(out, cases[i].want) != 0)
            fail_msg("case %zu: \"%s\", not \"%s\"", i, out, cases[i].want);
        assert_int_equal(w, fake_width(NULL, out, style.size, style.weight));
    }
}

static void texts_longer_than_an_item_are_cut(void **state)
{
    char text[3000], out[DRAW_TEXT_MAX];
    for (size_t i = 0; i + 3 < sizeof(text); i += 3)
        memcpy(text + i, "夜", 4);
    int w = text_fit(&fake_metrics, style, text, 1000000, out);
    assert_true(w > 0 && strlen(out) < DRAW_TEXT_MAX && utf8_is_valid(out, strlen(out)));
    assert_string_equal(out + strlen(out) - 3, "…");
}

static void cuts_never_leave_half_a_character(void **state)
{
    static const char text[] =
        "e\u0301👩‍👩‍👧‍👦🇩🇪กิน1️⃣각हिन्दीaa👍🏽x";
    char out[DRAW_TEXT_MAX], previous[DRAW_TEXT_MAX] = "";
    for (int w = 0; w < 2500; w++) {
        int got = text_fit(&fake_metrics, style, text, w, out);
        assert_true(got <= w && utf8_is_valid(out, strlen(out)));
        size_t kept = strlen(out) >= 3 ? strlen(out) - 3 : 0;
        if (strcmp(out, text) == 0 || kept == 0)
            continue;
        assert_memory_equal(out, text, kept);
        size_t used;
        uint32_t next = utf8_decode(text + kept, strlen(text + kept), &used);
        assert_false(unicode_is_mark(next));
        assert_true(strlen(out) >= strlen(previous)); /* more room never shows less */
        strcpy(previous, out);
    }
}

static void words_are_wrapped(void **state)
{
    static const struct {
        const char *text;
        int max_w;
        size_t max_lines;
        const char *want;
    } cases[] = {
        { "", 500, 3, "" },
        { NULL, 500, 3, "" },
        { "aaa bbb ccc", 600, 3, "aaa bbb ccc" },
        { "aaa bbb ccc", 400, 3, "aaa bbb|ccc" },
        { "aaa bbb ccc", 200, 3, "aaa|bbb|ccc" },
        { "aaa bbb ccc", 200, 2, "aaa|bb…" },
        { "aaaaaaaaaa b", 300, 3, "aaaaa|aaaaa|b" }, /* a word wider than the line */
        { "夜夜夜夜。夜", 420, 3, "夜夜夜|夜。夜" }, /* no line begins with a full stop */
        { "aaa   bbb", 200, 3, "aaa|bbb" },
        { "aaa", 10, 3, "" },
        { "aaa bbb", 200, 0, "" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char lines[3][DRAW_TEXT_MAX], got[4 * DRAW_TEXT_MAX] = "";
        size_t count = text_wrap(&fake_metrics, style, cases[i].text, cases[i].max_w, lines,
                                 cases[i].max_lines);
        for (size_t k = 0; k < count; k++) {
            assert_true(fake_width(NULL, lines[k], style.size, style.weight) <= cases[i].max_w);
            sprintf(got + strlen(got), "%s%s", k > 0 ? "|" : "", lines[k]);
        }
        if (strcmp(got, cases[i].want) != 0)
            fail_msg("case %zu: \"%s\", not \"%s\"", i, got, cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_cut_between_characters),
        cmocka_unit_test(texts_longer_than_an_item_are_cut),
        cmocka_unit_test(cuts_never_leave_half_a_character),
        cmocka_unit_test(words_are_wrapped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
