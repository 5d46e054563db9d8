/* Which decoder for which stream, board, devices and experience. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/compiler.h"
#include "media/decoder_choice.h"
#include "media/decoder_watch.h"

#define H264   DECK_HARDWARE_H264
#define HEVC   DECK_HARDWARE_HEVC
#define HIGH   100 /* profiles of H.264 */
#define HIGH10 110
#define H444   244
#define MAIN   1 /* of H.265 */
#define MAIN10 2
#define REXT   4

static void each_stream_gets_its_decoder(void **state)
{
    static const struct {
        enum board_kind board;
        enum AVCodecID codec;
        int width, height, profile, fields;
        uint32_t stateful, request, refused;
        const char *name; /* NULL: software */
    } cases[] = {
        { BOARD_PI3, AV_CODEC_ID_H264, 1920, 1080, HIGH, 0, H264, 0, 0, "h264_v4l2m2m" },
        { BOARD_PI3, AV_CODEC_ID_H264, 1280, 720, 66, 0, H264, 0, 0, "h264_v4l2m2m" },
        { BOARD_PI3, AV_CODEC_ID_H264, 1280, 720, 0, 0, H264, 0, 0, "h264_v4l2m2m" },
        { BOARD_PI3, AV_CODEC_ID_H264, 854, 480, HIGH, 0, H264, 0, 0, NULL },
        { BOARD_PI4, AV_CODEC_ID_H264, 1920, 1088, HIGH, 1, H264, HEVC, 0, "h264_v4l2m2m" },
        { BOARD_PI4, AV_CODEC_ID_H264, 1280, 720, HIGH, 0, H264, HEVC, 0, NULL },
        { BOARD_PI4, AV_CODEC_ID_HEVC, 3840, 2160, MAIN10, 0, H264, HEVC, 0, "hevc" },
        { BOARD_PI5, AV_CODEC_ID_HEVC, 1920, 1080, MAIN, 0, 0, HEVC, 0, "hevc" },
        /* No device, or one of another kind; a Debian kernel has none. */
        { BOARD_PI3, AV_CODEC_ID_H264, 1920, 1080, HIGH, 0, 0, 0, 0, NULL },
        { BOARD_PI4, AV_CODEC_ID_HEVC, 1920, 1080, MAIN, 0, HEVC, 0, 0, NULL },
        { BOARD_PI5, AV_CODEC_ID_H264, 1920, 1080, HIGH, 0, H264, HEVC, 0, NULL },
        { BOARD_PI3, AV_CODEC_ID_HEVC, 1920, 1080, MAIN, 0, H264, HEVC, 0, NULL },
        { BOARD_OTHER, AV_CODEC_ID_H264, 1920, 1080, HIGH, 0, H264, HEVC, 0, NULL },
        /* Too large, of a kind it does not take, interlaced. */
        { BOARD_PI4, AV_CODEC_ID_H264, 3840, 2160, HIGH, 0, H264, HEVC, 0, NULL },
        { BOARD_PI4, AV_CODEC_ID_H264, 1920, 1080, HIGH10, 0, H264, HEVC, 0, NULL },
        { BOARD_PI4, AV_CODEC_ID_H264, 1920, 1080, H444, 0, H264, 0, 0, NULL },
        { BOARD_PI4, AV_CODEC_ID_HEVC, 1920, 1080, REXT, 0, H264, HEVC, 0, NULL },
        { BOARD_PI4, AV_CODEC_ID_H264, 1920, 1080, HIGH, AV_FIELD_TT, H264, 0, 0, NULL },
        { BOARD_PI4, AV_CODEC_ID_VP9, 1920, 1080, 0, 0, H264, HEVC, 0, NULL },
        /* What it has failed. */
        { BOARD_PI3, AV_CODEC_ID_H264, 1920, 1080, HIGH, 0, H264, 0, H264, NULL },
        { BOARD_PI4, AV_CODEC_ID_H264, 1920, 1080, HIGH, 0, H264, HEVC, HEVC, "h264_v4l2m2m" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t box[8] = { 1, (uint8_t)cases[i].profile };
        AVCodecParameters stream = { .codec_id = cases[i].codec,
                                     .width = cases[i].width,
                                     .height = cases[i].height,
                                     .format = AV_PIX_FMT_NONE, /* nothing was decoded yet */
                                     .field_order = cases[i].fields,
                                     .extradata = box,
                                     .extradata_size = cases[i].profile ? sizeof(box) : 0 };
        struct decoder_choice c =
            decoder_choose(&(struct decoder_wish){ .stream = &stream,
                                                   .board = cases[i].board,
                                                   .nodes = { cases[i].stateful, cases[i].request },
                                                   .refused = cases[i].refused });
        bool is_right = cases[i].name ? c.hardware && strcmp(c.name, cases[i].name) == 0
                                      : c.hardware == DECK_SOFTWARE;
        if (!is_right)
            fail_msg("case %zu", i);
        if (c.hardware) {
            assert_int_equal(c.is_request, c.hardware == DECK_HARDWARE_HEVC);
            assert_int_equal(decoder_hardware(cases[i].board, &stream), c.hardware);
        }
    }
}

/* As in MPEG-TS: behind other units. */
static void the_profile_is_found_in_a_stream_without_a_box(void **state)
{
    uint8_t h264[] = { 0, 0, 0, 1, 9, 16, 0, 0, 0, 1, 0x67, HIGH, 0, 40, 1, 2 };
    uint8_t hevc[] = { 0, 0, 0, 1, 0x40, 1, 12, 0, 0, 1, 0x42, 1, 1, MAIN, 0, 0, 0, 0 };
    AVCodecParameters stream = { .codec_id = AV_CODEC_ID_H264,
                                 .width = 1920,
                                 .height = 1080,
                                 .extradata = h264,
                                 .extradata_size = sizeof(h264) };
    assert_int_equal(decoder_hardware(BOARD_PI4, &stream), H264);
    h264[11] = HIGH10;
    assert_int_equal(decoder_hardware(BOARD_PI4, &stream), DECK_SOFTWARE);
    stream.codec_id = AV_CODEC_ID_HEVC;
    stream.extradata = hevc;
    stream.extradata_size = sizeof(hevc);
    assert_int_equal(decoder_hardware(BOARD_PI4, &stream), HEVC);
    hevc[13] = REXT;
    assert_int_equal(decoder_hardware(BOARD_PI4, &stream), DECK_SOFTWARE);
}

/* ---- the time limit --------------------------------------------------------------------------- */

static void a_call_that_does_not_come_back_hangs(void **state)
{
    struct decoder_watch w = { 0 };
    int64_t now = SECONDS(10);
    assert_false(decoder_watch_hangs(&w, now));
    decoder_watch_begin(&w);
    for (int i = 0; i <= 7; i++)
        assert_false(decoder_watch_hangs(&w, now += MS(200)));
    assert_true(decoder_watch_hangs(&w, now += MS(200)));
    decoder_watch_end(&w);
    assert_false(decoder_watch_hangs(&w, now += MS(200)));
}

static void calls_that_come_back_do_not_hang_however_many(void **state)
{
    struct decoder_watch w = { 0 };
    for (int64_t now = SECONDS(10); now < SECONDS(20); now += MS(400)) {
        decoder_watch_begin(&w);
        assert_false(decoder_watch_hangs(&w, now));
        decoder_watch_end(&w);
    }
    for (int64_t now = SECONDS(20); now < SECONDS(30); now += MS(400)) /* nobody calls: a pause */
        assert_false(decoder_watch_hangs(&w, now));
}

static void a_process_that_stood_still_does_not_hang(void **state)
{
    struct decoder_watch w = { 0 };
    decoder_watch_begin(&w);
    assert_false(decoder_watch_hangs(&w, SECONDS(10)));
    assert_false(decoder_watch_hangs(&w, SECONDS(3600)));
    decoder_watch_end(&w);
    assert_false(decoder_watch_hangs(&w, SECONDS(3601)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_stream_gets_its_decoder),
        cmocka_unit_test(the_profile_is_found_in_a_stream_without_a_box),
        cmocka_unit_test(a_call_that_does_not_come_back_hangs),
        cmocka_unit_test(calls_that_come_back_do_not_hang_however_many),
        cmocka_unit_test(a_process_that_stood_still_does_not_hang),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
