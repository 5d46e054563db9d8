#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "net/header_line.h"
#include "net/url.h"

static void address_is_read(void **state)
{
    static const struct {
        const char *text;
        bool is_tls, is_websocket;
        const char *host;
        int port;
        const char *path, *host_text, *log_text;
    } cases[] = {
        { "http://a", false, false, "a", 80, "", "a", "a" },
        { "https://cloud.appwrite.io/v1", true, false, "cloud.appwrite.io", 443, "/v1",
          "cloud.appwrite.io", "cloud.appwrite.io/v1" },
        { "HTTPS://a:443/", true, false, "a", 443, "/", "a", "a/" },
        { "ws://10.0.0.7:8080/v1/realtime?project=p&jwt=secret", false, true, "10.0.0.7", 8080,
          "/v1/realtime?project=p&jwt=secret", "10.0.0.7:8080", "10.0.0.7:8080/v1/realtime" },
        { "wss://[fe80::1]:444/?a", true, true, "fe80::1", 444, "/?a", "[fe80::1]:444",
          "[fe80::1]:444/" },
        { "http://[::1]", false, false, "::1", 80, "", "[::1]", "[::1]" },
        { "https://a:80", true, false, "a", 80, "", "a:80", "a:80" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct url u;
        char text[300];
        assert_true(url_parse(cases[i].text, &u));
        assert_int_equal(u.is_tls, cases[i].is_tls);
        assert_int_equal(u.is_websocket, cases[i].is_websocket);
        assert_string_equal(u.host, cases[i].host);
        assert_int_equal(u.port, cases[i].port);
        assert_string_equal(u.path, cases[i].path);
        url_host_text(&u, text, sizeof(text));
        assert_string_equal(text, cases[i].host_text);
        url_log_text(&u, text, sizeof(text));
        assert_string_equal(text, cases[i].log_text);
    }
}

static void anything_else_is_no_address(void **state)
{
    char long_host[400] = "http://";
    memset(long_host + 7, 'a', 256);
    const char *cases[] = {
        NULL,
        "",
        "a",
        "//a/",
        "ftp://a/",
        "http:/a",
        "http://",
        "http:///v1",
        "http://:80/",
        "http://a:/",
        "http://a:0/",
        "http://a:65536/",
        "http://a:999999/",
        "http://a:80x/",
        "http://user@a/",
        "http://user:word@a/",
        "http://a/ b",
        "http://a/\n",
        "http://a/#part",
        "http://a/\xc3\xa9",
        "http://a?b",
        "http://[::1",
        "http://[::1]x",
        "http://[]/",
        long_host,
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct url u;
        if (url_parse(cases[i], &u))
            fail_msg("\"%s\" was taken", cases[i]);
    }
}

static void header_line_holds_one_header(void **state)
{
    static const struct {
        const char *line, *value; /* NULL: none */
    } cases[] = {
        { "A: b", "b" },
        { "X-Appwrite-Session:c=", "c=" },
        { "A:", "" },
        { "A: \t b c", "b c" },
        { "A: \xc3\xa9", "\xc3\xa9" },
        { "A: tab\there", NULL },
        { "", NULL },
        { "A", NULL },
        { ": b", NULL },
        { "A b: c", NULL },
        { "A : c", NULL },
        { "A: b\r\nC: d", NULL },
        { "A: b\n", NULL },
        { "A: b\x7f", NULL },
        { "A\r\nB: c", NULL },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *value = NULL;
        bool is_one = header_line_check(cases[i].line, &value);
        if (is_one != !!cases[i].value)
            fail_msg("\"%s\"", cases[i].line);
        if (is_one)
            assert_string_equal(value, cases[i].value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(address_is_read),
        cmocka_unit_test(anything_else_is_no_address),
        cmocka_unit_test(header_line_holds_one_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
