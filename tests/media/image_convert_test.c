#include "media/support.h"

#include <libavutil/imgutils.h>

#include "media/image_convert.h"
#include "media/picture_format.h"

struct bench {
    struct rig rig;
    struct gate gate;
    struct image_convert *convert;
};

static void bench_init(struct bench *b)
{
    rig_init(&b->rig);
    b->gate = (struct gate){ .bell = &b->rig.bell };
    frame_writer_begin(b->rig.frames, 1, &b->gate);
    b->convert = image_convert_create(b->rig.frames);
}

static void bench_finish(struct bench *b)
{
    image_convert_destroy(b->convert);
    frame_writer_end(b->rig.frames);
    rig_finish(&b->rig);
}

/* A picture in ordinary memory, every byte of plane i being value[i]. */
static AVFrame *picture(int format, int width, int height, const uint8_t value[4])
{
    AVFrame *f = av_frame_alloc();
    f->format = format;
    f->width = width;
    f->height = height;
    assert_int_equal(av_frame_get_buffer(f, 0), 0);
    ptrdiff_t rows[4] = { f->linesize[0], f->linesize[1], f->linesize[2], f->linesize[3] };
    size_t sizes[4];
    assert_int_equal(av_image_fill_plane_sizes(sizes, format, height, rows), 0);
    for (int i = 0; i < 4 && f->data[i]; i++)
        memset(f->data[i], value[i], sizes[i]);
    return f;
}

static void pictures_come_in_with_their_values(void **state)
{
    static const struct {
        int format, width, height;
        uint8_t in[4];
        enum pixel_format want;
        int out[3]; /* in the middle of each plane */
        bool is_full;
    } table[] = {
        { AV_PIX_FMT_YUV420P, 64, 48, { 90, 100, 200 }, PIXEL_I420, { 90, 100, 200 }, false },
        { AV_PIX_FMT_YUV420P, 33, 17, { 90, 100, 200 }, PIXEL_I420, { 90, 100, 200 }, false },
        { AV_PIX_FMT_YUVJ420P, 64, 48, { 250, 3, 200 }, PIXEL_I420, { 250, 3, 200 }, true },
        { AV_PIX_FMT_YUVJ440P, 64, 48, { 250, 100, 200 }, PIXEL_I444, { 250, 100, 200 }, true },
        { AV_PIX_FMT_YUV411P, 64, 48, { 90, 100, 200 }, PIXEL_I422, { 90, 100, 200 }, false },
        { AV_PIX_FMT_GRAY8, 64, 48, { 77 }, PIXEL_GRAY, { 77, -1, -1 }, false },
        { AV_PIX_FMT_RGB24, 64, 48, { 60 }, PIXEL_BGRA, { 60, -1, -1 }, true },
        { AV_PIX_FMT_GBRP, 64, 48, { 60, 60, 60 }, PIXEL_BGRA, { 60, -1, -1 }, true },
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct bench b;
        struct frame_desc d;
        bench_init(&b);
        AVFrame *f = picture(table[i].format, table[i].width, table[i].height, table[i].in);
        assert_int_equal(image_bring_in(b.convert, f, 0), 0);
        assert_true(frame_writer_owns(b.rig.frames, f));
        picture_describe(f, &(struct picture_traits){ { 0, 1 }, 0 }, &d);
        assert_int_equal(d.format, table[i].want);
        assert_int_equal(d.is_full_range, table[i].is_full);
        assert_int_equal(d.width, table[i].width);
        assert_int_equal(d.height, table[i].height);
        for (int p = 0; p < 3; p++) {
            uint32_t row_bytes, rows;
            frame_plane_size(&d, p, &row_bytes, &rows);
            if (table[i].out[p] < 0)
                continue;
            int got = f->data[p][rows / 2 * (uint32_t)f->linesize[p] + row_bytes / 2];
            if (abs(got - table[i].out[p]) > 1)
                fail_msg("case %zu: plane %d has %d, not %d", i, p, got, table[i].out[p]);
        }
        av_frame_free(&f);
        bench_finish(&b);
    }
}

static void what_is_in_the_arena_is_not_copied(void **state)
{
    static const int align[AV_NUM_DATA_POINTERS] = { 64, 64, 64 };
    struct bench b;
    bench_init(&b);
    AVFrame *f = av_frame_alloc();
    f->format = AV_PIX_FMT_YUV420P;
    f->width = 64;
    f->height = 48;
    assert_int_equal(frame_writer_buffer(b.rig.frames, f, 64, 48, align), 0);
    uint8_t *before = f->data[0];
    assert_int_equal(image_bring_in(b.convert, f, 0), 0);
    assert_ptr_equal(f->data[0], before);
    av_frame_free(&f);
    bench_finish(&b);
}

static void an_upside_down_picture_is_turned(void **state)
{
    struct bench b;
    bench_init(&b);
    AVFrame *f = picture(AV_PIX_FMT_GRAY8, 64, 48, (const uint8_t[4]){ 10 });
    memset(f->data[0], 200, 64); /* the first row in memory, shown as the last */
    f->data[0] += (ptrdiff_t)47 * f->linesize[0];
    f->linesize[0] = -f->linesize[0];
    assert_int_equal(image_bring_in(b.convert, f, 0), 0);
    assert_true(f->linesize[0] > 0);
    assert_int_equal(f->data[0][5], 10);
    assert_int_equal(f->data[0][(ptrdiff_t)47 * f->linesize[0] + 5], 200);
    av_frame_free(&f);
    bench_finish(&b);
}

static void large_covers_are_made_smaller_in_shape(void **state)
{
    static const struct {
        int width, height, max_side, want_width, want_height;
    } table[] = {
        { 400, 300, 0, 400, 300 },   { 400, 300, 400, 400, 300 }, { 400, 300, 200, 200, 150 },
        { 300, 400, 200, 150, 200 }, { 400, 2, 100, 100, 1 },     { 1000, 1, 10, 10, 1 },
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct bench b;
        bench_init(&b);
        AVFrame *f = picture(AV_PIX_FMT_YUV444P, table[i].width, table[i].height,
                             (const uint8_t[4]){ 90, 100, 110 });
        assert_int_equal(image_bring_in(b.convert, f, table[i].max_side), 0);
        assert_int_equal(f->width, table[i].want_width);
        assert_int_equal(f->height, table[i].want_height);
        assert_in_range(f->data[0][0], 89, 91);
        av_frame_free(&f);
        bench_finish(&b);
    }
}

static void what_is_no_picture_is_refused_unchanged(void **state)
{
    struct bench b;
    bench_init(&b);
    AVFrame *f = picture(AV_PIX_FMT_GRAY8, 8, 8, (const uint8_t[4]){ 1 });
    f->format = AV_PIX_FMT_NONE;
    assert_true(image_bring_in(b.convert, f, 0) < 0);
    assert_int_equal(f->width, 8);
    f->format = AV_PIX_FMT_GRAY8;
    f->height = 0;
    assert_true(image_bring_in(b.convert, f, 0) < 0);
    av_frame_free(&f);
    bench_finish(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_come_in_with_their_values),
        cmocka_unit_test(what_is_in_the_arena_is_not_copied),
        cmocka_unit_test(an_upside_down_picture_is_turned),
        cmocka_unit_test(large_covers_are_made_smaller_in_shape),
        cmocka_unit_test(what_is_no_picture_is_refused_unchanged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
