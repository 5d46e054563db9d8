#include "media/support.h"

#include <libavcodec/avcodec.h>
#include <pthread.h>

#include "media/packet_queue.h"

enum { BOTH = 1 << LANE_VIDEO | 1 << LANE_AUDIO };

static const struct packet_queue_limits small = { 10000, MS(500), 40000 };

static AVPacket *packet(int number, int bytes)
{
    AVPacket *p = av_packet_alloc();
    assert_non_null(p);
    assert_int_equal(av_new_packet(p, bytes), 0);
    p->pts = number;
    return p;
}

static int put(struct packet_queue *q, enum packet_lane lane, int number, int bytes, int64_t at_ns)
{
    AVPacket *p = packet(number, bytes);
    int ret = packet_queue_put(q, lane, p, at_ns);
    av_packet_free(&p);
    return ret;
}

/* The number of the packet taken, or the error. */
static int take(struct packet_queue *q, enum packet_lane lane)
{
    AVPacket *p = av_packet_alloc();
    int ret = packet_queue_take(q, lane, p);
    int number = ret < 0 ? ret : (int)p->pts;
    av_packet_free(&p);
    return number;
}

/* One put or take on a thread of its own. */
struct worker {
    pthread_t thread;
    struct packet_queue *q;
    enum packet_lane lane;
    int count, bytes;
    int64_t step_ns;
    int result;
    _Atomic int done;     /* packets put or taken */
    struct doorbell bell; /* rung after each */
};

static void *put_run(void *arg)
{
    struct worker *w = arg;
    for (int i = 0; i < w->count && w->result == 0; i++) {
        w->result = put(w->q, w->lane, i, w->bytes, i * w->step_ns);
        atomic_fetch_add(&w->done, w->result == 0);
        doorbell_ring(&w->bell);
    }
    return NULL;
}

static void *take_run(void *arg)
{
    struct worker *w = arg;
    for (int i = 0; i < w->count && w->result >= 0; i++) {
        w->result = take(w->q, w->lane);
        atomic_fetch_add(&w->done, w->result >= 0);
        doorbell_ring(&w->bell);
    }
    return NULL;
}

static void start(struct worker *w, void *(*run)(void *))
{
    assert_int_equal(pthread_create(&w->thread, NULL, run, w), 0);
}

static void wait_done(struct worker *w, int count)
{
    for (;;) {
        uint32_t seen = doorbell_rings(&w->bell);
        if (atomic_load(&w->done) >= count)
            return;
        doorbell_wait(&w->bell, seen, INT64_MAX);
    }
}

static void packets_come_out_in_order_by_lane(void **state)
{
    struct packet_queue *q = packet_queue_create(&small, BOTH);
    for (int i = 0; i < 4; i++)
        assert_int_equal(put(q, i % 2, i, 10, NO_TIME), 0);
    packet_queue_finish(q);
    assert_int_equal(take(q, LANE_AUDIO), 1);
    assert_int_equal(take(q, LANE_VIDEO), 0);
    assert_int_equal(take(q, LANE_VIDEO), 2);
    assert_int_equal(take(q, LANE_VIDEO), AVERROR_EOF);
    assert_int_equal(take(q, LANE_AUDIO), 3);
    assert_int_equal(take(q, LANE_AUDIO), AVERROR_EOF);
    packet_queue_destroy(q);
}

static void what_is_left_is_freed(void **state)
{
    struct packet_queue *q = packet_queue_create(&small, BOTH);
    assert_int_equal(put(q, LANE_VIDEO, 1, 100, NO_TIME), 0);
    packet_queue_destroy(q); /* the leak checker looks */
    packet_queue_destroy(NULL);
}

static void a_full_lane_waits_until_its_packets_are_taken(void **state)
{
    static const struct {
        const char *name;
        int bytes;
        int64_t step_ns;
    } cases[] = {
        { "by bytes", 1000, 0 },    /* full after 7 */
        { "by time", 10, MS(100) }, /* full after 6 */
        { "by number of tiny packets", 0, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct packet_queue *q = packet_queue_create(&small, 1 << LANE_VIDEO);
        struct worker w = { .q = q,
                            .lane = LANE_VIDEO,
                            .count = 100,
                            .bytes = cases[i].bytes,
                            .step_ns = cases[i].step_ns };
        start(&w, put_run);
        for (int n = 0; n < 100; n++) {
            if (take(q, LANE_VIDEO) != n)
                fail_msg("%s: packet %d is missing", cases[i].name, n);
            int ahead = atomic_load(&w.done) - n;
            if (ahead > 21) /* 10000 bytes of packets that cost 512 each at least */
                fail_msg("%s: %d packets wait", cases[i].name, ahead);
        }
        pthread_join(w.thread, NULL);
        assert_int_equal(w.result, 0);
        packet_queue_destroy(q);
    }
}

static void a_starving_lane_raises_the_others_ceiling(void **state)
{
    struct packet_queue *q = packet_queue_create(&small, BOTH);
    struct worker reader = { .q = q, .lane = LANE_VIDEO, .count = 20, .bytes = 1000 };
    struct worker decoder = { .q = q, .lane = LANE_AUDIO, .count = 1 };
    start(&decoder, take_run);
    start(&reader, put_run);
    wait_done(&reader, 20); /* 30 kB in a lane of 10 kB: would hang without raising */
    assert_false(packet_queue_is_starved(q, LANE_AUDIO));
    assert_int_equal(put(q, LANE_AUDIO, 7, 10, NO_TIME), 0);
    pthread_join(reader.thread, NULL);
    pthread_join(decoder.thread, NULL);
    assert_int_equal(decoder.result, 7);
    packet_queue_destroy(q);
}

static void at_the_hard_ceiling_the_starving_lane_is_given_up(void **state)
{
    struct packet_queue *q = packet_queue_create(&small, BOTH);
    struct worker reader = { .q = q, .lane = LANE_VIDEO, .count = 100, .bytes = 1000 };
    struct worker decoder = { .q = q, .lane = LANE_AUDIO, .count = 1 };
    start(&decoder, take_run);
    start(&reader, put_run);
    wait_done(&reader, 27); /* 40 kB */
    /* Starved is what the reader finds next; its lane is full for good now. */
    while (!packet_queue_is_starved(q, LANE_AUDIO))
        sched_yield();
    assert_true(atomic_load(&reader.done) <= 28);
    packet_queue_stop(q);
    pthread_join(reader.thread, NULL);
    pthread_join(decoder.thread, NULL);
    assert_int_equal(reader.result, AVERROR_EXIT);
    assert_int_equal(decoder.result, AVERROR_EXIT);
    packet_queue_destroy(q);
}

static void who_waits_in_a_starving_lane_is_told(void **state)
{
    struct packet_queue *q = packet_queue_create(&small, BOTH);
    struct worker reader = { .q = q, .lane = LANE_VIDEO, .count = 40, .bytes = 1000 };
    start(&reader, put_run);
    assert_false(packet_queue_wait(q, LANE_AUDIO)); /* hangs if it is not told */
    assert_false(packet_queue_wait(q, LANE_AUDIO));
    for (int i = 0; i < 40; i++)
        assert_int_equal(take(q, LANE_VIDEO), i);
    pthread_join(reader.thread, NULL);
    assert_int_equal(put(q, LANE_AUDIO, 7, 10, NO_TIME), 0);
    assert_true(packet_queue_wait(q, LANE_AUDIO));
    assert_int_equal(take(q, LANE_AUDIO), 7);
    packet_queue_finish(q);
    assert_true(packet_queue_wait(q, LANE_AUDIO));
    packet_queue_destroy(q);
}

static void stopping_wakes_both_ends(void **state)
{
    struct packet_queue *q = packet_queue_create(&small, BOTH);
    struct worker decoder = { .q = q, .lane = LANE_AUDIO, .count = 1 };
    start(&decoder, take_run);
    packet_queue_stop(q);
    pthread_join(decoder.thread, NULL);
    assert_int_equal(decoder.result, AVERROR_EXIT);
    assert_int_equal(put(q, LANE_VIDEO, 1, 10, NO_TIME), AVERROR_EXIT);
    packet_queue_destroy(q);
}

static void a_closed_lane_swallows_what_comes(void **state)
{
    struct packet_queue *q = packet_queue_create(&small, BOTH);
    assert_int_equal(put(q, LANE_VIDEO, 1, 5000, NO_TIME), 0);
    packet_queue_close(q, LANE_VIDEO);
    for (int i = 0; i < 100; i++) /* would wait for room for ever */
        assert_int_equal(put(q, LANE_VIDEO, i, 5000, NO_TIME), 0);
    assert_int_equal(put(q, LANE_AUDIO, 3, 10, NO_TIME), 0);
    assert_int_equal(take(q, LANE_AUDIO), 3);
    packet_queue_destroy(q);
}

static void put_key(struct packet_queue *q, int number, int64_t at_ns)
{
    AVPacket *p = packet(number, 10);
    p->flags |= AV_PKT_FLAG_KEY;
    assert_int_equal(packet_queue_put(q, LANE_VIDEO, p, at_ns), 0);
    av_packet_free(&p);
}

/* Key frames are 0, 4 and 8 of 10 packets, 100 ms apart. */
static struct packet_queue *queue_with_keys(void)
{
    static const struct packet_queue_limits wide = { 1 << 20, SECONDS(10), 1 << 21 };
    struct packet_queue *q = packet_queue_create(&wide, BOTH);
    for (int i = 0; i < 10; i++) {
        if (i % 4 == 0)
            put_key(q, i, MS(100) * i);
        else
            assert_int_equal(put(q, LANE_VIDEO, i, 10, MS(100) * i), 0);
    }
    return q;
}

static void a_jump_goes_to_the_newest_key_frame_that_is_due(void **state)
{
    static const struct {
        int64_t due_ms;
        int dropped, next;
    } cases[] = { { -1, 0, 0 }, { 399, 0, 0 }, { 400, 4, 4 }, { 799, 4, 4 }, { 99999, 8, 8 } };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct packet_queue *q = queue_with_keys();
        assert_int_equal(packet_queue_jump(q, LANE_VIDEO, MS(cases[i].due_ms)), cases[i].dropped);
        assert_int_equal(packet_queue_jump(q, LANE_VIDEO, MS(cases[i].due_ms)), 0);
        assert_int_equal(take(q, LANE_VIDEO), cases[i].next);
        packet_queue_destroy(q);
    }
}

static void a_jump_makes_room(void **state)
{
    struct packet_queue *q = packet_queue_create(&small, BOTH);
    put_key(q, 0, 0);
    put_key(q, 1, MS(500)); /* full by time */
    struct worker w = { .q = q, .lane = LANE_VIDEO, .count = 1, .bytes = 10 };
    assert_int_equal(pthread_create(&w.thread, NULL, put_run, &w), 0);
    assert_int_equal(packet_queue_jump(q, LANE_VIDEO, SECONDS(1)), 1);
    pthread_join(w.thread, NULL); /* hangs if it is not so */
    assert_int_equal(w.result, 0);
    packet_queue_destroy(q);
}

static void what_is_left_ends_before_a_time_only_when_nothing_will_come(void **state)
{
    struct packet_queue *q = queue_with_keys();
    assert_false(packet_queue_ends_before(q, LANE_VIDEO, SECONDS(5)));
    packet_queue_finish(q);
    assert_true(packet_queue_ends_before(q, LANE_VIDEO, SECONDS(5)));
    assert_false(packet_queue_ends_before(q, LANE_VIDEO, MS(900)));
    while (take(q, LANE_VIDEO) >= 0)
        continue;
    assert_false(packet_queue_ends_before(q, LANE_VIDEO, SECONDS(5)));
    packet_queue_destroy(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_come_out_in_order_by_lane),
        cmocka_unit_test(what_is_left_is_freed),
        cmocka_unit_test(a_full_lane_waits_until_its_packets_are_taken),
        cmocka_unit_test(a_starving_lane_raises_the_others_ceiling),
        cmocka_unit_test(at_the_hard_ceiling_the_starving_lane_is_given_up),
        cmocka_unit_test(who_waits_in_a_starving_lane_is_told),
        cmocka_unit_test(stopping_wakes_both_ends),
        cmocka_unit_test(a_jump_goes_to_the_newest_key_frame_that_is_due),
        cmocka_unit_test(a_jump_makes_room),
        cmocka_unit_test(what_is_left_ends_before_a_time_only_when_nothing_will_come),
        cmocka_unit_test(a_closed_lane_swallows_what_comes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
