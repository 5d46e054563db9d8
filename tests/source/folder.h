/* A folder of a test's own, in memory where there is some, and what it holds. */
#pragma once

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"

/* The caller removes it. */
static inline char *folder_make(void)
{
    char *dir =
        xasprintf("%s/djamms-source-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(dir));
    return dir;
}

static inline int folder_remove_entry(const char *path, const struct stat *st, int type,
                                      struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static inline void folder_remove(char *dir)
{
    nftw(dir, folder_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(dir);
}

/* DIR/NAME with `text`, and the folders above it. */
static inline void folder_write(const char *dir, const char *name, const char *text)
{
    char *path = xasprintf("%s/%s", dir, name);
    for (char *slash = path + strlen(dir) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    free(path);
}

static inline void folder_rename(const char *dir, const char *from, const char *to)
{
    char *a = xasprintf("%s/%s", dir, from), *b = xasprintf("%s/%s", dir, to);
    assert_int_equal(rename(a, b), 0);
    free(a);
    free(b);
}

static inline void folder_delete(const char *dir, const char *name)
{
    char *path = xasprintf("%s/%s", dir, name);
    assert_int_equal(remove(path), 0);
    free(path);
}

static inline void folder_link(const char *dir, const char *to, const char *name)
{
    char *path = xasprintf("%s/%s", dir, name);
    assert_int_equal(symlink(to, path), 0);
    free(path);
}
