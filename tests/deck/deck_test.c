/* A deck in a zone of its own. $DJAMMS_CORPUS names the folder of generated files. */
#include "media/support.h"

#include <libavutil/log.h>

#include "deck/deck.h"
#include "shm/control.h"

struct zone {
    char dir[64];
    struct segment control_segment, ring_segment;
    struct control *control;
    struct deck_segment *ring;
    struct log log;
};

static void zone_init(struct zone *z)
{
    *z = (struct zone){ .log = { .module = "test", .level = LOG_ERROR } };
    snprintf(z->dir, sizeof(z->dir), "/tmp/djamms-test-XXXXXX");
    assert_non_null(mkdtemp(z->dir));
    assert_int_equal(control_open(&z->control_segment, z->dir, &z->control), 0);
    assert_int_equal(deck_segment_open(&z->ring_segment, z->dir, 0, &z->ring), 0);
    atomic_store(&z->ring->reader[0].pid, (uint32_t)getpid());
}

static void zone_finish(struct zone *z)
{
    char path[128];
    segment_close(&z->control_segment);
    segment_close(&z->ring_segment);
    static const char *const names[] = { "shm/control", "shm/deck-a", "shm", "" };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", z->dir, names[i]);
        remove(path);
    }
}

static struct deck *start_deck(struct zone *z)
{
    struct deck *d;
    assert_int_equal(
        deck_create(&d, &(struct deck_params){ .runtime_dir = z->dir, .log = &z->log }), 0);
    return d;
}

static void order(struct zone *z, uint64_t load, const char *name, uint32_t flags)
{
    struct deck_order o = { .load = load, .entry = load * 10, .flags = flags };
    const char *folder = getenv("DJAMMS_CORPUS");
    if (!folder)
        fail_msg("DJAMMS_CORPUS is not set: run make_corpus.py FOLDER and name the folder");
    if (name)
        snprintf(o.path, sizeof(o.path), "%s/%s", folder, name);
    deck_order_store(&z->control->order[0], &o);
    doorbell_ring(&z->control->deck_bell[0]);
}

static struct deck_state state_of(struct zone *z)
{
    struct deck_state s;
    assert_true(deck_state_load(&z->control->deck[0], &s));
    return s;
}

/* Takes all there is, as a stage does. */
static void take_all(struct zone *z)
{
    atomic_store(&z->ring->reader[0].need, atomic_load(&z->ring->frame_head));
    atomic_store(&z->ring->sample_tail, atomic_load(&z->ring->sample_head));
}

/* Turns until the deck says `phase` of `load`. */
static struct deck_state turn_until(struct zone *z, struct deck *d, uint64_t load,
                                    enum deck_phase phase, bool takes)
{
    struct doorbell *bell = &z->control->deck_bell[0];
    for (;;) {
        uint32_t seen = doorbell_rings(bell);
        deck_turn(d);
        struct deck_state s = state_of(z);
        if (s.load == load && s.phase == phase)
            return s;
        if (s.load == load && s.phase > phase)
            fail_msg("phase %u passed: %s", s.phase, s.error);
        if (takes)
            take_all(z);
        doorbell_wait(bell, seen, now_mono_ns() + MS(20));
    }
}

/* Turns until so many pictures were published, while nobody takes any. */
static void turn_until_frames(struct zone *z, struct deck *d, uint64_t frames)
{
    struct doorbell *bell = &z->control->deck_bell[0];
    for (;;) {
        uint32_t seen = doorbell_rings(bell);
        deck_turn(d);
        if (atomic_load(&z->ring->frame_head) >= frames)
            return;
        doorbell_wait(bell, seen, now_mono_ns() + MS(20));
    }
}

static void an_order_is_carried_out_and_told(void **state)
{
    struct zone z;
    zone_init(&z);
    struct deck *d = start_deck(&z);
    deck_turn(d);
    assert_int_equal(state_of(&z).phase, DECK_EMPTY);
    assert_true(process_is_alive(z.control, PROCESS_DECK_A));
    uint32_t brain = doorbell_rings(&z.control->brain_bell);
    uint32_t stage = doorbell_rings(&z.control->stage_bell);
    order(&z, 7, "long.mkv", 0);
    struct deck_state s = turn_until(&z, d, 7, DECK_READY, false);
    assert_int_equal(s.entry, 70);
    assert_true(s.has_video && s.has_audio);
    assert_int_equal(s.width, 160);
    assert_true(atomic_load(&z.ring->frame_head) > s.first_frame);
    assert_true(atomic_load(&z.ring->sample_head) >= s.first_sample + SAMPLE_RATE / 20);
    assert_int_not_equal(doorbell_rings(&z.control->brain_bell), brain);
    assert_int_not_equal(doorbell_rings(&z.control->stage_bell), stage);
    order(&z, 7, "long.mkv", ORDER_ACTIVE); /* the same load: only more is kept ready */
    turn_until_frames(&z, d, s.first_frame + 8);
    s = turn_until(&z, d, 7, DECK_DONE, true);
    assert_int_equal(s.end_ns, SECONDS(6));
    deck_destroy(d);
    assert_false(process_is_alive(z.control, PROCESS_DECK_A));
    assert_int_equal(state_of(&z).phase, DECK_DONE);
    zone_finish(&z);
}

static void a_new_load_drops_the_old_one(void **state)
{
    struct zone z;
    zone_init(&z);
    struct deck *d = start_deck(&z);
    order(&z, 1, "long.mkv", 0);
    turn_until(&z, d, 1, DECK_READY, false);
    uint64_t head = atomic_load(&z.ring->frame_head);
    order(&z, 2, "h264-aac.mp4", 0);
    struct deck_state s = turn_until(&z, d, 2, DECK_READY, false);
    assert_true(s.first_frame >= head);
    assert_int_equal(s.width, 320);
    struct frame_desc f;
    assert_true(frame_desc_read(z.ring, s.first_frame, &f));
    assert_int_equal(f.load, 2);
    order(&z, 0, NULL, 0);
    s = turn_until(&z, d, 0, DECK_EMPTY, false);
    assert_int_equal(s.has_video, 0);
    deck_destroy(d);
    zone_finish(&z);
}

static void a_bad_file_fails_with_a_sentence_and_the_next_plays(void **state)
{
    struct zone z;
    zone_init(&z);
    struct deck *d = start_deck(&z);
    order(&z, 1, "no such file.mp4", 0);
    struct deck_state s = turn_until(&z, d, 1, DECK_FAILED, false);
    assert_string_equal(s.error, "no such file.mp4 is missing");
    order(&z, 2, "h264-aac.mp4", 0);
    s = turn_until(&z, d, 2, DECK_READY, false);
    assert_string_equal(s.error, "");
    deck_destroy(d);
    zone_finish(&z);
}

static void a_path_without_an_end_is_no_file(void **state)
{
    struct zone z;
    zone_init(&z);
    z.log.level = LOG_DEBUG; /* the path is printed, too */
    struct deck *d = start_deck(&z);
    struct deck_order o = { .load = 1 };
    memset(o.path, 'x', sizeof(o.path));
    deck_order_store(&z.control->order[0], &o);
    struct deck_state s = turn_until(&z, d, 1, DECK_FAILED, false);
    assert_non_null(strstr(s.error, "xxx... cannot be opened: File name too long"));
    deck_destroy(d);
    zone_finish(&z);
}

static void a_restarted_deck_repeats_nothing_that_may_have_killed_it(void **state)
{
    static const struct {
        const char *name;
        uint32_t phase;       /* of the former life ... */
        uint64_t load, order; /* ... its load, and the order in the slot */
        enum deck_phase want;
        uint64_t want_load;
    } cases[] = {
        { "first start, an order waits", DECK_EMPTY, 0, 5, DECK_READY, 5 },
        { "died opening it", DECK_OPENING, 5, 5, DECK_EMPTY, 0 },
        { "died playing it", DECK_READY, 5, 5, DECK_EMPTY, 0 },
        { "died, and a new order came", DECK_READY, 5, 6, DECK_READY, 6 },
        { "had finished it", DECK_DONE, 5, 5, DECK_DONE, 5 },
        { "had failed at it", DECK_FAILED, 5, 5, DECK_FAILED, 5 },
        { "had finished, and a new order came", DECK_DONE, 5, 6, DECK_READY, 6 },
        { "no order", DECK_EMPTY, 0, 0, DECK_EMPTY, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct zone z;
        zone_init(&z);
        deck_state_store(&z.control->deck[0],
                         &(struct deck_state){ .load = cases[i].load, .phase = cases[i].phase });
        order(&z, cases[i].order, "long.mkv", 0);
        struct deck *d = start_deck(&z);
        if (cases[i].want == DECK_READY)
            turn_until(&z, d, cases[i].want_load, DECK_READY, false);
        for (int n = 0; n < 3; n++)
            deck_turn(d);
        struct deck_state s = state_of(&z);
        if (s.phase != cases[i].want || s.load != cases[i].want_load)
            fail_msg("%s: load %llu in phase %u", cases[i].name, (unsigned long long)s.load,
                     s.phase);
        deck_destroy(d);
        zone_finish(&z);
    }
}

static void a_deck_that_died_writing_its_state_does_not_repeat_the_order(void **state)
{
    struct zone z;
    zone_init(&z);
    order(&z, 5, "long.mkv", 0);
    atomic_store(&z.control->deck[0].seq, 3); /* odd: in the middle */
    struct deck *d = start_deck(&z);
    for (int n = 0; n < 3; n++)
        deck_turn(d);
    assert_int_equal(state_of(&z).phase, DECK_EMPTY);
    order(&z, 6, "long.mkv", 0);
    turn_until(&z, d, 6, DECK_READY, false);
    deck_destroy(d);
    zone_finish(&z);
}

static void numbers_go_on_after_a_restart(void **state)
{
    struct zone z;
    zone_init(&z);
    struct deck *d = start_deck(&z);
    order(&z, 1, "long.mkv", 0);
    struct deck_state before = turn_until(&z, d, 1, DECK_READY, false);
    deck_destroy(d);
    uint64_t frames = atomic_load(&z.ring->frame_head), samples = atomic_load(&z.ring->sample_head);
    assert_true(frames > before.first_frame);
    d = start_deck(&z);
    order(&z, 2, "long.mkv", 0);
    struct deck_state s = turn_until(&z, d, 2, DECK_READY, false);
    assert_int_equal(s.first_frame, frames);
    assert_int_equal(s.first_sample, samples);
    deck_destroy(d);
    zone_finish(&z);
}

int main(void)
{
    av_log_set_level(AV_LOG_QUIET);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_is_carried_out_and_told),
        cmocka_unit_test(a_new_load_drops_the_old_one),
        cmocka_unit_test(a_bad_file_fails_with_a_sentence_and_the_next_plays),
        cmocka_unit_test(a_path_without_an_end_is_no_file),
        cmocka_unit_test(a_restarted_deck_repeats_nothing_that_may_have_killed_it),
        cmocka_unit_test(a_deck_that_died_writing_its_state_does_not_repeat_the_order),
        cmocka_unit_test(numbers_go_on_after_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
