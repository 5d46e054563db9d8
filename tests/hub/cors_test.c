/* Which pages are let in, and what a browser is told. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "hub/cors.h"

static const struct {
    const char *origin, *host, *extra;
    bool want;
} origin_cases[] = {
    { "http://localhost", NULL, "", true },
    { "http://localhost:3000", "10.0.0.1:8777", "", true },
    { "HTTPS://LocalHost:3000", NULL, "", true },
    { "http://player.localhost", NULL, "", true },
    { "http://127.0.0.1:5173", NULL, "", true },
    { "http://127.8.8.8", NULL, "", true },
    { "http://10.1.2.3", NULL, "", true },
    { "http://172.16.0.1", NULL, "", true },
    { "http://172.31.255.255:1", NULL, "", true },
    { "http://192.168.1.20:3000", NULL, "", true },
    { "http://169.254.3.4", NULL, "", true },
    { "http://[::1]:3000", NULL, "", true },
    { "http://[fe80::1]", NULL, "", true },
    { "http://[fd12::1]:80", NULL, "", true },
    { "http://[::ffff:192.168.1.2]", NULL, "", true },
    { "http://bar.example:8777", "bar.example:8777", "", true },
    { "https://bar.example", "BAR.example", "", true },
    { "https://app.djamms.example", NULL, "x.example app.djamms.example", true },
    { "https://a.b.lan", NULL, "*.lan", true },
    { "https://a.b.lan:444", NULL, "other, *.LAN", true },

    { "http://evil.example", "192.168.1.5:8777", "", false },
    { "http://8.8.8.8", NULL, "", false },
    { "http://172.15.255.255", NULL, "", false },
    { "http://172.32.0.1", NULL, "", false },
    { "http://192.169.0.1", NULL, "", false },
    { "http://11.0.0.1", NULL, "", false },
    { "http://[2001:db8::1]", NULL, "", false },
    { "http://[::ffff:8.8.8.8]", NULL, "", false },
    { "http://localhost.evil.example", NULL, "", false },
    { "http://evillocalhost", NULL, "", false },
    { "http://127.0.0.1.evil.example", NULL, "", false },
    { "http://10.0.0.1@evil.example", NULL, "", false },
    { "http://10.0.0.1:80@evil.example", NULL, "", false },
    { "http://10.0.0.1/evil", NULL, "", false },
    { "http://010.0.0.1", NULL, "", false },
    { "http://[::1", NULL, "", false },
    { "http://[::1]evil", NULL, "", false },
    { "http://", NULL, "", false },
    { "http://:80", ":80", "", false },
    { "null", "null", "null", false },
    { "file://", NULL, "", false },
    { "ftp://localhost", NULL, "", false },
    { "localhost", NULL, "", false },
    { "", "", "", false },
    { "https://lan", NULL, "*.lan", false },
    { "https://.lan", NULL, "*.lan", false },
    { "https://evillan", NULL, "*.lan", false },
    { "https://any.example", NULL, "*", false },
    { "https://app.djamms.example.evil", NULL, "app.djamms.example", false },
    { "https://bar.example", "bar.example.evil", "", false },
};

static void only_pages_of_the_house_and_listed_ones_are_let_in(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(origin_cases); i++) {
        bool got = cors_allows(origin_cases[i].origin, origin_cases[i].host, origin_cases[i].extra);
        if (got != origin_cases[i].want)
            fail_msg("%s (host %s, extra \"%s\"): %d", origin_cases[i].origin,
                     origin_cases[i].host ? origin_cases[i].host : "none", origin_cases[i].extra,
                     got);
    }
}

static const char *value_of(const struct http_header *header, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(header[i].name, name) == 0)
            return header[i].value;
    }
    return "";
}

static void answers_name_the_origin_and_allow_credentials(void **state)
{
    struct http_header header[CORS_HEADERS_MAX];
    size_t n = cors_headers("http://10.0.0.1:3000", header);
    assert_string_equal(value_of(header, n, "Access-Control-Allow-Origin"), "http://10.0.0.1:3000");
    assert_string_equal(value_of(header, n, "Access-Control-Allow-Credentials"), "true");
    assert_string_equal(value_of(header, n, "Vary"), "Origin");
    const char *exposed = value_of(header, n, "Access-Control-Expose-Headers");
    assert_non_null(strstr(exposed, "X-Appwrite-Session"));
    assert_non_null(strstr(exposed, "X-Fallback-Cookies"));
}

static void a_preflight_allows_what_every_sdk_sends_and_what_was_asked_for(void **state)
{
    static const char *const wanted[] = { "Content-Type",
                                          "Accept",
                                          "Origin",
                                          "X-Appwrite-Project",
                                          "X-Appwrite-Key",
                                          "X-Appwrite-JWT",
                                          "X-Appwrite-Session",
                                          "X-Appwrite-Locale",
                                          "X-Appwrite-Timestamp",
                                          "X-Appwrite-Response-Format",
                                          "X-SDK-Name",
                                          "X-SDK-Version",
                                          "X-SDK-Language",
                                          "X-SDK-Platform",
                                          "X-Fallback-Cookies" };
    struct http_header header[CORS_HEADERS_MAX];
    size_t n = cors_preflight_headers("http://10.0.0.1", "x-new-one", header);
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
        assert_non_null(strstr(value_of(header, n, "Access-Control-Allow-Headers"), wanted[i]));
    assert_string_equal(value_of(header, n, "Access-Control-Allow-Methods"),
                        "GET, POST, PUT, PATCH, DELETE");
    assert_string_equal(header[n - 1].name, "Access-Control-Allow-Headers");
    assert_string_equal(header[n - 1].value, "x-new-one");
    assert_true(n <= CORS_HEADERS_MAX);
    assert_int_equal(cors_preflight_headers("http://10.0.0.1", "a: b", header), n - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_pages_of_the_house_and_listed_ones_are_let_in),
        cmocka_unit_test(answers_name_the_origin_and_allow_credentials),
        cmocka_unit_test(a_preflight_allows_what_every_sdk_sends_and_what_was_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
