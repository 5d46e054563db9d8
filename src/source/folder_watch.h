/* Tells in which folders something changed (inotify). Thread-safety: one thread. */
#pragma once

#include <stdbool.h>

#include "base/compiler.h"

struct folder_watch;

/* 0 or -errno. */
WARN_UNUSED int folder_watch_create(struct folder_watch **out);
void folder_watch_destroy(struct folder_watch *w); /* NULL is fine */

int folder_watch_fd(const struct folder_watch *w); /* readable: something changed */
/* Watches `path`, once more or anew. 0; -ENOSPC: the machine allows no more; another -errno. */
WARN_UNUSED int folder_watch_add(struct folder_watch *w, const char *path);
void folder_watch_remove(struct folder_watch *w, const char *path);
/* Calls `changed` for each folder in which something changed since, often more than once; with NULL: it may be any,
 * for too much has changed at once. Does not wait. */
void folder_watch_take(struct folder_watch *w, void (*changed)(void *ctx, const char *path),
                       void *ctx);
