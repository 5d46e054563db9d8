#include "media/support.h"

static const int align[AV_NUM_DATA_POINTERS] = { 64, 64, 64, 64 };

static AVFrame *picture(struct frame_writer *w, int width, int height)
{
    AVFrame *f = av_frame_alloc();
    f->format = AV_PIX_FMT_YUV420P;
    f->width = width;
    f->height = height;
    assert_int_equal(frame_writer_buffer(w, f, width, height, align), 0);
    return f;
}

static void publish(struct frame_writer *w, int width, int height, int brightness)
{
    AVFrame *f = picture(w, width, height);
    struct frame_desc d = { .pts_ns = 1,
                            .duration_ns = MS(40),
                            .width = (uint32_t)width,
                            .height = (uint32_t)height,
                            .sar_num = 1,
                            .sar_den = 1,
                            .format = PIXEL_I420 };
    for (int y = 0; y < height; y++)
        memset(f->data[0] + (size_t)y * (size_t)f->linesize[0], brightness, (size_t)width);
    frame_writer_publish(w, &d, f);
    av_frame_free(&f);
}

static int brightness_of(struct rig *r, uint64_t number)
{
    struct frame_desc d;
    return frame_desc_read(r->ring, number, &d) ? middle_of(r->ring, &d) : -1;
}

static void need(struct rig *r, uint64_t number)
{
    atomic_store(&r->ring->reader[0].need, number);
}

static void more_is_kept_ready_while_it_plays(void **state)
{
    static const struct {
        bool is_active;
        int64_t frame_ns;
        uint64_t want;
    } table[] = {
        { false, MS(40), 3 }, { false, MS(4), 3 },    { true, MS(40), 8 },  { true, MS(1000), 8 },
        { true, MS(20), 12 }, { true, 16666666, 15 }, { true, MS(10), 24 }, { true, MS(1), 24 },
        { true, 0, 24 },      { true, INT64_MAX, 8 },
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        assert_int_equal(frame_writer_ahead(table[i].is_active, table[i].frame_ns), table[i].want);
}

static void a_published_picture_stays_until_every_reader_passed_it(void **state)
{
    struct rig r;
    struct gate gate = { .bell = &r.bell, .flags = ORDER_ACTIVE };
    rig_init(&r);
    assert_int_equal(frame_writer_begin(r.frames, 1, &gate), 0);
    need(&r, 0);
    for (int i = 0; i < 6; i++)
        publish(r.frames, 320, 180, 10 + i);
    for (int i = 0; i < 6; i++)
        assert_int_equal(brightness_of(&r, (uint64_t)i), 10 + i);
    need(&r, 4);
    assert_true(frame_writer_wait(r.frames)); /* lets go of the four */
    for (int i = 0; i < 4; i++)
        publish(r.frames, 320, 180, 100);
    for (int i = 0; i < 4; i++) /* their memory is in use again */
        assert_int_equal(brightness_of(&r, (uint64_t)i), 100);
    assert_int_equal(brightness_of(&r, 4), 14);
    assert_int_equal(brightness_of(&r, 5), 15);
    frame_writer_end(r.frames);
    rig_finish(&r);
}

static void a_picture_that_its_decoder_still_holds_is_not_reused(void **state)
{
    struct rig r;
    struct gate gate = { .bell = &r.bell };
    rig_init(&r);
    frame_writer_begin(r.frames, 1, &gate);
    AVFrame *reference = picture(r.frames, 320, 180);
    memset(reference->data[0], 77, 100);
    for (int i = 0; i < 200; i++) {
        publish(r.frames, 320, 180, 1);
        need(&r, (uint64_t)i + 1);
    }
    assert_int_equal(reference->data[0][50], 77);
    av_frame_free(&reference);
    frame_writer_end(r.frames);
    rig_finish(&r);
}

static void the_dead_hold_nothing_but_what_the_load_has_published(void **state)
{
    struct rig r;
    struct gate gate = { .bell = &r.bell };
    struct frame_desc first, again;
    rig_init(&r);
    atomic_store(&r.ring->reader[0].pid, 0); /* no reader lives */
    frame_writer_begin(r.frames, 1, &gate);
    publish(r.frames, 320, 180, 11);
    publish(r.frames, 320, 180, 12);
    assert_true(frame_writer_wait(r.frames));
    publish(r.frames, 320, 180, 13);
    for (int i = 0; i < 3; i++)
        assert_int_equal(brightness_of(&r, (uint64_t)i), 11 + i);
    assert_true(frame_desc_read(r.ring, 0, &first));
    frame_writer_end(r.frames);
    /* Another load: those of the first are not wanted any more. */
    assert_int_equal(frame_writer_begin(r.frames, 2, &gate), 3);
    publish(r.frames, 320, 180, 21);
    assert_true(frame_desc_read(r.ring, 3, &again));
    assert_int_equal(again.offset[0], first.offset[0]);
    frame_writer_end(r.frames);
    rig_finish(&r);
}

static void a_restarted_deck_leaves_alone_what_readers_need(void **state)
{
    struct rig r;
    struct gate gate = { .bell = &r.bell };
    rig_init(&r);
    frame_writer_begin(r.frames, 1, &gate);
    for (int i = 0; i < 5; i++)
        publish(r.frames, 640, 360, 10 + i);
    need(&r, 2);
    /* The first writer dies: nothing of it is ended or freed before the second has come. */
    struct frame_writer *second = frame_writer_create(r.ring, &r.bell);
    assert_int_equal(frame_writer_begin(second, 2, &gate), 5);
    AVFrame *f[20];
    for (int i = 0; i < 20; i++) {
        f[i] = picture(second, 320, 180);
        memset(f[i]->buf[0]->data, 99, f[i]->buf[0]->size);
    }
    for (int i = 2; i < 5; i++)
        assert_int_equal(brightness_of(&r, (uint64_t)i), 10 + i);
    assert_int_equal(brightness_of(&r, 0), 99); /* passed by the reader: free */
    for (int i = 0; i < 20; i++)
        av_frame_free(&f[i]);
    frame_writer_end(second);
    frame_writer_destroy(second);
    frame_writer_end(r.frames);
    rig_finish(&r);
}

static void a_writer_that_waits_is_stopped(void **state)
{
    struct rig r;
    struct gate gate = { .bell = &r.bell };
    rig_init(&r);
    frame_writer_begin(r.frames, 1, &gate);
    for (int i = 0; i < 3; i++) {
        assert_true(frame_writer_wait(r.frames));
        publish(r.frames, 320, 180, 1);
    }
    gate_stop(&gate);
    assert_false(frame_writer_wait(r.frames));
    frame_writer_end(r.frames);
    rig_finish(&r);
}

static void nonsense_in_a_readers_row_does_no_harm(void **state)
{
    static const uint64_t rows[] = { UINT64_MAX, UINT64_MAX - 1, 1ull << 40, 0 };
    struct rig r;
    struct gate gate = { .bell = &r.bell, .flags = ORDER_ACTIVE };
    rig_init(&r);
    frame_writer_begin(r.frames, 1, &gate);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        need(&r, rows[i]);
        assert_true(frame_writer_wait(r.frames));
        publish(r.frames, 320, 180, (int)i);
        assert_int_equal(brightness_of(&r, i), i);
    }
    frame_writer_end(r.frames);
    rig_finish(&r);
}

static void a_picture_larger_than_the_arena_is_refused(void **state)
{
    struct rig r;
    struct gate gate = { .bell = &r.bell };
    rig_init(&r);
    frame_writer_begin(r.frames, 1, &gate);
    AVFrame *f = av_frame_alloc();
    f->format = AV_PIX_FMT_YUV444P10LE;
    assert_true(frame_writer_buffer(r.frames, f, 16384, 16384, align) < 0);
    assert_null(f->buf[0]);
    av_frame_free(&f);
    frame_writer_end(r.frames);
    rig_finish(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_is_kept_ready_while_it_plays),
        cmocka_unit_test(a_published_picture_stays_until_every_reader_passed_it),
        cmocka_unit_test(a_picture_that_its_decoder_still_holds_is_not_reused),
        cmocka_unit_test(the_dead_hold_nothing_but_what_the_load_has_published),
        cmocka_unit_test(a_restarted_deck_leaves_alone_what_readers_need),
        cmocka_unit_test(a_writer_that_waits_is_stopped),
        cmocka_unit_test(nonsense_in_a_readers_row_does_no_harm),
        cmocka_unit_test(a_picture_larger_than_the_arena_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
