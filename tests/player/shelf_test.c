/* The list of what is here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "player/shelf.h"

static void put(struct shelf *s, const char *key, const char *path)
{
    shelf_put(s, &(struct shelf_song){ (char *)key, (char *)path, NULL, NULL, 0, false });
}

static void songs_are_found_replaced_and_dropped_in_any_order(void **state)
{
    struct shelf s = { 0 };
    char key[16], path[16];
    for (int i = 0; i < 200; i++) {
        snprintf(key, sizeof(key), "%d", i * 77 % 200);
        snprintf(path, sizeof(path), "/%d", i * 77 % 200);
        put(&s, key, path);
    }
    assert_int_equal(s.count, 200);
    put(&s, "42", "/other");
    assert_int_equal(s.count, 200);
    for (int i = 0; i < 200; i++) {
        snprintf(key, sizeof(key), "%d", i);
        snprintf(path, sizeof(path), i == 42 ? "/other" : "/%d", i);
        assert_string_equal(shelf_find(&s, key)->path, path);
        assert_string_equal(shelf_find(&s, key)->title, "");
        if (i % 2)
            shelf_drop(&s, key);
    }
    shelf_drop(&s, "none");
    assert_int_equal(s.count, 100);
    assert_null(shelf_find(&s, "1"));
    assert_non_null(shelf_find(&s, "198"));
    shelf_finish(&s);
    assert_null(shelf_find(&s, "198"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(songs_are_found_replaced_and_dropped_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
