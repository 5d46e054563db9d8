/* What V4L2 devices decode is asked of themselves. ioctl() below stands in for the kernel's; a node's file says which
 * device it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/videodev2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/file.h"
#include "media/hardware_nodes.h"
#include "shm/control.h"

#define HEVC_SLICES v4l2_fourcc('S', '2', '6', '5')
#define MPLANE      (V4L2_CAP_VIDEO_M2M_MPLANE | V4L2_CAP_STREAMING)

struct device {
    const char *driver;
    uint32_t capabilities;
    uint32_t formats[4]; /* of what it takes, 0 at the end */
};

static const struct device *devices; /* a node's file holds the index */

static int query(const struct device *d, struct v4l2_capability *c)
{
    if (!d->driver) {
        errno = ENOTTY;
        return -1;
    }
    *c = (struct v4l2_capability){ .capabilities = V4L2_CAP_DEVICE_CAPS,
                                   .device_caps = d->capabilities };
    memcpy(c->driver, d->driver, strlen(d->driver));
    return 0;
}

static int enumerate(const struct device *d, struct v4l2_fmtdesc *f)
{
    bool is_planar = f->type == V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE;
    assert_int_equal(is_planar, (d->capabilities & V4L2_CAP_VIDEO_M2M_MPLANE) != 0);
    if (f->index >= ARRAY_LEN(d->formats) || !d->formats[f->index]) {
        errno = EINVAL;
        return -1;
    }
    f->pixelformat = d->formats[f->index];
    return 0;
}

int ioctl(int fd, unsigned long request, ...)
{
    char digit = '0';
    va_list ap;
    va_start(ap, request);
    void *arg = va_arg(ap, void *);
    va_end(ap);
    assert_int_equal(pread(fd, &digit, 1, 0), 1);
    const struct device *d = &devices[digit - '0'];
    return request == VIDIOC_QUERYCAP ? query(d, arg) : enumerate(d, arg);
}

static struct hardware_nodes probe(const struct device *fakes, size_t count)
{
    char dir[] = "/tmp/djamms-dev-XXXXXX", path[64];
    struct hardware_nodes found;
    devices = fakes;
    assert_non_null(mkdtemp(dir));
    for (size_t i = 0; i < count; i++) {
        char digit = (char)('0' + i);
        snprintf(path, sizeof(path), "%s/video%zu", dir, 10 + i);
        assert_int_equal(file_replace(path, &digit, 1), 0);
    }
    hardware_probe(dir, &found);
    for (size_t i = 0; i < count; i++) {
        snprintf(path, sizeof(path), "%s/video%zu", dir, 10 + i);
        unlink(path);
    }
    rmdir(dir);
    return found;
}

static void devices_are_known_by_driver_and_what_they_take(void **state)
{
    static const struct {
        struct device devices[4];
        uint32_t stateful, request;
    } cases[] = {
        /* A Pi 4: decoder, encoder, scaler, and the one for H.265. */
        { { { "bcm2835-codec", MPLANE, { V4L2_PIX_FMT_MPEG4, V4L2_PIX_FMT_H264 } },
            { "bcm2835-codec", MPLANE, { V4L2_PIX_FMT_YUV420 } },
            { "bcm2835-codec", MPLANE, { V4L2_PIX_FMT_YUV420, V4L2_PIX_FMT_NV12 } },
            { "rpivid", MPLANE, { HEVC_SLICES } } },
          DECK_HARDWARE_H264,
          DECK_HARDWARE_HEVC },
        /* A Pi 5. */
        { { { "rpi-hevc-dec", MPLANE, { HEVC_SLICES } }, { "pispbe", MPLANE, { 0 } } },
          0,
          DECK_HARDWARE_HEVC },
        { { { "bcm2835-codec", V4L2_CAP_VIDEO_M2M | V4L2_CAP_STREAMING, { V4L2_PIX_FMT_H264 } } },
          DECK_HARDWARE_H264,
          0 },
        /* Encoder only; no memory to memory; a camera that gives H.264; another board's. */
        { { { "bcm2835-codec", MPLANE, { V4L2_PIX_FMT_YUV420 } },
            { "bcm2835-codec", V4L2_CAP_STREAMING, { V4L2_PIX_FMT_H264 } },
            { "uvcvideo", V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING, { V4L2_PIX_FMT_H264 } },
            { "wave5", MPLANE, { V4L2_PIX_FMT_H264 } } },
          0,
          0 },
        { { { NULL, 0, { 0 } } }, 0, 0 }, /* no V4L2 device at all */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct hardware_nodes found = probe(cases[i].devices, ARRAY_LEN(cases[i].devices));
        if (found.stateful != cases[i].stateful || found.request != cases[i].request)
            fail_msg("case %zu: %u, %u", i, found.stateful, found.request);
    }
}

static void without_nodes_there_is_nothing(void **state)
{
    struct hardware_nodes found = probe(NULL, 0);
    assert_int_equal(found.stateful | found.request, 0);
    hardware_probe("/nowhere", &found);
    assert_int_equal(found.stateful | found.request, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(devices_are_known_by_driver_and_what_they_take),
        cmocka_unit_test(without_nodes_there_is_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
