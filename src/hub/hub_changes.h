/* What a request wrote, kept until it is known whether it stays. */
#pragma once

#include <stddef.h>

#include "hub/documents.h"

struct hub_changes {
    struct kept_change *at;
    size_t count, cap;
};

void hub_changes_add(struct hub_changes *l, const struct change *c); /* copies */
/* Gives all of them to `tell` in their order, and forgets them. NULL: only that. */
void hub_changes_take(struct hub_changes *l, void (*tell)(void *ctx, const struct change *c),
                      void *ctx);
void hub_changes_finish(struct hub_changes *l);
