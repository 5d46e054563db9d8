/* Sound into a file, RIFF WAVE, 16 bit stereo. The sizes in the header are written after every block, so
 * the file is whole at any moment, also when the process is killed. */
#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "output/audio_driver.h"
#include "output/audio_pace.h"

#define BYTES_PER_FRAME (AUDIO_CHANNELS * 2)
#define DATA_MAX        ((int64_t)UINT32_MAX - 4096) /* RIFF has 32-bit sizes: 6 hours */

struct wav_header { /* all little endian */
    char riff[4];
    uint32_t riff_bytes; /* of what follows this field */
    char wave[4], fmt[4];
    uint32_t fmt_bytes;
    uint16_t encoding, channels;
    uint32_t rate, bytes_per_second;
    uint16_t bytes_per_frame, bits;
    char data[4];
    uint32_t data_bytes;
};
static_assert(sizeof(struct wav_header) == 44, "the layout of a file");

struct wav {
    struct audio_pace *pace;
    struct audio *audio;
    int fd;
    int64_t data_bytes;
    int16_t *block;
};

static bool write_all(int fd, const void *data, size_t len, int64_t offset)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = pwrite(fd, (const char *)data + done, len - done, offset + (off_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

static bool write_header(const struct wav *w)
{
    struct wav_header h = {
        .riff = "RIFF",
        .riff_bytes = htole32((uint32_t)(w->data_bytes + (int64_t)sizeof(h) - 8)),
        .wave = "WAVE",
        .fmt = "fmt ",
        .fmt_bytes = htole32(16),
        .encoding = htole16(1),
        .channels = htole16(AUDIO_CHANNELS),
        .rate = htole32(AUDIO_RATE),
        .bytes_per_second = htole32(AUDIO_RATE * BYTES_PER_FRAME),
        .bytes_per_frame = htole16(BYTES_PER_FRAME),
        .bits = htole16(16),
        .data = "data",
        .data_bytes = htole32((uint32_t)w->data_bytes),
    };
    return write_all(w->fd, &h, sizeof(h), 0);
}

/* On the pace's thread. A file that cannot be written ends the recording, not the music. */
static void wav_sink(void *ctx, const float *samples, int count)
{
    struct wav *w = ctx;
    int64_t bytes = (int64_t)count * BYTES_PER_FRAME;
    if (w->fd < 0)
        return;
    if (w->data_bytes + bytes > DATA_MAX) {
        log_warn(w->audio->log, "%s: is full", w->audio->wav_path);
    } else {
        for (int i = 0; i < count * AUDIO_CHANNELS; i++) {
            float v = fminf(fmaxf(samples[i], -1.0f), 1.0f); /* also ends a NaN */
            w->block[i] = (int16_t)htole16((uint16_t)(int16_t)lrintf(v * 32767.0f));
        }
        int64_t offset = (int64_t)sizeof(struct wav_header) + w->data_bytes;
        w->data_bytes += bytes;
        if (write_all(w->fd, w->block, (size_t)bytes, offset) && write_header(w))
            return;
        log_err(w->audio->log, "%s: %s", w->audio->wav_path, strerror(errno));
    }
    close(w->fd);
    w->fd = -1;
}

static void wav_destroy(struct wav *w)
{
    if (w->fd >= 0)
        close(w->fd);
    free(w->block);
    free(w);
}

static int wav_open(struct audio *a)
{
    if (!a->wav_path) {
        snprintf(a->error, sizeof(a->error), "no file is named for the sound");
        return -EINVAL;
    }
    struct wav *w = xcalloc(1, sizeof(*w));
    w->audio = a;
    w->block = xcalloc((size_t)a->period_frames * AUDIO_CHANNELS, sizeof(*w->block));
    w->fd = open(a->wav_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    int ret = w->fd < 0 || !write_header(w) ? -errno : 0;
    if (ret == 0)
        ret = audio_pace_start(&w->pace, a, wav_sink, w);
    if (ret < 0) {
        snprintf(a->error, sizeof(a->error), "%.100s: %s", a->wav_path, strerror(-ret));
        wav_destroy(w);
        return ret;
    }
    a->state = w;
    return 0;
}

static void wav_close(struct audio *a)
{
    struct wav *w = a->state;
    audio_pace_stop(w->pace);
    wav_destroy(w);
    a->state = NULL;
}

const struct audio_driver audio_wav = { .name = "wav", .open = wav_open, .close = wav_close };
