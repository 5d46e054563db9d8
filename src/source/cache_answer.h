/* What people do with a cache: a request of the command `cache` (docs/control-protocol.md) in, its answer out, the same
 * through a player and without one. Blocks on disk. Thread-safety: as the cache. */
#pragma once

#include "source/cache.h"
#include "wire/message.h"

/* The caller owns it. `verify` ends after about `slice_ns` and says where to go on. */
struct message *cache_answer(struct cache *c, const struct message *request,
                             const struct cache_use *use, int64_t slice_ns);
