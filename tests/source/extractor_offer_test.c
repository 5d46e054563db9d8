/* What a channel may say, which version is newer, where its file is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "source/extractor_offer.h"

#define SUM "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
    const char *text, *why; /* NULL: it is good */
} offers[] = {
    { "{\"version\":\"2026.11.05\",\"url\":\"yt-dlp\",\"size\":1,\"sha256\":\"" SUM "\"}", NULL },
    { "{\"version\":\"2026.11.05.232845\",\"url\":\"https://x.org/a?b=c\",\"size\":67108864,"
      "\"sha256\":\"" SUM "\",\"signature\":\"AA==\",\"more\":[1]}",
      NULL },
    { "", "no JSON" },
    { "[]", "no JSON" },
    { "<html>portal</html>", "no JSON" },
    { "{}", "version" },
    { "{\"version\":\"../..\",\"url\":\"yt-dlp\",\"size\":1,\"sha256\":\"" SUM "\"}", "version" },
    { "{\"version\":\"2026..05\",\"url\":\"yt-dlp\",\"size\":1,\"sha256\":\"" SUM "\"}",
      "version" },
    { "{\"version\":\".\",\"url\":\"yt-dlp\",\"size\":1,\"sha256\":\"" SUM "\"}", "version" },
    { "{\"version\":\"2026.11.\",\"url\":\"yt-dlp\",\"size\":1,\"sha256\":\"" SUM "\"}",
      "version" },
    { "{\"version\":\"2026.11.05/x\",\"url\":\"yt-dlp\",\"size\":1,\"sha256\":\"" SUM "\"}",
      "version" },
    { "{\"version\":\"1.2.3.4.5.6.7.8.9.10.11.12.13.14\",\"url\":\"a\",\"size\":1,\"sha256\":\"" SUM
      "\"}",
      "version" },
    { "{\"version\":\"1234567890\",\"url\":\"yt-dlp\",\"size\":1,\"sha256\":\"" SUM "\"}",
      "version" },
    { "{\"version\":20261105,\"url\":\"yt-dlp\",\"size\":1,\"sha256\":\"" SUM "\"}", "version" },
    { "{\"version\":\"2026.11.05\",\"url\":\"yt-dlp\",\"size\":1}", "sha256" },
    { "{\"version\":\"2026.11.05\",\"url\":\"yt-dlp\",\"size\":1,\"sha256\":\"" SUM "0\"}",
      "sha256" },
    { "{\"version\":\"2026.11.05\",\"url\":\"a\",\"size\":1,\"sha256\":\"0123456789ABCDEF0123456789"
      "abcdef0123456789abcdef0123456789abcdef\"}",
      "sha256" },
    { "{\"version\":\"2026.11.05\",\"url\":\"yt-dlp\",\"sha256\":\"" SUM "\"}", "size" },
    { "{\"version\":\"2026.11.05\",\"url\":\"yt-dlp\",\"size\":0,\"sha256\":\"" SUM "\"}", "size" },
    { "{\"version\":\"2026.11.05\",\"url\":\"yt-dlp\",\"size\":67108865,\"sha256\":\"" SUM "\"}",
      "size" },
    { "{\"version\":\"2026.11.05\",\"size\":1,\"sha256\":\"" SUM "\"}", "url" },
    { "{\"version\":\"2026.11.05\",\"url\":\"../yt-dlp\",\"size\":1,\"sha256\":\"" SUM "\"}",
      "url" },
    { "{\"version\":\"2026.11.05\",\"url\":\"/etc/passwd\",\"size\":1,\"sha256\":\"" SUM "\"}",
      "url" },
    { "{\"version\":\"2026.11.05\",\"url\":\"https://x.org/a b\",\"size\":1,\"sha256\":\"" SUM
      "\"}",
      "url" },
};

static void an_offer_is_whole_or_none(void **state)
{
    for (size_t i = 0; i < sizeof(offers) / sizeof(offers[0]); i++) {
        struct extractor_offer o;
        char why[200] = "";
        bool is_good =
            extractor_offer_read(&o, offers[i].text, strlen(offers[i].text), why, sizeof(why));
        if (is_good != !offers[i].why || (offers[i].why && !strstr(why, offers[i].why)))
            fail_msg("%s: %s", offers[i].text, why);
        if (is_good)
            assert_true(extractor_version_is_valid(o.version) && *o.url && o.size > 0);
        else
            assert_true(!*o.version && !o.url && !o.size);
        extractor_offer_finish(&o);
    }
}

static const struct {
    const char *a, *b;
    int order;
} versions[] = {
    { "2026.10.26", "2023.03.04", 1 },
    { "2026.10.26", "2026.10.26", 0 },
    { "2026.9.1", "2026.10.01", -1 },
    { "2026.09.01", "2026.9.1", 0 },
    { "2026.11.05", "2026.11.05.232845", -1 },
    { "2026.11.05.232845", "2026.11.05.3", 1 },
    { "2026.11.06", "2026.11.05.232845", 1 },
    { "2026.11.05", "2026.11.05.0", -1 },
    { "999999999.1", "1000.1", 1 },
};

static void versions_are_ordered_number_by_number(void **state)
{
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        int one = extractor_version_compare(versions[i].a, versions[i].b);
        int other = extractor_version_compare(versions[i].b, versions[i].a);
        int order = (one > 0) - (one < 0);
        if (order != versions[i].order || order != (other < 0) - (other > 0))
            fail_msg("%s, %s: %d %d", versions[i].a, versions[i].b, one, other);
    }
}

static const struct {
    const char *url, *channel, *address;
} addresses[] = {
    { "https://x.org/y", "http://127.0.0.1/a/offer.json", "https://x.org/y" },
    { "yt-dlp", "http://127.0.0.1:80/a/offer.json", "http://127.0.0.1:80/a/yt-dlp" },
    { "b/yt-dlp?x", "https://h.org/a/offer.json?at=/c/d", "https://h.org/a/b/yt-dlp?x" },
    { "yt-dlp", "file:///srv/offer.json", "file:///srv/yt-dlp" },
};

static void a_name_is_beside_the_offer(void **state)
{
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        struct extractor_offer o = { .url = (char *)addresses[i].url };
        char *address = extractor_offer_address(&o, addresses[i].channel);
        assert_string_equal(address, addresses[i].address);
        free(address);
    }
}

static void what_is_signed_names_version_and_file(void **state)
{
    struct extractor_offer o = { .version = "2026.11.05", .sha256 = SUM, .size = 3123456 };
    char *text = extractor_offer_signed_text(&o);
    assert_string_equal(text, "djamms-extractor 2026.11.05 3123456 " SUM);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_offer_is_whole_or_none),
        cmocka_unit_test(versions_are_ordered_number_by_number),
        cmocka_unit_test(a_name_is_beside_the_offer),
        cmocka_unit_test(what_is_signed_names_version_and_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
