#include "player/instance_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/alloc.h"

int instance_lock_take(const char *runtime_dir)
{
    char *path = xasprintf("%s/player.lock", runtime_dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int ret = fd < 0 ? -errno : fd;
    free(path);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
        ret = -errno;
        close(fd);
    }
    return ret;
}
