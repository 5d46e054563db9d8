/* What the tests of the settings share. */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>
#include <unistd.h>

#include "support/texts.h"

/* A file in a new temporary folder; the caller unlinks and frees it. */
static inline char *temp_file(const char *text, size_t len)
{
    char name[] = "/tmp/djamms-config-XXXXXX";
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), (ssize_t)len);
    close(fd);
    return strdup(name);
}
