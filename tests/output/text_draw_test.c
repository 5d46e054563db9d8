/* Needs the packages fonts-noto-core, fonts-noto-cjk, fonts-noto-color-emoji and
 * fonts-dejavu-core. */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <setjmp.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "base/text.h"
#include "output/font_cache.h"
#include "output/font_line.h"
#include "output/font_list.h"
#include "output/text_draw.h"
#include "overlay/text_runs.h"
#include "overlay/unicode.h"

static const struct {
    const char *name, *text;
} samples[] = {
    { "Latin", "Take On Me – Déjà vu Łódź Ångström" },
    { "Vietnamese", "Tiếng Việt Ắ" },
    { "Greek", "Ζορμπάς" },
    { "Cyrillic", "Группа крови" },
    { "Arabic", "أهواك عبد الحليم" },
    { "Persian", "می‌خواهم" },
    { "Hebrew", "ירושלים של זהב" },
    { "Thai", "ทั้งชีวิตฉันให้เธอ" },
    { "Devanagari", "लता मंगेशकर हिन्दी" },
    { "Japanese", "夜に駆ける カタカナ、。" },
    { "Chinese", "月亮代表我的心 傳統字" },
    { "Korean", "강남스타일 싸이" },
    { "Georgian", "ქართული" },
    { "Armenian", "Հայերեն" },
    { "Tamil", "தமிழ்" },
    { "Emoji",
      "😀🎉👩‍👩‍👧‍👦👍🏽🇩🇪1️⃣❤️‍🔥🏴󠁧󠁢󠁳󠁣"
      "󠁴"
      "󠁿" },
    { "Symbols", "♥ ★ ♪ ♫ → © ™ … “”" },
};

static struct text_draw *draw;
static struct text_metrics metrics;

static int set_up(void **state)
{
    struct log log = { "text", LOG_ERROR };
    static struct log kept;
    kept = log;
    if (text_draw_open(&draw, &kept) < 0)
        return -1;
    metrics = text_draw_metrics(draw);
    return 0;
}

static int tear_down(void **state)
{
    text_draw_close(draw);
    return 0;
}

static int width_of(const char *text)
{
    return metrics.width(metrics.ctx, text, 48, WEIGHT_REGULAR);
}

/* One text in white at 100,100. */
static struct bitmap *paint(const char *text, int size, uint32_t rgba)
{
    struct draw_list *list = calloc(1, sizeof(*list));
    struct bitmap *b = NULL;
    list->count = 1;
    list->item[0] = (struct draw_item){
        .kind = DRAW_TEXT, .x = 100, .y = 100, .rgba = rgba, .size = size, .h = size * 5 / 4
    };
    list->item[0].w = metrics.width(metrics.ctx, text, size, WEIGHT_REGULAR);
    snprintf(list->item[0].text, DRAW_TEXT_MAX, "%s", text);
    int count = text_draw_paint(draw, list, &b, 1);
    assert_true(count <= 1);
    free(list);
    return count == 1 ? b : NULL;
}

static size_t ink(const struct bitmap *b)
{
    size_t count = 0;
    for (int y = 0; b && y < b->h; y++) {
        for (int x = 0; x < b->w; x++)
            count += b->pixels[(size_t)y * b->stride + 4 * (size_t)x + 3] > 0;
    }
    return count;
}

static bool has_colour(const struct bitmap *b)
{
    for (int y = 0; y < b->h; y++) {
        for (int x = 0; x < b->w; x++) {
            const uint8_t *p = b->pixels + (size_t)y * b->stride + 4 * (size_t)x;
            if (abs(p[0] - p[1]) > 40 || abs(p[1] - p[2]) > 40)
                return true;
        }
    }
    return false;
}

static void check_premultiplied(const struct bitmap *b)
{
    for (int y = 0; y < b->h; y++) {
        for (int x = 0; x < b->w; x++) {
            const uint8_t *p = b->pixels + (size_t)y * b->stride + 4 * (size_t)x;
            assert_true(p[0] <= p[3] && p[1] <= p[3] && p[2] <= p[3]);
        }
    }
}

static void every_script_has_ink_of_sound_pixels(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        struct bitmap *b = paint(samples[i].text, 48, 0xffffffff);
        if (!b || ink(b) < 300)
            fail_msg("%s: %zu pixels of ink", samples[i].name, ink(b));
        check_premultiplied(b);
        assert_int_equal(has_colour(b), strcmp(samples[i].name, "Emoji") == 0);
        bitmap_destroy(b);
    }
}

struct face_check {
    struct font_list *list;
    enum draw_weight weight;
};

static int pick(void *ctx, uint32_t code, int previous)
{
    struct face_check *c = ctx;
    return font_list_pick(c->list, c->weight, code, previous);
}

/* SDL_ttf itself is asked for each character of each run: it would draw a box for a missing one. */
static void no_run_holds_a_character_its_font_lacks(void **state)
{
    struct face_check check;
    struct font_cache *cache;
    assert_int_equal(font_list_open(&check.list, NULL), 0);
    assert_int_equal(font_cache_open(&cache, NULL), 0);
    for (size_t i = 0; i < 2 * ARRAY_LEN(samples); i++) {
        const char *text = samples[i / 2].text;
        struct text_run runs[96];
        check.weight = i % 2 ? WEIGHT_BOLD : WEIGHT_REGULAR;
        size_t count = text_runs(text, pick, &check, runs, 96), bytes = 0;
        for (size_t r = 0; r < count; r++) {
            TTF_Font *font =
                font_cache_get(cache, font_list_face(check.list, check.weight, runs[r].font), 48);
            assert_non_null(font);
            bytes += runs[r].len;
            for (size_t k = 0, used; k < runs[r].len; k += used) {
                uint32_t code = utf8_decode(text + runs[r].start + k, runs[r].len - k, &used);
                if (!unicode_is_silent(code) && !TTF_GlyphIsProvided32(font, code))
                    fail_msg("%s: no glyph for U+%04X", samples[i / 2].name, code);
            }
        }
        assert_int_equal(bytes, strlen(text)); /* and nothing of the samples was left out */
    }
    font_cache_close(cache);
    font_list_close(check.list);
}

static void what_no_font_has_leaves_no_trace(void **state)
{
    static const char *const nothing[] = { "\u0378", "\ue000",   "\U000f0000", "\uffff",
                                           "\ufffd", "\xff\x80", "\n\x01\x7f", "\u200e\u202e",
                                           "\u0301", "",         "\U0001fffe" };
    for (size_t i = 0; i < ARRAY_LEN(nothing); i++) {
        struct bitmap *b = paint(nothing[i], 48, 0xffffffff);
        assert_int_equal(width_of(nothing[i]), 0);
        assert_int_equal(ink(b), 0);
        bitmap_destroy(b);
    }
    struct bitmap *a = paint("Ab", 48, 0xffffffff), *b = paint("Ab\u0378\ue000", 48, 0xffffffff);
    assert_int_equal(a->h, b->h);
    assert_int_equal(a->w, b->w);
    assert_memory_equal(a->pixels, b->pixels, (size_t)a->stride * a->h);
    bitmap_destroy(a);
    bitmap_destroy(b);
}

static void emoji_sequences_are_one_picture_at_text_height(void **state)
{
    static const char *const one[] = {
        "👩‍🚀", "👍🏽", "🇩🇪", "1️⃣", "❤️‍🔥", "🏴󠁧󠁢󠁳󠁣󠁴󠁿",
        "☺️"
    };
    int single = width_of("😀");
    assert_true(single > 40 && single < 72);
    for (size_t i = 0; i < ARRAY_LEN(one); i++) {
        struct bitmap *b = paint(one[i], 48, 0xffffffff);
        if (width_of(one[i]) != single || !has_colour(b) || b->h > 72)
            fail_msg("%s: %d wide, %d high; 😀 is %d wide", one[i], width_of(one[i]), b->h, single);
        bitmap_destroy(b);
    }
    assert_in_range(width_of("😀😀"), 2 * single - 1, 2 * single + 1);
}

static void colour_does_not_bleed_from_beside_an_emoji(void **state)
{
    struct bitmap *b = paint("🌃 x", 48, 0xffffffff);
    int past = width_of("🌃"); /* what follows is white on nothing */
    for (int y = 0; y < b->h; y++) {
        for (int x = 100 - b->x + past + 2; x < b->w; x++) {
            const uint8_t *p = b->pixels + (size_t)y * b->stride + 4 * (size_t)x;
            assert_true(p[0] == p[1] && p[1] == p[2]);
        }
    }
    bitmap_destroy(b);
}

static void arabic_letters_join(void **state)
{
    assert_true(width_of("ببب") < 3 * width_of("ب"));
    assert_true(width_of("لا") < width_of("ل") + width_of("ا"));
}

static void marks_take_no_room(void **state)
{
    assert_int_equal(width_of("กิ่"), width_of("ก"));
    assert_int_equal(width_of("e\u0301"), width_of("é"));
}

static void bold_is_bolder_and_size_scales(void **state)
{
    int regular = width_of("Take On Me"),
        bold = metrics.width(metrics.ctx, "Take On Me", 48, WEIGHT_BOLD);
    int twice = metrics.width(metrics.ctx, "Take On Me", 96, WEIGHT_REGULAR);
    assert_true(bold > regular);
    assert_in_range(twice, 2 * regular - 8, 2 * regular + 8);
}

static void text_takes_its_colour_and_transparency(void **state)
{
    struct bitmap *b = paint("Ill", 48, 0x20c04080);
    uint8_t most[4] = { 0 };
    for (size_t i = 0; i < (size_t)b->stride * b->h; i++)
        most[i % 4] = b->pixels[i] > most[i % 4] ? b->pixels[i] : most[i % 4];
    assert_in_range(most[3], 126, 128);
    assert_in_range(most[0], 31, 33);
    assert_in_range(most[1], 95, 97);
    assert_in_range(most[2], 15, 17);
    bitmap_destroy(b);
}

static struct draw_item rect_item(int x, int y, int w, int h)
{
    return (
        struct draw_item){ .kind = DRAW_RECT, .x = x, .y = y, .w = w, .h = h, .rgba = 0x000000ff };
}

static void items_that_touch_share_a_bitmap(void **state)
{
    struct draw_list *list = calloc(1, sizeof(*list));
    struct bitmap *b[8];
    list->item[0] = rect_item(0, 0, 100, 50);
    list->item[1] = rect_item(500, 0, 10, 10);
    list->item[2] = rect_item(90, 40, 100, 50); /* touches the first */
    list->item[3] = rect_item(180, 0, 20, 500); /* touches the third */
    list->item[4] = rect_item(1000, 1000, 7, 9);
    list->count = 5;
    assert_int_equal(text_draw_paint(draw, list, b, 8), 3);
    int64_t area = 0;
    size_t inked = 0;
    for (int i = 0; i < 3; i++) {
        area += (int64_t)b[i]->w * b[i]->h;
        inked += ink(b[i]);
        bitmap_destroy(b[i]);
    }
    assert_int_equal(area, 200 * 500 + 10 * 10 + 7 * 9);
    /* each item painted once: less by the overlaps 10 x 10 and 10 x 50 */
    assert_int_equal(inked, 100 * 50 + 10 * 10 + 100 * 50 - 100 + 20 * 500 - 500 + 7 * 9);
    assert_int_equal(text_draw_paint(draw, list, b, 2), 2);
    bitmap_destroy(b[0]);
    bitmap_destroy(b[1]);
    assert_int_equal(text_draw_paint(draw, list, b, 1), 1);
    assert_int_equal(b[0]->w, 1007);
    assert_int_equal(b[0]->h, 1009);
    bitmap_destroy(b[0]);
    assert_int_equal(text_draw_paint(draw, list, b, 0), 0);
    free(list);
}

static void absurd_items_are_left_out(void **state)
{
    struct draw_list *list = calloc(1, sizeof(*list));
    struct bitmap *b[8];
    list->item[0] = rect_item(0, 0, 100000, 100000);
    list->count = 1;
    assert_int_equal(text_draw_paint(draw, list, b, 8), 0);
    list->item[0] = rect_item(0, 0, 0, 0);
    assert_int_equal(text_draw_paint(draw, list, b, 8), 0);
    list->count = 0;
    assert_int_equal(text_draw_paint(draw, list, b, 8), 0);
    free(list);
    bitmap_destroy(NULL);
    text_draw_close(NULL);
}

static void ink_stays_near_its_line_whatever_the_text(void **state)
{
    static const char *const texts[] = {
        "Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f\u0334\u0319\u0324",
        "ÅÇỆ",
        "ปู่ที่",
        "ﷺ",
        "꧅",
        "๑๑๑ส้้้้้้้"
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct bitmap *b = paint(texts[i], 40, 0xffffffff);
        assert_non_null(b);
        assert_true(b->y >= 100 - 20 && b->y + b->h <= 100 + 50 + 20);
        bitmap_destroy(b);
    }
}

/* A base letter stands on the same row with and without an accent above the font's ascent. */
static void tall_accents_do_not_move_the_line(void **state)
{
    struct bitmap *plain = paint("A", 64, 0xffffffff);
    struct bitmap *tall = paint("A\u0301\u0301\u0301\u0301", 64, 0xffffffff);
    int bottom[2] = { 0 };
    struct bitmap *both[2] = { plain, tall };
    for (int k = 0; k < 2; k++) {
        for (int y = 0; y < both[k]->h; y++) {
            for (int x = 0; x < both[k]->w; x++) {
                if (both[k]->pixels[(size_t)y * both[k]->stride + 4 * (size_t)x + 3] > 128)
                    bottom[k] = both[k]->y + y;
            }
        }
        bitmap_destroy(both[k]);
    }
    assert_in_range(bottom[1], bottom[0] - 1, bottom[0] + 1);
}

static void what_is_kept_has_a_ceiling(void **state)
{
    struct font_lines *lines;
    assert_int_equal(font_lines_open(&lines, NULL), 0);
    for (int i = 0; i < 700; i++) {
        char text[64];
        snprintf(text, sizeof(text), "%d %s 夜に 😀", i, samples[i % 15].name);
        const struct font_line *line =
            font_lines_draw(lines, text, 20 + i % 90, (enum draw_weight)(i % 2));
        assert_true(line->w > 0 && line->mask);
        struct font_lines_usage usage = font_lines_usage(lines);
        assert_true(usage.lines <= FONT_LINES_MAX && usage.fonts <= FONT_CACHE_MAX);
        assert_true(usage.bytes <= FONT_LINES_MAX_BYTES);
    }
    struct font_lines_usage usage = font_lines_usage(lines);
    assert_int_equal(usage.fonts, FONT_CACHE_MAX); /* the ceilings were reached */
    assert_true(usage.bytes > FONT_LINES_MAX_BYTES / 2 || usage.lines == FONT_LINES_MAX);
    font_lines_close(lines);
}

static void a_kept_line_is_the_line_drawn_anew(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        struct bitmap *first = paint(samples[i].text, 31, 0xffffffff);
        struct bitmap *again = paint(samples[i].text, 31, 0xffffffff);
        for (int k = 0; k < 300; k++) { /* pushes it out */
            char text[32];
            snprintf(text, sizeof(text), "%d", k);
            width_of(text);
        }
        struct bitmap *anew = paint(samples[i].text, 31, 0xffffffff);
        assert_memory_equal(first->pixels, again->pixels, (size_t)first->stride * first->h);
        assert_memory_equal(first->pixels, anew->pixels, (size_t)first->stride * first->h);
        bitmap_destroy(first);
        bitmap_destroy(again);
        bitmap_destroy(anew);
    }
}

static void the_longest_lines_are_drawn(void **state)
{
    char text[DRAW_TEXT_MAX] = "";
    for (int i = 0; i < 15; i++)
        strcat(text, "aس夜😀ก\u0301שЖ ");
    for (int size = 1; size <= 200; size += 33) {
        struct bitmap *b = paint(text, size, 0xffffffff);
        assert_non_null(b);
        assert_true(ink(b) > 0);
        check_premultiplied(b);
        bitmap_destroy(b);
    }
}

/* Opens the fonts of one folder only; 0 or -errno. */
static int open_with_fonts_of(const char *dir, struct text_draw **out)
{
    char path[] = "/tmp/djamms-fonts-XXXXXX";
    int fd = mkstemp(path);
    FILE *f = fdopen(fd, "w");
    assert_non_null(f);
    fprintf(f,
            "<fontconfig><dir>%s</dir><cachedir prefix=\"xdg\">fontconfig</cachedir></fontconfig>",
            dir);
    fclose(f);
    setenv("FONTCONFIG_FILE", path, 1);
    int ret = text_draw_open(out, NULL);
    unsetenv("FONTCONFIG_FILE");
    unlink(path);
    return ret;
}

static void a_machine_without_fonts_is_an_error_and_one_with_few_leaves_out(void **state)
{
    struct text_draw *t = NULL;
    assert_int_equal(open_with_fonts_of("/nonexistent", &t), -ENOENT);
    assert_null(t);
    assert_int_equal(open_with_fonts_of("/usr/share/fonts/truetype/dejavu", &t), 0);
    struct text_metrics few = text_draw_metrics(t);
    int latin = few.width(few.ctx, "ab", 40, WEIGHT_BOLD);
    assert_true(latin > 0);
    assert_int_equal(few.width(few.ctx, "a夜に\U0001f9ffb", 40, WEIGHT_BOLD), latin);
    text_draw_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_script_has_ink_of_sound_pixels),
        cmocka_unit_test(no_run_holds_a_character_its_font_lacks),
        cmocka_unit_test(what_no_font_has_leaves_no_trace),
        cmocka_unit_test(emoji_sequences_are_one_picture_at_text_height),
        cmocka_unit_test(colour_does_not_bleed_from_beside_an_emoji),
        cmocka_unit_test(arabic_letters_join),
        cmocka_unit_test(marks_take_no_room),
        cmocka_unit_test(bold_is_bolder_and_size_scales),
        cmocka_unit_test(text_takes_its_colour_and_transparency),
        cmocka_unit_test(items_that_touch_share_a_bitmap),
        cmocka_unit_test(absurd_items_are_left_out),
        cmocka_unit_test(ink_stays_near_its_line_whatever_the_text),
        cmocka_unit_test(tall_accents_do_not_move_the_line),
        cmocka_unit_test(what_is_kept_has_a_ceiling),
        cmocka_unit_test(a_kept_line_is_the_line_drawn_anew),
        cmocka_unit_test(the_longest_lines_are_drawn),
        cmocka_unit_test(a_machine_without_fonts_is_an_error_and_one_with_few_leaves_out),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
