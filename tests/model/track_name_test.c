/* Titles, artists and ids out of file names; names as people see them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "base/text.h"
#include "model/track.h"

static void every_form_of_file_name_is_read(void **state)
{
    static const struct {
        const char *path, *artist, *title, *id; /* id NULL: made of the path */
    } cases[] = {
        { "/m/Nena - 99 Luftballons -- dQw4w9WgXcQ.mp4", "Nena", "99 Luftballons", "dQw4w9WgXcQ" },
        { "/m/Nena - 99 Luftballons.webm", "Nena", "99 Luftballons", NULL },
        { "/m/99 Luftballons.mkv", "", "99 Luftballons", NULL },
        { "/m/99 Luftballons -- dQw4w9WgXcQ.mp4", "", "99 Luftballons", "dQw4w9WgXcQ" },
        /* the last " -- ", the first " - " */
        { "A - B -- C -- -_w4w9WgXcQ.mp4", "A", "B -- C", "-_w4w9WgXcQ" },
        { "A - B - C -- dQw4w9WgXcQ.mp4", "A", "B - C", "dQw4w9WgXcQ" },
        /* not an id: eleven letters of the id alphabet, no more and no less */
        { "A - B -- dQw4w9WgXc.mp4", "A", "B -- dQw4w9WgXc", NULL },
        { "A - B -- dQw4w9WgXcQQ.mp4", "A", "B -- dQw4w9WgXcQQ", NULL },
        { "A - B -- dQw4w9Wg!cQ.mp4", "A", "B -- dQw4w9Wg!cQ", NULL },
        /* the older form, with every separator seen */
        { "dQw4w9WgXcQ | Nena - 99 Luftballons.mp4", "Nena", "99 Luftballons", "dQw4w9WgXcQ" },
        { "dQw4w9WgXcQ \xc2\xb7 Nena - Irgendwie.mp4", "Nena", "Irgendwie", "dQw4w9WgXcQ" },
        { "dQw4w9WgXcQ \xe2\x80\xa2 Nena - Irgendwie.mp4", "Nena", "Irgendwie", "dQw4w9WgXcQ" },
        { "dQw4w9WgXcQ \xef\xbf\xbd Nena - Irgendwie.mp4", "Nena", "Irgendwie", "dQw4w9WgXcQ" },
        { "dQw4w9WgXcQ \xb7 Nena - Irgendwie.mp4", "Nena", "Irgendwie", "dQw4w9WgXcQ" },
        { "dQw4w9WgXcQ ? Nena - Irgendwie.mp4", "Nena", "Irgendwie", "dQw4w9WgXcQ" },
        { "dQw4w9WgXcQ | Irgendwie.mp4", "", "Irgendwie", "dQw4w9WgXcQ" },
        /* eleven letters that are an artist */
        { "Linkin_Park - Numb.mp4", "Linkin_Park", "Numb", NULL },
        { "Linkin_Park \xe2\x80\x93 Numb.mp4", "", "Linkin_Park \xe2\x80\x93 Numb", NULL },
        { "Soundgarden & Co - Spoonman.mp4", "Soundgarden & Co", "Spoonman", NULL },
        { "Soundgarden.mp4", "", "Soundgarden", NULL },
        /* odd ones: a title is never empty */
        { "Nena - .mp4", "", "Nena", NULL },
        { " - Solo.mp4", "", "Solo", NULL },
        { ".mp4", "", ".mp4", NULL },
        { "/m/ -- dQw4w9WgXcQ.mp4", "", " -- dQw4w9WgXcQ.mp4", "dQw4w9WgXcQ" },
        { "/", "", "/", NULL },
        { "No Ending", "", "No Ending", NULL },
        { "Version 2.0", "", "Version 2.0", NULL },
        { "A.B - C.D.MP4", "A.B", "C.D", NULL },
        { "/PL123.Party/  Nena  -  Leuchtturm .mov", "Nena", "Leuchtturm", NULL },
        { "\xe5\xae\x87\xe5\xa4\x9a\xe7\x94\xb0 - First Love \xe5\x88\x9d\xe6\x81\x8b.mp4",
          "\xe5\xae\x87\xe5\xa4\x9a\xe7\x94\xb0", "First Love \xe5\x88\x9d\xe6\x81\x8b", NULL },
        { "A - \"B\"\n.mp4", "A", "\"B\"", NULL },
        { "A\xff - B\xfe.mp4", "A\xef\xbf\xbd", "B\xef\xbf\xbd", NULL },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct track *t = track_create();
        track_from_path(t, cases[i].path);
        assert_string_equal(t->title, cases[i].title);
        assert_string_equal(t->artist, cases[i].artist);
        if (cases[i].id) {
            assert_string_equal(t->video_id, cases[i].id);
        } else {
            assert_int_equal(strncmp(t->video_id, "file:", 5), 0);
            assert_int_equal(strspn(t->video_id + 5, "0123456789abcdef"), 16);
            assert_int_equal(strlen(t->video_id), 21);
        }
        char *path = path_from_source(t->source);
        assert_string_equal(path, cases[i].path);
        free(path);
        track_destroy(t);
    }
}

static void two_paths_have_two_keys_and_one_path_keeps_its_own(void **state)
{
    struct track *a = track_create(), *b = track_create();
    track_from_path(a, "/x/Song.mp4");
    track_from_path(b, "/y/Song.mp4");
    assert_string_not_equal(a->video_id, b->video_id);
    track_from_path(b, "/x/Song.mp4");
    assert_string_equal(a->video_id, b->video_id);
    track_destroy(a);
    track_destroy(b);
}

static void any_path_survives_as_text(void **state)
{
    static const char *const paths[] = { "/plain/a b.mp4",      "/100%25/%41.mp4",
                                         "/bad\xff%41\xc3.mp4", "/\xc3\xa9/\xe9.mp4",
                                         "file:///odd",         "" };
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        char *source = path_to_source(paths[i]);
        assert_true(utf8_is_valid(source, strlen(source)));
        char *path = path_from_source(source);
        assert_string_equal(path, paths[i]);
        free(source);
        free(path);
    }
    char *broken = path_from_source("file:///a%4%zz%00%"); /* nothing we wrote: taken literally */
    assert_string_equal(broken, "/a%4%zz%00%");
    free(broken);
}

static void media_is_told_by_its_ending(void **state)
{
    static const struct {
        const char *path;
        bool is_media;
    } cases[] = {
        { "a.mp4", true },   { "a.MKV", true }, { "/x.d/a.Opus", true }, { "a.wma", true },
        { "a.txt", false },  { "mp4", false },  { "a.mp4.part", false }, { "/x.mp4/a", false },
        { "a.mp4 ", false }, { "a.", false },   { "", false },           { "a.mpeg", true },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(path_is_media(cases[i].path), cases[i].is_media);
}

static void titles_are_cleaned_for_people(void **state)
{
    static const struct {
        const char *title, *shown;
    } cases[] = {
        { "Believe", "Believe" },
        { "Believe (Official Video)", "Believe" },
        { "Believe [4K] (Live) HD", "Believe HD" },
        { "(Remix) Believe", "Believe" },
        { "Believe (Live [at (the) Park]) Now", "Believe Now" },
        { "Believe ((x) y", "Believe ( y" }, /* what is never closed stays */
        { "Believe ) x", "Believe ) x" },
        { "Smile :-) (Live)", "Smile :-)" },
        { "(I Do)", "(I Do)" }, /* nothing would be left */
        { "[(A)] (B)", "[(A)] (B)" },
        { "(I  Do) ", "(I Do)" },
        { "()", "()" },
        { "Believe -- dQw4w9WgXcQ", "Believe" },
        { "Believe [dQw4w9WgXcQ]", "Believe" },
        { "Believe-abcdefghijk", "Believe" }, /* the track's own id */
        { "Believe - abcdefghijk", "Believe" },
        { "Believe | abcdefghijk", "Believe" },
        { "Live - Soundgarden", "Live - Soundgarden" }, /* a word of eleven letters */
        { "Mix - Lightningxx", "Mix - Lightningxx" },
        { "abcdefghijk", "abcdefghijk" },
        { "Believe - (Official Video)", "Believe" },
        { "A - (Live) - B", "A - - B" },
        { "  Two\nlines\t ", "Two lines" },
        { "\xe5\xa4\x9c\xe3\x81\xab\xe9\xa7\x86\xe3\x81\x91\xe3\x82\x8b (MV)",
          "\xe5\xa4\x9c\xe3\x81\xab\xe9\xa7\x86\xe3\x81\x91\xe3\x82\x8b" },
        { "\xd9\x85\xd8\xb1 [\xd8\xad]", "\xd9\x85\xd8\xb1" },
        { "(\xe5\xa4\x9c)", "(\xe5\xa4\x9c)" },
        { "", "" },
        { "   ", "   " }, /* not empty, so not made empty */
    };
    struct track *t = track_create();
    track_set(&t->video_id, "abcdefghijk");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char shown[256];
        track_set(&t->title, cases[i].title);
        track_display_title(t, shown, sizeof(shown));
        assert_string_equal(shown, cases[i].shown);
    }
    track_destroy(t);
}

static void artists_lose_their_topic(void **state)
{
    static const struct {
        const char *artist, *shown;
    } cases[] = {
        { "Cher - Topic", "Cher" },
        { "Cher", "Cher" },
        { " - Topic", " - Topic" },
        { "Topic", "Topic" },
        { "Cher - Topics", "Cher - Topics" },
        { "A - Topic - B", "A - Topic - B" },
        { "", "" },
    };
    struct track *t = track_create();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char shown[64];
        track_set(&t->artist, cases[i].artist);
        track_display_artist(t, shown, sizeof(shown));
        assert_string_equal(shown, cases[i].shown);
    }
    track_destroy(t);
}

static void names_fit_any_room_and_are_cut_at_a_character(void **state)
{
    char title[5000], shown[64];
    struct track *t = track_create();
    memset(title, '(', sizeof(title));
    title[sizeof(title) - 1] = '\0';
    track_set(&t->title, title);
    track_display_title(t, shown, sizeof(shown));
    assert_int_equal(strlen(shown), sizeof(shown) - 1);
    for (size_t i = 0; i + 3 < sizeof(title); i += 3)
        memcpy(title + i, "\xe5\xa4\x9c", 3);
    title[4998] = '\0';
    track_set(&t->title, title);
    for (size_t size = 1; size < sizeof(shown); size++) {
        track_display_title(t, shown, size);
        assert_int_equal(strlen(shown), (size - 1) / 3 * 3);
        assert_true(utf8_is_valid(shown, strlen(shown)));
    }
    track_destroy(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_file_name_is_read),
        cmocka_unit_test(two_paths_have_two_keys_and_one_path_keeps_its_own),
        cmocka_unit_test(any_path_survives_as_text),
        cmocka_unit_test(media_is_told_by_its_ending),
        cmocka_unit_test(titles_are_cleaned_for_people),
        cmocka_unit_test(artists_lose_their_topic),
        cmocka_unit_test(names_fit_any_room_and_are_cut_at_a_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
