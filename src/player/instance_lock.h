/* One player a zone: a lock on `player.lock` in the runtime folder, which the system takes back when the
 * process ends, however it ends. */
#pragma once

#include "base/compiler.h"

/* A descriptor that holds the lock (close() gives it back), -EWOULDBLOCK when another player has it, or
 * another -errno. */
WARN_UNUSED int instance_lock_take(const char *runtime_dir);
