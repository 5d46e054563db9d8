/* When the stage says that it works, and how long it may take to say so; what it does when displays come. On outputs that
 * show pictures only when the test lets them. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/now.h"
#include "output/video.h"
#include "shm/control.h"
#include "stage/stage.h"
#include "support/folder.h"

/* What present() answers in order, per output: '.' shows, 'x' cannot. The stage is stopped after the last. */
static struct {
    const char *script[2];
    size_t at[2];
    int outputs;
    bool has_card;    /* they are the kernel's */
    bool is_plugging; /* the second output appears after the first turn */
    int reopened;
    const char *dir;
    bool stood_still; /* the sound, while displays were opened anew */
    struct output_row row[2];
    int64_t limit_ns;      /* of a turn, as the control segment says at the end */
    bool shows[2];         /* what the last present() of each did */
    char told[256];        /* what the manager was told, a letter each: R, W, L(imit) */
    bool may_start_slowly; /* the manager was told so */
    bool told_in_vain;     /* ... while an output did not show its picture */
    volatile sig_atomic_t stop;
} world;

/* A pointer that tells outputs apart. */
static struct video_output *output_of(int i)
{
    static char names[2];
    return (struct video_output *)(void *)&names[i];
}

static int index_of(const struct video_output *o)
{
    return o == output_of(1);
}

int video_open(struct video **out, const struct video_params *p)
{
    *out = (struct video *)(void *)&world;
    return 0;
}

bool video_has_changed(struct video *v)
{
    return true;
}

int video_reopen(struct video *v)
{
    struct segment segment;
    struct control *control;
    int64_t first_ns = 0, end_ns = now_mono_ns() + SECONDS(10);
    assert_int_equal(control_open(&segment, world.dir, &control), 0);
    world.stood_still = true;
    while (world.stood_still && now_mono_ns() < end_ns) {
        struct play_clock clock;
        if (!play_clock_load(&control->clock, &clock))
            continue;
        first_ns = first_ns ? first_ns : clock.mono_ns;
        world.stood_still = clock.mono_ns == first_ns;
    }
    segment_close(&segment);
    world.reopened++;
    world.outputs = 2;
    return 0;
}

void video_close(struct video *v)
{
}

bool video_has_card(const struct video *v)
{
    return world.has_card;
}

int video_output_count(const struct video *v)
{
    return world.outputs;
}

struct video_output *video_output_at(struct video *v, int i)
{
    return output_of(i);
}

bool video_is_offscreen(const struct video *v)
{
    return true;
}

const char *video_driver_name(const struct video *v)
{
    return "script";
}

void video_output_info(const struct video_output *o, struct output_info *out)
{
    *out = (struct output_info){ .width = 64, .height = 36 };
    snprintf(out->name, sizeof(out->name), "TV-%d", index_of(o));
}

int video_output_draw(struct video_output *o, const struct picture *p,
                      const struct bitmap *const *overlay, int overlay_count)
{
    return 0;
}

int video_output_present(struct video_output *o)
{
    int i = index_of(o);
    const char *script = world.script[i];
    world.shows[i] = script[world.at[i]] == '.';
    if (script[world.at[i] + 1])
        world.at[i]++;
    else
        world.stop = 1;
    return world.shows[i] ? 0 : -EIO;
}

int video_output_read(struct video_output *o, uint8_t *pixels, size_t size, int *width, int *height,
                      int *stride)
{
    return -ENODATA;
}

bool video_poll(struct video *v, struct video_event *out)
{
    bool is_plugged = world.is_plugging && world.at[0] > 0;
    if (is_plugged)
        world.is_plugging = false;
    *out = (struct video_event){ .kind = VIDEO_DISPLAYS };
    return is_plugged;
}

void video_wake(struct video *v)
{
}

void video_wait(struct video *v, int64_t deadline_mono_ns)
{
}

static int notify(int unset_environment, const char *state)
{
    size_t n = strlen(world.told);
    if (strncmp(state, "EXTEND_TIMEOUT_USEC=", 20) == 0) { /* nothing is shown yet */
        world.may_start_slowly = n == 0;
        return 1;
    }
    for (int i = 0; i < world.outputs; i++)
        world.told_in_vain |= !world.shows[i];
    bool is_limit = strncmp(state, "WATCHDOG_USEC=", 14) == 0;
    snprintf(world.told + n, sizeof(world.told) - n, "%c", is_limit ? 'L' : *state);
    return 1;
}

static void look_at_rows(const char *dir)
{
    struct segment segment;
    struct control *control;
    assert_int_equal(control_open(&segment, dir, &control), 0);
    for (int i = 0; i < 2; i++)
        assert_true(output_row_load(&control->output[i], &world.row[i]));
    segment_close(&segment);
}

/* Of outputs that a former life of the stage had. */
static void leave_rows(const char *dir, const char *const *names)
{
    struct segment segment;
    struct control *control;
    assert_int_equal(control_open(&segment, dir, &control), 0);
    for (int i = 0; i < 2 && names[i]; i++) {
        struct output_row row = { .width = 64, .presented = 100, .late = 10 };
        snprintf(row.name, sizeof(row.name), "%s", names[i]);
        output_row_store(&control->output[i], &row);
    }
    segment_close(&segment);
}

static int64_t limit_of_turns(const char *dir)
{
    struct segment segment;
    struct control *control;
    assert_int_equal(control_open(&segment, dir, &control), 0);
    int64_t limit_ns = atomic_load(&control->process[PROCESS_STAGE0].limit_ns);
    segment_close(&segment);
    return limit_ns;
}

struct displays {
    const char *first, *second; /* scripts; NULL: it is not there */
    bool has_card, is_plugging;
    const char *had[2]; /* outputs of a former life, or NULL */
};

static void run_on(const struct displays *d)
{
    struct config config;
    struct config_error error;
    struct log log = { "stage", LOG_ERROR };
    struct service service = { .notify = notify, .period_ns = 1 }; /* each turn, if it may */
    char dir[64];
    memset(&world, 0, sizeof(world));
    world.script[0] = d->first;
    world.script[1] = d->second;
    world.outputs = d->second && !d->is_plugging ? 2 : 1;
    world.has_card = d->has_card;
    world.is_plugging = d->is_plugging;
    folder_make(dir);
    world.dir = dir;
    leave_rows(dir, d->had);
    config_init(&config);
    assert_int_equal(config_set(&config, "sound.driver", "null", &error), 0);
    assert_int_equal(config_set(&config, "display.overlay", "no", &error), 0);
    assert_int_equal(stage_run(&(struct stage_params){ .config = &config,
                                                       .runtime_dir = dir,
                                                       .stop = &world.stop,
                                                       .log = &log,
                                                       .service = &service }),
                     0);
    world.limit_ns = limit_of_turns(dir);
    look_at_rows(dir);
    config_finish(&config);
    folder_remove(dir);
}

static void run_stage(const char *first, const char *second)
{
    run_on(&(struct displays){ first, second });
}

static void it_is_ready_when_the_first_picture_is_shown_and_not_before(void **state)
{
    run_stage("xxx", NULL);
    assert_string_equal(world.told, "");
    assert_true(world.may_start_slowly);
    run_stage("xxx..", NULL);
    assert_int_equal(world.told[0], 'R');
    assert_false(world.told_in_vain);
}

static void it_is_ready_when_every_screen_shows_one(void **state)
{
    run_stage("......", "xxxxxx");
    assert_string_equal(world.told, "");
    run_stage("......", "xx....");
    assert_int_equal(world.told[0], 'R');
    assert_false(world.told_in_vain);
}

static void it_gives_no_sign_of_life_while_a_screen_takes_no_picture(void **state)
{
    run_stage("..xxxxx..", NULL);
    assert_non_null(strchr(world.told, 'W'));
    assert_false(world.told_in_vain);
}

/* A flip may never end there; a window system is waited for. */
static void its_turns_are_limited_on_the_displays_of_the_kernel_alone(void **state)
{
    run_on(&(struct displays){ .first = "....", .has_card = true });
    assert_int_equal(world.limit_ns, SECONDS(2));
    run_on(&(struct displays){ .first = "xxxx", .has_card = true }); /* modes are still being set */
    assert_int_equal(world.limit_ns, SECONDS(60));
    run_on(&(struct displays){ .first = "....", .has_card = false });
    assert_int_equal(world.limit_ns, 0);
}

static void when_a_display_comes_all_are_opened_anew_and_the_sound_goes_on(void **state)
{
    run_on(&(struct displays){ .first = ".....", .second = "....", .is_plugging = true });
    assert_int_equal(world.reopened, 1);
    assert_true(world.at[1] > 0);
    assert_false(world.stood_still);
    assert_false(world.told_in_vain);
    assert_non_null(strchr(world.told, 'L')); /* the manager waits for it */
    run_stage(".....", "....");
    assert_int_equal(world.reopened, 0);
    assert_null(strchr(world.told, 'L'));
}

static void an_output_that_is_gone_keeps_its_counts(void **state)
{
    run_on(&(struct displays){ .first = "...", .had = { "hall", "TV-0" } });
    assert_string_equal(world.row[0].name, "hall");
    assert_int_equal(world.row[0].late, 10);
    assert_false(output_is_here(&world.row[0]));
    assert_string_equal(world.row[1].name, "TV-0");
    assert_int_equal(world.row[1].late, 10);
    assert_true(world.row[1].presented > 100);
    assert_true(output_is_here(&world.row[1]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_ready_when_the_first_picture_is_shown_and_not_before),
        cmocka_unit_test(an_output_that_is_gone_keeps_its_counts),
        cmocka_unit_test(it_is_ready_when_every_screen_shows_one),
        cmocka_unit_test(it_gives_no_sign_of_life_while_a_screen_takes_no_picture),
        cmocka_unit_test(its_turns_are_limited_on_the_displays_of_the_kernel_alone),
        cmocka_unit_test(when_a_display_comes_all_are_opened_anew_and_the_sound_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
