/* The bytes of a file that may still be growing. */
#include "media/support.h"

#include <fcntl.h>
#include <libavformat/avio.h>
#include <pthread.h>
#include <sys/stat.h>

#include "media/media_file.h"

/* A file with something that grows it, or makes it old, once a read waits at its end. */
struct grower {
    char path[64];
    int fd;
    struct doorbell bell;
    struct gate gate;
    struct media_file *file;
    pthread_t thread;
    _Atomic bool is_over;
};

static void grower_init(struct grower *g, uint32_t flags)
{
    *g = (struct grower){ .gate = { .bell = &g->bell, .flags = flags } };
    snprintf(g->path, sizeof(g->path), "/tmp/djamms-test-XXXXXX");
    g->fd = mkstemp(g->path);
    assert_true(g->fd >= 0);
    assert_int_equal(write(g->fd, "one", 3), 3);
    assert_int_equal(media_file_open(&g->file, g->path, &g->gate), 0);
}

static void grower_finish(struct grower *g)
{
    media_file_close(g->file);
    close(g->fd);
    unlink(g->path);
}

/* Sets when the file was written to, so long ago. */
static void set_age(struct grower *g, int64_t age_s)
{
    int64_t at_ms = now_wall_ms() - age_s * 1000;
    struct timespec t[2] = { { .tv_nsec = UTIME_OMIT }, { at_ms / 1000, at_ms % 1000 * 1000000 } };
    assert_int_equal(futimens(g->fd, t), 0);
}

static int read_some(struct grower *g, char buf[8])
{
    return avio_read_partial(media_file_io(g->file), (unsigned char *)buf, 8);
}

static void wait_for_reader(struct grower *g)
{
    while (!media_file_is_waiting(g->file)) {
        set_age(g, 0);
        sched_yield();
    }
}

static void *grow(void *arg)
{
    struct grower *g = arg;
    wait_for_reader(g);
    assert_int_equal(write(g->fd, "two", 3), 3);
    return NULL;
}

static void *grow_old(void *arg)
{
    struct grower *g = arg;
    wait_for_reader(g);
    set_age(g, 3600);
    return NULL;
}

static int read_while(struct grower *g, void *(*run)(void *), char buf[8])
{
    set_age(g, 0);
    assert_int_equal(pthread_create(&g->thread, NULL, run, g), 0);
    int ret = read_some(g, buf);
    pthread_join(g->thread, NULL);
    return ret;
}

static void a_young_file_is_waited_for_until_it_is_old(void **state)
{
    struct grower g;
    char buf[8];
    grower_init(&g, 0);
    media_file_trust_mtime(g.file);
    assert_int_equal(read_some(&g, buf), 3);
    assert_int_equal(read_while(&g, grow, buf), 3);
    assert_memory_equal(buf, "two", 3);
    assert_int_equal(read_while(&g, grow_old, buf), AVERROR_EOF);
    grower_finish(&g);
}

static void *stop_what_waits(void *arg)
{
    struct grower *g = arg;
    while (!atomic_load(&g->is_over) && !media_file_is_waiting(g->file))
        sched_yield();
    gate_stop(&g->gate);
    return NULL;
}

/* AVERROR_EXIT: the read had to be stopped. */
static int read_without_waiting(struct grower *g)
{
    char buf[8];
    assert_int_equal(pthread_create(&g->thread, NULL, stop_what_waits, g), 0);
    int ret = read_some(g, buf);
    atomic_store(&g->is_over, true);
    pthread_join(g->thread, NULL);
    return ret;
}

static void a_file_that_nobody_writes_to_ends_at_its_end(void **state)
{
    static const struct {
        const char *name;
        bool is_trusted;
        int64_t age_s;
    } cases[] = {
        { "old", true, 3600 },
        { "just old enough", true, 2 },
        { "from the future: the clock of the box is wrong", true, -3600 },
        { "young, but nothing was decoded of it yet", false, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct grower g;
        char buf[8];
        grower_init(&g, 0);
        if (cases[i].is_trusted)
            media_file_trust_mtime(g.file);
        set_age(&g, cases[i].age_s);
        assert_int_equal(read_some(&g, buf), 3);
        if (read_without_waiting(&g) != AVERROR_EOF)
            fail_msg("%s: its end is not believed", cases[i].name);
        grower_finish(&g);
    }
}

static void the_order_to_wait_is_stronger_than_the_age(void **state)
{
    struct grower g;
    char buf[8];
    grower_init(&g, ORDER_GROWING);
    media_file_trust_mtime(g.file);
    assert_int_equal(read_some(&g, buf), 3);
    atomic_store(&g.gate.flags,
                 0); /* the download is over: nothing is to be waited for, young or not */
    set_age(&g, 0);
    assert_int_equal(read_without_waiting(&g), AVERROR_EOF);
    grower_finish(&g);
}

static void the_size_of_a_growing_file_is_not_told(void **state)
{
    struct grower g;
    grower_init(&g, ORDER_GROWING);
    AVIOContext *io = media_file_io(g.file);
    assert_true(avio_size(io) < 0);
    assert_true(avio_seek(io, 1 << 20, SEEK_SET) < 0);
    media_file_allow_ahead(g.file, true);
    assert_int_equal(avio_seek(io, 1 << 20, SEEK_SET), 1 << 20);
    atomic_store(&g.gate.flags, 0);
    assert_int_equal(avio_size(io), 3);
    grower_finish(&g);
}

static void a_frozen_file_ends_where_it_ends(void **state)
{
    struct grower g;
    char buf[8];
    grower_init(&g, ORDER_GROWING);
    media_file_freeze(g.file, true);
    assert_int_equal(avio_size(media_file_io(g.file)), 3);
    assert_int_equal(read_some(&g, buf), 3);
    assert_int_equal(read_without_waiting(&g), AVERROR_EOF);
    media_file_freeze(g.file, false);
    assert_true(avio_size(media_file_io(g.file)) < 0);
    grower_finish(&g);
}

static void no_more_is_read_than_the_limit_and_nothing_after_a_stop(void **state)
{
    struct grower g;
    char buf[8];
    grower_init(&g, 0);
    media_file_limit(g.file, 1);
    assert_int_equal(read_some(&g, buf), 3); /* what is read at once counts at once */
    assert_int_equal(read_some(&g, buf), AVERROR_EXIT);
    grower_finish(&g);
    grower_init(&g, ORDER_GROWING);
    gate_stop(&g.gate);
    assert_int_equal(read_some(&g, buf), AVERROR_EXIT);
    grower_finish(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_young_file_is_waited_for_until_it_is_old),
        cmocka_unit_test(a_file_that_nobody_writes_to_ends_at_its_end),
        cmocka_unit_test(the_order_to_wait_is_stronger_than_the_age),
        cmocka_unit_test(the_size_of_a_growing_file_is_not_told),
        cmocka_unit_test(a_frozen_file_ends_where_it_ends),
        cmocka_unit_test(no_more_is_read_than_the_limit_and_nothing_after_a_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
