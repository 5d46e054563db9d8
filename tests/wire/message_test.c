#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "wire/message.h"

static struct message *parse(const char *text)
{
    struct message *m = message_parse(text, strlen(text), NULL, 0);
    assert_non_null(m);
    return m;
}

static void assert_text(const struct message *m, const char *want)
{
    char *text = message_text(m, false);
    assert_string_equal(text, want);
    free(text);
}

static void what_is_set_is_written_in_order_on_one_line(void **state)
{
    struct message *m = message_create(), *inner = message_create();
    message_set_str(m, "s", "a\nb\"c\\");
    message_set_str(m, "none", NULL);
    message_set_i64(m, "i", INT64_MIN);
    message_set_f64(m, "f", 1.5);
    message_set_bool(m, "b", true);
    message_set_str(inner, "x", "y");
    message_set_object(m, "o", inner);
    message_set_object(m, "now", NULL);
    message_set_array(m, "empty");
    message_append_str(m, "list", "one");
    message_append_object(m, "list", message_create());
    message_set_array(m, "list"); /* stays */
    assert_text(m,
                "{\"s\":\"a\\nb\\\"c\\\\\",\"none\":null,\"i\":-9223372036854775808,\"f\":1.5,"
                "\"b\":true,\"o\":{\"x\":\"y\"},\"now\":null,\"empty\":[],\"list\":[\"one\",{}]}");
    char *text = message_text(m, true);
    assert_non_null(strstr(text, "\n  \"b\": true"));
    free(text);
    message_destroy(m);
    message_destroy(NULL);
}

static void text_that_is_no_utf8_is_cleaned_and_numbers_that_are_none_become_null(void **state)
{
    struct message *m = message_create();
    message_set_str(m, "s", "a\xff\xc3");
    message_append_str(m, "l", "\xed\xa0\x80");
    message_set_f64(m, "nan", NAN);
    message_set_f64(m, "inf", -INFINITY);
    assert_text(m, "{\"s\":\"a\xef\xbf\xbd\xef\xbf\xbd\","
                   "\"l\":[\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"],\"nan\":null,\"inf\":null}");
    message_destroy(m);
}

static void a_field_of_another_type_gives_the_fallback(void **state)
{
    struct message *m = parse("{\"text\":\"12\",\"int\":7,\"whole\":7.0,\"part\":7.5,\"yes\":true,"
                              "\"null\":null,\"obj\":{\"a\":1},\"arr\":[1,\"x\",{\"b\":2}],"
                              "\"nul\":\"a\\u0000b\",\"huge\":123456789012345678901234567890}");
    assert_int_equal(message_i64(m, "int", -1), 7);
    assert_int_equal(message_i64(m, "whole", -1), 7);
    assert_int_equal(message_i64(m, "part", -1), -1);
    assert_int_equal(message_i64(m, "text", -1), -1); /* numbers given as text are text */
    assert_int_equal(message_i64(m, "huge", -1), -1);
    assert_int_equal(message_i64(m, "yes", -1), -1);
    assert_int_equal(message_i64(m, "missing", -1), -1);
    assert_true(message_f64(m, "int", -1) == 7);
    assert_true(message_f64(m, "part", -1) == 7.5);
    assert_true(message_f64(m, "text", -1) == -1);
    assert_true(message_bool(m, "yes", false));
    assert_true(message_bool(m, "int", true));
    assert_false(message_bool(m, "null", false));
    assert_string_equal(message_str(m, "text", "no"), "12");
    assert_string_equal(message_str(m, "int", "no"), "no");
    assert_string_equal(message_str(m, "null", "no"), "no");
    assert_string_equal(message_str(m, "nul", "no"), "no"); /* would be cut short */
    assert_null(message_str(m, "missing", NULL));
    assert_true(message_has(m, "null"));
    assert_false(message_has(m, "missing"));
    message_destroy(m);
}

static void objects_and_arrays_are_seen_in_place(void **state)
{
    struct message *m = parse("{\"obj\":{\"a\":1},\"arr\":[1,\"x\",{\"b\":2}]}");
    assert_int_equal(message_i64(message_object(m, "obj"), "a", 0), 1);
    assert_null(message_object(m, "arr"));
    assert_int_equal(message_count(m, "arr"), 3);
    assert_int_equal(message_count(m, "obj"), 0);
    assert_int_equal(message_count(m, "missing"), 0);
    assert_string_equal(message_str_at(m, "arr", 1), "x");
    assert_null(message_str_at(m, "arr", 0));
    assert_null(message_str_at(m, "arr", 3));
    assert_int_equal(message_i64(message_object_at(m, "arr", 2), "b", 0), 2);
    assert_null(message_object_at(m, "arr", 1));
    message_destroy(m);
}

static void what_is_no_object_is_refused_with_the_place(void **state)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        { "", "line 1" },
        { "[]", "not a JSON object" },
        { "\"x\"", "not a JSON object" },
        { "{\"a\":}", "column 6" },
        { "{\n\n\"a\" 1}", "line 3" },
        { "{} x", "line 1" },
        { "{\"a\":\"\xff\"}", "line 1" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char why[80] = "";
        assert_null(message_parse(cases[i].text, strlen(cases[i].text), why, sizeof(why)));
        if (!strstr(why, cases[i].why))
            fail_msg("%s: %s", cases[i].text, why);
        assert_null(strchr(why, '\n'));
    }
    assert_null(message_parse("{\"a\":1}", 6, NULL, 0)); /* the length counts, not the NUL */
}

static void nesting_beyond_reason_is_refused_not_followed(void **state)
{
    size_t depth = 200000;
    char *text = malloc(2 * depth + 8);
    memcpy(text, "{\"a\":", 5);
    memset(text + 5, '[', depth);
    memset(text + 5 + depth, ']', depth);
    text[5 + 2 * depth] = '}';
    assert_null(message_parse(text, 6 + 2 * depth, NULL, 0));
    free(text);
}

static void a_copy_is_a_message_of_its_own(void **state)
{
    static const char text[] = "{\"a\":[1,{\"b\":null}]}";
    struct message *m = message_parse(text, strlen(text), NULL, 0), *copy = message_copy(m);
    message_append_str(copy, "a", "more");
    assert_int_equal(message_count(m, "a"), 2);
    message_destroy(m);
    char *out = message_text(copy, false);
    assert_string_equal(out, "{\"a\":[1,{\"b\":null},\"more\"]}");
    free(out);
    message_destroy(copy);
}

static void every_field_is_met_in_order_with_its_kind(void **state)
{
    static const struct {
        const char *name;
        enum message_kind kind;
        const char *text;
    } want[] = {
        { "z", MESSAGE_NULL, "null" },         { "y", MESSAGE_BOOL, "false" },
        { "x", MESSAGE_INTEGER, "-7" },        { "w", MESSAGE_REAL, "2.0" },
        { "v", MESSAGE_STRING, "\"a\\\"b\"" }, { "u", MESSAGE_ARRAY, "[1,null]" },
        { "t", MESSAGE_OBJECT, "{\"k\":[]}" },
    };
    struct message *m = parse("{\"z\":null, \"y\":false,\"x\":-7,\"w\":2e0,\"v\":\"a\\\"b\", "
                              "\"u\":[1, null],\"t\":{\"k\":[]}}");
    size_t i = 0, count = sizeof(want) / sizeof(want[0]);
    assert_int_equal(message_field_count(m), count);
    for (const char *f = NULL; (f = message_next(m, f)); i++) {
        assert_true(i < count);
        assert_string_equal(f, want[i].name);
        assert_int_equal(message_kind(m, f), want[i].kind);
        char *text = message_field_text(m, f);
        assert_string_equal(text, want[i].text);
        free(text);
    }
    assert_int_equal(i, count);
    assert_int_equal(message_kind(m, "missing"), MESSAGE_MISSING);
    assert_null(message_field_text(m, "missing"));
    message_destroy(m);
    m = message_create();
    assert_null(message_next(m, NULL));
    message_destroy(m);
}

static void elements_of_any_kind_are_read_by_index(void **state)
{
    struct message *m = parse("{\"a\":[1,2.5,true,\"s\",null,[2],{\"k\":1}],\"n\":\"a\\u0000b\"}");
    static const enum message_kind want[] = { MESSAGE_INTEGER, MESSAGE_REAL,   MESSAGE_BOOL,
                                              MESSAGE_STRING,  MESSAGE_NULL,   MESSAGE_ARRAY,
                                              MESSAGE_OBJECT,  MESSAGE_MISSING };
    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
        assert_int_equal(message_kind_at(m, "a", i), want[i]);
    assert_int_equal(message_i64_at(m, "a", 0, -1), 1);
    assert_int_equal(message_i64_at(m, "a", 3, -1), -1);
    assert_true(message_f64_at(m, "a", 1, 0) == 2.5);
    assert_true(message_f64_at(m, "a", 0, 0) == 1.0);
    assert_true(message_bool_at(m, "a", 2, false));
    assert_true(message_bool_at(m, "a", 0, true));
    char *text = message_text_at(m, "a", 5);
    assert_string_equal(text, "[2]");
    free(text);
    assert_null(message_text_at(m, "a", 7));
    assert_int_equal(message_kind_at(m, "n", 0), MESSAGE_MISSING);
    assert_int_equal(message_str_size(m, "n"), 3);
    assert_int_equal(message_str_size(m, "a"), 0);
    message_destroy(m);
}

static void values_of_any_kind_are_set_from_text_and_removed(void **state)
{
    struct message *m = message_create();
    assert_true(message_set_json(m, "a", "[1,{\"b\":2}]", 11));
    assert_true(message_set_json(m, "b", "\"t\"", 3));
    assert_true(message_append_json(m, "a", "null", 4));
    assert_false(message_set_json(m, "a", "[1", 2));
    assert_false(message_append_json(m, "a", "nil", 3));
    message_set_null(m, "c");
    assert_text(m, "{\"a\":[1,{\"b\":2},null],\"b\":\"t\",\"c\":null}");
    message_remove(m, "b");
    message_remove(m, "b");
    assert_text(m, "{\"a\":[1,{\"b\":2},null],\"c\":null}");
    message_destroy(m);
}

static void a_number_has_the_fewest_digits_by_which_it_is_the_same(void **state)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        { 22.008, "22.008" },
        { 0.1, "0.1" },
        { -61.234, "-61.234" },
        { 0.1 + 0.2, "0.30000000000000004" },
        { 1.0 / 3, "0.3333333333333333" },
        { 1e15, "1000000000000000.0" },
        { 2251799813685248.5, "2251799813685248.5" },
        { 1e22, "1e22" },
        { 1.1e-7, "1.1000000000000001e-7" }, /* of these there is none that people read */
        { 5, "5.0" },
        { -0.0, "-0.0" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct message *m = message_create();
        message_set_str(m, "22.007999999999999", "\\\" 22.007999999999999");
        message_set_i64(m, "i", INT64_MIN);
        message_set_f64(m, "f", cases[i].value);
        message_set_bool(m, "e", false);
        char want[160];
        snprintf(want, sizeof(want),
                 "{\"22.007999999999999\":\"\\\\\\\" 22.007999999999999\","
                 "\"i\":-9223372036854775808,\"f\":%s,\"e\":false}",
                 cases[i].text);
        assert_text(m, want);
        struct message *back = parse(want);
        assert_true(message_f64(back, "f", 7) == cases[i].value);
        message_destroy(back);
        message_destroy(m);
    }
}

/* Any bits that are a number, so that a document's come back as they were given. */
static void every_number_comes_back_as_it_was(void **state)
{
    uint64_t bits = 88172645463325252u;
    for (int i = 0; i < 20000; i++) {
        bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
        double value;
        memcpy(&value, &bits, sizeof(value));
        if (i % 2) /* of a size that people write */
            value = (double)(bits % 1000000000) / 1e5 / (double)(1 + bits % 7);
        if (!isfinite(value))
            continue;
        struct message *m = message_create();
        message_set_f64(m, "f", value);
        char *text = message_text(m, false);
        struct message *back = parse(text);
        assert_true(message_f64(back, "f", 0) == value);
        assert_int_equal(message_kind(back, "f"), MESSAGE_REAL);
        free(text);
        message_destroy(back);
        message_destroy(m);
    }
}

static void a_copy_shares_nothing(void **state)
{
    struct message *m = parse("{\"a\":[1],\"b\":1}");
    struct message *copy = message_copy(m);
    assert_true(message_equal(m, copy));
    message_append_str(copy, "a", "x");
    assert_false(message_equal(m, copy));
    message_set_field(copy, "c", m, "a");
    message_set_field(copy, "d", m, "none");
    message_append_str(copy, "c", "y");
    assert_text(m, "{\"a\":[1],\"b\":1}");
    assert_text(copy, "{\"a\":[1,\"x\"],\"b\":1,\"c\":[1,\"y\"]}");
    message_destroy(m);
    message_destroy(copy);
    m = parse("{\"a\":1,\"b\":2}");
    copy = parse("{\"b\":2,\"a\":1}");
    assert_true(message_equal(m, copy));
    message_set_f64(copy, "a", 1.0);
    assert_false(message_equal(m, copy));
    message_destroy(m);
    message_destroy(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_set_is_written_in_order_on_one_line),
        cmocka_unit_test(text_that_is_no_utf8_is_cleaned_and_numbers_that_are_none_become_null),
        cmocka_unit_test(a_field_of_another_type_gives_the_fallback),
        cmocka_unit_test(objects_and_arrays_are_seen_in_place),
        cmocka_unit_test(what_is_no_object_is_refused_with_the_place),
        cmocka_unit_test(every_field_is_met_in_order_with_its_kind),
        cmocka_unit_test(elements_of_any_kind_are_read_by_index),
        cmocka_unit_test(values_of_any_kind_are_set_from_text_and_removed),
        cmocka_unit_test(a_number_has_the_fewest_digits_by_which_it_is_the_same),
        cmocka_unit_test(every_number_comes_back_as_it_was),
        cmocka_unit_test(a_copy_shares_nothing),
        cmocka_unit_test(nesting_beyond_reason_is_refused_not_followed),
        cmocka_unit_test(a_copy_is_a_message_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
