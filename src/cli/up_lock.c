#include "cli/up_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"

/* Of the open file, not of the process; unlike flock() it can be asked for without being taken. */
static struct flock whole_file(void)
{
    return (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET };
}

static int open_lock(const char *runtime_dir, int flags)
{
    char *path = xasprintf("%s/up.lock", runtime_dir);
    int fd = open(path, flags | O_CLOEXEC, 0600);
    int ret = fd < 0 ? -errno : fd;
    free(path);
    return ret;
}

int up_lock_take(const char *runtime_dir)
{
    int fd = open_lock(runtime_dir, O_RDWR | O_CREAT);
    struct flock lock = whole_file();
    if (fd < 0 || fcntl(fd, F_OFD_SETLK, &lock) == 0)
        return fd;
    int error = errno;
    close(fd);
    return error == EAGAIN || error == EACCES ? -EWOULDBLOCK : -error;
}

bool up_lock_is_held(const char *runtime_dir)
{
    int fd = open_lock(runtime_dir, O_RDONLY);
    struct flock lock = whole_file();
    bool is_held = fd >= 0 && fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    if (fd >= 0)
        close(fd);
    return is_held;
}
