/* Where a server listens. */
#include "support.h"

#include "base/compiler.h"
#include "config/listen.h"

static const struct {
    const char *text, *address; /* NULL: refused */
    int port;
    bool has_port;
} cases[] = {
    { "localhost", "127.0.0.1", 7, false },
    { "localhost:80", "127.0.0.1", 80, true },
    { "lan", "0.0.0.0", 7, false },
    { "lan:9000", "0.0.0.0", 9000, true },
    { "127.0.0.1:0", "127.0.0.1", 0, true },
    { "192.168.1.5", "192.168.1.5", 7, false },
    { "0.0.0.0:65535", "0.0.0.0", 65535, true },
    { "::1", "::1", 7, false },
    { "::", "::", 7, false },
    { "[::1]:80", "::1", 80, true },
    { "[fe80::1]", "fe80::1", 7, false },

    { "", NULL, 0, false },
    { "bar.example", NULL, 0, false },
    { "bar.example:80", NULL, 0, false },
    { "LAN", NULL, 0, false },
    { "127.0.0.1:", NULL, 0, false },
    { "127.0.0.1:65536", NULL, 0, false },
    { "127.0.0.1:8o", NULL, 0, false },
    { "127.0.0.1:-1", NULL, 0, false },
    { "127.0.0.1:80:80", NULL, 0, false },
    { "127.0.0:80", NULL, 0, false },
    { "[127.0.0.1]:80", NULL, 0, false },
    { "[localhost]:80", NULL, 0, false },
    { "[::1]80", NULL, 0, false },
    { "[::1", NULL, 0, false },
    { ":80", NULL, 0, false },
    { "80", NULL, 0, false },
};

static void every_form_of_an_address_is_read_and_nothing_else(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct listen_address got;
        bool is_good = listen_parse(cases[i].text, 7, &got);
        if (is_good != (cases[i].address != NULL))
            fail_msg("\"%s\": %s", cases[i].text, is_good ? "taken" : "refused");
        if (!is_good)
            continue;
        assert_string_equal(got.address, cases[i].address);
        assert_int_equal(got.port, cases[i].port);
        assert_int_equal(got.has_port, cases[i].has_port);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_an_address_is_read_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
