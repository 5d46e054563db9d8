/* Segments: one file that all processes share, however many start at once and whatever lies there. */
#include "shm/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>

#include "shm/shm_test.h"

#define SIZE  ((size_t)1 << 20)
#define MAGIC 0x12345678u

struct folder {
    char path[64];
};

static int make_folder(void **state)
{
    struct folder *f = calloc(1, sizeof(*f));
    snprintf(f->path, sizeof(f->path), "/tmp/djamms-segment-XXXXXX");
    if (!f || !mkdtemp(f->path))
        return -1;
    *state = f;
    return 0;
}

static int remove_folder(void **state)
{
    struct folder *f = *state;
    char file[128];
    snprintf(file, sizeof(file), "%s/shm/a", f->path);
    unlink(file);
    snprintf(file, sizeof(file), "%s/shm", f->path);
    rmdir(file);
    int ret = rmdir(f->path);
    free(f);
    return ret;
}

static const char *file_of(void **state, char out[128])
{
    snprintf(out, 128, "%s/shm/a", ((struct folder *)*state)->path);
    return out;
}

static struct segment open_ok(void **state, size_t size, uint32_t version)
{
    struct segment s;
    assert_int_equal(segment_open(&s, ((struct folder *)*state)->path, "a", size, MAGIC, version),
                     0);
    assert_int_equal(s.size, size);
    return s;
}

static uint8_t *payload(const struct segment *s)
{
    return (uint8_t *)s->base + sizeof(struct segment_header);
}

static void a_new_segment_is_zero_private_and_sparse(void **state)
{
    struct segment s = open_ok(state, SIZE, 1);
    struct stat st;
    char file[128];
    assert_int_equal(stat(file_of(state, file), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(st.st_size, SIZE);
    assert_true((size_t)st.st_blocks * 512 < SIZE / 2); /* before it is read: that fills a tmpfs */
    for (size_t i = 0; i < SIZE - sizeof(struct segment_header); i += 997)
        assert_int_equal(payload(&s)[i], 0);
    segment_close(&s);
}

static void what_one_writes_another_sees_and_a_later_one_finds(void **state)
{
    struct segment a = open_ok(state, SIZE, 1), b = open_ok(state, SIZE, 1);
    payload(&a)[12345] = 77;
    assert_int_equal(payload(&b)[12345], 77);
    segment_close(&a);
    segment_close(&b);
    struct segment c = open_ok(state, SIZE, 1);
    assert_int_equal(payload(&c)[12345], 77);
    segment_close(&c);
}

static void another_version_or_size_gets_a_new_file_and_old_users_keep_theirs(void **state)
{
    struct segment old = open_ok(state, SIZE, 1);
    payload(&old)[0] = 5;
    struct segment newer = open_ok(state, SIZE, 2);
    assert_int_equal(payload(&newer)[0], 0);
    payload(&newer)[0] = 6;
    assert_int_equal(payload(&old)[0], 5);
    struct segment bigger = open_ok(state, SIZE * 2, 2);
    assert_int_equal(payload(&bigger)[0], 0);
    segment_close(&old);
    segment_close(&newer);
    segment_close(&bigger);
}

static void rubbish_in_its_place_is_replaced(void **state)
{
    static const size_t lengths[] = { 0, 1, 63, SIZE - 1, SIZE };
    uint8_t rubbish[200];
    memset(rubbish, 0xa5, sizeof(rubbish));
    struct segment first = open_ok(state, SIZE, 1); /* makes the folder */
    segment_close(&first);
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        char file[128];
        int fd = open(file_of(state, file), O_RDWR | O_CREAT | O_TRUNC, 0600);
        assert_int_equal(write(fd, rubbish, sizeof(rubbish)), sizeof(rubbish));
        assert_int_equal(ftruncate(fd, (off_t)lengths[i]), 0);
        close(fd);
        struct segment s = open_ok(state, SIZE, 1);
        const struct segment_header *h = s.base;
        assert_int_equal(h->magic, MAGIC);
        assert_int_equal(h->size, SIZE);
        assert_int_equal(payload(&s)[0], 0);
        segment_close(&s);
    }
}

static void a_folder_that_cannot_be_is_an_error_and_nothing_to_close(void **state)
{
    struct segment s;
    assert_true(segment_open(&s, "/proc/self/no", "a", SIZE, MAGIC, 1) < 0);
    segment_close(&s);
    segment_close(&s);
    struct segment zero = { 0 };
    segment_close(&zero);
}

static void many_processes_that_start_at_once_share_one_segment(void **state)
{
    enum { PROCESSES = 40, ROUNDS = 5 };
    for (int round = 0; round < ROUNDS; round++) {
        pid_t pid[PROCESSES];
        char file[128];
        unlink(file_of(state, file));
        _Atomic int *gate = shared_memory(4096);
        for (int i = 0; i < PROCESSES; i++) {
            pid[i] = fork();
            if (pid[i] != 0)
                continue;
            while (atomic_load(gate) == 0) {
            }
            struct segment s;
            if (segment_open(&s, ((struct folder *)*state)->path, "a", SIZE, MAGIC, 1) < 0)
                _exit(1);
            atomic_fetch_add((_Atomic uint32_t *)(void *)payload(&s), 1);
            _exit(0);
        }
        atomic_store(gate, 1);
        for (int i = 0; i < PROCESSES; i++)
            assert_int_equal(child_status(pid[i]), 0);
        struct segment s = open_ok(state, SIZE, 1);
        assert_int_equal(atomic_load((_Atomic uint32_t *)(void *)payload(&s)), PROCESSES);
        segment_close(&s);
        munmap((void *)(uintptr_t)gate, 4096);
    }
}

#define WITH_FOLDER(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(a_new_segment_is_zero_private_and_sparse),
        WITH_FOLDER(what_one_writes_another_sees_and_a_later_one_finds),
        WITH_FOLDER(another_version_or_size_gets_a_new_file_and_old_users_keep_theirs),
        WITH_FOLDER(rubbish_in_its_place_is_replaced),
        WITH_FOLDER(many_processes_that_start_at_once_share_one_segment),
        cmocka_unit_test(a_folder_that_cannot_be_is_an_error_and_nothing_to_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
