/* A process that is killed while it publishes, drops or replaces leaves a whole entry, or none. */
#include "source/cache_rig.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include <linux/ptrace.h>

#define FILE_BYTES 300000

typedef void work_fn(struct rig *r);

/* ---- killed at every system call --------------------------------------------------------------------- */

/* Runs `work` up to its `stops`th entry to or exit from a system call, and kills it there. The calls, at their
 * entries, are noted. false: it ended before. */
static bool run_to_stop(struct rig *r, work_fn *work, int stops, long calls[], size_t *count)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 || rig_try_open(r) < 0)
            _exit(77);
        raise(SIGSTOP);
        work(r);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSTOPPED(status));
    assert_int_equal(ptrace(PTRACE_SETOPTIONS, child, NULL, (void *)PTRACE_O_TRACESYSGOOD), 0);
    *count = 0;
    for (int i = 0; WIFSTOPPED(status) && i < stops; i++) {
        struct __ptrace_syscall_info info = { .op = PTRACE_SYSCALL_INFO_NONE };
        assert_int_equal(ptrace(PTRACE_SYSCALL, child, NULL, NULL), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        if (WIFSTOPPED(status) &&
            ptrace(PTRACE_GET_SYSCALL_INFO, child, (void *)sizeof(info), &info) > 0 &&
            info.op == PTRACE_SYSCALL_INFO_ENTRY && *count < 4096)
            calls[(*count)++] = (long)info.entry.nr;
    }
    if (!WIFSTOPPED(status)) {
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        return false;
    }
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    return true;
}

static void publish_new(struct rig *r)
{
    if (rig_put(r, "key", FILE_BYTES, 2, NULL) < 0)
        _exit(1);
}

static void drop(struct rig *r)
{
    if (cache_drop(r->cache, "key") < 0)
        _exit(1);
}

/* What is there is whole; the seed of its file, 0: nothing. */
static unsigned look(struct rig *r)
{
    struct cache_found f;
    rig_open(r);
    unsigned seed = 0;
    if (cache_has(r->cache, "key")) {
        assert_int_equal(cache_find(r->cache, "key", &f), 0);
        char byte;
        int fd = open(f.path, O_RDONLY);
        assert_int_equal(read(fd, &byte, 1), 1);
        close(fd);
        seed = (unsigned)(unsigned char)byte / 31;
        assert_int_equal(f.meta.bytes, FILE_BYTES);
        assert_string_equal(f.meta.title, "Song key");
        assert_int_equal(cache_verify(r->cache, "key", true, NULL), 0);
        cache_found_finish(&f);
    }
    rig_close(r);
    return seed;
}

static void begin_with(struct rig *r, unsigned seed)
{
    rig_open(r);
    (void)!cache_drop(r->cache, "key");
    cache_abandon(r->cache, "key");
    if (seed)
        assert_int_equal(rig_put(r, "key", FILE_BYTES, seed, NULL), 0);
    rig_close(r);
}

/* Kills `work` at each of its system calls, from an entry of `before`; the seeds seen afterwards, as bits. */
static unsigned kill_everywhere(struct rig *r, work_fn *work, unsigned before, int *rounds)
{
    static long calls[4096];
    size_t count;
    unsigned seen = 0;
    *rounds = 0;
    for (int stops = 1;; stops++) {
        begin_with(r, before);
        bool was_killed = run_to_stop(r, work, stops, calls, &count);
        seen |= 1u << look(r);
        if (!was_killed)
            break;
        ++*rounds;
    }
    return seen;
}

static void killed_at_any_call_a_publish_leaves_all_or_nothing(void **state)
{
    struct rig *r = *state;
    int rounds;
    assert_int_equal(kill_everywhere(r, publish_new, 0, &rounds), 1u << 0 | 1u << 2);
    print_message("killed %d times\n", rounds);
    assert_true(rounds > 40);
}

static void killed_at_any_call_a_replacement_leaves_the_old_or_the_new_one(void **state)
{
    struct rig *r = *state;
    int rounds;
    assert_int_equal(kill_everywhere(r, publish_new, 1, &rounds), 1u << 1 | 1u << 2);
}

static void killed_at_any_call_a_drop_leaves_all_or_nothing(void **state)
{
    struct rig *r = *state;
    int rounds;
    assert_int_equal(kill_everywhere(r, drop, 1, &rounds), 1u << 0 | 1u << 1);
}

/* A kill keeps what was written; a power cut keeps what was synced before. */
static bool is_move(long call)
{
#ifdef SYS_rename
    if (call == SYS_rename)
        return true;
#endif
    return call == SYS_renameat || call == SYS_renameat2;
}

static void all_of_an_entry_is_synced_before_it_moves_in_and_the_move_after_it(void **state)
{
    static long calls[4096];
    struct rig *r = *state;
    size_t count, moves = 0;
    int syncs[4] = { 0 }; /* before the first, second, third move, and after that */
    begin_with(r, 0);
    assert_false(run_to_stop(r, publish_new, 100000, calls, &count));
    assert_true(count < ARRAY_LEN(calls));
    for (size_t i = 0; i < count; i++) {
        moves += is_move(calls[i]);
        assert_true(moves < ARRAY_LEN(syncs));
        syncs[moves] += calls[i] == SYS_fsync;
    }
    assert_int_equal(moves, 3);    /* to its last name, meta.json in place, the folder in */
    assert_int_equal(syncs[0], 1); /* the file */
    assert_int_equal(syncs[1], 1); /* meta.json */
    assert_true(syncs[2] >= 1);    /* their folder */
    assert_int_equal(syncs[3], 2); /* both parents */
}

/* ---- killed at any time -------------------------------------------------------------------------------- */

static void publish_for_ever(struct rig *r, int news)
{
    for (unsigned i = 1;; i++) {
        char key[16];
        snprintf(key, sizeof(key), "k%u", i % 7);
        if (rig_put(r, key, FILE_BYTES + i, i, NULL) < 0 || write(news, "", 1) != 1)
            _exit(1);
    }
}

static void a_hundred_kills_in_the_middle_publish_no_bad_file(void **state)
{
    struct rig *r = *state;
    unsigned random = 12345;
    size_t most = 0;
    for (int round = 0; round < 100; round++) {
        int news[2], status;
        char byte;
        assert_int_equal(pipe(news), 0);
        pid_t child = fork();
        if (child == 0) {
            close(news[0]);
            if (rig_try_open(r) < 0)
                _exit(1);
            publish_for_ever(r, news[1]);
        }
        close(news[1]);
        random = random * 1664525 + 1013904223;
        for (unsigned i = 0; i <= random >> 30; i++)
            assert_int_equal(read(news[0], &byte, 1), 1);
        struct timespec any = { .tv_nsec = random % 3000000 }; /* no place is waited for */
        nanosleep(&any, NULL);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        close(news[0]);
        rig_open(r);
        most = cache_count(r->cache) > most ? cache_count(r->cache) : most;
        for (size_t i = 0; i < cache_count(r->cache); i++)
            assert_int_equal(cache_verify(r->cache, cache_item_at(r->cache, i).key, true, NULL), 0);
        rig_close(r);
    }
    assert_true(most > 1);
}

int main(void)
{
#define IN_RIG(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)
    const struct CMUnitTest tests[] = {
        IN_RIG(killed_at_any_call_a_publish_leaves_all_or_nothing),
        IN_RIG(killed_at_any_call_a_replacement_leaves_the_old_or_the_new_one),
        IN_RIG(killed_at_any_call_a_drop_leaves_all_or_nothing),
        IN_RIG(all_of_an_entry_is_synced_before_it_moves_in_and_the_move_after_it),
        IN_RIG(a_hundred_kills_in_the_middle_publish_no_bad_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
