#include "base/path_list.h"

#include <string.h>

#include "base/alloc.h"

char *path_list_next(const char **at)
{
    *at += strspn(*at, ":");
    size_t len = strcspn(*at, ":");
    char *folder = len ? xstrndup(*at, len) : NULL;
    *at += len;
    return folder;
}
