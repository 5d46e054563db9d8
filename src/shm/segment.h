/* A file of shared memory below the zone's runtime folder, mapped by name, so that it outlives every
 * process. It lies in a folder of its own, so that a process can be shown nothing else of the zone. Its layout is a file format: fixed-width fields, no pointers, one writer per slot. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define SEGMENT_FOLDER "shm" /* below the runtime folder */

struct segment_header {
    uint32_t magic;
    uint32_t version;
    uint64_t size;
    uint64_t reserved[6];
};

struct segment {
    void *base; /* starts with a struct segment_header */
    size_t size;
    int fd;
};

/* Maps RUNTIME_DIR/shm/NAME shared; creates it (zero-filled, sparse, mode 0600) when it is missing or has another
 * magic, version or size: such a file is unlinked and a new one takes its name. Creation is guarded by
 * a lock, so any number of processes may start at once. 0 or -errno. */
WARN_UNUSED int segment_open(struct segment *s, const char *runtime_dir, const char *name,
                             size_t size, uint32_t magic, uint32_t version);
/* Unmaps; the file stays. A zeroed or closed segment is fine. */
void segment_close(struct segment *s);
