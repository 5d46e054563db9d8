#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "sync/endpoint.h"

static void address_gives_both_schemes(void **state)
{
    static const struct {
        const char *text, *http, *socket;
        bool is_tls;
    } cases[] = {
        { "http://127.0.0.1:8080/v1", "http://127.0.0.1:8080/v1", "ws://127.0.0.1:8080/v1", false },
        { "https://cloud.appwrite.io/v1", "https://cloud.appwrite.io/v1",
          "wss://cloud.appwrite.io/v1", true },
        { "HTTPS://host:443/v1/", "https://host/v1", "wss://host/v1", true },
        { "http://[::1]:80/v1//", "http://[::1]/v1", "ws://[::1]/v1", false },
        { "https://host:8443/behind/v1", "https://host:8443/behind/v1", "wss://host:8443/behind/v1",
          true },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sync_endpoint e;
        assert_true(sync_endpoint_parse(cases[i].text, &e));
        assert_string_equal(e.http, cases[i].http);
        assert_string_equal(e.socket, cases[i].socket);
        assert_int_equal(e.is_tls, cases[i].is_tls);
    }
}

static void anything_else_is_refused(void **state)
{
    char long_path[500] = "http://host/";
    memset(long_path + strlen(long_path), 'x', 400);
    const char *cases[] = {
        NULL,           "",
        "host/v1",      "http://host",
        "http://host/", "ws://host/v1",
        "ftp://h/v1",   "http://host/v1?project=p",
        "http://h/v1#", "https://host/v1/realtime",
        long_path,      "http://user:secret@host/v1",
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sync_endpoint e;
        if (sync_endpoint_parse(cases[i], &e))
            fail_msg("\"%s\" was taken", cases[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(address_gives_both_schemes),
        cmocka_unit_test(anything_else_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
