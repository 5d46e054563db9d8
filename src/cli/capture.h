/* Runs a short helper program and keeps what it says. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

/* argv[0] is looked up in $PATH unless it holds a '/'. Output and errors go to `out`, cut at `size` and
 * terminated. Returns the exit status (128 + the signal's number when killed), -ENOENT: not installed,
 * -ETIMEDOUT: it was killed after `timeout_ms`, or -errno. */
WARN_UNUSED int capture_output(const char *const argv[], char *out, size_t size, int timeout_ms);
