/* What files of the corpus say of themselves, and which of them are whole. $DJAMMS_CORPUS names the folder. */
#include "media/support.h"

#include <math.h>

#include "media/inspect.h"

static char *path_of(const char *name)
{
    char *path = NULL;
    assert_true(asprintf(&path, "%s/%s", getenv("DJAMMS_CORPUS"), name) > 0);
    return path;
}

static const struct {
    const char *name, *video, *audio, *title, *artist;
    double duration_s;
    const char *why; /* NULL: it can be read */
} tag_cases[] = {
    { "h264-aac.mp4", "h264", "aac", "", "", 0.6, NULL },
    { "vp9-opus.webm", "vp9", "opus", "", "", 0.6, NULL },
    { "h264-only.mp4", "h264", "", "", "", 0.6, NULL },
    { "mp3.mp3", "", "mp3", "", "", 0.6, NULL },
    { "tagged.flac", "", "flac", "Sen\xcc\x83orita (live)", "Łódź", 0.6, NULL },
    { "empty.mp4", "", "", "", "", 0, "It is empty (0 bytes)." },
    { "text.mp4", "", "", "", "", 0, "It is no video or music file." },
    { "subtitles.srt", "", "", "", "", 0, "It has neither picture nor sound." },
    { "unknown-codec.mp4", "", "", "", "", 0, "Nothing here decodes zzz1." },
    { "cut-no-index.mp4", "", "", "", "", 0, "Its beginning is damaged." },
    { "playlist.m3u8", "", "", "", "", 0, "Its beginning is damaged." },
    { "not there.mp4", "", "", "", "", 0, "There is no such file." },
    { ".", "", "", "", "", 0, "It is a folder, not a file." },
};

static void tags_are_read_from_the_head_of_a_file(void **state)
{
    struct doorbell bell = { 0 };
    struct gate gate = { .bell = &bell };
    for (size_t i = 0; i < ARRAY_LEN(tag_cases); i++) {
        char *path = path_of(tag_cases[i].name), why[INSPECT_WHY_MAX] = "";
        struct inspect_tags t;
        bool is_read = inspect_read_tags(path, &gate, &t, why);
        free(path);
        if (is_read != !tag_cases[i].why)
            fail_msg("%s: %s", tag_cases[i].name, why);
        assert_string_equal(why, is_read ? "" : tag_cases[i].why);
        assert_string_equal(t.video_codec, tag_cases[i].video);
        assert_string_equal(t.audio_codec, tag_cases[i].audio);
        assert_string_equal(t.title, tag_cases[i].title);
        assert_string_equal(t.artist, tag_cases[i].artist);
        if (fabs(t.duration_s - tag_cases[i].duration_s) > 0.2)
            fail_msg("%s lasts %f s", tag_cases[i].name, t.duration_s);
    }
}

static const struct {
    const char *name;
    double duration_s;
    const char *why; /* the beginning of it; NULL: it is whole */
} check_cases[] = {
    { "h264-aac.mp4", 0, NULL },
    { "h264-aac.mp4", 1, NULL },
    { "h264-aac.mp4", NAN, NULL },
    { "h264-aac.ts", 0, NULL },
    { "vp9-opus.webm", 0, NULL },
    { "mp3.mp3", 0, NULL },
    { "h264-bframes.mp4", 0, NULL },
    { "h264-fragmented.mp4", 0, NULL },
    { "long.mkv", 6, NULL },
    { "long.mkv", 9, "Its picture ends at 6 s instead of 9 s." },
    { "long.mkv", 3, "Its picture ends at 6 s instead of 3 s." },
    { "hole.mkv", 6, "Its picture has a hole of 2.8 s at 1 s." },
    { "end-missing.mkv", 6, "Its picture ends at 3 s instead of 6 s." },
    { "end-missing.mkv", 0, "Its picture ends at 3 s instead of 6 s." },
    { "cut-50.mp4", 0, "It is damaged." },
    { "cut-no-index.mp4", 0, "Its beginning is damaged." },
    { "text.mp4", 0, "It is no video or music file." },
    { "empty.mp4", 0, "It is empty (0 bytes)." },
};

static void only_a_whole_file_passes_the_check(void **state)
{
    struct doorbell bell = { 0 };
    struct gate gate = { .bell = &bell };
    for (size_t i = 0; i < ARRAY_LEN(check_cases); i++) {
        char *path = path_of(check_cases[i].name), why[INSPECT_WHY_MAX] = "";
        const char *want = check_cases[i].why ? check_cases[i].why : "";
        bool is_whole = inspect_check(path, check_cases[i].duration_s, &gate, why);
        free(path);
        if (is_whole != !check_cases[i].why || strcmp(why, want) != 0)
            fail_msg("%s, %.0f s: %s", check_cases[i].name, check_cases[i].duration_s,
                     is_whole ? "whole" : why);
    }
}

static void a_look_that_is_stopped_says_that_it_took_too_long(void **state)
{
    struct doorbell bell = { 0 };
    struct gate gate = { .bell = &bell, .is_stopped = true };
    char *path = path_of("long.mkv"), why[INSPECT_WHY_MAX];
    struct inspect_tags t;
    assert_false(inspect_check(path, 0, &gate, why));
    assert_string_equal(why, "It took too long to read.");
    assert_false(inspect_read_tags(path, &gate, &t, why));
    assert_string_equal(why, "It took too long to read.");
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags_are_read_from_the_head_of_a_file),
        cmocka_unit_test(only_a_whole_file_passes_the_check),
        cmocka_unit_test(a_look_that_is_stopped_says_that_it_took_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
