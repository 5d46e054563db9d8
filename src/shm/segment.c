#include "shm/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"

static bool header_fits(const struct segment_header *h, size_t size, uint32_t magic,
                        uint32_t version)
{
    return h->magic == magic && h->version == version && h->size == size;
}

static int map(struct segment *s, int fd, size_t size)
{
    void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (base == MAP_FAILED)
        return -errno;
    *s = (struct segment){ .base = base, .size = size, .fd = fd };
    return 0;
}

/* The lock of the folder is held. */
static int open_locked(struct segment *s, int folder, const char *name, size_t size, uint32_t magic,
                       uint32_t version)
{
    int fd = openat(folder, name, O_RDWR | O_CLOEXEC);
    if (fd >= 0) {
        struct stat st;
        if (fstat(fd, &st) == 0 && (uint64_t)st.st_size == size && map(s, fd, size) == 0) {
            if (header_fits(s->base, size, magic, version))
                return 0;
            munmap(s->base, size);
        }
        close(fd);
        if (unlinkat(folder, name, 0) < 0)
            return -errno;
    } else if (errno != ENOENT) {
        return -errno;
    }
    fd = openat(folder, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    int ret = ftruncate(fd, (off_t)size) < 0 ? -errno : map(s, fd, size);
    if (ret < 0) {
        close(fd);
        unlinkat(folder, name, 0);
        return ret;
    }
    struct segment_header *h = s->base;
    *h = (struct segment_header){ .magic = magic, .version = version, .size = size };
    return 0;
}

int segment_open(struct segment *s, const char *runtime_dir, const char *name, size_t size,
                 uint32_t magic, uint32_t version)
{
    *s = (struct segment){ .fd = -1 };
    char *path = xasprintf("%s/" SEGMENT_FOLDER, runtime_dir);
    int ret = dir_make(path);
    int folder = ret < 0 ? ret : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (ret == 0 && folder < 0)
        ret = -errno;
    free(path);
    if (ret < 0)
        return ret;
    ret = flock(folder, LOCK_EX) < 0 ? -errno : open_locked(s, folder, name, size, magic, version);
    close(folder);
    return ret;
}

void segment_close(struct segment *s)
{
    if (!s->base)
        return;
    munmap(s->base, s->size);
    close(s->fd);
    *s = (struct segment){ .fd = -1 };
}
