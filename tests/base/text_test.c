#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "base/text.h"

static void every_code_point_survives_encoding(void **state)
{
    for (uint32_t code = 0; code <= 0x10ffff; code++) {
        char bytes[4];
        size_t used, n = utf8_encode(code, bytes);
        bool is_surrogate = code >= 0xd800 && code <= 0xdfff;
        if (utf8_decode(bytes, n, &used) != (is_surrogate ? UNICODE_REPLACEMENT : code) ||
            used != n)
            fail_msg("U+%04X", (unsigned)code);
    }
    char bytes[4];
    assert_int_equal(utf8_encode(0x110000, bytes), 3);
    assert_memory_equal(bytes, "\xef\xbf\xbd", 3);
}

static void what_is_no_utf8_is_one_replacement_for_each_byte(void **state)
{
    static const struct {
        const char *name, *text, *repaired;
    } cases[] = {
        { "ascii", "abc", "abc" },
        { "empty", "", "" },
        { "two to four bytes", "\xc3\xa9\xe5\xa4\x9c\xf0\x9f\x8e\xb5",
          "\xc3\xa9\xe5\xa4\x9c\xf0\x9f\x8e\xb5" },
        { "the replacement itself", "\xef\xbf\xbd", "\xef\xbf\xbd" },
        { "lone continuation", "\x80", "\xef\xbf\xbd" },
        { "overlong slash", "\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd" },
        { "overlong of three", "\xe0\x80\xaf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
        { "overlong of four", "\xf0\x80\x80\xaf",
          "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
        { "surrogate", "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
        { "beyond the last", "\xf4\x90\x80\x80",
          "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
        { "cut at the end", "a\xe5\xa4", "a\xef\xbf\xbd\xef\xbf\xbd" },
        { "cut in the middle", "\xe5\xa4z", "\xef\xbf\xbd\xef\xbf\xbdz" },
        { "never a first byte", "\xff\xfe", "\xef\xbf\xbd\xef\xbf\xbd" },
        { "control characters stay", "\x01\n\x7f", "\x01\n\x7f" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        bool is_valid = strcmp(cases[i].text, cases[i].repaired) == 0;
        char *repaired = utf8_repair(cases[i].text);
        assert_string_equal(repaired, cases[i].repaired);
        if (utf8_is_valid(cases[i].text, strlen(cases[i].text)) != is_valid)
            fail_msg("%s", cases[i].name);
        free(repaired);
    }
}

static void cleaning_removes_controls_and_cuts_between_characters(void **state)
{
    static const struct {
        const char *text;
        size_t size;
        const char *cleaned;
    } cases[] = {
        { "a\nb\tc\x7f", 16, "a b c " },
        { "\xc2\x9bK", 16, " K" }, /* U+009B, which terminals obey */
        { "a\xff", 16, "a\xef\xbf\xbd" },
        { "abc", 4, "abc" },
        { "abc", 3, "ab" },
        { "abc", 1, "" },
        { "a\xe5\xa4\x9c", 5, "a\xe5\xa4\x9c" },
        { "a\xe5\xa4\x9c", 4, "a" },
        { "\xf0\x9f\x8e\xb5z", 4, "" }, /* nothing after what did not fit */
        { "", 1, "" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char out[16];
        memset(out, '#', sizeof(out));
        assert_int_equal(text_clean(out, cases[i].size, cases[i].text), strlen(cases[i].cleaned));
        assert_string_equal(out, cases[i].cleaned);
        for (size_t k = cases[i].size; k < sizeof(out); k++)
            assert_int_equal(out[k], '#');
    }
}

static void hashes_are_the_published_ones_and_never_0(void **state)
{
    assert_true(text_hash("", 0) == 0xcbf29ce484222325u);
    assert_true(text_hash("a", 1) == 0xaf63dc4c8601ec8cu);
    assert_true(text_hash("foobar", 6) == 0x85944171f73967e8u);
    assert_true(text_hash("\xd5\x6b\xb9\x53\x42\x87\x08\x36", 8) != 0); /* FNV-1a gives 0 here */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point_survives_encoding),
        cmocka_unit_test(what_is_no_utf8_is_one_replacement_for_each_byte),
        cmocka_unit_test(cleaning_removes_controls_and_cuts_between_characters),
        cmocka_unit_test(hashes_are_the_published_ones_and_never_0),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
