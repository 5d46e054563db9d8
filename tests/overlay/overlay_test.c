/* Golden draw lists are in golden/; DJAMMS_GOLDEN_WRITE=1 in the environment writes them anew:
 * look at the difference before you keep it. */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/file.h"
#include "overlay/fake_metrics.h"
#include "overlay/overlay.h"
#include "overlay/text_fit.h"

#define THREE_SONGS                                                                                \
    .next = { { "Blinding Lights", "The Weeknd", NULL, false },                                    \
              { "Dancing Queen", "ABBA", "Anna", true },                                           \
              { "夜に駆ける", "YOASOBI", "", true } },                                             \
    .next_count = 3
#define PLAYING .has_track = true, .now = { "Take On Me", "a-ha", NULL, false }, .left_ms = 201000
#define LONG_TITLE                                                                                 \
    "The Unauthorized Biography of Reinhold Messner and Many Other Stories of Great Length "       \
    "(Official Music Video, 4K Remaster)"
#define LONG_WORDS                                                                                    \
    "“Dancing Queen” cannot be played: the file is damaged. The next song has been started; the " \
    "file is /srv/music/ABBA - Dancing Queen (a copy of a copy with a long name).mp4"
#define EVERYTHING                                                                                 \
    .has_track = true, .now = { LONG_TITLE, LONG_TITLE, LONG_TITLE, true }, .left_ms = 5025000,    \
    THREE_SONGS, .more_count = 1234, .is_paused = true, .shows_volume = true, .volume = 100,       \
    .has_notice = true, .notice_is_problem = true, .notice_title = "A song was skipped",           \
    .notice_text = LONG_WORDS, .link = LINK_DISCONNECTED

struct example {
    const char *name;
    struct overlay_view view;
};

static const struct example examples[] = {
    { "now-720", { 1280, 720, PLAYING, THREE_SONGS } },
    { "now-2160", { 3840, 2160, PLAYING, THREE_SONGS } },
    { "request-1080",
      { 1920, 1080, .has_track = true,
        .now = { "Bohemian Rhapsody", "Queen", "Marie-Claire", true }, .left_ms = 59999,
        THREE_SONGS, .more_count = 12 } },
    { "portrait-1080", { 1080, 1920, EVERYTHING } },
    { "everything-720", { 1280, 720, EVERYTHING } },
    { "everything-180", { 320, 180, EVERYTHING } },
    { "muted-720", { 1280, 720, PLAYING, .is_muted = true } },
    { "volume-muted-720",
      { 1280, 720, PLAYING, .is_muted = true, .shows_volume = true, .volume = 35 } },
    { "info-720",
      { 1280, 720, PLAYING, .has_notice = true, .notice_title = "12 songs added",
        .notice_text = "" } },
    { "connected-720", { 1280, 720, PLAYING, THREE_SONGS, .link = LINK_CONNECTED } },
    { "connecting-720",
      { 1280, 720,
        .idle_text = "The queue is empty. Staff can add songs at the box with its command “add”.",
        .link = LINK_CONNECTING } },
    { "offline-long-720",
      { 1280, 720, .has_track = true, .now = { LONG_TITLE, "a-ha", NULL, false }, .left_ms = 201000,
        THREE_SONGS, .link = LINK_DISCONNECTED } },
    { "idle-720", { 1280, 720, .idle_text = "Nothing plays. Ask for a song!", THREE_SONGS } },
    { "idle-help-720",
      { 1280, 720, .idle_text = "There is no internet at the moment.",
        .idle_help = "The site's name was not found: most likely there is no internet. Check "
                     "router and cable. "
                     "Songs in a folder of this box would play meanwhile." } },
    { "no-names-720",
      { 1280, 720, .has_track = true, .now = { "", NULL, "", true }, .left_ms = -1,
        .next = { { NULL, "Only an artist", NULL, false } }, .next_count = 1 } },
};

static void lay_out(const struct overlay_view *v, struct draw_list *list)
{
    overlay_layout(v, &fake_metrics, list);
    assert_true(list->count <= DRAW_ITEMS_MAX);
}

/* ---- golden lists ---------------------------------------------------------------------------- */

static void print_item(struct buf *b, const struct draw_item *i)
{
    static const char *const icons[] = { "pause", "volume", "mute", "warning", "note" };
    int ret = buf_printf(b, "%d,%d %dx%d #%08x ", i->x, i->y, i->w, i->h, i->rgba);
    if (i->kind == DRAW_RECT)
        ret |= buf_printf(b, "rect radius %d\n", i->radius);
    else if (i->kind == DRAW_ICON)
        ret |= buf_printf(b, "icon %s\n", icons[i->icon]);
    else
        ret |= buf_printf(b, "text %d %s \"%s\"\n", i->size,
                          i->weight == WEIGHT_BOLD ? "bold" : "regular", i->text);
    assert_int_equal(ret, 0);
}

static void lists_are_as_they_were_approved(void **state)
{
    bool writes = getenv("DJAMMS_GOLDEN_WRITE") != NULL;
    for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
        struct draw_list list;
        struct buf got;
        char path[128], *want;
        size_t len;
        lay_out(&examples[i].view, &list);
        buf_init(&got, 1 << 16);
        for (size_t k = 0; k < list.count; k++)
            print_item(&got, &list.item[k]);
        snprintf(path, sizeof(path), "golden/%s.txt", examples[i].name);
        if (writes)
            assert_int_equal(file_replace(path, got.data, got.len), 0);
        assert_int_equal(file_read(path, 1 << 16, &want, &len), 0);
        if (len != got.len || memcmp(got.data, want, len) != 0)
            fail_msg("%s differs; now it is:\n%s", path, got.data);
        free(want);
        buf_finish(&got);
    }
}

/* ---- properties at every size ---------------------------------------------------------------- */

static bool overlaps(const struct draw_item *a, const struct draw_item *b)
{
    return a->x < b->x + b->w && b->x < a->x + a->w && a->y < b->y + b->h && b->y < a->y + a->h;
}

static bool contains(const struct draw_item *a, const struct draw_item *b)
{
    return a->x <= b->x && a->y <= b->y && a->x + a->w >= b->x + b->w && a->y + a->h >= b->y + b->h;
}

static void check_item(const struct overlay_view *v, const struct draw_item *i)
{
    if (i->w <= 0 || i->h <= 0)
        fail_msg("%dx%d: an item without size", v->width, v->height);
    if (i->x * 100 < 5 * v->width || i->y * 100 < 5 * v->height ||
        (i->x + i->w) * 100 > 95 * v->width || (i->y + i->h) * 100 > 95 * v->height)
        fail_msg("%dx%d: outside the safe area: %d,%d %dx%d %s", v->width, v->height, i->x, i->y,
                 i->w, i->h, i->text);
    if (i->kind != DRAW_TEXT)
        return;
    if (!i->text[0] || !utf8_is_valid(i->text, strlen(i->text)))
        fail_msg("%dx%d: not a text: \"%s\"", v->width, v->height, i->text);
    if (fake_width(NULL, i->text, i->size, i->weight) > i->w || i->h < text_line_height(i->size))
        fail_msg("%dx%d: does not fit: \"%s\"", v->width, v->height, i->text);
}

/* Two items are apart, or the later one lies inside an earlier rectangle. */
static void check_list(const struct overlay_view *v, const struct draw_list *list)
{
    for (size_t a = 0; a < list->count; a++) {
        const struct draw_item *under = &list->item[a];
        check_item(v, under);
        for (size_t b = a + 1; b < list->count; b++) {
            const struct draw_item *over = &list->item[b];
            bool is_on_it = under->kind == DRAW_RECT && contains(under, over);
            if (overlaps(under, over) && !is_on_it)
                fail_msg("%dx%d: %d,%d %dx%d \"%s\" overlaps %d,%d %dx%d \"%s\"", v->width,
                         v->height, under->x, under->y, under->w, under->h, under->text, over->x,
                         over->y, over->w, over->h, over->text);
        }
    }
}

static uint32_t random_bits(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

static const char *random_text(uint32_t *seed)
{
    static const char *const texts[] = {
        NULL,
        "",
        "x",
        "Take On Me",
        LONG_TITLE,
        LONG_WORDS,
        "夜に駆ける夜に駆ける夜に駆ける夜に駆ける夜に駆ける",
        "نسم علينا الهوى من مفرق الوادي",
        "👩‍👩‍👧‍👦🇩🇪👍🏽"
        "👩‍👩‍👧‍👦🇩🇪👍🏽"
        "👩‍👩‍👧‍👦🇩🇪👍🏽",
        "\xff\xfe not UTF-8 \x80",
        "line\nfeed",
        "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
    };
    return texts[random_bits(seed) % ARRAY_LEN(texts)];
}

static struct overlay_track random_track(uint32_t *seed)
{
    return (struct overlay_track){ random_text(seed), random_text(seed), random_text(seed),
                                   random_bits(seed) % 2 };
}

static struct overlay_view random_view(uint32_t *seed, int width, int height)
{
    struct overlay_view v = {
        .width = width,
        .height = height,
        .has_track = random_bits(seed) % 4 > 0,
        .now = random_track(seed),
        .next = { random_track(seed), random_track(seed), random_track(seed) },
        .next_count = random_bits(seed) % 4,
        .more_count = random_bits(seed) % 3 * 1000,
        .left_ms = (int64_t)(random_bits(seed) % 5) * 1999999 - 1,
        .is_paused = random_bits(seed) % 2,
        .is_muted = random_bits(seed) % 2,
        .shows_volume = random_bits(seed) % 2,
        .volume = (int)(random_bits(seed) % 121) - 10,
        .has_notice = random_bits(seed) % 2,
        .notice_is_problem = random_bits(seed) % 2,
        .notice_title = random_text(seed),
        .notice_text = random_text(seed),
        .idle_text = random_text(seed),
        .idle_help = random_text(seed),
    };
    return v;
}

static void nothing_overlaps_or_leaves_the_safe_area_at_any_size(void **state)
{
    static const int sizes[][2] = {
        { 320, 180 },   { 320, 240 },  { 640, 360 },   { 720, 576 },   { 1024, 768 },
        { 1280, 720 },  { 1366, 768 }, { 1920, 1080 }, { 1920, 1200 }, { 2560, 1080 },
        { 3840, 2160 }, { 180, 320 },  { 720, 1280 },  { 1080, 1920 }, { 2160, 3840 },
        { 1000, 1000 }, { 3840, 240 }, { 200, 2160 },
    };
    uint32_t seed = 20240609;
    for (int round = 0; round < 3000; round++) {
        size_t at = (size_t)round % (ARRAY_LEN(sizes) * 2);
        bool is_random = at >= ARRAY_LEN(sizes);
        int w = is_random ? (int)(320 + random_bits(&seed) % 3521) : sizes[at][0];
        int h = is_random ? (int)(180 + random_bits(&seed) % 1981) : sizes[at][1];
        struct overlay_view v = random_view(&seed, w, h);
        struct draw_list list;
        lay_out(&v, &list);
        check_list(&v, &list);
    }
}

static const struct draw_item *find_text(const struct draw_list *list, const char *start)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->item[i].kind == DRAW_TEXT &&
            strncmp(list->item[i].text, start, strlen(start)) == 0)
            return &list->item[i];
    }
    return NULL;
}

static void the_title_is_shown_at_every_size_even_when_all_else_is(void **state)
{
    for (int w = 320; w <= 3840; w += 88) {
        for (int h = 180; h <= 2160; h += 66) {
            struct overlay_view v = { w, h, EVERYTHING };
            struct draw_list list;
            lay_out(&v, &list);
            if (!find_text(&list, "The U"))
                fail_msg("%dx%d: no title", w, h);
        }
    }
}

/* Where a coded clip carries its frame number for those who watch from outside. */
static void the_top_stays_free_while_only_songs_are_shown(void **state)
{
    static const int sizes[][2] = {
        { 320, 180 }, { 1280, 720 }, { 1920, 1080 }, { 3840, 2160 }, { 1080, 1920 }
    };
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct overlay_view v = { sizes[i][0], sizes[i][1], PLAYING, THREE_SONGS, .more_count = 5 };
        struct draw_list list;
        lay_out(&v, &list);
        assert_non_null(find_text(&list, "Blinding"));
        for (size_t k = 0; k < list.count; k++)
            assert_true(list.item[k].y * 100 >= 12 * v.height);
    }
}

static void the_lower_third_is_low_and_all_is_small(void **state)
{
    static const int sizes[][2] = { { 1280, 720 }, { 1920, 1080 }, { 3840, 2160 }, { 1024, 768 } };
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct overlay_view v = { sizes[i][0], sizes[i][1], PLAYING, THREE_SONGS };
        struct draw_list list;
        int64_t panels = 0;
        lay_out(&v, &list);
        assert_int_equal(list.item[0].kind, DRAW_RECT);
        assert_true(list.item[0].y * 100 >= 78 * v.height);
        for (size_t k = 0; k < list.count; k++) {
            if (list.item[k].kind == DRAW_RECT && list.item[k].rgba == list.item[0].rgba)
                panels += (int64_t)list.item[k].w * list.item[k].h;
        }
        assert_true(panels * 100 < (int64_t)15 * v.width * v.height); /* each frame pays for it */
    }
}

static void time_left_is_counted_down_in_a_column_that_stands_still(void **state)
{
    static const struct {
        int64_t left_ms;
        const char *text;
    } cases[] = {
        { 0, "0:00" },          { 1, "0:01" },
        { 1000, "0:01" },       { 1001, "0:02" },
        { 59999, "1:00" },      { 600000, "10:00" },
        { 754000, "12:34" },    { 3600000, "1:00:00" },
        { 5025000, "1:23:45" }, { INT64_MAX / 2, "99:59:59" },
    };
    int right = 0, panel_w = 0;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct overlay_view v = { 1280, 720, .has_track = true,
                                  .now = { "Take On Me", "a-ha", NULL, false },
                                  .left_ms = cases[i].left_ms };
        struct draw_list list;
        lay_out(&v, &list);
        const struct draw_item *item = find_text(&list, cases[i].text);
        if (!item)
            fail_msg("no \"%s\"", cases[i].text);
        if (i > 0 && cases[i].left_ms < 3600000) {
            assert_int_equal(item->x + item->w, right);
            assert_int_equal(list.item[0].w, panel_w);
        }
        if (i == 0) {
            right = item->x + item->w;
            panel_w = list.item[0].w;
        }
    }
}

static void guests_are_named(void **state)
{
    struct overlay_view v = { 1280, 720, .has_track = true,
                              .now = { "Song", "Artist", "Marie", true }, THREE_SONGS };
    struct draw_list list;
    lay_out(&v, &list);
    assert_non_null(find_text(&list, "Request · Marie"));
    assert_non_null(find_text(&list, "Anna"));
    v.now.requester = NULL;
    lay_out(&v, &list);
    assert_string_equal(find_text(&list, "Request")->text, "Request");
    v.now.is_request = v.next[2].is_request = false;
    lay_out(&v, &list);
    assert_null(find_text(&list, "Request"));
}

/* Whoever asked for a song looks for the name: there is room for it as long as titles can give way. */
static void names_of_guests_are_whole_where_titles_are_cut(void **state)
{
    static const int sizes[][2] = { { 320, 180 }, { 1280, 720 }, { 3840, 2160 } };
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct overlay_view v = { sizes[i][0],
                                  sizes[i][1],
                                  .has_track = true,
                                  .now = { LONG_TITLE, LONG_TITLE, "Annette and Maximilian", true },
                                  .left_ms = 3725000,
                                  .next = { { "x", "", "Marie-Claire", true },
                                            { LONG_TITLE, LONG_TITLE, "", true },
                                            { LONG_TITLE, LONG_TITLE, "Anna", true } },
                                  .next_count = 3 };
        struct draw_list list;
        lay_out(&v, &list);
        const struct draw_item *badge = find_text(&list, "Request · A");
        if (!badge)
            badge = find_text(&list, "Annette");
        assert_non_null(strstr(badge->text, "Annette and Maximilian"));
        assert_non_null(find_text(&list, "Marie-Claire"));
        assert_non_null(find_text(&list, "Anna"));
        for (size_t k = 0; k < list.count; k++)
            assert_true(strncmp(list.item[k].text, "Requ", 4) != 0 ||
                        strncmp(list.item[k].text, "Request", 7) == 0);
    }
}

/* A few letters of an artist tell nothing: the title has their place. */
static void an_artist_cut_to_nothing_is_left_out(void **state)
{
    for (int w = 320; w <= 3840; w += 80) {
        struct overlay_view v = { w, w * 9 / 16, PLAYING,
                                  .next = { { LONG_TITLE, &LONG_TITLE[4], "Maximilian", true } },
                                  .next_count = 1 };
        struct draw_list list;
        lay_out(&v, &list);
        const struct draw_item *artist = find_text(&list, "Un");
        assert_non_null(find_text(&list, "The Un"));
        assert_int_equal(artist != NULL, find_text(&list, "–") != NULL);
        if (artist)
            assert_true(artist->w > 3 * artist->size);
    }
}

/* From the far end of the bar, 5 m from a screen of 1.1 m: letters of 1 cm and more. */
static void nothing_is_written_smaller_than_can_be_read(void **state)
{
    static const int sizes[][2] = { { 320, 180 }, { 1280, 720 }, { 1920, 1080 }, { 3840, 2160 } };
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct overlay_view v = { sizes[i][0], sizes[i][1], EVERYTHING };
        struct draw_list list;
        lay_out(&v, &list);
        for (size_t k = 0; k < list.count; k++)
            assert_true(list.item[k].kind != DRAW_TEXT ||
                        list.item[k].size * 1000 >= 27 * v.height);
    }
}

static void what_is_not_shown_is_counted(void **state)
{
    struct overlay_view v = { 1280, 720, PLAYING, THREE_SONGS, .more_count = 9 };
    struct draw_list list;
    lay_out(&v, &list);
    assert_non_null(find_text(&list, "+9 more"));
    v.more_count = 0;
    lay_out(&v, &list);
    assert_null(find_text(&list, "+"));
    v.next_count = 0;
    lay_out(&v, &list);
    assert_null(find_text(&list, "Up next"));
}

static bool has_icon(const struct draw_list *list, enum draw_icon icon)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->item[i].kind == DRAW_ICON && list->item[i].icon == icon)
            return true;
    }
    return false;
}

static void marks_are_shown_when_they_hold(void **state)
{
    for (int bits = 0; bits < 16; bits++) {
        struct overlay_view v = { 1280,
                                  720,
                                  PLAYING,
                                  .is_paused = bits & 1,
                                  .is_muted = bits >> 1 & 1,
                                  .shows_volume = bits >> 2 & 1,
                                  .volume = 42,
                                  .has_notice = bits >> 3 & 1,
                                  .notice_is_problem = true,
                                  .notice_title = "Problem" };
        struct draw_list list;
        lay_out(&v, &list);
        assert_int_equal(has_icon(&list, ICON_PAUSE), v.is_paused);
        assert_int_equal(has_icon(&list, ICON_MUTE), v.is_muted);
        assert_int_equal(has_icon(&list, ICON_VOLUME), v.shows_volume && !v.is_muted);
        assert_int_equal(find_text(&list, "42") != NULL, v.shows_volume);
        assert_int_equal(find_text(&list, "Muted") != NULL, v.is_muted && !v.shows_volume);
        assert_int_equal(has_icon(&list, ICON_WARNING), v.has_notice);
    }
}

static void the_same_view_gives_the_same_list(void **state)
{
    struct overlay_view v = { 1280, 720, EVERYTHING };
    struct draw_list *a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b));
    lay_out(&v, a);
    lay_out(&v, b);
    assert_true(a->count > 20);
    assert_memory_equal(a, b, sizeof(*a));
    free(a);
    free(b);
}

static void absurd_sizes_draw_nothing_and_do_no_harm(void **state)
{
    static const int sizes[] = { -5, 0, 1, 2, 10, 40, 100, 100000, INT32_MAX, INT32_MIN };
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        for (size_t k = 0; k < ARRAY_LEN(sizes); k++) {
            struct overlay_view v = { sizes[i], sizes[k], EVERYTHING };
            struct draw_list list;
            lay_out(&v, &list);
            if (sizes[i] <= 2 || sizes[k] <= 2 || sizes[i] >= 100000 || sizes[k] >= 100000)
                assert_int_equal(list.count, 0);
            else
                check_list(&v, &list);
        }
    }
    struct overlay_view nothing = { 1280, 720 };
    struct draw_list list;
    lay_out(&nothing, &list);
    assert_int_equal(list.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_as_they_were_approved),
        cmocka_unit_test(nothing_overlaps_or_leaves_the_safe_area_at_any_size),
        cmocka_unit_test(the_title_is_shown_at_every_size_even_when_all_else_is),
        cmocka_unit_test(the_top_stays_free_while_only_songs_are_shown),
        cmocka_unit_test(the_lower_third_is_low_and_all_is_small),
        cmocka_unit_test(time_left_is_counted_down_in_a_column_that_stands_still),
        cmocka_unit_test(guests_are_named),
        cmocka_unit_test(names_of_guests_are_whole_where_titles_are_cut),
        cmocka_unit_test(an_artist_cut_to_nothing_is_left_out),
        cmocka_unit_test(nothing_is_written_smaller_than_can_be_read),
        cmocka_unit_test(what_is_not_shown_is_counted),
        cmocka_unit_test(marks_are_shown_when_they_hold),
        cmocka_unit_test(the_same_view_gives_the_same_list),
        cmocka_unit_test(absurd_sizes_draw_nothing_and_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
