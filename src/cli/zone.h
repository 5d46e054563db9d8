/* A zone for one program run: folders in memory that are gone when it ends. What a killed one left behind
 * is taken away by the next. */
#pragma once

#include "base/compiler.h"

struct zone {
    char *dir; /* the zone's own folder; NULL: no zone */
    char *runtime_dir;
    char *state_dir;
    int lock_fd; /* held: the zone is in use */
};

/* In $XDG_RUNTIME_DIR, /dev/shm or /tmp, the first that works. 0 or -errno. Blocks on disk. */
WARN_UNUSED int zone_create(struct zone *z);
/* Removes the folders. A zeroed zone is fine. */
void zone_destroy(struct zone *z);
/* Removes zones whose program is gone. Returns how many. */
int zone_sweep(const struct zone *z);
