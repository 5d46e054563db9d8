/* Ed25519: the third vector of RFC 8032, and what is none. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "net/signature.h"

#define KEY                                                                                        \
    "-----BEGIN PUBLIC KEY-----\n"                                                                 \
    "MCowBQYDK2VwAyEA/FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU=\n"                               \
    "-----END PUBLIC KEY-----\n"
/* X25519: of the same length, for another purpose. */
#define OTHER_KIND                                                                                 \
    "-----BEGIN PUBLIC KEY-----\n"                                                                 \
    "MCowBQYDK2VuAyEA/FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU=\n"                               \
    "-----END PUBLIC KEY-----\n"
#define SIGNATURE                                                                                  \
    "YpHWV97sJAJIJ+acOr4BowzlSKKEdDpEXjaA19taw6wY/5tTjRbykK5n92CYTcZZSnwV6XFu0o3AJ77O6h7ECg=="

static const struct {
    const char *what, *key, *data, *signature;
    int ret;
} cases[] = {
    { "the vector", KEY, "\xaf\x82", SIGNATURE, 0 },
    { "another text", KEY, "\xaf\x83", SIGNATURE, -EBADMSG },
    { "no text", KEY, "", SIGNATURE, -EBADMSG },
    { "another signature", KEY, "\xaf\x82", "Z" SIGNATURE, -EBADMSG },
    { "one bit differs", KEY, "\xaf\x82",
      "ZpHWV97sJAJIJ+acOr4BowzlSKKEdDpEXjaA19taw6wY/5tTjRbykK5n92CYTcZZSnwV6XFu0o3AJ77O6h7ECg==",
      -EBADMSG },
    { "a part of it", KEY, "\xaf\x82", "YpHWV97sJAJIJ+ac", -EBADMSG },
    { "no base64", KEY, "\xaf\x82",
      "****V97sJAJIJ+acOr4BowzlSKKEdDpEXjaA19taw6wY/5tTjRbykK5n92CYTcZZSnwV6XFu0o3AJ77O6h7ECg==",
      -EBADMSG },
    { "none", KEY, "\xaf\x82", "", -EBADMSG },
    { "a key of another kind", OTHER_KIND, "\xaf\x82", SIGNATURE, -EINVAL },
    { "no key", "hello\n", "\xaf\x82", SIGNATURE, -EINVAL },
    { "an empty file", "", "\xaf\x82", SIGNATURE, -EINVAL },
};

static void only_what_the_key_signed_is_good(void **state)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char path[] = "/tmp/djamms-key-XXXXXX";
        int fd = mkstemp(path);
        assert_true(fd >= 0);
        assert_true(dprintf(fd, "%s", cases[i].key) >= 0);
        close(fd);
        int ret = signature_check(path, cases[i].data, strlen(cases[i].data), cases[i].signature);
        unlink(path);
        if (ret != cases[i].ret)
            fail_msg("%s: %d", cases[i].what, ret);
    }
    assert_int_equal(signature_check("/nonexistent", "", 0, SIGNATURE), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_the_key_signed_is_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
