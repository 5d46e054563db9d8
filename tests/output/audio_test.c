#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "output/audio.h"
#include "output/audio_driver.h"

#define BLOCKS 24
#define PERIOD 256

/* Plays a ramp whose value tells the sample's place, and notes what it was asked for. */
struct player {
    int64_t frames;
    int64_t heard_ns[BLOCKS];
    int blocks;
    int count;  /* frames of the last block */
    sem_t done; /* BLOCKS were filled */
};

static float ramp(int64_t frame)
{
    return (float)(frame % 2000) / 2000.0f - 0.5f;
}

static void fill(void *ctx, float *out, int count, int64_t heard_ns)
{
    struct player *p = ctx;
    for (int i = 0; i < count; i++) {
        out[2 * i] = ramp(p->frames);
        out[2 * i + 1] = -ramp(p->frames);
        p->frames++;
    }
    p->count = count;
    if (p->blocks < BLOCKS)
        p->heard_ns[p->blocks] = heard_ns;
    if (++p->blocks == BLOCKS)
        sem_post(&p->done);
}

static void wait_until_played(struct player *p)
{
    while (sem_wait(&p->done) != 0)
        assert_int_equal(errno, EINTR);
}

static int play(struct player *p, const char *driver, const char *wav_path, struct audio **out)
{
    memset(p, 0, sizeof(*p));
    sem_init(&p->done, 0, 0);
    return audio_open(out, &(struct audio_params){ .driver = driver,
                                                   .wav_path = wav_path,
                                                   .period_frames = PERIOD,
                                                   .fill = fill,
                                                   .ctx = p });
}

/* ---- null ------------------------------------------------------------------------------------- */

static void null_hears_every_sample_at_its_exact_time(void **state)
{
    struct player p;
    struct audio *a;
    assert_int_equal(play(&p, "null", NULL, &a), 0);
    assert_string_equal(audio_driver_name(a), "null");
    wait_until_played(&p);
    assert_false(audio_is_lost(a));
    audio_close(a);
    assert_int_equal(p.count, PERIOD);
    for (int64_t k = 1; k < BLOCKS; k++)
        assert_int_equal(p.heard_ns[k] - p.heard_ns[0], audio_frames_ns(k * PERIOD));
}

static void nothing_is_filled_after_close(void **state)
{
    struct player p;
    struct audio *a;
    assert_int_equal(play(&p, "null", NULL, &a), 0);
    wait_until_played(&p);
    audio_close(a);
    memset(&p, 0, sizeof(p)); /* the race checker sees a thread that still writes */
}

/* ---- wav -------------------------------------------------------------------------------------- */

static uint32_t u32(const char *data, size_t at)
{
    const unsigned char *b = (const unsigned char *)data + at;
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static int sample(const char *data, size_t index)
{
    uint32_t at = u32(data, 44 + index / 2 * 4);
    return (int16_t)(index % 2 ? at >> 16 : at & 0xffff);
}

/* Returns the frames of a whole WAVE file that holds the ramp from its beginning. */
static size_t check_wav(const char *path)
{
    char *data;
    size_t len;
    assert_int_equal(file_read(path, 1 << 24, &data, &len), 0);
    assert_true(len >= 44);
    assert_memory_equal(data, "RIFF", 4);
    assert_memory_equal(data + 8, "WAVEfmt ", 8);
    assert_int_equal(u32(data, 16), 16);
    assert_int_equal(u32(data, 20), 2 << 16 | 1);
    assert_int_equal(u32(data, 24), 48000);
    assert_int_equal(u32(data, 28), 48000 * 4);
    assert_int_equal(u32(data, 32), 16 << 16 | 4);
    assert_memory_equal(data + 36, "data", 4);
    uint32_t bytes = u32(data, 40);
    assert_int_equal(u32(data, 4), bytes + 36);
    assert_true(bytes + 44 <= len);
    for (size_t i = 0; i < bytes / 4; i++) {
        int want = (int)(ramp((int64_t)i) * 32767.0f);
        assert_in_range(sample(data, 2 * i) - want + 2, 0, 4);
        assert_in_range(sample(data, 2 * i + 1) + want + 2, 0, 4);
    }
    free(data);
    return bytes / 4;
}

static char *temporary_path(char path[64])
{
    strcpy(path, "/tmp/djamms-audio-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    return path;
}

static void wav_holds_all_that_was_filled(void **state)
{
    char path[64];
    struct player p;
    struct audio *a;
    assert_int_equal(play(&p, "wav", temporary_path(path), &a), 0);
    wait_until_played(&p);
    audio_close(a);
    assert_int_equal(check_wav(path), p.frames);
    for (int64_t k = 1; k < BLOCKS; k++)
        assert_int_equal(p.heard_ns[k] - p.heard_ns[0], audio_frames_ns(k * PERIOD));
    unlink(path);
}

static void wav_is_whole_when_the_process_is_killed(void **state)
{
    char path[64], byte;
    int ready[2];
    temporary_path(path);
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct player p;
        struct audio *a;
        if (play(&p, "wav", path, &a) == 0)
            wait_until_played(&p);
        (void)!write(ready[1], "x", 1);
        for (;;)
            pause();
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    close(ready[0]);
    close(ready[1]);
    assert_true(check_wav(path) >= (BLOCKS - 1) * PERIOD);
    unlink(path);
}

static void fill_too_loud(void *ctx, float *out, int count, int64_t heard_ns)
{
    static const float values[4] = { 4.0f, -4.0f, 1.0f, -1.0f };
    struct player *p = ctx;
    for (int i = 0; i < count; i++)
        out[2 * i] = out[2 * i + 1] = values[i % 4];
    if (++p->blocks == BLOCKS)
        sem_post(&p->done);
}

static void wav_clips_and_does_not_wrap(void **state)
{
    char path[64], *data;
    size_t len;
    struct player p = { 0 };
    struct audio *a;
    sem_init(&p.done, 0, 0);
    assert_int_equal(audio_open(&a, &(struct audio_params){ .driver = "wav",
                                                            .wav_path = temporary_path(path),
                                                            .fill = fill_too_loud,
                                                            .ctx = &p }),
                     0);
    wait_until_played(&p);
    audio_close(a);
    assert_int_equal(file_read(path, 1 << 24, &data, &len), 0);
    assert_int_equal(sample(data, 0), 32767);
    assert_int_equal(sample(data, 2), -32767);
    assert_int_equal(sample(data, 4), 32767);
    free(data);
    unlink(path);
}

/* ---- choosing --------------------------------------------------------------------------------- */

static void what_cannot_be_opened_is_an_error(void **state)
{
    struct player p;
    struct audio *a = (struct audio *)&p;
    assert_int_equal(play(&p, "gramophone", NULL, &a), -EINVAL);
    assert_null(a);
    assert_int_equal(play(&p, "wav", NULL, &a), -EINVAL);
    assert_int_equal(play(&p, "wav", "/nowhere/at/all.wav", &a), -ENOENT);
    struct audio_params alsa = {
        .driver = "alsa", .device = "no-such-pcm", .fill = fill, .ctx = &p
    };
    assert_true(audio_open(&a, &alsa) < 0);
    assert_null(a);
    audio_close(NULL);
}

static void sdl_plays_through_its_driver(void **state)
{
    struct player p;
    struct audio *a;
    setenv("SDL_AUDIODRIVER", "dummy", 1);
    assert_int_equal(play(&p, "sdl", NULL, &a), 0);
    wait_until_played(&p);
    assert_false(audio_is_lost(a));
    assert_int_equal(p.count, 2 * PERIOD);
    audio_close(a);
    unsetenv("SDL_AUDIODRIVER");
}

static void without_a_device_the_music_goes_on_unheard(void **state)
{
    struct player p = { 0 };
    struct audio *a;
    sem_init(&p.done, 0, 0);
    setenv("SDL_AUDIODRIVER", "gramophone", 1);
    struct audio_params params = {
        .device = "no-such-pcm", .fill = fill, .ctx = &p, .period_frames = PERIOD
    };
    assert_int_equal(audio_open(&a, &params), 0);
    assert_string_equal(audio_driver_name(a), "null");
    wait_until_played(&p);
    assert_false(audio_is_lost(a));
    audio_close(a);
    unsetenv("SDL_AUDIODRIVER");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(null_hears_every_sample_at_its_exact_time),
        cmocka_unit_test(nothing_is_filled_after_close),
        cmocka_unit_test(wav_holds_all_that_was_filled),
        cmocka_unit_test(wav_is_whole_when_the_process_is_killed),
        cmocka_unit_test(wav_clips_and_does_not_wrap),
        cmocka_unit_test(what_cannot_be_opened_is_an_error),
        cmocka_unit_test(sdl_plays_through_its_driver),
        cmocka_unit_test(without_a_device_the_music_goes_on_unheard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
