/* Preloaded into the jukebox on emulated displays: their planes take pixels without alpha only, while SDL from 2.30.5 on
 * gives them with it, as real displays take them. The format is changed on its way to the kernel. */
#include <drm_fourcc.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <xf86drm.h>

int ioctl(int fd, unsigned long request, ...);

int ioctl(int fd, unsigned long request, ...)
{
    va_list ap;
    va_start(ap, request);
    void *argument = va_arg(ap, void *);
    va_end(ap);
    struct drm_mode_fb_cmd2 *frame = argument;
    if (request == DRM_IOCTL_MODE_ADDFB2 && frame->pixel_format == DRM_FORMAT_ARGB8888)
        frame->pixel_format = DRM_FORMAT_XRGB8888;
    return (int)syscall(SYS_ioctl, fd, request, argument);
}
