/* Slots: a reader never sees half of one value and half of another, whatever happens to the writer. */
#include "shm/slot.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include "shm/shm_test.h"

#define WORDS 500

struct pattern {
    uint64_t word[WORDS];
};
SHM_SLOT(pattern)

/* Every word of pattern `n` follows from n, so that a mixture shows. */
static struct pattern make(uint64_t n)
{
    struct pattern p;
    for (uint64_t i = 0; i < WORDS; i++)
        p.word[i] = n * 1000003u + i;
    return p;
}

static bool is_whole(const struct pattern *p)
{
    for (uint64_t i = 1; i < WORDS; i++)
        if (p->word[i] != p->word[0] + i)
            return false;
    return true;
}

static void what_is_stored_is_loaded(void **state)
{
    struct pattern_slot slot = { 0 };
    struct pattern in = make(7), out;
    pattern_store(&slot, &in);
    assert_true(pattern_load(&slot, &out));
    assert_memory_equal(&in, &out, sizeof(in));
}

static void a_fresh_slot_reads_as_zero(void **state)
{
    struct pattern_slot slot = { 0 };
    struct pattern out = make(1), zero = { 0 };
    assert_true(pattern_load(&slot, &out));
    assert_memory_equal(&out, &zero, sizeof(out));
}

static void the_sequence_is_even_between_writes_and_moves_with_each(void **state)
{
    struct pattern_slot slot = { 0 };
    struct pattern p = make(1);
    for (uint32_t i = 1; i <= 3; i++) {
        pattern_store(&slot, &p);
        assert_int_equal(atomic_load(&slot.seq), 2 * i);
    }
}

struct race {
    struct pattern_slot slot;
    atomic_bool is_over;
};

static void *write_until_over(void *arg)
{
    struct race *r = arg;
    for (uint64_t n = 1; !atomic_load(&r->is_over); n++) {
        struct pattern p = make(n);
        pattern_store(&r->slot, &p);
        if (n % 64 == 0)
            sched_yield(); /* on a busy machine the reader must get its turn, too */
    }
    return NULL;
}

static void a_reader_beside_a_writer_never_sees_a_torn_value(void **state)
{
    struct race *r = shared_memory(sizeof(*r));
    struct pattern first = make(1), got, last = first;
    pattern_store(&r->slot, &first);
    pthread_t writer;
    assert_int_equal(pthread_create(&writer, NULL, write_until_over, r), 0);
    size_t loaded = 0, changes = 0;
    for (size_t i = 0; i < 5000 || changes < 100; i++) {
        if (!pattern_load(&r->slot, &got))
            continue; /* the writer was faster a thousand times: an answer the caller copes with */
        assert_true(is_whole(&got));
        assert_true(got.word[0] >= last.word[0]); /* and never goes back */
        changes += got.word[0] != last.word[0];
        last = got;
        loaded++;
    }
    atomic_store(&r->is_over, true);
    pthread_join(writer, NULL);
    assert_true(loaded > 0);
    munmap(r, sizeof(*r));
}

/* Leaves the slot as a writer does that was killed in the middle. */
static void die_in_the_middle(struct pattern_slot *slot, uint64_t n)
{
    struct pattern p = make(n);
    atomic_store(&slot->seq, atomic_load(&slot->seq) | 1u);
    for (size_t i = 0; i < WORDS / 2; i++)
        atomic_store(&slot->word[i], p.word[i]);
}

static void a_writer_dead_in_the_middle_is_told_and_healed_by_the_next_write(void **state)
{
    struct pattern_slot slot = { 0 };
    struct pattern p = make(1), got = make(9), kept = got;
    pattern_store(&slot, &p);
    die_in_the_middle(&slot, 2);
    if (pattern_load(&slot, &got))
        fail_msg("a half-written value was taken for whole");
    p = make(3);
    pattern_store(&slot, &p);
    assert_int_equal(atomic_load(&slot.seq) & 1u, 0);
    assert_true(pattern_load(&slot, &kept));
    assert_memory_equal(&kept, &p, sizeof(p));
}

static void killed_writer_processes_leave_nothing_torn(void **state)
{
    struct race *r = shared_memory(sizeof(*r));
    size_t refused = 0;
    for (uint64_t round = 0; round < 60; round++) {
        struct pattern got, first = make(round);
        pattern_store(&r->slot, &first);
        pid_t writer = fork();
        if (writer == 0) {
            write_until_over(r);
            _exit(0);
        }
        assert_true(writer > 0);
        do { /* until it has begun: seen by its writing */
            if (pattern_load(&r->slot, &got))
                assert_true(is_whole(&got));
        } while (atomic_load(&r->slot.seq) <= round + 10);
        kill(writer, SIGKILL);
        assert_true(WIFSIGNALED(child_status(writer)));
        if (pattern_load(&r->slot, &got))
            assert_true(is_whole(&got));
        else
            refused++;
        struct pattern next = make(round + 1000);
        pattern_store(&r->slot, &next);
        assert_true(pattern_load(&r->slot, &got));
        assert_memory_equal(&got, &next, sizeof(next));
        atomic_store(&r->slot.seq, 0);
    }
    print_message("%zu of 60 writers died in the middle of a write\n", refused);
    munmap(r, sizeof(*r));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_stored_is_loaded),
        cmocka_unit_test(a_fresh_slot_reads_as_zero),
        cmocka_unit_test(the_sequence_is_even_between_writes_and_moves_with_each),
        cmocka_unit_test(a_reader_beside_a_writer_never_sees_a_torn_value),
        cmocka_unit_test(a_writer_dead_in_the_middle_is_told_and_healed_by_the_next_write),
        cmocka_unit_test(killed_writer_processes_leave_nothing_torn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
