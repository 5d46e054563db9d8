#include "media/hardware_nodes.h"

#include <errno.h>
#include <stdbool.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/compiler.h"
#include "shm/control.h"

enum { NODES = 64, FORMATS = 32 };

/* Younger than the headers of Debian 12. */
#define HEVC_SLICES v4l2_fourcc('S', '2', '6', '5')

static const struct {
    const char *driver;
    uint32_t format; /* that it has to take */
    enum deck_hardware hardware;
    bool is_request;
} drivers[] = {
    { "bcm2835-codec", V4L2_PIX_FMT_H264, DECK_HARDWARE_H264, false },
    { "rpi-hevc-dec", HEVC_SLICES, DECK_HARDWARE_HEVC, true },
    { "rpivid", HEVC_SLICES, DECK_HARDWARE_HEVC, true },
};

static int ask(int fd, unsigned long request, void *arg)
{
    int ret;
    do {
        ret = ioctl(fd, request, arg);
    } while (ret < 0 && errno == EINTR);
    return ret;
}

/* Whether the device takes `format`, to make pictures of it. */
static bool takes(int fd, uint32_t format, uint32_t capabilities)
{
    bool is_planar = capabilities & V4L2_CAP_VIDEO_M2M_MPLANE;
    for (uint32_t i = 0; i < FORMATS; i++) {
        struct v4l2_fmtdesc f = { .index = i,
                                  .type = is_planar ? V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE
                                                    : V4L2_BUF_TYPE_VIDEO_OUTPUT };
        if (ask(fd, VIDIOC_ENUM_FMT, &f) < 0)
            return false;
        if (f.pixelformat == format)
            return true;
    }
    return false;
}

static void look_at(int fd, struct hardware_nodes *out)
{
    struct v4l2_capability c = { 0 };
    if (ask(fd, VIDIOC_QUERYCAP, &c) < 0)
        return;
    uint32_t can = c.capabilities & V4L2_CAP_DEVICE_CAPS ? c.device_caps : c.capabilities;
    if (!(can & (V4L2_CAP_VIDEO_M2M | V4L2_CAP_VIDEO_M2M_MPLANE)) || !(can & V4L2_CAP_STREAMING))
        return;
    for (size_t i = 0; i < ARRAY_LEN(drivers); i++) {
        bool is_it = strncmp((const char *)c.driver, drivers[i].driver, sizeof(c.driver)) == 0;
        if (is_it && takes(fd, drivers[i].format, can))
            *(drivers[i].is_request ? &out->request : &out->stateful) |= drivers[i].hardware;
    }
}

void hardware_probe(const char *dev_dir, struct hardware_nodes *out)
{
    *out = (struct hardware_nodes){ 0 };
    for (int i = 0; i < NODES; i++) {
        char path[256];
        snprintf(path, sizeof(path), "%s/video%d", dev_dir, i);
        int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0)
            continue;
        look_at(fd, out);
        close(fd);
    }
}
