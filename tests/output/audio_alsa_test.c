/* The ALSA driver on a device that is made of the functions below, which stand in for alsa-lib's: it runs
 * dry, is suspended, stands still and is pulled out when the test wants it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <alsa/asoundlib.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>

#include "base/compiler.h"
#include "base/now.h"
#include "output/audio.h"

#define PERIOD  256
#define PERIODS 4
#define BUFFER  (PERIOD * PERIODS)

/* ---- the device ------------------------------------------------------------------------------- */

/* What the driver's thread meets, one after the other; the one before END holds on. */
enum trouble { GOES_WELL, RUNS_DRY, IS_SUSPENDED, STANDS_STILL, IS_GONE, END };

#define WRITES_A_STEP 8 /* that go well, then comes the next step */

struct device {
    const enum trouble *script;
    int resume_again;  /* so many times a resume says: not yet */
    int resume_result; /* then it says this */
    int write_max;     /* frames taken at once */
    bool has_no_float;

    /* The driver's thread only, until it ended. */
    int step;   /* of the script */
    int queued; /* frames */
    int writes, prepared, resumed;
    int16_t first_s16;
    bool is_closed;
};

/* One for the program, as alsa-lib's functions know no other context. */
static struct device device;
static sem_t filled; /* a block was asked for */

static enum trouble trouble(void)
{
    return device.script[device.step];
}

static void next_step(void)
{
    if (device.script[device.step + 1] != END)
        device.step++;
}

/* The driver's clock: only waiting takes time. */
static _Atomic int64_t time_ns = SECONDS(1000);

int64_t now_mono_ns(void)
{
    return time_ns;
}

int64_t now_wall_ms(void)
{
    return 0;
}

int poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    time_ns += MS(timeout_ms);
    return 0;
}

/* What alsa-lib says now; 0: it goes well, or so it seems. */
static int state(void)
{
    static const int codes[END] = {
        [RUNS_DRY] = -EPIPE, [IS_SUSPENDED] = -ESTRPIPE, [IS_GONE] = -ENODEV
    };
    return codes[trouble()];
}

int snd_pcm_open(snd_pcm_t **pcm, const char *name, snd_pcm_stream_t stream, int mode)
{
    *pcm = (snd_pcm_t *)&device;
    return 0;
}

/* This machine's cards are of no interest here. */
int snd_card_next(int *number)
{
    *number = -1;
    return 0;
}

snd_pcm_type_t snd_pcm_type(snd_pcm_t *pcm)
{
    return SND_PCM_TYPE_HW;
}

int snd_pcm_close(snd_pcm_t *pcm)
{
    device.is_closed = true;
    return 0;
}

snd_pcm_sframes_t snd_pcm_avail_update(snd_pcm_t *pcm)
{
    if (trouble() == STANDS_STILL)
        return 0;
    return state() < 0 ? state() : BUFFER - device.queued;
}

int snd_pcm_wait(snd_pcm_t *pcm, int timeout_ms)
{
    if (state() < 0)
        return state();
    if (trouble() == STANDS_STILL)
        return poll(NULL, 0, timeout_ms);
    device.queued = 0; /* played meanwhile */
    return 1;
}

snd_pcm_sframes_t snd_pcm_writei(snd_pcm_t *pcm, const void *data, snd_pcm_uframes_t count)
{
    if (trouble() == STANDS_STILL)
        return -EAGAIN;
    if (state() < 0)
        return state();
    if (device.writes == 0)
        memcpy(&device.first_s16, data, sizeof(device.first_s16));
    int n = (int)count < device.write_max ? (int)count : device.write_max;
    device.queued += n;
    if (++device.writes % WRITES_A_STEP == 0)
        next_step();
    return n;
}

int snd_pcm_prepare(snd_pcm_t *pcm)
{
    device.prepared++;
    device.queued = 0;
    next_step();
    return 0;
}

int snd_pcm_resume(snd_pcm_t *pcm)
{
    device.resumed++;
    if (device.resume_again > 0) {
        device.resume_again--;
        return -EAGAIN;
    }
    if (device.resume_result == 0)
        next_step();
    return device.resume_result;
}

int snd_pcm_status(snd_pcm_t *pcm, snd_pcm_status_t *status)
{
    return state();
}

snd_pcm_sframes_t snd_pcm_status_get_delay(const snd_pcm_status_t *status)
{
    return device.queued;
}

void snd_pcm_status_get_htstamp(const snd_pcm_status_t *status, snd_htimestamp_t *stamp)
{
    *stamp = (snd_htimestamp_t){ 0 };
}

int snd_pcm_hw_params_set_format(snd_pcm_t *pcm, snd_pcm_hw_params_t *hw, snd_pcm_format_t format)
{
    return format == SND_PCM_FORMAT_FLOAT && device.has_no_float ? -EINVAL : 0;
}

/* What always works. */
#define WORKS(name, ...)                                                                           \
    int name(__VA_ARGS__)                                                                          \
    {                                                                                              \
        return 0;                                                                                  \
    }
WORKS(snd_pcm_drop, snd_pcm_t *pcm)
WORKS(snd_pcm_hw_params_any, snd_pcm_t *pcm, snd_pcm_hw_params_t *hw)
WORKS(snd_pcm_hw_params_set_access, snd_pcm_t *pcm, snd_pcm_hw_params_t *hw, snd_pcm_access_t a)
WORKS(snd_pcm_hw_params_set_channels, snd_pcm_t *pcm, snd_pcm_hw_params_t *hw, unsigned n)
WORKS(snd_pcm_hw_params_set_rate, snd_pcm_t *pcm, snd_pcm_hw_params_t *hw, unsigned hz, int dir)
WORKS(snd_pcm_hw_params_set_period_size_near, snd_pcm_t *pcm, snd_pcm_hw_params_t *hw,
      snd_pcm_uframes_t *frames, int *dir)
WORKS(snd_pcm_hw_params_set_buffer_size_near, snd_pcm_t *pcm, snd_pcm_hw_params_t *hw,
      snd_pcm_uframes_t *frames)
WORKS(snd_pcm_hw_params, snd_pcm_t *pcm, snd_pcm_hw_params_t *hw)
WORKS(snd_pcm_sw_params_current, snd_pcm_t *pcm, snd_pcm_sw_params_t *sw)
WORKS(snd_pcm_sw_params_set_start_threshold, snd_pcm_t *pcm, snd_pcm_sw_params_t *sw,
      snd_pcm_uframes_t frames)
WORKS(snd_pcm_sw_params_set_avail_min, snd_pcm_t *pcm, snd_pcm_sw_params_t *sw,
      snd_pcm_uframes_t frames)
WORKS(snd_pcm_sw_params_set_tstamp_mode, snd_pcm_t *pcm, snd_pcm_sw_params_t *sw,
      snd_pcm_tstamp_t mode)
WORKS(snd_pcm_sw_params_set_tstamp_type, snd_pcm_t *pcm, snd_pcm_sw_params_t *sw,
      snd_pcm_tstamp_type_t type)
WORKS(snd_pcm_sw_params, snd_pcm_t *pcm, snd_pcm_sw_params_t *sw)

const char *snd_pcm_name(snd_pcm_t *pcm)
{
    return "made up";
}

/* ---- the driver ------------------------------------------------------------------------------- */

static void fill(void *ctx, float *out, int count, int64_t heard_ns)
{
    for (int i = 0; i < 2 * count; i++)
        out[i] = 2.0f;
    sem_post(&filled);
}

static struct audio *open_device(struct device d)
{
    struct audio *a;
    device = d;
    sem_init(&filled, 0, 0);
    assert_int_equal(audio_open(&a, &(struct audio_params){ .driver = "alsa",
                                                            .period_frames = PERIOD,
                                                            .periods = PERIODS,
                                                            .fill = fill }),
                     0);
    return a;
}

/* Well beyond what the buffer holds: it goes on. Returns how often it ran dry, for all that is said. */
static uint64_t play_on(struct audio *a)
{
    for (int i = 0; i < 100; i += sem_trywait(&filled) == 0) {
        assert_false(audio_is_lost(a));
        sched_yield();
    }
    uint64_t xruns = audio_xruns(a);
    audio_close(a);
    return xruns;
}

static void wait_until_lost(struct audio *a)
{
    while (!audio_is_lost(a))
        sched_yield();
    audio_close(a);
    assert_true(device.is_closed);
}

/* ---- tests ------------------------------------------------------------------------------------ */

static void a_device_that_runs_dry_goes_on(void **s)
{
    static const enum trouble script[] = {
        GOES_WELL, RUNS_DRY, GOES_WELL, RUNS_DRY, GOES_WELL, END
    };
    for (int write_max = PERIOD / 5; write_max <= PERIOD; write_max *= 5) {
        uint64_t xruns =
            play_on(open_device((struct device){ .script = script, .write_max = write_max }));
        assert_int_equal(xruns, 2);
        assert_int_equal(device.prepared, 2);
        assert_int_equal(device.resumed, 0);
        assert_true(device.is_closed);
    }
}

static void a_suspended_device_is_resumed_or_prepared(void **s)
{
    static const enum trouble script[] = { GOES_WELL, IS_SUSPENDED, GOES_WELL, END };
    static const int results[] = { 0, -ENOSYS, -EIO };
    for (size_t i = 0; i < ARRAY_LEN(results); i++) {
        uint64_t xruns = play_on(open_device((struct device){ .script = script,
                                                              .write_max = PERIOD,
                                                              .resume_again = 1,
                                                              .resume_result = results[i] }));
        assert_int_equal(xruns, 0);
        assert_int_equal(device.resumed, 2);
        assert_int_equal(device.prepared, results[i] < 0);
    }
}

/* Nothing waits for it without an end. */
static void a_device_that_stays_suspended_is_lost(void **s)
{
    static const enum trouble script[] = { GOES_WELL, IS_SUSPENDED, END };
    wait_until_lost(open_device(
        (struct device){ .script = script, .write_max = PERIOD, .resume_again = INT32_MAX }));
}

static void a_device_that_is_gone_is_lost_at_once(void **s)
{
    static const enum trouble script[] = { GOES_WELL, IS_GONE, END };
    wait_until_lost(open_device((struct device){ .script = script, .write_max = PERIOD }));
    assert_int_equal(device.prepared, 0);
}

/* Between two periods, and with a part of one written. */
static void a_device_that_stands_still_is_lost(void **s)
{
    static const enum trouble script[] = { GOES_WELL, STANDS_STILL, END };
    static const int write_max[] = { PERIOD, PERIOD / 5 };
    for (size_t i = 0; i < ARRAY_LEN(write_max); i++)
        wait_until_lost(
            open_device((struct device){ .script = script, .write_max = write_max[i] }));
}

/* The time runs, nothing is wrong with the device. */
static void a_process_that_was_stopped_goes_on(void **s)
{
    static const enum trouble script[] = { GOES_WELL, RUNS_DRY, GOES_WELL, END };
    struct audio *a = open_device((struct device){ .script = script, .write_max = PERIOD });
    time_ns += SECONDS(3600);
    play_on(a);
}

static void a_device_that_only_fails_is_given_up(void **s)
{
    static const enum trouble script[] = { RUNS_DRY, END };
    wait_until_lost(open_device((struct device){ .script = script, .write_max = PERIOD }));
    assert_in_range(device.prepared, 2, 100);
}

static void a_device_without_float_gets_clipped_integers(void **s)
{
    static const enum trouble script[] = { GOES_WELL, END };
    play_on(open_device(
        (struct device){ .script = script, .write_max = PERIOD, .has_no_float = true }));
    assert_int_equal(device.first_s16, 32767);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_that_runs_dry_goes_on),
        cmocka_unit_test(a_suspended_device_is_resumed_or_prepared),
        cmocka_unit_test(a_process_that_was_stopped_goes_on),
        cmocka_unit_test(a_device_that_is_gone_is_lost_at_once),
        cmocka_unit_test(a_device_that_only_fails_is_given_up),
        cmocka_unit_test(a_device_without_float_gets_clipped_integers),
        cmocka_unit_test(a_device_that_stands_still_is_lost),
        cmocka_unit_test(a_device_that_stays_suspended_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
