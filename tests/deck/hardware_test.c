/* A deck on a board whose decoder works, hangs, says nothing, fails or cannot be opened (support/hwfake.c). */
#include "media/support.h"

#include <fcntl.h>
#include <libavutil/log.h>

#include "deck/deck.h"
#include "shm/control.h"
#include "support/hwfake.c"

#define LOAD     5
#define PICTURES 100 /* of the file */
#define SOME     10  /* pictures before the trouble */

struct zone {
    char dir[64], dev[80];
    struct segment control_segment, ring_segment;
    struct control *control;
    struct deck_segment *ring;
    struct log log;
    struct deck *deck;
};

static void zone_init(struct zone *z, const char *mode)
{
    char path[128];
    *z = (struct zone){ .log = { .module = "test", .level = LOG_ERROR } };
    snprintf(z->dir, sizeof(z->dir), "/tmp/djamms-test-XXXXXX");
    assert_non_null(mkdtemp(z->dir));
    snprintf(path, sizeof(path), "%s/video10", z->dir);
    int fd = open(path, O_CREAT | O_RDWR, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(control_open(&z->control_segment, z->dir, &z->control), 0);
    assert_int_equal(deck_segment_open(&z->ring_segment, z->dir, 0, &z->ring), 0);
    atomic_store(&z->ring->reader[0].pid, (uint32_t)getpid());
    setenv(MODE, mode, 1);
    atomic_store(&hwfake_is_released, false);
    assert_int_equal(deck_create(&z->deck,
                                 &(struct deck_params){
                                     .runtime_dir = z->dir,
                                     .threads = 1,
                                     .log = &z->log,
                                     .hardware = { z->dir, BOARD_PI3 },
                                 }),
                     0);
}

static void zone_finish(struct zone *z)
{
    char path[128];
    atomic_store(&hwfake_is_released, true);
    deck_destroy(z->deck);
    segment_close(&z->control_segment);
    segment_close(&z->ring_segment);
    static const char *const names[] = { "video10", "shm/control", "shm/deck-a", "shm", "" };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", z->dir, names[i]);
        remove(path);
    }
}

static void order(struct zone *z, uint64_t load, int64_t start_ns, uint32_t no_hardware)
{
    struct deck_order o = {
        .load = load, .start_ns = start_ns, .flags = ORDER_ACTIVE, .no_hardware = no_hardware
    };
    const char *folder = getenv("DJAMMS_CORPUS");
    if (!folder)
        fail_msg("DJAMMS_CORPUS is not set: run make_corpus.py FOLDER and name the folder");
    snprintf(o.path, sizeof(o.path), "%s/tall.mkv", folder);
    deck_order_store(&z->control->order[0], &o);
    doorbell_ring(&z->control->deck_bell[0]);
}

/* Takes what there is, the sound as far as the pictures are: none of them is late. */
static void take(struct zone *z, const struct deck_state *s)
{
    struct frame_desc f;
    uint64_t frames = atomic_load(&z->ring->frame_head), to = s->first_sample;
    if (frames > s->first_frame && frame_desc_read(z->ring, frames - 1, &f))
        to += (uint64_t)((f.pts_ns - s->sample_base_ns) / 1000 * SAMPLE_RATE / 1000000);
    atomic_store(&z->ring->reader[0].need, frames);
    atomic_store(&z->ring->sample_tail, to);
}

/* Turns, taking all there is like a stage, until done(state) of the newest load. */
static struct deck_state turn_until(struct zone *z, uint64_t load,
                                    bool (*done)(const struct deck_state *))
{
    struct doorbell *bell = &z->control->deck_bell[0];
    for (;;) {
        struct deck_state s;
        uint32_t seen = doorbell_rings(bell);
        deck_turn(z->deck);
        assert_true(deck_state_load(&z->control->deck[0], &s));
        if (s.load == load && done(&s))
            return s;
        if (s.load == load && s.phase > DECK_READY)
            fail_msg("it ended in phase %u: %s", s.phase, s.error);
        if (s.load == load && s.phase >= DECK_READY)
            take(z, &s);
        doorbell_wait(bell, seen, now_mono_ns() + MS(20));
    }
}

static bool is_done(const struct deck_state *s)
{
    return s->phase == DECK_DONE;
}

static bool has_fault(const struct deck_state *s)
{
    return s->hardware_fault != 0;
}

static bool has_sound(const struct deck_state *s)
{
    return s->has_audio && s->hardware_fault;
}

static uint64_t pictures(const struct zone *z, const struct deck_state *s)
{
    return atomic_load(&z->ring->frame_head) - s->first_frame;
}

static void a_decoder_that_works_is_used(void **state)
{
    struct zone z;
    zone_init(&z, "works");
    order(&z, LOAD, 0, 0);
    struct deck_state s = turn_until(&z, LOAD, is_done);
    assert_int_equal(s.hardware, DECK_HARDWARE_H264);
    assert_int_equal(s.hardware_fault, 0);
    assert_int_equal(pictures(&z, &s), PICTURES);
    zone_finish(&z);
}

static void one_that_is_refused_or_off_is_not(void **state)
{
    struct zone z;
    zone_init(&z, "hangs:0");
    order(&z, LOAD, 0, DECK_HARDWARE_H264 | DECK_HARDWARE_HEVC);
    struct deck_state s = turn_until(&z, LOAD, is_done);
    assert_int_equal(s.hardware, DECK_SOFTWARE);
    assert_int_equal(pictures(&z, &s), PICTURES);
    zone_finish(&z);
}

static void one_that_cannot_be_opened_is_replaced_at_once_and_told(void **state)
{
    struct zone z;
    zone_init(&z, "refuses");
    order(&z, LOAD, 0, 0);
    struct deck_state s = turn_until(&z, LOAD, is_done);
    assert_int_equal(s.hardware, DECK_SOFTWARE);
    assert_int_equal(s.hardware_fault, DECK_HARDWARE_H264);
    assert_int_equal(pictures(&z, &s), PICTURES);
    zone_finish(&z);
}

/* Neither is the file to blame, nor does the sound end; from there it goes on in software. */
static void one_that_gives_no_more_pictures_is_told_in_time(void **state)
{
    static const char *const modes[] = { "hangs:10", "hangs:0",   "silent:10",
                                         "silent:0", "errors:10", "errors:0" };
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        struct zone z;
        zone_init(&z, modes[i]);
        int64_t began_ns = now_mono_ns();
        order(&z, LOAD, 0, 0);
        struct deck_state s = turn_until(&z, LOAD, has_fault);
        print_message("%s: told after %.2f s\n", modes[i],
                      (double)(now_mono_ns() - began_ns) / NS_PER_S);
        assert_int_equal(s.hardware, DECK_HARDWARE_H264);
        assert_int_equal(s.hardware_fault, DECK_HARDWARE_H264);
        assert_int_not_equal(s.phase, DECK_FAILED);
        assert_in_range(pictures(&z, &s), 0, SOME);
        s = turn_until(&z, LOAD, has_sound);
        assert_true(atomic_load(&z.ring->sample_head) > s.first_sample);
        atomic_store(&hwfake_is_released, true); /* a process would be killed here */
        order(&z, LOAD + 1, SECONDS(1), DECK_HARDWARE_H264);
        s = turn_until(&z, LOAD + 1, is_done);
        assert_int_equal(s.hardware, DECK_SOFTWARE);
        assert_int_equal(s.hardware_fault, 0);
        assert_int_equal(pictures(&z, &s), PICTURES - 25);
        zone_finish(&z);
    }
}

static void a_deck_tells_what_it_runs_on(void **state)
{
    struct zone z;
    struct deck_about about;
    zone_init(&z, "works");
    assert_true(deck_about_load(&z.control->about[0], &about));
    assert_int_equal(strncmp(about.system, "pi3, Linux ", 11), 0);
    assert_non_null(strstr(about.system, ", FFmpeg "));
    zone_finish(&z);
}

int main(void)
{
    av_log_set_level(AV_LOG_QUIET);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_decoder_that_works_is_used),
        cmocka_unit_test(one_that_is_refused_or_off_is_not),
        cmocka_unit_test(one_that_cannot_be_opened_is_replaced_at_once_and_told),
        cmocka_unit_test(one_that_gives_no_more_pictures_is_told_in_time),
        cmocka_unit_test(a_deck_tells_what_it_runs_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
