/* A device for ALSA, made of a clock and a file: it plays its buffer at the exact rate of CLOCK_MONOTONIC, runs dry
 * like any other, and writes down what was heard, as raw samples. Loaded by alsa-lib:
 *
 *   pcm_type.timed { lib "/.../alsa_timed.so" }
 *   pcm.NAME {
 *       type timed
 *       file "/.../heard.raw"
 *       format S16_LE           the only one it takes
 *       gaps 1                  also what was not heard while it had run dry, as zeros
 *   }
 */
#include <alsa/asoundlib.h>
#include <alsa/pcm_external.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define NS       1000000000LL
#define CHANNELS 2
#define TICK_NS  1000000

struct timed {
    snd_pcm_ioplug_t io;
    int fd;
    bool has_gaps;
    snd_pcm_format_t format;
    size_t frame_bytes;
    uint8_t *waiting; /* written before the start: a buffer's length */
    size_t waiting_frames;
    bool runs;
    int64_t started_ns, dry_ns; /* dry_ns 0: it never was */
    int64_t written;            /* frames, since the start */
};

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * NS + t.tv_nsec;
}

static void put(struct timed *t, const void *data, size_t bytes)
{
    for (size_t done = 0; done < bytes;) {
        ssize_t n = write(t->fd, (const char *)data + done, bytes - done);
        if (n <= 0)
            abort();
        done += (size_t)n;
    }
}

static int timed_start(snd_pcm_ioplug_t *io)
{
    struct timed *t = io->private_data;
    int64_t now = now_ns();
    if (t->dry_ns && t->has_gaps) {
        size_t bytes = (size_t)((now - t->dry_ns) * io->rate / NS) * t->frame_bytes;
        void *zeros = calloc(1, bytes + 1);
        put(t, zeros, bytes);
        free(zeros);
    }
    put(t, t->waiting, t->waiting_frames * t->frame_bytes);
    t->written = (int64_t)t->waiting_frames;
    t->waiting_frames = 0;
    t->started_ns = now;
    t->runs = true;
    return 0;
}

static int timed_stop(snd_pcm_ioplug_t *io)
{
    struct timed *t = io->private_data;
    if (t->runs)
        t->dry_ns = t->started_ns + t->written * NS / io->rate;
    t->runs = false;
    return 0;
}

static int timed_prepare(snd_pcm_ioplug_t *io)
{
    struct timed *t = io->private_data;
    timed_stop(io);
    t->waiting_frames = 0;
    t->waiting = realloc(t->waiting, io->buffer_size * t->frame_bytes);
    return t->waiting ? 0 : -ENOMEM;
}

/* Where the clock is; beyond what was written it has run dry. */
static snd_pcm_sframes_t timed_pointer(snd_pcm_ioplug_t *io)
{
    struct timed *t = io->private_data;
    if (!t->runs)
        return 0;
    int64_t played = (now_ns() - t->started_ns) * io->rate / NS;
    if (played > t->written) {
        timed_stop(io);
        return -EPIPE;
    }
    return (snd_pcm_sframes_t)(played % (int64_t)io->buffer_size);
}

static snd_pcm_sframes_t timed_transfer(snd_pcm_ioplug_t *io, const snd_pcm_channel_area_t *areas,
                                        snd_pcm_uframes_t offset, snd_pcm_uframes_t size)
{
    struct timed *t = io->private_data;
    const char *from = (const char *)areas[0].addr + (areas[0].first + areas[0].step * offset) / 8;
    if (t->runs) {
        put(t, from, size * t->frame_bytes);
        t->written += (int64_t)size;
    } else {
        memcpy(t->waiting + t->waiting_frames * t->frame_bytes, from, size * t->frame_bytes);
        t->waiting_frames += size;
    }
    return (snd_pcm_sframes_t)size;
}

static int timed_revents(snd_pcm_ioplug_t *io, struct pollfd *fds, unsigned count,
                         unsigned short *revents)
{
    uint64_t ticks;
    bool has_ticked = read(io->poll_fd, &ticks, sizeof(ticks)) == sizeof(ticks);
    *revents = has_ticked ? POLLOUT : 0;
    return 0;
}

static int timed_close(snd_pcm_ioplug_t *io)
{
    struct timed *t = io->private_data;
    close(io->poll_fd);
    close(t->fd);
    free(t->waiting);
    free(t);
    return 0;
}

static const snd_pcm_ioplug_callback_t callback = {
    .start = timed_start,
    .stop = timed_stop,
    .pointer = timed_pointer,
    .transfer = timed_transfer,
    .close = timed_close,
    .prepare = timed_prepare,
    .poll_revents = timed_revents,
};

static int constrain(struct timed *t)
{
    /* Plugins above it, iec958 for one, write into its memory. */
    static const unsigned access[] = { SND_PCM_ACCESS_RW_INTERLEAVED,
                                       SND_PCM_ACCESS_MMAP_INTERLEAVED };
    const unsigned format = (unsigned)t->format;
    snd_pcm_ioplug_t *io = &t->io;
    int ret = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_ACCESS, 2, access);
    if (ret >= 0)
        ret = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_FORMAT, 1, &format);
    if (ret >= 0)
        ret = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_CHANNELS, CHANNELS, CHANNELS);
    if (ret >= 0)
        ret = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_RATE, 44100, 48000);
    if (ret >= 0)
        ret = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_PERIOD_BYTES, 256, 1 << 18);
    if (ret >= 0)
        ret = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_BUFFER_BYTES, 512, 1 << 20);
    return ret < 0 ? ret : snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_PERIODS, 2, 64);
}

static int read_conf(struct timed *t, snd_config_t *conf, const char **file)
{
    snd_config_iterator_t i, next;
    const char *text;
    long number;
    snd_config_for_each(i, next, conf)
    {
        snd_config_t *n = snd_config_iterator_entry(i);
        const char *id;
        snd_config_get_id(n, &id);
        if (strcmp(id, "file") == 0 && snd_config_get_string(n, &text) >= 0)
            *file = text;
        else if (strcmp(id, "format") == 0 && snd_config_get_string(n, &text) >= 0)
            t->format = snd_pcm_format_value(text);
        else if (strcmp(id, "gaps") == 0 && snd_config_get_integer(n, &number) >= 0)
            t->has_gaps = number != 0;
    }
    return *file && t->format >= 0 ? 0 : -EINVAL;
}

SND_PCM_PLUGIN_DEFINE_FUNC(timed)
{
    struct timed *t = calloc(1, sizeof(*t));
    const char *file = NULL;
    if (!t || read_conf(t, conf, &file) < 0)
        return -EINVAL;
    t->frame_bytes = (size_t)snd_pcm_format_size(t->format, CHANNELS);
    t->fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    const struct itimerspec tick = { .it_interval = { .tv_nsec = TICK_NS },
                                     .it_value = { .tv_nsec = TICK_NS } };
    if (t->fd < 0 || timer < 0 || timerfd_settime(timer, 0, &tick, NULL) < 0)
        return -errno;
    t->io = (snd_pcm_ioplug_t){ .version = SND_PCM_IOPLUG_VERSION,
                                .name = "timed",
                                .poll_fd = timer,
                                .poll_events = POLLIN,
                                .callback = &callback,
                                .private_data = t };
    int ret = snd_pcm_ioplug_create(&t->io, name, stream, mode);
    if (ret >= 0)
        ret = constrain(t);
    if (ret < 0)
        return ret;
    *pcmp = t->io.pcm;
    return 0;
}

SND_PCM_PLUGIN_SYMBOL(timed);
