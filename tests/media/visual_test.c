#include "media/support.h"

#include <math.h>
#include <pthread.h>

#include "media/sound_levels.h"
#include "media/visual.h"

enum { PART = SAMPLE_RATE / VISUAL_RATE };

static AVFrame *canvas(void)
{
    AVFrame *f = av_frame_alloc();
    f->format = AV_PIX_FMT_YUV420P;
    f->width = VISUAL_WIDTH;
    f->height = VISUAL_HEIGHT;
    assert_int_equal(av_frame_get_buffer(f, 0), 0);
    return f;
}

static double mean_brightness(const AVFrame *f)
{
    double sum = 0;
    for (int y = 0; y < VISUAL_HEIGHT; y++) {
        for (int x = 0; x < VISUAL_WIDTH; x++)
            sum += f->data[0][(ptrdiff_t)y * f->linesize[0] + x];
    }
    return sum / (VISUAL_WIDTH * VISUAL_HEIGHT);
}

/* Largest difference of two pictures at one place. */
static int largest_step(const AVFrame *a, const AVFrame *b)
{
    int most = 0;
    for (int y = 0; y < VISUAL_HEIGHT; y++) {
        for (int x = 0; x < VISUAL_WIDTH; x++) {
            int d = abs(a->data[0][(ptrdiff_t)y * a->linesize[0] + x] -
                        b->data[0][(ptrdiff_t)y * b->linesize[0] + x]);
            most = d > most ? d : most;
        }
    }
    return most;
}

static double brightness_after(int pictures, float level)
{
    struct visual v = { 0 };
    AVFrame *f = canvas();
    for (int i = 0; i < pictures; i++) {
        v.index = (uint64_t)i;
        visual_draw(&v, level, f);
    }
    double mean = mean_brightness(f);
    av_frame_free(&f);
    return mean;
}

static void the_picture_swells_with_the_sound(void **state)
{
    double silent = brightness_after(50, 0), quiet = brightness_after(50, 0.3f),
           loud = brightness_after(50, 1.0f);
    assert_true(silent < quiet && quiet < loud);
    assert_true(silent > 16 && loud < 150);
}

static void it_moves_and_never_jumps(void **state)
{
    struct visual v = { 0 };
    AVFrame *last = canvas(), *f = canvas(), *first = canvas();
    for (int i = 0; i < 500; i++) {
        v.index = (uint64_t)i;
        visual_draw(&v, i % 50 < 25 ? 1.0f : 0.0f, f); /* the hardest beat there is */
        if (i == 0)
            assert_int_equal(av_frame_copy(first, f), 0);
        else
            assert_in_range(largest_step(last, f), 0, 40);
        assert_int_equal(av_frame_copy(last, f), 0);
    }
    assert_true(largest_step(first, last) > 20);
    av_frame_free(&last);
    av_frame_free(&f);
    av_frame_free(&first);
}

static void nonsense_levels_leave_a_picture(void **state)
{
    static const float levels[] = { NAN, INFINITY, -INFINITY, -1, 1e30f };
    for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
        double mean = brightness_after(50, levels[i]);
        assert_true(mean >= 16 && mean < 150);
    }
}

static float level_of(float amplitude)
{
    struct sound_levels *l = sound_levels_create(PART);
    float lr[PART * 2], level = -1;
    uint64_t number;
    for (size_t i = 0; i < ARRAY_LEN(lr); i++)
        lr[i] = i % 4 < 2 ? amplitude : -amplitude;
    sound_levels_feed(l, lr, PART);
    assert_true(sound_levels_take(l, &level, &number));
    sound_levels_destroy(l);
    return level;
}

static void levels_follow_loudness(void **state)
{
    assert_true(level_of(0) == 0);
    assert_true(level_of(0.01f) > 0.05f);
    assert_true(level_of(0.1f) > level_of(0.01f));
    assert_true(level_of(1.0f) > 0.99f && level_of(5.0f) <= 1.0f);
    assert_true(level_of(NAN) == 0);
}

static void one_level_for_each_part_however_it_is_fed(void **state)
{
    struct sound_levels *l = sound_levels_create(PART);
    float level;
    uint64_t number;
    for (int i = 0; i < 10; i++)
        sound_levels_feed(l, NULL, PART / 3 + 77 * (size_t)i);
    size_t fed = 10 * (PART / 3) + 77 * 45;
    sound_levels_finish(l);
    for (size_t i = 0; i < fed / PART; i++) {
        assert_true(sound_levels_take(l, &level, &number));
        assert_int_equal(number, i);
    }
    assert_false(sound_levels_take(l, &level, &number));
    sound_levels_destroy(l);
}

static void levels_nobody_took_give_way_to_newer_ones(void **state)
{
    struct sound_levels *l = sound_levels_create(PART);
    float level;
    uint64_t number, count = 0;
    sound_levels_feed(l, NULL, (size_t)PART * 1000);
    sound_levels_finish(l);
    while (sound_levels_take(l, &level, &number))
        count++;
    assert_int_equal(number, 999);
    assert_int_equal(count, 128);
    sound_levels_destroy(l);
    sound_levels_destroy(NULL);
}

static void *finish_run(void *levels)
{
    sound_levels_finish(levels);
    return NULL;
}

static void whoever_waits_for_a_level_is_woken_at_the_end(void **state)
{
    struct sound_levels *l = sound_levels_create(PART);
    pthread_t thread;
    float level;
    uint64_t number;
    assert_int_equal(pthread_create(&thread, NULL, finish_run, l), 0);
    assert_false(sound_levels_take(l, &level, &number));
    pthread_join(thread, NULL);
    sound_levels_destroy(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_picture_swells_with_the_sound),
        cmocka_unit_test(it_moves_and_never_jumps),
        cmocka_unit_test(nonsense_levels_leave_a_picture),
        cmocka_unit_test(levels_follow_loudness),
        cmocka_unit_test(one_level_for_each_part_however_it_is_fed),
        cmocka_unit_test(levels_nobody_took_give_way_to_newer_ones),
        cmocka_unit_test(whoever_waits_for_a_level_is_woken_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
