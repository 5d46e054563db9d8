/* How long files are, by the name of their source, as decks found them in this life: an entry that is added
 * again need not be loaded to show it. Of two sources that share a place the newer is kept.
 * Thread-safety: one thread at a time. */
#pragma once

#include <stdint.h>

#define DURATIONS_KEPT 4096

struct durations {
    struct {
        uint64_t source; /* its hash; 0: free */
        double seconds;
    } at[DURATIONS_KEPT];
};

/* Unknown sources ("") and durations (not above 0) are left out. {0} is an empty struct durations. */
void durations_put(struct durations *d, const char *source, double seconds);
double durations_of(const struct durations *d, const char *source); /* seconds; 0: unknown */
