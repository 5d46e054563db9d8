/* One program started by us. */
#pragma once

#include <sys/types.h>

#include "base/compiler.h"

/* Starts `program` (a path) with `argv`, which ends with NULL. It is killed by the kernel when this process
 * dies, has a process group of its own (Ctrl-C comes to us alone), reads /dev/null, and writes its output
 * and errors to a pipe whose end to read is put in *output_fd (close-on-exec, non-blocking; the caller
 * closes it). Returns the process id or -errno. A program that cannot be executed says so in the pipe and
 * ends with status 127. Must be called on the main thread: the kernel ties the child to the thread. An
 * ignored SIGCHLD becomes the default. */
WARN_UNUSED pid_t child_spawn(const char *program, char *const argv[], int *output_fd);
