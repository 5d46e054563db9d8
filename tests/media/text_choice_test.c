/* Which subtitles are shown of a song: tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <libavformat/avformat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "media/language.h"
#include "media/text_choice.h"

static void languages_have_many_names(void **state)
{
    static const struct {
        const char *wishes, *tag;
        int place;
    } cases[] = {
        { "de,en", "de", 0 },    { "de,en", "ger", 0 },   { "de,en", "deu", 0 },
        { "de,en", "DE-at", 0 }, { "de,en", "de_CH", 0 }, { "de,en", "eng", 1 },
        { "ger, eng", "en", 1 }, { "de,en", "fr", -1 },   { "de,en", "", -1 },
        { "de,en", NULL, -1 },   { "", "de", -1 },        { "de", "deutsch", -1 },
        { ",,de", "de", 0 },     { "xx,de", "de", 1 },    { "gsw", "gsw", 0 },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (language_place(cases[i].wishes, cases[i].tag) != cases[i].place)
            fail_msg("%s in \"%s\" is at %d", cases[i].tag, cases[i].wishes,
                     language_place(cases[i].wishes, cases[i].tag));
    }
    assert_true(language_is_known("pt-BR"));
    assert_false(language_is_known("mix"));
    assert_true(language_is_unknown("UND"));
}

static void a_file_beside_a_song_is_known_by_its_name(void **state)
{
    static const struct {
        const char *media, *name;
        bool is_beside;
    } cases[] = {
        { "song.mp4", "song.srt", true },
        { "song.mp4", "song.SRT", true },
        { "song.mp4", "song.de.ass", true },
        { "song.mp4", "song.pt-BR.vtt", true },
        { "song.mp4", "song.lrc", true },
        { "song.mp4", "song.ssa", true },
        { "A - B.feat. C.mkv", "A - B.feat. C.eng.srt", true },
        { "song.mp4", "song.mp4", false },
        { "song.mp4", "song.txt", false },
        { "song.mp4", "song2.srt", false },
        { "song.mp4", "son.srt", false },
        { "song.mp4", "other.srt", false },
        { "song.mp4", "song.live.srt", false }, /* of song.live.mp4 */
        { "song.mp4", "song.mix.srt", false },
        { "song.mp4", "song.de.live.srt", false },
        { "song.mp4", ".srt", false },
        { "song.mp4", "", false },
        { "song", "song.srt", true },
        { ".hidden", ".hidden.srt", true },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool is_beside = text_file_rank(cases[i].media, cases[i].name, "en") > 0;
        if (is_beside != cases[i].is_beside)
            fail_msg("%s beside %s: %s", cases[i].name, cases[i].media, is_beside ? "yes" : "no");
    }
}

static void the_wished_language_comes_before_the_format(void **state)
{
    /* Best first. */
    static const char *const names[] = {
        "s.de.ass", "s.ger.srt", "s.de.vtt", "s.de.lrc", "s.en.ass", "s.en.srt",
        "s.ass",    "s.srt",     "s.lrc",    "s.fr.ass", "s.fr.srt",
    };
    for (size_t i = 1; i < sizeof(names) / sizeof(names[0]); i++) {
        if (text_file_rank("s.mp4", names[i - 1], "de,en") <=
            text_file_rank("s.mp4", names[i], "de,en"))
            fail_msg("%s is not before %s", names[i - 1], names[i]);
    }
}

static void the_best_file_of_a_folder_is_found(void **state)
{
    static const char *const names[] = { "song.mp4", "song.en.srt", "song.de.lrc", "other.de.ass" };
    char dir[] = "/tmp/djamms-test-XXXXXX", path[128];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/song.mp4", dir);
    assert_null(text_file_beside(path, "de"));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char file[128];
        snprintf(file, sizeof(file), "%s/%s", dir, names[i]);
        FILE *f = fopen(file, "w");
        assert_non_null(f);
        fclose(f);
    }
    static const struct {
        const char *languages, *name;
    } cases[] = { { "de", "song.de.lrc" }, { "en,de", "song.en.srt" }, { "fr", "song.en.srt" } };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *found = text_file_beside(path, cases[i].languages);
        assert_non_null(found);
        assert_string_equal(strrchr(found, '/') + 1, cases[i].name);
        free(found);
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        unlink(path);
    }
    assert_null(text_file_beside(path, "de"));
    rmdir(dir);
    assert_null(text_file_beside(path, "de"));
}

static void add_stream(AVFormatContext *fmt, enum AVCodecID codec, const char *language,
                       int disposition)
{
    AVStream *st = avformat_new_stream(fmt, NULL);
    assert_non_null(st);
    st->codecpar->codec_type = avcodec_get_type(codec);
    st->codecpar->codec_id = codec;
    st->disposition = disposition;
    if (language)
        av_dict_set(&st->metadata, "language", language, 0);
}

static void the_best_stream_has_text_and_a_wished_language(void **state)
{
    static const struct {
        const char *languages;
        struct {
            enum AVCodecID codec; /* 0: no more streams */
            const char *language;
            int disposition;
        } stream[4];
        int best;
    } cases[] = {
        { "en", { { AV_CODEC_ID_H264 }, { AV_CODEC_ID_AAC, "en" } }, -1 },
        { "en",
          { { AV_CODEC_ID_HDMV_PGS_SUBTITLE, "en" }, { AV_CODEC_ID_DVD_SUBTITLE, "en" } },
          -1 },
        { "en", { { AV_CODEC_ID_HDMV_PGS_SUBTITLE, "en" }, { AV_CODEC_ID_SUBRIP, "fr" } }, 1 },
        { "de,en", { { AV_CODEC_ID_ASS, "eng" }, { AV_CODEC_ID_SUBRIP, "ger" } }, 1 },
        { "de,en", { { AV_CODEC_ID_ASS, "eng" }, { AV_CODEC_ID_SUBRIP, "fre" } }, 0 },
        { "de", { { AV_CODEC_ID_ASS, "eng" }, { AV_CODEC_ID_SUBRIP } }, 1 },
        { "de", { { AV_CODEC_ID_ASS, "eng" }, { AV_CODEC_ID_SUBRIP, "und" } }, 1 },
        { "de",
          { { AV_CODEC_ID_MOV_TEXT, "ger", AV_DISPOSITION_FORCED },
            { AV_CODEC_ID_MOV_TEXT, "ger" } },
          1 },
        { "de",
          { { AV_CODEC_ID_WEBVTT, "ger", AV_DISPOSITION_HEARING_IMPAIRED },
            { AV_CODEC_ID_WEBVTT, "ger" } },
          1 },
        { "de",
          { { AV_CODEC_ID_WEBVTT, "ger" }, { AV_CODEC_ID_WEBVTT, "ger", AV_DISPOSITION_DEFAULT } },
          1 },
        { "de", { { AV_CODEC_ID_WEBVTT, "ger" }, { AV_CODEC_ID_WEBVTT, "ger" } }, 0 },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AVFormatContext *fmt = avformat_alloc_context();
        assert_non_null(fmt);
        for (size_t k = 0; k < 4 && cases[i].stream[k].codec; k++)
            add_stream(fmt, cases[i].stream[k].codec, cases[i].stream[k].language,
                       cases[i].stream[k].disposition);
        int best = text_stream_best(fmt, cases[i].languages);
        avformat_free_context(fmt);
        if (best != cases[i].best)
            fail_msg("case %zu: stream %d", i, best);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(languages_have_many_names),
        cmocka_unit_test(a_file_beside_a_song_is_known_by_its_name),
        cmocka_unit_test(the_wished_language_comes_before_the_format),
        cmocka_unit_test(the_best_file_of_a_folder_is_found),
        cmocka_unit_test(the_best_stream_has_text_and_a_wished_language),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
