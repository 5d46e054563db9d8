#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"

static void it_grows_to_its_ceiling_and_not_a_byte_further(void **state)
{
    struct buf b;
    buf_init(&b, 1000);
    for (int i = 0; i < 1000; i++) {
        char c = (char)('a' + i % 26);
        assert_int_equal(buf_append(&b, &c, 1), 0);
        assert_int_equal(b.data[b.len], '\0');
    }
    assert_int_equal(b.len, 1000);
    assert_int_equal(buf_append(&b, "x", 1), -EMSGSIZE);
    assert_int_equal(buf_printf(&b, "%d", 7), -EMSGSIZE);
    assert_int_equal(buf_append(&b, "x", SIZE_MAX), -EMSGSIZE);
    assert_int_equal(buf_append(&b, NULL, 0), 0);
    assert_int_equal(b.len, 1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(b.data[i], 'a' + i % 26);
    buf_finish(&b);
}

static void consuming_keeps_the_rest(void **state)
{
    struct buf b;
    buf_init(&b, 64);
    buf_consume(&b, 0); /* nothing was ever appended */
    assert_int_equal(buf_printf(&b, "%s-%d", "one", 2), 0);
    buf_consume(&b, 4);
    assert_string_equal(b.data, "2");
    buf_consume(&b, 1);
    assert_int_equal(b.len, 0);
    assert_string_equal(b.data, "");
    buf_finish(&b);
}

static void a_finished_buffer_is_empty_and_may_be_used_again(void **state)
{
    struct buf b;
    buf_init(&b, 4);
    assert_int_equal(buf_append(&b, "abcd", 4), 0);
    buf_finish(&b);
    assert_null(b.data);
    assert_int_equal(b.len, 0);
    assert_int_equal(buf_append(&b, "efghi", 5), -EMSGSIZE);
    assert_int_equal(buf_append(&b, "efgh", 4), 0);
    assert_string_equal(b.data, "efgh");
    buf_finish(&b);
    buf_finish(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_grows_to_its_ceiling_and_not_a_byte_further),
        cmocka_unit_test(consuming_keeps_the_rest),
        cmocka_unit_test(a_finished_buffer_is_empty_and_may_be_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
