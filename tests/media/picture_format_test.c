#include "media/support.h"

#include <libavutil/display.h>

#include "media/picture_format.h"

static void every_format_of_libav_has_a_nearest_one(void **state)
{
    static const struct {
        enum AVPixelFormat from, nearest;
    } table[] = {
        { AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUV420P },
        { AV_PIX_FMT_YUVJ422P, AV_PIX_FMT_YUVJ422P },
        { AV_PIX_FMT_YUV420P12LE, AV_PIX_FMT_YUV420P10LE },
        { AV_PIX_FMT_YUV422P16LE, AV_PIX_FMT_YUV422P10LE },
        { AV_PIX_FMT_YUV444P12BE, AV_PIX_FMT_YUV444P10LE },
        { AV_PIX_FMT_YUV420P10BE, AV_PIX_FMT_YUV420P10LE },
        { AV_PIX_FMT_P010LE, AV_PIX_FMT_YUV420P10LE },
        { AV_PIX_FMT_NV21, AV_PIX_FMT_YUV420P },
        { AV_PIX_FMT_YUYV422, AV_PIX_FMT_YUV422P },
        { AV_PIX_FMT_YUV410P, AV_PIX_FMT_YUV420P },
        { AV_PIX_FMT_YUV411P, AV_PIX_FMT_YUV422P },
        { AV_PIX_FMT_YUV440P, AV_PIX_FMT_YUV444P },
        { AV_PIX_FMT_GRAY10LE, AV_PIX_FMT_GRAY8 },
        { AV_PIX_FMT_YA8, AV_PIX_FMT_GRAY8 },
        { AV_PIX_FMT_MONOBLACK, AV_PIX_FMT_GRAY8 },
        { AV_PIX_FMT_RGB24, AV_PIX_FMT_BGRA },
        { AV_PIX_FMT_GBRP10LE, AV_PIX_FMT_BGRA },
        { AV_PIX_FMT_PAL8, AV_PIX_FMT_BGRA },
        { AV_PIX_FMT_VAAPI, AV_PIX_FMT_NONE },
        { AV_PIX_FMT_NONE, AV_PIX_FMT_NONE },
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        assert_int_equal(pixel_format_nearest(table[i].from), table[i].nearest);
    for (int f = 0; f < AV_PIX_FMT_NB; f++) { /* what comes out of a conversion needs none */
        enum AVPixelFormat nearest = pixel_format_nearest(f);
        assert_true(nearest == AV_PIX_FMT_NONE || pixel_format_of(nearest) != PIXEL_NONE);
    }
}

static void rotation_is_read_clockwise_in_quarters(void **state)
{
    static const struct {
        double clockwise;
        uint32_t want;
    } table[] = {
        { 0, 0 },     { 90, 90 }, { -90, 270 }, { 180, 180 }, { -180, 180 },
        { 270, 270 }, { 88, 90 }, { 3, 0 },     { 360, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        int32_t matrix[9];
        av_display_rotation_set(matrix, table[i].clockwise);
        assert_int_equal(picture_rotation(matrix), table[i].want);
    }
    int32_t nothing[9] = { 0 };
    assert_int_equal(picture_rotation(nothing), 0);
    assert_int_equal(picture_rotation(NULL), 0);
}

static void the_shape_is_that_after_aspect_and_rotation(void **state)
{
    static const struct {
        uint32_t width, height;
        AVRational sar;
        uint32_t rotation, shown_width, shown_height;
    } table[] = {
        { 1920, 1080, { 1, 1 }, 0, 1920, 1080 },
        { 720, 576, { 16, 15 }, 0, 768, 576 },
        { 720, 480, { 8, 9 }, 0, 720, 540 },
        { 1920, 1080, { 1, 1 }, 90, 1080, 1920 },
        { 720, 576, { 16, 15 }, 270, 576, 768 },
        { 640, 480, { 0, 1 }, 0, 640, 480 }, /* unknown */
        { 640, 480, { 0, 0 }, 0, 640, 480 },
        { 640, 480, { -1, 2 }, 180, 640, 480 },
        { 640, 480, { 1000, 1 }, 0, 640, 480 }, /* absurd */
        { 640, 480, { 1, 2000000000 }, 0, 640, 480 },
        { 640, 480, { 400000, 300000 }, 0, 853, 480 },
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        AVFrame *f = av_frame_alloc();
        f->format = AV_PIX_FMT_YUV420P;
        f->width = (int)table[i].width;
        f->height = (int)table[i].height;
        struct picture_traits traits = { table[i].sar, table[i].rotation };
        struct frame_desc d;
        uint32_t width, height;
        picture_describe(f, &traits, &d);
        assert_true(d.sar_num > 0 && d.sar_den > 0);
        picture_shown_size(&d, &width, &height);
        assert_int_equal(width, table[i].shown_width);
        assert_int_equal(height, table[i].shown_height);
        av_frame_free(&f);
    }
}

static void the_files_aspect_wins_over_the_pictures(void **state)
{
    AVFrame *f = av_frame_alloc();
    struct frame_desc d;
    f->format = AV_PIX_FMT_YUV420P;
    f->width = f->height = 100;
    f->sample_aspect_ratio = (AVRational){ 4, 3 };
    picture_describe(f, &(struct picture_traits){ { 2, 1 }, 0 }, &d);
    assert_int_equal(d.sar_num, 2);
    picture_describe(f, &(struct picture_traits){ { 0, 1 }, 0 }, &d);
    assert_int_equal(d.sar_num, 4);
    av_frame_free(&f);
}

static void colour_is_what_the_stream_says_or_what_its_size_suggests(void **state)
{
    static const struct {
        enum AVPixelFormat format;
        enum AVColorSpace space;
        enum AVColorRange range;
        int height;
        enum colour_matrix matrix;
        uint32_t is_full;
    } table[] = {
        { AV_PIX_FMT_YUV420P, AVCOL_SPC_UNSPECIFIED, AVCOL_RANGE_UNSPECIFIED, 480, MATRIX_BT601,
          0 },
        { AV_PIX_FMT_YUV420P, AVCOL_SPC_UNSPECIFIED, AVCOL_RANGE_UNSPECIFIED, 719, MATRIX_BT601,
          0 },
        { AV_PIX_FMT_YUV420P, AVCOL_SPC_UNSPECIFIED, AVCOL_RANGE_UNSPECIFIED, 720, MATRIX_BT709,
          0 },
        { AV_PIX_FMT_YUV420P, AVCOL_SPC_BT709, AVCOL_RANGE_MPEG, 480, MATRIX_BT709, 0 },
        { AV_PIX_FMT_YUV420P, AVCOL_SPC_SMPTE170M, AVCOL_RANGE_JPEG, 1080, MATRIX_BT601, 1 },
        { AV_PIX_FMT_YUV420P, AVCOL_SPC_BT470BG, AVCOL_RANGE_MPEG, 1080, MATRIX_BT601, 0 },
        { AV_PIX_FMT_YUV420P10LE, AVCOL_SPC_BT2020_NCL, AVCOL_RANGE_MPEG, 2160, MATRIX_BT2020, 0 },
        { AV_PIX_FMT_YUVJ420P, AVCOL_SPC_UNSPECIFIED, AVCOL_RANGE_UNSPECIFIED, 480, MATRIX_BT601,
          1 },
        { AV_PIX_FMT_BGRA, AVCOL_SPC_RGB, AVCOL_RANGE_UNSPECIFIED, 480, MATRIX_BT601, 1 },
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        AVFrame *f = av_frame_alloc();
        struct frame_desc d;
        f->format = table[i].format;
        f->width = 640;
        f->height = table[i].height;
        f->colorspace = table[i].space;
        f->color_range = table[i].range;
        picture_describe(f, &(struct picture_traits){ { 0, 1 }, 0 }, &d);
        assert_int_equal(d.matrix, table[i].matrix);
        assert_int_equal(d.is_full_range, table[i].is_full);
        av_frame_free(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_format_of_libav_has_a_nearest_one),
        cmocka_unit_test(rotation_is_read_clockwise_in_quarters),
        cmocka_unit_test(the_shape_is_that_after_aspect_and_rotation),
        cmocka_unit_test(the_files_aspect_wins_over_the_pictures),
        cmocka_unit_test(colour_is_what_the_stream_says_or_what_its_size_suggests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
