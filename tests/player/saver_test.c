/* Background writing of the journal's files and of the history. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "support/folder.h"
#include "player/history.h"
#include "player/saver.h"
#include "wire/message.h"

/* ---- a disk whose writes wait for the test ------------------------------------------------------ */

static struct {
    _Atomic int running, most, writes;
    _Atomic int fail_nth;
    uv_sem_t go;
} disk;

static int slow_write(struct twin_file *file, const char *text, size_t len)
{
    int now = atomic_fetch_add(&disk.running, 1) + 1;
    if (now > atomic_load(&disk.most))
        atomic_store(&disk.most, now);
    uv_sem_wait(&disk.go);
    int n = atomic_fetch_add(&disk.writes, 1) + 1;
    int ret = n == atomic_load(&disk.fail_nth) ? -ENOSPC : twin_file_write(file, text, len);
    atomic_fetch_sub(&disk.running, 1);
    return ret;
}

struct seen {
    uint64_t revision[16];
    int error[16];
    size_t count;
};

static void done(void *arg, uint64_t revision, int error)
{
    struct seen *s = arg;
    assert_true(s->count < 16);
    s->revision[s->count] = revision;
    s->error[s->count++] = error;
}

struct bench {
    char folder[64], path[128];
    uv_loop_t loop;
    struct saver *saver;
    struct seen seen;
};

static int open_bench(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    folder_make(b->folder);
    snprintf(b->path, sizeof(b->path), "%s/file", b->folder);
    uv_loop_init(&b->loop);
    memset(&disk, 0, sizeof(disk));
    uv_sem_init(&disk.go, 0);
    b->saver = saver_create(&(struct saver_params){
        .loop = &b->loop, .path = b->path, .done = done, .arg = &b->seen, .write = slow_write });
    *state = b;
    return 0;
}

static int close_bench(void **state)
{
    struct bench *b = *state;
    saver_destroy(b->saver);
    assert_int_equal(uv_loop_close(&b->loop), 0);
    uv_sem_destroy(&disk.go);
    folder_remove(b->folder);
    free(b);
    return 0;
}

static void let_write(int count)
{
    for (int i = 0; i < count; i++)
        uv_sem_post(&disk.go);
}

static void assert_file(const struct bench *b, const char *want)
{
    char *text;
    size_t len;
    assert_int_equal(twin_file_read(b->path, 1000, &text, &len), 0);
    assert_string_equal(text, want);
    free(text);
}

static void changes_during_a_write_are_one_further_write_of_the_newest(void **state)
{
    struct bench *b = *state;
    saver_put(b->saver, xstrdup("one"), 1);
    saver_put(b->saver, xstrdup("two"), 2);
    saver_put(b->saver, xstrdup("three"), 3);
    assert_true(saver_is_busy(b->saver));
    let_write(2);
    uv_run(&b->loop, UV_RUN_DEFAULT);
    assert_int_equal(atomic_load(&disk.writes), 2);
    assert_int_equal(atomic_load(&disk.most), 1);
    assert_int_equal(b->seen.count, 2);
    assert_int_equal(b->seen.revision[0], 1);
    assert_int_equal(b->seen.revision[1], 3);
    assert_file(b, "three");
}

static void a_failed_write_is_told_and_the_next_one_is_tried(void **state)
{
    struct bench *b = *state;
    atomic_store(&disk.fail_nth, 2);
    let_write(3);
    for (uint64_t i = 1; i <= 3; i++) {
        saver_put(b->saver, xasprintf("text %d", (int)i), i);
        uv_run(&b->loop, UV_RUN_DEFAULT);
        assert_file(b, i == 3 ? "text 3" : "text 1");
    }
    assert_int_equal(b->seen.error[0], 0);
    assert_int_equal(b->seen.error[1], -ENOSPC);
    assert_int_equal(b->seen.error[2], 0);
}

static void the_last_write_is_on_this_thread(void **state)
{
    struct bench *b = *state;
    let_write(1);
    assert_int_equal(saver_put_now(b->saver, "end"), 0);
    assert_file(b, "end");
}

/* ---- history ------------------------------------------------------------------------------------ */

struct read_back {
    struct message *tracks;
    uint64_t tag;
};

static void keep(void *arg, uint64_t tag, struct message *tracks)
{
    *(struct read_back *)arg = (struct read_back){ tracks, tag };
}

static struct played played(int n)
{
    struct played p = { .started_wall_ms = 1700000000000,
                        .ended_wall_ms = 1700000060500,
                        .played_s = 60.5,
                        .how = PLAYED_SKIPPED };
    snprintf(p.title, sizeof(p.title), "Song %d \"\n☕", n);
    return p;
}

static void the_history_is_given_newest_first(void **state)
{
    struct bench *b = *state;
    struct log log = { .module = "test", .level = LOG_ERROR };
    struct history *h = history_create(&b->loop, b->folder, &log);
    for (int i = 0; i < 5; i++) {
        struct played p = played(i);
        history_add(h, &p);
    }
    uv_run(&b->loop, UV_RUN_DEFAULT);
    struct read_back r = { 0 };
    history_read(h, 3, keep, &r, 99);
    uv_run(&b->loop, UV_RUN_DEFAULT);
    assert_int_equal(r.tag, 99);
    assert_int_equal(message_count(r.tracks, "tracks"), 3);
    const struct message *t = message_object_at(r.tracks, "tracks", 0);
    assert_string_equal(message_str(t, "title", ""), "Song 4 \"\n☕");
    assert_string_equal(message_str(t, "how", ""), "skipped");
    assert_string_equal(message_str(t, "ended_at", ""), "2023-11-14T22:14:20.500Z");
    message_destroy(r.tracks);
    history_destroy(h);
}

static void the_history_is_rotated_at_a_mebibyte_and_read_over_both_files(void **state)
{
    struct bench *b = *state;
    struct log log = { .module = "test", .level = LOG_ERROR };
    char *big = malloc(HISTORY_MAX_BYTES);
    memset(big, ' ', HISTORY_MAX_BYTES);
    memcpy(big + HISTORY_MAX_BYTES - 15, "\n{\"title\":\"A\"}\n", 15);
    folder_write(b->folder, HISTORY_FILE, big, HISTORY_MAX_BYTES);
    free(big);
    struct history *h = history_create(&b->loop, b->folder, &log);
    struct played p = played(1);
    history_add(h, &p);
    uv_run(&b->loop, UV_RUN_DEFAULT);
    assert_true(folder_has(b->folder, HISTORY_FILE ".1"));
    struct read_back r = { 0 };
    history_read(h, 10, keep, &r, 1);
    uv_run(&b->loop, UV_RUN_DEFAULT);
    assert_int_equal(message_count(r.tracks, "tracks"), 2);
    assert_string_equal(message_str(message_object_at(r.tracks, "tracks", 1), "title", ""), "A");
    message_destroy(r.tracks);
    history_destroy(h);
}

static void damaged_lines_of_the_history_are_left_out(void **state)
{
    struct bench *b = *state;
    struct log log = { .module = "test", .level = LOG_ERROR };
    static const char text[] = "{\"title\":\"A\"}\n{\"title\n\n\xff\n[]\n{\"title\":\"B\"}\n{\"tit";
    folder_write(b->folder, HISTORY_FILE, text, sizeof(text) - 1);
    struct history *h = history_create(&b->loop, b->folder, &log);
    struct read_back r = { 0 };
    history_read(h, 10, keep, &r, 1);
    uv_run(&b->loop, UV_RUN_DEFAULT);
    assert_int_equal(message_count(r.tracks, "tracks"), 2);
    message_destroy(r.tracks);
    history_destroy(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(changes_during_a_write_are_one_further_write_of_the_newest,
                                        open_bench, close_bench),
        cmocka_unit_test_setup_teardown(a_failed_write_is_told_and_the_next_one_is_tried,
                                        open_bench, close_bench),
        cmocka_unit_test_setup_teardown(the_last_write_is_on_this_thread, open_bench, close_bench),
        cmocka_unit_test_setup_teardown(the_history_is_given_newest_first, open_bench, close_bench),
        cmocka_unit_test_setup_teardown(
            the_history_is_rotated_at_a_mebibyte_and_read_over_both_files, open_bench, close_bench),
        cmocka_unit_test_setup_teardown(damaged_lines_of_the_history_are_left_out, open_bench,
                                        close_bench),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
