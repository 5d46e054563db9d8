/* Subtitle files become bitmaps, and no file costs more than it may. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/now.h"
#include "media/text_file.h"

enum { WIDTH = 640, HEIGHT = 360 };

static uint8_t pixels[TEXT_CUE_BYTES];

struct folder {
    char dir[32], path[64];
    struct doorbell bell;
    struct gate gate;
};

static int make_folder(void **state)
{
    struct folder *f = calloc(1, sizeof(*f));
    snprintf(f->dir, sizeof(f->dir), "/tmp/djamms-test-XXXXXX");
    f->gate.bell = &f->bell;
    *state = f;
    return mkdtemp(f->dir) ? 0 : -1;
}

static int drop_folder(void **state)
{
    struct folder *f = *state;
    unlink(f->path);
    rmdir(f->dir);
    free(f);
    return 0;
}

static int open_text(struct folder *f, struct text_track **out, const char *name, const char *text,
                     size_t len)
{
    unlink(f->path);
    snprintf(f->path, sizeof(f->path), "%s/%s", f->dir, name);
    FILE *file = fopen(f->path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    fclose(file);
    return text_file_open(out, f->path, &f->gate, NULL);
}

static struct text_track *track_of(struct folder *f, const char *name, const char *text)
{
    struct text_track *t;
    int ret = open_text(f, &t, name, text, strlen(text));
    if (ret != 0)
        fail_msg("%s: %d", name, ret);
    return t;
}

/* How many pixels are seen at that time; of which the lowest row is *bottom. */
static long seen_at(struct text_track *t, int64_t at_ns, int raise, uint32_t *bottom)
{
    struct text_cue cue;
    long count = 0;
    assert_int_equal(text_track_frame(t, WIDTH, HEIGHT, raise), 0);
    assert_int_equal(text_track_paint(t, at_ns, &cue, pixels), 0);
    *bottom = 0;
    for (uint32_t i = 0; i < cue.box_count; i++) {
        const struct text_box *b = &cue.box[i];
        assert_true(b->x + b->w <= WIDTH && b->y + b->h <= HEIGHT);
        for (size_t p = 0; p < (size_t)b->w * b->h; p++)
            count += pixels[b->offset + p * 4 + 3] > 128;
        *bottom = b->y + b->h > *bottom ? b->y + b->h : *bottom;
    }
    return count;
}

static void every_format_is_seen_at_its_time_only(void **state)
{
    static const struct {
        const char *name, *text;
    } files[] = {
        { "a.srt", "1\n00:00:01,000 --> 00:00:02,000\nHello <i>there</i>\n\n" },
        { "a.vtt", "WEBVTT\n\n00:01.000 --> 00:02.000 align:start\nHello there\n" },
        { "a.lrc", "[ti:Song]\n[00:01.00]Hello there\n[00:02.00]\n[00:30.00]end\n" },
        { "a.ass", "[Script Info]\nScriptType: v4.00+\nPlayResX: 640\nPlayResY: 360\n\n"
                   "[V4+ Styles]\nFormat: Name, Fontname, Fontsize, PrimaryColour, Alignment\n"
                   "Style: Default,Sans,40,&H00FFFFFF,2\n\n"
                   "[Events]\nFormat: Layer, Start, End, Style, Text\n"
                   "Dialogue: 0,0:00:01.00,0:00:02.00,Default,{\\k50}Hello {\\k50}there\n" },
    };
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        uint32_t bottom;
        struct text_track *t = track_of(*state, files[i].name, files[i].text);
        long before = seen_at(t, MS(900), 0, &bottom), after = seen_at(t, MS(2100), 0, &bottom);
        long at = seen_at(t, MS(1500), 0, &bottom);
        if (before != 0 || after != 0 || at < 200)
            fail_msg("%s: %ld, %ld, %ld", files[i].name, before, at, after);
        assert_in_range(bottom, HEIGHT * 3 / 4, HEIGHT);
        text_track_destroy(t);
    }
}

static void spans_tell_when_something_changes(void **state)
{
    struct text_track *t = track_of(*state, "a.srt",
                                    "1\n00:00:01,000 --> 00:00:03,000\nA\n\n"
                                    "2\n00:00:02,000 --> 00:00:04,000\nB\n\n");
    static const struct {
        int64_t at_ms;
        int active;
        int64_t until_ms;
    } cases[] = { { 0, 0, 1000 },    { 999, 0, 1000 },  { 1000, 1, 2000 },
                  { 2000, 2, 3000 }, { 3500, 1, 4000 }, { 4000, 0, -1 } };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct text_span s = text_track_span(t, MS(cases[i].at_ms));
        assert_int_equal(s.active, cases[i].active);
        assert_false(s.is_moving);
        assert_int_equal(s.until_ns, cases[i].until_ms < 0 ? INT64_MAX : MS(cases[i].until_ms));
    }
    text_track_destroy(t);
}

static void room_is_left_below_when_it_is_wanted(void **state)
{
    uint32_t low, high;
    struct text_track *t = track_of(*state, "a.srt", "1\n00:00:00,000 --> 00:00:09,000\nHello\n\n");
    assert_true(seen_at(t, MS(10), 0, &low) > 0);
    assert_true(seen_at(t, MS(10), 18, &high) > 0);
    assert_in_range(low, HEIGHT * 90 / 100, HEIGHT);
    assert_in_range(high, HEIGHT * 70 / 100, HEIGHT * 82 / 100);
    text_track_destroy(t);
}

static void old_files_in_latin_1_are_read(void **state)
{
    uint32_t bottom;
    struct text_track *a =
        track_of(*state, "a.srt", "1\n00:00:00,000 --> 00:00:09,000\nf\xfcr \xe4lle\n\n");
    long latin = seen_at(a, MS(10), 0, &bottom);
    text_track_destroy(a);
    struct text_track *b =
        track_of(*state, "a.srt", "1\n00:00:00,000 --> 00:00:09,000\nf\xc3\xbcr \xc3\xa4lle\n\n");
    assert_true(latin > 0);
    assert_int_equal(seen_at(b, MS(10), 0, &bottom), latin);
    text_track_destroy(b);
}

static void times_of_words_in_lyrics_are_not_shown(void **state)
{
    uint32_t bottom;
    struct text_track *a = track_of(*state, "a.lrc", "[00:00.00]One <two> 1 < 2 three\n");
    long plain = seen_at(a, MS(10), 0, &bottom);
    text_track_destroy(a);
    struct text_track *b =
        track_of(*state, "a.lrc", "[00:00.00]<00:00.00>One <00:00.50><two> 1 < 2 three<0:01.1>\n");
    assert_true(plain > 0);
    assert_int_equal(seen_at(b, MS(10), 0, &bottom), plain);
    text_track_destroy(b);
}

/* ---- hostile files ------------------------------------------------------------------------------- */

static void a_file_that_is_too_large_is_not_read(void **state)
{
    size_t len = (size_t)TEXT_FILE_MAX + 1;
    char *text = malloc(len);
    struct text_track *t;
    memset(text, 'a', len);
    assert_int_equal(open_text(*state, &t, "a.srt", text, len), -EFBIG);
    assert_null(t);
    free(text);
}

static void too_many_events_are_left_out(void **state)
{
    struct buf b;
    uint32_t bottom;
    buf_init(&b, (size_t)TEXT_FILE_MAX);
    for (int i = 0; i < 50000; i++)
        assert_int_equal(
            buf_printf(&b, "1\n0:00:%02d,%03d --> 0:00:59,999\nx\n\n", i / 1000, i % 1000), 0);
    struct text_track *t;
    assert_int_equal(open_text(*state, &t, "a.srt", b.data, b.len), 0);
    /* All that are kept are seen at a time: that is too many. */
    struct text_span s = text_track_span(t, SECONDS(59));
    assert_int_equal(s.active, TEXT_EVENTS_MAX);
    struct text_cue cue;
    assert_int_equal(text_track_frame(t, WIDTH, HEIGHT, 0), 0);
    assert_int_equal(text_track_paint(t, SECONDS(59), &cue, pixels), -E2BIG);
    assert_int_equal(cue.box_count, 0);
    /* The first of them are seen. */
    assert_true(seen_at(t, MS(5), 0, &bottom) > 0);
    text_track_destroy(t);
    buf_finish(&b);
}

static void a_line_without_end_is_left_out(void **state)
{
    struct buf b;
    buf_init(&b, (size_t)TEXT_FILE_MAX);
    assert_int_equal(buf_printf(&b, "1\n00:00:00,000 --> 00:00:09,000\n"), 0);
    for (int i = 0; i < 2000; i++)
        assert_int_equal(buf_printf(&b, "endless "), 0);
    assert_int_equal(buf_printf(&b, "\n\n2\n00:00:05,000 --> 00:00:06,000\nshort\n\n"), 0);
    struct text_track *t;
    assert_int_equal(open_text(*state, &t, "a.srt", b.data, b.len), 0);
    assert_int_equal(text_track_span(t, MS(100)).active, 0);
    assert_int_equal(text_track_span(t, MS(5500)).active, 1);
    text_track_destroy(t);
    buf_finish(&b);
}

static void times_that_are_none_do_no_harm(void **state)
{
    static const char *const files[][2] = {
        { "a.srt", "1\n99999999:99:99,999 --> nan\nA\n\n2\n-1:00:00,000 --> 00:00:01,000\nB\n\n" },
        { "a.srt", "1\n00:00:05,000 --> 00:00:01,000\nbackwards\n\n" },
        { "a.vtt", "WEBVTT\n\nnan --> inf\nA\n\n9223372036854775807:00:00.000 --> 00:01.000\nB\n" },
        { "a.lrc", "[nan:inf]A\n[99999999999999999999:99.99]B\n[-5:00.00]C\n" },
        { "a.ass", "[Events]\nFormat: Start, End, Text\nDialogue: 0:00:nan,0:00:inf,A\n"
                   "Dialogue: -9:99:99.99,9999999:00:00.00,B\n" },
        { "a.ass", "" },
        { "a.srt", "\xff\xfe\xff" },
        { "a.lrc", "[" },
    };
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct text_track *t;
        uint32_t bottom;
        int ret = open_text(*state, &t, files[i][0], files[i][1], strlen(files[i][1]));
        if (ret < 0)
            continue; /* refused is as good */
        for (int64_t at = 0; at < SECONDS(10); at += MS(500)) {
            struct text_span s = text_track_span(t, at);
            assert_true(s.until_ns > at);
            (void)seen_at(t, at, 0, &bottom);
        }
        text_track_destroy(t);
    }
}

static void huge_text_covers_no_more_than_it_may(void **state)
{
    char text[2048];
    snprintf(text, sizeof(text),
             "[Script Info]\nPlayResX: 1\nPlayResY: 1\n[V4+ Styles]\nFormat: Name, Fontname, "
             "Fontsize\nStyle: Default,Sans,99999\n[Events]\nFormat: Start, End, Style, Text\n"
             "Dialogue: 0:00:00.00,0:00:09.00,Default,{\\fs9999999\\fscx99999\\blur9999\\be9999"
             "\\bord9999\\frx77}W{\\p1}m 0 0 l 99999999 0 99999999 99999999 0 99999999{\\p0}\n");
    struct text_track *t = track_of(*state, "a.ass", text);
    struct text_cue cue;
    int64_t before_ns = now_mono_ns();
    assert_int_equal(text_track_frame(t, 1920, 1080, 0), 0);
    int ret = text_track_paint(t, MS(100), &cue, pixels);
    if (ret != -E2BIG)
        assert_int_equal(ret, 0);
    assert_true(now_mono_ns() - before_ns < SECONDS(60)); /* it comes back at all */
    text_track_destroy(t);
}

static void a_media_file_named_like_subtitles_is_none(void **state)
{
    struct text_track *t = NULL;
    static const char mp4[] = "\0\0\0\x18"
                              "ftypmp42\0\0\0\0mp42isom\0\0\0\x08mdat";
    if (open_text(*state, &t, "a.srt", mp4, sizeof(mp4) - 1) == 0)
        assert_int_equal(text_track_span(t, 0).active, 0);
    text_track_destroy(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_format_is_seen_at_its_time_only, make_folder,
                                        drop_folder),
        cmocka_unit_test_setup_teardown(spans_tell_when_something_changes, make_folder,
                                        drop_folder),
        cmocka_unit_test_setup_teardown(room_is_left_below_when_it_is_wanted, make_folder,
                                        drop_folder),
        cmocka_unit_test_setup_teardown(old_files_in_latin_1_are_read, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(times_of_words_in_lyrics_are_not_shown, make_folder,
                                        drop_folder),
        cmocka_unit_test_setup_teardown(a_file_that_is_too_large_is_not_read, make_folder,
                                        drop_folder),
        cmocka_unit_test_setup_teardown(too_many_events_are_left_out, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(a_line_without_end_is_left_out, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(times_that_are_none_do_no_harm, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(huge_text_covers_no_more_than_it_may, make_folder,
                                        drop_folder),
        cmocka_unit_test_setup_teardown(a_media_file_named_like_subtitles_is_none, make_folder,
                                        drop_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
