#include "cli/media_check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/track.h"

bool media_check(const char *path, char why[MEDIA_WHY_MAX])
{
    struct stat st;
    const char *reason = NULL;
    if (stat(path, &st) < 0)
        reason = errno == ENOENT ? "there is no such file" : strerror(errno);
    else if (S_ISDIR(st.st_mode))
        reason = "this is a folder";
    else if (!S_ISREG(st.st_mode))
        reason = "this is no regular file";
    else if (!path_is_media(path))
        reason = "not a media file, by its ending";
    else if (st.st_size == 0)
        reason = "the file is empty";
    else if (access(path, R_OK) < 0)
        reason = errno == EACCES ? "there is no permission to read it" : strerror(errno);
    if (reason)
        snprintf(why, MEDIA_WHY_MAX, "%s", reason);
    return !reason;
}
