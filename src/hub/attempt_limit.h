/* So many attempts per address and hour. In memory, bounded: when too many addresses are known, the one longest ago
 * is forgotten. Thread-safety: one thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct attempt_limit;

struct attempt_limit *attempt_limit_create(int attempts_per_hour);
void attempt_limit_destroy(struct attempt_limit *l); /* l may be NULL */
/* Whether `address` has none left; an IPv6 network (/64) counts as one address. */
bool attempt_limit_is_reached(struct attempt_limit *l, const char *address, int64_t now_ms);
void attempt_limit_count(struct attempt_limit *l, const char *address, int64_t now_ms);
