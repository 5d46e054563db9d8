/* The mark on addresses that staff named at this box. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "support/folder.h"
#include "player/seal.h"

static bool is_whole(const struct seal *s, const char *source, const char *mark)
{
    struct track *t = track_create();
    track_set(&t->source, source);
    track_set(&t->seal, mark);
    bool is_it = seal_is_whole(s, t);
    track_destroy(t);
    return is_it;
}

static void a_mark_is_good_for_its_address_and_box_alone(void **state)
{
    char here[64], there[64], mark[SEAL_SIZE], cut[SEAL_SIZE];
    struct seal box, same, other;
    folder_make(here);
    folder_make(there);
    seal_open(&box, here, NULL);
    seal_open(&same, here, NULL); /* after a restart */
    seal_open(&other, there, NULL);
    seal_text(&box, "http://192.168.1.5/a.mp4", mark);
    snprintf(cut, sizeof(cut), "%.8s", mark);
    assert_int_equal(strlen(mark), SEAL_SIZE - 1);
    assert_true(is_whole(&box, "http://192.168.1.5/a.mp4", mark));
    assert_true(is_whole(&same, "http://192.168.1.5/a.mp4", mark));
    assert_false(is_whole(&other, "http://192.168.1.5/a.mp4", mark));
    assert_false(is_whole(&box, "http://192.168.1.5/b.mp4", mark));
    assert_false(is_whole(&box, "http://192.168.1.5/a.mp4", cut));
    assert_false(is_whole(&box, "http://192.168.1.5/a.mp4", ""));
    assert_false(is_whole(&box, "", ""));
    folder_remove(here);
    folder_remove(there);
}

static void a_key_that_is_none_is_made_anew(void **state)
{
    static const char *const bad[] = { "", "x", "0123456789abcdef" };
    char folder[64], before[SEAL_SIZE], after[SEAL_SIZE];
    struct seal s;
    folder_make(folder);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        folder_write(folder, "seal", bad[i], strlen(bad[i]));
        seal_open(&s, folder, NULL);
        seal_text(&s, "http://a/", before);
        seal_open(&s, folder, NULL);
        seal_text(&s, "http://a/", after);
        assert_string_equal(before, after); /* and kept */
    }
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mark_is_good_for_its_address_and_box_alone),
        cmocka_unit_test(a_key_that_is_none_is_made_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
