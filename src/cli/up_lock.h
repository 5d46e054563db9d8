/* The lock file of a zone: held by `djamms up` for as long as it keeps the zone's programs running. */
#pragma once

#include <stdbool.h>

#include "base/compiler.h"

/* A descriptor that holds the lock until it is closed; -EWOULDBLOCK: somebody else holds it; -errno. */
WARN_UNUSED int up_lock_take(const char *runtime_dir);
/* Whether somebody holds it. Takes nothing: it never stands in the way of up_lock_take(). */
bool up_lock_is_held(const char *runtime_dir);
