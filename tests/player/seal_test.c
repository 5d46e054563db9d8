/* The mark on files and addresses that staff named at this box. */
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

static void add(struct queue *q, const char *path)
{
    struct track *t = track_create();
    track_from_path(t, path);
    assert_int_equal(queue_apply(q, &(struct queue_op){ .kind = OP_ADD, .track = t, .seed = 1 }),
                     0);
    track_destroy(t);
}

/* What another life of the box says of three paths, when its queue holds `path`. */
static unsigned known_after_start(const char *folder, const char *path)
{
    static const char *const paths[] = { "/m/a.mp4", "/m/b.mp4", "/m/c.mp4" };
    struct seal s;
    struct queue q;
    unsigned known = 0;
    queue_init(&q);
    add(&q, path);
    seal_open(&s, folder, NULL);
    seal_keep_files(&s, folder, &q, NULL);
    for (unsigned i = 0; i < 3; i++)
        known |= (unsigned)is_whole(&s, paths[i], "") << i;
    seal_close(&s);
    queue_finish(&q);
    return known;
}

static void files_of_the_queue_are_believed_at_the_first_start_and_never_again(void **state)
{
    char folder[64];
    folder_make(folder);
    assert_int_equal(known_after_start(folder, "/m/a.mp4"), 1);
    assert_int_equal(known_after_start(folder, "/m/b.mp4"), 1);
    folder_remove(folder);
}

static void an_address_of_the_queue_is_not_believed_for_being_there(void **state)
{
    char folder[64];
    struct seal s;
    struct queue q;
    struct track *t = track_create();
    folder_make(folder);
    queue_init(&q);
    track_from_url(t, "http://192.168.1.5/a.mp4");
    assert_int_equal(queue_apply(&q, &(struct queue_op){ .kind = OP_ADD, .track = t, .seed = 1 }),
                     0);
    seal_open(&s, folder, NULL);
    seal_keep_files(&s, folder, &q, NULL);
    assert_false(seal_is_whole(&s, t));
    seal_close(&s);
    queue_finish(&q);
    track_destroy(t);
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mark_is_good_for_its_address_and_box_alone),
        cmocka_unit_test(a_key_that_is_none_is_made_anew),
        cmocka_unit_test(files_of_the_queue_are_believed_at_the_first_start_and_never_again),
        cmocka_unit_test(an_address_of_the_queue_is_not_believed_for_being_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
