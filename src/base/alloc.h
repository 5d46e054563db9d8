/* Small allocations of our own: they abort when memory is gone, and the service manager
 * restarts us. What the outside sizes uses calloc() and checks. Thread-safety: any thread. */
#pragma once

#include <stddef.h>

#include "base/compiler.h"

void *xcalloc(size_t count, size_t size);
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *s); /* s may be NULL: returns NULL */
char *xstrndup(const char *s, size_t len);
char *xasprintf(const char *fmt, ...) PRINTF_LIKE(1, 2); /* caller frees */
