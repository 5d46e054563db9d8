/* Pictures of every format drawn by the software driver on SDL's dummy display and read back, against
 * a reference computed in double. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output/video.h"

#define OUT_W     320
#define OUT_H     180
#define TOLERANCE 3

static const char *const format_names[PIXEL_FORMATS] = { "none", "i420", "i422", "i444", "i010",
                                                         "i210", "i410", "nv12", "gray", "bgra" };

static bool is_10_bit(uint32_t format)
{
    return format == PIXEL_I010 || format == PIXEL_I210 || format == PIXEL_I410;
}

/* ---- colours ---------------------------------------------------------------------------------- */

struct rgb {
    double r, g, b; /* 0..255 */
};

/* The four quarters of a picture: top left, top right, bottom left, bottom right. */
static const struct rgb quarters[4] = {
    { 230, 30, 20 }, { 25, 200, 40 }, { 30, 60, 210 }, { 235, 235, 235 }
};

static void luma_weights(uint32_t matrix, double *kr, double *kb)
{
    static const double weights[][2] = {
        [MATRIX_BT601] = { 0.299, 0.114 },
        [MATRIX_BT709] = { 0.2126, 0.0722 },
        [MATRIX_BT2020] = { 0.2627, 0.0593 },
    };
    *kr = weights[matrix][0];
    *kb = weights[matrix][1];
}

/* Y, U and V as stored, in `bits` bits. */
static void encode(struct rgb c, const struct frame_desc *f, int bits, int out[3])
{
    double kr, kb, one = 1 << (bits - 8), top = (1 << bits) - 1;
    luma_weights(f->matrix, &kr, &kb);
    double y = (kr * c.r + (1 - kr - kb) * c.g + kb * c.b) / 255;
    double u = (c.b / 255 - y) / (2 * (1 - kb)), v = (c.r / 255 - y) / (2 * (1 - kr));
    double middle = 128 * one;
    out[0] = (int)lround(f->is_full_range ? y * top : (16 + 219 * y) * one);
    out[1] = (int)lround(middle + u * (f->is_full_range ? top : 224 * one));
    out[2] = (int)lround(middle + v * (f->is_full_range ? top : 224 * one));
    for (int i = 0; i < 3; i++)
        out[i] = out[i] < 0 ? 0 : out[i] > (int)top ? (int)top : out[i];
}

static double clip(double v)
{
    return v < 0 ? 0 : v > 255 ? 255 : v;
}

/* What the stored values mean. */
static struct rgb decode(const int yuv[3], const struct frame_desc *f, int bits)
{
    double kr, kb, one = 1 << (bits - 8), top = (1 << bits) - 1;
    luma_weights(f->matrix, &kr, &kb);
    double y = f->is_full_range ? yuv[0] / top : (yuv[0] / one - 16) / 219;
    double scale = f->is_full_range ? top : 224 * one;
    double u = (yuv[1] - 128 * one) / scale, v = (yuv[2] - 128 * one) / scale;
    double r = y + 2 * (1 - kr) * v, b = y + 2 * (1 - kb) * u;
    double g = (y - kr * r - kb * b) / (1 - kr - kb);
    return (struct rgb){ clip(255 * r), clip(255 * g), clip(255 * b) };
}

/* ---- pictures --------------------------------------------------------------------------------- */

struct sample {
    struct picture p;
    uint8_t *memory;
    struct rgb want[4]; /* of the quarters, in the order they have in the picture */
};

static void put(uint8_t *row, bool is_wide, int x, int value)
{
    if (is_wide) {
        row[2 * x] = (uint8_t)(value & 0xff);
        row[2 * x + 1] = (uint8_t)(value >> 8);
    } else {
        row[x] = (uint8_t)value;
    }
}

/* Writes one component of a plane: `step` samples apart, beginning with `first`. */
static void fill_plane(struct sample *s, int plane, int first, int step, const int value[4])
{
    const struct frame_desc *f = &s->p.desc;
    bool is_wide = is_10_bit(f->format);
    uint32_t row_bytes, rows;
    frame_plane_size(f, plane, &row_bytes, &rows);
    int count = (int)row_bytes / (is_wide ? 2 : 1) / step;
    uint8_t *base = s->memory + f->offset[plane];
    for (uint32_t y = 0; y < rows; y++) {
        for (int x = 0; x < count; x++)
            put(base + (size_t)y * f->stride[plane], is_wide, x * step + first,
                value[(y >= rows / 2 ? 2 : 0) + (x >= count / 2 ? 1 : 0)]);
    }
}

static void sample_fill(struct sample *s)
{
    const struct frame_desc *f = &s->p.desc;
    int bits = is_10_bit(f->format) ? 10 : 8, value[4][4];
    for (int q = 0; q < 4; q++) {
        int yuv[3];
        encode(quarters[q], f, bits, yuv);
        if (f->format == PIXEL_GRAY)
            yuv[1] = yuv[2] = 128;
        s->want[q] = decode(yuv, f, bits);
        for (int i = 0; i < 3; i++)
            value[i][q] = yuv[i];
        if (f->format == PIXEL_BGRA) {
            double alpha[4] = { 255, 255, 128, 0 };
            value[0][q] = (int)quarters[q].b;
            value[1][q] = (int)quarters[q].g;
            value[2][q] = (int)quarters[q].r;
            value[3][q] = (int)alpha[q];
            s->want[q] =
                (struct rgb){ quarters[q].r * alpha[q] / 255, quarters[q].g * alpha[q] / 255,
                              quarters[q].b * alpha[q] / 255 };
        }
    }
    if (f->format == PIXEL_BGRA) {
        for (int i = 0; i < 4; i++)
            fill_plane(s, 0, i, 4, value[i]);
        return;
    }
    fill_plane(s, 0, 0, 1, value[0]);
    if (f->format == PIXEL_NV12) {
        fill_plane(s, 1, 0, 2, value[1]);
        fill_plane(s, 1, 1, 2, value[2]);
    } else if (f->format != PIXEL_GRAY) {
        fill_plane(s, 1, 0, 1, value[1]);
        fill_plane(s, 2, 0, 1, value[2]);
    }
}

/* Planes exactly as large as they must be, so that the address checker sees a step outside. */
static void sample_init(struct sample *s, struct frame_desc f)
{
    size_t bytes = 0;
    for (int i = 0; i < FRAME_PLANES; i++) {
        uint32_t row_bytes, rows;
        frame_plane_size(&f, i, &row_bytes, &rows);
        f.stride[i] = row_bytes;
        f.offset[i] = bytes;
        bytes += (size_t)row_bytes * rows;
    }
    *s = (struct sample){ .p.desc = f, .memory = malloc(bytes) };
    assert_non_null(s->memory);
    for (int i = 0; i < FRAME_PLANES; i++)
        s->p.plane[i] = s->memory + f.offset[i];
    sample_fill(s);
}

static void sample_finish(struct sample *s)
{
    free(s->memory);
}

/* ---- the output ------------------------------------------------------------------------------- */

static struct video *video;
static uint8_t shot[OUT_W * OUT_H * 4];

static int open_video(void **state)
{
    return video_open(
        &video,
        &(struct video_params){ .driver = "dummy", .width = OUT_W, .height = OUT_H, .outputs = 1 });
}

static int close_video(void **state)
{
    video_close(video);
    return 0;
}

static void show(const struct picture *p, const struct bitmap *const *overlay, int count)
{
    struct video_output *o = video_output_at(video, 0);
    int w, h, stride;
    assert_int_equal(video_output_draw(o, p, overlay, count), 0);
    assert_int_equal(video_output_present(o), 0);
    assert_int_equal(video_output_read(o, shot, sizeof(shot), &w, &h, &stride), 0);
    assert_int_equal(w, OUT_W);
    assert_int_equal(h, OUT_H);
    assert_int_equal(stride, OUT_W * 4);
}

static bool pixel_is(int x, int y, struct rgb want, double tolerance)
{
    const uint8_t *p = shot + ((size_t)y * OUT_W + (size_t)x) * 4;
    return fabs(p[2] - want.r) <= tolerance && fabs(p[1] - want.g) <= tolerance &&
           fabs(p[0] - want.b) <= tolerance;
}

static const struct rgb black = { 0, 0, 0 };

/* Notes the first pixel that is otherwise in `wrong`. */
static const uint8_t *wrong;

static bool area_is(struct rect r, struct rgb want, double tolerance)
{
    for (int y = r.y; y < r.y + r.h; y++) {
        for (int x = r.x; x < r.x + r.w; x++) {
            wrong = shot + ((size_t)y * OUT_W + (size_t)x) * 4;
            if (!pixel_is(x, y, want, tolerance))
                return false;
        }
    }
    return true;
}

/* Which quarter of the picture is seen in quarter `q` of the screen after turning it clockwise. */
static int quarter_seen(int q, uint32_t rotation)
{
    static const int after_90[4] = { 2, 0, 3, 1 };
    for (; rotation > 0; rotation -= 90)
        q = after_90[q];
    return q;
}

/* The middle of each quarter, away from where quarters and filters meet. */
static void check_quarters(const struct sample *s, struct rect r, double tolerance,
                           const char *what)
{
    for (int q = 0; q < 4; q++) {
        struct rgb want = s->want[quarter_seen(q, s->p.desc.rotation)];
        struct rect middle = { r.x + (q & 1) * r.w / 2 + r.w / 8,
                               r.y + (q >> 1) * r.h / 2 + r.h / 8, r.w / 4, r.h / 4 };
        if (!area_is(middle, want, tolerance)) {
            long at = (wrong - shot) / 4;
            fail_msg("%s, quarter %d, pixel %ld,%ld: %d %d %d instead of %.1f %.1f %.1f", what, q,
                     at % OUT_W, at / OUT_W, wrong[2], wrong[1], wrong[0], want.r, want.g, want.b);
        }
    }
}

/* ---- tests ------------------------------------------------------------------------------------ */

static void every_format_matrix_range_rotation_and_size_has_its_colours(void **state)
{
    static const struct {
        uint32_t w, h;
    } sizes[] = { { OUT_W, OUT_H }, { 160, 90 }, { 480, 270 },
                  { 1280, 720 },    { 161, 91 }, { 123, 97 } };
    for (uint32_t format = PIXEL_I420; format < PIXEL_FORMATS; format++) {
        for (uint32_t k = 0; k < ARRAY_LEN(sizes) * 24; k++) {
            struct frame_desc f = { .format = format,
                                    .matrix = k % 3,
                                    .is_full_range = k / 3 % 2,
                                    .rotation = k / 6 % 4 * 90,
                                    .width = sizes[k / 24].w,
                                    .height = sizes[k / 24].h,
                                    .sar_num = 1,
                                    .sar_den = 1,
                                    .number = k,
                                    .load = format };
            char what[96];
            snprintf(what, sizeof(what), "%s, matrix %u, full range %u, turned %u, %ux%u",
                     format_names[format], f.matrix, f.is_full_range, f.rotation, f.width,
                     f.height);
            struct sample s;
            sample_init(&s, f);
            show(&s.p, NULL, 0);
            struct rect r = picture_fit(&f, OUT_W, OUT_H);
            /* The average of many pixels rounds each component down. */
            bool shrinks = (int)f.width * (int)f.height > 4 * r.w * r.h;
            check_quarters(&s, r, shrinks ? TOLERANCE + 1.5 : TOLERANCE, what);
            sample_finish(&s);
        }
    }
}

/* Each call another frame, as the contract of draw() wants it. */
static struct frame_desc plain(uint32_t w, uint32_t h)
{
    static uint64_t number;
    return (struct frame_desc){ .format = PIXEL_I420,
                                .matrix = MATRIX_BT709,
                                .width = w,
                                .height = h,
                                .sar_num = 1,
                                .sar_den = 1,
                                .load = 1,
                                .number = ++number };
}

static void what_the_picture_does_not_cover_is_black(void **state)
{
    struct sample wide, narrow;
    sample_init(&wide, plain(320, 180));
    sample_init(&narrow, plain(240, 180));
    show(&wide.p, NULL, 0);
    show(&narrow.p, NULL, 0);
    check_quarters(&narrow, (struct rect){ 40, 0, 240, 180 }, TOLERANCE, "4:3");
    assert_true(area_is((struct rect){ 0, 0, 40, OUT_H }, black, 0));
    assert_true(area_is((struct rect){ 280, 0, 40, OUT_H }, black, 0));
    show(NULL, NULL, 0);
    assert_true(area_is((struct rect){ 0, 0, OUT_W, OUT_H }, black, 0));
    sample_finish(&wide);
    sample_finish(&narrow);
}

/* Every size down to one pixel is drawn without stepping outside of its planes. */
static void tiny_and_odd_pictures_are_drawn(void **state)
{
    static const uint32_t turns[] = { 0, 90, 180, 270 };
    for (uint32_t format = PIXEL_I420; format < PIXEL_FORMATS; format++) {
        for (uint32_t w = 1; w <= 5; w++) {
            for (uint32_t h = 1; h <= 5; h++) {
                struct frame_desc f = plain(w, h);
                f.format = format;
                f.rotation = turns[(w + h) % 4];
                struct sample s;
                sample_init(&s, f);
                show(&s.p, NULL, 0);
                sample_finish(&s);
            }
        }
    }
}

static void a_picture_that_cannot_be_is_refused_and_black(void **state)
{
    static const struct frame_desc impossible[] = {
        { .format = PIXEL_FORMATS, .width = 16, .height = 16, .sar_num = 1, .sar_den = 1 },
        { .format = PIXEL_I420,
          .width = 16,
          .height = 16,
          .sar_num = 1,
          .sar_den = 1,
          .rotation = 45,
          .stride = { 16, 8, 8 } },
        { .format = PIXEL_I420,
          .width = 16,
          .height = 16,
          .sar_num = 1,
          .sar_den = 1,
          .stride = { 16, 8, 7 } },
        { .format = PIXEL_I420,
          .width = 99999,
          .height = 16,
          .sar_num = 1,
          .sar_den = 1,
          .stride = { 99999, 99999, 99999 } },
    };
    static const uint8_t memory[1024];
    struct video_output *o = video_output_at(video, 0);
    for (size_t i = 0; i < ARRAY_LEN(impossible); i++) {
        struct picture p = { .desc = impossible[i], .plane = { memory, memory, memory } };
        assert_true(video_output_draw(o, &p, NULL, 0) < 0);
        show(NULL, NULL, 0);
        assert_true(area_is((struct rect){ 0, 0, OUT_W, OUT_H }, black, 0));
    }
}

/* ---- overlay ---------------------------------------------------------------------------------- */

struct painted {
    struct bitmap b;
    uint8_t pixels[64 * 32 * 4];
};

static void painted_init(struct painted *m, int x, int y, const uint8_t bgra[4])
{
    m->b = (struct bitmap){ x, y, 64, 32, 64 * 4, m->pixels };
    for (size_t i = 0; i < sizeof(m->pixels); i++)
        m->pixels[i] = bgra[i % 4];
}

static struct rgb over(const uint8_t bgra[4], struct rgb below)
{
    double left = (255.0 - bgra[3]) / 255;
    return (struct rgb){ bgra[2] + below.r * left, bgra[1] + below.g * left,
                         bgra[0] + below.b * left };
}

static void overlay_is_blended_over_the_picture(void **state)
{
    static const uint8_t pixels[][4] = {
        { 0, 0, 0, 0 },       /* nothing */
        { 10, 200, 90, 255 }, /* opaque */
        { 20, 40, 60, 128 },  /* half */
        { 0, 0, 0, 200 },     /* a shade */
    };
    struct sample s;
    sample_init(&s, plain(320, 180));
    for (size_t i = 0; i < ARRAY_LEN(pixels); i++) {
        struct painted m;
        painted_init(&m, 40, 20, pixels[i]);
        show(&s.p, (const struct bitmap *[]){ &m.b }, 1);
        assert_true(
            area_is((struct rect){ 40, 20, 64, 32 }, over(pixels[i], s.want[0]), TOLERANCE));
        assert_true(area_is((struct rect){ 8, 8, 30, 60 }, s.want[0], TOLERANCE));
        assert_true(area_is((struct rect){ 105, 20, 20, 32 }, s.want[0], TOLERANCE));
    }
    sample_finish(&s);
}

static void later_bitmaps_lie_over_earlier_ones(void **state)
{
    struct painted below, above;
    painted_init(&below, 10, 10, (const uint8_t[]){ 200, 0, 0, 255 });
    painted_init(&above, 30, 20, (const uint8_t[]){ 0, 0, 100, 100 });
    show(NULL, (const struct bitmap *[]){ &below.b, &above.b }, 2);
    struct rgb both = over((const uint8_t[]){ 0, 0, 100, 100 }, (struct rgb){ 0, 0, 200 });
    assert_true(area_is((struct rect){ 30, 20, 44, 22 }, both, 2));
    assert_true(area_is((struct rect){ 10, 10, 20, 10 }, (struct rgb){ 0, 0, 200 }, 0));
    assert_true(area_is((struct rect){ 74, 42, 20, 10 }, (struct rgb){ 100, 0, 0 }, 2));
}

static void overlay_is_cut_at_the_edges(void **state)
{
    static const struct {
        int x, y;
        struct rect seen;
    } places[] = {
        { -40, -20, { 0, 0, 24, 12 } },
        { OUT_W - 10, OUT_H - 5, { OUT_W - 10, OUT_H - 5, 10, 5 } },
        { -64, 0, { 0 } },
        { OUT_W, 0, { 0 } },
        { INT32_MAX - 10, INT32_MAX - 10, { 0 } },
        { INT32_MIN, 5, { 0 } },
    };
    static const uint8_t white[4] = { 255, 255, 255, 255 };
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        struct painted m;
        painted_init(&m, places[i].x, places[i].y, white);
        show(NULL, (const struct bitmap *[]){ &m.b }, 1);
        int seen = 0;
        for (int k = 0; k < OUT_W * OUT_H; k++)
            seen += shot[4 * k] == 255;
        assert_int_equal(seen, places[i].seen.w * places[i].seen.h);
        assert_true(area_is(places[i].seen, (struct rgb){ 255, 255, 255 }, 0));
    }
}

static void overlay_that_goes_away_leaves_nothing_behind(void **state)
{
    static const uint8_t white[4] = { 255, 255, 255, 255 };
    struct sample s;
    struct painted bar, edge;
    sample_init(&s, plain(240, 180));
    painted_init(&bar, 0, 100, white); /* half on the black bar, half on the picture */
    painted_init(&edge, 260, 0, white);
    show(&s.p, (const struct bitmap *[]){ &bar.b, &edge.b }, 2);
    assert_true(area_is((struct rect){ 0, 100, 64, 32 }, (struct rgb){ 255, 255, 255 }, 0));
    show(&s.p, NULL, 0);
    check_quarters(&s, (struct rect){ 40, 0, 240, 180 }, TOLERANCE, "without overlay");
    assert_true(area_is((struct rect){ 0, 0, 40, OUT_H }, black, 0));
    assert_true(area_is((struct rect){ 280, 0, 40, OUT_H }, black, 0));
    sample_finish(&s);
}

static void read_back_needs_the_room(void **state)
{
    int w, h, stride;
    assert_true(
        video_output_read(video_output_at(video, 0), shot, sizeof(shot) - 1, &w, &h, &stride) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_format_matrix_range_rotation_and_size_has_its_colours),
        cmocka_unit_test(what_the_picture_does_not_cover_is_black),
        cmocka_unit_test(tiny_and_odd_pictures_are_drawn),
        cmocka_unit_test(a_picture_that_cannot_be_is_refused_and_black),
        cmocka_unit_test(overlay_is_blended_over_the_picture),
        cmocka_unit_test(later_bitmaps_lie_over_earlier_ones),
        cmocka_unit_test(overlay_is_cut_at_the_edges),
        cmocka_unit_test(overlay_that_goes_away_leaves_nothing_behind),
        cmocka_unit_test(read_back_needs_the_room),
    };
    return cmocka_run_group_tests(tests, open_video, close_video);
}
