#include "source/cache_text.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/compiler.h"
#include "base/text.h"

enum { LANGUAGE_MAX = 20 };

bool cache_text_is_name(const char *name)
{
    static const char stem[] = "media.";
    static const char *const endings[] = { ".ass", ".srt", ".vtt" };
    if (strncmp(name, stem, strlen(stem)) != 0)
        return false;
    const char *language = name + strlen(stem);
    size_t len = 0;
    while (isalnum((unsigned char)language[len]) || (len > 0 && language[len] == '-'))
        len++;
    for (size_t i = 0; len > 0 && len <= LANGUAGE_MAX && i < ARRAY_LEN(endings); i++) {
        if (strcmp(language + len, endings[i]) == 0)
            return true;
    }
    return false;
}

/* All of the file, and that it is UTF-8 without a NUL. */
static bool is_text(int fd, size_t len)
{
    char *text = xcalloc(1, len + 1);
    size_t got = 0;
    for (ssize_t n; got < len && (n = read(fd, text + got, len - got)) > 0; got += (size_t)n) {
    }
    bool is_good = got == len && !memchr(text, '\0', len) && utf8_is_valid(text, len);
    free(text);
    return is_good;
}

size_t cache_text_keep(const char *folder, const char *name)
{
    if (!cache_text_is_name(name))
        return 0;
    char *path = xasprintf("%s/%s", folder, name);
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat st;
    bool is_good = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
                   st.st_size <= (off_t)CACHE_TEXT_BYTES_MAX && is_text(fd, (size_t)st.st_size) &&
                   fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    free(path);
    return is_good ? (size_t)st.st_size : 0;
}
