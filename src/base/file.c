#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

int file_read(const char *path, size_t max, char **data, size_t *len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    size_t cap = 64 * 1024 < max ? 64 * 1024 : max, n = 0;
    char *out = xcalloc(1, cap + 1);
    int ret = 0;
    for (;;) {
        if (n == cap && cap == max) {
            char extra;
            ssize_t more = read(fd, &extra, 1);
            if (more < 0 && errno == EINTR)
                continue;
            ret = more == 0 ? 0 : more > 0 ? -EFBIG : -errno;
            break;
        }
        if (n == cap) {
            cap = cap * 2 < max ? cap * 2 : max;
            out = xrealloc(out, cap + 1);
        }
        ssize_t got = read(fd, out + n, cap - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            ret = got < 0 ? -errno : 0;
            break;
        }
        n += (size_t)got;
    }
    close(fd);
    if (ret < 0) {
        free(out);
        return ret;
    }
    out[n] = '\0';
    *data = out;
    if (len)
        *len = n;
    return 0;
}

int file_write_all(int fd, const void *data, size_t len)
{
    const char *at = data;
    while (len) {
        ssize_t n = write(fd, at, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        at += n;
        len -= (size_t)n;
    }
    return 0;
}

/* The folder `path` is in, open; or -errno. */
static int open_folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? xstrndup(path, (size_t)(slash - path) + 1) : xstrdup(".");
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int ret = fd < 0 ? -errno : fd;
    free(folder);
    return ret;
}

/* `is_public`: all may read it, and it need not be on disk.
 * open(), not openat(): of the two ThreadSanitizer sees only the first, and would take a descriptor's number that is
 * used again for the file of another thread. */
static int write_file(const char *path, const void *data, size_t len, bool is_public)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    int ret = file_write_all(fd, data, len);
    if (ret == 0 && (is_public ? fchmod(fd, 0644) : fsync(fd)) < 0)
        ret = -errno;
    if (close(fd) < 0 && ret == 0)
        ret = -errno;
    return ret;
}

/* Some file systems cannot sync a folder and say EINVAL: nothing more can be done there. */
static int sync_folder(int folder)
{
    return fsync(folder) < 0 && errno != EINVAL ? -errno : 0;
}

int file_sync_folder(const char *path)
{
    int folder = open_folder_of(path);
    if (folder < 0)
        return folder;
    int ret = sync_folder(folder);
    close(folder);
    return ret;
}

int file_replace(const char *path, const void *data, size_t len)
{
    int folder = open_folder_of(path);
    if (folder < 0)
        return folder;
    char *temp = xasprintf("%s.new", path);
    int ret = write_file(temp, data, len, false);
    if (ret == 0 && rename(temp, path) < 0)
        ret = -errno;
    if (ret < 0)
        unlink(temp);
    if (ret == 0)
        ret = sync_folder(folder);
    free(temp);
    close(folder);
    return ret;
}

int file_publish(const char *path, const void *data, size_t len)
{
    char *temp = xasprintf("%s.new", path);
    int ret = write_file(temp, data, len, true);
    if (ret == 0 && rename(temp, path) < 0)
        ret = -errno;
    if (ret < 0)
        unlink(temp);
    free(temp);
    return ret;
}

int dir_make(const char *path)
{
    char part[PATH_MAX];
    if (!*path)
        return -ENOENT;
    if (strlen(path) >= sizeof(part))
        return -ENAMETOOLONG;
    for (size_t i = 1;; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, 0700) < 0 && errno != EEXIST)
            return -errno;
        if (!path[i])
            break;
    }
    struct stat st;
    if (stat(path, &st) < 0)
        return -errno;
    return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}
