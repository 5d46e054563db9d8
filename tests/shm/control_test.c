/* The control segment: play clock arithmetic, the input ring, the table of processes. */
#include "shm/control.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>

#include "base/compiler.h"
#include "shm/shm_test.h"

/* Frame 480000 is heard at 100 s. Track 1 from frame 0, track 2 from 480000 + 48000. */
static struct play_clock example(void)
{
    return (struct play_clock){
        .mono_ns = 100 * NS_PER_S,
        .frame = 480000,
        .until_frame = 480000 + 96000,
        .span_count = 2,
        .span = { { .load = 1,
                    .entry = 11,
                    .frame0 = 0,
                    .media0_ns = 2 * NS_PER_S,
                    .deck = 0,
                    .is_moving = 1 },
                  { .load = 2,
                    .entry = 22,
                    .frame0 = 528000,
                    .media0_ns = 0,
                    .deck = 1,
                    .is_moving = 1 } },
    };
}

static void what_is_heard_when(void **state)
{
    static const struct {
        const char *name;
        int64_t mono_ms;
        uint64_t load;
        int64_t media_ms;
    } cases[] = {
        { "at the mark", 100000, 1, 12000 },
        { "a moment later", 100500, 1, 12500 },
        { "before the mark", 99000, 1, 11000 },
        { "just before the joint", 100999, 1, 12999 },
        { "on the joint the next track starts", 101000, 2, 0 },
        { "in the next track", 101250, 2, 250 },
        { "at the last mixed frame", 102000, 2, 1000 },
        { "beyond what is mixed time stands", 150000, 2, 1000 },
        { "long before the first span: its start", 10000, 1, 2000 },
    };
    const struct play_clock c = example();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct play_position p = play_clock_at(&c, cases[i].mono_ms * 1000000);
        if (p.load != cases[i].load || p.media_ns / 1000000 != cases[i].media_ms)
            fail_msg("%s: load %llu at %lld ms", cases[i].name, (unsigned long long)p.load,
                     (long long)p.media_ns / 1000000);
        assert_int_equal(p.entry, p.load * 11);
        assert_int_equal(p.deck, p.load - 1);
    }
}

static void a_paused_span_stands_still(void **state)
{
    struct play_clock c = example();
    c.span[0].is_moving = 0;
    struct play_position p = play_clock_at(&c, 100 * NS_PER_S + NS_PER_S / 2);
    assert_false(p.is_moving);
    assert_int_equal(p.media_ns, 2 * NS_PER_S);
}

static void an_hour_is_exact_to_a_sample(void **state)
{
    struct play_clock c = example();
    c.span_count = 1;
    c.until_frame = INT64_MAX;
    struct play_position p = play_clock_at(&c, 100 * NS_PER_S + 3600 * NS_PER_S);
    assert_int_equal(p.media_ns, 3612 * NS_PER_S);
}

static void a_clock_of_nonsense_plays_nothing(void **state)
{
    static const uint32_t counts[] = { 0, SPANS_MAX + 1, UINT32_MAX };
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        struct play_clock c = example();
        c.span_count = counts[i];
        assert_int_equal(play_clock_at(&c, 100 * NS_PER_S).load, 0);
    }
}

static void a_deck_number_from_outside_stays_in_bounds(void **state)
{
    struct play_clock c = example();
    c.span[0].deck = 4000000000u;
    assert_true(play_clock_at(&c, 100 * NS_PER_S).deck < DECKS);
}

static struct input_event event(int32_t n)
{
    return (struct input_event){ .action = INPUT_SEEK_STEP, .value = n, .mono_ns = n * 10 };
}

static void inputs_come_out_in_order(void **state)
{
    struct input_ring r = { 0 };
    struct input_event e;
    for (int32_t i = 0; i < 1000; i++) { /* many times around */
        struct input_event in = event(i), other = event(-i);
        assert_true(input_ring_put(&r, &in));
        assert_true(input_ring_put(&r, &other));
        assert_true(input_ring_take(&r, &e));
        assert_memory_equal(&e, &in, sizeof(e));
        assert_true(input_ring_take(&r, &e));
        assert_memory_equal(&e, &other, sizeof(e));
        assert_false(input_ring_take(&r, &e));
    }
}

static void a_full_ring_drops_the_newest(void **state)
{
    struct input_ring r = { 0 };
    struct input_event e;
    for (int32_t i = 0; i < INPUT_RING; i++) {
        e = event(i);
        assert_true(input_ring_put(&r, &e));
    }
    e = event(999);
    assert_false(input_ring_put(&r, &e));
    for (int32_t i = 0; i < INPUT_RING; i++) {
        assert_true(input_ring_take(&r, &e));
        assert_int_equal(e.value, i);
    }
    assert_false(input_ring_take(&r, &e));
}

static void the_ring_survives_counters_that_wrap(void **state)
{
    struct input_ring r = { .head = UINT32_MAX - 1, .tail = UINT32_MAX - 1 };
    struct input_event e;
    for (int32_t i = 0; i < 5; i++) {
        e = event(i);
        assert_true(input_ring_put(&r, &e));
    }
    for (int32_t i = 0; i < 5; i++) {
        assert_true(input_ring_take(&r, &e));
        assert_int_equal(e.value, i);
    }
}

static void counters_of_nonsense_end_in_an_empty_ring(void **state)
{
    struct input_ring r = { .head = 5, .tail = 4000000000u };
    struct input_event e;
    int taken = 0;
    while (input_ring_take(&r, &e))
        taken++;
    assert_true(taken <= INPUT_RING);
    e = event(1);
    assert_true(input_ring_put(&r, &e));
    assert_true(input_ring_take(&r, &e));
    assert_int_equal(e.value, 1);
}

enum { INPUTS = 50000 };

static void *put_all(void *arg)
{
    for (int32_t i = 0; i < INPUTS;) {
        struct input_event e = event(i);
        i += input_ring_put(arg, &e);
    }
    return NULL;
}

static void a_writer_and_a_reader_at_once_lose_nothing(void **state)
{
    struct input_ring *r = shared_memory(sizeof(*r));
    pthread_t writer;
    assert_int_equal(pthread_create(&writer, NULL, put_all, r), 0);
    for (int32_t i = 0; i < INPUTS;) {
        struct input_event e;
        if (!input_ring_take(r, &e))
            continue;
        assert_int_equal(e.value, i);
        assert_int_equal(e.mono_ns, i * 10);
        i++;
    }
    pthread_join(writer, NULL);
    munmap(r, sizeof(*r));
}

static void a_process_is_alive_until_it_is_killed_or_leaves(void **state)
{
    struct control *c = shared_memory(sizeof(*c));
    assert_false(process_is_alive(c, PROCESS_BRAIN));
    process_enter(c, PROCESS_BRAIN, 5);
    assert_true(process_is_alive(c, PROCESS_BRAIN));
    process_leave(c, PROCESS_BRAIN);
    assert_false(process_is_alive(c, PROCESS_BRAIN));

    pid_t pid = fork();
    if (pid == 0) {
        process_enter(c, PROCESS_DECK_A, 5);
        kill(getpid(), SIGKILL);
    }
    assert_true(WIFSIGNALED(child_status(pid)));
    assert_int_equal(atomic_load(&c->process[PROCESS_DECK_A].pid), pid);
    assert_false(process_is_alive(c, PROCESS_DECK_A));
    munmap(c, sizeof(*c));
}

static void starts_are_counted_over_deaths(void **state)
{
    struct control *c = shared_memory(sizeof(*c));
    for (uint32_t i = 1; i <= 3; i++) {
        process_limit(c, PROCESS_DECK_B, 7); /* a former life's */
        process_enter(c, PROCESS_DECK_B, i);
        assert_int_equal(atomic_load(&c->process[PROCESS_DECK_B].limit_ns), 0);
        assert_int_equal(atomic_load(&c->process[PROCESS_DECK_B].starts), i);
    }
    process_beat(c, PROCESS_DECK_B, 99);
    assert_int_equal(atomic_load(&c->process[PROCESS_DECK_B].beat_ns), 99);
    munmap(c, sizeof(*c));
}

static void a_pid_of_nonsense_is_not_alive(void **state)
{
    struct control *c = shared_memory(sizeof(*c));
    atomic_store(&c->process[PROCESS_BRAIN].pid, UINT32_MAX); /* kill(-1) would reach everyone */
    assert_false(process_is_alive(c, PROCESS_BRAIN));
    atomic_store(&c->process[PROCESS_BRAIN].pid, (uint32_t)INT32_MAX + 1u);
    assert_false(process_is_alive(c, PROCESS_BRAIN));
    munmap(c, sizeof(*c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_heard_when),
        cmocka_unit_test(a_paused_span_stands_still),
        cmocka_unit_test(an_hour_is_exact_to_a_sample),
        cmocka_unit_test(a_clock_of_nonsense_plays_nothing),
        cmocka_unit_test(a_deck_number_from_outside_stays_in_bounds),
        cmocka_unit_test(inputs_come_out_in_order),
        cmocka_unit_test(a_full_ring_drops_the_newest),
        cmocka_unit_test(the_ring_survives_counters_that_wrap),
        cmocka_unit_test(counters_of_nonsense_end_in_an_empty_ring),
        cmocka_unit_test(a_writer_and_a_reader_at_once_lose_nothing),
        cmocka_unit_test(a_process_is_alive_until_it_is_killed_or_leaves),
        cmocka_unit_test(starts_are_counted_over_deaths),
        cmocka_unit_test(a_pid_of_nonsense_is_not_alive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
