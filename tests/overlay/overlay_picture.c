/* Not a test: draws a scene of the overlay over a picture and writes a PNG, for people to look at.
 *
 *   overlay_picture SCENE WIDTH HEIGHT FILE.png     overlay_picture (alone) names the scenes */
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output/text_draw.h"
#include "overlay/overlay.h"

#define NEXT_SONGS                                                                                 \
    .next = { { "Blinding Lights", "The Weeknd", NULL, false },                                    \
              { "Dancing Queen", "ABBA", "Anna", true },                                           \
              { "夜に駆ける", "YOASOBI", "Kenji", true } },                                        \
    .next_count = 3
#define NEXT_WORLD                                                                                 \
    .next = { { "Группа крови", "Кино", NULL, false },                                             \
              { "نسم علينا الهوى", "فيروز", "سارة", true },                                        \
              { "ดอกไม้ให้คุณ", "คาราบาว", NULL, false } },                                           \
    .next_count = 3
#define NEXT_LONG                                                                                  \
    .next = { { "Symphony No. 9 in D minor, Op. 125 “Choral”: IV. Finale, Allegro assai",          \
                "Berliner Philharmoniker, Herbert von Karajan",                                    \
                "A guest with a remarkably long name", true },                                     \
              { "x", "", NULL, false },                                                            \
              { "", "Only an artist", "", true } },                                                \
    .next_count = 3

#define PARTY "🎉🥳👩‍🚀👍🏽🇩🇪"

struct example {
    const char *name;
    struct overlay_view view;
};

#define PLAYING(t, a) .has_track = true, .now = { t, a, NULL, false }, .left_ms = 201000

static struct example examples[] = {
    { "now", { PLAYING("Take On Me", "a-ha"), NEXT_SONGS, .more_count = 12 } },
    { "request",
      { .has_track = true,
        .now = { "Bohemian Rhapsody", "Queen", "Marie-Claire", true },
        .left_ms = 354000,
        NEXT_SONGS,
        .more_count = 3 } },
    { "world",
      { .has_track = true,
        .now = { "夜に駆ける 🌃 Into the Night", "YOASOBI 👩🏽‍🎤", "健司", true },
        .left_ms = 95000,
        NEXT_WORLD } },
    { "arabic", { PLAYING("أهواك 2024 (Live)", "عبد الحليم حافظ"), NEXT_WORLD } },
    { "hebrew", { PLAYING("ירושלים של זהב – Jerusalem of Gold", "נעמי שמר"), NEXT_WORLD } },
    { "thai",
      { PLAYING("ทั้งชีวิตฉันให้เธอ ❤️",
                "ปู พงษ์สิทธิ์ • लता मंगेशकर"),
        NEXT_SONGS } },
    { "emoji",
      { PLAYING("Party 🎉🥳 👩‍🚀 👍🏽 "
                "🇩🇪🇯🇵 1️⃣ ❤️‍🔥 ☎ ♥ end",
                "🏴󠁧󠁢󠁳󠁣󠁴󠁿 Proclaimers 🫠"),
        NEXT_SONGS } },
    { "long",
      { .has_track = true,
        .now = { "The Unauthorized Biography of Reinhold Messner and Many Other Stories of Great "
                 "Length "
                 "(Official Music Video, 4K Remaster)",
                 "Ben Folds Five feat. The West Australian Symphony Orchestra and Everybody Else "
                 "They Met",
                 "Somebody with a very long name at the table near the door", true },
        .left_ms = 5025000,
        NEXT_LONG,
        .more_count = 1234 } },
    { "longworld",
      { .has_track = true,
        .now = { "夜に駆ける 🌃 Into the Night (オーケストラとともに武道館で歌う特別なライブ映像)",
                 "عبد الحليم حافظ مع الفرقة الماسية بقيادة أحمد فؤاد حسن في حفلة لا تنسى",
                 "健司と仲間たち", true },
        .left_ms = 5025000,
        .next = { { "نسم علينا الهوى من مفرق الوادي يا هوا دخل الهوى خدني على بلادي", "فيروز",
                    "سارة", true },
                  { PARTY PARTY PARTY PARTY PARTY, "Proclaimers", "🫠", true },
                  { "千本桜と夜桜と八重桜の咲く頃に帰る", "和楽器バンド", "Maximilian", true } },
        .next_count = 3,
        .more_count = 7,
        .is_paused = true,
        .shows_volume = true,
        .volume = 40,
        .has_notice = true,
        .notice_is_problem = true,
        .notice_title = "A song was skipped",
        .notice_text = "「夜に駆ける」 cannot be played: the file is damaged. "
                       "The next song has been started." } },
    { "paused",
      { PLAYING("Take On Me", "a-ha"), NEXT_SONGS, .is_paused = true, .shows_volume = true,
        .volume = 65 } },
    { "muted", { PLAYING("Take On Me", "a-ha"), NEXT_SONGS, .is_muted = true } },
    { "quiet",
      { PLAYING("Take On Me", "a-ha"), NEXT_SONGS, .is_muted = true, .shows_volume = true,
        .volume = 3 } },
    { "problem",
      { PLAYING("Take On Me", "a-ha"), NEXT_SONGS, .more_count = 12, .has_notice = true,
        .notice_is_problem = true, .notice_title = "A song was skipped",
        .notice_text =
            "“Dancing Queen” cannot be played: the file is damaged after 1:12. The next song "
            "has been started; the file is /srv/music/ABBA - Dancing Queen.mp4" } },
    { "info",
      { PLAYING("Take On Me", "a-ha"), NEXT_SONGS, .has_notice = true,
        .notice_title = "12 songs added", .notice_text = "From the folder “Eighties”." } },
    { "idle",
      { .idle_text =
            "The queue is empty. Staff can add songs at the box with its command “add”." } },
    { "idlehelp",
      { .idle_text = "There is no internet at the moment.",
        .idle_help =
            "The site's name was not found: most likely there is no internet. Check router and "
            "cable. Songs in a folder of this box (library.paths) or on a stick "
            "(library.removable) would play meanwhile." } },
    { "idlebusy",
      { .idle_text =
            "The queue is empty. Scan the code at the bar with your phone and ask for a song, and "
            "it will be played here",
        NEXT_SONGS,
        .has_notice = true,
        .notice_is_problem = true,
        .notice_title = "No internet",
        .notice_text = "Songs on this box go on playing." } },
    { "all",
      { .has_track = true,
        .now = { "Bohemian Rhapsody", "Queen", "Marie-Claire", true },
        .left_ms = 354000,
        NEXT_LONG,
        .more_count = 3,
        .is_paused = true,
        .shows_volume = true,
        .volume = 100,
        .has_notice = true,
        .notice_is_problem = true,
        .notice_title = "No internet",
        .notice_text =
            "Songs that are on this box go on playing. Check the network cable behind the box, "
            "and that the router has power; songs asked for wait until it is back." } },
};

/* Something between a concert and a beach: bright and dark, smooth and busy. */
static void paint_background(uint8_t *rgb, int w, int h)
{
    for (int y = 0; y < h; y++) {
        for (int x = 0; x < w; x++) {
            uint8_t *p = rgb + 3 * ((size_t)y * w + x);
            int stripe = (x * 40 / w + y * 22 / h) % 2 * 14;
            p[0] = (uint8_t)(40 + x * 180 / w + stripe);
            p[1] = (uint8_t)(60 + y * 150 / h + stripe);
            p[2] = (uint8_t)(200 - x * 120 / w + stripe);
        }
    }
}

static void paint_over(uint8_t *rgb, int w, int h, const struct bitmap *b)
{
    for (int y = 0; y < b->h; y++) {
        for (int x = 0; x < b->w; x++) {
            const uint8_t *s = b->pixels + (size_t)y * b->stride + 4 * (size_t)x;
            int at_x = b->x + x, at_y = b->y + y;
            if (at_x < 0 || at_y < 0 || at_x >= w || at_y >= h)
                continue;
            uint8_t *p = rgb + 3 * ((size_t)at_y * w + at_x);
            for (int c = 0; c < 3; c++)
                p[c] = (uint8_t)(s[2 - c] + p[c] * (255 - s[3]) / 255);
        }
    }
}

static bool write_png(const char *path, const uint8_t *rgb, int w, int h)
{
    png_image image = { .version = PNG_IMAGE_VERSION,
                        .width = (png_uint_32)w,
                        .height = (png_uint_32)h,
                        .format = PNG_FORMAT_RGB };
    return png_image_write_to_file(&image, path, 0, rgb, 0, NULL);
}

static int draw(struct overlay_view *view, const char *path)
{
    struct log log = log_open("overlay_picture");
    struct text_draw *t;
    struct draw_list list;
    struct bitmap *bitmap[8];
    if (text_draw_open(&t, &log) < 0)
        return 1;
    uint8_t *rgb = malloc((size_t)view->width * view->height * 3);
    struct text_metrics metrics = text_draw_metrics(t);
    overlay_layout(view, &metrics, &list);
    int count = text_draw_paint(t, &list, bitmap, 8);
    paint_background(rgb, view->width, view->height);
    size_t area = 0;
    for (int i = 0; i < count; i++) {
        area += (size_t)bitmap[i]->w * bitmap[i]->h;
        paint_over(rgb, view->width, view->height, bitmap[i]);
        bitmap_destroy(bitmap[i]);
    }
    printf("%s: %zu items, %d bitmaps, %.1f %% of the picture\n", path, list.count, count,
           100.0 * (double)area / view->width / view->height);
    bool ok = write_png(path, rgb, view->width, view->height);
    free(rgb);
    text_draw_close(t);
    return ok ? 0 : 1;
}

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        if (argc < 5)
            printf("%s\n", examples[i].name);
        else if (strcmp(argv[1], examples[i].name) == 0) {
            examples[i].view.width = atoi(argv[2]);
            examples[i].view.height = atoi(argv[3]);
            return draw(&examples[i].view, argv[4]);
        }
    }
    return 2;
}
