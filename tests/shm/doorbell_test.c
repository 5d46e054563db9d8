/* Doorbells: no ring is lost between looking and waiting, within a process and across processes. */
#include "shm/doorbell.h"

#include <pthread.h>

#include "base/compiler.h"
#include "base/now.h"
#include "shm/shm_test.h"

static void a_ring_counts(void **state)
{
    struct doorbell d = { 0 };
    uint32_t seen = doorbell_rings(&d);
    doorbell_ring(&d);
    assert_int_equal(doorbell_rings(&d), seen + 1);
}

static void waiting_for_a_ring_that_came_already_returns_at_once(void **state)
{
    struct doorbell d = { 0 };
    uint32_t seen = doorbell_rings(&d);
    doorbell_ring(&d);
    doorbell_wait(&d, seen, INT64_MAX); /* a lost ring would wait for ever */
    assert_int_not_equal(doorbell_rings(&d), seen);
}

static void a_deadline_in_the_past_does_not_wait(void **state)
{
    struct doorbell d = { 0 };
    doorbell_wait(&d, 0, 1);
    doorbell_wait(&d, 0, 0);
    doorbell_wait(&d, 0, -5);
    assert_int_equal(doorbell_rings(&d), 0);
}

static void a_nap_ends_when_it_is_rung_or_at_its_time(void **state)
{
    struct doorbell d = { 0 };
    int64_t until = now_mono_ns() + MS(20);
    assert_false(doorbell_nap(&d, until));
    assert_true(now_mono_ns() >= until);
    doorbell_ring(&d);
    assert_true(doorbell_nap(&d, INT64_MAX)); /* a ring from before would be slept over for ever */
}

static void the_counter_may_wrap(void **state)
{
    struct doorbell d = { UINT32_MAX };
    uint32_t seen = doorbell_rings(&d);
    doorbell_ring(&d);
    assert_int_equal(doorbell_rings(&d), 0);
    doorbell_wait(&d, seen, INT64_MAX);
}

/* Two sides in turn: each rings the other's bell and waits for its own. One lost ring and it hangs. */
struct table {
    struct doorbell bell[2];
    _Atomic uint32_t turn;
};

enum { TURNS = 20000 };

static void play(struct table *t, uint32_t side)
{
    for (uint32_t i = side; i < TURNS; i += 2) {
        for (;;) {
            uint32_t seen = doorbell_rings(&t->bell[side]);
            if (atomic_load(&t->turn) == i)
                break;
            doorbell_wait(&t->bell[side], seen, INT64_MAX);
        }
        atomic_store(&t->turn, i + 1);
        doorbell_ring(&t->bell[1 - side]);
    }
}

static void *play_other_side(void *arg)
{
    play(arg, 1);
    return NULL;
}

static void no_ring_is_lost_between_threads(void **state)
{
    struct table *t = shared_memory(sizeof(*t));
    pthread_t other;
    assert_int_equal(pthread_create(&other, NULL, play_other_side, t), 0);
    play(t, 0);
    pthread_join(other, NULL);
    assert_int_equal(atomic_load(&t->turn), TURNS);
    munmap(t, sizeof(*t));
}

static void no_ring_is_lost_between_processes(void **state)
{
    struct table *t = shared_memory(sizeof(*t));
    pid_t other = fork();
    if (other == 0) {
        play(t, 1);
        _exit(0);
    }
    play(t, 0);
    assert_int_equal(child_status(other), 0);
    assert_int_equal(atomic_load(&t->turn), TURNS);
    munmap(t, sizeof(*t));
}

static void one_ring_wakes_all_who_wait(void **state)
{
    enum { WAITERS = 6 };
    struct doorbell *d = shared_memory(sizeof(*d));
    pid_t pid[WAITERS];
    for (int i = 0; i < WAITERS; i++) {
        pid[i] = fork();
        if (pid[i] == 0) {
            while (doorbell_rings(d) == 0)
                doorbell_wait(d, 0, INT64_MAX);
            _exit(0);
        }
    }
    doorbell_ring(d);
    for (int i = 0; i < WAITERS; i++)
        assert_int_equal(child_status(pid[i]), 0);
    munmap(d, sizeof(*d));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ring_counts),
        cmocka_unit_test(waiting_for_a_ring_that_came_already_returns_at_once),
        cmocka_unit_test(a_deadline_in_the_past_does_not_wait),
        cmocka_unit_test(a_nap_ends_when_it_is_rung_or_at_its_time),
        cmocka_unit_test(the_counter_may_wrap),
        cmocka_unit_test(no_ring_is_lost_between_threads),
        cmocka_unit_test(no_ring_is_lost_between_processes),
        cmocka_unit_test(one_ring_wakes_all_who_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
