#include "player/durations.h"

#include <string.h>

#include "base/text.h"

void durations_put(struct durations *d, const char *source, double seconds)
{
    if (!*source || !(seconds > 0))
        return;
    uint64_t hash = text_hash(source, strlen(source));
    d->at[hash % DURATIONS_KEPT].source = hash;
    d->at[hash % DURATIONS_KEPT].seconds = seconds;
}

double durations_of(const struct durations *d, const char *source)
{
    uint64_t hash = text_hash(source, strlen(source));
    return *source && d->at[hash % DURATIONS_KEPT].source == hash
               ? d->at[hash % DURATIONS_KEPT].seconds
               : 0;
}
