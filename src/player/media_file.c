#include "player/media_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/compiler.h"
#include "model/track.h"

static const char *sentence_of(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR: return "There is no such file.";
    case EACCES:
    case EPERM: return "There is no permission to read it.";
    case ELOOP: return "Its links lead in a circle.";
    case ENAMETOOLONG: return "Its name is too long.";
    default: return NULL;
    }
}

static const char *check_open(int fd, const char *path)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return "It cannot be read.";
    if (S_ISDIR(st.st_mode))
        return "It is a folder, not a file.";
    if (!S_ISREG(st.st_mode))
        return "It is not a regular file.";
    if (st.st_size == 0)
        return "It is empty (0 bytes).";
    if (!path_is_media(path))
        return "Its name does not end like a video or music file (mp4, mkv, webm, mp3, ...).";
    return NULL;
}

bool media_file_check(const char *path, char *why, size_t why_size)
{
    const char *wrong;
    char other[128];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd >= 0) {
        wrong = check_open(fd, path);
        close(fd);
    } else if (!(wrong = sentence_of(errno))) {
        snprintf(other, sizeof(other), "It cannot be read: %s.", strerror(errno));
        wrong = other;
    }
    if (wrong && why)
        snprintf(why, why_size, "%s", wrong);
    return !wrong;
}
