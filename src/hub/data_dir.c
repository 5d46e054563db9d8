#include "hub/data_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"

#define ANNOUNCED_MAX 640 /* URL and ids, a line each */

/* Bytes of hub.lock that stand for a right. Locks of open file descriptions: a second one in the same process is
 * refused, too. */
enum { BYTE_SERVE, BYTE_USE };

static int lock_byte(int fd, int byte, short type)
{
    struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };
    if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
        return 0;
    return errno == EACCES || errno == EAGAIN ? -EWOULDBLOCK : -errno;
}

static int open_lock(const char *dir, int flags)
{
    char *path = xasprintf("%s/hub.lock", dir);
    int fd = open(path, flags | O_CLOEXEC, 0600);
    int ret = fd < 0 ? -errno : fd;
    free(path);
    return ret;
}

int data_dir_lock(const char *dir, enum data_use use)
{
    int ret = dir_make(dir);
    int fd = ret < 0 ? ret : open_lock(dir, O_RDWR | O_CREAT);
    if (fd < 0)
        return fd;
    if (use == DATA_SERVE)
        ret = lock_byte(fd, BYTE_SERVE, F_WRLCK);
    if (ret == 0)
        ret = lock_byte(fd, BYTE_USE, use == DATA_REPLACE ? F_WRLCK : F_RDLCK);
    if (ret == 0 && use == DATA_SERVE && ftruncate(fd, 0) < 0) /* the URL of a former hub */
        ret = -errno;
    if (ret == 0)
        return fd;
    close(fd);
    return ret;
}

int data_dir_announce(int lock, const char *base_url, const char *project_id,
                      const char *database_id)
{
    char *text = xasprintf("%s\n%s\n%s\n", base_url, project_id, database_id);
    ssize_t len = (ssize_t)strlen(text), n = pwrite(lock, text, (size_t)len, 0);
    int ret = n < 0 ? -errno : n < len ? -ENOSPC : 0;
    free(text);
    return ret;
}

static bool is_served(int fd)
{
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = BYTE_SERVE, .l_len = 1
    };
    return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

bool data_dir_is_served(const char *dir)
{
    int fd = open_lock(dir, O_RDONLY);
    if (fd < 0)
        return false;
    bool ret = is_served(fd);
    close(fd);
    return ret;
}

/* What a hub announced there; "" when none did. */
static void read_lock(int fd, char text[ANNOUNCED_MAX])
{
    ssize_t n = pread(fd, text, ANNOUNCED_MAX - 1, 0);
    text[n > 0 ? n : 0] = '\0';
}

char *data_dir_base_url(const char *dir)
{
    char text[ANNOUNCED_MAX] = "";
    int fd = open_lock(dir, O_RDONLY);
    if (fd < 0)
        return NULL;
    if (is_served(fd))
        read_lock(fd, text);
    close(fd);
    size_t len = strcspn(text, "\n");
    return len ? xstrndup(text, len) : NULL;
}

bool data_dir_ids(const char *dir, char **project_id, char **database_id)
{
    char text[ANNOUNCED_MAX], *rest = text;
    int fd = open_lock(dir, O_RDONLY);
    if (fd < 0)
        return false;
    read_lock(fd, text);
    close(fd);
    strsep(&rest, "\n");
    const char *project = strsep(&rest, "\n"), *database = strsep(&rest, "\n");
    if (!project || !*project || !database || !*database || !rest)
        return false;
    *project_id = xstrdup(project);
    *database_id = xstrdup(database);
    return true;
}

char *data_dir_database(const char *dir)
{
    return xasprintf("%s/hub.db", dir);
}
