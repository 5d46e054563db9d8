/* The ALSA driver through alsa-lib itself, on a device made of a clock and a file (support/alsa_timed.c): what was
 * handed out is what was heard, at the time that was said, also after the device ran dry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <alsa/asoundlib.h>
#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/now.h"
#include "output/audio.h"
#include "output/audio_driver.h"

#define PERIOD  480
#define PERIODS 4
#define BLOCKS  120
#define HICCUP  40 /* the block that comes late ... */
#define LATE_NS MS(150)
#define CLOSE   MS(8)

/* Plays samples that tell their number, and notes when each block is said to be heard. */
struct player {
    int64_t frames;
    int64_t heard_ns[BLOCKS];
    int blocks;
    int hiccup; /* block before which the machine has one; 0: none */
    sem_t done;
};

static int value(int64_t frame)
{
    return (int)(frame % 30000) + 1; /* never 0: that is silence */
}

static void fill(void *ctx, float *out, int count, int64_t heard_ns)
{
    struct player *p = ctx;
    if (p->hiccup && p->blocks == p->hiccup) /* the buffer is empty long before */
        nanosleep(&(struct timespec){ .tv_nsec = LATE_NS }, NULL);
    for (int i = 0; i < count; i++)
        out[2 * i] = out[2 * i + 1] = (float)value(p->frames++) / 32767.0f;
    if (p->blocks < BLOCKS)
        p->heard_ns[p->blocks] = heard_ns;
    if (++p->blocks == BLOCKS)
        sem_post(&p->done);
}

static char folder[] = "/tmp/djamms-heard-XXXXXX"; /* of the test */

static void path_in(char *out, size_t size, const char *name)
{
    snprintf(out, size, "%s/%s", folder, name);
}

/* alsa-lib reads its configuration once for each file it is made of: here the only one. */
static int make_devices(void **state)
{
    char text[2048], path[96];
    assert_non_null(mkdtemp(folder));
    const char *build = getenv("DJAMMS_BUILD");
    assert_non_null(build);
    int n =
        snprintf(text, sizeof(text),
                 "pcm_type.timed { lib \"%s/tools/alsa_timed.so\" }\n"
                 "pcm.integers { type timed file \"%s/heard\" format S16_LE gaps 1 }\n"
                 "pcm.floats { type timed file \"%s/heard\" format FLOAT_LE gaps 1 }\n"
                 "pcm.subframes { type timed file \"%s/heard\" format IEC958_SUBFRAME_LE gaps 1 }\n"
                 /* As alsa-lib describes the HDMI port of a board. */
                 "pcm.board { type plug slave.pcm { type iec958 slave { format IEC958_SUBFRAME_LE "
                 "pcm subframes } status [ 4 130 0 1 ] hdmi_mode true } }\n"
                 "pcm.jack { type plug slave { pcm integers rate 48000 } }\n",
                 build, folder, folder, folder);
    assert_in_range(n, 1, sizeof(text) - 1);
    path_in(path, sizeof(path), "asoundrc");
    assert_int_equal(file_replace(path, text, (size_t)n), 0);
    setenv("ALSA_CONFIG_PATH", path, 1);
    return 0;
}

static int remove_devices(void **state)
{
    char path[96];
    path_in(path, sizeof(path), "asoundrc");
    unlink(path);
    path_in(path, sizeof(path), "heard");
    unlink(path);
    return rmdir(folder);
}

static uint64_t play(struct player *p, const char *device, int hiccup)
{
    struct audio *a;
    memset(p, 0, sizeof(*p));
    p->hiccup = hiccup;
    sem_init(&p->done, 0, 0);
    int ret = audio_open(&a, &(struct audio_params){ .driver = "alsa",
                                                     .device = device,
                                                     .period_frames = PERIOD,
                                                     .periods = PERIODS,
                                                     .fill = fill,
                                                     .ctx = p });
    assert_int_equal(ret, 0);
    assert_string_equal(audio_device_name(a), device);
    while (sem_wait(&p->done) != 0)
        assert_int_equal(errno, EINTR);
    uint64_t xruns = audio_xruns(a);
    assert_false(audio_is_lost(a));
    audio_close(a);
    return xruns;
}

/* Of a frame of the recording. The sample of a subframe lies in its bits 12 to 27. */
static int heard_at(const char *data, size_t frame, snd_pcm_format_t format)
{
    int16_t s16;
    uint32_t sub;
    float f;
    switch (format) {
    case SND_PCM_FORMAT_S16_LE: memcpy(&s16, data + frame * 4, sizeof(s16)); return s16;
    case SND_PCM_FORMAT_FLOAT_LE:
        memcpy(&f, data + frame * 8, sizeof(f));
        return (int)(f * 32767.0f + 0.5f);
    default: memcpy(&sub, data + frame * 8, sizeof(sub)); return (int16_t)(sub >> 12);
    }
}

struct recording {
    int64_t frames, gaps;
    int64_t at[BLOCKS]; /* where the first frame of each block is */
};

/* Every frame once, in its order; silence only in between. */
static struct recording read_recording(snd_pcm_format_t format)
{
    char path[96], *data;
    size_t len, size = (size_t)snd_pcm_format_size(format, AUDIO_CHANNELS);
    struct recording r = { 0 };
    bool is_silent = false;
    path_in(path, sizeof(path), "heard");
    assert_int_equal(file_read(path, 1 << 26, &data, &len), 0);
    for (size_t i = 0; i < len / size; i++) {
        int heard = heard_at(data, i, format);
        r.gaps += heard == 0 && !is_silent;
        is_silent = heard == 0;
        if (is_silent)
            continue;
        if (abs(heard - value(r.frames)) > 1)
            fail_msg("frame %zu: %d is heard, it should be %d", i, heard, value(r.frames));
        if (r.frames % PERIOD == 0 && r.frames / PERIOD < BLOCKS)
            r.at[r.frames / PERIOD] = (int64_t)i;
        r.frames++;
    }
    free(data);
    return r;
}

/* Nearly all: this machine, too, has hiccups while a block is stamped. */
static void assert_said_when_heard(const struct player *p, const struct recording *r)
{
    int far = 0, blocks = (int)(r->frames / PERIOD) < BLOCKS ? (int)(r->frames / PERIOD) : BLOCKS;
    int last = blocks - 1; /* the error of which cancels out of the differences */
    assert_true(blocks > BLOCKS / 2);
    for (int i = 0; i < blocks; i++) {
        int64_t said = p->heard_ns[last] - p->heard_ns[i];
        int64_t was = audio_frames_ns(r->at[last] - r->at[i]);
        far += llabs(said - was) > CLOSE;
    }
    if (far > blocks / 5)
        fail_msg("%d of %d blocks were not heard when it was said", far, blocks);
}

static void what_is_handed_out_is_heard_in_every_format(void **state)
{
    static const struct {
        const char *device;
        snd_pcm_format_t format;
    } cases[] = { { "integers", SND_PCM_FORMAT_S16_LE },
                  { "floats", SND_PCM_FORMAT_FLOAT_LE },
                  { "jack", SND_PCM_FORMAT_S16_LE },
                  { "board", SND_PCM_FORMAT_IEC958_SUBFRAME_LE } };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct player p;
        uint64_t xruns = play(&p, cases[i].device, 0);
        struct recording r = read_recording(cases[i].format);
        assert_true(r.frames >= (BLOCKS - PERIODS - 1) * PERIOD);
        assert_int_equal(r.gaps, xruns);
        assert_said_when_heard(&p, &r);
    }
}

static void a_device_that_ran_dry_goes_on_with_the_next_sample_and_is_counted(void **state)
{
    struct player p;
    uint64_t xruns = play(&p, "board", HICCUP);
    struct recording r = read_recording(SND_PCM_FORMAT_IEC958_SUBFRAME_LE);
    assert_true(xruns >= 1);
    assert_int_equal(r.gaps, xruns);
    assert_true(r.at[BLOCKS - PERIODS - 1] - r.at[0] > (BLOCKS - PERIODS - 1) * PERIOD + PERIOD);
    assert_said_when_heard(&p, &r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_handed_out_is_heard_in_every_format),
        cmocka_unit_test(a_device_that_ran_dry_goes_on_with_the_next_sample_and_is_counted),
    };
    return cmocka_run_group_tests(tests, make_devices, remove_devices);
}
