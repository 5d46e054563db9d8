/* Deck rings: no descriptor leads a reader out of the arena, and nobody who died holds a picture. */
#include "shm/deck_ring.h"

#include <stdio.h>

#include "base/compiler.h"
#include "shm/shm_test.h"

static int make_deck(void **state)
{
    *state = shared_memory(sizeof(struct deck_segment));
    return 0;
}

static int drop_deck(void **state)
{
    return munmap(*state, sizeof(struct deck_segment));
}

static struct frame_desc good(uint64_t number)
{
    return (struct frame_desc){ .number = number,
                                .load = 3,
                                .pts_ns = 1,
                                .duration_ns = 40000000,
                                .offset = { 0, 4096 * 100, 4096 * 200 },
                                .stride = { 640, 320, 320 },
                                .width = 640,
                                .height = 360,
                                .sar_num = 1,
                                .sar_den = 1,
                                .format = PIXEL_I420,
                                .matrix = MATRIX_BT709 };
}

static void publish(struct deck_segment *d, const struct frame_desc *f)
{
    frame_desc_store(&d->frame[f->number % FRAME_RING], f);
    atomic_store(&d->frame_head, f->number + 1);
}

static void a_published_picture_is_read(void **state)
{
    struct deck_segment *d = *state;
    struct frame_desc in = good(130), out;
    publish(d, &in);
    assert_true(frame_desc_read(d, 130, &out));
    assert_memory_equal(&in, &out, sizeof(in));
}

static void not_yet_and_no_longer_are_missing(void **state)
{
    struct deck_segment *d = *state;
    struct frame_desc f = good(5), out;
    assert_false(frame_desc_read(d, 0, &out));
    publish(d, &f);
    assert_false(frame_desc_read(d, 6, &out));
    f = good(5 + FRAME_RING);
    publish(d, &f);
    assert_false(frame_desc_read(d, 5, &out));
    assert_true(frame_desc_read(d, 5 + FRAME_RING, &out));
    assert_false(frame_desc_read(d, UINT64_MAX, &out));
}

static void a_place_without_a_picture_is_missing(void **state)
{
    struct deck_segment *d = *state;
    struct frame_desc f = good(1), out;
    f.load = 0;
    publish(d, &f);
    assert_false(frame_desc_read(d, 1, &out));
}

/* One field of a good descriptor changed; none of these may be believed. */
static void hostile_fields_are_refused(void **state)
{
#define FIELD(field, value_)                                                                       \
    {                                                                                              \
#field " = " #value_, offsetof(struct frame_desc, field),                                  \
            sizeof(((struct frame_desc *)0)->field), (uint64_t)(value_)                            \
    }
    static const struct {
        const char *name;
        size_t offset, size;
        uint64_t value;
    } cases[] = {
        FIELD(format, PIXEL_NONE),
        FIELD(format, PIXEL_FORMATS),
        FIELD(format, UINT32_MAX),
        FIELD(width, 0),
        FIELD(height, 0),
        FIELD(width, 16385),
        FIELD(height, UINT32_MAX),
        FIELD(width, UINT32_MAX),
        FIELD(sar_num, 0),
        FIELD(sar_den, 0),
        FIELD(duration_ns, 0),
        FIELD(duration_ns, INT64_MIN),
        FIELD(rotation, 45),
        FIELD(rotation, 360),
        FIELD(stride[0], 639),
        FIELD(stride[1], 0),
        FIELD(stride[0], UINT32_MAX),
        FIELD(offset[0], ARENA_BYTES),
        FIELD(offset[0], ARENA_BYTES - 640 * 360 + 1),
        FIELD(offset[2], UINT64_MAX),
        FIELD(offset[2], UINT64_MAX - 320 * 180 + 1),
        FIELD(number, 2),
    };
#undef FIELD
    struct deck_segment *d = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct frame_desc f = good(1), out;
        memcpy((char *)&f + cases[i].offset, &cases[i].value, cases[i].size);
        frame_desc_store(&d->frame[1], &f);
        atomic_store(&d->frame_head, 100);
        if (frame_desc_read(d, 1, &out))
            fail_msg("believed: %s", cases[i].name);
    }
}

static uint64_t next_random(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

/* Whatever is believed has all its planes inside the arena. */
static void random_bytes_never_lead_outside(void **state)
{
    struct deck_segment *d = *state;
    uint64_t seed = 0x9e3779b97f4a7c15u;
    size_t believed = 0;
    for (int round = 0; round < 200000; round++) {
        struct frame_desc f = good(1), out;
        uint64_t word[sizeof(f) / 8];
        memcpy(word, &f, sizeof(f));
        for (int hits = 1 + round % 3; hits > 0; hits--) {
            uint64_t r = next_random(&seed);
            word[1 + r % (sizeof(f) / 8 - 1)] ^= next_random(&seed) >> (r >> 32) % 64;
        }
        memcpy(&f, word, sizeof(f));
        f.number = 1;
        frame_desc_store(&d->frame[1], &f);
        atomic_store(&d->frame_head, 2);
        if (!frame_desc_read(d, 1, &out))
            continue;
        believed++;
        for (int plane = 0; plane < FRAME_PLANES; plane++) {
            uint32_t row_bytes, rows;
            frame_plane_size(&out, plane, &row_bytes, &rows);
            if (rows == 0)
                continue;
            unsigned __int128 end = (unsigned __int128)out.offset[plane] +
                                    (unsigned __int128)out.stride[plane] * (rows - 1) + row_bytes;
            assert_true(end <= ARENA_BYTES);
        }
    }
    assert_true(believed > 1000); /* else the test would say nothing */
}

static void plane_sizes_follow_the_format(void **state)
{
    static const struct {
        uint32_t format, width, height;
        struct {
            uint32_t row_bytes, rows;
        } plane[FRAME_PLANES];
    } cases[] = {
        { PIXEL_I420, 641, 361, { { 641, 361 }, { 321, 181 }, { 321, 181 } } },
        { PIXEL_I422, 641, 361, { { 641, 361 }, { 321, 361 }, { 321, 361 } } },
        { PIXEL_I444, 7, 5, { { 7, 5 }, { 7, 5 }, { 7, 5 } } },
        { PIXEL_I010, 640, 360, { { 1280, 360 }, { 640, 180 }, { 640, 180 } } },
        { PIXEL_I210, 640, 360, { { 1280, 360 }, { 640, 360 }, { 640, 360 } } },
        { PIXEL_I410, 640, 360, { { 1280, 360 }, { 1280, 360 }, { 1280, 360 } } },
        { PIXEL_NV12, 641, 361, { { 641, 361 }, { 642, 181 }, { 0, 0 } } },
        { PIXEL_GRAY, 640, 360, { { 640, 360 }, { 0, 0 }, { 0, 0 } } },
        { PIXEL_BGRA, 640, 360, { { 2560, 360 }, { 0, 0 }, { 0, 0 } } },
        { PIXEL_FORMATS, 640, 360, { { 0, 0 }, { 0, 0 }, { 0, 0 } } },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct frame_desc f = { .format = cases[i].format,
                                .width = cases[i].width,
                                .height = cases[i].height };
        for (int p = 0; p < FRAME_PLANES; p++) {
            uint32_t row_bytes, rows;
            frame_plane_size(&f, p, &row_bytes, &rows);
            assert_int_equal(row_bytes, cases[i].plane[p].row_bytes);
            assert_int_equal(rows, cases[i].plane[p].rows);
        }
    }
}

static void set_reader(struct deck_segment *d, size_t i, pid_t pid, uint64_t need)
{
    atomic_store(&d->reader[i].pid, (uint32_t)pid);
    atomic_store(&d->reader[i].need, need);
}

static void without_a_reader_nothing_may_be_freed(void **state)
{
    uint64_t lowest;
    assert_false(frame_readers_need(*state, &lowest));
}

static void the_slowest_living_reader_decides(void **state)
{
    struct deck_segment *d = *state;
    uint64_t lowest;
    set_reader(d, 0, getpid(), 50);
    set_reader(d, 2, getpid(), 40);
    assert_true(frame_readers_need(d, &lowest));
    assert_int_equal(lowest, 40);
}

static void a_dead_reader_holds_nothing(void **state)
{
    struct deck_segment *d = *state;
    uint64_t lowest;
    set_reader(d, 1, dead_pid(), 3);
    assert_false(frame_readers_need(d, &lowest));
    set_reader(d, 0, getpid(), 50);
    assert_true(frame_readers_need(d, &lowest));
    assert_int_equal(lowest, 50);
}

static void a_pid_of_nonsense_holds_nothing(void **state)
{
    struct deck_segment *d = *state;
    uint64_t lowest;
    set_reader(d, 0, -1, 3);
    assert_false(frame_readers_need(d, &lowest));
}

#define WITH_DECK(f) cmocka_unit_test_setup_teardown(f, make_deck, drop_deck)

/* ---- text --------------------------------------------------------------------------------------- */

static struct text_cue good_cue(uint64_t number, int64_t from_ns, int64_t until_ns)
{
    return (struct text_cue){ .number = number,
                              .load = 3,
                              .from_ns = from_ns,
                              .until_ns = until_ns,
                              .width = 1280,
                              .height = 720,
                              .box_count = 2,
                              .box = { { 0, 600, 1280, 120, 0 }, { 10, 10, 5, 5, 614400 } } };
}

static void publish_cue(struct deck_segment *d, const struct text_cue *c)
{
    text_cue_store(&d->text[c->number % TEXT_RING], c);
    atomic_store(&d->text_head, c->number + 1);
}

static void a_cue_is_found_by_load_and_time(void **state)
{
    struct deck_segment *d = *state;
    struct text_cue a = good_cue(40, 100, 200), b = good_cue(41, 300, 400), out;
    int64_t next_ns;
    publish_cue(d, &a);
    publish_cue(d, &b);
    static const struct {
        int64_t at_ns;
        uint64_t number; /* 0: none */
        int64_t next_ns;
    } cases[] = { { 99, 0, 100 },  { 100, 40, 200 }, { 199, 40, 200 },
                  { 200, 0, 300 }, { 350, 41, 400 }, { 400, 0, INT64_MAX } };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        bool found = text_cue_at(d, 3, cases[i].at_ns, &out, &next_ns);
        assert_int_equal(found ? out.number : 0, cases[i].number);
        assert_int_equal(next_ns, cases[i].next_ns);
    }
    assert_false(text_cue_at(d, 4, 150, &out, &next_ns));
    a = good_cue(40 + TEXT_RING, 900, 1000); /* in the same place */
    publish_cue(d, &a);
    assert_false(text_cue_at(d, 3, 150, &out, &next_ns));
}

static void nonsense_in_a_cue_is_refused(void **state)
{
    struct deck_segment *d = *state;
    for (int i = 0; i <= 10; i++) {
        struct text_cue c = good_cue(7, 1, 2), out;
        switch (i) {
        case 0: break; /* good */
        case 1: c.load = 0; break;
        case 2: c.until_ns = 1; break;
        case 3: c.width = TEXT_SIDE_MAX + 1; break;
        case 4: c.box_count = TEXT_BOXES + 1; break;
        case 5: c.box_count = 0; break;
        case 6: c.box[1].x = UINT32_MAX; break;
        case 7: c.box[1].w = UINT32_MAX; break;
        case 8: c.box[1].h = 711; break;
        case 9: c.box[1].offset = TEXT_CUE_BYTES - 99; break;
        default: c.number = 8 + TEXT_RING; break;
        }
        text_cue_store(&d->text[7], &c);
        atomic_store(&d->text_head, 8);
        assert_int_equal(text_cue_read(d, 7, &out), i == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DECK(a_published_picture_is_read),
        WITH_DECK(not_yet_and_no_longer_are_missing),
        WITH_DECK(a_place_without_a_picture_is_missing),
        WITH_DECK(hostile_fields_are_refused),
        WITH_DECK(random_bytes_never_lead_outside),
        cmocka_unit_test(plane_sizes_follow_the_format),
        WITH_DECK(without_a_reader_nothing_may_be_freed),
        WITH_DECK(the_slowest_living_reader_decides),
        WITH_DECK(a_dead_reader_holds_nothing),
        WITH_DECK(a_pid_of_nonsense_holds_nothing),
        WITH_DECK(a_cue_is_found_by_load_and_time),
        WITH_DECK(nonsense_in_a_cue_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
