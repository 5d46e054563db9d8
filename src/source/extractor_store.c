#include "source/extractor_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/now.h"
#include "source/folders.h"

#define FILE_NAME    "yt-dlp"
#define SHA256_NAME  "sha256"
#define PROVEN_NAME  "proven"
#define REFUSED_NAME "refused"

char *extractor_dir(const char *state_dir)
{
    return xasprintf("%s/extractor", state_dir);
}

char *extractor_newest(const char *state_dir)
{
    char *dir = extractor_dir(state_dir), *path = extractor_file(dir, EXTRACTOR_CURRENT);
    free(dir);
    return path;
}

int extractor_lock(const char *dir, int64_t wait_ns)
{
    const struct timespec pause = { .tv_nsec = MS(50) };
    int64_t until_ns = now_mono_ns() + wait_ns;
    int ret = dir_make(dir);
    if (ret < 0)
        return ret;
    char *path = xasprintf("%s/lock", dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ret = fd < 0 ? -errno : fd;
    free(path);
    while (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
        ret = -errno;
        if (ret != -EWOULDBLOCK || now_mono_ns() >= until_ns) {
            close(fd);
            return ret;
        }
        nanosleep(&pause, NULL);
        ret = fd;
    }
    return ret;
}

/* ---- what is there ------------------------------------------------------------------------------ */

static char *path_of(const char *dir, const char *version, const char *name)
{
    return xasprintf("%s/%s/%s", dir, version, name);
}

static bool has(const char *dir, const char *version, const char *name)
{
    char *path = path_of(dir, version, name);
    bool is_there = access(path, F_OK) == 0;
    free(path);
    return is_there;
}

char *extractor_file(const char *dir, const char *version)
{
    return path_of(dir, version, FILE_NAME);
}

bool extractor_linked(const char *dir, const char *link, char version[EXTRACTOR_VERSION_SIZE])
{
    char *path = xasprintf("%s/%s", dir, link), to[EXTRACTOR_VERSION_SIZE];
    ssize_t n = readlink(path, to, sizeof(to));
    free(path);
    if (n <= 0 || n >= (ssize_t)sizeof(to))
        return false;
    to[n] = '\0';
    if (!extractor_version_is_valid(to) || !has(dir, to, FILE_NAME))
        return false;
    memcpy(version, to, sizeof(to));
    return true;
}

bool extractor_is_whole(const char *dir, const char *version)
{
    char *path = extractor_file(dir, version), *sum = path_of(dir, version, SHA256_NAME);
    char *data = NULL, *wanted = NULL, found[SHA256_TEXT_SIZE];
    size_t len = 0;
    struct sha256 s;
    bool is_whole = file_read(path, (size_t)EXTRACTOR_BYTES_MAX, &data, &len) == 0 &&
                    file_read(sum, SHA256_TEXT_SIZE, &wanted, NULL) == 0;
    if (is_whole) {
        sha256_init(&s);
        sha256_add(&s, data, len);
        sha256_finish_text(&s, found);
        is_whole = strcmp(found, wanted) == 0;
    }
    free(data);
    free(wanted);
    free(sum);
    free(path);
    return is_whole;
}

bool extractor_is_proven(const char *dir, const char *version)
{
    return has(dir, version, PROVEN_NAME);
}

bool extractor_is_refused(const char *dir, const char *version, char why[EXTRACTOR_WHY_SIZE])
{
    char *path = path_of(dir, version, REFUSED_NAME), *text = NULL;
    int ret = file_read(path, EXTRACTOR_WHY_SIZE - 1, &text, NULL);
    snprintf(why, EXTRACTOR_WHY_SIZE, "%s", ret == 0 ? text : "the reason cannot be read");
    free(text);
    free(path);
    return ret != -ENOENT && ret != -ENOTDIR;
}

/* Calls `each` for every folder of a version. */
static void walk(const char *dir, void (*each)(const char *dir, const char *version, void *ctx),
                 void *ctx)
{
    DIR *d = opendir(dir);
    for (struct dirent *e; d && (e = readdir(d));)
        if (extractor_version_is_valid(e->d_name))
            each(dir, e->d_name, ctx);
    if (d)
        closedir(d);
}

struct listing {
    void (*each)(void *ctx, const char *version);
    void *ctx;
};

static void list_refused(const char *dir, const char *version, void *ctx)
{
    const struct listing *l = ctx;
    if (has(dir, version, REFUSED_NAME))
        l->each(l->ctx, version);
}

void extractor_refused(const char *dir, void (*each)(void *ctx, const char *version), void *ctx)
{
    walk(dir, list_refused, &(struct listing){ each, ctx });
}

/* ---- what changes ------------------------------------------------------------------------------- */

int extractor_put(const char *dir, const struct extractor_offer *o, const void *data, size_t len)
{
    char *folder = xasprintf("%s/%s", dir, o->version), *file = extractor_file(dir, o->version);
    char *sum = path_of(dir, o->version, SHA256_NAME);
    char *proven = path_of(dir, o->version, PROVEN_NAME);
    int ret = dir_make(folder);
    if (ret == 0 && unlink(proven) < 0 && errno != ENOENT)
        ret = -errno;
    if (ret == 0)
        ret = file_replace(sum, o->sha256, strlen(o->sha256));
    if (ret == 0)
        ret = file_replace(file, data, len);
    if (ret == 0)
        ret = folder_sync(dir);
    free(proven);
    free(sum);
    free(file);
    free(folder);
    return ret;
}

/* Lets a link lead to a version, in one step. */
static int set_link(const char *dir, const char *link, const char *version)
{
    char *path = xasprintf("%s/%s", dir, link), *temp = xasprintf("%s/link.new", dir);
    int ret = unlink(temp) < 0 && errno != ENOENT ? -errno : 0;
    if (ret == 0 && (symlink(version, temp) < 0 || rename(temp, path) < 0))
        ret = -errno;
    if (ret == 0)
        ret = folder_sync(dir);
    free(temp);
    free(path);
    return ret;
}

static int drop_link(const char *dir, const char *link)
{
    char *path = xasprintf("%s/%s", dir, link);
    int ret = unlink(path) < 0 && errno != ENOENT ? -errno : 0;
    free(path);
    return ret < 0 ? ret : folder_sync(dir);
}

int extractor_use(const char *dir, const char *version)
{
    char before[EXTRACTOR_VERSION_SIZE];
    bool has_before = extractor_linked(dir, EXTRACTOR_CURRENT, before);
    char *refused = path_of(dir, version, REFUSED_NAME);
    int ret = unlink(refused) < 0 && errno != ENOENT ? -errno : 0;
    free(refused);
    /* Killed between the two, the one before that is the previous one: it was good as well. */
    if (ret == 0)
        ret = set_link(dir, EXTRACTOR_CURRENT, version);
    if (ret == 0 && has_before && strcmp(before, version) != 0)
        ret = set_link(dir, EXTRACTOR_PREVIOUS, before);
    else if (ret == 0 && !has_before)
        ret = drop_link(dir, EXTRACTOR_PREVIOUS);
    return ret;
}

int extractor_refuse(const char *dir, const char *version, const char *why)
{
    char text[EXTRACTOR_WHY_SIZE], *path = path_of(dir, version, REFUSED_NAME);
    snprintf(text, sizeof(text), "%s", why);
    int ret = file_replace(path, text, strlen(text));
    free(path);
    return ret;
}

int extractor_prove(const char *dir, const char *version)
{
    char *path = path_of(dir, version, PROVEN_NAME);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    int ret = fd < 0 ? -errno : 0;
    if (fd >= 0)
        close(fd);
    free(path);
    return ret;
}

int extractor_go_back(const char *dir, const char *why)
{
    char current[EXTRACTOR_VERSION_SIZE], previous[EXTRACTOR_VERSION_SIZE];
    if (!extractor_linked(dir, EXTRACTOR_CURRENT, current))
        return -ENOENT;
    int ret = extractor_refuse(dir, current, why);
    if (ret < 0)
        return ret;
    bool has_previous =
        extractor_linked(dir, EXTRACTOR_PREVIOUS, previous) && strcmp(previous, current) != 0;
    char *from = xasprintf("%s/" EXTRACTOR_PREVIOUS, dir);
    char *to = xasprintf("%s/" EXTRACTOR_CURRENT, dir);
    if (has_previous)
        ret = rename(from, to) < 0 ? -errno : folder_sync(dir);
    else
        ret = drop_link(dir, EXTRACTOR_CURRENT);
    free(from);
    free(to);
    return ret;
}

struct kept {
    char current[EXTRACTOR_VERSION_SIZE], previous[EXTRACTOR_VERSION_SIZE]; /* "": none */
};

static void clean_one(const char *dir, const char *version, void *ctx)
{
    const struct kept *k = ctx;
    if (strcmp(version, k->current) == 0 || strcmp(version, k->previous) == 0)
        return;
    bool keeps_reason =
        has(dir, version, REFUSED_NAME) && extractor_version_compare(version, k->current) > 0;
    char *path = keeps_reason ? extractor_file(dir, version) : xasprintf("%s/%s", dir, version);
    folder_remove(path);
    free(path);
}

void extractor_clean(const char *dir)
{
    struct kept k;
    if (!extractor_linked(dir, EXTRACTOR_CURRENT, k.current))
        k.current[0] = '\0';
    if (!extractor_linked(dir, EXTRACTOR_PREVIOUS, k.previous))
        k.previous[0] = '\0';
    walk(dir, clean_one, &k);
}
