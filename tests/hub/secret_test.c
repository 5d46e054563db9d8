/* Base64, random texts, passwords. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/compiler.h"
#include "hub/base64.h"
#include "hub/secret.h"

/* RFC 4648, and the two alphabets. */
static const struct {
    const char *data;
    size_t len;
    const char *standard, *url;
} texts[] = {
    { "", 0, "", "" },
    { "f", 1, "Zg==", "Zg" },
    { "fo", 2, "Zm8=", "Zm8" },
    { "foo", 3, "Zm9v", "Zm9v" },
    { "foob", 4, "Zm9vYg==", "Zm9vYg" },
    { "fooba", 5, "Zm9vYmE=", "Zm9vYmE" },
    { "foobar", 6, "Zm9vYmFy", "Zm9vYmFy" },
    { "\xff\xef\xbe\x00\xfb", 5, "/+++APs=", "_---APs" },
};

static void base64_is_written_and_read_as_the_standard_says(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        const char *const want[] = { texts[i].standard, texts[i].url };
        for (int kind = BASE64_STANDARD; kind <= BASE64_URL; kind++) {
            size_t len;
            char *text = base64_write(texts[i].data, texts[i].len, (enum base64_kind)kind);
            assert_string_equal(text, want[kind]);
            char *data = base64_read(text, strlen(text), &len);
            assert_int_equal(len, texts[i].len);
            assert_memory_equal(data, texts[i].data, len + 1);
            free(text);
            free(data);
        }
    }
}

static void what_is_no_base64_is_refused(void **state)
{
    static const char *const bad[] = { "A",    "AAAAA", "AA A", "AA\n",
                                       "====", "A=AA",  "AA*A", "AAA\xc3" };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        size_t len;
        char *data = base64_read(bad[i], strlen(bad[i]), &len);
        if (data)
            fail_msg("read: %s", bad[i]);
    }
    size_t len;
    assert_null(base64_read("AA\0A", 4, &len));
}

static void random_texts_have_their_form_and_differ(void **state)
{
    char a[2 * 100 + 1], b[2 * 100 + 1], uuid[SECRET_UUID_SIZE], other[SECRET_UUID_SIZE];
    secret_hex(a, 100);
    secret_hex(b, 100);
    assert_int_equal(strspn(a, "0123456789abcdef"), 200);
    assert_int_equal(strlen(a), 200);
    assert_string_not_equal(a, b);
    secret_uuid(uuid);
    secret_uuid(other);
    assert_int_equal(strlen(uuid), 36);
    assert_int_equal(uuid[14], '4');
    assert_non_null(strchr("89ab", uuid[19]));
    assert_string_not_equal(uuid, other);
}

static void a_password_is_salted_slow_and_compared_whole(void **state)
{
    char *first = password_hash("correct horse"), *second = password_hash("correct horse");
    assert_int_equal(strncmp(first, "$y$", 3), 0);
    assert_string_not_equal(first, second);
    assert_true(password_is_right("correct horse", first));
    assert_true(password_is_right("correct horse", second));
    assert_false(password_is_right("correct hors", first));
    assert_false(password_is_right("", first));
    assert_false(password_is_right("correct horse", "correct horse"));
    assert_false(password_is_right("correct horse", ""));
    assert_false(password_is_right("correct horse", NULL));
    free(first);
    free(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_is_written_and_read_as_the_standard_says),
        cmocka_unit_test(what_is_no_base64_is_refused),
        cmocka_unit_test(random_texts_have_their_form_and_differ),
        cmocka_unit_test(a_password_is_salted_slow_and_compared_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
