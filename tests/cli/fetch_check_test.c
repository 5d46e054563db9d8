/* What the doctor says of yt-dlp and YouTube. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "cli/fetch_check.h"

struct example {
    const char *hello;
    bool is_on;
    enum finding_result fetching, youtube;
    const char *says, *advises;
};

static const struct example examples[] = {
    { "{\"yt_dlp\":\"2026.10.26\",\"python\":\"3.13.5\",\"has_ffmpeg\":true,\"needs_runtime\":true,"
      "\"has_solver\":true,\"runtimes\":[{\"name\":\"deno\",\"version\":\"2.9.6\",\"is_supported\":"
      "true}]}",
      true, FINDING_OK, FINDING_OK, "deno 2.9.6", "" },
    { "{\"yt_dlp\":\"2023.03.04\",\"has_ffmpeg\":true,\"needs_runtime\":false,\"has_solver\":false,"
      "\"runtimes\":[{\"name\":\"node\",\"path\":\"/usr/bin/node\"}]}",
      true, FINDING_OK, FINDING_WARNING, "2023.03.04 is too old", "backports" },
    { "{\"yt_dlp\":\"2026.10.26\",\"has_ffmpeg\":true,\"needs_runtime\":true,\"has_solver\":true,"
      "\"runtimes\":[{\"name\":\"node\",\"version\":\"20.19.2\",\"is_supported\":false}]}",
      true, FINDING_OK, FINDING_WARNING, "node 20.19.2 is too old", "quickjs" },
    { "{\"yt_dlp\":\"2026.10.26\",\"has_ffmpeg\":true,\"needs_runtime\":true,\"has_solver\":true}",
      true, FINDING_OK, FINDING_WARNING, "no JavaScript runtime", "deno" },
    { "{\"yt_dlp\":\"2026.10.26\",\"has_ffmpeg\":false,\"needs_runtime\":true,\"has_solver\":false,"
      "\"runtimes\":[{\"name\":\"quickjs\",\"version\":\"2025-04-26\",\"is_supported\":true}]}",
      true, FINDING_WARNING, FINDING_WARNING, "solver", "youtube.fetch-solver" },
    { "{\"yt_dlp\":\"2023.03.04\",\"has_ffmpeg\":true,\"needs_runtime\":false}", false, FINDING_OK,
      FINDING_OK, "could not work", "" },
};

static void each_worker_gets_its_finding_and_youtube_its_reason(void **state)
{
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        const struct example *e = &examples[i];
        struct findings f = { .count = 0 };
        struct message *hello = message_parse(e->hello, strlen(e->hello), NULL, 0);
        assert_non_null(hello);
        fetch_check(&f, hello, e->is_on, 0);
        message_destroy(hello);
        assert_int_equal(f.count, 2);
        assert_int_equal(f.at[0].result, e->fetching);
        assert_int_equal(f.at[1].result, e->youtube);
        assert_string_equal(f.at[1].name, "youtube");
        assert_non_null(strstr(f.at[1].text, e->says));
        assert_non_null(strstr(f.at[1].advice, e->advises));
    }
}

static void one_that_does_not_start_is_told_with_its_words(void **state)
{
    static const char *const texts[] = {
        "{\"event\":\"error\",\"message\":\"No module named 'yt_dlp'\"}", "{}"
    };
    for (size_t i = 0; i < 3; i++) {
        struct findings f = { .count = 0 };
        struct message *hello = i < 2 ? message_parse(texts[i], strlen(texts[i]), NULL, 0) : NULL;
        fetch_check(&f, hello, true, 0);
        message_destroy(hello);
        assert_int_equal(f.count, 1);
        assert_int_equal(f.at[0].result, FINDING_WARNING);
        assert_non_null(strstr(f.at[0].text, i == 0 ? "No module" : "said nothing"));
        assert_non_null(strstr(f.at[0].advice, "yt-dlp"));
    }
}

static const struct {
    const char *version;
    int64_t day; /* since 1970 */
    int count;   /* findings */
    enum finding_result result;
    const char *says;
} ages[] = {
    { "2026.10.26", 20752, 3, FINDING_OK, "it is 0 days old" },
    { "2026.10.26.123456", 20842, 3, FINDING_OK, "it is 90 days old" },
    { "2026.10.26", 20843, 3, FINDING_WARNING, "it is 91 days old: sites may have changed" },
    { "2026.10.26", 20751, 2, FINDING_OK, NULL }, /* a clock that is not set */
    { "main", 20843, 2, FINDING_OK, NULL },
};

static void an_old_one_is_told_by_its_days(void **state)
{
    for (size_t i = 0; i < sizeof(ages) / sizeof(ages[0]); i++) {
        struct findings f = { .count = 0 };
        struct message *hello = message_create();
        message_set_str(hello, "yt_dlp", ages[i].version);
        fetch_check(&f, hello, false, ages[i].day * 24 * 3600 * 1000);
        message_destroy(hello);
        assert_int_equal(f.count, ages[i].count);
        if (ages[i].says) {
            assert_int_equal(f.at[1].result, ages[i].result);
            assert_non_null(strstr(f.at[1].text, ages[i].says));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_worker_gets_its_finding_and_youtube_its_reason),
        cmocka_unit_test(an_old_one_is_told_by_its_days),
        cmocka_unit_test(one_that_does_not_start_is_told_with_its_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
