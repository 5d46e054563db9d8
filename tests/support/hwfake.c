/* Stands in for the H.264 decoder of a Pi 3: its device, the board's name, and FFmpeg's decoder for it. Linked into a
 * test, or set before a deck by LD_PRELOAD. $DJAMMS_HWFAKE says how it is:
 *
 *   works, hangs:N, silent:N, errors:N (after N pictures, which it makes in software), refuses (to be opened)
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libavcodec/avcodec.h>
#include <linux/videodev2.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define DEVICE "video10"
#define BOARD  "/sys/firmware/devicetree/base/compatible"
#define MODE   "DJAMMS_HWFAKE"

enum { DECODERS = 8 };

struct fake {
    _Atomic(const AVCodecContext *) codec; /* NULL: free */
    int pictures;
};

static struct fake fakes[DECODERS];
static _Thread_local bool is_next;

/* Set by a test that is to end: what hangs comes back. */
extern _Atomic bool hwfake_is_released;
_Atomic bool hwfake_is_released;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* ---- the machine ------------------------------------------------------------------------------ */

static int file_of(const char *name, const void *data, size_t len)
{
    int fd = memfd_create(name, MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, len) != (ssize_t)len || lseek(fd, 0, SEEK_SET) != 0)
        abort();
    return fd;
}

int open(const char *path, int flags, ...)
{
    static const char pi3[] = "raspberrypi,3-model-b\0brcm,bcm2837";
    va_list ap;
    va_start(ap, flags);
    mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(ap, mode_t) : 0;
    va_end(ap);
    if (getenv(MODE) && strcmp(path, BOARD) == 0)
        return file_of("board", pi3, sizeof(pi3));
    if (getenv(MODE) && strcmp(path, "/dev/" DEVICE) == 0)
        return file_of(DEVICE, "", 0);
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

static bool is_device(int fd)
{
    char link[64], path[512];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof(path) - 1);
    path[n > 0 ? n : 0] = '\0';
    return strstr(path, DEVICE) != NULL;
}

static int answer(unsigned long request, void *arg)
{
    struct v4l2_capability *c = arg;
    struct v4l2_fmtdesc *f = arg;
    if (request == VIDIOC_QUERYCAP) {
        *c = (struct v4l2_capability){ .driver = "bcm2835-codec",
                                       .capabilities = V4L2_CAP_DEVICE_CAPS,
                                       .device_caps =
                                           V4L2_CAP_VIDEO_M2M_MPLANE | V4L2_CAP_STREAMING };
        return 0;
    }
    if (request == VIDIOC_ENUM_FMT && f->index == 0) {
        f->pixelformat = V4L2_PIX_FMT_H264;
        return 0;
    }
    errno = EINVAL;
    return -1;
}

int ioctl(int fd, unsigned long request, ...)
{
    va_list ap;
    va_start(ap, request);
    void *arg = va_arg(ap, void *);
    va_end(ap);
    bool is_ours = (request == VIDIOC_QUERYCAP || request == VIDIOC_ENUM_FMT) && is_device(fd);
    return is_ours ? answer(request, arg) : (int)syscall(SYS_ioctl, fd, request, arg);
}

/* ---- the decoder ------------------------------------------------------------------------------ */

static struct fake *fake_of(const AVCodecContext *c)
{
    for (int i = 0; i < DECODERS; i++)
        if (atomic_load(&fakes[i].codec) == c)
            return &fakes[i];
    return NULL;
}

/* Whether it is in `mode` by now. */
static bool is_in(const struct fake *f, const char *mode)
{
    const char *is = getenv(MODE);
    size_t len = strlen(mode);
    return f && is && strncmp(is, mode, len) == 0 && is[len] == ':' &&
           f->pictures >= atoi(is + len + 1);
}

static void hang(void)
{
    while (!atomic_load(&hwfake_is_released))
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

const AVCodec *avcodec_find_decoder_by_name(const char *name)
{
    if (strcmp(name, "h264_v4l2m2m") != 0)
        return REAL(avcodec_find_decoder_by_name)(name);
    is_next = true;
    return REAL(avcodec_find_decoder)(AV_CODEC_ID_H264);
}

int avcodec_open2(AVCodecContext *c, const AVCodec *codec, AVDictionary **options)
{
    bool is_fake = is_next;
    is_next = false;
    const char *mode = getenv(MODE);
    if (is_fake && mode && strcmp(mode, "refuses") == 0)
        return AVERROR(ENODEV);
    for (int i = 0; is_fake && i < DECODERS; i++) {
        const AVCodecContext *none = NULL;
        if (atomic_compare_exchange_strong(&fakes[i].codec, &none, c)) {
            fakes[i].pictures = 0;
            break;
        }
    }
    return REAL(avcodec_open2)(c, codec, options);
}

void avcodec_free_context(AVCodecContext **c)
{
    struct fake *f = *c ? fake_of(*c) : NULL;
    if (f)
        atomic_store(&f->codec, NULL);
    REAL(avcodec_free_context)(c);
}

int avcodec_send_packet(AVCodecContext *c, const AVPacket *pkt)
{
    if (is_in(fake_of(c), "silent") && pkt)
        return 0;
    return REAL(avcodec_send_packet)(c, pkt);
}

int avcodec_receive_frame(AVCodecContext *c, AVFrame *frame)
{
    struct fake *f = fake_of(c);
    if (is_in(f, "hangs"))
        hang();
    if (is_in(f, "silent"))
        return AVERROR(EAGAIN);
    if (is_in(f, "errors"))
        return AVERROR(EIO);
    int ret = REAL(avcodec_receive_frame)(c, frame);
    if (f && ret == 0)
        f->pictures++;
    return ret;
}
