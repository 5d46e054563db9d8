#include "source/mounts.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/path_list.h"

#define MOUNTS_MAX  64
#define PATH_COLUMN 4

static bool is_below(const char *path, const char *tops)
{
    bool is_it = false;
    for (char *top; !is_it && (top = path_list_next(&tops)); free(top)) {
        size_t len = strlen(top);
        while (len > 1 && top[len - 1] == '/')
            len--;
        is_it = strncmp(path, top, len) == 0 && path[len] == '/' && path[len + 1];
    }
    return is_it;
}

/* Blanks and the like are written as \040. */
static void unescape(char *path)
{
    char *to = path;
    for (const char *p = path; *p; to++) {
        bool is_code = p[0] == '\\' && strspn(p + 1, "01234567") >= 3;
        *to = is_code ? (char)((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0')) : *p;
        p += is_code ? 4 : 1;
    }
    *to = '\0';
}

static void take_line(struct mounts *m, const char *line, size_t len, const char *tops)
{
    const char *p = line, *end = line + len;
    for (int column = 0; column < PATH_COLUMN && p < end; column++) {
        const char *blank = memchr(p, ' ', (size_t)(end - p));
        p = blank ? blank + 1 : end;
    }
    const char *blank = memchr(p, ' ', (size_t)(end - p));
    if (!blank || m->count == MOUNTS_MAX)
        return;
    char *path = xstrndup(p, (size_t)(blank - p));
    unescape(path);
    if (is_below(path, tops)) {
        m->path = xrealloc(m->path, (m->count + 1) * sizeof(*m->path));
        m->path[m->count++] = path;
    } else {
        free(path);
    }
}

void mounts_parse(struct mounts *m, const char *text, const char *tops)
{
    *m = (struct mounts){ 0 };
    while (*text) {
        size_t len = strcspn(text, "\n");
        take_line(m, text, len, tops);
        text += len + (text[len] == '\n');
    }
}

void mounts_finish(struct mounts *m)
{
    for (size_t i = 0; i < m->count; i++)
        free(m->path[i]);
    free(m->path);
    *m = (struct mounts){ 0 };
}
