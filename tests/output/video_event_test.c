#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <SDL.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/now.h"
#include "output/video_driver.h"

static struct video *video;

/* Stands in for SDL's: notes what the display is given. */
static SDL_Rect handed_over;

int SDL_UpdateWindowSurfaceRects(SDL_Window *window, const SDL_Rect *rects, int count)
{
    assert_int_equal(count, 1);
    handed_over = rects[0];
    return 0;
}

static int open_video(void **state)
{
    return video_open(&video, &(struct video_params){ .driver = "offscreen", .outputs = 2 });
}

static int close_video(void **state)
{
    video_close(video);
    return 0;
}

/* ---- opening ---------------------------------------------------------------------------------- */

static void off_screen_windows_have_the_usual_size_and_names(void **state)
{
    struct output_info info;
    assert_int_equal(video_output_count(video), 2);
    assert_true(video_is_offscreen(video));
    assert_string_equal(video_driver_name(video), "offscreen, software");
    video_output_info(video_output_at(video, 1), &info);
    assert_string_equal(info.name, "window-2");
    assert_int_equal(info.width, 1280);
    assert_int_equal(info.height, 720);
    assert_false(info.has_vsync);
    assert_null(video_output_at(video, 2));
    assert_null(video_output_at(video, -1));
}

static void signals_stay_with_the_program(void **state)
{
    struct sigaction s;
    assert_int_equal(sigaction(SIGTERM, NULL, &s), 0);
    assert_true(s.sa_handler == SIG_DFL);
    assert_int_equal(sigaction(SIGINT, NULL, &s), 0);
    assert_true(s.sa_handler == SIG_DFL);
}

/* ---- events ----------------------------------------------------------------------------------- */

static void push_key(SDL_Keycode key, bool is_repeat)
{
    SDL_Event e = { .key = { .type = SDL_KEYDOWN,
                             .timestamp = SDL_GetTicks(),
                             .state = SDL_PRESSED,
                             .repeat = is_repeat,
                             .keysym.sym = key } };
    assert_int_equal(SDL_PushEvent(&e), 1);
}

static void push_window_event(int output, uint8_t kind)
{
    SDL_Event e = { .window = { .type = SDL_WINDOWEVENT,
                                .windowID = SDL_GetWindowID(video->output[output].window),
                                .event = kind } };
    assert_int_equal(SDL_PushEvent(&e), 1);
}

static void drain(void)
{
    struct video_event e;
    while (video_poll(video, &e))
        ;
}

static void keys_come_out_as_input_in_their_order(void **state)
{
    struct video_event e;
    int64_t before = now_mono_ns();
    drain();
    push_key(SDLK_SPACE, false);
    push_key(SDLK_SPACE, true);
    push_key(SDLK_F5, false);
    push_key(SDLK_UP, true);
    assert_true(video_poll(video, &e));
    assert_int_equal(e.kind, VIDEO_INPUT);
    assert_int_equal(e.input.action, INPUT_PAUSE_TOGGLE);
    assert_true(e.input.mono_ns >= before - MS(2) && e.input.mono_ns <= now_mono_ns());
    assert_true(video_poll(video, &e));
    assert_int_equal(e.input.action, INPUT_VOLUME_STEP);
    assert_int_equal(e.input.value, 5);
    assert_false(video_poll(video, &e));
}

static void window_events_name_their_output(void **state)
{
    struct video_event e;
    drain();
    push_window_event(1, SDL_WINDOWEVENT_EXPOSED);
    push_window_event(0, SDL_WINDOWEVENT_SIZE_CHANGED);
    push_window_event(1, SDL_WINDOWEVENT_CLOSE);
    assert_true(video_poll(video, &e));
    assert_int_equal(e.kind, VIDEO_EXPOSED);
    assert_int_equal(e.output, 1);
    assert_true(video_poll(video, &e));
    assert_int_equal(e.kind, VIDEO_RESIZED);
    assert_int_equal(e.output, 0);
    assert_true(video_poll(video, &e));
    assert_int_equal(e.kind, VIDEO_QUIT);
    assert_false(video_poll(video, &e));
}

static void a_flood_of_keys_is_cut(void **state)
{
    struct video_event e;
    int count = 0;
    drain();
    for (int i = 0; i < 4 * VIDEO_EVENTS_MAX; i++)
        push_key(SDLK_n, false);
    while (video_poll(video, &e))
        count++;
    assert_int_equal(count, VIDEO_INPUTS_MAX);
}

static void a_flood_of_keys_hides_no_window_event(void **state)
{
    struct video_event e;
    int resized = 0, exposed = 0, quit = 0, keys = 0;
    drain();
    for (int i = 0; i < 4 * VIDEO_EVENTS_MAX; i++)
        push_key(SDLK_n, false);
    for (int i = 0; i < 4 * VIDEO_EVENTS_MAX; i++) {
        push_window_event(i % 2, SDL_WINDOWEVENT_SIZE_CHANGED);
        push_window_event(i % 2, SDL_WINDOWEVENT_EXPOSED);
    }
    push_window_event(0, SDL_WINDOWEVENT_CLOSE);
    while (video_poll(video, &e)) {
        keys += e.kind == VIDEO_INPUT;
        resized += e.kind == VIDEO_RESIZED;
        exposed += e.kind == VIDEO_EXPOSED;
        quit += e.kind == VIDEO_QUIT;
    }
    assert_int_equal(keys, VIDEO_INPUTS_MAX);
    assert_int_equal(resized, 2); /* one for each output, however often it happened */
    assert_int_equal(exposed, 2);
    assert_int_equal(quit, 1);
}

/* The bars beside a 4:3 picture never change, so they are handed over once; but a window that was
 * covered has lost them, too. */
static void a_window_that_lost_its_content_is_given_all_of_it(void **state)
{
    static const uint8_t grey[320 * 240];
    static const uint8_t lost_by[] = { SDL_WINDOWEVENT_EXPOSED, SDL_WINDOWEVENT_SIZE_CHANGED };
    struct video_output *o = video_output_at(video, 1);
    struct picture p = { .desc = { .format = PIXEL_GRAY,
                                   .width = 320,
                                   .height = 240,
                                   .stride = { 320 },
                                   .sar_num = 1,
                                   .sar_den = 1 },
                         .plane = { grey } };
    for (size_t i = 0; i < ARRAY_LEN(lost_by); i++) {
        for (int turn = 0; turn < 2; turn++) {
            assert_int_equal(video_output_draw(o, &p, NULL, 0), 0);
            assert_int_equal(video_output_present(o), 0);
        }
        assert_int_equal(handed_over.w, 960);
        push_window_event(1, lost_by[i]);
        drain();
        assert_int_equal(video_output_draw(o, &p, NULL, 0), 0);
        assert_int_equal(video_output_present(o), 0);
        assert_int_equal(handed_over.x, 0);
        assert_int_equal(handed_over.w, 1280);
        assert_int_equal(handed_over.h, 720);
    }
}

/* ---- waiting: each of these would not end if it were wrong ------------------------------------- */

static void wait_ends_at_once_when_an_event_is_there(void **state)
{
    struct video_event e;
    drain();
    push_key(SDLK_m, false);
    video_wait(video, INT64_MAX);
    assert_true(video_poll(video, &e));
    assert_int_equal(e.input.action, INPUT_MUTE_TOGGLE);
}

static void wait_ends_when_woken_before(void **state)
{
    drain();
    video_wake(video);
    video_wake(video);
    video_wait(video, INT64_MAX);
}

static void *wake_often(void *arg)
{
    for (int i = 0; i < 200; i++)
        video_wake(arg);
    return NULL;
}

static void wait_ends_when_another_thread_wakes(void **state)
{
    pthread_t t;
    drain();
    assert_int_equal(pthread_create(&t, NULL, wake_often, video), 0);
    video_wait(video, INT64_MAX);
    pthread_join(t, NULL);
}

static void wait_does_not_end_before_its_time_without_a_reason(void **state)
{
    drain();
    video_wake(video);
    video_wait(video, 0);
    int64_t deadline = now_mono_ns() + MS(20);
    video_wait(video, deadline);
    assert_true(now_mono_ns() >= deadline);
}

static void wait_for_a_time_that_is_over_ends(void **state)
{
    drain();
    video_wait(video, 0);
    video_wait(video, INT64_MIN);
    video_wait(video, now_mono_ns());
}

/* ---- what there is to draw on ----------------------------------------------------------------- */

/* What a stage does when displays come and go. */
static void outputs_are_there_again_after_a_reopening(void **state)
{
    struct output_info info;
    push_key(SDLK_SPACE, false);
    assert_int_equal(video_reopen(video), 0);
    assert_int_equal(video_output_count(video), 2);
    video_output_info(video_output_at(video, 1), &info);
    assert_string_equal(info.name, "window-2");
    assert_int_equal(video_output_draw(video_output_at(video, 0), NULL, NULL, 0), 0);
    assert_int_equal(video_output_present(video_output_at(video, 0)), 0);
    drain();
    push_key(SDLK_SPACE, false);
    struct video_event e;
    assert_true(video_poll(video, &e));
    assert_int_equal(e.input.action, INPUT_PAUSE_TOGGLE);
}

static void what_cannot_be_opened_is_an_error(void **state)
{
    struct video *v = (struct video *)&v;
    assert_true(video_open(&v, &(struct video_params){ .driver = "gramophone" }) < 0);
    assert_null(v);
    assert_true(
        video_open(&v, &(struct video_params){ .driver = "dummy", .renderer = "gramophone" }) < 0);
    assert_null(v);
    video_close(NULL);
}

static void a_display_that_does_not_answer_is_replaced_by_none(void **state)
{
    struct video *v;
    setenv("DISPLAY", ":65000", 1);
    unsetenv("WAYLAND_DISPLAY");
    unsetenv("SDL_VIDEODRIVER");
    assert_int_equal(video_open(&v, &(struct video_params){ .driver = "auto", .fullscreen = true }),
                     0);
    assert_true(video_is_offscreen(v));
    video_close(v);
    unsetenv("DISPLAY");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(off_screen_windows_have_the_usual_size_and_names),
        cmocka_unit_test(signals_stay_with_the_program),
        cmocka_unit_test(keys_come_out_as_input_in_their_order),
        cmocka_unit_test(window_events_name_their_output),
        cmocka_unit_test(a_flood_of_keys_is_cut),
        cmocka_unit_test(a_flood_of_keys_hides_no_window_event),
        cmocka_unit_test(a_window_that_lost_its_content_is_given_all_of_it),
        cmocka_unit_test(wait_ends_at_once_when_an_event_is_there),
        cmocka_unit_test(wait_ends_when_woken_before),
        cmocka_unit_test(wait_ends_when_another_thread_wakes),
        cmocka_unit_test(wait_does_not_end_before_its_time_without_a_reason),
        cmocka_unit_test(wait_for_a_time_that_is_over_ends),
        cmocka_unit_test(outputs_are_there_again_after_a_reopening),
    };
    const struct CMUnitTest opening[] = {
        cmocka_unit_test(what_cannot_be_opened_is_an_error),
        cmocka_unit_test(a_display_that_does_not_answer_is_replaced_by_none),
    };
    int failed = cmocka_run_group_tests_name("an open output", tests, open_video, close_video);
    return failed + cmocka_run_group_tests_name("opening", opening, NULL, NULL);
}
