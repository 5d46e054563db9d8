#include "cli/zone.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"

#define OPEN_FOLDERS 16
#define BASE_MAX     48 /* the address of a socket below it has 107 bytes */

static int open_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

/* The folder that holds all zones of this user, locked: nothing is swept while one is made. It may stand
 * in a folder that others write to, so it must be ours alone. */
static int open_parent(const char *parent)
{
    if (mkdir(parent, 0700) < 0 && errno != EEXIST)
        return -errno;
    int fd = open_folder(parent);
    if (fd < 0)
        return fd;
    struct stat st;
    bool is_ours = fstat(fd, &st) == 0 && st.st_uid == geteuid() && !(st.st_mode & 077);
    if (!is_ours || flock(fd, LOCK_EX) < 0) {
        close(fd);
        return -EPERM;
    }
    return fd;
}

static int make_folder(struct zone *z, const char *parent)
{
    char *dir = xasprintf("%s/XXXXXX", parent);
    if (!mkdtemp(dir)) {
        free(dir);
        return -EACCES;
    }
    z->dir = dir;
    z->lock_fd = open_folder(dir);
    if (z->lock_fd < 0)
        return z->lock_fd;
    return flock(z->lock_fd, LOCK_EX | LOCK_NB) < 0 ? -EAGAIN : 0;
}

/* On failure *z holds what was made so far. The parent stays locked until our folder is: nobody takes it
 * for a left-over in between. */
static int create_below(struct zone *z, const char *parent)
{
    int parent_fd = open_parent(parent);
    if (parent_fd < 0)
        return parent_fd;
    int ret = make_folder(z, parent);
    close(parent_fd);
    if (ret < 0)
        return ret;
    z->runtime_dir = xasprintf("%s/run", z->dir);
    z->state_dir = xasprintf("%s/state", z->dir);
    ret = dir_make(z->runtime_dir);
    return ret < 0 ? ret : dir_make(z->state_dir);
}

int zone_create(struct zone *z)
{
    const char *const bases[] = { getenv("XDG_RUNTIME_DIR"), "/dev/shm", "/tmp" };
    int ret = -ENOENT;
    for (size_t i = 0; i < ARRAY_LEN(bases); i++) {
        *z = (struct zone){ .lock_fd = -1 };
        if (!bases[i] || bases[i][0] != '/' || strlen(bases[i]) > BASE_MAX)
            continue;
        char *parent = xasprintf("%s/djamms-play-%ld", bases[i], (long)geteuid());
        ret = create_below(z, parent);
        free(parent);
        if (ret == 0)
            return 0;
        zone_destroy(z);
    }
    return ret;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path) < 0 && errno != ENOENT ? -1 : 0;
}

static void remove_tree(const char *path)
{
    nftw(path, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

void zone_destroy(struct zone *z)
{
    if (z->dir) {
        remove_tree(z->dir);
        if (z->lock_fd >= 0)
            close(z->lock_fd);
    }
    free(z->dir);
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): every try of zone_create() starts with NULL here. */
    free(z->runtime_dir);
    free(z->state_dir);
    *z = (struct zone){ .lock_fd = -1 };
}

/* true: nobody held it, and it is gone. */
static bool sweep_one(const char *path)
{
    int fd = open_folder(path);
    if (fd < 0)
        return false;
    bool is_free = flock(fd, LOCK_EX | LOCK_NB) == 0;
    if (is_free)
        remove_tree(path);
    close(fd);
    return is_free;
}

int zone_sweep(const struct zone *z)
{
    int swept = 0;
    char *parent = xstrndup(z->dir, (size_t)(strrchr(z->dir, '/') - z->dir));
    int parent_fd = open_parent(parent);
    DIR *dir = parent_fd >= 0 ? opendir(parent) : NULL;
    for (struct dirent *d; dir && (d = readdir(dir));) {
        if (d->d_name[0] == '.')
            continue;
        char *path = xasprintf("%s/%s", parent, d->d_name);
        if (strcmp(path, z->dir) != 0)
            swept += sweep_one(path);
        free(path);
    }
    if (dir)
        closedir(dir);
    if (parent_fd >= 0)
        close(parent_fd);
    free(parent);
    return swept;
}
